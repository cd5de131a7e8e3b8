/* Records; see record.h. The file is JSON with its keys in a fixed order and numbers by their shortest digits. */
#include "experiments/record.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "experiments/json_file.h"
#include "experiments/task.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT = 1 };

/* ---- in memory ---- */

pg_status pg_record_add(pg_record *record, const char *outcome, const char *metric, double value, const char *unit,
                        pg_error *err)
{
    const pg_status status = pg_grow(&record->cells, record->cell_count, sizeof *record->cells, err);
    if (status != PG_OK) return status;
    pg_cell *cell = &record->cells[record->cell_count++];
    snprintf(cell->outcome, sizeof cell->outcome, "%s", outcome);
    snprintf(cell->metric, sizeof cell->metric, "%s", metric);
    snprintf(cell->unit, sizeof cell->unit, "%s", unit);
    cell->value = value;
    return PG_OK;
}

pg_status pg_record_note(pg_record *record, const char *key, const char *text, pg_error *err)
{
    const pg_status status = pg_grow(&record->notes, record->note_count, sizeof *record->notes, err);
    if (status != PG_OK) return status;
    pg_note *note = &record->notes[record->note_count++];
    snprintf(note->key, sizeof note->key, "%s", key);
    snprintf(note->text, sizeof note->text, "%s", text);
    return PG_OK;
}

pg_status pg_record_file(pg_record *record, const char *path, const char *sha256, pg_error *err)
{
    const pg_status status = pg_grow(&record->files, record->file_count, sizeof *record->files, err);
    if (status != PG_OK) return status;
    pg_artefact *file = &record->files[record->file_count++];
    snprintf(file->path, sizeof file->path, "%s", path);
    snprintf(file->sha256, sizeof file->sha256, "%s", sha256);
    return PG_OK;
}

bool pg_record_has(const pg_record *record, const char *outcome)
{
    for (int i = 0; i < record->cell_count; i++)
        if (strcmp(record->cells[i].outcome, outcome) == 0) return true;
    return false;
}

void pg_record_clear(pg_record *record)
{
    pg_free(record->cells);
    pg_free(record->notes);
    pg_free(record->files);
    *record = (pg_record){0};
}

/* ---- writing ---- */

/* JSON has no word for what is not finite: null. A number that is whole is written as a whole number. */
static json_t *number(double value)
{
    if (!isfinite(value)) return json_null();
    if (value == floor(value) && fabs(value) < 1e15) return json_integer((json_int_t)value);
    return json_real(value);
}

static json_t *labels_json(const pg_task_labels *l)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "data", l->data, "network", l->network, "norm", l->norm,
                     "scheme", l->scheme, "scheme_parameters", l->scheme_parameters, "training", l->training, "attack",
                     l->attack, "parameters", l->parameters, "seed", (json_int_t)l->seed);
}

static json_t *cells_json(const pg_record *record)
{
    json_t *list = json_array();
    for (int i = 0; i < record->cell_count; i++) {
        const pg_cell *c = &record->cells[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s}", "outcome", c->outcome, "metric", c->metric, "value",
                                              number(c->value), "unit", c->unit));
    }
    return list;
}

static json_t *notes_json(const pg_record *record)
{
    json_t *map = json_object();
    for (int i = 0; i < record->note_count; i++)
        json_object_set_new(map, record->notes[i].key, json_string(record->notes[i].text));
    return map;
}

static json_t *files_json(const pg_record *record)
{
    json_t *map = json_object();
    for (int i = 0; i < record->file_count; i++)
        json_object_set_new(map, record->files[i].path, json_string(record->files[i].sha256));
    return map;
}

pg_status pg_record_save(const pg_record *record, const pg_task *task, const pg_task_labels *labels, const char *path,
                         pg_error *err)
{
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "format", FORMAT, "key", task->key, "name",
                             labels->name, "task", task->public_text, "labels", labels_json(labels), "files",
                             files_json(record), "notes", notes_json(record), "cells", cells_json(record));
    if (root && task->keep) json_object_set_new(root, "kept", json_true());
    return pg_json_write(root, path, err);
}

