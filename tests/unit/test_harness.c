/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The harness of the unit tests. Each test runs failing.c and reads its output and reports. */
#include "tests/unit/test.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run `failing` with these arguments. Returns its exit status; *out is its output. */
static int run_failing(const char *arguments, char **out)
{
    char program[4096] = "", command[8192];
    size_t bytes;
    assert_true(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    *strrchr(program, '/') = 0;
    snprintf(command, sizeof command, "cd '%s' && TMPDIR='%s' '%s/failing' %s >'%s' 2>&1", source_path("."), folder(), program,
             arguments, path_of("out"));
    const int status = system(command);
    OK(pg_file_read(path_of("out"), out, &bytes, &err));
    return WEXITSTATUS(status);
}

static void assert_said(const char *arguments, int status, const char *const *said)
{
    char *text;
    assert_int_equal(run_failing(arguments, &text), status);
    for (; *said; said++) assert_contains(text, *said);
    pg_free(text);
}

TEST(every_assertion_can_fail)
{
    static const char *const said[] = {"failing.c:",
                                       ": 3 + 4 is 7, not -8\n",
                                       ": 7 is 7\n",
                                       ": 1 > 2 is false\n",
                                       ": NULL is NULL\n",
                                       ": 9 is not from 1 to 8\n",
                                       ": \"<&>\\n\" is '<&>\n', not '(null)'\n",
                                       ": \"abc\" is 'abc', without 'cb'\n",
                                       ": \"abc\" has 0x63 at byte 2 of 3, not 0x64\n",
                                       ": pg_fail(&err, PG_IO_FAULT, \"no disk\"): no disk\n",
                                       ": pg_fail(&err, PG_IO_FAULT, \"no disk\") is 3, not 2\n",
                                       ": err.message is 'no disk', without 'tape'\n",
                                       ": 1 of 2\n",
                                       NULL};
    assert_said("'fails_*'", 1, said);
    char *text;
    int failures = 0;
    assert_int_equal(run_failing("'fails_*'", &text), 1);
    for (const char *at = text; (at = strstr(at, "FAILED ")); at++) failures++;
    assert_int_equal(failures, 12);
    assert_null(strstr(text, "ok "));
    pg_free(text);
}

TEST(each_test_has_an_empty_folder_and_all_share_one)
{
    static const char *const said[] = {"ok ", "  passes\n", "  has_an_empty_folder\n", NULL};
    assert_said("passes has_an_empty_folder", 0, said);
}

TEST(memory_that_a_test_keeps_is_a_failure)
{
    static const char *const leak[] = {"FAILED ", "  leaks: ", " 1 blocks of memory were not released\n", NULL};
    static const char *const kept[] = {"ok ", "FAILED ", "  tear_down: ", " 1 blocks of memory were not released\n", NULL};
    assert_said("leaks", 1, leak);
    setenv("KEEP_MEMORY", "1", 1);
    assert_said("passes", 1, kept);
    unsetenv("KEEP_MEMORY");
}

TEST(a_fixture_that_fails_is_a_failure)
{
    static const char *const said[] = {"ok ", "FAILED ", "  tear_down: ", ": as asked\n", NULL};
    setenv("FAIL_IN_TEAR_DOWN", "1", 1);
    assert_said("passes", 1, said);
    unsetenv("FAIL_IN_TEAR_DOWN");
}

TEST(an_assertion_in_a_child_ends_the_child)
{
    static const char *const said[] = {"ok ", "  has_a_child_that_fails\n", NULL};
    assert_said("has_a_child_that_fails", 0, said);
}

TEST(tests_are_chosen_by_name)
{
    char *text;
    assert_int_equal(run_failing("--list '*child*' passes", &text), 0);
    assert_string_equal(text, "passes\nhas_a_child_that_fails\n");
    pg_free(text);
    static const char *const said[] = {"failing: no test has such a name\n", NULL};
    assert_said("pass", 2, said);
}

TEST(a_report_has_every_outcome)
{
    char arguments[4200], *text, *report;
    size_t bytes;
    snprintf(arguments, sizeof arguments, "--report '%s' passes fails_by_string is_skipped", path_of("report.xml"));
    assert_int_equal(run_failing(arguments, &text), 1);
    OK(pg_file_read(path_of("report.xml"), &report, &bytes, &err));
    assert_contains(report, "<testsuite name=\"failing\" tests=\"3\" failures=\"1\" skipped=\"1\" time=\"");
    assert_contains(report, "<testcase classname=\"failing\" name=\"passes\" time=\"");
    assert_contains(report, ": &#34;&#60;&#38;&#62;\\n&#34; is '&#60;&#38;&#62;&#10;', not '(null)'\"/></testcase>\n");
    assert_contains(report, "\"><skipped message=\"there is no moon\"/></testcase>\n</testsuite>\n");
    pg_free(report);
    pg_free(text);
}

TEST(a_report_names_the_test_that_ended_the_program)
{
    char arguments[4200], *text, *report;
    size_t bytes;
    snprintf(arguments, sizeof arguments, "--report '%s' ends_the_program comes_after_the_end", path_of("report.xml"));
    assert_int_equal(run_failing(arguments, &text), 0);
    OK(pg_file_read(path_of("report.xml"), &report, &bytes, &err));
    assert_contains(report, "tests=\"1\" failures=\"1\"");
    assert_contains(report,
                    "name=\"ends_the_program\" time=\"0.000\"><failure message=\"the test did not end\"/></testcase>\n");
    pg_free(report);
    pg_free(text);
}
