/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small autoencoder of grey pictures of 8x8 pixels: it encodes a picture x as tanh(E x) and rebuilds it as D tanh(E x).
 * Pixels are centred: their mean over the pictures is zero. The encoder E is [codes,pixels], the decoder D [codes,pixels].
 * Nothing here allocates. */
#ifndef PG_OWNERSHIP_AUTOENCODER_H
#define PG_OWNERSHIP_AUTOENCODER_H

#include "core/base/random.h"
#include "core/base/real.h"
#include "core/data/dataset.h"

enum { PG_CODER_SIDE = 8, PG_CODER_PIXELS = PG_CODER_SIDE * PG_CODER_SIDE, PG_CODER_CODES_MAX = 64 };

/* Grey pictures [count,pixels] of the first images of a data set, centred. */
void pg_coder_pictures(const pg_dataset *from, int count, pg_real *out);

/* Train from random weights by SGD on the squared error: `sweeps` * count steps of one random picture each. */
void pg_coder_train(int codes, const pg_real *pictures, int count, int sweeps, pg_rng *rng, pg_real *encoder, pg_real *decoder);

/* Rebuild a picture [pixels]. */
void pg_coder_rebuild(int codes, const double *encoder, const pg_real *decoder, const pg_real *picture, double *out);

#endif
