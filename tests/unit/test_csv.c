/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV: the writer's bytes, round trips, and errors with file and line. */
#include "core/base/memory.h"
#include "core/formats/csv.h"
#include "tests/unit/test.h"

#include <stdlib.h>

#include <math.h>
#include <unistd.h>

static pg_csv_table *read_bytes(const char *text, size_t bytes)
{
    pg_csv_table *table = NULL;
    FILE *file = fopen("t.csv", "wb");
    fwrite(text, 1, bytes, file);
    fclose(file);
    const pg_status status = pg_csv_read("t.csv", &table, &err);
    assert_true(status == PG_OK || (status == PG_BAD_INPUT && !table));
    return table;
}

TEST(what_is_written_is_read_back)
{
    pg_csv_writer csv;
    char *text = NULL;
    size_t bytes = 0;
    OK(pg_csv_start(&csv, &err));
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
    OK(pg_csv_finish(&csv, &text, &bytes, &err));
    assert_string_equal(text, "name,\"a,b\",\"say \"\"x\"\"\",n\n,0.1,0.1,-5\n\"two\nlines\",nan,0.3333333333333333,\" x\"\n");
    assert_int_equal(bytes, strlen(text));

    double value = 0;
    pg_csv_table *table = read_bytes(text, bytes);
    assert_int_equal(pg_csv_columns(table), 4);
    assert_int_equal(pg_csv_rows(table), 2);
    assert_string_equal(pg_csv_name(table, 2), "say \"x\"");
    assert_string_equal(pg_csv_cell(table, 0, 0), "");
    assert_string_equal(pg_csv_cell(table, 1, 0), "two\nlines");
    assert_string_equal(pg_csv_cell(table, 1, 3), " x");
    OK(pg_csv_number(table, 1, 2, &value, &err));
    assert_true(value == 1.0 / 3);
    OK(pg_csv_number(table, 1, 1, &value, &err));
    assert_true(isnan(value));
    assert_int_equal(pg_csv_line(table, 1), 3);
    pg_csv_close(&table);
    assert_null(table);
    pg_free(text);
}

TEST(rows_of_different_lengths_are_refused_by_the_writer)
{
    pg_csv_writer csv;
    char *text = NULL;
    OK(pg_csv_start(&csv, &err));
    pg_csv_row(&csv, (const char *const[]){"a", "b", NULL});
    pg_csv_row(&csv, (const char *const[]){"1", NULL});
    assert_int_equal(pg_csv_finish(&csv, &text, NULL, &err), PG_FAILED);
    assert_string_equal(err.message, "the rows of a table differ in length");
    assert_null(text);
    OK(pg_csv_start(&csv, &err));
    pg_csv_text(&csv, "a");
    assert_int_equal(pg_csv_finish(&csv, &text, NULL, &err), PG_FAILED);
    OK(pg_csv_start(&csv, &err));
    pg_csv_abandon(&csv);
    pg_csv_abandon(&csv);
}

TEST(marks_quotes_and_line_ends_are_read)
{
    size_t column = 0;
    double value = 0;
    static const char text[] = "\xEF\xBB\xBFstep,kind,value\r\n0,\"a\r\nb\",1.5e-3\r\n1,\"\",x";
    pg_csv_table *table = read_bytes(text, sizeof text - 1);
    assert_int_equal(pg_csv_rows(table), 2);
    assert_string_equal(pg_csv_name(table, 0), "step");
    OK(pg_csv_column(table, "value", &column, &err));
    assert_int_equal(column, 2);
    OK(pg_csv_number(table, 0, column, &value, &err));
    assert_true(value == 1.5e-3);
    assert_string_equal(pg_csv_cell(table, 0, 1), "a\r\nb");
    FAILS(pg_csv_number(table, 1, column, &value, &err), PG_BAD_INPUT, "t.csv:4: value: expected a number, got \"x\"");
    FAILS(pg_csv_column(table, "name", &column, &err), PG_BAD_INPUT, "t.csv:1: no column 'name'");
    pg_csv_close(&table);
}

