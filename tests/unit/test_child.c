/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running other programs, and listing a directory. */
#include "core/base/child.h"
#include "core/base/directory.h"
#include "core/base/file.h"
#include "tests/unit/test.h"

TEST(a_childs_output_and_exit_code_are_returned)
{
    const char *const argv[] = {"sh", "-c", "pwd; echo fault >&2; exit 3", NULL};
    char output[256], expected[256];
    int code = -1;
    OK(pg_child_run(argv, folder(), output, sizeof output, &code, &err));
    snprintf(expected, sizeof expected, "%s\nfault\n", folder());
    assert_string_equal(output, expected);
    assert_int_equal(code, 3);
}

TEST(a_childs_output_is_cut_or_discarded)
{
    const char *const argv[] = {"sh", "-c", "yes 1234567 | head -c 1000000", NULL};
    char output[9];
    int code = -1;
    OK(pg_child_run(argv, NULL, output, sizeof output, &code, &err));
    assert_string_equal(output, "1234567\n");
    assert_int_equal(code, 0);
    OK(pg_child_run(argv, NULL, NULL, 0, &code, &err));
    assert_int_equal(code, 0);
}

TEST(a_child_reads_nothing)
{
    const char *const argv[] = {"cat", NULL};
    char output[8] = "old";
    int code = -1;
    OK(pg_child_run(argv, NULL, output, sizeof output, &code, &err));
    assert_string_equal(output, "");
    assert_int_equal(code, 0);
}

TEST(a_child_that_a_signal_ends_has_its_number)
{
    const char *const argv[] = {"sh", "-c", "kill -TERM $$", NULL};
    int code = -1;
    OK(pg_child_run(argv, NULL, NULL, 0, &code, &err));
    assert_int_equal(code, 128 + 15);
}

TEST(a_program_that_is_not_there)
{
    const char *const argv[] = {"no-such-program-anywhere", NULL}, *const unfit[] = {"./unfit", NULL};
    int code = -1;
    OK(pg_child_run(argv, NULL, NULL, 0, &code, &err));
    assert_int_equal(code, PG_NO_PROGRAM);
    OK(pg_file_write("unfit", "", 0, PG_FILE_PUBLIC, &err));
    FAILS(pg_child_run(unfit, NULL, NULL, 0, &code, &err), PG_IO_FAULT, "./unfit does not start: Permission denied");
}

TEST(a_directory_is_listed_in_order)
{
    pg_names names;
    OK(pg_make_directories("list/b", &err));
    OK(pg_file_write("list/c", "", 0, PG_FILE_PUBLIC, &err));
    OK(pg_file_write("list/.a", "", 0, PG_FILE_PUBLIC, &err));
    OK(pg_directory_list("list", &names, &err));
    assert_int_equal(names.count, 3);
    assert_string_equal(names.name[0], ".a");
    assert_string_equal(names.name[1], "b");
    assert_string_equal(names.name[2], "c");
    pg_names_clear(&names);
    FAILS(pg_directory_list("nowhere", &names, &err), PG_IO_FAULT, "nowhere: No such file or directory");
    assert_int_equal(names.count, 0);
}
