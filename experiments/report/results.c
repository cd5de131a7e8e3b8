/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records of a run; see results.h. */
#include "experiments/report/results.h"

#include "core/base/memory.h"
#include "core/formats/csv.h"
#include "experiments/work/records.h"

#include <stdio.h>
#include <string.h>

/* Copy an array to the pool. */
static pg_status keep_array(pg_text_pool *pool, const void *items, int count, size_t size, void *out, pg_error *err)
{
    void *kept;
    const pg_status status = pg_text_pool_take(pool, (size_t)count * size, &kept, err);
    if (status != PG_OK) return status;
    if (count) memcpy(kept, items, (size_t)count * size);
    memcpy(out, &kept, sizeof kept);
    return PG_OK;
}

/* Move the arrays of a loaded record to the pool: there they have no room for more items, and a hundred thousand records leave
 * no holes in the heap. A failure clears the record. */
static pg_status settle(pg_record *record, pg_text_pool *pool, pg_error *err)
{
    pg_record kept = {.cell_count = record->cell_count, .note_count = record->note_count, .file_count = record->file_count};
    pg_status status = PG_OK;
    PG_TRY(keep_array(pool, record->cells, record->cell_count, sizeof *record->cells, &kept.cells, err));
    PG_TRY(keep_array(pool, record->notes, record->note_count, sizeof *record->notes, &kept.notes, err));
    PG_TRY(keep_array(pool, record->files, record->file_count, sizeof *record->files, &kept.files, err));
done:
    pg_record_clear(record);
    if (status == PG_OK) *record = kept;
    return status;
}

/* Records on their way to the places of their tasks. */
typedef struct loading {
    pg_results *results;
    pg_text_pool keys; /* of the tasks, numbered in the order of the grid */
} loading;

static pg_status load_one(void *context, const pg_record_text *text, pg_error *err)
{
    pg_status status = PG_OK;
    loading *l = context;
    pg_results *results = l->results;
    int task;
    PG_TRY(pg_text_pool_keep(&l->keys, text->key, NULL, &task, err));
    if (task >= results->expected) goto done; /* of another grid */
    pg_result *item = &results->items[task];
    PG_TRY(pg_record_parse(text->data, text->bytes, text->from, text->key, &results->pool, &item->record, &item->labels, err));
    PG_TRY(settle(&item->record, &results->pool.texts, err));
done:
    return status;
}

/* Move the results that have a record together. */
static void close_gaps(pg_results *results)
{
    for (int i = 0; i < results->expected; i++)
        if (results->items[i].labels.name) results->items[results->count++] = results->items[i];
}

static pg_status load_all(const char *directory, const pg_manifest *manifest, pg_results *results, pg_error *err)
{
    pg_status status = PG_OK;
    unsigned packs = 0;
    loading l = {.results = results};
    for (int i = 0; i < manifest->count; i++) {
        packs |= pg_records_pack_of(manifest->tasks[i].key);
        PG_TRY(pg_text_pool_keep(&l.keys, manifest->tasks[i].key, NULL, NULL, err));
    }
    PG_TRY(pg_records_visit(directory, packs, load_one, &l, err));
    close_gaps(results);
done:
    pg_text_pool_clear(&l.keys);
    return status;
}

pg_status pg_results_load(const char *directory, pg_results **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_manifest *manifest = NULL;
    pg_results *results = NULL;
    PG_TRY(pg_manifest_read(directory, &manifest, err));
    PG_TRY(pg_alloc(1, sizeof *results, &results, err));
    PG_TRY(pg_alloc((size_t)manifest->count, sizeof *results->items, &results->items, err));
    memcpy(results->name, manifest->name, sizeof results->name);
    memcpy(results->label, manifest->label, sizeof results->label);
    results->expected = manifest->count;
    PG_TRY(load_all(directory, manifest, results, err));
    *out = results;
    results = NULL;
done:
    pg_manifest_destroy(&manifest);
    pg_results_destroy(&results);
    return status;
}

void pg_results_destroy(pg_results **results)
{
    pg_results *r = *results;
    if (!r) return;
    pg_free(r->items);
    pg_parameter_pool_clear(&r->pool);
    pg_free(r);
    *results = NULL;
}

bool pg_result_value(const pg_result *result, const char *outcome, const char *metric, double *value)
{
    for (int i = 0; i < result->record.cell_count; i++) {
        const pg_record_cell *cell = &result->record.cells[i];
        if (strcmp(cell->metric, metric) != 0 || strcmp(cell->outcome, outcome) != 0) continue;
        *value = cell->value;
        return true;
    }
    return false;
}

static void write_labels(pg_csv_writer *csv, const pg_result *result)
{
    const pg_task_labels *l = &result->labels;
    const char *const texts[] = {l->name,           l->data,   l->network,
                                 l->norm,           l->scheme, l->scheme_parameters->text,
                                 l->training->text, l->attack, l->parameters->text};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) pg_csv_word(csv, texts[k]);
    pg_csv_int(csv, (long long)l->seed);
}

static void write_rows(pg_csv_writer *csv, const pg_result *result, const char *label)
{
    pg_csv_writer labels;
    const bool once = pg_csv_start(&labels, NULL) == PG_OK; /* else they are formatted again for every cell */
    if (once) write_labels(&labels, result);
    for (int i = 0; i < result->record.cell_count; i++) {
        const pg_record_cell *cell = &result->record.cells[i];
        if (once)
            pg_csv_append(csv, &labels);
        else
            write_labels(csv, result);
        pg_csv_word(csv, cell->outcome);
        pg_csv_word(csv, cell->metric);
        pg_csv_real(csv, cell->value);
        pg_csv_word(csv, cell->unit);
        pg_csv_word(csv, label);
        pg_csv_end_row(csv);
    }
    pg_csv_abandon(&labels);
}

static void fill_cells(pg_csv_writer *csv, const void *context)
{
    static const char *const header[] = {"task",     "data",   "network",    "norm", "scheme",  "scheme_parameters",
                                         "training", "attack", "parameters", "seed", "outcome", "metric",
                                         "value",    "unit",   "label",      NULL};
    const pg_results *results = context;
    pg_csv_row(csv, header);
    for (int i = 0; i < results->count; i++) write_rows(csv, &results->items[i], results->label);
}

pg_status pg_results_write_cells(const pg_results *results, const char *directory, pg_error *err)
{
    char path[PG_PATH_MAX];
    const pg_status status = pg_path(path, directory, "cells.csv", NULL, err);
    return status == PG_OK ? pg_csv_write(path, fill_cells, results, err) : status;
}
