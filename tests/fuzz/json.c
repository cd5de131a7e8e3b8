/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of JSON files: records, failures, the list of a grid's tasks; and tables made from hostile records. */
#include "tests/fuzz/fuzz.h"

#include "experiments/report/tables.h"
#include "experiments/work/record.h"
#include "experiments/work/rundir.h"
#include "tests/unit/record_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static pg_grid *grid;

/* A grid of two tasks, and the directory of its run. */
static void prepare(void)
{
    static const char text[] = "name: fuzz\nlabel: \"a label\"\ndata: {name: synthetic, train: 40, test: 20}\n"
                               "networks: [{arch: alexnet, width: 0.0625}]\ntrain: {epochs: 1, batch: 20}\n"
                               "schemes: [{scheme: v1, passport: random}]\nattacks: [{attack: prune, levels: [10]}]\n";
    static pg_problems problems;
    if (grid) return;
    FUZZ_MUST(pg_grid_read(fuzz_file("run.yaml", text, sizeof text - 1), NULL, 0, NULL, &grid, &problems, &fuzz_error));
    FUZZ_MUST(pg_rundir_make(fuzz_path("run"), &fuzz_error));
    FUZZ_MUST(pg_rundir_describe(fuzz_path("run"), grid, &fuzz_error));
    FUZZ_MUST(pg_make_directories(fuzz_path("manifest"), &fuzz_error));
}

/* ---- records ---- */

/* The task whose record is read. */
static const char *attack_key(void)
{
    return grid->tasks[1].key;
}

static void check_record(const pg_record *record, const pg_task_labels *labels)
{
    pg_record again = {0};
    pg_parameter_pool pool = {0};
    pg_task_labels same;
    pg_task task = {.public_text = (char[]){"t"}};
    const char *path = fuzz_path("again.json");
    memcpy(task.key, attack_key(), sizeof task.key);
    FUZZ_MUST(pg_record_save(record, &task, labels, path, &fuzz_error));
    FUZZ_MUST(load_record_file(path, task.key, &pool, &again, &same, &fuzz_error));
    FUZZ_CHECK(again.cell_count == record->cell_count, "%d", again.cell_count);
    for (int i = 0; i < again.cell_count; i++) {
        const pg_record_cell *a = &record->cells[i], *b = &again.cells[i];
        FUZZ_CHECK(strcmp(a->outcome, b->outcome) == 0 && strcmp(a->metric, b->metric) == 0 && strcmp(a->unit, b->unit) == 0,
                   "cell %d", i);
        FUZZ_CHECK(a->value == b->value || (!isfinite(a->value) && isnan(b->value)), "%.17g %.17g", a->value, b->value);
    }
    FUZZ_CHECK(strcmp(labels->scheme_parameters->text, same.scheme_parameters->text) == 0 && labels->seed == same.seed,
               "labels");
    FUZZ_CHECK(again.file_count == record->file_count && again.note_count == record->note_count, "%d files, %d notes",
               again.file_count, again.note_count);
    pg_record_clear(&again);
    pg_parameter_pool_clear(&pool);
}

static pg_status read_record(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_record record = {0};
    pg_parameter_pool pool = {0};
    pg_task_labels labels;
    const char *path = fuzz_file("record.json", data, bytes);
    const pg_status status = load_record_file(path, attack_key(), &pool, &record, &labels, err);
    if (status == PG_OK) check_record(&record, &labels);
    pg_record_clear(&record);
    pg_parameter_pool_clear(&pool);
    return status;
}

