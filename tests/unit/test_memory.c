/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks of memory: zeroed, aligned, counted, and too large. */
#include "core/base/memory.h"
#include "tests/unit/test.h"

TEST(blocks_are_zeroed_aligned_and_counted)
{
    const long before = pg_memory_live();
    for (size_t bytes = 0; bytes < 300; bytes++) {
        unsigned char *dirty = NULL, *block = NULL;
        OK(pg_alloc(bytes, 1, &dirty, &err));
        memset(dirty, 0xA5, bytes);
        pg_free(dirty); /* the allocator may give the same memory again */
        OK(pg_alloc(bytes, 1, &block, &err));
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % PG_ALIGN, 0);
        for (size_t i = 0; i < bytes; i++) assert_int_equal(block[i], 0);
        assert_int_equal(pg_memory_live(), before + 1);
        pg_free(block);
    }
    pg_free(NULL);
    assert_int_equal(pg_memory_live(), before);
}

TEST(a_size_that_overflows_is_out_of_memory)
{
    static const size_t sizes[][2] = {{SIZE_MAX, 2}, {SIZE_MAX / 8 + 1, 8}, {SIZE_MAX, 1}, {3, SIZE_MAX / 2}};
    const long before = pg_memory_live();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char mark, *out = &mark;
        assert_int_equal(pg_alloc(sizes[i][0], sizes[i][1], &out, &err), PG_NO_MEMORY);
        assert_int_equal(err.status, PG_NO_MEMORY);
        assert_contains(err.message, "do not fit");
        assert_ptr_equal(out, &mark);
    }
    assert_int_equal(pg_memory_live(), before);
}

TEST(a_string_is_copied)
{
    static const char *const texts[] = {"", "text"};
    for (size_t i = 0; i < 2; i++) {
        char *copy = NULL;
        OK(pg_strdup(texts[i], &copy, &err));
        assert_string_equal(copy, texts[i]);
        assert_ptr_not_equal(copy, texts[i]);
        pg_free(copy);
    }
}

TEST(an_array_grows_and_keeps_its_elements)
{
    int *array = NULL;
    for (int n = 0; n < 100; n++) {
        OK(pg_grow(&array, n, sizeof *array, &err));
        for (int i = 0; i < n; i++) assert_int_equal(array[i], i + 1);
        assert_int_equal(array[n], 0);
        array[n] = n + 1;
    }
    int *const before = array;
    assert_int_equal(pg_grow(&array, 64, SIZE_MAX / 64, NULL), PG_NO_MEMORY);
    assert_ptr_equal(array, before);
    pg_free(array);
}
