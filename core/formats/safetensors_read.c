/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading safetensors files; see safetensors.h. Checks sizes in the order file, header, tensor, and then that the tensors tile
 * the data. jansson bounds the depth of the JSON. */
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/safetensors_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are stored as they are in memory");

const pg_dtype_facts pg_dtypes[] = {
    [PG_F32] = {"F32", 4}, [PG_F64] = {"F64", 8},         [PG_I64] = {"I64", 8},         [PG_I32] = {"I32", 4},
    [PG_U8] = {"U8", 1},   [PG_F16] = {"F16", 2},         [PG_BF16] = {"BF16", 2},       [PG_BOOL] = {"BOOL", 1},
    [PG_I8] = {"I8", 1},   [PG_I16] = {"I16", 2},         [PG_U16] = {"U16", 2},         [PG_U32] = {"U32", 4},
    [PG_U64] = {"U64", 8}, [PG_F8_E4M3] = {"F8_E4M3", 1}, [PG_F8_E5M2] = {"F8_E5M2", 1},
};

bool pg_dtype_is_real(pg_dtype dtype)
{
    return pg_dtypes[dtype].name[0] == 'F' || dtype == PG_BF16;
}

bool pg_array_size(const pg_array *array, size_t *count, size_t *bytes)
{
    size_t product = 1;
    bool empty = false;
    if (array->dims < 0 || array->dims > PG_DIMS_MAX) return false;
    for (int i = 0; i < array->dims; i++) {
        if (array->shape[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(product, array->shape[i], &product))
            return false;
    }
    *count = empty ? 0 : product;
    return !__builtin_mul_overflow(*count, pg_dtypes[array->dtype].size, bytes);
}

/* ---- reading ---- */

static pg_status bad(const pg_safetensors *file, pg_error *err, const char *what)
{
    return pg_fail(err, PG_BAD_INPUT, "%s: %s", file->path, what);
}

pg_status pg_safetensors_bad(const pg_safetensors *file, const char *name, pg_error *err, const char *what)
{
    return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%.200s': %s", file->path, name, what);
}

/* The file is of another kind. For PyTorch's own, a zip archive or, before version 1.6, a bare pickle, the message says how to
 * convert it. */
static pg_status bad_kind(const char *path, const char *bytes, size_t total, pg_error *err, const char *why)
{
    const bool zip = total >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
    const bool pickle = total >= 2 && (unsigned char)bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
    if (!zip && !pickle) return pg_fail(err, PG_BAD_INPUT, "%s: not a safetensors file: %s", path, why);
    return pg_fail(err, PG_BAD_INPUT,
                   "%s: not a safetensors file but a %s, as torch.save writes it; convert it in Python: import torch; from "
                   "safetensors.torch import save_file; save_file({k: v.clone().contiguous() for k, v in torch.load('FILE', "
                   "map_location='cpu', weights_only=True).items()}, 'FILE.safetensors')",
                   path, zip ? "zip archive" : "Python pickle");
}

enum { START = PREFIX + 1 }; /* bytes needed to recognise a safetensors file */

/* Can these be the first START bytes (or all, if there are fewer) of a file of this size? */
static pg_status check_start(const char *path, const char *bytes, size_t total, pg_error *err)
{
    uint64_t length;
    if (total < PREFIX) return bad_kind(path, bytes, total, err, "shorter than 8 bytes");
    memcpy(&length, bytes, sizeof length);
    if (length > PG_HEADER_MAX) return bad_kind(path, bytes, total, err, "header too long");
    if (length > total - PREFIX)
        return pg_fail(err, PG_BAD_INPUT, "%s: the file is truncated: it ends inside the header", path);
    if (length == 0 || bytes[PREFIX] != '{') return bad_kind(path, bytes, total, err, "the header is not a JSON object");
    return PG_OK;
}

static pg_status parse_header(pg_safetensors *file, const char *bytes, size_t total, pg_error *err)
{
    uint64_t length;
    json_error_t problem;
    const char *text = bytes + PREFIX;
    const pg_status status = check_start(file->path, bytes, total, err);
    if (status != PG_OK) return status;
    memcpy(&length, bytes, sizeof length);
    file->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &problem);
    for (char *c = problem.text; !file->header && *c; c++)
        if ((unsigned char)*c < ' ') *c = '?'; /* the message quotes the file */
    if (!file->header)
        return pg_fail(err, PG_BAD_INPUT, "%s: bad header at byte %d: %.200s", file->path, problem.position + PREFIX,
                       problem.text);
    file->data = text + length;
    file->data_bytes = total - PREFIX - (size_t)length;
    return PG_OK;
}

