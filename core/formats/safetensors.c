/* Safetensors files; see safetensors.h. The reader checks sizes in the order file, header, tensor, and then that the tensors
 * tile the data; jansson bounds the depth of the JSON. The writer puts the whole file together in memory and writes it at once.
 */
#include "core/formats/safetensors.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are stored as they are in memory");

enum { PREFIX = 8 }; /* bytes of the header's length */

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [PG_F32] = {"F32", 4}, [PG_F64] = {"F64", 8},         [PG_I64] = {"I64", 8},         [PG_I32] = {"I32", 4},
    [PG_U8] = {"U8", 1},   [PG_F16] = {"F16", 2},         [PG_BF16] = {"BF16", 2},       [PG_BOOL] = {"BOOL", 1},
    [PG_I8] = {"I8", 1},   [PG_I16] = {"I16", 2},         [PG_U16] = {"U16", 2},         [PG_U32] = {"U32", 4},
    [PG_U64] = {"U64", 8}, [PG_F8_E4M3] = {"F8_E4M3", 1}, [PG_F8_E5M2] = {"F8_E5M2", 1},
};

bool pg_dtype_is_real(pg_dtype dtype)
{
    return dtypes[dtype].name[0] == 'F' || dtype == PG_BF16;
}

/* Elements and bytes of a shape; false if they overflow or there are too many dimensions. */
static bool array_size(const pg_array *array, size_t *count, size_t *bytes)
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
    return !__builtin_mul_overflow(*count, dtypes[array->dtype].size, bytes);
}

/* ---- reading ---- */

struct pg_safetensors {
    char *path;
    char *owned;      /* the bytes, if they are ours */
    json_t *header;   /* names and texts point into it */
    const char *data; /* after the header */
    size_t data_bytes;
    size_t count, metadata_count;
    pg_array *arrays;
    pg_metadata *metadata;
    char *names; /* shortened names, if there are any */
};

static pg_status bad(const pg_safetensors *file, pg_error *err, const char *what)
{
    return pg_fail(err, PG_BAD_INPUT, "%s: %s", file->path, what);
}

static pg_status bad_array(const pg_safetensors *file, const char *name, pg_error *err, const char *what)
{
    return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%.200s': %s", file->path, name, what);
}

/* Another kind of file; of PyTorch's own, a zip archive or, before version 1.6, a bare pickle, the message says how to convert
 * them. */
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

enum { START = PREFIX + 1 }; /* bytes that tell whether it can be a safetensors file */

/* Can these be the first START bytes (or all, if there are fewer) of a file of this size? */
static pg_status check_start(const char *path, const char *bytes, size_t total, pg_error *err)
{
    uint64_t length;
    if (total < PREFIX) return bad_kind(path, bytes, total, err, "shorter than 8 bytes");
    memcpy(&length, bytes, sizeof length);
    if (length > PG_HEADER_MAX) return bad_kind(path, bytes, total, err, "header too long");
    if (length > total - PREFIX) return pg_fail(err, PG_BAD_INPUT, "%s: cut short: ends inside the header", path);
    if (length == 0 || bytes[PREFIX] != '{') return bad_kind(path, bytes, total, err, "the header is no JSON object");
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
        if ((unsigned char)*c < ' ') *c = '?'; /* it quotes the file */
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

/* A JSON integer that is a size. */
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
        if (json_is_string(value) && strcmp(json_string_value(value), dtypes[dtype].name) == 0) return true;
    }
    return false;
}

static pg_status take_array(const pg_safetensors *file, const char *name, const json_t *entry, pg_array *array, pg_error *err)
{
    const json_t *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
    size_t begin, end, bytes;
    if (!pg_is_printable(name)) return bad(file, err, "a control character in the name of a tensor");
    array->name = name;
    if (json_object_size(entry) != 3 || !json_is_array(shape) || !json_is_array(offsets))
        return bad_array(file, name, err, "expected dtype, shape and data_offsets");
    if (!get_dtype(json_object_get(entry, "dtype"), &array->dtype))
        return bad_array(file, name, err, "not a type of the format");
    if (json_array_size(shape) > PG_DIMS_MAX) return bad_array(file, name, err, "more than 8 dimensions");
    array->dims = (int)json_array_size(shape);
    for (int i = 0; i < array->dims; i++)
        if (!get_size(json_array_get(shape, (size_t)i), &array->shape[i])) return bad_array(file, name, err, "bad shape");
    if (!array_size(array, &array->count, &bytes)) return bad_array(file, name, err, "shape too large");
    if (json_array_size(offsets) != 2 || !get_size(json_array_get(offsets, 0), &begin) ||
        !get_size(json_array_get(offsets, 1), &end) || begin > end)
        return bad_array(file, name, err, "bad data_offsets");
    if (end > file->data_bytes) return bad_array(file, name, err, "its data are outside the file, which may be cut short");
    if (end - begin != bytes) return bad_array(file, name, err, "its shape and data_offsets disagree");
    array->data = file->data + begin;
    return PG_OK;
}

