/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What norm.c and norm_backward.c share: where sets and pixels lie, and how sums are computed.
 *
 * All kinds of norm are one computation on sets. For each image and channel, a kernel sums over the pixels: in pg_real over
 * short runs, in double over the runs. The sums of a set's channels and images are then added in order. */
#ifndef PG_COMPUTE_NORM_INTERNAL_H
#define PG_COMPUTE_NORM_INTERNAL_H

#include "core/compute/norm.h"

enum { RUN = 64 };           /* pixels summed in pg_real before the sum goes to double */
enum { CHANNEL_BLOCK = 64 }; /* channels that a kernel takes at a time */

/* Set of (image, channel), as an index into mean and inv_std. */
static inline size_t set_of(const pg_norm *norm, int image, int channel)
{
    switch (norm->kind) {
    case PG_NORM_BN: return (size_t)channel;
    case PG_NORM_GN: return (size_t)image * (size_t)norm->groups + (size_t)(channel / (norm->channels / norm->groups));
    case PG_NORM_IN: return (size_t)image * (size_t)norm->channels + (size_t)channel;
    case PG_NORM_NONE: break;
    }
    return 0;
}

/* Where an image begins in [N,H,W,C]. */
static inline ptrdiff_t image_at(const pg_norm *norm, int image)
{
    return (ptrdiff_t)image * norm->pixels * norm->channels;
}

/* From the beginning of an image to the first of the 2x2 pixels under pixel p of the pooled image. */
static inline ptrdiff_t pool_corner(const pg_norm *norm, int p)
{
    const int across = norm->pool_width / 2;
    return ((ptrdiff_t)(p / across) * 2 * norm->pool_width + (ptrdiff_t)(p % across) * 2) * norm->channels;
}

/* From there to pixel `tap` of the four. */
static inline ptrdiff_t pool_tap(const pg_norm *norm, int tap)
{
    return ((ptrdiff_t)(tap / 2) * norm->pool_width + tap % 2) * norm->channels;
}

/* The means [sets] of elements, given their sums [N,C] over the pixels. */
void pg_norm_set_means(const pg_norm *norm, int n, const double *sums, double *means);

#endif
