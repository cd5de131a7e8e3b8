/* What the grid must know of a data set before any picture is loaded. */
#ifndef PG_GRID_INPUTS_H
#define PG_GRID_INPUTS_H

#include "core/base/hash.h"
#include "core/data/dataset.h"

typedef struct pg_input {
    char sha256[PG_SHA256_HEX];
    int classes, height, width, train, test; /* images of each part */
} pg_input;

/* Names that configurations may use, ended by NULL. */
const char *const *pg_input_names(void);

/* PG_BAD_INPUT, with what to do, if the data set is not there. directory NULL: the default. */
PG_CHECKED pg_status pg_input_find(const char *name, const char *directory, pg_input *out, pg_error *err);

/* The checksum of a data set, of both its parts. */
void pg_input_sum(const pg_data *data, char hex[PG_SHA256_HEX]);

/* From now on a data set that is not there is taken to have its published size and no checksum: enough to plan with. */
void pg_inputs_assume(void);
/* Names of those that were, ended by NULL. */
const char *const *pg_inputs_assumed(void);

#endif
