/* Data sets: 8-bit RGB images with labels, in memory.
 *
 * Every kind is turned into this one form when it is read; a checksum of the canonical bytes names the data in task keys. */
#ifndef PG_DATA_DATASET_H
#define PG_DATA_DATASET_H

#include "core/base/file.h"
#include "core/base/hash.h"

#include <stdbool.h>
#include <stdint.h>

/* One split. Channels are always 3, order is NHWC. */
typedef struct pg_dataset {
    char name[64];
    int count, classes, height, width;
    uint8_t *images;  /* [count,height,width,3] */
    int32_t *labels;  /* [count], 0 .. classes-1 */
    char source[128]; /* where it comes from, in plain words */
    char sha256[PG_SHA256_HEX];
} pg_dataset;

typedef struct pg_data {
    pg_dataset train, test;
    bool missing; /* where loading failed: there is nothing of it, rather than something that cannot be used */
} pg_data;

/* Read the data set called name from its directory (NULL: the default one). Missing data is PG_BAD_INPUT and says how to get
 * it. */
PG_CHECKED pg_status pg_data_load(const char *name, const char *directory, pg_data *out, pg_error *err);
void pg_data_clear(pg_data *data);

/* Class-balanced subset: rounds over the classes, taking the next image of each in file order, until count are taken, put in
 * file order. Count 0: a copy. PG_BAD_INPUT where there are fewer images than count. */
PG_CHECKED pg_status pg_dataset_subset(const pg_dataset *from, int count, pg_dataset *out, pg_error *err);
/* The images that such a subset leaves out: none when it takes all. */
PG_CHECKED pg_status pg_dataset_rest(const pg_dataset *from, int count, pg_dataset *out, pg_error *err);
void pg_dataset_clear(pg_dataset *data);

/* PG_BAD_INPUT unless its images have this size and its labels are below classes: can a network run on it? */
PG_CHECKED pg_status pg_dataset_fits(const pg_dataset *data, int height, int width, int classes, pg_error *err);

/* Memory for count images; on failure nothing is left. */
PG_CHECKED pg_status pg_dataset_allocate(pg_dataset *data, int count, int height, int width, pg_error *err);

/* Set sha256 from the rest. */
void pg_dataset_hash(pg_dataset *data);

/* Where data sets are kept: override, else $PASSGRID_DATA, else ${XDG_CACHE_HOME:-~/.cache}/passgrid. */
PG_CHECKED pg_status pg_data_directory(char out[PG_PATH_MAX], const char *override, pg_error *err);

#endif
