/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports of made-up runs. Different variants stay apart, what is cut says so, and one file that cannot be written does not
 * stop the rest. */
#include "core/base/memory.h"
#include "core/formats/csv.h"
#include "core/formats/json_file.h"
#include "experiments/report/figures.h"
#include "experiments/report/tables.h"
#include "tests/unit/record_file.h"
#include "tests/unit/test.h"
#include "tests/unit/values.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a made run ------------------------------------------------------------------------------------------------------- */

enum { SWEEP = 64 };

static const char *key_of(int i)
{
    static char key[PG_SHA256_HEX];
    snprintf(key, sizeof key, "%064x", i + 1);
    return key;
}

static void save(int i, const char *attack, const char *parameters, pg_record *record)
{
    char text[] = "{}", name[128];
    pg_task task = {.public_text = text};
    const pg_task_labels labels = {.name = "made",
                                   .data = "d",
                                   .network = "n",
                                   .norm = "bn",
                                   .scheme = "v1",
                                   .scheme_parameters = &pg_no_parameters,
                                   .training = listed("epochs=1"),
                                   .attack = attack,
                                   .parameters = listed(parameters),
                                   .seed = 1};
    strcpy(task.key, key_of(i));
    snprintf(name, sizeof name, "run/records/%s.json", task.key);
    OK(pg_record_save(record, &task, &labels, path_of(name), &err));
    pg_record_clear(record);
    forget_parameters();
}

static void add(pg_record *record, const char *outcome, const char *metric, double value)
{
    OK(pg_record_add(record, outcome, metric, value, "%", &err));
}

/* Options whose values differ only at the end of some three hundred bytes. */
static const char *long_options(int i)
{
    static char text[1024];
    int used = 0;
    for (int bit = 0; bit < 6; bit++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s_%c=%s", bit ? " " : "",
                         "an_option_whose_name_takes_many_bytes", 'a' + bit, i >> (5 - bit) & 1 ? "0.0125" : "0.001");
    return text;
}

static void describe_run(int count)
{
    static pg_grid_task tasks[SWEEP + 2];
    char nothing[] = "";
    pg_grid grid = {.options = {.name = "made", .label = "made up"}, .count = count, .tasks = tasks, .resolved = nothing};
    for (int i = 0; i < count; i++) {
        strcpy(tasks[i].key, key_of(i));
        strcpy(tasks[i].name, "t");
    }
    OK(pg_rundir_describe(path_of("run"), &grid, &err));
}

/* One training, one control, and a sweep over six options of an attack that forges; with its tables. */
static void make_run(void)
{
    pg_record r = {0};
    OK(pg_rundir_make(path_of("run"), &err));
    add(&r, "", "accuracy", 62);
    add(&r, "", "stands", 1);
    add(&r, "", "p_value", 1e-9);
    save(0, "", "", &r);
    add(&r, "", "accuracy", 62);
    save(1, "unchanged", "", &r);
    for (int i = 0; i < SWEEP; i++) {
        add(&r, "genuine", "stands", 1);
        add(&r, "", "accuracy_claimed", i);
        add(&r, "", "p_value", 0.5);
        add(&r, "", "stands", 0);
        save(i + 2, "substitute", long_options(i), &r);
    }
    describe_run(SWEEP + 2);
    OK(pg_tables_render(path_of("run"), false, NULL, &err));
}

static pg_csv_table *open_table(const char *name)
{
    pg_csv_table *table = NULL;
    OK(pg_csv_read(path_of(name), &table, &err));
    return table;
}

static const char *text_at(const pg_csv_table *table, size_t row, const char *column)
{
    size_t c = 0;
    OK(pg_csv_column(table, column, &c, &err));
    return pg_csv_cell(table, row, c);
}

/* ---- tables ----------------------------------------------------------------------------------------------------------- */

/* The length of its name does not matter. A single run has no spread. */
TEST(every_setting_has_a_row_of_its_own)
{
    make_run();
    pg_csv_table *table = open_table("run/tables/ambiguity.csv");
    assert_int_equal(pg_csv_rows(table), SWEEP + 1);
    for (size_t row = 1; row <= SWEEP; row++) {
        char wanted[16];
        snprintf(wanted, sizeof wanted, "%zu", row - 1);
        assert_string_equal(text_at(table, row, "accuracy %"), wanted);
        assert_string_equal(text_at(table, row, "n"), "1");
        assert_string_equal(text_at(table, row, "accuracy % sd"), "");
        assert_contains(text_at(table, row, "evidence"), row % 2 ? " f 0.001" : " f 0.0125");
    }
    pg_csv_close(&table);
}

