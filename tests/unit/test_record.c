/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of records, and the tables made from them. */
#include "core/base/memory.h"
#include "core/formats/csv.h"
#include "core/formats/json_file.h"
#include "experiments/report/table_internal.h"
#include "experiments/report/tables.h"
#include "tests/unit/record_file.h"
#include "tests/unit/test.h"
#include "tests/unit/values.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static void write_text(const char *name, const char *text)
{
    OK(pg_file_write(path_of(name), text, strlen(text), PG_FILE_PUBLIC, &err));
}

static const char *key_of(int i)
{
    static char key[PG_SHA256_HEX];
    snprintf(key, sizeof key, "%064x", i + 1);
    return key;
}

static void add(pg_record *record, const char *outcome, const char *metric, double value)
{
    OK(pg_record_add(record, outcome, metric, value, "%", &err));
}

TEST(a_record_is_read_back_as_it_was_written)
{
    static const double values[] = {0, -3, 0.1, 1.0 / 3, 1e-300, 1e300, 123456789.25, NAN, INFINITY};
    enum { COUNT = sizeof values / sizeof *values };
    char text[] = "{some: \"task\"}", metric[16];
    pg_task task = {.public_text = text};
    pg_parameter_pool pool = {0};
    pg_task_labels labels = {.name = "a/b",
                             .data = "d",
                             .network = "n",
                             .norm = "bn",
                             .scheme = "v1",
                             .scheme_parameters = listed("signature=\"\xc3\xa4\" n=1 b=true l=[1, 0.5] t='1'"),
                             .training = &pg_no_parameters,
                             .attack = "",
                             .parameters = &pg_no_parameters,
                             .seed = 7},
                   back;
    pg_record record = {0}, again = {0};
    strcpy(task.key, key_of(0));
    for (int i = 0; i < COUNT; i++) {
        snprintf(metric, sizeof metric, "m%d", i);
        add(&record, i % 2 ? "level=10" : "", metric, values[i]);
    }
    OK(pg_record_note(&record, "note", "of \"words\"", &err));
    OK(pg_record_file(&record, "models/x.safetensors", key_of(0), &err));
    OK(pg_record_file(&record, "evidence/x.safetensors", key_of(1), &err));
    OK(pg_record_save(&record, &task, &labels, path_of("r.json"), &err));
    OK(load_record_file(path_of("r.json"), task.key, &pool, &again, &back, &err));
    assert_string_equal(back.name, "a/b");
    assert_string_equal(back.scheme_parameters->text, labels.scheme_parameters->text);
    assert_int_equal(back.seed, 7);
    assert_int_equal(again.cell_count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_string_equal(again.cells[i].outcome, i % 2 ? "level=10" : "");
        if (isfinite(values[i]))
            assert_true(again.cells[i].value >= values[i] && again.cells[i].value <= values[i]);
        else
            assert_true(isnan(again.cells[i].value));
    }
    assert_string_equal(again.notes[0].text, "of \"words\"");
    assert_int_equal(again.file_count, 2);
    assert_string_equal(again.files[1].path, "evidence/x.safetensors");
    assert_string_equal(again.files[1].sha256, key_of(1));
    forget_parameters();
    pg_parameter_pool_clear(&pool);
    pg_record_clear(&record);
    pg_record_clear(&again);
}

