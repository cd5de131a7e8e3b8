/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing safetensors files; see safetensors.h. The whole file is put together in memory and written at once. */
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/safetensors_internal.h"

#include <stdlib.h>
#include <string.h>

/* Steal value into a new key of object. A NULL value (jansson refused the text, or has no memory) is a failure too. */
static pg_status put(json_t *object, const char *key, json_t *value, const char *path, pg_error *err)
{
    if (json_object_get(object, key)) {
        json_decref(value);
        return pg_fail(err, PG_BAD_INPUT, "%s: two entries have the name '%s'", path, key);
    }
    if (json_object_set_new(object, key, value) != 0)
        return pg_fail(err, PG_BAD_INPUT, "%s: cannot write '%s': it is not UTF-8, or memory is short", path, key);
    return PG_OK;
}

static pg_status put_array(json_t *header, const pg_array *array, size_t *offset, const char *path, pg_error *err)
{
    size_t count, bytes, end;
    if (!pg_is_printable(array->name))
        return pg_fail(err, PG_BAD_INPUT, "%s: the name of a tensor has a control character", path);
    if (strcmp(array->name, "__metadata__") == 0)
        return pg_fail(err, PG_BAD_INPUT, "%s: '%s' is not a valid name of a tensor", path, array->name);
    if (!pg_array_size(array, &count, &bytes) || __builtin_add_overflow(*offset, bytes, &end) || end > INT64_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s' is too large", path, array->name);
    json_t *shape = json_array();
    for (int i = 0; i < array->dims; i++) json_array_append_new(shape, json_integer((json_int_t)array->shape[i]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", pg_dtypes[array->dtype].name, "shape", shape, "data_offsets",
                              (json_int_t)*offset, (json_int_t)end);
    *offset = end;
    return put(header, array->name, entry, path, err);
}

static pg_status put_metadata(json_t *header, const pg_metadata *metadata, size_t count, const char *path, pg_error *err)
{
    json_t *texts = json_object();
    pg_status status = put(header, "__metadata__", texts, path, err);
    for (size_t i = 0; i < count && status == PG_OK; i++)
        status = put(texts, metadata[i].key, json_string(metadata[i].value), path, err);
    return status;
}

/* Visit every array in the order of the file: elements of 8 bytes first, then of 4, 2 and 1. */
#define FOR_EACH_IN_FILE_ORDER(array, arrays, count)                                                                           \
    for (size_t size_ = 8; size_ > 0; size_ /= 2)                                                                              \
        for (const pg_array *array = (arrays); array < (arrays) + (count); array++)                                            \
            if (pg_dtypes[array->dtype].size == size_)

static pg_status make_header(const pg_array *arrays, size_t count, const pg_metadata *metadata, size_t metadata_count,
                             const char *path, char **out, size_t *data_bytes, pg_error *err)
{
    pg_status status = PG_OK;
    json_t *header = json_object();
    if (!header) PG_TRY(pg_fail(err, PG_NO_MEMORY, "%s: out of memory", path));
    if (metadata_count > 0) PG_TRY(put_metadata(header, metadata, metadata_count, path, err));
    *data_bytes = 0;
    FOR_EACH_IN_FILE_ORDER(array, arrays, count) PG_TRY(put_array(header, array, data_bytes, path, err));
    *out = json_dumps(header, JSON_COMPACT);
    if (!*out) PG_TRY(pg_fail(err, PG_NO_MEMORY, "%s: out of memory", path));
done:
    json_decref(header);
    return status;
}

pg_status pg_safetensors_write(const char *path, const pg_array *arrays, size_t count, const pg_metadata *metadata,
                               size_t metadata_count, pg_file_mode mode, pg_error *err)
{
    pg_status status = PG_OK;
    char *header = NULL, *file = NULL;
    size_t data_bytes = 0;
    PG_TRY(make_header(arrays, count, metadata, metadata_count, path, &header, &data_bytes, err));
    const size_t text = strlen(header), padded = (text + 7) / 8 * 8, start = PREFIX + padded;
    if (padded > PG_HEADER_MAX || count > PG_TENSORS_MAX)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: too many tensors or too much metadata", path));
    if (data_bytes > SIZE_MAX - start)
        PG_TRY(pg_fail(err, PG_NO_MEMORY, "%s: %zu bytes do not fit in memory", path, data_bytes));
    PG_TRY(pg_alloc(start + data_bytes, 1, &file, err));
    const uint64_t length = padded;
    memcpy(file, &length, sizeof length);
    memcpy(file + PREFIX, header, text);
    memset(file + PREFIX + text, ' ', padded - text);
    char *at = file + start;
    FOR_EACH_IN_FILE_ORDER(array, arrays, count)
    {
        size_t elements, bytes = 0;
        if (!pg_array_size(array, &elements, &bytes) || bytes == 0) continue;
        memcpy(at, array->data, bytes);
        at += bytes;
    }
    PG_TRY(pg_file_write(path, file, start + data_bytes, mode, err));
done:
    free(header);
    pg_free(file);
    return status;
}
