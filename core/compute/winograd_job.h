/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A planned pass of conv_winograd.c: the sizes and places of its arrays, and the blocks and panels that they are cut into. */
#ifndef PG_COMPUTE_WINOGRAD_JOB_H
#define PG_COMPUTE_WINOGRAD_JOB_H

#include "core/base/minmax.h"
#include "core/compute/conv.h"
#include "core/compute/parallel.h"
#include "core/compute/winograd_plans.h"

enum { PANEL = PG_PANEL, ALL_TILES = 256, BLOCK_TILES = 128, SHARDS = 8, LINE = 64 / sizeof(pg_real) };

typedef struct job {
    const pg_conv *conv;
    const kernel_plan *plan;
    bool backward;
    int n, tiles, tiles_across, planes; /* tiles of an image; planes of U */
    int in, out;                        /* channels summed over; channels made */
    int block, blocks, shards;          /* images in a full block; blocks; parts of them with a dU of their own */
    size_t whole_plane, panel_plane, u_plane, du_plane; /* elements from frequency to frequency */
    size_t whole_size, panel_size, u_size, du_size;     /* elements of each; u_size: of a panel, du_size: of a pair of panels */
    pg_real *whole, *panel, *u, *du;
    pg_real *zeros, *sink; /* stand-ins for pixels in the padding: one to read; one per thread to write */
    const pg_real *x, *w;  /* [N,H,W,C], [R,R,C,K] */
    pg_real *y;            /* [N,OH,OW,K] */
    const pg_conv_grads *grads;
} job;

static inline int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

/* Elements from plane to plane: an odd number of cache lines, so that planes do not share cache sets. */
static inline size_t plane(size_t count)
{
    return ((count + LINE - 1) / LINE | 1) * LINE;
}

static inline int panels(int channels)
{
    return ceil_div(channels, PANEL);
}

/* The channels of a panel. */
static inline int panel_width(int channels, int panel)
{
    return pg_min(PANEL, channels - panel * PANEL);
}

/* Elements from row to row in a panel. */
static inline int panel_row(int channels)
{
    return channels < PANEL ? ceil_div(channels, LINE) * LINE : PANEL;
}

static inline bool one_block(const job *j)
{
    return j->blocks == 1;
}

static inline int units(const job *j)
{
    return j->backward ? j->shards : j->blocks;
}

static inline bool side_by_side(const job *j)
{
    return units(j) >= pg_compute_threads();
}

/* Some images, consecutive, and the `whole` that serves them. */
typedef struct block {
    const job *job;
    int first, images, shard;
    bool begun; /* dU has sums of earlier blocks */
    pg_real *whole;
} block;

static inline block open_block(const job *j, int number)
{
    const int first = number * j->block;
    return (block){.job = j,
                   .first = first,
                   .images = pg_min(j->block, j->n - first),
                   .whole = j->whole + (side_by_side(j) ? (size_t)pg_compute_thread() * j->whole_size : 0)};
}

static inline int block_rows(const block *b)
{
    return b->images * b->job->tiles;
}

/* The calling thread's part of an array that has one for each thread. */
static inline pg_real *mine(pg_real *array, size_t size)
{
    return array + (size_t)pg_compute_thread() * size;
}

#endif