/* Version 1 wrote parameters as text. */
TEST(parameters_as_text_are_read)
{
    static const char *const keys[] = {"scheme_parameters", "training", "parameters"};
    static const char *const texts[] = {"signature='sha256:0f' layers=first 3", "epochs=2 lr=0.010 steps=[1, 2] crop=true", ""};
    char text[] = "{}";
    pg_task task = {.public_text = text};
    pg_parameter_pool pool = {0};
    pg_task_labels labels = {.name = "a", .data = "d", .network = "n", .norm = "bn", .scheme = "v1", .attack = ""}, back;
    pg_record record = {0};
    json_t *root = NULL;
    strcpy(task.key, key_of(0));
    labels.scheme_parameters = labels.training = labels.parameters = listed("a=1");
    OK(pg_record_save(&record, &task, &labels, path_of("old.json"), &err));
    OK(pg_json_read(path_of("old.json"), &root, &err));
    json_object_del(root, "sha256");
    json_object_set_new(root, "format", json_integer(1));
    for (int i = 0; i < 3; i++) json_object_set_new(json_object_get(root, "labels"), keys[i], json_string(texts[i]));
    OK(pg_json_write(root, path_of("old.json"), &err));
    OK(load_record_file(path_of("old.json"), key_of(0), &pool, &record, &back, &err));
    assert_ptr_equal(listed(back.scheme_parameters->text), listed(texts[0]));
    assert_string_equal(back.training->text, "epochs=2 lr='0.010' steps=[1, 2] crop=true");
    assert_int_equal(back.training->items[2].value.count, 2);
    assert_int_equal(back.parameters->count, 0);
    pg_parameter_pool_clear(&pool);
    forget_parameters();
}

TEST(a_bad_record_is_refused)
{
    static const char *const texts[] = {"", "{", "[1]", "{\"format\": 3}", "{\"format\": 1, \"format\": 1}", "\xff"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        pg_record record = {0};
        pg_parameter_pool kept = {0};
        pg_task_labels labels;
        write_text("bad.json", texts[i]);
        assert_int_equal(load_record_file(path_of("bad.json"), key_of(0), &kept, &record, &labels, &err), PG_BAD_INPUT);
        pg_parameter_pool_clear(&kept);
        assert_contains(err.message, "bad.json");
        assert_null(strchr(err.message, '\n'));
    }
}

/* Tables and terminals show them as \xNN. */
TEST(texts_are_shown_without_control_characters)
{
    char text[] = "{some: \"task\"}", reason[64];
    pg_task task = {.public_text = text};
    pg_parameter_pool pool = {0};
    pg_task_labels labels = {.name = "a",
                             .data = "d\n| stands |",
                             .network = "\x1b[32mn",
                             .norm = "bn",
                             .scheme = "v1",
                             .scheme_parameters = &pg_no_parameters,
                             .training = &pg_no_parameters,
                             .attack = "",
                             .parameters = &pg_no_parameters};
    pg_record record = {0}, back = {0};
    strcpy(task.key, key_of(0));
    add(&record, "level\r=1", "accuracy", 1);
    OK(pg_record_save(&record, &task, &labels, path_of("hostile"), &err));
    OK(load_record_file(path_of("hostile"), key_of(0), &pool, &back, &labels, &err));
    assert_string_equal(labels.data, "d\\x0a| stands |");
    assert_string_equal(labels.network, "\\x1b[32mn");
    assert_string_equal(back.cells[0].outcome, "level\\x0d=1");
    OK(pg_failure_save(key_of(0), "a", "{}", "lost\n\x1b[2J", path_of("hostile"), &err));
    OK(pg_failure_load(path_of("hostile"), reason, sizeof reason, &err));
    assert_string_equal(reason, "lost\\x0a\\x1b[2J");
    unlink(path_of("hostile"));
    pg_record_clear(&record);
    pg_record_clear(&back);
    pg_parameter_pool_clear(&pool);
}

TEST(the_reason_of_a_failure_is_kept)
{
    char reason[64];
    OK(pg_failure_save(key_of(1), "n", "t", "the loss is not finite", path_of("f.json"), &err));
    OK(pg_failure_load(path_of("f.json"), reason, sizeof reason, &err));
    assert_string_equal(reason, "the loss is not finite");
}

