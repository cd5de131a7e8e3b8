/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of text: YAML, assignments, grids, tasks, tables, and the line that names a process. */
#include "tests/fuzz/fuzz.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/csv.h"
#include "core/formats/yaml.h"
#include "experiments/grid/estimate.h"
#include "experiments/grid/grid.h"
#include "experiments/grid/inputs.h"
#include "experiments/report/published.h"
#include "experiments/run/process.h"
#include "experiments/run/status.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Use the files of a pattern, relative to the current folder, as seeds. Their names begin with prefix. */
static void seed_files(const char *prefix, const char *pattern)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0) return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, strrchr(found.gl_pathv[i], '/') + 1);
        fuzz_seed_copy(name, found.gl_pathv[i]);
    }
    globfree(&found);
}

static void print_keys(FILE *out, const pg_option *table)
{
    for (; table && table->key; table++) {
        fprintf(out, "\"%s: \"\n", table->key);
        for (int i = 0; table->choices && table->choices[i]; i++) fprintf(out, "\"%s\"\n", table->choices[i]);
    }
}

/* Every key and choice that a grid may have. */
static void print_words(FILE *out)
{
    static const pg_option *const tables[] = {pg_grid_table,   pg_data_table,  pg_network_table,
                                              pg_preset_table, pg_train_table, pg_verify_table};
    static const char *const sections[] = {"data", "networks", "train", "schemes", "attacks", "verify", "profiles", "after"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) print_keys(out, tables[i]);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) fprintf(out, "\"%s: \"\n", sections[i]);
    for (int i = 0; pg_schemes[i]; i++) fprintf(out, "\"%s\"\n", pg_schemes[i]->name), print_keys(out, pg_schemes[i]->options);
    for (int i = 0; pg_attacks[i]; i++) fprintf(out, "\"%s\"\n", pg_attacks[i]->name), print_keys(out, pg_attacks[i]->options);
    for (int i = 0; pg_archs[i]; i++) fprintf(out, "\"%s\"\n", pg_archs[i]->name);
}

/* ---- YAML ---- */

static char *emit(const pg_tree *tree, pg_yaml_style style)
{
    char *text = NULL;
    FUZZ_MUST(pg_yaml_emit(tree->root, style, &text, &fuzz_error));
    return text;
}

/* Write the tree, read and write it again, and compare the texts. */
static void check_emit(const pg_tree *tree, pg_yaml_style style)
{
    pg_tree *again = NULL;
    char *text = emit(tree, style);
    FUZZ_MUST(pg_yaml_parse_text(text, "emitted", &again, &fuzz_error));
    char *second = emit(again, style);
    FUZZ_CHECK(strcmp(text, second) == 0, "%s\n%s", text, second);
    pg_free(text);
    pg_free(second);
    pg_tree_destroy(&again);
}

static pg_status read_yaml(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_tree *tree = NULL;
    const pg_status status = pg_yaml_parse_file(fuzz_file("x.yaml", data, bytes), &tree, err);
    if (status != PG_OK) return status;
    check_emit(tree, PG_YAML_BLOCK);
    check_emit(tree, PG_YAML_FLOW);
    pg_tree_destroy(&tree);
    return PG_OK;
}

static void seed_yaml(void)
{
    seed_files("", "configs/*.yaml");
    seed_files("refused-", "tests/bad/*.yaml");
}

const fuzz_target fuzz_yaml = {.name = "yaml", .most = 4096, .seed = seed_yaml, .read = read_yaml};

/* ---- assignments, one a line, to one tree; a failed one leaves it unchanged ---- */

static pg_status read_set(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    char *text = fuzz_text(data, bytes), *rest = text;
    FUZZ_MUST(pg_yaml_parse_text("{a: 1, b: [x, {c: 2}], d: {e: [], f: {}, g: null}}", "tree", &tree, &fuzz_error));
    for (char *line; status == PG_OK && (line = strsep(&rest, "\n"));) {
        char *before = emit(tree, PG_YAML_FLOW);
        status = pg_yaml_set(tree, line, err);
        char *after = emit(tree, PG_YAML_FLOW);
        FUZZ_CHECK(status == PG_OK || strcmp(before, after) == 0, "%s\n%s", before, after);
        pg_free(before);
        pg_free(after);
    }
    check_emit(tree, PG_YAML_FLOW);
    pg_tree_destroy(&tree);
    free(text);
    return status;
}

