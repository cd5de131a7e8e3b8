/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The transforms of weights and of their gradients, for conv_winograd.c. A transform of one kernel is compiled once for each
 * plan, without loops, and called from everywhere else. */
#ifndef PG_COMPUTE_WINOGRAD_WEIGHTS_H
#define PG_COMPUTE_WINOGRAD_WEIGHTS_H

#include "core/compute/winograd_job.h"
#include "core/compute/winograd_tiles.h"

/* ---- one kernel ---- */

INLINE vec read_sum_of_planes(const operands *o, int at)
{
    vec sum = read_plane(o, at);
    for (int s = 1; s < o->count; s++) sum += load(o->planes + (size_t)at * o->plane + (size_t)s * o->step);
    return sum;
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

/* ---- panels of U ---- */

enum { TURN = 16 }; /* rows of U computed at a time */

enum { QUAD = 4 };
typedef pg_real quad __attribute__((vector_size(QUAD * sizeof(pg_real))));

/* Transpose 4x4 elements. */
static void turn_quad(const pg_real *from, int line, pg_real *to)
{
    quad in[QUAD];
    for (int i = 0; i < QUAD; i++) memcpy(&in[i], from + (ptrdiff_t)i * line, sizeof *in);
    const quad low01 = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5),
               high01 = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7),
               low23 = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5),
               high23 = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
    const quad out[QUAD] = {
        __builtin_shufflevector(low01, low23, 0, 1, 4, 5), __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
        __builtin_shufflevector(high01, high23, 0, 1, 4, 5), __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
    for (int i = 0; i < QUAD; i++) memcpy(to + i * TURN, &out[i], sizeof *out);
}

/* Transpose the weights of `rows` filters from `filter` on and `width` channels into turned [tap][row][channel]. */
static void turn_weights(const job *j, int filter, int rows, int channel, int width, pg_real *turned)
{
    const pg_conv_shape *s = &j->conv->shape;
    for (int tap = 0; tap < s->kernel * s->kernel; tap++, turned += TURN * TURN) {
        const pg_real *w = j->w + ((ptrdiff_t)tap * s->channels + channel) * s->filters + filter;
        int c = 0;
        for (; rows == TURN && c + QUAD <= width; c += QUAD)
            for (int r = 0; r < TURN; r += QUAD)
                turn_quad(w + (ptrdiff_t)c * s->filters + r, s->filters, turned + r * TURN + c);
        for (; c < width; c++)
            for (int r = 0; r < rows; r++) turned[r * TURN + c] = w[(ptrdiff_t)c * s->filters + r];
    }
}

/* Copy the first `lanes` elements of every tap of a kernel. */
static void copy_taps(const kernel_plan *k, const pg_real *from, size_t from_tap, int lanes, pg_real *to, size_t to_tap)
{
    for (int tap = 0; tap < k->kernel * k->kernel; tap++, from += from_tap, to += to_tap)
        memcpy(to, from, (size_t)lanes * sizeof *to);
}

/* `rows` rows of U, for one panel of `out`: w [R,R,rows,..] with tap elements from tap to tap and line from row to row. */
static void u_rows(const job *j, const pg_real *w, size_t tap, int line, int rows, int width, pg_real *u)
{
    for (int r = 0; r < rows; r++, w += line, u += panel_row(j->out)) {
        int c = 0;
        for (; c + LANES <= width; c += LANES) weights_to_u(j->plan, w + c, tap, j->u_plane, u + c);
        if (c < width) {
            pg_real last[TAPS_MAX * TAPS_MAX * LANES] = {0};
            copy_taps(j->plan, w + c, tap, width - c, last, LANES);
            weights_to_u(j->plan, last, LANES, j->u_plane, u + c);
        }
    }
}

static void u_rows_backward(const job *j, int panel, int from, int rows, pg_real *u)
{
    _Alignas(64) pg_real turned[TAPS_MAX * TAPS_MAX * TURN * TURN];
    const int width = panel_width(j->out, panel);
    for (int c = 0; c < width; c += TURN) {
        const int part = pg_min(TURN, width - c);
        turn_weights(j, from, rows, panel * PANEL + c, part, turned);
        u_rows(j, turned, TURN * TURN, TURN, rows, part, u + c);
    }
}

/* Up to TURN rows of one panel of U = G w G'. */
static void make_u_rows(const job *j, int panel, int from, pg_real *u)
{
    const int rows = pg_min(TURN, j->in - from);
    u += (ptrdiff_t)from * panel_row(j->out);
    if (j->backward)
        u_rows_backward(j, panel, from, rows, u);
    else
        u_rows(j, j->w + (ptrdiff_t)from * j->out + panel * PANEL, (size_t)j->in * (size_t)j->out, j->out, rows,
               panel_width(j->out, panel), u);
}

static void u_part(void *context, int part)
{
    const job *j = context;
    const int parts = ceil_div(j->in, TURN), panel = part / parts;
    make_u_rows(j, panel, part % parts * TURN, j->u + (size_t)panel * j->u_size);
}

/* Compute all of U, unless every panel computes its own part. */
static void make_u(job *j)
{
    if (!one_block(j)) pg_parallel(panels(j->out) * ceil_div(j->in, TURN), u_part, j);
}

static pg_real *u_of_panel(const job *j, int panel)
{
    if (!one_block(j)) return j->u + (size_t)panel * j->u_size;
    pg_real *u = mine(j->u, j->u_size);
    for (int from = 0; from < j->in; from += TURN) make_u_rows(j, panel, from, u);
    return u;
}

/* dw += G'dU G of one panel of channels and one of filters; dU is the sum of `count` arrays, each `step` after the other. */
static void dw_of_pair(const job *j, int c_panel, int k_panel, const pg_real *du, int count, size_t step)
{
    const int filters = j->in, channels = j->out, width = panel_width(filters, k_panel);
    const size_t tap = (size_t)channels * (size_t)filters;
    for (int c = 0; c < panel_width(channels, c_panel); c++, du += panel_row(filters)) {
        pg_real *dw = j->grads->dw + (ptrdiff_t)(c_panel * PANEL + c) * filters + k_panel * PANEL;
        int q = 0;
        for (; q + LANES <= width; q += LANES) weights_from_u(j->plan, du + q, count, step, tap, j->du_plane, dw + q);
        if (q < width) {
            pg_real last[TAPS_MAX * TAPS_MAX * LANES] = {0};
            copy_taps(j->plan, dw + q, tap, width - q, last, LANES);
            weights_from_u(j->plan, du + q, count, step, LANES, j->du_plane, last);
            copy_taps(j->plan, last, LANES, width - q, dw + q, tap);
        }
    }
}

static void dw_part(void *context, int pair)
{
    const job *j = context;
    const int filter_panels = panels(j->in);
    const size_t shard = j->du_size * (size_t)(panels(j->in) * panels(j->out));
    dw_of_pair(j, pair / filter_panels, pair % filter_panels, j->du + (size_t)pair * j->du_size, j->shards, shard);
}

#endif