static pg_status take_metadata(pg_safetensors *file, json_t *texts, pg_error *err)
{
    const char *key;
    json_t *value;
    if (json_is_null(texts)) return PG_OK;
    if (!json_is_object(texts)) return bad(file, err, "__metadata__ is not an object");
    const pg_status status = pg_alloc(json_object_size(texts), sizeof *file->metadata, &file->metadata, err);
    if (status != PG_OK) return status;
    json_object_foreach(texts, key, value)
    {
        if (json_is_string(value)) file->metadata[file->metadata_count++] = (pg_metadata){key, json_string_value(value)};
    }
    return PG_OK;
}

/* Read a JSON integer as a size; false if it is not one. */
static bool get_size(const json_t *value, size_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = (size_t)json_integer_value(value);
    return true;
}

static bool get_dtype(const json_t *value, pg_dtype *out)
{
    for (pg_dtype dtype = PG_F32; dtype <= PG_F8_E5M2; dtype++) {
        *out = dtype;
        if (json_is_string(value) && strcmp(json_string_value(value), pg_dtypes[dtype].name) == 0) return true;
    }
    return false;
}

static pg_status take_array(const pg_safetensors *file, const char *name, const json_t *entry, pg_array *array, pg_error *err)
{
    const json_t *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
    size_t begin, end, bytes;
    if (!pg_is_printable(name)) return bad(file, err, "the name of a tensor has a control character");
    array->name = name;
    if (json_object_size(entry) != 3 || !json_is_array(shape) || !json_is_array(offsets))
        return pg_safetensors_bad(file, name, err, "expected dtype, shape and data_offsets");
    if (!get_dtype(json_object_get(entry, "dtype"), &array->dtype))
        return pg_safetensors_bad(file, name, err, "not a type of the format");
    if (json_array_size(shape) > PG_DIMS_MAX) return pg_safetensors_bad(file, name, err, "more than 8 dimensions");
    array->dims = (int)json_array_size(shape);
    for (int i = 0; i < array->dims; i++)
        if (!get_size(json_array_get(shape, (size_t)i), &array->shape[i]))
            return pg_safetensors_bad(file, name, err, "bad shape");
    if (!pg_array_size(array, &array->count, &bytes)) return pg_safetensors_bad(file, name, err, "shape too large");
    if (json_array_size(offsets) != 2 || !get_size(json_array_get(offsets, 0), &begin) ||
        !get_size(json_array_get(offsets, 1), &end) || begin > end)
        return pg_safetensors_bad(file, name, err, "bad data_offsets");
    if (end > file->data_bytes)
        return pg_safetensors_bad(file, name, err, "its data is outside the file, which may be truncated");
    if (end - begin != bytes) return pg_safetensors_bad(file, name, err, "its shape and data_offsets disagree");
    array->data = file->data + begin;
    return PG_OK;
}

/* Order by place of the data; an empty array comes before another at the same place. */
static int by_place(const void *a, const void *b)
{
    const pg_array *x = a, *y = b;
    if (x->data != y->data) return (const char *)x->data < (const char *)y->data ? -1 : 1;
    if (!x->count != !y->count) return x->count ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Check that the arrays, in order of place, tile the data: no gap, no overlap, nothing after. */
static pg_status check_tiles(const pg_safetensors *file, pg_error *err)
{
    const char *at = file->data;
    for (size_t i = 0; i < file->count; i++) {
        const pg_array *array = &file->arrays[i];
        if ((const char *)array->data < at)
            return pg_safetensors_bad(file, array->name, err, "its data overlaps that of another tensor");
        if ((const char *)array->data > at) return pg_safetensors_bad(file, array->name, err, "there is a gap before its data");
        at += array->count * pg_dtypes[array->dtype].size;
    }
    if (at != file->data + file->data_bytes) return bad(file, err, "there are bytes after the last tensor");
    return PG_OK;
}

static pg_status take_header(pg_safetensors *file, pg_error *err)
{
    pg_status status = PG_OK;
    const char *name;
    json_t *entry;
    if (json_object_size(file->header) > PG_TENSORS_MAX) return bad(file, err, "the header has more than 65536 entries");
    PG_TRY(pg_alloc(json_object_size(file->header), sizeof *file->arrays, &file->arrays, err));
    json_object_foreach(file->header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0)
            PG_TRY(take_metadata(file, entry, err));
        else
            PG_TRY(take_array(file, name, entry, &file->arrays[file->count++], err));
    }
    qsort(file->arrays, file->count, sizeof *file->arrays, by_place);
    PG_TRY(check_tiles(file, err));
done:
    return status;
}