pg_status pg_failure_save(const char *key, const char *name, const char *text, const char *reason, const char *path,
                          pg_error *err)
{
    json_t *root =
        json_pack("{s:i, s:s, s:s, s:s, s:s}", "format", FORMAT, "key", key, "name", name, "task", text, "reason", reason);
    return pg_json_write(root, path, err);
}

/* ---- reading ---- */

static pg_status read_json(const char *path, json_t **root, pg_error *err)
{
    const pg_status status = pg_json_read(path, root, err);
    if (status != PG_OK) return status;
    if (json_integer_value(json_object_get(*root, "format")) == FORMAT) return PG_OK;
    json_decref(*root);
    *root = NULL;
    return pg_fail(err, PG_BAD_INPUT, "%s: not a record of this version", path);
}

static void get(const json_t *map, const char *key, char *out, size_t bytes)
{
    const char *text = json_string_value(json_object_get(map, key));
    snprintf(out, bytes, "%s", text ? text : "");
}

static void get_labels(const json_t *root, pg_task_labels *l)
{
    const json_t *map = json_object_get(root, "labels");
    *l = (pg_task_labels){.seed = (uint64_t)json_integer_value(json_object_get(map, "seed"))};
    get(root, "name", l->name, sizeof l->name);
    get(map, "data", l->data, sizeof l->data);
    get(map, "network", l->network, sizeof l->network);
    get(map, "norm", l->norm, sizeof l->norm);
    get(map, "scheme", l->scheme, sizeof l->scheme);
    get(map, "scheme_parameters", l->scheme_parameters, sizeof l->scheme_parameters);
    get(map, "training", l->training, sizeof l->training);
    get(map, "attack", l->attack, sizeof l->attack);
    get(map, "parameters", l->parameters, sizeof l->parameters);
}

static pg_status get_cells(const json_t *root, pg_record *record, pg_error *err)
{
    size_t i;
    json_t *cell;
    json_array_foreach(json_object_get(root, "cells"), i, cell)
    {
        char outcome[48], metric[48], unit[16];
        const json_t *value = json_object_get(cell, "value");
        get(cell, "outcome", outcome, sizeof outcome);
        get(cell, "metric", metric, sizeof metric);
        get(cell, "unit", unit, sizeof unit);
        const pg_status status =
            pg_record_add(record, outcome, metric, json_is_number(value) ? json_number_value(value) : NAN, unit, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

static pg_status get_notes(const json_t *root, pg_record *record, pg_error *err)
{
    const char *key;
    json_t *text;
    json_object_foreach(json_object_get(root, "notes"), key, text)
    {
        const pg_status status = pg_record_note(record, key, json_string_value(text) ? json_string_value(text) : "", err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

static pg_status get_files(json_t *root, pg_record *record, pg_error *err)
{
    const char *key;
    json_t *sum;
    json_object_foreach(json_object_get(root, "files"), key, sum)
    {
        const pg_status status = pg_record_file(record, key, json_string_value(sum) ? json_string_value(sum) : "", err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

pg_status pg_record_load(const char *path, pg_record *record, pg_task_labels *labels, char key[PG_SHA256_HEX], pg_error *err)
{
    pg_status status = PG_OK;
    json_t *root = NULL;
    pg_record made = {0};
    PG_TRY(read_json(path, &root, err));
    get(root, "key", key, PG_SHA256_HEX);
    get_labels(root, labels);
    PG_TRY(get_cells(root, &made, err));
    PG_TRY(get_notes(root, &made, err));
    PG_TRY(get_files(root, &made, err));
    *record = made;
    made = (pg_record){0};
done:
    pg_record_clear(&made);
    json_decref(root);
    return status;
}

pg_status pg_record_done(const char *path, bool keep, bool *done, pg_error *err)
{
    json_t *root = NULL;
    const pg_status status = pg_json_intact(path, done, err);
    if (status != PG_OK || !*done || !keep) return status;
    *done = read_json(path, &root, NULL) == PG_OK && json_is_true(json_object_get(root, "kept"));
    json_decref(root);
    return PG_OK;
}

pg_status pg_failure_load(const char *path, char *out, size_t bytes, pg_error *err)
{
    json_t *root = NULL;
    const pg_status status = read_json(path, &root, err);
    if (status != PG_OK) return status;
    get(root, "reason", out, bytes);
    json_decref(root);
    return PG_OK;
}
