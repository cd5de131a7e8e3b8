/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Embedding an owner's evidence into a trained network: a training task that belongs to no grid.
 *
 * The evidence is bound to the owner's secret. The network of the last epoch counts, because that of the epoch with the best
 * accuracy may hold too little of the mark. */
#ifndef PG_WORK_EMBED_H
#define PG_WORK_EMBED_H

#include "experiments/work/execute.h"

typedef struct pg_embedding {
    const char *model;  /* file of a network without passport layers */
    const char *secret; /* file of pg_secret_save */
    const char *statement;
    const pg_scheme *scheme;
    const char *const *sets; /* "bits=512", "train.crop=false": options of the scheme and of training, as in a grid's entry */
    int set_count;
    pg_data_options data;       /* name empty: the data set that the model file names; the counts are below */
    const char *data_directory; /* NULL: the default */
    int train, test;            /* images; 0: all */
    int epochs;
    double lr;
    uint64_t seed;
    const char *out, *evidence; /* files to write */
} pg_embedding;

typedef struct pg_embedded {
    double before, after; /* accuracy, percent of the test images */
    double proof, needed; /* bits */
    bool proves;
} pg_embedded;

/* Train the network on, and write it and its evidence (mode 0600) when all is done. `at` gives the callbacks and the time
 * between checkpoints. PG_INTERRUPTED if at->stop returned true: the state is in the folder OUT.work, and the same call
 * continues from it. PG_BAD_INPUT if a file to write exists, or if the scheme cannot be embedded into a trained network. */
PG_CHECKED pg_status pg_embed(const pg_embedding *order, const pg_workplace *at, pg_embedded *out, pg_error *err);

#endif
