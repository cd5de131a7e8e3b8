/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A snapshot: a list of the memory from which a computation resumes. It is written to a file and read back into the same
 * memory.
 *
 * The caller lists the memory in a zeroed snapshot with PG_KEEP, then writes or reads it. One function that lists serves both.
 */
#ifndef PG_FORMATS_SNAPSHOT_H
#define PG_FORMATS_SNAPSHOT_H

#include "core/formats/safetensors.h"

#include <math.h>
#include <stdbool.h>

enum { PG_SNAPSHOT_MAX = 256 };

typedef struct pg_snapshot {
    int count;
    const char *prefix; /* of the names of everything listed from now on; NULL: none */
    struct pg_kept {
        char name[40];
        pg_dtype dtype;
        void *data;
        size_t count, size; /* elements; bytes of one */
        double low, high;   /* of every element */
    } kept[PG_SNAPSHOT_MAX];
} pg_snapshot;

/* List count elements at `at` under a name (printf's arguments) that is unique in the snapshot. Nothing is copied.
 * pg_snapshot_write fails if there are more than PG_SNAPSHOT_MAX. A bool must be 0 or 1. */
#define PG_KEEP(snapshot, at, count, ...)                                                                                      \
    PG_KEEP_WITHIN(snapshot, at, count,                                                                                        \
                   _Generic(*(at), bool : 0, default                                                                           \
                            : -INFINITY),                                                                                      \
                   _Generic(*(at), bool : 1, default                                                                           \
                            : INFINITY),                                                                                       \
                   __VA_ARGS__)

/* The same for one number that must lie within low .. high, such as a position, a count or an index. */
#define PG_KEEP_IN(snapshot, at, low, high, ...) PG_KEEP_WITHIN(snapshot, at, 1, low, high, __VA_ARGS__)

#define PG_KEEP_WITHIN(snapshot, at, count, low, high, ...)                                                                    \
    pg_snapshot_keep(snapshot,                                                                                                 \
                     _Generic(*(at), float                                                                                     \
                              : PG_F32, double                                                                                 \
                              : PG_F64, long                                                                                   \
                              : PG_I64, int32_t                                                                                \
                              : PG_I32, uint32_t                                                                               \
                              : PG_I32, int8_t                                                                                 \
                              : PG_U8, uint8_t                                                                                 \
                              : PG_U8, bool                                                                                    \
                              : PG_U8),                                                                                        \
                     sizeof *(at), at, count, low, high, __VA_ARGS__)
void pg_snapshot_keep(pg_snapshot *snapshot, pg_dtype dtype, size_t size, void *at, size_t count, double low, double high,
                      const char *name, ...) PG_PRINTF(8, 9);

/* Write the file for the owner alone (PG_FILE_SECRET), because it may hold secrets. */
PG_CHECKED pg_status pg_snapshot_write(const pg_snapshot *snapshot, const char *path, pg_error *err);

/* Fill the listed memory from the arrays of the same names in the file. PG_BAD_INPUT if one is missing, has another type or
 * size, or has an element outside its limits. Ignores other arrays. Changes nothing on failure. */
PG_CHECKED pg_status pg_snapshot_read(const pg_snapshot *snapshot, const pg_safetensors *file, pg_error *err);

#endif