static void seed_set(void)
{
    static const char *const seeds[] = {"a=2", "b.1.c=[3, 4]\nb.1.c.0=x", "d.g.h.i={j: 1e-5}\nd.f=", "k=\"text: #1\"\nk=~"};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        char name[16];
        snprintf(name, sizeof name, "%zu", i);
        fuzz_seed_bytes(name, seeds[i], strlen(seeds[i]));
    }
}

const fuzz_target fuzz_set = {.name = "set", .most = 512, .seed = seed_set, .words = print_words, .read = read_set};

/* ---- grids ---- */

static void prepare_grid(void)
{
    pg_input facts;
    pg_inputs_assume();
    FUZZ_MUST(pg_input_find("synthetic", &(pg_picture_set){.path = ""}, NULL, &facts, &fuzz_error));
}

static void check_same_grid(const pg_grid *a, const pg_grid *b)
{
    FUZZ_CHECK(strcmp(a->resolved, b->resolved) == 0, "%s\n%s", a->resolved, b->resolved);
    FUZZ_CHECK(a->count == b->count, "%d %d", a->count, b->count);
    for (int i = 0; i < a->count; i++) {
        FUZZ_CHECK(strcmp(a->tasks[i].key, b->tasks[i].key) == 0, "task %d", i);
        FUZZ_CHECK(pg_grid_find(a, a->tasks[i].key) == i, "task %d", i);
    }
}

/* The written grid has only the commitment of a secret, so it cannot be read back without the secret. */
static bool has_secret(const pg_grid *grid)
{
    return strstr(grid->resolved, "sha256:") != NULL;
}

static pg_status read_grid(const uint8_t *data, size_t bytes, pg_error *err)
{
    static pg_problems problems;
    pg_grid *grid = NULL, *again = NULL;
    problems.count = 0;
    const pg_status status = pg_grid_read(fuzz_file("grid.yaml", data, bytes), NULL, 0, NULL, &grid, &problems, err);
    if (status != PG_OK && problems.count) return pg_problems_status(&problems, "grid.yaml", err);
    if (status != PG_OK) return status;
    if (!has_secret(grid)) {
        const char *path = fuzz_file("again.yaml", grid->resolved, strlen(grid->resolved));
        FUZZ_MUST(pg_grid_read(path, NULL, 0, NULL, &again, &problems, &fuzz_error));
        check_same_grid(grid, again);
    }
    pg_grid_destroy(&grid);
    pg_grid_destroy(&again);
    return PG_OK;
}

static const char small_grid[] = "data: {name: synthetic, train: 40, test: 20}\n"
                                 "networks: [{arch: alexnet, norm: [bn, gn], width: 0.0625}]\n"
                                 "train: {epochs: 1, batch: 20, steps: [1]}\n"
                                 "schemes: [{scheme: v1, passport: random}, {scheme: uchida, bits: [8, 16]}]\n"
                                 "attacks: [{attack: prune, levels: [10, 50]}, {attack: finetune, epochs: 1, batch: 20}]\n"
                                 "profiles: {laptop: {train: {epochs: 2}}}\nprofile: laptop\n";

static void seed_grid(void)
{
    seed_files("", "configs/*.yaml");
    fuzz_seed_bytes("small.yaml", small_grid, sizeof small_grid - 1);
}

const fuzz_target fuzz_grid = {
    .name = "grid", .most = 4096, .prepare = prepare_grid, .seed = seed_grid, .words = print_words, .read = read_grid};

/* ---- tasks: the texts that workers receive ---- */

static pg_status read_task(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_task task;
    pg_task_labels labels;
    pg_parameter_pool pool = {0};
    char *text = fuzz_text(data, bytes);
    const pg_status status = pg_task_parse(text, &task, err);
    if (status == PG_OK) {
        FUZZ_CHECK(strcmp(task.text, text) == 0, "%s\n%s", task.text, text);
        FUZZ_MUST(pg_task_describe(&task, &pool, &labels, &fuzz_error));
        pg_parameter_pool_clear(&pool);
        pg_task_clear(&task);
    }
    free(text);
    return status;
}

