/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The transforms of images, for conv_winograd.c. A transform of one tile is compiled once for each plan, without loops, and
 * called from everywhere else. */
#ifndef PG_COMPUTE_WINOGRAD_IMAGES_H
#define PG_COMPUTE_WINOGRAD_IMAGES_H

#include "core/compute/winograd_job.h"
#include "core/compute/winograd_tiles.h"

/* ---- one tile ---- */

/* A transform of LANES channels of one tile, `channel` the first of them. planes is their place in the first plane of V or M,
 * and plane the distance to the next. */
typedef void tile_body(const kernel_plan *plan, const tile_pixels *t, int channel, pg_real *planes, size_t plane);

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

/* ---- tiles of an image ---- */

/* The images that the tiles of a transform cover: x or y, or their gradients. */
typedef struct tiling {
    pg_real *images, *outside; /* outside: a stand-in for every pixel beyond the edge of an image */
    const pg_real *zeros;      /* if tiles are summed: the initial value; NULL: add to the images */
    int height, width, channels;
    int step, margin, size; /* pixels from tile to tile; of padding; of a tile along a side */
    int row;                /* elements from tile to tile in a plane */
    size_t plane;           /* elements from plane to plane */
} tiling;

static tiling inputs(const job *j, const pg_real *images, pg_real *outside)
{
    const pg_conv_shape *s = &j->conv->shape;
    const kernel_plan *k = j->plan;
    return (tiling){.images = (pg_real *)images,
                    .outside = outside,
                    .height = s->height,
                    .width = s->width,
                    .channels = s->channels,
                    .step = OUT * k->stride,
                    .margin = k->pad,
                    .size = k->size};
}

static tiling outputs(const job *j, const pg_real *images, pg_real *outside)
{
    const pg_conv *c = j->conv;
    return (tiling){.images = (pg_real *)images,
                    .outside = outside,
                    .height = c->out_height,
                    .width = c->out_width,
                    .channels = c->shape.filters,
                    .step = OUT,
                    .size = OUT};
}

/* Pixel i of a tile's side, in the order of the plan. */
static int place(const kernel_plan *k, const tiling *t, int i)
{
    return t->size == OUT ? i : k->pixel[i];
}

/* Find the pixels of tile (down, across) of an image. */
static void find_pixels(const kernel_plan *k, const tiling *t, pg_real *image, int down, int across, tile_pixels *pixels)
{
    const int top = down * t->step - t->margin, left = across * t->step - t->margin, size = t->size;
    pg_real *const outside = t->outside, **pixel = pixels->pixel;
    ptrdiff_t column[T_MAX];
    for (int j = 0; j < size; j++) {
        const int x = left + place(k, t, j);
        column[j] = x >= 0 && x < t->width ? (ptrdiff_t)x * t->channels : -1;
    }
    for (int i = 0; i < size; i++, pixel += size) {
        const int y = top + place(k, t, i);
        pg_real *line = image + (ptrdiff_t)y * t->width * t->channels;
        const bool inside = y >= 0 && y < t->height;
        for (int j = 0; j < size; j++) pixel[j] = inside && column[j] >= 0 ? line + column[j] : outside;
    }
}

/* Find what a tile adds to. The overlap of neighbours is never wider than their step, so a pixel is new unless the tile above
 * or to the left has it. */
static void find_before(const kernel_plan *k, const tiling *t, int down, int across, tile_pixels *pixels)
{
    const int overlap = t->size - t->step;
    for (int i = 0; i < t->size; i++)
        for (int j = 0; j < t->size; j++) {
            const bool seen = (down > 0 && place(k, t, i) < overlap) || (across > 0 && place(k, t, j) < overlap);
            pixels->before[i * t->size + j] = seen || !t->zeros ? pixels->pixel[i * t->size + j] : t->zeros;
        }
}

/* Prefetch the pixels that the tile below needs and this one does not. Always inlined, because gcc removes calls of a function
 * that only prefetches. */
INLINE void fetch_below(const tiling *t, const pg_real *image, int down, int across, int width)
{
    const int top = (down + 1) * t->step - t->margin + t->size - t->step, left = across * t->step;
    for (int y = top; y < pg_min(top + t->step, t->height); y++)
        for (int x = left; x < pg_min(left + t->step, t->width); x++)
            for (int c = 0; c < width; c += LINE)
                __builtin_prefetch(image + ((ptrdiff_t)y * t->width + x) * t->channels + c, 0, 2);
}

