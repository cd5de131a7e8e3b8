/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one transform of conv_winograd.c reads and writes, LANES channels at a time: planes, and either the pixels of a tile or
 * the weights of a kernel. */
#ifndef PG_COMPUTE_WINOGRAD_TILES_H
#define PG_COMPUTE_WINOGRAD_TILES_H

#include "core/compute/winograd_plans.h"

/* The pixels under a tile, [size][size]. A transform reads or writes `pixel`; a transform that adds reads `before` and writes
 * the sum to `pixel`. */
typedef struct tile_pixels {
    pg_real *pixel[T_MAX * T_MAX];
    const pg_real *before[T_MAX * T_MAX];
} tile_pixels;

struct operands {
    const kernel_plan *k;
    const tile_pixels *pixels;
    int channel;
    pg_real *planes;
    size_t plane;
    pg_real *w; /* weights or their gradient */
    size_t tap;
    int count; /* arrays of planes, each `step` elements after the other */
    size_t step;
};

INLINE vec read_plane(const operands *o, int at)
{
    return load(o->planes + (size_t)at * o->plane);
}

INLINE void write_plane(const operands *o, int at, vec v)
{
    store(o->planes + (size_t)at * o->plane, v);
}

#endif
