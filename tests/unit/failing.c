/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests that fail, each in a different way. test_harness.c runs them and reads the reports. */
#include "tests/unit/test.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void *kept;

SET_UP
{
    OK(pg_alloc(1, 1, &kept, &err));
    fclose(fopen("shared", "w"));
}

TEAR_DOWN
{
    if (getenv("FAIL_IN_TEAR_DOWN")) fail_msg("as asked");
    if (!getenv("KEEP_MEMORY")) pg_free(kept);
}

TEST(passes)
{
    assert_true(access(shared_path("shared"), F_OK) == 0);
    assert_true(access(source_path("Makefile"), F_OK) == 0);
    assert_true(access(folder(), F_OK) == 0);
    fclose(fopen("own", "w"));
}

TEST(has_an_empty_folder)
{
    assert_int_equal(rmdir(folder()), 0);
    assert_int_equal(mkdir(folder(), 0700), 0);
}

TEST(fails_by_integers)
{
    assert_int_equal(7, 7);
    assert_int_not_equal(7, 8);
    assert_int_equal(3 + 4, -8);
}

TEST(fails_by_unwanted_integers)
{
    assert_int_not_equal(7, 7);
}

TEST(fails_by_condition)
{
    assert_true(1 > 0);
    assert_true(1 > 2);
}

TEST(fails_by_null)
{
    assert_null(NULL);
    assert_non_null(NULL);
}

TEST(fails_by_range)
{
    assert_in_range(3, 3, 3);
    assert_in_range(9, 1, 8);
}

TEST(fails_by_string)
{
    assert_string_equal("a", "a");
    assert_string_not_equal("a", "b");
    assert_string_equal("<&>\n", NULL);
}

TEST(fails_by_part)
{
    assert_contains("abc", "bc");
    assert_contains("abc", "cb");
}

TEST(fails_by_memory)
{
    assert_memory_equal("abc", "abd", 2);
    assert_memory_not_equal("abc", "abd", 3);
    assert_memory_equal("abc", "abd", 3);
}

TEST(fails_by_status)
{
    OK(pg_fail(&err, PG_IO_FAULT, "no disk"));
}

TEST(fails_by_another_status)
{
    FAILS(pg_fail(&err, PG_IO_FAULT, "no disk"), PG_IO_FAULT, "disk");
    FAILS(pg_fail(&err, PG_IO_FAULT, "no disk"), PG_BAD_INPUT, "disk");
}

TEST(fails_by_another_message)
{
    FAILS(pg_fail(&err, PG_IO_FAULT, "no disk"), PG_IO_FAULT, "tape");
}

TEST(fails_by_message)
{
    fail_msg("%d of %d", 1, 2);
}

TEST(leaks)
{
    void *block;
    OK(pg_alloc(1, 1, &block, &err));
}

TEST(is_skipped)
{
    skip("there is no moon");
}

/* The assertion must end the child process, not the copy of the test program in it. */
TEST(has_a_child_that_fails)
{
    int how;
    const pid_t child = fork();
    if (child == 0) fail_msg("in the child");
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(WIFEXITED(how) ? WEXITSTATUS(how) : -1, 1);
}

TEST(ends_the_program)
{
    _exit(0);
}

TEST(comes_after_the_end)
{
}