/* A transform between the pixels of tiles and their planes; if it reads and writes pixels, it adds to them. */
typedef struct direction {
    tile_body *body;
    bool reads, writes;
} direction;

static const direction to_v = {.body = tile_to_v, .reads = true}, from_v = {.body = tile_from_v, .reads = true, .writes = true},
                       to_m = {.body = tile_to_m, .reads = true}, from_m = {.body = tile_from_m, .writes = true};

/* Transform the last channels of a panel, fewer than LANES, through a copy of the pixels that has whole vectors. */
static void last_lanes(const kernel_plan *k, const direction *d, const tile_pixels *t, int count, int channel, int lanes,
                       pg_real *planes, size_t plane)
{
    _Alignas(64) pg_real copy[T_MAX * T_MAX][LANES];
    const size_t bytes = (size_t)lanes * sizeof **copy;
    tile_pixels copies;
    memset(copy, 0, (size_t)count * sizeof *copy);
    for (int i = 0; i < count; i++) {
        copies.pixel[i] = copy[i];
        copies.before[i] = copy[i];
        if (d->reads) memcpy(copy[i], (d->writes ? t->before[i] : t->pixel[i]) + channel, bytes);
    }
    d->body(k, &copies, 0, planes, plane);
    for (int i = 0; d->writes && i < count; i++) memcpy(t->pixel[i] + channel, copy[i], bytes);
}

/* Transform one panel of channels of all tiles of one image; rows is the place of its first tile in the first plane. */
static void tiles_of_image(const job *j, const tiling *t, int image, int panel, pg_real *rows, const direction *d)
{
    tile_pixels pixels;
    pg_real *at = t->images + (ptrdiff_t)image * t->height * t->width * t->channels + panel * PANEL;
    const int width = panel_width(t->channels, panel);
    for (int tile = 0; tile < j->tiles; tile++, rows += t->row) {
        const int down = tile / j->tiles_across, across = tile % j->tiles_across;
        find_pixels(j->plan, t, at, down, across, &pixels);
        if (d->reads && d->writes) find_before(j->plan, t, down, across, &pixels);
        fetch_below(t, at, down, across, width);
        int c = 0;
        for (; c + LANES <= width; c += LANES) d->body(j->plan, &pixels, c, rows + c, t->plane);
        if (c < width) last_lanes(j->plan, d, &pixels, t->size * t->size, c, width - c, rows + c, t->plane);
    }
}

/* A part of a block's `whole`: one panel of `in` of one image. */
static void whole_part(void *context, int part)
{
    const block *b = context;
    const job *j = b->job;
    const int row = panel_row(j->in), image = part / panels(j->in), panel = part % panels(j->in);
    pg_real *rows = b->whole + ((ptrdiff_t)panel * block_rows(b) + (ptrdiff_t)image * j->tiles) * row;
    tiling t = j->backward ? outputs(j, j->grads->dy, j->zeros) : inputs(j, j->x, j->zeros);
    t.row = row;
    t.plane = j->whole_plane;
    tiles_of_image(j, &t, b->first + image, panel, rows, j->backward ? &to_m : &to_v);
}

static void make_whole(const block *b)
{
    pg_parallel(b->images * panels(b->job->in), whole_part, (void *)b);
}

/* Transform all images of a block between their pixels and one panel of `out`. */
static void panel_of_block(const block *b, tiling t, int panel, pg_real *rows, const direction *d)
{
    const job *j = b->job;
    t.row = panel_row(j->out);
    t.plane = j->panel_plane;
    for (int i = 0; i < b->images; i++) tiles_of_image(j, &t, b->first + i, panel, rows + (ptrdiff_t)i * j->tiles * t.row, d);
}

static pg_real *my_sink(const job *j)
{
    return mine(j->sink, (size_t)(pg_max(j->in, j->out) + LANES));
}

static void y_from_panel(const block *b, int panel, pg_real *m)
{
    const job *j = b->job;
    panel_of_block(b, outputs(j, j->y, my_sink(j)), panel, m, &from_m);
}

static void v_to_panel(const block *b, int panel, pg_real *v)
{
    const job *j = b->job;
    panel_of_block(b, inputs(j, j->x, j->zeros), panel, v, &to_v);
}

static tiling gradients(const job *j)
{
    tiling t = inputs(j, j->grads->dx, my_sink(j));
    t.zeros = j->grads->add ? NULL : j->zeros;
    return t;
}

static void dx_from_panel(const block *b, int panel, pg_real *dv)
{
    panel_of_block(b, gradients(b->job), panel, dv, &from_v);
}

#endif