pg_status pg_safetensors_parse(const void *data, size_t bytes, const char *name, pg_safetensors **out, pg_error *err)
{
    pg_safetensors *file = NULL;
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(1, sizeof *file, &file, err));
    PG_TRY(pg_strdup(name, &file->path, err));
    PG_TRY(parse_header(file, data, bytes, err));
    PG_TRY(take_header(file, err));
    *out = file;
    file = NULL;
done:
    pg_safetensors_close(&file);
    return status;
}

pg_status pg_safetensors_open(const char *path, pg_safetensors **out, pg_error *err)
{
    char *bytes = NULL, start[START];
    size_t total = 0;
    pg_status status = pg_file_head(path, start, START, &total, err);
    if (status == PG_OK) status = check_start(path, start, total, err);
    if (status == PG_OK) status = pg_file_read(path, &bytes, &total, err);
    if (status != PG_OK) return status;
    status = pg_safetensors_parse(bytes, total, path, out, err);
    if (status == PG_OK)
        (*out)->owned = bytes;
    else
        pg_free(bytes);
    return status;
}

void pg_safetensors_close(pg_safetensors **file)
{
    if (!*file) return;
    json_decref((*file)->header);
    pg_free((*file)->owned);
    pg_free((*file)->path);
    pg_free((*file)->arrays);
    pg_free((*file)->names);
    pg_free((*file)->metadata);
    pg_free(*file);
    *file = NULL;
}

size_t pg_safetensors_count(const pg_safetensors *file)
{
    return file->count;
}

const pg_array *pg_safetensors_at(const pg_safetensors *file, size_t i)
{
    return i < file->count ? &file->arrays[i] : NULL;
}

const pg_array *pg_safetensors_find(const pg_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->arrays[i].name, name) == 0) return &file->arrays[i];
    return NULL;
}

size_t pg_safetensors_metadata_count(const pg_safetensors *file)
{
    return file->metadata_count;
}

const pg_metadata *pg_safetensors_metadata_at(const pg_safetensors *file, size_t i)
{
    return i < file->metadata_count ? &file->metadata[i] : NULL;
}

const char *pg_safetensors_metadata(const pg_safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->metadata[i].key, key) == 0) return file->metadata[i].value;
    return NULL;
}

pg_status pg_safetensors_text(const pg_safetensors *file, const char *key, const char *fallback, char *out, size_t room,
                              pg_error *err)
{
    const char *text = pg_safetensors_metadata(file, key);
    if (!text) text = fallback;
    if (strlen(text) >= room)
        return pg_fail(err, PG_BAD_INPUT, "%s: metadata '%s' is longer than %zu bytes: '%s'", file->path, key, room - 1, text);
    if (!pg_is_printable(text))
        return pg_fail(err, PG_BAD_INPUT, "%s: metadata '%s' has a control character: '%s'", file->path, key, text);
    strcpy(out, text);
    return PG_OK;
}

/* ---- shorter names ---- */

static bool is_part(const char *text, size_t length, const char *const *parts)
{
    for (; *parts; parts++)
        if (strlen(*parts) == length && memcmp(*parts, text, length) == 0) return true;
    return false;
}

/* Write name without these parts to out; return the end of out. A name that consists of such parts alone stays as it is. */
static char *shorten(const char *name, const char *const *parts, char *out)
{
    char *const begin = out;
    for (const char *from = name; *from;) {
        const size_t length = strcspn(from, ".");
        if (!is_part(from, length, parts)) {
            if (out != begin) *out++ = '.';
            memcpy(out, from, length);
            out += length;
        }
        from += length + (from[length] == '.');
    }
    if (out == begin) out = stpcpy(out, name);
    *out++ = 0;
    return out;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static pg_status check_unique(const pg_safetensors *file, pg_error *err)
{
    const char **names = NULL;
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(file->count, sizeof *names, &names, err));
    for (size_t i = 0; i < file->count; i++) names[i] = file->arrays[i].name;
    qsort(names, file->count, sizeof *names, by_name);
    for (size_t i = 1; i < file->count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            PG_TRY(pg_safetensors_bad(file, names[i], err, "two tensors have this name without the wrapper's prefix"));
done:
    pg_free(names);
    return status;
}

pg_status pg_safetensors_drop_parts(pg_safetensors *file, const char *const *parts, pg_error *err)
{
    size_t room = 0;
    for (size_t i = 0; i < file->count; i++) room += strlen(file->arrays[i].name) + 1;
    const pg_status status = pg_alloc(room, 1, &file->names, err);
    if (status != PG_OK) return status;
    char *next = file->names;
    for (size_t i = 0; i < file->count; i++) {
        char *const name = next;
        next = shorten(file->arrays[i].name, parts, name);
        file->arrays[i].name = name;
    }
    return check_unique(file, err);
}
