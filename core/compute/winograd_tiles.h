/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Winograd's transforms of one tile, or of the weights of one kernel, for conv_winograd.c: LANES channels at a time. */
#ifndef PG_COMPUTE_WINOGRAD_TILES_H
#define PG_COMPUTE_WINOGRAD_TILES_H

#include "core/compute/winograd_plans.h"

/* The pixels under a tile, [size][size]. A transform reads or writes `pixel`; a transform that adds reads `before` and writes
 * the sum to `pixel`. */
typedef struct tile_pixels {
    pg_real *pixel[T_MAX * T_MAX];
    const pg_real *before[T_MAX * T_MAX];
} tile_pixels;

/* A transform of one tile and up to LANES channels. planes is the place of the tile in the first plane of V or M, and plane the
 * distance to the next. */
typedef void tile_body(const kernel_plan *k, const tile_pixels *t, int channel, int lanes, pg_real *planes, size_t plane);

/* V = B'x B. */
INLINE void tile_to_v(const kernel_plan *k, const tile_pixels *t, int channel, int lanes, pg_real *planes, size_t plane)
{
    vec in[T_MAX][T_MAX], out[T_MAX][T_MAX];
#pragma GCC unroll 9
    for (int i = 0; i < k->size; i++)
#pragma GCC unroll 9
        for (int j = 0; j < k->size; j++) in[i][j] = load(t->pixel[i * k->size + j] + channel, lanes);
    transform(&k->b, k->pairs, in, out);
#pragma GCC unroll 9
    for (int i = 0; i < k->size; i++)
#pragma GCC unroll 9
        for (int j = 0; j < k->size; j++) store(planes + (size_t)(i * k->size + j) * plane + channel, out[i][j], lanes);
}

/* dx += B dV B', or dx = B dV B' where `before` is zeros. */
INLINE void tile_from_v(const kernel_plan *k, const tile_pixels *t, int channel, int lanes, pg_real *planes, size_t plane)
{
    vec in[T_MAX][T_MAX], out[T_MAX][T_MAX];
#pragma GCC unroll 9
    for (int i = 0; i < k->size; i++)
#pragma GCC unroll 9
        for (int j = 0; j < k->size; j++) in[i][j] = load(planes + (size_t)(i * k->size + j) * plane + channel, lanes);
    transform_transposed(&k->b, k->pairs, in, out);
#pragma GCC unroll 9
    for (int i = 0; i < k->size; i++)
#pragma GCC unroll 9
        for (int j = 0; j < k->size; j++) {
            const vec before = load(t->before[i * k->size + j] + channel, lanes);
            store(t->pixel[i * k->size + j] + channel, before + out[i][j], lanes);
        }
}

/* dM = A dy A'. */
INLINE void tile_to_m(const kernel_plan *k, const tile_pixels *t, int channel, int lanes, pg_real *planes, size_t plane)
{
    vec in[T_MAX][T_MAX], out[T_MAX][T_MAX];
#pragma GCC unroll 4
    for (int i = 0; i < OUT; i++)
#pragma GCC unroll 4
        for (int j = 0; j < OUT; j++) in[i][j] = load(t->pixel[i * OUT + j] + channel, lanes);
    transform(&k->a, k->pairs, in, out);
#pragma GCC unroll 9
    for (int i = 0; i < k->size; i++)
#pragma GCC unroll 9
        for (int j = 0; j < k->size; j++) store(planes + (size_t)(i * k->size + j) * plane + channel, out[i][j], lanes);
}

/* y = A'M A. */
INLINE void tile_from_m(const kernel_plan *k, const tile_pixels *t, int channel, int lanes, pg_real *planes, size_t plane)
{
    vec in[T_MAX][T_MAX], out[T_MAX][T_MAX];
#pragma GCC unroll 9
    for (int i = 0; i < k->size; i++)
#pragma GCC unroll 9
        for (int j = 0; j < k->size; j++) in[i][j] = load(planes + (size_t)(i * k->size + j) * plane + channel, lanes);
    transform_transposed(&k->a, k->pairs, in, out);
#pragma GCC unroll 4
    for (int i = 0; i < OUT; i++)
#pragma GCC unroll 4
        for (int j = 0; j < OUT; j++) store(t->pixel[i * OUT + j] + channel, out[i][j], lanes);
}

/* U = G w G' for up to LANES of the C K entries of each tap: w [R,R,C K], with tap elements from tap to tap; u [frequency][C
 * K], with plane elements from frequency to frequency. */
INLINE void weights_to_u(const kernel_plan *k, const pg_real *w, size_t tap, size_t plane, int lanes, pg_real *u)
{
    const int r = k->g.columns, rows = 2 * k->pairs + k->g.singles;
    vec in[T_MAX][T_MAX], out[T_MAX][T_MAX];
#pragma GCC unroll 5
    for (int i = 0; i < r; i++)
#pragma GCC unroll 5
        for (int j = 0; j < r; j++) in[i][j] = load(w + (size_t)(k->tap[i] * r + k->tap[j]) * tap, lanes);
    transform(&k->g, k->pairs, in, out);
#pragma GCC unroll 9
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 9
        for (int j = 0; j < rows; j++) store(u + (size_t)(i * rows + j) * plane, out[i][j], lanes);
}

/* dw += G'dU G, in the same layout. dU is the sum of `count` arrays, each `step` elements after the other. */
INLINE void weights_from_u(const kernel_plan *k, const pg_real *u, int count, size_t step, size_t tap, size_t plane, int lanes,
                           pg_real *dw)
{
    const int r = k->g.columns, rows = 2 * k->pairs + k->g.singles;
    vec in[T_MAX][T_MAX], out[T_MAX][T_MAX];
#pragma GCC unroll 9
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 9
        for (int j = 0; j < rows; j++) {
            const pg_real *at = u + (size_t)(i * rows + j) * plane;
            in[i][j] = load(at, lanes);
            for (int s = 1; s < count; s++) in[i][j] += load(at + (size_t)s * step, lanes);
        }
    transform_transposed(&k->g, k->pairs, in, out);
#pragma GCC unroll 5
    for (int i = 0; i < r; i++)
#pragma GCC unroll 5
        for (int j = 0; j < r; j++) {
            pg_real *at = dw + (size_t)(k->tap[i] * r + k->tap[j]) * tap;
            store(at, load(at, lanes) + out[i][j], lanes);
        }
}

#endif
