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
 * with one matrix product for each of the T x T frequencies f: V [f][tile][C], M [f][tile][K], U [f][C][K]. Frequencies with
 * the same weights share a plane of U. The images are processed in blocks, so that V and M stay in cache; the blocks follow
 * from the shape alone and run in order. Within a block the threads share out the (image, channels) pairs of the transforms and
 * the planes of U, so every sum has one order whatever the number of threads. */
#include "core/base/minmax.h"
#include "core/compute/arena.h"
#include "core/compute/blas.h"
#include "core/compute/conv.h"
#include "core/compute/parallel.h"
#include "core/compute/winograd_tiles.h"

#include <string.h>

/* ---- a planned pass ---- */

enum { BLOCK_TILES = 128, GROUP = 64 }; /* tiles in a block, about; channels in a part of a transform */

typedef struct job {
    const pg_conv *conv;
    const kernel_plan *plan;
    int tiles_down, tiles_across, weight_side; /* U has weight_side^2 planes */
    int block, first, images;                  /* images in a full block; first image and images of the current block */
    size_t v_plane, m_plane, u_plane;
    pg_real *v, *m, *u, *du; /* [f][tile][C], [f][tile][K], and [plane][C][K] twice */
    pg_real *zeros, *sink;   /* stand-ins for pixels in the padding: one to read; one per thread to write */
    int widest;              /* channels of those */
    const pg_real *x, *w;    /* [N,H,W,C], [R,R,C,K] */
    pg_real *transposed;     /* w with channels and filters exchanged, [R,R,K,C] */
    pg_real *y;              /* [N,OH,OW,K] */
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

/* Elements from plane to plane: an odd number of cache lines, because planes would otherwise share the same cache sets. */
static size_t plane(size_t count)
{
    const size_t line = 64 / sizeof(pg_real);
    return ((count + line - 1) / line | 1) * line;
}

/* Lay the scratch out and return its size in elements. scratch may be NULL, to learn the size. */
static size_t lay_out(job *j, const pg_conv *conv, int batch, bool backward, pg_real *scratch)
{
    const pg_conv_shape *s = &conv->shape;
    *j = (job){.conv = conv, .plan = find_kernel_plan(s)};
    j->tiles_down = (conv->out_height + OUT - 1) / OUT;
    j->tiles_across = (conv->out_width + OUT - 1) / OUT;
    j->weight_side = 2 * j->plan->pairs + j->plan->g.singles;
    const int tiles = j->tiles_down * j->tiles_across, block = pg_max(1, BLOCK_TILES / tiles);
    j->block = pg_min(block, batch);
    j->widest = pg_max(s->channels, s->filters) + LANES;
    const size_t rows = (size_t)j->block * (size_t)tiles, f = (size_t)(j->plan->size * j->plan->size),
                 u = (size_t)(j->weight_side * j->weight_side);
    const size_t weights = (size_t)s->channels * (size_t)s->filters;
    j->v_plane = plane(rows * (size_t)s->channels);
    j->m_plane = plane(rows * (size_t)s->filters);
    j->u_plane = plane(weights);
    pg_arena a = {.base = scratch};
    j->zeros = pg_arena_take(&a, (size_t)j->widest);
    j->sink = pg_arena_take(&a, (size_t)j->widest * (size_t)pg_compute_threads());
    j->u = pg_arena_take(&a, u * j->u_plane);
    j->v = pg_arena_take(&a, f * j->v_plane);
    j->m = pg_arena_take(&a, f * j->m_plane);
    if (backward) {
        j->du = pg_arena_take(&a, u * j->u_plane);
        j->transposed = pg_arena_take(&a, (size_t)(s->kernel * s->kernel) * weights);
    }
    if (scratch) memset(j->zeros, 0, (size_t)j->widest * sizeof *j->zeros);
    return a.used;
}

static size_t scratch_size(const pg_conv *conv, int batch)
{
    job j;
    return lay_out(&j, conv, batch, true, NULL);
}

/* ---- transforms of images ---- */

/* The images that the tiles of a transform cover: x or y, or their gradients. */
typedef struct tiling {
    pg_real *images, *outside; /* outside: stands for every pixel beyond the edge of an image */
    int height, width, channels;
    int step, margin, size; /* pixels from tile to tile; of padding; of a tile along a side */
    const int *pixel;       /* [size]: their places from the corner of the tile */
} tiling;

static void find_pixels(const tiling *t, pg_real *image, int top, int left, pg_real **pixels)
{
    for (int i = 0; i < t->size; i++)
        for (int j = 0; j < t->size; j++) {
            const int y = top + t->pixel[i], x = left + t->pixel[j];
            const bool inside = y >= 0 && y < t->height && x >= 0 && x < t->width;
            pixels[i * t->size + j] = inside ? image + ((ptrdiff_t)y * t->width + x) * t->channels : t->outside;
        }
}

/* A part of a transform: GROUP channels of all tiles of one image. */
INLINE void tiles_of_part(const job *j, const kernel_plan *k, int part, const tiling *t, pg_real *planes, size_t plane,
                          tile_body *body)
{
    const int channels = t->channels, groups = (channels + GROUP - 1) / GROUP, image = part / groups,
              from = part % groups * GROUP, to = pg_min(from + GROUP, channels);
    pg_real *pixels[T_MAX * T_MAX], *at = t->images + (ptrdiff_t)(j->first + image) * t->height * t->width * channels;
    ptrdiff_t tile = (ptrdiff_t)image * j->tiles_down * j->tiles_across;
    for (int i = 0; i < j->tiles_down; i++)
        for (int l = 0; l < j->tiles_across; l++, tile++) {
            find_pixels(t, at, i * t->step - t->margin, l * t->step - t->margin, pixels);
            int c = from;
            for (; c + LANES <= to; c += LANES) body(k, pixels, c, LANES, planes + tile * channels, plane);
            if (c < to) body(k, pixels, c, to - c, planes + tile * channels, plane);
        }
}

static tiling inputs(const job *j, const pg_real *images, pg_real *outside)
{
    const pg_conv_shape *s = &j->conv->shape;
    return (tiling){.images = (pg_real *)images,
                    .outside = outside,
                    .height = s->height,
                    .width = s->width,
                    .channels = s->channels,
                    .step = OUT * j->plan->stride,
                    .margin = j->plan->pad,
                    .size = j->plan->size,
                    .pixel = j->plan->pixel};
}

static tiling outputs(const job *j, const pg_real *images, pg_real *outside)
{
    static const int pixel[OUT] = {0, 1, 2, 3};
    const pg_conv *c = j->conv;
    return (tiling){.images = (pg_real *)images,
                    .outside = outside,
                    .height = c->out_height,
                    .width = c->out_width,
                    .channels = c->shape.filters,
                    .step = OUT,
                    .size = OUT,
                    .pixel = pixel};
}

static pg_real *sink_of(const job *j)
{
    return j->sink + (ptrdiff_t)pg_compute_thread() * j->widest;
}

/* V = B'x B. */
static void v_part(void *context, int part)
{
    const job *j = context;
    const tiling t = inputs(j, j->x, j->zeros);
    WITH_KERNEL_PLAN(j, tiles_of_part(j, k, part, &t, j->v, j->v_plane, tile_to_v));
}

/* y = A'M A. */
static void y_part(void *context, int part)
{
    const job *j = context;
    const tiling t = outputs(j, j->y, sink_of(j));
    WITH_KERNEL_PLAN(j, tiles_of_part(j, k, part, &t, j->m, j->m_plane, tile_from_m));
}

/* dM = A dy A'. */
static void dm_part(void *context, int part)
{
    const job *j = context;
    const tiling t = outputs(j, j->grads->dy, j->zeros);
    WITH_KERNEL_PLAN(j, tiles_of_part(j, k, part, &t, j->m, j->m_plane, tile_to_m));
}

static void clear_dx(const job *j, int part)
{
    const pg_conv_shape *s = &j->conv->shape;
    const int groups = (s->channels + GROUP - 1) / GROUP, image = part / groups, from = part % groups * GROUP;
    const int count = pg_min(GROUP, s->channels - from);
    const ptrdiff_t pixels = (ptrdiff_t)s->height * s->width;
    pg_real *at = j->grads->dx + (j->first + image) * pixels * s->channels + from;
    for (ptrdiff_t p = 0; p < pixels; p++) memset(at + p * s->channels, 0, (size_t)count * sizeof *at);
}

/* dx = sum over tiles of B dV B'. */
static void dx_part(void *context, int part)
{
    const job *j = context;
    const tiling t = inputs(j, j->grads->dx, sink_of(j));
    if (!j->grads->add) clear_dx(j, part);
    WITH_KERNEL_PLAN(j, tiles_of_part(j, k, part, &t, j->v, j->v_plane, tile_from_v));
}

static int parts(const job *j, int channels)
{
    return j->images * ((channels + GROUP - 1) / GROUP);
}

/* ---- transforms of weights ---- */

/* A part of the weights: STRIP of the C K entries of each tap. */
enum { STRIP = 1024 };

static int strips(const job *j)
{
    return (j->conv->shape.channels * j->conv->shape.filters + STRIP - 1) / STRIP;
}

INLINE void strip_of_u(const job *j, const kernel_plan *k, int part, bool from_u)
{
    const size_t tap = (size_t)j->conv->shape.channels * (size_t)j->conv->shape.filters;
    const size_t end = pg_min_size((size_t)(part + 1) * STRIP, tap);
    for (size_t at = (size_t)part * STRIP; at < end; at += LANES) {
        const int lanes = end - at < LANES ? (int)(end - at) : LANES;
        if (from_u && lanes == LANES)
            weights_from_u(k, j->du + at, tap, j->u_plane, LANES, j->grads->dw + at);
        else if (from_u)
            weights_from_u(k, j->du + at, tap, j->u_plane, lanes, j->grads->dw + at);
        else if (lanes == LANES)
            weights_to_u(k, j->w + at, tap, j->u_plane, LANES, j->u + at);
        else
            weights_to_u(k, j->w + at, tap, j->u_plane, lanes, j->u + at);
    }
}

/* U = G w G'. */
static void u_part(void *context, int part)
{
    const job *j = context;
    WITH_KERNEL_PLAN(j, strip_of_u(j, k, part, false));
}

/* dw += G'dU G. */
static void dw_part(void *context, int part)
{
    const job *j = context;
    WITH_KERNEL_PLAN(j, strip_of_u(j, k, part, true));
}

/* Exchange channels and filters in the weights of one tap, so that BLIS reads U' in the order of memory. */
static void transpose_tap(void *context, int tap)
{
    enum { TILE = 16 };
    const job *j = context;
    const int channels = j->conv->shape.channels, filters = j->conv->shape.filters;
    const pg_real *w = j->w + (ptrdiff_t)tap * channels * filters;
    pg_real *out = j->transposed + (ptrdiff_t)tap * channels * filters;
    for (int c0 = 0; c0 < channels; c0 += TILE)
        for (int k0 = 0; k0 < filters; k0 += TILE)
            for (int k = k0; k < filters && k < k0 + TILE; k++)
                for (int c = c0; c < channels && c < c0 + TILE; c++)
                    out[(ptrdiff_t)k * channels + c] = w[(ptrdiff_t)c * filters + k];
}

/* ---- passes ---- */

static int block_rows(const job *j)
{
    return j->images * j->tiles_down * j->tiles_across;
}

/* The frequencies that share one plane of U, rows x columns of T x T. Planes shared by many frequencies come first, so that no
 * thread is left with one at the end. */
typedef struct frequencies {
    size_t u; /* offset of the plane */
    int top, left, bottom, right;
} frequencies;

static frequencies find_frequencies(const job *j, int part)
{
    const int side = j->weight_side, plane = side * side - 1 - part, row = plane / side, column = plane % side;
    return (frequencies){.u = (size_t)plane * j->u_plane,
                         .top = row,
                         .left = column,
                         .bottom = row == side - 1 ? j->plan->size : row + 1,
                         .right = column == side - 1 ? j->plan->size : column + 1};
}

/* M = V U. */
static void forward_products(void *context, int part)
{
    const job *j = context;
    const int channels = j->conv->shape.channels, filters = j->conv->shape.filters;
    const frequencies s = find_frequencies(j, part);
    for (int row = s.top; row < s.bottom; row++)
        for (int column = s.left; column < s.right; column++) {
            const size_t f = (size_t)(row * j->plan->size + column);
            pg_gemm(false, false, block_rows(j), filters, channels, j->v + f * j->v_plane, channels, j->u + s.u, filters, false,
                    j->m + f * j->m_plane, filters);
        }
}

/* dU += V' dM; then dV = dM U' overwrites V. */
static void backward_products(void *context, int part)
{
    const job *j = context;
    const int channels = j->conv->shape.channels, filters = j->conv->shape.filters;
    const frequencies s = find_frequencies(j, part);
    for (int row = s.top; row < s.bottom; row++)
        for (int column = s.left; column < s.right; column++) {
            const size_t f = (size_t)(row * j->plan->size + column);
            const bool begun = j->first > 0 || row > s.top || column > s.left;
            pg_real *v = j->v + f * j->v_plane, *dm = j->m + f * j->m_plane;
            if (j->grads->dw)
                pg_gemm(true, false, channels, filters, block_rows(j), v, channels, dm, filters, begun, j->du + s.u, filters);
            if (j->grads->dx)
                pg_gemm(false, false, block_rows(j), channels, filters, dm, filters, j->u + s.u, channels, false, v, channels);
        }
}

static void forward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, pg_real *y, pg_real *scratch)
{
    job j;
    lay_out(&j, conv, n, false, scratch);
    j.x = x;
    j.w = w;
    j.y = y;
    pg_parallel(strips(&j), u_part, &j);
    for (; j.first < n; j.first += j.block) {
        j.images = pg_min(j.block, n - j.first);
        pg_parallel(parts(&j, conv->shape.channels), v_part, &j);
        pg_parallel(j.weight_side * j.weight_side, forward_products, &j);
        pg_parallel(parts(&j, conv->shape.filters), y_part, &j);
    }
}

static void backward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, const pg_conv_grads *grads,
                     pg_real *scratch)
{
    job j;
    lay_out(&j, conv, n, true, scratch);
    j.x = x;
    j.grads = grads;
    j.w = w;
    if (grads->dx) {
        pg_parallel(conv->shape.kernel * conv->shape.kernel, transpose_tap, &j);
        j.w = j.transposed;
        pg_parallel(strips(&j), u_part, &j);
    }
    for (; j.first < n; j.first += j.block) {
        j.images = pg_min(j.block, n - j.first);
        if (grads->dw) pg_parallel(parts(&j, conv->shape.channels), v_part, &j);
        pg_parallel(parts(&j, conv->shape.filters), dm_part, &j);
        pg_parallel(j.weight_side * j.weight_side, backward_products, &j);
        if (grads->dx) pg_parallel(parts(&j, conv->shape.channels), dx_part, &j);
    }
    if (grads->dw) pg_parallel(strips(&j), dw_part, &j);
}

const pg_conv_algorithm pg_conv_winograd = {
    .name = "winograd", .fits = fits, .scratch = scratch_size, .forward = forward, .backward = backward};
