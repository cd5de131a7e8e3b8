/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared parts of the files that implement safetensors.h. */
#ifndef PG_FORMATS_SAFETENSORS_INTERNAL_H
#define PG_FORMATS_SAFETENSORS_INTERNAL_H

#include "core/formats/safetensors.h"

#include <jansson.h>

enum { PREFIX = 8 }; /* bytes of the header's length */

struct pg_safetensors {
    char *path;
    char *owned;      /* the bytes, if pg_safetensors_close must free them */
    json_t *header;   /* names and texts point into it */
    const char *data; /* after the header */
    size_t data_bytes;
    size_t count, metadata_count;
    pg_array *arrays;
    pg_metadata *metadata;
    char *names; /* shortened names, if there are any */
};

/* Name and bytes per element of each pg_dtype. */
typedef struct pg_dtype_facts {
    const char *name;
    size_t size;
} pg_dtype_facts;
extern const pg_dtype_facts pg_dtypes[];

/* Elements and bytes of a shape; false if they overflow or there are too many dimensions. */
bool pg_array_size(const pg_array *array, size_t *count, size_t *bytes);

/* PG_BAD_INPUT, "FILE: tensor 'NAME': what". */
pg_status pg_safetensors_bad(const pg_safetensors *file, const char *name, pg_error *err, const char *what);

#endif