TEST(a_bad_file_is_refused_at_its_line)
{
    static const struct {
        const char *text;
        size_t bytes;
        const char *message;
    } cases[] = {
#define CASE(text, message) {text, sizeof text - 1, message}
        CASE("", "t.csv:1: expected a line of column names, got nothing"),
        CASE("a,b\n1,2\n3\n", "t.csv:3: expected 2 cells, got 1"),
        CASE("a,b\n1,2,3\n", "t.csv:2: expected 2 cells, got 3"),
        CASE("a,b\n\n", "t.csv:2: expected 2 cells, got 1"),
        CASE("a,b\n\"x\ny\",1\n3\n", "t.csv:4: expected 2 cells, got 1"),
        CASE("a,b\n1,\"x\ny\n", "t.csv:2: a quoted cell has no closing quote"),
        CASE("a,b\n\"x\"y,1\n", "t.csv:2: expected a comma or the end of the line after a cell"),
        CASE("a,b\nx\"y,1\n", "t.csv:2: expected a comma or the end of the line after a cell"),
        CASE("a,b\nx\ry,1\n", "t.csv:2: expected a comma or the end of the line after a cell"),
        CASE("a,b,a\n", "t.csv:1: two columns are called 'a'"),
        CASE("a,b\n1,\0\n", "t.csv:2: the line has a zero byte"),
        CASE("a,b\n1,\xE9\n", "t.csv:2: not UTF-8"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(read_bytes(cases[i].text, cases[i].bytes));
        assert_string_equal(err.message, cases[i].message);
    }
    pg_csv_table *table = NULL;
    assert_int_equal(pg_csv_read("/no/such.csv", &table, NULL), PG_IO_FAULT);
}

/* Otherwise the reader would skip the mark. */
TEST(a_name_that_begins_as_a_byte_order_mark_is_quoted)
{
    static const char text[] = "\"\xEF\xBB\xBF name\"\n1\n";
    pg_csv_writer csv;
    char *written = NULL;
    pg_csv_table *table = read_bytes(text, sizeof text - 1);
    assert_non_null(table);
    OK(pg_csv_start(&csv, &err));
    pg_csv_row(&csv, (const char *const[]){pg_csv_name(table, 0), NULL});
    pg_csv_row(&csv, (const char *const[]){"1", NULL});
    OK(pg_csv_finish(&csv, &written, NULL, &err));
    assert_string_equal(written, text);
    pg_free(written);
    pg_csv_close(&table);
}

/* A reader that compared every name with all others would take hours here. */
TEST(a_file_of_300000_columns_is_read)
{
    enum { COLUMNS = 300000 };
    static char text[8 * COLUMNS];
    size_t used = 0;
    for (int i = 0; i < COLUMNS; i++) used += (size_t)sprintf(text + used, "%s%x", i ? "," : "", i);
    pg_csv_table *table = read_bytes(text, used);
    assert_non_null(table);
    assert_int_equal(pg_csv_columns(table), COLUMNS);
    pg_csv_close(&table);
}

/* All texts of up to five characters of a small alphabet: no crash, and no cell outside the text. */
TEST(no_small_file_breaks_the_reader)
{
    static const char alphabet[] = "a,\"\r\n";
    char text[8];
    for (int length = 0; length <= 5; length++) {
        int total = 1;
        for (int i = 0; i < length; i++) total *= 5;
        for (int number = 0; number < total; number++) {
            for (int i = 0, rest = number; i < length; i++, rest /= 5) text[i] = alphabet[rest % 5];
            pg_csv_table *table = read_bytes(text, (size_t)length);
            for (size_t row = 0; table && row < pg_csv_rows(table); row++)
                for (size_t column = 0; column < pg_csv_columns(table); column++)
                    assert_true(strlen(pg_csv_cell(table, row, column)) <= (size_t)length);
            pg_csv_close(&table);
        }
    }
}