/* By place of the data; arrays without elements before the one that starts at the same place. */
static int by_place(const void *a, const void *b)
{
    const pg_array *x = a, *y = b;
    if (x->data != y->data) return (const char *)x->data < (const char *)y->data ? -1 : 1;
    if (!x->count != !y->count) return x->count ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* The arrays, in order of place, must tile the data: no gap, no overlap, nothing after. */
static pg_status check_tiles(const pg_safetensors *file, pg_error *err)
{
    const char *at = file->data;
    for (size_t i = 0; i < file->count; i++) {
        const pg_array *array = &file->arrays[i];
        if ((const char *)array->data < at) return bad_array(file, array->name, err, "its data overlap another tensor's");
        if ((const char *)array->data > at) return bad_array(file, array->name, err, "there is a gap before its data");
        at += array->count * dtypes[array->dtype].size;
    }
    if (at != file->data + file->data_bytes) return bad(file, err, "bytes after the last tensor");
    return PG_OK;
}

static pg_status take_header(pg_safetensors *file, pg_error *err)
{
    pg_status status = PG_OK;
    const char *name;
    json_t *entry;
    if (json_object_size(file->header) > PG_TENSORS_MAX) return bad(file, err, "more than 65536 entries in the header");
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

/* ---- shorter names ---- */

static bool is_part(const char *text, size_t length, const char *const *parts)
{
    for (; *parts; parts++)
        if (strlen(*parts) == length && memcmp(*parts, text, length) == 0) return true;
    return false;
}

/* Write name without these parts to out and return the end of it. A name of such parts alone stays. */
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
            PG_TRY(bad_array(file, names[i], err, "two tensors have this name without the wrapper's prefix"));
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

/* ---- values ---- */

enum { SHAPE_MAX = 192 };

/* "[256, 384, 3, 3]" */
static const char *shape_text(int dims, const size_t *shape, char out[SHAPE_MAX])
{
    size_t used = (size_t)snprintf(out, SHAPE_MAX, "[");
    for (int i = 0; i < dims; i++) used += (size_t)snprintf(out + used, SHAPE_MAX - used, "%s%zu", i > 0 ? ", " : "", shape[i]);
    snprintf(out + used, SHAPE_MAX - used, "]");
    return out;
}

pg_status pg_safetensors_get(const pg_safetensors *file, const char *name, int dims, const size_t *shape, const pg_array **out,
                             pg_error *err)
{
    char expected[SHAPE_MAX], got[SHAPE_MAX];
    const pg_array *array = pg_safetensors_find(file, name);
    if (!array) return bad_array(file, name, err, "not in the file");
    bool same = dims < 0 || dims == array->dims;
    for (int i = 0; shape && i < dims && same; i++) same = shape[i] == array->shape[i];
    if (!same && !shape && dims > 0)
        return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected %d dimensions, got shape %s", file->path, name, dims,
                       shape_text(array->dims, array->shape, got));
    if (!same)
        return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected shape %s, got %s", file->path, name,
                       shape_text(dims, shape, expected), shape_text(array->dims, array->shape, got));
    *out = array;
    return PG_OK;
}

/* The array of that name and number of elements. */
static pg_status get_counted(const pg_safetensors *file, const char *name, size_t count, const pg_array **out, pg_error *err)
{
    const pg_array *array = NULL;
    const pg_status status = pg_safetensors_get(file, name, -1, NULL, &array, err);
    if (status != PG_OK) return status;
    if (array->count != count)
        return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected %zu elements, got %zu", file->path, name, count,
                       array->count);
    *out = array;
    return PG_OK;
}

static pg_status bad_type(const pg_safetensors *file, const pg_array *array, pg_error *err)
{
    return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%.200s': values of type %s cannot be read", file->path, array->name,
                   dtypes[array->dtype].name);
}

/* Half precision: sign, 5 bits of exponent, 10 of fraction. */
static float from_f16(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const float value = exponent == 31 ? (fraction ? NAN : INFINITY)
                                       : ldexpf((float)(exponent ? fraction + 1024 : fraction), (exponent ? exponent : 1) - 25);
    return bits >> 15 ? -value : value;
}

/* The upper half of a float. */
static float from_bf16(uint16_t bits)
{
    const uint32_t whole = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &whole, sizeof value);
    return value;
}

/* out[i] = element i of array, which is of the given type and aligned only by chance. */
#define CONVERT_BY(source, target, convert)                                                                                    \
    for (size_t i = 0; i < array->count; i++) {                                                                                \
        source value;                                                                                                          \
        memcpy(&value, (const char *)array->data + i * sizeof value, sizeof value);                                            \
        out[i] = (target)convert(value);                                                                                       \
    }                                                                                                                          \
    break
#define CONVERT(source, target) CONVERT_BY(source, target, )

