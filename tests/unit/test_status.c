/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors, their texts, and how a terminal shows them. */
#include "core/base/status.h"
#include "core/base/utf8.h"
#include "tests/unit/test.h"

#include <errno.h>

TEST(an_error_has_a_status_and_one_line)
{
    assert_int_equal(pg_fail(&err, PG_BAD_INPUT, "%s:%d: wrong", "grid.yaml", 14), PG_BAD_INPUT);
    assert_int_equal(err.status, PG_BAD_INPUT);
    assert_string_equal(err.message, "grid.yaml:14: wrong");
    assert_int_equal(pg_error_context(&err, "task %d", 3), PG_BAD_INPUT);
    assert_string_equal(err.message, "task 3: grid.yaml:14: wrong");
    errno = ENOSPC;
    assert_int_equal(pg_fail_errno(&err, "out/%s", "x"), PG_IO_FAULT);
    assert_int_equal(err.status, PG_IO_FAULT);
    assert_string_equal(err.message, "out/x: No space left on device");
}

TEST(an_error_object_is_optional)
{
    errno = ENOENT;
    assert_int_equal(pg_fail(NULL, PG_NO_MEMORY, "lost"), PG_NO_MEMORY);
    assert_int_equal(pg_fail_errno(NULL, "lost"), PG_IO_FAULT);
    assert_int_not_equal(pg_error_context(NULL, "lost"), PG_OK);
}

/* The bytes behind the message stay as they are. */
TEST(a_long_message_is_cut)
{
    struct {
        pg_error err;
        char guard[8];
    } at = {.guard = "guard"};
    char text[2 * PG_MESSAGE_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_int_equal(pg_fail(&at.err, PG_FAILED, "%s", text), PG_FAILED);
    assert_int_equal(strlen(at.err.message), PG_MESSAGE_MAX - 1);
    assert_int_equal(pg_error_context(&at.err, "where"), PG_FAILED);
    assert_int_equal(strlen(at.err.message), PG_MESSAGE_MAX - 1);
    assert_memory_equal(at.err.message, "where: xxx", 10);
    assert_int_equal(pg_error_context(&at.err, "%s", text), PG_FAILED);
    errno = EIO;
    assert_int_equal(pg_fail_errno(&at.err, "%s", text), PG_IO_FAULT);
    assert_int_equal(strlen(at.err.message), PG_MESSAGE_MAX - 1);
    assert_string_equal(at.guard, "guard");
}

/* Messages quote words of files and command lines, which must not control the terminal. */
TEST(messages_hold_no_control_character_and_no_broken_utf8)
{
    static const char hostile[] = "a\n\x1b[32m\x7f \xc3\xa9 \xc2\x9b \xff \xed\xa0\x80 \xe2\x82",
                      shown[] = "a\\x0a\\x1b[32m\\x7f \xc3\xa9 \\xc2\\x9b \\xff \\xed\\xa0\\x80 \\xe2\\x82";
    char expected[512];
    (void)pg_fail(&err, PG_BAD_INPUT, "%s", hostile);
    assert_string_equal(err.message, shown);
    (void)pg_error_context(&err, "%s", hostile);
    snprintf(expected, sizeof expected, "%s: %s", shown, shown);
    assert_string_equal(err.message, expected);
    errno = ENOENT;
    (void)pg_fail_errno(&err, "%s", hostile);
    snprintf(expected, sizeof expected, "%s: No such file or directory", shown);
    assert_string_equal(err.message, expected);
    assert_false(pg_is_printable(hostile));
    assert_true(pg_is_printable(shown));
}

TEST(a_cut_text_ends_in_dots_and_a_whole_character)
{
    char out[8];
    assert_string_equal(pg_printable("abcdef\xc3\xa9", out, sizeof out), "abcd...");
    assert_string_equal(pg_printable("abcde\xc3\xa9", out, sizeof out), "abcde\xc3\xa9");
    assert_string_equal(pg_printable("abc\xc3\xa9xyz", out, sizeof out), "abc...");
    assert_string_equal(pg_printable("abcd\n", out, sizeof out), "abcd...");
    assert_string_equal(pg_printable("abc", out, 3), "ab");
    assert_string_equal(pg_printable("", out, 1), "");
}

TEST(characters_that_turn_the_direction_of_text_are_not_printable)
{
    static const char *const turning[] = {"\xd8\x9c",     "\xe2\x80\x8e", "\xe2\x80\x8f",
                                          "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9"};
    for (size_t i = 0; i < sizeof turning / sizeof *turning; i++) assert_false(pg_is_printable(turning[i]));
    assert_true(pg_is_printable("\xe2\x80\x8d \xd8\x9b \xe2\x81\xa5")); /* their neighbours */
}

TEST(every_status_has_a_text_and_an_exit_code)
{
    static const struct {
        pg_status status;
        int code;
    } known[] = {{PG_OK, 0}, {PG_FAILED, 1}, {PG_BAD_INPUT, 2}, {PG_IO_FAULT, 3}, {PG_NO_MEMORY, 3}, {PG_INTERRUPTED, 75}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(pg_status_exit_code(known[i].status), known[i].code);
        assert_string_not_equal(pg_status_text(known[i].status), "unknown status");
    }
    assert_string_equal(pg_status_text((pg_status)99), "unknown status");
    assert_int_equal(pg_status_exit_code((pg_status)99), 1);
}