/* A network at chance is useless, whatever the verdict on its signature. */
TEST(grounds_of_a_verdict_stand_in_every_table)
{
    make_run();
    static const struct {
        const char *attack, *options;
        double accuracy, useless, significant, decidable, works, stands;
        const char *verdict;
    } rows[] = {{"", "", 62, 0, 1, 1, 1, 1, "agrees"},
                {"prune", "levels=[1]", 50, 0, 1, 1, 0, 0, "does not work"},
                {"prune", "levels=[2]", 50, 0, 0, 1, 1, 0, "not significant"},
                {"prune", "levels=[3]", 10, 1, 1, 1, 1, 0, "useless"},
                {"prune", "levels=[4]", 50, 0, 1, 0, 0, 0, "not decidable"}};
    static pg_grid_task tasks[5];
    char nothing[] = "";
    pg_grid grid = {.options = {.name = "other"}, .count = 5, .tasks = tasks, .resolved = nothing};
    for (int i = 0; i < 5; i++) {
        pg_record r = {0};
        add(&r, "", "accuracy", rows[i].accuracy);
        add(&r, "", "useless", rows[i].useless);
        add(&r, "", "significant", rows[i].significant);
        add(&r, "", "decidable", rows[i].decidable);
        add(&r, "", "works", rows[i].works);
        add(&r, "", "agrees", rows[i].stands);
        save(i + 100, rows[i].attack, rows[i].options, &r);
        strcpy(tasks[i].key, key_of(i + 100));
        strcpy(tasks[i].name, "t");
    }
    OK(pg_rundir_describe(path_of("run"), &grid, &err));
    OK(pg_tables_render(path_of("run"), false, NULL, &err));
    pg_csv_table *table = open_table("run/tables/removal.csv");
    assert_int_equal(pg_csv_rows(table), 5);
    for (size_t i = 0; i < 5; i++) assert_string_equal(text_at(table, i, "verdict"), rows[i].verdict);
    pg_csv_close(&table);
    describe_run(SWEEP + 2);
    OK(pg_tables_render(path_of("run"), false, NULL, &err));
}

/* A claim of a made-up run: who makes it, and the judge's ruling. */
typedef struct made_claim {
    const char *outcome;
    double agrees, proves, proof_bits; /* proof_bits 0: free evidence */
} made_claim;

static void save_claims(int i, const char *attack, const made_claim *claims, int count)
{
    pg_record r = {0};
    for (int k = 0; k < count; k++) {
        add(&r, claims[k].outcome, "agrees", claims[k].agrees);
        add(&r, claims[k].outcome, "proves", claims[k].proves);
        if (claims[k].proof_bits > 0) add(&r, claims[k].outcome, "proof_bits", claims[k].proof_bits);
    }
    save(i, attack, "", &r);
}

/* Rows: schemes with free and with bound evidence; the owner, forgers, and thieves who changed the network. */
TEST(forgeries_stand_beside_free_and_bound_evidence)
{
    const made_claim owners[] = {{"", 1, 0, 0}, {"", 1, 1, 100}};
    const made_claim forged[2][3] = {{{"genuine", 1, 0, 0}, {"repeat=1", 1, 0, 0}, {"repeat=2", 0, 0, 0}},
                                     {{"genuine", 1, 1, 100}, {"repeat=1", 1, 0, 0}, {"repeat=2", 1, 0, 0}}};
    const made_claim thief[] = {{"", 1, 1, 96}, {"attacker", 1, 1, 90}}, pruned[] = {{"level=10", 1, 1, 95}};
    static const char *const expected[][6] = {{"free", "the owner's", "1", "0", "1", "agrees"},
                                              {"bound", "the owner's", "1", "1", "1", "proves"},
                                              {"free", "fake1", "0.5", "0", "2", "agrees: 1; not significant: 1"},
                                              {"bound", "fake1", "1", "0", "2", "agrees"},
                                              {"bound", "overwrite", "1", "1", "1", "proves"}};
    static const char *const columns[] = {"owner's evidence", "claim", "agrees", "proves", "n", "verdict"};
    OK(pg_rundir_make(path_of("run"), &err));
    for (int k = 0; k < 2; k++) save_claims(k, "", &owners[k], 1);
    for (int k = 0; k < 2; k++) save_claims(2 + k, "fake1", forged[k], 3);
    save_claims(4, "overwrite", thief, 2);
    save_claims(5, "prune", pruned, 1);
    describe_run(6);
    OK(pg_tables_render(path_of("run"), false, NULL, &err));
    pg_csv_table *table = open_table("run/tables/forgeries.csv");
    assert_int_equal(pg_csv_rows(table), 5);
    for (size_t row = 0; row < 5; row++)
        for (int c = 0; c < 6; c++) assert_string_equal(text_at(table, row, columns[c]), expected[row][c]);
    assert_string_equal(text_at(table, 4, "proof bits"), "90");
    pg_csv_close(&table);

    save_claims(1, "", &owners[0], 1); /* without bound evidence there is no such table */
    OK(pg_tables_render(path_of("run"), false, NULL, &err));
    assert_false(pg_file_exists(path_of("run/tables/forgeries.csv")));
}

