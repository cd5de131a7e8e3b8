/* CSV: the writer's bytes, round trips, and errors with file and line. */
#include "core/base/memory.h"
#include "core/formats/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <math.h>
#include <unistd.h>

static char directory[] = "/tmp/passgrid-csv-XXXXXX";
static char path[sizeof directory + 16];

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory)) return -1;
    snprintf(path, sizeof path, "%s/t.csv", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static pg_csv_table *read_bytes(const char *text, size_t bytes, pg_error *err)
{
    pg_csv_table *table = NULL;
    FILE *file = fopen(path, "wb");
    fwrite(text, 1, bytes, file);
    fclose(file);
    const pg_status status = pg_csv_read(path, &table, err);
    assert_true(status == PG_OK || (status == PG_BAD_INPUT && !table));
    return table;
}

static void test_write(void **state)
{
    (void)state;
    pg_csv_writer csv;
    char *text = NULL;
    size_t bytes = 0;
    assert_int_equal(pg_csv_start(&csv, NULL), PG_OK);
    pg_csv_row(&csv, (const char *const[]){"name", "a,b", "say \"x\"", "n", NULL});
    pg_csv_text(&csv, "");
    pg_csv_real(&csv, 0.1);
    pg_csv_float(&csv, 0.1F);
    pg_csv_int(&csv, -5);
    pg_csv_end_row(&csv);
    pg_csv_text(&csv, "two\nlines");
    pg_csv_real(&csv, (double)NAN);
    pg_csv_real(&csv, 1.0 / 3);
    pg_csv_text(&csv, " x");
    pg_csv_end_row(&csv);
    assert_int_equal(pg_csv_finish(&csv, &text, &bytes, NULL), PG_OK);
    assert_string_equal(text, "name,\"a,b\",\"say \"\"x\"\"\",n\n,0.1,0.1,-5\n\"two\nlines\",nan,0.3333333333333333,\" x\"\n");
    assert_int_equal(bytes, strlen(text));

    pg_error err;
    double value = 0;
    pg_csv_table *table = read_bytes(text, bytes, &err);
    assert_int_equal(pg_csv_columns(table), 4);
    assert_int_equal(pg_csv_rows(table), 2);
    assert_string_equal(pg_csv_name(table, 2), "say \"x\"");
    assert_string_equal(pg_csv_cell(table, 0, 0), "");
    assert_string_equal(pg_csv_cell(table, 1, 0), "two\nlines");
    assert_string_equal(pg_csv_cell(table, 1, 3), " x");
    assert_int_equal(pg_csv_number(table, 1, 2, &value, &err), PG_OK);
    assert_true(value == 1.0 / 3);
    assert_int_equal(pg_csv_number(table, 1, 1, &value, &err), PG_OK);
    assert_true(isnan(value));
    assert_int_equal(pg_csv_line(table, 1), 3);
    pg_csv_close(&table);
    assert_null(table);
    pg_free(text);
}

static void test_ragged_writer(void **state)
{
    (void)state;
    pg_csv_writer csv;
    char *text = NULL;
    pg_error err;
    assert_int_equal(pg_csv_start(&csv, NULL), PG_OK);
    pg_csv_row(&csv, (const char *const[]){"a", "b", NULL});
    pg_csv_row(&csv, (const char *const[]){"1", NULL});
    assert_int_equal(pg_csv_finish(&csv, &text, NULL, &err), PG_FAILED);
    assert_string_equal(err.message, "the rows of a table differ in length");
    assert_null(text);
    assert_int_equal(pg_csv_start(&csv, NULL), PG_OK);
    pg_csv_text(&csv, "a");
    assert_int_equal(pg_csv_finish(&csv, &text, NULL, &err), PG_FAILED);
    assert_int_equal(pg_csv_start(&csv, NULL), PG_OK);
    pg_csv_abandon(&csv);
    pg_csv_abandon(&csv);
}

static void test_read(void **state)
{
    (void)state;
    pg_error err;
    size_t column = 0;
    double value = 0;
    static const char text[] = "\xEF\xBB\xBFstep,kind,value\r\n0,\"a\r\nb\",1.5e-3\r\n1,\"\",x";
    pg_csv_table *table = read_bytes(text, sizeof text - 1, &err);
    assert_int_equal(pg_csv_rows(table), 2);
    assert_string_equal(pg_csv_name(table, 0), "step");
    assert_int_equal(pg_csv_column(table, "value", &column, &err), PG_OK);
    assert_int_equal(column, 2);
    assert_int_equal(pg_csv_number(table, 0, column, &value, &err), PG_OK);
    assert_true(value == 1.5e-3);
    assert_string_equal(pg_csv_cell(table, 0, 1), "a\r\nb");
    assert_int_equal(pg_csv_number(table, 1, column, &value, &err), PG_BAD_INPUT);
    char expected[PG_MESSAGE_MAX];
    snprintf(expected, sizeof expected, "%s:4: value: expected a number, got \"x\"", path);
    assert_string_equal(err.message, expected);
    assert_int_equal(pg_csv_column(table, "name", &column, &err), PG_BAD_INPUT);
    snprintf(expected, sizeof expected, "%s:1: no column 'name'", path);
    assert_string_equal(err.message, expected);
    pg_csv_close(&table);
}

static void test_bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
        const char *message;
    } cases[] = {
#define CASE(text, message) {text, sizeof text - 1, message}
        CASE("", ":1: expected a line of column names, got nothing"),
        CASE("a,b\n1,2\n3\n", ":3: expected 2 cells, got 1"),
        CASE("a,b\n1,2,3\n", ":2: expected 2 cells, got 3"),
        CASE("a,b\n\n", ":2: expected 2 cells, got 1"),
        CASE("a,b\n\"x\ny\",1\n3\n", ":4: expected 2 cells, got 1"),
        CASE("a,b\n1,\"x\ny\n", ":2: a quoted cell that does not end"),
        CASE("a,b\n\"x\"y,1\n", ":2: expected a comma or the end of the line after a cell"),
        CASE("a,b\nx\"y,1\n", ":2: expected a comma or the end of the line after a cell"),
        CASE("a,b\nx\ry,1\n", ":2: expected a comma or the end of the line after a cell"),
        CASE("a,b,a\n", ":1: two columns are called 'a'"),
        CASE("a,b\n1,\0\n", ":2: a zero byte"),
        CASE("a,b\n1,\xE9\n", ":2: not UTF-8"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pg_error err = {0};
        assert_null(read_bytes(cases[i].text, cases[i].bytes, &err));
        assert_memory_equal(err.message, path, strlen(path));
        assert_string_equal(err.message + strlen(path), cases[i].message);
    }
    pg_csv_table *table = NULL;
    assert_int_equal(pg_csv_read("/no/such.csv", &table, NULL), PG_IO_FAULT);
}