/* No byte of a record can be changed, added or lost. */
TEST(no_byte_can_change_unseen)
{
    char *text = NULL, path[256];
    size_t bytes = 0;
    json_t *root = NULL;
    OK(pg_failure_save(key_of(1), "n", "t", "a reason", path_of("f.json"), &err));
    OK(pg_file_read(path_of("f.json"), &text, &bytes, &err));
    strcpy(path, path_of("changed.json"));
    assert_true(pg_json_sealed(text, bytes));
    for (size_t i = 0; i < bytes; i++) {
        text[i] ^= 1 << i % 8;
        assert_false(pg_json_sealed(text, bytes));
        OK(pg_file_write(path, text, bytes, PG_FILE_PUBLIC, &err));
        FAILS(pg_json_read(path, &root, &err), PG_BAD_INPUT, "changed.json");
        text[i] ^= 1 << i % 8;
    }
    for (size_t length = 0; length <= bytes + 1; length++) assert_int_equal(pg_json_sealed(text, length), length == bytes);
    pg_free(text);
}

TEST(a_table_shows_means_spreads_and_shares)
{
    pg_table table = {.title = "title", .label = "label"};
    char *text = NULL;
    size_t bytes = 0;
    int row;
    OK(pg_table_column(&table, "who", PG_COLUMN_TEXT, &err));
    OK(pg_table_column(&table, "mean", PG_COLUMN_MEAN, &err));
    OK(pg_table_column(&table, "empty", PG_COLUMN_MEAN, &err));
    OK(pg_table_column(&table, "p", PG_COLUMN_LARGEST, &err));
    OK(pg_table_column(&table, "stands", PG_COLUMN_SHARE, &err));
    assert_int_equal(pg_table_column(&table, "p", PG_COLUMN_TEXT, NULL), PG_FAILED);
    assert_int_equal(pg_table_row(&table, &row, NULL, "%d", 7), PG_OK);
    OK(pg_table_put(&table, row, 0, (const char *const[]){"\xc3\xa4rger", NULL}, &err));
    for (int i = 0; i < 3; i++) {
        OK(pg_sample_add(&pg_table_at(&table, row, 1)->sample, 1 + i, &err));
        OK(pg_sample_add(&pg_table_at(&table, row, 3)->sample, 1e-9 * (1 + i), &err));
        OK(pg_sample_add(&pg_table_at(&table, row, 4)->sample, i != 1, &err));
    }
    assert_int_equal(pg_table_row(&table, &row, NULL, "%d", 8), PG_OK);
    OK(pg_table_put(&table, row, 0, (const char *const[]){"b", NULL}, &err));
    OK(pg_sample_add(&pg_table_at(&table, row, 1)->sample, 62.125, &err));
    OK(pg_sample_add(&pg_table_at(&table, row, 1)->sample, NAN, &err));
    FILE *stream = fopen(path_of("table.txt"), "w");
    OK(pg_table_print(&table, stream, &err));
    fclose(stream);
    OK(pg_file_read(path_of("table.txt"), &text, &bytes, &err));
    assert_string_equal(text, "title\n[label]\n"
                              "  who             mean        p  stands\n"
                              "  \xc3\xa4rger    2.00 \xc2\xb1 1.00  3.0e-09     2/3\n"
                              "         [-0.48, 4.48]\n"
                              "  b              62.12        -       -\n");
    pg_free(text);
    OK(pg_table_write_csv(&table, path_of("table.csv"), &err));
    OK(pg_file_read(path_of("table.csv"), &text, &bytes, &err));
    assert_string_equal(
        text, "who,mean,mean sd,mean n,mean low,mean high,empty,empty sd,empty n,empty low,empty high,p,stands,label\n"
              "\xc3\xa4rger,2,1,3,-0.48413771175033027,4.48413771175033,,,0,,,3.0000000000000004e-09,0.6666666666666666,label\n"
              "b,62.125,,1,,,,,0,,,,,label\n");
    pg_free(text);
    table.counts = true;
    table.label = "a|b";
    OK(pg_table_write_markdown(&table, path_of("table.md"), &err));
    OK(pg_file_read(path_of("table.md"), &text, &bytes, &err));
    assert_string_equal(text, "## title\n\na\\|b\n\n"
                              "| who | mean | p | stands |\n"
                              "|---|---:|---:|---:|\n"
                              "| \xc3\xa4rger | 2.00 \xc2\xb1 1.00 (n=3) [-0.48, 4.48] | 3.0e-09 | 2/3 |\n"
                              "| b | 62.12 (n=1) | - | - |\n");
    pg_free(text);
    pg_table_clear(&table);
}

