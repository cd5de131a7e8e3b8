/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets: 8-bit RGB images with labels, in memory.
 *
 * Readers convert every kind of data set to this form. Task keys contain a checksum of these bytes. */
#ifndef PG_DATA_DATASET_H
#define PG_DATA_DATASET_H

#include "core/base/file.h"
#include "core/base/hash.h"

#include <stdbool.h>
#include <stdint.h>

/* One split. There are always 3 channels; the layout is NHWC. */
typedef struct pg_dataset {
    char name[64];
    int count, classes, height, width;
    uint8_t *images;  /* [count,height,width,3] */
    int32_t *labels;  /* [count], 0 .. classes-1 */
    char source[128]; /* where the data comes from, for people */
    char sha256[PG_SHA256_HEX];
} pg_dataset;

typedef struct pg_data {
    pg_dataset train, test;
    bool missing; /* set when loading failed because the data set is absent, not because it is damaged */
} pg_data;

/* Read the data set called name from a data directory (NULL: the default). PG_BAD_INPUT if it is absent; the message says how
 * to get it. */
PG_CHECKED pg_status pg_data_load(const char *name, const char *directory, pg_data *out, pg_error *err);
void pg_data_clear(pg_data *data);

/* Copy a class-balanced subset: rounds over the classes take the next image of each, in file order, until there are count; the
 * subset keeps file order. Count 0 copies all. PG_BAD_INPUT if there are fewer than count images. */
PG_CHECKED pg_status pg_dataset_subset(const pg_dataset *from, int count, pg_dataset *out, pg_error *err);
/* Copy the images that such a subset leaves out. */
PG_CHECKED pg_status pg_dataset_rest(const pg_dataset *from, int count, pg_dataset *out, pg_error *err);

/* Parts of a training set that have no image in common: the first half is the subset of half the images (rounded down), the
 * second half is the rest. */
typedef enum pg_half { PG_HALF_ALL, PG_HALF_FIRST, PG_HALF_SECOND } pg_half;
extern const char *const pg_half_names[];   /* by pg_half: "all", "first", "second"; ended by NULL */
int pg_half_count(pg_half half, int count); /* images of that part of `count` images */
PG_CHECKED pg_status pg_dataset_half(const pg_dataset *from, pg_half half, pg_dataset *out, pg_error *err);
void pg_dataset_clear(pg_dataset *data);

/* PG_BAD_INPUT unless a network with this image size and number of classes can run on the data set. */
PG_CHECKED pg_status pg_dataset_fits(const pg_dataset *data, int height, int width, int classes, pg_error *err);

/* Allocate memory for count images and labels. Allocates nothing on failure. */
PG_CHECKED pg_status pg_dataset_allocate(pg_dataset *data, int count, int height, int width, pg_error *err);

/* Set sha256 to the hash of the images, labels and sizes. */
void pg_dataset_hash(pg_dataset *data);

/* The data directory: override, else $PASSGRID_DATA, else ${XDG_CACHE_HOME:-~/.cache}/passgrid. */
PG_CHECKED pg_status pg_data_directory(char out[PG_PATH_MAX], const char *override, pg_error *err);

#endif
