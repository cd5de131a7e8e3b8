/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Facts about a data set that the grid needs without its images. */
#ifndef PG_GRID_INPUTS_H
#define PG_GRID_INPUTS_H

#include "core/base/hash.h"
#include "core/data/picture_set.h"

typedef struct pg_input {
    char sha256[PG_SHA256_HEX];
    int classes, height, width, train, test; /* train, test: numbers of images */
} pg_input;

/* Find the facts of a data set: pictures, if it has a path, else that of the name. PG_BAD_INPUT, with advice, if it is absent.
 * directory NULL: the default. */
PG_CHECKED pg_status pg_input_find(const char *name, const pg_picture_set *pictures, const char *directory, pg_input *out,
                                   pg_error *err);

/* The checksum of a data set, over both splits. */
void pg_input_sum(const pg_data *data, char hex[PG_SHA256_HEX]);

/* From now on, assume the published sizes and no checksum for an absent data set. That is enough for a plan. */
void pg_inputs_assume(void);
/* Names of the data sets for which that was assumed, ended by NULL. */
const char *const *pg_inputs_assumed(void);

#endif
