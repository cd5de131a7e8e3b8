/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads records and failures, which may be damaged or forged. */
#include "experiments/work/record_internal.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/json_file.h"

#include <math.h>
#include <string.h>

/* Parse a record or a failure of a version that this one reads, without its task, which is half of its text. */
static pg_status parse_json(const char *text, size_t bytes, const char *path, json_t **root, pg_error *err)
{
    const pg_status status = pg_json_parse(text, bytes, path, "task", root, err);
    if (status != PG_OK) return status;
    const json_int_t format = json_integer_value(json_object_get(*root, "format"));
    if (format == PG_RECORD_FORMAT || format == PG_RECORD_OLD_FORMAT) return PG_OK;
    json_decref(*root);
    *root = NULL;
    return pg_fail(err, PG_BAD_INPUT, "%s: not a record of this version", path);
}

/* A record that is being read: its path, and the pools that take its texts and its parameters. A list of cells alone has no
 * pool for parameters. */
typedef struct source {
    const char *path;
    pg_text_pool *texts;
    pg_parameter_pool *pool;
} source;

/* Keep the text of a member in printable form. */
static pg_status get_text(const source *from, const json_t *map, const char *key, const char **out, pg_error *err)
{
    const json_t *member = json_object_get(map, key);
    const char *text = json_string_value(member);
    if (!text) return pg_fail(err, PG_BAD_INPUT, "%s: %s: expected a text", from->path, key);
    if (strlen(text) != json_string_length(member))
        return pg_fail(err, PG_BAD_INPUT, "%s: %s: a zero byte in a text", from->path, key);
    return pg_text_pool_keep_printable(from->texts, text, out, err);
}

/* Find a member that is a map or a list. */
static pg_status get_group(const source *from, const json_t *root, const char *key, json_type type, json_t **out, pg_error *err)
{
    *out = json_object_get(root, key);
    if (*out && json_typeof(*out) == type) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s: %s: expected a %s", from->path, key, type == JSON_ARRAY ? "list" : "map");
}

/* Read the value of a parameter; a list of numbers is stored in `room`. */
static pg_status get_value(const char *key, const json_t *member, pg_value_room *room, pg_value *out, pg_error *err)
{
    size_t i;
    json_t *item;
    switch (json_typeof(member)) {
    case JSON_NULL: return PG_OK;
    case JSON_TRUE:
    case JSON_FALSE: *out = (pg_value){.type = PG_VALUE_BOOL, .yes = json_is_true(member)}; return PG_OK;
    case JSON_INTEGER:
    case JSON_REAL: *out = (pg_value){.type = PG_VALUE_NUMBER, .number = json_number_value(member)}; return PG_OK;
    case JSON_STRING:
        *out = (pg_value){.type = PG_VALUE_TEXT, .text = json_string_value(member)};
        if (strlen(out->text) == json_string_length(member)) return PG_OK;
        return pg_fail(err, PG_BAD_INPUT, "%.64s: a zero byte in a text", key);
    case JSON_ARRAY:
        *out = (pg_value){.type = PG_VALUE_NUMBERS, .count = (int)json_array_size(member), .numbers = room->numbers};
        json_array_foreach(member, i, item)
        {
            if (i == PG_LIST_MAX || !json_is_number(item)) break;
            room->numbers[i] = json_number_value(item);
        }
        if (i == json_array_size(member)) return PG_OK;
        return pg_fail(err, PG_BAD_INPUT, "%.64s: expected at most %d numbers", key, PG_LIST_MAX);
    case JSON_OBJECT: break;
    }
    return pg_fail(err, PG_BAD_INPUT, "%.64s: expected a value", key);
}

static pg_status get_parameter_map(pg_parameter_pool *pool, json_t *map, const pg_parameters **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_parameter_draft draft;
    const char *key;
    json_t *member;
    draft.count = 0;
    json_object_foreach(map, key, member)
    {
        pg_value *value = NULL;
        pg_value_room *room = NULL;
        PG_TRY(pg_parameter_add(&draft, key, &value, &room, err));
        PG_TRY(get_value(key, member, room, value, err));
    }
    PG_TRY(pg_parameters_keep(pool, &draft, out, err));
done:
    return status;
}

/* Read parameters: a map, or a text in the old format. */
static pg_status get_parameters(const source *from, const json_t *labels, const char *key, const pg_parameters **out,
                                pg_error *err)
{
    pg_status status = PG_OK;
    const char *text;
    json_t *member = json_object_get(labels, key);
    if (json_is_object(member)) {
        status = get_parameter_map(from->pool, member, out, err);
    } else {
        if ((status = get_text(from, labels, key, &text, err)) != PG_OK) return status;
        status = pg_parameters_parse(from->pool, text, out, err);
    }
    return status == PG_OK ? PG_OK : pg_error_context(err, "%s: %s", from->path, key);
}

static pg_status get_labels(const source *from, const json_t *root, pg_task_labels *l, pg_error *err)
{
    const struct {
        const char *key, **text;
    } texts[] = {
        {"data", &l->data}, {"network", &l->network}, {"norm", &l->norm}, {"scheme", &l->scheme}, {"attack", &l->attack}};
    const struct {
        const char *key;
        const pg_parameters **list;
    } lists[] = {{"scheme_parameters", &l->scheme_parameters}, {"training", &l->training}, {"parameters", &l->parameters}};
    pg_status status = PG_OK;
    json_t *map;
    PG_TRY(get_group(from, root, "labels", JSON_OBJECT, &map, err));
    PG_TRY(get_text(from, root, "name", &l->name, err));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) PG_TRY(get_text(from, map, texts[i].key, texts[i].text, err));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        PG_TRY(get_parameters(from, map, lists[i].key, lists[i].list, err));
    const json_t *seed = json_object_get(map, "seed");
    if (!json_is_integer(seed)) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: seed: expected a whole number", from->path));
    l->seed = (uint64_t)json_integer_value(seed);
