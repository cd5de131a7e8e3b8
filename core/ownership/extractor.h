/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks that a perceptron reads from mean filters, and the training of that perceptron; see mark.h. Nothing here allocates. */
#ifndef PG_OWNERSHIP_EXTRACTOR_H
#define PG_OWNERSHIP_EXTRACTOR_H

#include "core/base/random.h"
#include "core/nets/model.h"
#include "core/ownership/evidence.h"

/* Read z [bits], and carry strength * slope [bits] back to the weights. pg_mark_read and pg_mark_carry_back call these. */
void pg_extractor_read(const pg_mark *mark, const pg_model *model, double *z);
void pg_extractor_carry_back(const pg_mark *mark, const pg_model *model, double strength, const double *slope,
                             pg_real *gradients);

/* One step of gradient descent on the perceptron, with the network fixed, for the loss sum_j BCE(sigmoid(z_j), b_j) and bits
 * b [bits]. shuffle: NULL, or the stream from which the channels of the mean filters get a random order; such filters stand for
 * a network without the mark. */
void pg_extractor_learn(pg_mark *mark, const pg_model *model, const int8_t *b, double rate, const pg_rng *shuffle);

#endif
