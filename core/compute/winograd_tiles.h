/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Winograd's transforms of one tile, or of the weights of one kernel, for conv_winograd.c: LANES channels at a time. Each is
 * compiled once for each plan, without loops, and called from everywhere else. */
#ifndef PG_COMPUTE_WINOGRAD_TILES_H
#define PG_COMPUTE_WINOGRAD_TILES_H

#include "core/compute/winograd_plans.h"

/* The pixels under a tile, [size][size]. A transform reads or writes `pixel`; a transform that adds reads `before` and writes
 * the sum to `pixel`. */
typedef struct tile_pixels {
    pg_real *pixel[T_MAX * T_MAX];
    const pg_real *before[T_MAX * T_MAX];
} tile_pixels;

/* A transform of LANES channels of one tile, `channel` the first of them. planes is their place in the first plane of V or M,
 * and plane the distance to the next. */
typedef void tile_body(const kernel_plan *plan, const tile_pixels *t, int channel, pg_real *planes, size_t plane);

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

INLINE vec read_pixel(const operands *o, int at)
{
    return load(o->pixels->pixel[at] + o->channel);
}

INLINE void write_pixel(const operands *o, int at, vec v)
{
    store(o->pixels->pixel[at] + o->channel, v);
}

INLINE void add_to_pixel(const operands *o, int at, vec v)
{
    store(o->pixels->pixel[at] + o->channel, load(o->pixels->before[at] + o->channel) + v);
}

INLINE vec read_plane(const operands *o, int at)
{
    return load(o->planes + (size_t)at * o->plane);
}

INLINE vec read_sum_of_planes(const operands *o, int at)
{
    vec sum = read_plane(o, at);
    for (int s = 1; s < o->count; s++) sum += load(o->planes + (size_t)at * o->plane + (size_t)s * o->step);
    return sum;
}

INLINE void write_plane(const operands *o, int at, vec v)
{
    store(o->planes + (size_t)at * o->plane, v);
}

INLINE pg_real *weight(const operands *o, int at)
{
    const int r = o->k->kernel;
    return o->w + (size_t)(o->k->tap[at / r] * r + o->k->tap[at % r]) * o->tap;
}

INLINE vec read_weight(const operands *o, int at)
{
    return load(weight(o, at));
}

INLINE void add_to_weight(const operands *o, int at, vec v)
{
    store(weight(o, at), load(weight(o, at)) + v);
}

/* V = B'x B. */
OUTLINE void tile_to_v(const kernel_plan *plan, const tile_pixels *t, int channel, pg_real *planes, size_t plane)
{
    const operands o = {.pixels = t, .channel = channel, .planes = planes, .plane = plane};
    WITH_KERNEL_PLAN(plan, transform(&k->b, k->pairs, read_pixel, write_plane, &o));
}

/* dx += B dV B', or dx = B dV B' where `before` is zeros. */
OUTLINE void tile_from_v(const kernel_plan *plan, const tile_pixels *t, int channel, pg_real *planes, size_t plane)
{
    const operands o = {.pixels = t, .channel = channel, .planes = planes, .plane = plane};
    WITH_KERNEL_PLAN(plan, transform_transposed(&k->b, k->pairs, read_plane, add_to_pixel, &o));
}

/* dM = A dy A'. */
OUTLINE void tile_to_m(const kernel_plan *plan, const tile_pixels *t, int channel, pg_real *planes, size_t plane)
{
    const operands o = {.pixels = t, .channel = channel, .planes = planes, .plane = plane};
    WITH_KERNEL_PLAN(plan, transform(&k->a, k->pairs, read_pixel, write_plane, &o));
}

/* y = A'M A. */
OUTLINE void tile_from_m(const kernel_plan *plan, const tile_pixels *t, int channel, pg_real *planes, size_t plane)
{
    const operands o = {.pixels = t, .channel = channel, .planes = planes, .plane = plane};
    WITH_KERNEL_PLAN(plan, transform_transposed(&k->a, k->pairs, read_plane, write_pixel, &o));
}

/* U = G w G' for LANES of the C K entries of each tap: w [R,R,C K], with tap elements from tap to tap; u [frequency][C K], with
 * plane elements from frequency to frequency. */
OUTLINE void weights_to_u(const kernel_plan *plan, const pg_real *w, size_t tap, size_t plane, pg_real *u)
{
    WITH_KERNEL_PLAN(plan, transform(&k->g, k->pairs, read_weight, write_plane,
                                     &(operands){.k = k, .w = (pg_real *)w, .tap = tap, .planes = u, .plane = plane}));
}

/* dw += G'dU G, in the same layout. dU is the sum of `count` arrays, each `step` elements after the other. */
OUTLINE void weights_from_u(const kernel_plan *plan, const pg_real *u, int count, size_t step, size_t tap, size_t plane,
                            pg_real *dw)
{
    WITH_KERNEL_PLAN(
        plan,
        transform_transposed(
            &k->g, k->pairs, read_sum_of_planes, add_to_weight,
            &(operands){.k = k, .w = dw, .tap = tap, .planes = (pg_real *)u, .plane = plane, .count = count, .step = step}));
}

#endif
