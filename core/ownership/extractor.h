/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks that a perceptron reads from mean filters, and the training of that perceptron; see mark.h. Nothing here allocates. */
#ifndef PG_OWNERSHIP_EXTRACTOR_H
#define PG_OWNERSHIP_EXTRACTOR_H

#include "core/base/random.h"
#include "core/nets/model.h"
#include "core/ownership/evidence.h"

/* z [bits], and strength * slope [bits] carried back to the weights; as pg_mark_read and pg_mark_carry_back, which call these.
 */
void pg_extractor_read(const pg_mark *mark, const pg_model *model, double *z);
void pg_extractor_carry_back(const pg_mark *mark, const pg_model *model, double strength, const double *slope,
                             pg_real *gradients);

/* One step of gradient descent over the perceptron, at fixed weights, on sum_j BCE(sigmoid(z_j), b_j), for bits b [bits]. With
 * shuffle it reads the mean filters with their channels in random orders from there, as those of a network without the mark. */
void pg_extractor_learn(pg_mark *mark, const pg_model *model, const int8_t *b, double rate, const pg_rng *shuffle);

#endif
