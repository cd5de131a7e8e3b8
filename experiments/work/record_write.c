/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes records and failures: JSON with its keys in a fixed order and numbers by their shortest digits. */
#include "experiments/work/record_internal.h"

#include "core/base/memory.h"
#include "core/formats/json_file.h"

#include <math.h>
#include <stdlib.h>

/* JSON has no NaN and no infinity: they become null. A number that is whole is written as a whole number. */
static json_t *number(double value)
{
    if (!isfinite(value)) return json_null();
    if (value == floor(value) && fabs(value) < 1e15) return json_integer((json_int_t)value);
    return json_real(value);
}

static json_t *value_json(const pg_value *value)
{
    json_t *list;
    switch (value->type) {
    case PG_VALUE_NONE: return json_null();
    case PG_VALUE_NUMBER: return number(value->number);
    case PG_VALUE_BOOL: return json_boolean(value->yes);
    case PG_VALUE_TEXT: return json_string(value->text);
    case PG_VALUE_NUMBERS:
        list = json_array();
        for (int i = 0; i < value->count; i++) json_array_append_new(list, number(value->numbers[i]));
        return list;
    }
    return NULL;
}

static json_t *parameters_json(const pg_parameters *list)
{
    json_t *map = json_object();
    for (int i = 0; i < list->count; i++) json_object_set_new(map, list->items[i].key, value_json(&list->items[i].value));
    return map;
}

static json_t *labels_json(const pg_task_labels *l)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:I}", "data", l->data, "network", l->network, "norm", l->norm,
                     "scheme", l->scheme, "scheme_parameters", parameters_json(l->scheme_parameters), "training",
                     parameters_json(l->training), "attack", l->attack, "parameters", parameters_json(l->parameters), "seed",
                     (json_int_t)l->seed);
}

static json_t *cells_json(const pg_record *record)
{
    json_t *list = json_array();
    for (int i = 0; i < record->cell_count; i++) {
        const pg_record_cell *c = &record->cells[i];
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

pg_status pg_record_write_cells(const pg_record *record, char **text, pg_error *err)
{
    json_t *list = cells_json(record);
    char *made = list ? json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    const pg_status status =
        made ? pg_strdup(made, text, err) : pg_fail(err, PG_FAILED, "a cell has a text that is not UTF-8, or memory is short");
    free(made);
    json_decref(list);
    return status;
}

pg_status pg_record_save(const pg_record *record, const pg_task *task, const pg_task_labels *labels, const char *path,
                         pg_error *err)
{
    const pg_status status = pg_record_check_unique(record, labels->name, err);
    if (status != PG_OK) return status;
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "format", PG_RECORD_FORMAT, "key", task->key, "name",
                             labels->name, "task", task->public_text, "labels", labels_json(labels), "files",
                             files_json(record), "notes", notes_json(record), "cells", cells_json(record));
    if (root && task->keep) json_object_set_new(root, "kept", json_true());
    return pg_json_write(root, path, err);
}

pg_status pg_failure_save(const char *key, const char *name, const char *text, const char *reason, const char *path,
                          pg_error *err)
{
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:s}", "format", PG_RECORD_FORMAT, "key", key, "name", name, "task", text,
                             "reason", reason);
    return pg_json_write(root, path, err);
}
