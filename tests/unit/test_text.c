/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text files in the forms that people have: byte order marks, UTF-16, tabs; and YAML that other programs read in the same
 * way. */
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/formats/csv.h"
#include "core/formats/yaml.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <unistd.h>

static void write_bytes(const char *text, size_t bytes)
{
    OK(pg_file_write("text", text, bytes, PG_FILE_PUBLIC, &err));
}

TEST(a_byte_order_mark_is_skipped_and_not_counted)
{
    char *text = NULL;
    size_t bytes = 0;
    pg_tree *tree = NULL;
    pg_csv_table *table = NULL;
    write_bytes("\xEF\xBB\xBF"
                "a,b\n1,2\n",
                11);
    OK(pg_file_read_text("text", &text, &bytes, &err));
    assert_int_equal(bytes, 8);
    assert_string_equal(text, "a,b\n1,2\n");
    pg_free(text);
    OK(pg_csv_read("text", &table, &err));
    pg_csv_close(&table);
    write_bytes("\xEF\xBB\xBF"
                "a: {b: 1}\n",
                13);
    OK(pg_yaml_parse_file("text", &tree, &err));
    assert_string_equal(pg_node_find(pg_node_find(tree->root, "a"), "b")->text, "1");
    assert_int_equal(pg_node_find(tree->root, "a")->key_column, 1); /* the mark is no column */
    pg_tree_destroy(&tree);
    write_bytes("\xEF\xBB\xBF"
                "a: 1\n\tb: 2\n",
                14); /* positions count from behind it */
    FAILS(pg_yaml_parse_file("text", &tree, &err), PG_BAD_INPUT, ":2:1: a tab where YAML allows only spaces");
    write_bytes("\xEF\xBB\xBF", 3);
    FAILS(pg_yaml_parse_file("text", &tree, &err), PG_BAD_INPUT, "the file is empty");
}

TEST(wide_encodings_are_refused_by_name)
{
    static const struct {
        const char *bytes;
        size_t count;
    } texts[] = {{"\xFF\xFE"
                  "a\0:\0 \0"
                  "1\0",
                  10},
                 {"\xFE\xFF\0a\0:\0 \0"
                  "1",
                  10},
                 {"a\0:\0 \0"
                  "1\0",
                  8},
                 {"\0a\0:\0 \0"
                  "1",
                  8},
                 {"\xFF\xFE\0\0a\0\0\0", 8},
                 {"\0\0\xFE\xFF\0\0\0a", 8}};
    pg_tree *tree = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_bytes(texts[i].bytes, texts[i].count);
        FAILS(pg_yaml_parse_file("text", &tree, &err), PG_BAD_INPUT, "text: the text is in UTF-16 or UTF-32; save it as UTF-8");
    }
}

/* In those programs a plain scalar is a number if it is a whole number, or digits, point, digits, and an exponent with a
 * sign. */
TEST(numbers_are_written_as_yaml_1_1_reads_them)
{
    static const struct {
        const char *given, *block;
    } cases[] = {{"1e-05", "1.0e-05"}, {"-2e+20", "-2.0e+20"}, {"1e5", "1.0e+5"}, {"2.5e-07", "2.5e-07"},
                 {"2.5E7", "2.5e+7"},  {"0.001", "0.001"},     {"100", "100"},    {"1e", "1e"},
                 {"hello", "hello"},   {"'1e-05'", "'1e-05'"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64], expected[64], *block = NULL, *flow = NULL;
        pg_tree *tree = NULL;
        snprintf(text, sizeof text, "a: %s\nb: [%s]\n", cases[i].given, cases[i].given);
        snprintf(expected, sizeof expected, "a: %s\nb: [%s]\n", cases[i].block, cases[i].block);
        OK(pg_yaml_parse_text(text, "text", &tree, &err));
        OK(pg_yaml_emit(tree->root, PG_YAML_BLOCK, &block, &err));
        assert_string_equal(block, expected);
        OK(pg_yaml_emit(tree->root, PG_YAML_FLOW, &flow, &err)); /* keys of tasks hang on it */
        snprintf(expected, sizeof expected, "{a: %s, b: [%s]}", cases[i].given, cases[i].given);
        assert_string_equal(flow, expected);
        pg_free(block);
        pg_free(flow);
        pg_tree_destroy(&tree);
    }
}
