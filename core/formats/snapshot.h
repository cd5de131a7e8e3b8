/* A snapshot: the memory that a computation goes on from, listed once, to be written to a file and read back into place.
 *
 * Whoever lists twice the same gets back what was there: a caller fills a zeroed snapshot by PG_KEEP, then writes or reads. */
#ifndef PG_FORMATS_SNAPSHOT_H
#define PG_FORMATS_SNAPSHOT_H

#include "core/formats/safetensors.h"

#include <math.h>
#include <stdbool.h>

enum { PG_SNAPSHOT_MAX = 256 };

typedef struct pg_snapshot {
    int count;
    struct pg_kept {
        char name[40];
        pg_dtype dtype;
        void *data;
        size_t count, size; /* elements; bytes of one */
        double low, high;   /* of every element */
    } kept[PG_SNAPSHOT_MAX];
} pg_snapshot;

/* List count elements at `at` under a name (printf's arguments), unique in the snapshot. Nothing is copied. At most
 * PG_SNAPSHOT_MAX, which the writer checks. A bool is 0 or 1. */
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

/* For the owner alone: it may hold secrets. */
PG_CHECKED pg_status pg_snapshot_write(const pg_snapshot *snapshot, const char *path, pg_error *err);

/* Fill everything listed from the file's arrays of the same names, types and sizes, whose elements must lie within the listed
 * limits. Ignores other arrays. Changes nothing on failure. */
PG_CHECKED pg_status pg_snapshot_read(const pg_snapshot *snapshot, const pg_safetensors *file, pg_error *err);

#endif
