/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of named arrays in the safetensors format.
 *
 * Format (Hugging Face, safetensors): 8 bytes little-endian length of the header; the header, a JSON object that gives each
 * tensor's dtype, shape and data_offsets, and texts under "__metadata__" (null and values other than texts count as absent),
 * padded with spaces to a multiple of 8; the data, little-endian, row-major, without gaps. The reader treats a file as hostile
 * input: it checks everything before it uses anything, and reports faults as "file: tensor 'x': ..." with PG_BAD_INPUT. The
 * format has no checksum: keep one elsewhere. */
#ifndef PG_FORMATS_SAFETENSORS_H
#define PG_FORMATS_SAFETENSORS_H

#include "core/base/file.h"
#include "core/base/real.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All types of the format. This program writes the first five. */
typedef enum pg_dtype {
    PG_F32,
    PG_F64,
    PG_I64,
    PG_I32,
    PG_U8,
    PG_F16,
    PG_BF16,
    PG_BOOL,
    PG_I8,
    PG_I16,
    PG_U16,
    PG_U32,
    PG_U64,
    PG_F8_E4M3,
    PG_F8_E5M2
} pg_dtype;

#ifdef PG_DOUBLE
#define PG_REAL_DTYPE            PG_F64
#define pg_safetensors_read_real pg_safetensors_read_f64
#else
#define PG_REAL_DTYPE            PG_F32
#define pg_safetensors_read_real pg_safetensors_read_f32
#endif

enum { PG_DIMS_MAX = 8, PG_HEADER_MAX = 1 << 24, PG_TENSORS_MAX = 1 << 16 };

/* One array, given to the writer or found by the reader. dims 0 is a scalar, of one element. */
typedef struct pg_array {
    const char *name; /* UTF-8 without control characters, unique */
    pg_dtype dtype;
    int dims;
    size_t shape[PG_DIMS_MAX];
    const void *data; /* row-major; borrowed by the writer; the reader's points into the file, aligned only by chance */
    size_t count;     /* elements; set by the reader, ignored by the writer */
} pg_array;

typedef struct pg_metadata {
    const char *key, *value; /* UTF-8; keys are unique */
} pg_metadata;

/* Write a file durably. Arrays are stored by falling element size, so that each is aligned, and otherwise in the order given;
 * metadata in the order given: the same arguments give the same bytes. */
PG_CHECKED pg_status pg_safetensors_write(const char *path, const pg_array *arrays, size_t count, const pg_metadata *metadata,
                                          size_t metadata_count, pg_file_mode mode, pg_error *err);

/* An open file, read as a whole. */
typedef struct pg_safetensors pg_safetensors;

PG_CHECKED pg_status pg_safetensors_open(const char *path, pg_safetensors **out, pg_error *err);
/* The same from memory. data is borrowed until close; name replaces the path in messages. */
PG_CHECKED pg_status pg_safetensors_parse(const void *data, size_t bytes, const char *name, pg_safetensors **out,
                                          pg_error *err);
void pg_safetensors_close(pg_safetensors **file);

/* Arrays in the order of their data; metadata in the order of the header. Results belong to the file; NULL if absent. */
size_t pg_safetensors_count(const pg_safetensors *file);
const pg_array *pg_safetensors_at(const pg_safetensors *file, size_t i);
const pg_array *pg_safetensors_find(const pg_safetensors *file, const char *name);
size_t pg_safetensors_metadata_count(const pg_safetensors *file);
const pg_metadata *pg_safetensors_metadata_at(const pg_safetensors *file, size_t i);
const char *pg_safetensors_metadata(const pg_safetensors *file, const char *key);

/* Copy the metadata of a key, or the fallback if there is none, to out [room]. PG_BAD_INPUT if the text is too long or has
 * control characters. */
PG_CHECKED pg_status pg_safetensors_text(const pg_safetensors *file, const char *key, const char *fallback, char *out,
                                         size_t room, pg_error *err);

/* Is it a floating-point type? */
bool pg_dtype_is_real(pg_dtype dtype);

/* Drop these parts (ended by NULL) from the dotted names of all arrays: without "module", "module.features.0.weight" becomes
 * "features.0.weight". PG_BAD_INPUT if two arrays would then have the same name. */
PG_CHECKED pg_status pg_safetensors_drop_parts(pg_safetensors *file, const char *const *parts, pg_error *err);

/* Find an array by name; PG_BAD_INPUT if it is absent or has another shape. shape NULL allows any shape of dims dimensions,
 * dims -1 any shape at all. */
PG_CHECKED pg_status pg_safetensors_get(const pg_safetensors *file, const char *name, int dims, const size_t *shape,
                                        const pg_array **out, pg_error *err);

/* Convert an array to out [count]; PG_BAD_INPUT if it is absent, has another number of elements or another type than these:
 * F32, F64, F16, BF16, I64, I32, U8 and BOOL to f32 and f64 (rounded to nearest); I64, I32, U8 and BOOL to i64. */
PG_CHECKED pg_status pg_safetensors_read_f32(const pg_safetensors *file, const char *name, float *out, size_t count,
                                             pg_error *err);
PG_CHECKED pg_status pg_safetensors_read_f64(const pg_safetensors *file, const char *name, double *out, size_t count,
                                             pg_error *err);
PG_CHECKED pg_status pg_safetensors_read_i64(const pg_safetensors *file, const char *name, int64_t *out, size_t count,
                                             pg_error *err);
/* Bytes only from U8. */
PG_CHECKED pg_status pg_safetensors_read_u8(const pg_safetensors *file, const char *name, uint8_t *out, size_t count,
                                            pg_error *err);

#endif