TEST(the_interval_of_a_percentage_stays_between_0_and_100)
{
    static const struct {
        const char *quantity, *column;
        double low, high;
    } cases[] = {{"-", "accuracy %", 0, 100}, {"signature %", "before", 0, 100}, {"cost", "before", -110.0884, 176.7551}};
    for (int i = 0; i < 3; i++) {
        pg_table table = {0};
        double low, high;
        int row;
        OK(pg_table_column(&table, "quantity", PG_COLUMN_TEXT, &err));
        OK(pg_table_column(&table, cases[i].column, PG_COLUMN_MEAN, &err));
        OK(pg_table_row(&table, &row, &err, "%d", i));
        OK(pg_table_put(&table, row, 0, (const char *const[]){cases[i].quantity, NULL}, &err));
        for (int k = 0; k < 3; k++) OK(pg_sample_add(&pg_table_at(&table, row, 1)->sample, (double[]){0, 0, 100}[k], &err));
        pg_table_interval(&table, row, 1, &low, &high);
        assert_true(fabs(low - cases[i].low) < 1e-3);
        assert_true(fabs(high - cases[i].high) < 1e-3);
        pg_table_clear(&table);
    }
}

TEST(the_first_of_two_names_becomes_a_heading_if_a_value_would_not_fit_beside_two)
{
    static const struct {
        const char *column;
        int headings;
    } cases[] = {{"a value that still fits beside two", 0}, {"a value that no longer fits beside two", 1}};
    for (int i = 0; i < 2; i++) {
        pg_table table = {0};
        pg_table_layout layout = {0};
        int row;
        OK(pg_table_column(&table, "scheme", PG_COLUMN_TEXT, &err));
        OK(pg_table_column(&table, "quantity", PG_COLUMN_TEXT, &err));
        OK(pg_table_column(&table, cases[i].column, PG_COLUMN_MEAN, &err));
        OK(pg_table_column(&table, "another value", PG_COLUMN_MEAN, &err));
        OK(pg_table_row(&table, &row, &err, "%d", i));
        OK(pg_table_put(&table, row, 0, (const char *const[]){"a scheme, with several options", "accuracy %", NULL}, &err));
        for (int c = 2; c < 4; c++) OK(pg_sample_add(&pg_table_at(&table, row, c)->sample, 1, &err));
        OK(pg_table_lay_out(&table, pg_table_widest(80), &layout, &err));
        assert_int_equal(pg_table_parts_of(&table, &layout, 80).headings, cases[i].headings);
        pg_table_layout_clear(&layout);
        pg_table_clear(&table);
    }
}

/* ---- tables of a made-up run ---- */

static void save(int i, const char *scheme, const char *parameters, const char *attack, const char *attack_parameters, int seed,
                 pg_record *record)
{
    char text[] = "{}", name[128];
    pg_task task = {.public_text = text};
    pg_task_labels labels = {.data = "d", .network = "n", .norm = "bn", .seed = (uint64_t)seed};
    strcpy(task.key, key_of(i));
    labels.name = name;
    labels.scheme = scheme;
    labels.scheme_parameters = listed(parameters);
    labels.training = listed("epochs=2 steps=[1, 2]");
    labels.attack = attack;
    labels.parameters = listed(attack_parameters);
    snprintf(name, sizeof name, "run/records/%s.json", task.key);
    OK(pg_record_save(record, &task, &labels, path_of(name), &err));
    pg_record_clear(record);
    forget_parameters();
}

