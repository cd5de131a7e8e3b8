/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolution by Winograd's minimal filtering, F(4x4,3x3) and F(4x4,5x5), all three passes in the transform domain
 * (Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016; points 0, 1, -1, 2, -2, [1/2, -1/2,] infinity).
 * A 3x3 kernel of stride 2 is split into phases: along each side the outer taps meet the even pixels of a tile, an F(4,2)
 * (points 1, -1, 2, -2, infinity), and the middle tap meets the odd ones, 4 plain products. 4x4 outputs take 81 products
 * instead of 144.
 *
 *   forward    V = B'x B   U = G w G'   M_f = V_f U_f   y = A'M A
 *   backward   dM = A dy A'   dU_f += V_f' dM_f   dV_f = dM_f U_f'   dw = G'dU G   dx = sum over tiles of B dV B'
 *
 * with one matrix product for each of the T x T frequencies f. Frequencies with the same weights share a plane of U.
 *
 * The images are processed in blocks and the channels in panels of PANEL, so that the products are small, their operands lie in
 * the order of memory, and the results of a panel are still in cache when they are transformed back. In a pass, `in` are the
 * channels that its main product sums over (C forward, K backward) and `out` those that it makes:
 *
 *   whole [f][panel of in][tile][channel]    V forward, dM backward: all panels of a block of images
 *   panel [f][tile][channel]                 M forward, V and then dV backward: one panel of `out`
 *   U     [panel of out][plane][in][channel]
 *   dU    [panel of C][panel of K][plane][channel][filter]
 *
 * If one block holds all images, U and dU are made and used a panel at a time. Otherwise U is made beforehand, and dU is summed
 * over the blocks of a shard and then over the shards, in order. Blocks (forward) or shards (backward) run side by side if
 * there are as many as threads; else they run in turn, and the threads share the panels of each. Every sum has one order in
 * both cases, because the shape and the batch alone fix the blocks, the shards and the panels. */
#include "core/base/minmax.h"
#include "core/compute/arena.h"
#include "core/compute/blas.h"
#include "core/compute/conv.h"
#include "core/compute/parallel.h"
#include "core/compute/winograd_tiles.h"

#include <string.h>

/* ---- a planned pass ---- */

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

static const kernel_plan *find_kernel_plan(const pg_conv_shape *s)
{
    for (size_t i = 0; i < sizeof kernel_plans / sizeof *kernel_plans; i++)
        if (s->kernel == kernel_plans[i]->kernel && s->stride == kernel_plans[i]->stride && s->pad == kernel_plans[i]->pad)
            return kernel_plans[i];
    return NULL;
}

static bool fits(const pg_conv_shape *s)
{
    return find_kernel_plan(s) != NULL;
}

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

/* Elements from plane to plane: an odd number of cache lines, because planes would otherwise share the same cache sets. */
static size_t plane(size_t count)
{
    return ((count + LINE - 1) / LINE | 1) * LINE;
}

static int panels(int channels)
{
    return ceil_div(channels, PANEL);
}

/* The channels of a panel. */
static int panel_width(int channels, int panel)
{
    return pg_min(PANEL, channels - panel * PANEL);
}

/* Elements from row to row in a panel. */
static int panel_row(int channels)
{
    return channels < PANEL ? ceil_div(channels, LINE) * LINE : PANEL;
}

static bool one_block(const job *j)
{
    return j->blocks == 1;
}

static int units(const job *j)
{
    return j->backward ? j->shards : j->blocks;
}

static bool side_by_side(const job *j)
{
    return units(j) >= pg_compute_threads();
}

static void cut_batch(job *j)
{
    const int tiles = j->tiles * j->n;
    j->block = tiles <= ALL_TILES ? j->n : pg_max(1, BLOCK_TILES / j->tiles);
    j->blocks = ceil_div(j->n, j->block);
    j->shards = panels(pg_max(j->in, j->out)) > 3 ? 1 : pg_min(SHARDS, j->blocks);
}