done:
    return status;
}

/* Translate the names that earlier versions gave to metrics. */
static const char *present_metric(const char *name)
{
    static const char *const names[][2] = {{"stands", "agrees"}, {"forged_stands", "forged_agrees"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i][0]) == 0) return names[i][1];
    return name;
}

static pg_status get_cell(const source *from, const json_t *cell, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_record_cell c;
    const json_t *value = json_object_get(cell, "value");
    PG_TRY(get_text(from, cell, "outcome", &c.outcome, err));
    PG_TRY(get_text(from, cell, "metric", &c.metric, err));
    c.metric = present_metric(c.metric);
    PG_TRY(get_text(from, cell, "unit", &c.unit, err));
    if (!json_is_number(value) && !json_is_null(value))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: %s: expected a number or null", from->path, c.metric));
    c.value = json_is_null(value) ? (double)NAN : json_number_value(value);
    PG_TRY(pg_record_append_cell(record, &c, err));
done:
    return status;
}

static pg_status get_cells(const source *from, const json_t *list, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    size_t i;
    json_t *cell;
    json_array_foreach(list, i, cell) PG_TRY(get_cell(from, cell, record, err));
    PG_TRY(pg_record_check_unique(record, from->path, err));
done:
    return status;
}

static pg_status get_notes(const source *from, const json_t *root, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    json_t *map, *text;
    const char *key;
    PG_TRY(get_group(from, root, "notes", JSON_OBJECT, &map, err));
    json_object_foreach(map, key, text)
    {
        pg_note note;
        PG_TRY(get_text(from, map, key, &note.text, err));
        PG_TRY(pg_text_pool_keep_printable(from->texts, key, &note.key, err));
        PG_TRY(pg_record_append_note(record, &note, err));
    }
done:
    return status;
}

static bool is_sha256(const char *text)
{
    return strlen(text) == PG_SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == PG_SHA256_HEX - 1;
}

/* Paths stay within the directory of the run. */
static bool is_inside(const char *path)
{
    return path[0] && path[0] != '/' && !strstr(path, "..");
}

static pg_status get_files(const source *from, const json_t *root, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    json_t *map, *sum;
    const char *key;
    PG_TRY(get_group(from, root, "files", JSON_OBJECT, &map, err));
    json_object_foreach(map, key, sum)
    {
        pg_artefact file;
        PG_TRY(get_text(from, map, key, &file.sha256, err));
        if (!is_inside(key) || !is_sha256(file.sha256))
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: files: expected a task's file with its SHA-256, got '%.128s'", from->path,
                           key));
        PG_TRY(pg_text_pool_keep(from->texts, key, &file.path, NULL, err));
        PG_TRY(pg_record_append_file(record, &file, err));
    }
done:
    return status;
}

static pg_status check_key(const source *from, const json_t *root, const char *key, pg_error *err)
{
    const char *found;
    const pg_status status = get_text(from, root, "key", &found, err);
    if (status != PG_OK || strcmp(found, key) == 0) return status;
    return pg_fail(err, PG_BAD_INPUT, "%s: the record of another task, %.64s", from->path, found);
}

pg_status pg_record_parse(const char *text, size_t bytes, const char *path, const char *key, pg_parameter_pool *pool,
                          pg_record *record, pg_task_labels *labels, pg_error *err)
{
    pg_status status = PG_OK;
    const source from = {.path = path, .texts = &pool->texts, .pool = pool};
    json_t *root = NULL, *cells;
    PG_TRY(parse_json(text, bytes, path, &root, err));
    PG_TRY(check_key(&from, root, key, err));
    PG_TRY(get_labels(&from, root, labels, err));
    PG_TRY(get_group(&from, root, "cells", JSON_ARRAY, &cells, err));
    PG_TRY(get_cells(&from, cells, record, err));
    PG_TRY(get_notes(&from, root, record, err));
    PG_TRY(get_files(&from, root, record, err));
done:
    if (status != PG_OK) pg_record_clear(record);
    json_decref(root);
    return status;
}

bool pg_record_kept(const char *text, size_t bytes)
{
    json_t *root = NULL;
    const bool kept = parse_json(text, bytes, "", &root, NULL) == PG_OK && json_is_true(json_object_get(root, "kept"));
    json_decref(root);
    return kept;
}

pg_status pg_record_read_cells(const char *text, size_t bytes, const char *from, pg_record *record, pg_error *err)
{
    json_error_t fault;
    json_t *list = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &fault);
    pg_status status = PG_OK;
    if (!json_is_array(list))
        status = pg_fail(err, PG_BAD_INPUT, "%s: cells: expected a list", from);
    else
        status = get_cells(&(source){.path = from, .texts = &record->texts}, list, record, err);
    json_decref(list);
    return status;
}

pg_status pg_failure_load(const char *path, char *out, size_t bytes, pg_error *err)
{
    json_t *root = NULL;
    char *text;
    size_t length;
    pg_status status = pg_file_read(path, &text, &length, err);
    if (status != PG_OK) return status;
    status = parse_json(text, length, path, &root, err);
    pg_free(text);
    if (status != PG_OK) return status;
    const char *reason = json_string_value(json_object_get(root, "reason"));
    pg_printable(reason ? reason : "no reason is given", out, bytes);
    json_decref(root);
    return PG_OK;
}
