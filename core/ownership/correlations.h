/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Correlations between the activations of two networks on the same images, channel by channel of every space
 * (core/nets/spaces.h). They do not change when a network is rewritten, except that its channels are permuted. */
#ifndef PG_OWNERSHIP_CORRELATIONS_H
#define PG_OWNERSHIP_CORRELATIONS_H

#include "core/nets/model.h"

typedef struct pg_correlations pg_correlations;

/* Run both public branches, in mode EVAL, on images [count,height,width,3]. The networks have the same architecture and image
 * size; their numbers of channels may differ. The activations of a space are the input of the first layer with weights that
 * reads it. */
PG_CHECKED pg_status pg_correlations_measure(const pg_model *ours, const pg_model *theirs, const pg_real *images, int count,
                                             pg_correlations **out, pg_error *err);
void pg_correlations_destroy(pg_correlations **correlations);

/* Add the correlations (Pearson's, over images and positions; 0 for channels that never vary) of a space to score, [channels of
 * ours, channels of theirs]. */
void pg_correlations_add(const pg_correlations *correlations, int space, double *score);

#endif