/* Use up to a hundred tasks of every configuration. */
static void seed_task(void)
{
    static pg_problems problems;
    glob_t found;
    FUZZ_CHECK(glob("configs/*.yaml", 0, NULL, &found) == 0, "configs");
    for (size_t f = 0, count = 0; f < found.gl_pathc; f++) {
        pg_grid *grid = NULL;
        FUZZ_MUST(pg_grid_read(found.gl_pathv[f], NULL, 0, NULL, &grid, &problems, &fuzz_error));
        const int step = grid->count / 12 + 1;
        for (int i = 0; i < grid->count && count < 100; i += step, count++)
            fuzz_seed_bytes(grid->tasks[i].key, grid->tasks[i].text, strlen(grid->tasks[i].text));
        pg_grid_destroy(&grid);
    }
    globfree(&found);
}

const fuzz_target fuzz_task = {
    .name = "task", .most = 4096, .prepare = prepare_grid, .seed = seed_task, .words = print_words, .read = read_task};

/* ---- tables ---- */

/* Write the table, read it again and compare. */
static void check_csv(const pg_csv_table *table)
{
    pg_csv_writer writer = {0};
    pg_csv_table *again = NULL;
    char *text = NULL;
    size_t bytes;
    const size_t rows = pg_csv_rows(table), columns = pg_csv_columns(table);
    FUZZ_MUST(pg_csv_start(&writer, &fuzz_error));
    for (size_t c = 0; c < columns; c++) pg_csv_text(&writer, pg_csv_name(table, c));
    pg_csv_end_row(&writer);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) pg_csv_text(&writer, pg_csv_cell(table, r, c));
        pg_csv_end_row(&writer);
    }
    FUZZ_MUST(pg_csv_finish(&writer, &text, &bytes, &fuzz_error));
    FUZZ_MUST(pg_csv_read(fuzz_file("again.csv", text, bytes), &again, &fuzz_error));
    FUZZ_CHECK(pg_csv_rows(again) == rows && pg_csv_columns(again) == columns, "%s", text);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            double value;
            FUZZ_CHECK(strcmp(pg_csv_cell(table, r, c), pg_csv_cell(again, r, c)) == 0, "row %zu", r);
            (void)!pg_csv_number(table, r, c, &value, NULL);
        }
    pg_csv_close(&again);
    pg_free(text);
}

static pg_status read_csv(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_csv_table *table = NULL;
    const pg_status status = pg_csv_read(fuzz_file("x.csv", data, bytes), &table, err);
    if (status != PG_OK) return status;
    check_csv(table);
    pg_csv_close(&table);
    return PG_OK;
}

static void seed_csv(void)
{
    static const char quoted[] = "a,\"b, c\",d\n1,\"x\"\"y\n\",nan\n-0.5,,1e-4\n";
    fuzz_seed_bytes("quoted.csv", quoted, sizeof quoted - 1);
    seed_files("", "results/published/*.csv");
    seed_files("", "results/example/*.csv");
}

const fuzz_target fuzz_csv = {.name = "csv", .most = 4096, .seed = seed_csv, .read = read_csv};

/* checks.csv and one file of numbers. */
static const char *const published_names[] = {"published/checks.csv", "published/runs.csv", NULL};

static void prepare_published(void)
{
    FUZZ_MUST(pg_make_directories(fuzz_path("published"), &fuzz_error));
}

static pg_status read_published(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_published *published = NULL;
    fuzz_parts(data, bytes, published_names);
    const pg_status status = pg_published_read(fuzz_path("published"), &published, err);
    pg_published_destroy(&published);
    return status;
}

static void seed_published(void)
{
    static const char *const numbers[] = {"arithmetic", "passports", "substitution", "runs"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char path[64];
        snprintf(path, sizeof path, "results/published/%s.csv", numbers[i]);
        fuzz_seed_parts(numbers[i], (const char *const[]){"results/published/checks.csv", path, NULL});
    }
}

const fuzz_target fuzz_published = {
    .name = "published", .most = 16384, .prepare = prepare_published, .seed = seed_published, .read = read_published};

/* timings.csv and the estimates from it. */
static pg_grid *timed_grid;

static void prepare_timings(void)
{
    static pg_problems problems;
    if (timed_grid) return;
    prepare_grid();
    FUZZ_MUST(pg_grid_read(fuzz_file("timed.yaml", small_grid, sizeof small_grid - 1), NULL, 0, NULL, &timed_grid, &problems,
                           &fuzz_error));
    FUZZ_MUST(pg_make_directories(fuzz_path("timed"), &fuzz_error));
}