pg_status pg_safetensors_read_f32(const pg_safetensors *file, const char *name, float *out, size_t count, pg_error *err)
{
    const pg_array *array = NULL;
    const pg_status status = get_counted(file, name, count, &array, err);
    if (status != PG_OK) return status;
    switch (array->dtype) {
    case PG_F32: CONVERT(float, float);
    case PG_F64: CONVERT(double, float);
    case PG_I64: CONVERT(int64_t, float);
    case PG_I32: CONVERT(int32_t, float);
    case PG_U8:
    case PG_BOOL: CONVERT(uint8_t, float);
    case PG_F16: CONVERT_BY(uint16_t, float, from_f16);
    case PG_BF16: CONVERT_BY(uint16_t, float, from_bf16);
    default: return bad_type(file, array, err);
    }
    return PG_OK;
}

pg_status pg_safetensors_read_f64(const pg_safetensors *file, const char *name, double *out, size_t count, pg_error *err)
{
    const pg_array *array = NULL;
    const pg_status status = get_counted(file, name, count, &array, err);
    if (status != PG_OK) return status;
    switch (array->dtype) {
    case PG_F32: CONVERT(float, double);
    case PG_F64: CONVERT(double, double);
    case PG_I64: CONVERT(int64_t, double);
    case PG_I32: CONVERT(int32_t, double);
    case PG_U8:
    case PG_BOOL: CONVERT(uint8_t, double);
    case PG_F16: CONVERT_BY(uint16_t, double, from_f16);
    case PG_BF16: CONVERT_BY(uint16_t, double, from_bf16);
    default: return bad_type(file, array, err);
    }
    return PG_OK;
}

pg_status pg_safetensors_read_i64(const pg_safetensors *file, const char *name, int64_t *out, size_t count, pg_error *err)
{
    const pg_array *array = NULL;
    const pg_status status = get_counted(file, name, count, &array, err);
    if (status != PG_OK) return status;
    switch (array->dtype) {
    case PG_I64: CONVERT(int64_t, int64_t);
    case PG_I32: CONVERT(int32_t, int64_t);
    case PG_U8:
    case PG_BOOL: CONVERT(uint8_t, int64_t);
    default:
        if (!pg_dtype_is_real(array->dtype)) return bad_type(file, array, err);
        return bad_array(file, name, err, "expected integers, got floating point");
    }
    return PG_OK;
}

pg_status pg_safetensors_read_u8(const pg_safetensors *file, const char *name, uint8_t *out, size_t count, pg_error *err)
{
    const pg_array *array = NULL;
    const pg_status status = get_counted(file, name, count, &array, err);
    if (status != PG_OK) return status;
    if (array->dtype != PG_U8) return bad_array(file, name, err, "expected bytes");
    if (count > 0) memcpy(out, array->data, count);
    return PG_OK;
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

/* ---- writing ---- */

/* Steal value into a new key of object. A NULL value (jansson refused the text, or has no memory) is a failure too. */
static pg_status put(json_t *object, const char *key, json_t *value, const char *path, pg_error *err)
{
    if (json_object_get(object, key)) {
        json_decref(value);
        return pg_fail(err, PG_BAD_INPUT, "%s: two entries are called '%s'", path, key);
    }
    if (json_object_set_new(object, key, value) != 0)
        return pg_fail(err, PG_BAD_INPUT, "%s: '%s' cannot be written: not UTF-8, or no memory", path, key);
    return PG_OK;
}

static pg_status put_array(json_t *header, const pg_array *array, size_t *offset, const char *path, pg_error *err)
{
    size_t count, bytes, end;
    if (!pg_is_printable(array->name))
        return pg_fail(err, PG_BAD_INPUT, "%s: a control character in the name of a tensor", path);
    if (strcmp(array->name, "__metadata__") == 0)
        return pg_fail(err, PG_BAD_INPUT, "%s: no tensor can be called '%s'", path, array->name);
    if (!array_size(array, &count, &bytes) || __builtin_add_overflow(*offset, bytes, &end) || end > INT64_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': too large", path, array->name);
    json_t *shape = json_array();
    for (int i = 0; i < array->dims; i++) json_array_append_new(shape, json_integer((json_int_t)array->shape[i]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[array->dtype].name, "shape", shape, "data_offsets",
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

/* Call visit for every array, large elements first. */
#define FOR_EACH_IN_FILE_ORDER(array, arrays, count)                                                                           \
    for (size_t size_ = 8; size_ > 0; size_ /= 2)                                                                              \
        for (const pg_array *array = (arrays); array < (arrays) + (count); array++)                                            \
            if (dtypes[array->dtype].size == size_)

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
        if (!array_size(array, &elements, &bytes) || bytes == 0) continue;
        memcpy(at, array->data, bytes);
        at += bytes;
    }
    PG_TRY(pg_file_write(path, file, start + data_bytes, mode, err));
done:
    free(header);
    pg_free(file);
    return status;
}
