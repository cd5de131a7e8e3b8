/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batches: 8-bit images become normalised NHWC arrays, with the augmentation of the reference. */
#ifndef PG_DATA_BATCH_H
#define PG_DATA_BATCH_H

#include "core/base/random.h"
#include "core/base/real.h"
#include "core/data/dataset.h"

/* Per-channel (value / 255 - mean) / deviation. IMAGENET: 0.485 0.456 0.406 / 0.229 0.224 0.225, the current reference. CIFAR:
 * 0.4914 0.4822 0.4465 / 0.2023 0.1994 0.2010, the reference of 2019. */
typedef enum pg_pixels { PG_PIXELS_IMAGENET, PG_PIXELS_CIFAR } pg_pixels;
extern const char *const pg_pixels_names[]; /* ended by NULL */

/* A pixel of `value`, 0 to 1, as networks see it. */
double pg_pixel(pg_pixels pixels, int channel, double value);

/* Augmentation of training images, in this order: pad by 4 with black and crop a random window of the old size; mirror with
 * probability 1/2. */
typedef struct pg_augment {
    bool crop, flip;
} pg_augment;

/* Fill out [n,height,width,3] with images index[0..n-1]. augment may be NULL; rng is used only with augment. */
void pg_batch_fill(const pg_dataset *data, const uint32_t *index, int n, const pg_augment *augment, pg_pixels pixels,
                   pg_rng *rng, pg_real *out);

/* Fill out [n,height,width,3] with images from .. from+n-1, without augmentation. */
void pg_batch_range(const pg_dataset *data, int from, int n, pg_pixels pixels, pg_real *out);

/* The batches of a training run. The order of each epoch and the augmentation of each step have random streams of their own, so
 * a resumed training can start at any position. Leaves out the last, incomplete batch of an epoch. */
typedef struct pg_batches pg_batches;
PG_CHECKED pg_status pg_batches_create(const pg_dataset *data, int batch, pg_augment augment, pg_pixels pixels, pg_seed seed,
                                       pg_batches **out, pg_error *err);
void pg_batches_destroy(pg_batches **batches);

/* Write batch `step` of `epoch` to images [batch,height,width,3] and labels [batch]. A thread then prepares the next batch
 * while the caller computes. */
PG_CHECKED pg_status pg_batches_get(pg_batches *batches, int epoch, int step, pg_real *images, int32_t *labels, pg_error *err);

#endif