/* A first name that begins as a byte order mark is written so that it is none. */
static void test_mark_in_name(void **state)
{
    (void)state;
    static const char text[] = "\"\xEF\xBB\xBF name\"\n1\n";
    pg_csv_writer csv;
    pg_error err;
    char *written = NULL;
    pg_csv_table *table = read_bytes(text, sizeof text - 1, &err);
    assert_non_null(table);
    assert_int_equal(pg_csv_start(&csv, &err), PG_OK);
    pg_csv_row(&csv, (const char *const[]){pg_csv_name(table, 0), NULL});
    pg_csv_row(&csv, (const char *const[]){"1", NULL});
    assert_int_equal(pg_csv_finish(&csv, &written, NULL, &err), PG_OK);
    assert_string_equal(written, text);
    pg_free(written);
    pg_csv_close(&table);
}

/* Time grows with the number of columns, not with its square: the latter would be minutes. */
static void test_many_columns(void **state)
{
    (void)state;
    enum { COLUMNS = 300000 };
    static char text[8 * COLUMNS];
    pg_error err;
    size_t used = 0;
    for (int i = 0; i < COLUMNS; i++) used += (size_t)sprintf(text + used, "%s%x", i ? "," : "", i);
    const clock_t start = clock();
    pg_csv_table *table = read_bytes(text, used, &err);
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
    assert_non_null(table);
    assert_int_equal(pg_csv_columns(table), COLUMNS);
    pg_csv_close(&table);
}

/* All texts of up to five characters of a small alphabet: never a crash, and no cell outside the text. */
static void test_all_small_files(void **state)
{
    (void)state;
    static const char alphabet[] = "a,\"\r\n";
    char text[8];
    for (int length = 0; length <= 5; length++) {
        int total = 1;
        for (int i = 0; i < length; i++) total *= 5;
        for (int number = 0; number < total; number++) {
            for (int i = 0, rest = number; i < length; i++, rest /= 5) text[i] = alphabet[rest % 5];
            pg_error err = {0};
            pg_csv_table *table = read_bytes(text, (size_t)length, &err);
            for (size_t row = 0; table && row < pg_csv_rows(table); row++)
                for (size_t column = 0; column < pg_csv_columns(table); column++)
                    assert_true(strlen(pg_csv_cell(table, row, column)) <= (size_t)length);
            pg_csv_close(&table);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),        cmocka_unit_test(test_ragged_writer),   cmocka_unit_test(test_read),
        cmocka_unit_test(test_bad_files),    cmocka_unit_test(test_all_small_files), cmocka_unit_test(test_mark_in_name),
        cmocka_unit_test(test_many_columns),
    };
    const int failed = cmocka_run_group_tests(tests, make_directory, remove_directory);
    return failed != 0 || pg_memory_live() != 0;
}