/* Lay the scratch out and return its size in elements. scratch may be NULL, to learn the size. */
static size_t lay_out(job *j, const pg_conv *conv, int n, bool backward, pg_real *scratch)
{
    const pg_conv_shape *s = &conv->shape;
    *j = (job){.conv = conv, .plan = find_kernel_plan(s), .backward = backward, .n = n};
    const int side = 2 * j->plan->pairs + j->plan->g.singles, widest = pg_max(s->channels, s->filters) + LANES;
    j->tiles_across = ceil_div(conv->out_width, OUT);
    j->tiles = ceil_div(conv->out_height, OUT) * j->tiles_across;
    j->planes = side * side;
    j->in = backward ? s->filters : s->channels;
    j->out = backward ? s->channels : s->filters;
    cut_batch(j);
    const size_t rows = (size_t)(j->block * j->tiles), f = (size_t)(j->plan->size * j->plan->size);
    const size_t threads = (size_t)pg_compute_threads(), out_row = (size_t)panel_row(j->out), in_row = (size_t)panel_row(j->in);
    j->whole_plane = plane(rows * (size_t)panels(j->in) * in_row);
    j->panel_plane = plane(rows * out_row);
    j->u_plane = plane((size_t)j->in * out_row);
    j->du_plane = plane(out_row * in_row);
    j->whole_size = f * j->whole_plane;
    j->panel_size = f * j->panel_plane;
    j->u_size = (size_t)j->planes * j->u_plane;
    j->du_size = (size_t)j->planes * j->du_plane;
    pg_arena a = {.base = scratch};
    j->zeros = pg_arena_take(&a, (size_t)widest);
    j->sink = pg_arena_take(&a, (size_t)widest * threads);
    j->whole = pg_arena_take(&a, j->whole_size * (side_by_side(j) ? threads : 1));
    j->panel = pg_arena_take(&a, j->panel_size * threads);
    j->u = pg_arena_take(&a, j->u_size * (one_block(j) ? threads : (size_t)panels(j->out)));
    const size_t pairs = (size_t)(panels(j->in) * panels(j->out) * j->shards);
    if (backward) j->du = pg_arena_take(&a, j->du_size * (one_block(j) ? threads : pairs));
    if (scratch) memset(j->zeros, 0, (size_t)widest * sizeof *j->zeros);
    return a.used;
}

static size_t scratch_size(const pg_conv *conv, int batch)
{
    size_t most = 0;
    job j;
    for (int n = 1; n <= batch; n++) /* a smaller batch may be cut into one block, and a larger one not */
        most = pg_max_size(most, pg_max_size(lay_out(&j, conv, n, false, NULL), lay_out(&j, conv, n, true, NULL)));
    return most;
}

/* Some images, consecutive, and the `whole` that serves them. */
typedef struct block {
    const job *job;
    int first, images, shard;
    bool begun; /* dU has sums of earlier blocks */
    pg_real *whole;
} block;

static block open_block(const job *j, int number)
{
    const int first = number * j->block;
    return (block){.job = j,
                   .first = first,
                   .images = pg_min(j->block, j->n - first),
                   .whole = j->whole + (side_by_side(j) ? (size_t)pg_compute_thread() * j->whole_size : 0)};
}

static int block_rows(const block *b)
{
    return b->images * b->job->tiles;
}

/* The calling thread's part of an array that has one for each thread. */
static pg_real *mine(pg_real *array, size_t size)
{
    return array + (size_t)pg_compute_thread() * size;
}

/* ---- transforms of images ---- */