/* Two seeds of two variants of v1, each pruned and forged. */
static int make_run(void)
{
    int i = 0;
    for (int seed = 1; seed <= 2; seed++)
        for (int v = 0; v < 2; v++) {
            pg_record r = {0};
            const char *parameters = v ? "passport=image signature=\"a b=c\"" : "passport=shuffle signature=\"a b=c\"";
            add(&r, "", "accuracy", 60 + 10 * v + seed);
            add(&r, "", "accuracy_claimed", 60 + 10 * v + seed);
            add(&r, "", "bits", 96);
            add(&r, "", "detection", 100);
            add(&r, "", "p_value", seed * 1e-9);
            add(&r, "", "stands", 1);
            add(&r, "epoch=1", "accuracy_private", 5);
            save(i++, "v1", parameters, "", "", seed, &r);
            add(&r, "level=10", "accuracy", 50);
            add(&r, "level=90", "accuracy", 10 + v);
            add(&r, "level=90", "detection", 55);
            save(i++, "v1", parameters, "prune", "levels=[10, 90]", seed, &r);
            add(&r, "genuine", "stands", 1);
            add(&r, "genuine", "accuracy_claimed", 99);
            for (int k = 1; k <= 2; k++) {
                char outcome[32];
                snprintf(outcome, sizeof outcome, "repeat=%d", k);
                add(&r, outcome, "accuracy_claimed", 10 * k);
                add(&r, outcome, "detection", 50);
                add(&r, outcome, "p_value", 0.1 * k);
                add(&r, outcome, "stands", 0);
            }
            save(i++, "v1", parameters, "fake1", "repeats=2", seed, &r);
        }
    return i;
}

static void describe_run(int count)
{
    static pg_grid_task tasks[32];
    char nothing[] = "";
    pg_grid grid = {.options = {.name = "made", .label = "made up"}, .count = count, .tasks = tasks, .resolved = nothing};
    for (int i = 0; i < count; i++) {
        memcpy(tasks[i].key, key_of(i), sizeof tasks[i].key);
        strcpy(tasks[i].name, "t");
    }
    OK(pg_rundir_describe(path_of("run"), &grid, &err));
}

static double number_at(const char *file, size_t row, const char *column)
{
    char path[128];
    pg_csv_table *table = NULL;
    size_t c = 0;
    double value = NAN;
    snprintf(path, sizeof path, "run/tables/%s.csv", file);
    OK(pg_csv_read(path_of(path), &table, &err));
    OK(pg_csv_column(table, column, &c, &err));
    OK(pg_csv_number(table, row, c, &value, &err));
    pg_csv_close(&table);
    return value;
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * fabs(b))) fail_msg("%.17g is not %.17g", a, b);
}

TEST(tables_are_made_from_the_records_of_a_run)
{
    OK(pg_rundir_make(path_of("run"), &err));
    const int count = make_run();
    describe_run(count + 1);
    FAILS(pg_tables_render(path_of("run"), false, NULL, &err), PG_BAD_INPUT, "1 of 13 tasks have no result");
    describe_run(count);
    OK(pg_tables_render(path_of("run"), false, NULL, &err));
    /* rows: the two variants, told apart by the option whose value differs */
    assert_near(number_at("schemes", 0, "accuracy %"), 61.5);
    assert_near(number_at("schemes", 1, "accuracy % sd"), sqrt(0.5));
    assert_near(number_at("schemes", 1, "p-value at most"), 2e-9);
    assert_near(number_at("schemes", 1, "agrees"), 1);
    assert_near(number_at("schemes", 1, "n"), 2);
    /* before, level 10, level 90, for each variant */
    assert_near(number_at("removal", 0, "accuracy %"), 61.5);
    assert_near(number_at("removal", 5, "accuracy %"), 11);
    assert_near(number_at("removal", 5, "signature %"), 55);
    /* genuine and fake1 for each variant */
    assert_near(number_at("ambiguity", 0, "accuracy %"), 61.5);
    assert_near(number_at("ambiguity", 1, "accuracy %"), 15);
    assert_near(number_at("ambiguity", 1, "accuracy % n"), 4);
    assert_near(number_at("ambiguity", 1, "smallest p-value"), 0.1);
    assert_near(number_at("ambiguity", 1, "agrees"), 0);
}