/* In a terminal, a cell that was cut ends in a mark and a hash. */
TEST(long_cells_are_cut_with_a_mark)
{
    char one[512], other[512];
    for (int width = 16; width < 80; width++) {
        assert_string_equal(pg_shorten("short enough", width, one, sizeof one), "short enough");
        pg_shorten(long_options(0), width, one, sizeof one);
        pg_shorten(long_options(1), width, other, sizeof other);
        assert_string_not_equal(one, other);
        assert_contains(one, "\u2026");
        assert_int_equal(strlen(one), width + 2); /* the mark has three bytes */
    }
    pg_shorten("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3"
               "\xb6\xc3\xbc!!!",
               16, one, sizeof one);
    assert_int_equal(strncmp(one, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\u2026", 17), 0);
}

/* Any reader can tell trainings and controls apart. */
TEST(no_cell_of_the_full_table_is_empty)
{
    make_run();
    pg_csv_table *table = open_table("run/cells.csv");
    size_t attack = 0;
    OK(pg_csv_column(table, "attack", &attack, &err));
    assert_string_equal(pg_csv_cell(table, 0, attack), "-");
    assert_string_equal(pg_csv_cell(table, 3, attack), "unchanged");
    for (size_t row = 0; row < pg_csv_rows(table); row++)
        for (size_t c = 0; c < pg_csv_columns(table); c++) assert_true(pg_csv_cell(table, row, c)[0]);
    pg_csv_close(&table);
}

/* All other tables are written and printed. */
TEST(a_table_that_cannot_be_written_is_named)
{
    make_run();
    char *text = NULL;
    size_t bytes = 0;
    assert_int_equal(unlink(path_of("run/tables/schemes.csv")), 0);
    assert_int_equal(unlink(path_of("run/tables/ambiguity.csv")), 0);
    assert_int_equal(mkdir(path_of("run/tables/schemes.csv"), 0700), 0);
    FILE *stream = open_memstream(&text, &bytes);
    assert_int_equal(pg_tables_render(path_of("run"), false, stream, &err), PG_IO_FAULT);
    fclose(stream);
    assert_contains(err.message, "schemes.csv");
    assert_contains(text, "made: protected models");
    assert_contains(text, "made: genuine and forged evidence");
    free(text);
    assert_int_equal(rmdir(path_of("run/tables/schemes.csv")), 0);
    assert_true(pg_file_exists(path_of("run/tables/ambiguity.csv")));
    OK(pg_tables_render(path_of("run"), false, NULL, &err));
}

/* And the numbers of an earlier comparison are removed. */
TEST(missing_published_numbers_are_reported)
{
    make_run();
    char *text = NULL;
    size_t bytes = 0;
    OK(pg_file_write(path_of("run/tables/published.csv"), "old\n", 4, PG_FILE_PUBLIC, &err));
    assert_int_equal(setenv("PASSGRID_SHARE", "/nowhere/at/all", 1), 0);
    FILE *stream = open_memstream(&text, &bytes);
    OK(pg_tables_render(path_of("run"), false, stream, &err));
    fclose(stream);
    assert_int_equal(unsetenv("PASSGRID_SHARE"), 0);
    assert_non_null(
        strstr(text, "no comparison with published numbers, because they were not found: /nowhere/at/all/published"));
    assert_false(pg_file_exists(path_of("run/tables/published.csv")));
    free(text);
}

/* ---- records ---------------------------------------------------------------------------------------------------------- */

/* The checksum of the file is right, but this program never wrote such a record. */
TEST(a_record_with_a_wrong_member_is_refused)
{
    make_run();
    static const struct {
        const char *path, *json, *message; /* member of the record, its new value; NULL: it goes */
    } faults[] = {
        {"key", "\"0f\"", "the record of another task"},
        {"key", "7", "key: expected a text"},
        {"name", NULL, "name: expected a text"},
        {"labels", "[]", "labels: expected a map"},
        {"labels.attack", NULL, "attack: expected a text"},
        {"labels.training", "[1]", "training: expected a text"},
        {"labels.training", "{\"epochs\": {}}", "training: epochs: expected a value"},
        {"labels.parameters", "{\"levels\": [1, \"x\"]}", "parameters: levels: expected at most 32 numbers"},
        {"labels.parameters", "\"levels=[1, x]\"", "parameters: expected a number, got 'x'"},
        {"labels.seed", "\"1\"", "seed: expected a whole number"},
        {"labels.seed", "1.5", "seed: expected a whole number"},
        {"cells", "{}", "cells: expected a list"},
        {"cells", "[7]", "outcome: expected a text"},
        {"cells", "[{\"outcome\": \"\", \"metric\": \"m\", \"value\": \"1\", \"unit\": \"\"}]", "m: expected a number or null"},
        {"cells", "[{\"outcome\": \"\", \"metric\": \"m\", \"value\": 1}]", "unit: expected a text"},
        {"cells",
         "[{\"outcome\": \"a\", \"metric\": \"m\", \"value\": 1, \"unit\": \"\"}, "
         "{\"outcome\": \"a\", \"metric\": \"m\", \"value\": 2, \"unit\": \"\"}]",
         "m of 'a' appears twice"},
        {"notes", "[]", "notes: expected a map"},
        {"notes", "{\"a\": 1}", "a: expected a text"},
        {"files", "{\"models/a\": \"00\"}", "expected a task's file"},
        {"files", "{\"../a\": \"0000000000000000000000000000000000000000000000000000000000000001\"}", "expected a task's file"},
        {"files", "{\"/a\": \"0000000000000000000000000000000000000000000000000000000000000001\"}", "expected a task's file"}};
    char name[128];
    snprintf(name, sizeof name, "run/records/%s.json", key_of(0));
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        json_t *root = NULL, *value = faults[i].json ? json_loads(faults[i].json, JSON_DECODE_ANY, NULL) : NULL;
        OK(pg_json_read(path_of(name), &root, &err));
        const char *dot = strchr(faults[i].path, '.'), *member = dot ? dot + 1 : faults[i].path;
        json_t *map = dot ? json_object_get(root, "labels") : root;
        if (value)
            json_object_set_new(map, member, value);
        else
            json_object_del(map, member);
        json_object_del(root, "sha256");
        OK(pg_json_write(root, path_of("fault.json"), &err));
        pg_record record = {0};
        pg_parameter_pool pool = {0};
        pg_task_labels labels;
        assert_int_equal(load_record_file(path_of("fault.json"), key_of(0), &pool, &record, &labels, &err), PG_BAD_INPUT);
        if (!strstr(err.message, faults[i].message) || !strstr(err.message, "fault.json"))
            fail_msg("\"%s\" lacks \"%s\"", err.message, faults[i].message);
        pg_parameter_pool_clear(&pool);
    }
}

/* They are checked as strictly as those of a record. */
TEST(cells_of_a_checkpoint_are_read_back)
{
    static const double values[] = {0, -1, 1.0 / 3, 1e-300, 97.5};
    char *text = NULL, outcome[600];
    pg_record record = {0}, again = {0};
    memset(outcome, 'o', sizeof outcome - 1);
    outcome[sizeof outcome - 1] = 0;
    for (int i = 0; i < 5; i++) add(&record, i ? outcome : "", i % 2 ? "a" : "b", values[i]), outcome[i] = 'p';
    OK(pg_record_write_cells(&record, &text, &err));
    OK(pg_record_read_cells(text, strlen(text), "here", &again, &err));
    assert_int_equal(again.cell_count, 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(again.cells[i].outcome, record.cells[i].outcome);
        assert_string_equal(again.cells[i].metric, record.cells[i].metric);
        assert_true(again.cells[i].value >= values[i] && again.cells[i].value <= values[i]);
    }
    for (size_t length = 0; length < strlen(text); length++) {
        pg_record cut = {0};
        assert_int_equal(pg_record_read_cells(text, length, "here", &cut, &err), PG_BAD_INPUT);
        pg_record_clear(&cut);
    }
    pg_free(text);
    pg_record_clear(&record);
    pg_record_clear(&again);
}

/* ---- files in pieces -------------------------------------------------------------------------------------------------- */

static pg_status print_lines(FILE *stream, const void *context, pg_error *error)
{
    (void)error;
    for (int i = 0; i < 5000; i++) fprintf(stream, "%s %d\n", (const char *)context, i);
    return PG_OK;
}

static pg_status print_half(FILE *stream, const void *context, pg_error *error)
{
    fputs(context, stream);
    return pg_fail(error, PG_FAILED, "no more");
}

/* A file is not replaced if its bytes would be the same, or if printing fails. */
TEST(a_file_is_replaced_only_by_a_whole_other_one)
{
    char *text = NULL;
    size_t bytes = 0;
    struct stat before, after;
    OK(pg_file_print(path_of("printed"), print_lines, "one", PG_FILE_PUBLIC, &err));
    assert_int_equal(stat(path_of("printed"), &before), 0);
    OK(pg_file_print(path_of("printed"), print_lines, "one", PG_FILE_PUBLIC, &err));
    assert_int_equal(pg_file_print(path_of("printed"), print_half, "one 0\n", PG_FILE_PUBLIC, &err), PG_FAILED);
    assert_int_equal(stat(path_of("printed"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_size, after.st_size);
    OK(pg_file_print(path_of("printed"), print_lines, "two", PG_FILE_SECRET, &err));
    assert_int_equal(stat(path_of("printed"), &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
    assert_int_equal(after.st_mode & 0777, 0600);
    OK(pg_file_read(path_of("printed"), &text, &bytes, &err));
    assert_int_equal(strncmp(text, "two 0\ntwo 1\n", 12), 0);
    assert_string_equal(text + bytes - 9, "two 4999\n");
    pg_free(text);
    assert_int_equal(pg_file_print(path_of("."), print_lines, "one", PG_FILE_PUBLIC, &err), PG_IO_FAULT);
    assert_int_equal(pg_file_print("/dev/full", print_lines, "one", PG_FILE_PUBLIC, &err), PG_IO_FAULT);
}

/* ---- options and networks --------------------------------------------------------------------------------------------- */

TEST(a_quoted_value_may_look_like_options)
{
    static const char text[] = "a='it''s b=1' c=\"d=2 \\\" e=3\" layers=first 3 f='' g=[1, 2.5] h=0.10 i=-1e-07 j=true k='2'";
    static const double two[] = {1, 2.5};
    static const struct {
        const char *key;
        pg_value value;
    } wanted[] = {{"a", {.type = PG_VALUE_TEXT, .text = "it's b=1"}},
                  {"c", {.type = PG_VALUE_TEXT, .text = "d=2 \" e=3"}},
                  {"layers", {.type = PG_VALUE_TEXT, .text = "first 3"}},
                  {"f", {.type = PG_VALUE_TEXT, .text = ""}},
                  {"g", {.type = PG_VALUE_NUMBERS, .count = 2, .numbers = two}},
                  {"h", {.type = PG_VALUE_TEXT, .text = "0.10"}}, /* not how 0.1 is written */
                  {"i", {.type = PG_VALUE_NUMBER, .number = -1e-7}},
                  {"j", {.type = PG_VALUE_BOOL, .yes = true}},
                  {"k", {.type = PG_VALUE_TEXT, .text = "2"}}};
    enum { COUNT = sizeof wanted / sizeof *wanted };
    const pg_parameters *list = listed(text);
    assert_int_equal(list->count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        const pg_value *value = pg_parameters_find(list, wanted[i].key);
        assert_non_null(value);
        assert_int_equal(pg_value_compare(value, &wanted[i].value), 0);
    }
    assert_int_equal(listed("word")->items[0].value.type, PG_VALUE_NONE);
    assert_null(pg_parameters_find(list, "b"));
    assert_null(pg_parameters_find(list, "e"));
    assert_string_equal(list->text,
                        "a='it''s b=1' c='d=2 \" e=3' layers=first 3 f='' g=[1, 2.5] h='0.10' i=-1e-07 j=true k='2'");
    assert_ptr_equal(listed(list->text), list); /* what is written reads as the same */
    FAILS(pg_parameters_parse(&parameter_pool, "a=1 b=2 a=1", &list, &err), PG_BAD_INPUT, "'a' appears twice");
    FAILS(pg_parameters_parse(&parameter_pool, "a=[1, x]", &list, &err), PG_BAD_INPUT, "expected a number, got 'x'");
    forget_parameters();
}

TEST(a_trained_network_is_told_from_a_guessing_one)
{
    assert_true(pg_has_learnt(62, 10, 10000));
    assert_true(pg_has_learnt(20, 10, 10000));
    assert_false(pg_has_learnt(19.9, 10, 10000)); /* more than chance, by too little */
    assert_false(pg_has_learnt(10, 10, 10000));
    assert_false(pg_has_learnt(24, 10, 25)); /* by enough, of too few images */
    assert_true(pg_has_learnt(12, 1, 1000));
    assert_false(pg_has_learnt((double)NAN, 10, 1000));
    assert_false(pg_has_learnt(50, (double)NAN, 1000));
    assert_false(pg_has_learnt(50, 10, 0));
}

/* ---- figures ---------------------------------------------------------------------------------------------------------- */

static pg_result items[64];
static pg_results made = {.name = "made", .label = "made up", .items = items};

static void add_training(const char *data, const char *scheme, const char *parameters)
{
    pg_result *r = &items[made.count++];
    made.expected = made.count;
    r->labels = (pg_task_labels){.name = "t",
                                 .data = data,
                                 .network = "n",
                                 .norm = "bn",
                                 .scheme = scheme,
                                 .scheme_parameters = listed(parameters),
                                 .training = &pg_no_parameters,
                                 .attack = "",
                                 .parameters = &pg_no_parameters};
    for (int epoch = 2; epoch >= 1; epoch--) {
        char outcome[16];
        snprintf(outcome, sizeof outcome, "epoch=%d", epoch);
        add(&r->record, outcome, "accuracy_public", 10 * epoch);
        add(&r->record, outcome, "accuracy_private", 20 * epoch);
    }
}

static void write_figures(pg_figures *written)
{
    pg_summary summary = {0};
    OK(pg_summary_open(&summary, &made, &err));
    OK(pg_figures_write(&summary, NULL, written, &err));
    pg_summary_close(&summary);
    for (int i = 0; i < made.count; i++) pg_record_clear(&items[i].record);
    made.count = 0;
    forget_parameters();
}

/* Two places whose names differ only in characters that file names cannot have, and one whose name is too long. */
TEST(every_figure_has_a_file_name_of_its_own)
{
    char long_name[512], path[PG_PATH_MAX];
    pg_figures written = {.directory = path_of("names")};
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    snprintf(path, sizeof path, "%s", path_of("names"));
    written.directory = path;
    add_training("a b", "v1", "");
    add_training("a+b", "v1", "");
    add_training("A b", "v1", "");
    add_training(long_name, "v1", "");
    write_figures(&written);
    assert_int_equal(written.count, 4);
    assert_string_equal(written.names[0], "learning-a-b-n-bn");
    for (int i = 0; i < written.count; i++) {
        char name[512];
        snprintf(name, sizeof name, "names/figures/%s.gp", written.names[i]);
        assert_true(pg_file_exists(path_of(name)));
        assert_true(strlen(written.names[i]) < 220);
        for (int k = 0; k < i; k++) assert_int_not_equal(strcasecmp(written.names[i], written.names[k]), 0);
    }
    pg_figures_clear(&written);
}

/* Public and private branches of many schemes: every line is complete, and no two lines of a figure look alike. */
TEST(many_series_are_spread_over_figures)
{
    static char parameters[30][32];
    char path[PG_PATH_MAX], name[256];
    int lines = 0;
    snprintf(path, sizeof path, "%s", path_of("many"));
    pg_figures written = {.directory = path};
    for (int i = 0; i < 30; i++) {
        snprintf(parameters[i], sizeof parameters[i], "layers=%d", i);
        add_training("d", "v2", parameters[i]);
    }
    write_figures(&written);
    assert_int_equal(written.count, 5); /* of 60 series, 12 each */
    for (int f = 0; f < written.count; f++) {
        snprintf(name, sizeof name, "learning-n-bn-part%d", f + 1);
        assert_string_equal(written.names[f], name);
        snprintf(name, sizeof name, "many/figures/%s.csv", written.names[f]);
        pg_csv_table *table = open_table(name);
        const int rows = (int)pg_csv_rows(table);
        assert_int_equal(rows, 2 * 12);
        for (int row = 0; row < rows; row++) {
            lines += row % 2 == 0;
            assert_int_equal(atoi(text_at(table, (size_t)row, "line")), lines);
            assert_int_equal(atoi(text_at(table, (size_t)row, "epoch")), row % 2 + 1);
        }
        pg_csv_close(&table);
    }
    assert_int_equal(lines, 60);
    pg_figures_clear(&written);
}
