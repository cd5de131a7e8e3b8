/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts of any length, and other memory that a pool gives. */
#include "core/base/memory.h"
#include "core/base/text_pool.h"
#include "tests/unit/test.h"

#include <string.h>

TEST(a_text_of_any_length_is_kept_first_or_later)
{
    for (size_t length = 1; length < 1 << 20; length *= 2) {
        pg_text_pool pool = {0};
        char *text = NULL;
        OK(pg_alloc(1, length + 1, &text, &err));
        for (int times = 0; times < 2; times++) {
            const char *kept = NULL;
            memset(text, 'a' + times, length);
            OK(pg_text_pool_keep(&pool, text, &kept, NULL, &err));
            assert_string_equal(kept, text);
        }
        pg_free(text);
        pg_text_pool_clear(&pool);
    }
}

TEST(no_bytes_have_an_address_too)
{
    pg_text_pool pool = {0};
    void *none = NULL, *some = NULL;
    OK(pg_text_pool_take(&pool, 0, &none, &err));
    assert_non_null(none);
    OK(pg_text_pool_take(&pool, 24, &some, &err));
    assert_non_null(some);
    assert_int_equal((uintptr_t)some % sizeof(void *), 0);
    pg_text_pool_clear(&pool);
}