static pg_status read_timings(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_timed timed;
    double *seconds = calloc((size_t)timed_grid->count, sizeof *seconds);
    fuzz_file("timed/timings.csv", data, bytes);
    const pg_status status = pg_estimate_seconds(fuzz_path("timed"), timed_grid, seconds, &timed, err);
    for (int i = 0; status == PG_OK && i < timed_grid->count; i++) FUZZ_CHECK(seconds[i] >= 0, "%g", seconds[i]);
    free(seconds);
    return status;
}

static void seed_timings(void)
{
    char text[2048];
    int used = snprintf(text, sizeof text, "key,task,rank,seconds,megaflops\n");
    for (int i = 0; i < 4; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s,%s,%d,%d.5,%d\n", timed_grid->tasks[i].key,
                         timed_grid->tasks[i].name, i, i + 1, 1000 * i);
    fuzz_seed_bytes("timings.csv", text, (size_t)used);
}

const fuzz_target fuzz_timings = {
    .name = "timings", .most = 4096, .prepare = prepare_timings, .seed = seed_timings, .read = read_timings};

/* ---- events.jsonl ---- */

static void prepare_events(void)
{
    FUZZ_MUST(pg_make_directories(fuzz_path("seen"), &fuzz_error));
}

/* A directory that nobody works in, read twice: the second time nothing is new. */
static pg_status read_events(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_run_view view = {0};
    fuzz_file("seen/events.jsonl", data, bytes);
    pg_status status = pg_run_view_read(&view, fuzz_path("seen"), err);
    const int running = view.running_count, done = view.done;
    if (status == PG_OK) status = pg_run_view_read(&view, fuzz_path("seen"), err);
    FUZZ_CHECK(view.running_count == running && view.done == done, "%d %d", view.running_count, view.done);
    for (int i = 0; i < view.running_count; i++) FUZZ_CHECK(pg_is_printable(view.running[i].name), "task %d", i);
    for (int i = 0; i < view.trouble_count; i++) FUZZ_CHECK(pg_is_printable(view.troubles[i].text), "message %d", i);
    pg_run_view_close(&view);
    return status;
}

static void seed_events(void)
{
    static const char text[] =
        "{\"time\": \"2026-11-28T01:00:00Z\", \"event\": \"begin\", \"tasks\": 3, \"done\": 0, \"workers\": 1}\n"
        "{\"time\": \"2026-11-28T01:00:01Z\", \"event\": \"start\", \"task\": \"a/s1/0a\", \"rank\": 1}\n"
        "{\"time\": \"2026-11-28T01:00:02Z\", \"event\": \"epoch\", \"task\": \"a/s1/0a\", \"epoch\": 1, \"epochs\": 2}\n"
        "{\"time\": \"2026-11-28T01:00:03Z\", \"event\": \"failed\", \"task\": \"a/s1/0a\", \"text\": \"no\"}\n"
        "{\"time\": \"2026-11-28T01:00:03Z\", \"event\": \"end\"}\n";
    fuzz_seed_bytes("events.jsonl", text, sizeof text - 1);
}

const fuzz_target fuzz_events = {
    .name = "events", .most = 8192, .prepare = prepare_events, .seed = seed_events, .read = read_events};

/* ---- the process that has the lock of a directory ---- */

static pg_status read_process(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_process process, again;
    char line[PG_PROCESS_TEXT], *text = fuzz_text(data, bytes);
    const bool read = pg_process_read(text, &process);
    free(text);
    if (!read) return pg_fail(err, PG_BAD_INPUT, "no process");
    (void)pg_process_look(&process);
    pg_process_write(&process, line);
    FUZZ_CHECK(pg_process_read(line, &again) && memcmp(&process, &again, sizeof process) == 0, "%s", line);
    return PG_OK;
}

static void seed_process(void)
{
    pg_process self;
    char line[PG_PROCESS_TEXT];
    pg_process_self(&self);
    pg_process_write(&self, line);
    fuzz_seed_bytes("self", line, strlen(line));
}

const fuzz_target fuzz_process = {.name = "process", .most = 512, .seed = seed_process, .read = read_process};