static void write_record(const char *path, int at)
{
    pg_task task;
    pg_task_labels labels;
    pg_record record = {0};
    pg_parameter_pool pool = {0};
    char sum[PG_SHA256_HEX];
    pg_sha256("", 0, sum);
    FUZZ_MUST(pg_task_parse(grid->tasks[at].text, &task, &fuzz_error));
    FUZZ_MUST(pg_task_describe(&task, &pool, &labels, &fuzz_error));
    FUZZ_MUST(pg_record_add(&record, at ? "level=10" : "", "accuracy_deployed", 74.5, "%", &fuzz_error));
    FUZZ_MUST(pg_record_add(&record, at ? "level=10" : "", "detection", 100, "%", &fuzz_error));
    FUZZ_MUST(pg_record_add(&record, at ? "level=10" : "", "p_value", 1e-5, "", &fuzz_error));
    FUZZ_MUST(pg_record_add(&record, at ? "level=10" : "", "stands", NAN, "", &fuzz_error));
    FUZZ_MUST(pg_record_file(&record, "models/k.safetensors", sum, &fuzz_error));
    FUZZ_MUST(pg_record_note(&record, "data", "generated patterns", &fuzz_error));
    FUZZ_MUST(pg_record_save(&record, &task, &labels, path, &fuzz_error));
    pg_record_clear(&record);
    pg_parameter_pool_clear(&pool);
    pg_task_clear(&task);
}

static void seed_record(void)
{
    write_record(fuzz_seed("attack.json"), 1);
}

const fuzz_target fuzz_record = {
    .name = "record", .form = FUZZ_SEALED, .most = 8192, .prepare = prepare, .seed = seed_record, .read = read_record};

/* ---- tables from a hostile record ---- */

static pg_status read_tables(const uint8_t *data, size_t bytes, pg_error *err)
{
    char path[PG_PATH_MAX];
    FUZZ_MUST(pg_rundir_file(fuzz_path("run"), "records", grid->tasks[0].key, path, &fuzz_error));
    write_record(path, 0);
    FUZZ_MUST(pg_rundir_file(fuzz_path("run"), "records", grid->tasks[1].key, path, &fuzz_error));
    fuzz_file(path + strlen(fuzz_path("")), data, bytes);
    return pg_tables_render(fuzz_path("run"), true, NULL, err);
}

const fuzz_target fuzz_tables = {
    .name = "tables", .form = FUZZ_SEALED, .most = 8192, .prepare = prepare, .seed = seed_record, .read = read_tables};

/* ---- failures ---- */

static pg_status read_failure(const uint8_t *data, size_t bytes, pg_error *err)
{
    char reason[256], again[256];
    const pg_status status = pg_failure_load(fuzz_file("failure.json", data, bytes), reason, sizeof reason, err);
    if (status != PG_OK) return status;
    const char *path = fuzz_path("again.json");
    FUZZ_MUST(pg_failure_save("k", "name", "text", reason, path, &fuzz_error));
    FUZZ_MUST(pg_failure_load(path, again, sizeof again, &fuzz_error));
    FUZZ_CHECK(strcmp(reason, again) == 0, "%s", again);
    return PG_OK;
}

static void seed_failure(void)
{
    FUZZ_MUST(pg_failure_save(grid->tasks[0].key, grid->tasks[0].name, grid->tasks[0].public_text, "the loss is not finite",
                              fuzz_seed("failure.json"), &fuzz_error));
}

const fuzz_target fuzz_failure = {
    .name = "failure", .form = FUZZ_SEALED, .most = 4096, .prepare = prepare, .seed = seed_failure, .read = read_failure};

/* ---- grid.json ---- */

static pg_status read_manifest(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_manifest *manifest = NULL;
    fuzz_file("manifest/grid.json", data, bytes);
    const pg_status status = pg_manifest_read(fuzz_path("manifest"), &manifest, err);
    pg_manifest_destroy(&manifest);
    return status;
}

static void seed_manifest(void)
{
    fuzz_seed_copy("grid.json", fuzz_path("run/grid.json"));
}

const fuzz_target fuzz_manifest = {
    .name = "manifest", .form = FUZZ_SEALED, .most = 4096, .prepare = prepare, .seed = seed_manifest, .read = read_manifest};
