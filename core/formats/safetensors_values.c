/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The values of arrays in safetensors files, converted to the types that the program computes with; see safetensors.h. */
#include "core/formats/safetensors_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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
    if (!array) return pg_safetensors_bad(file, name, err, "not in the file");
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

/* Find an array by name and check its number of elements. */
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
                   pg_dtypes[array->dtype].name);
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

/* out[i] = convert(element i of array), which has the source type and may be unaligned. */
#define CONVERT_BY(source, target, convert)                                                                                    \
    do                                                                                                                         \
        for (size_t i = 0; i < array->count; i++) {                                                                            \
            source value;                                                                                                      \
            memcpy(&value, (const char *)array->data + i * sizeof value, sizeof value);                                        \
            out[i] = (target)convert(value);                                                                                   \
        }                                                                                                                      \
    while (0)
#define CONVERT(source, target) CONVERT_BY(source, target, )

pg_status pg_safetensors_read_f32(const pg_safetensors *file, const char *name, float *out, size_t count, pg_error *err)
{
    const pg_array *array = NULL;
    const pg_status status = get_counted(file, name, count, &array, err);
    if (status != PG_OK) return status;
    switch (array->dtype) {
    case PG_F32: CONVERT(float, float); break;
    case PG_F64: CONVERT(double, float); break;
    case PG_I64: CONVERT(int64_t, float); break;
    case PG_I32: CONVERT(int32_t, float); break;
    case PG_U8:
    case PG_BOOL: CONVERT(uint8_t, float); break;
    case PG_F16: CONVERT_BY(uint16_t, float, from_f16); break;
    case PG_BF16: CONVERT_BY(uint16_t, float, from_bf16); break;
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
    case PG_F32: CONVERT(float, double); break;
    case PG_F64: CONVERT(double, double); break;
    case PG_I64: CONVERT(int64_t, double); break;
    case PG_I32: CONVERT(int32_t, double); break;
    case PG_U8:
    case PG_BOOL: CONVERT(uint8_t, double); break;
    case PG_F16: CONVERT_BY(uint16_t, double, from_f16); break;
    case PG_BF16: CONVERT_BY(uint16_t, double, from_bf16); break;
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
    case PG_I64: CONVERT(int64_t, int64_t); break;
    case PG_I32: CONVERT(int32_t, int64_t); break;
    case PG_U8:
    case PG_BOOL: CONVERT(uint8_t, int64_t); break;
    default:
        if (!pg_dtype_is_real(array->dtype)) return bad_type(file, array, err);
        return pg_safetensors_bad(file, name, err, "expected integers, got floating point");
    }
    return PG_OK;
}

pg_status pg_safetensors_read_u8(const pg_safetensors *file, const char *name, uint8_t *out, size_t count, pg_error *err)
{
    const pg_array *array = NULL;
    const pg_status status = get_counted(file, name, count, &array, err);
    if (status != PG_OK) return status;
    if (array->dtype != PG_U8) return pg_safetensors_bad(file, name, err, "expected bytes");
    if (count > 0) memcpy(out, array->data, count);
    return PG_OK;
}