/* The images that the tiles of a transform cover: x or y, or their gradients. */
typedef struct tiling {
    pg_real *images, *outside; /* outside: a stand-in for every pixel beyond the edge of an image */
    const pg_real *zeros;      /* if the tiles are added up: what was before the first; NULL: add to the images */
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

/* Fetch the pixels that the tile below needs and this one does not. gcc removes calls of a function that only fetches, so this
 * one is always inlined. */
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

/* ---- transforms of weights ---- */

enum { TURN = 16 }; /* rows of U that are made at a time */

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

/* turned [tap][row][channel]: the weights of `rows` filters from `filter` on and `width` channels, exchanged. */
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

/* Make all of U, if the panels will not each make their own. */
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

/* ---- products ---- */

/* The plane of U that a frequency uses. */
static int plane_of(const job *j, int f)
{
    const int size = j->plan->size, side = 2 * j->plan->pairs + j->plan->g.singles;
    return pg_min(f / size, side - 1) * side + pg_min(f % size, side - 1);
}

/* panel_f = sum over the panels of `in` of whole_f U_f. */
static void multiply_panel(const block *b, const pg_real *u, int width, pg_real *to)
{
    const job *j = b->job;
    const int rows = block_rows(b), in_row = panel_row(j->in), out_row = panel_row(j->out);
    for (int f = 0; f < j->plan->size * j->plan->size; f++) {
        const pg_real *from = b->whole + (size_t)f * j->whole_plane, *weights = u + (size_t)plane_of(j, f) * j->u_plane;
        for (int i = 0; i < panels(j->in); i++)
            pg_gemm(false, false, rows, width, panel_width(j->in, i), from + (ptrdiff_t)i * rows * in_row, in_row,
                    weights + (ptrdiff_t)i * PANEL * out_row, out_row, i > 0, to + (size_t)f * j->panel_plane, out_row);
    }
}

/* dU_f += V_f' dM_f of one panel of each. */
static void multiply_pair(const block *b, int c_panel, int k_panel, const pg_real *v, pg_real *du)
{
    const job *j = b->job;
    const int rows = block_rows(b), in_row = panel_row(j->in), out_row = panel_row(j->out);
    const int side = 2 * j->plan->pairs + j->plan->g.singles, size = j->plan->size;
    for (int f = 0; f < size * size; f++) {
        const bool begun = b->begun || f / size >= side || f % size >= side;
        pg_gemm(true, false, panel_width(j->out, c_panel), panel_width(j->in, k_panel), rows, v + (size_t)f * j->panel_plane,
                out_row, b->whole + (size_t)f * j->whole_plane + (ptrdiff_t)k_panel * rows * in_row, in_row, begun,
                du + (size_t)plane_of(j, f) * j->du_plane, in_row);
    }
}

/* ---- passes ---- */

static void forward_panel(void *context, int panel)
{
    const block *b = context;
    const job *j = b->job;
    pg_real *m = mine(j->panel, j->panel_size);
    multiply_panel(b, u_of_panel(j, panel), panel_width(j->out, panel), m);
    y_from_panel(b, panel, m);
}

static void forward_block(void *context, int number)
{
    const job *j = context;
    block b = open_block(j, number);
    make_whole(&b);
    pg_parallel(panels(j->out), forward_panel, &b);
}

static void backward_pair(const block *b, int c_panel, int k_panel, const pg_real *v)
{
    const job *j = b->job;
    const int pair = c_panel * panels(j->in) + k_panel;
    if (one_block(j)) {
        pg_real *du = mine(j->du, j->du_size);
        multiply_pair(b, c_panel, k_panel, v, du);
        dw_of_pair(j, c_panel, k_panel, du, 1, 0);
    } else {
        const int pairs = panels(j->in) * panels(j->out);
        multiply_pair(b, c_panel, k_panel, v, j->du + (size_t)(b->shard * pairs + pair) * j->du_size);
    }
}

static void backward_panel(void *context, int panel)
{
    const block *b = context;
    const job *j = b->job;
    pg_real *v = mine(j->panel, j->panel_size);
    if (j->grads->dw) {
        v_to_panel(b, panel, v);
        for (int k = 0; k < panels(j->in); k++) backward_pair(b, panel, k, v);
    }
    if (j->grads->dx) {
        multiply_panel(b, u_of_panel(j, panel), panel_width(j->out, panel), v);
        dx_from_panel(b, panel, v);
    }
}

static void backward_shard(void *context, int shard)
{
    const job *j = context;
    const int from = shard * j->blocks / j->shards, to = (shard + 1) * j->blocks / j->shards;
    for (int number = from; number < to; number++) {
        block b = open_block(j, number);
        b.shard = shard;
        b.begun = number > from;
        make_whole(&b);
        pg_parallel(panels(j->out), backward_panel, &b);
    }
}

/* Run the blocks or shards in parallel; or one after the other, and the threads share the panels of each. */
static void run_units(job *j, void (*body)(void *context, int number))
{
    if (side_by_side(j))
        pg_parallel(units(j), body, j);
    else
        for (int i = 0; i < units(j); i++) body(j, i);
}

static void forward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, pg_real *y, pg_real *scratch)
{
    job j;
    lay_out(&j, conv, n, false, scratch);
    j.x = x;
    j.w = w;
    j.y = y;
    make_u(&j);
    run_units(&j, forward_block);
}

static void backward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, const pg_conv_grads *grads,
                     pg_real *scratch)
{
    job j;
    lay_out(&j, conv, n, true, scratch);
    j.x = x;
    j.w = w;
    j.grads = grads;
    if (grads->dx) make_u(&j);
    run_units(&j, backward_shard);
    if (grads->dw && !one_block(&j)) pg_parallel(panels(j.in) * panels(j.out), dw_part, &j);
}

const pg_conv_algorithm pg_conv_winograd = {
    .name = "winograd", .fits = fits, .scratch = scratch_size, .forward = forward, .backward = backward};
