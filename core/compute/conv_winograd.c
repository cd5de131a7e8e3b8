/* Convolution by Winograd's minimal filtering, F(4x4,3x3) and F(4x4,5x5), all three passes in the transform domain
 * (Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016; points 0, 1, -1, 2, -2, [1/2, -1/2,] infinity).
 * A 3x3 kernel of stride 2 is taken apart into phases: along each side the outer taps meet the even pixels of a tile, an F(4,2)
 * (points 1, -1, 2, -2, infinity), and the middle tap meets the odd ones, 4 plain products: 81 products for 4x4 outputs, not
 * 144.
 *
 *   forward    V = B'x B   U = G w G'   M_f = V_f U_f   y = A'M A
 *   backward   dM = A dy A'   dU_f += V_f' dM_f   dV_f = dM_f U_f'   dw = G'dU G   dx = sum over tiles of B dV B'
 *
 * with one matrix product for each of the T x T frequencies f: V [f][tile][C], M [f][tile][K], U [f][C][K], where
 * frequencies with the same weights share a plane of U. The images are
 * taken a block at a time, so that V and M stay in cache; the blocks follow from the shape alone and are done in order. Within
 * a block the threads share the (image, channels) pairs of the transforms and the planes of U, so that every
 * sum has one order whatever the number of threads. */
#include "core/base/minmax.h"
#include "core/compute/arena.h"
#include "core/compute/blas.h"
#include "core/compute/conv.h"
#include "core/compute/parallel.h"
#include "core/compute/winograd_transform.h"

#include <string.h>

/* What a kernel is done with. Columns of B' are the pixels of a tile along a side, in the order of `pixel`; columns of G the
 * taps, in the order of `tap`. Where G has fewer rows than the others, its last one stands for all that follow. */
typedef struct kit {
    int kernel, stride, pad;
    int size, pairs; /* T */
    matrix b, a, g;  /* B' [T,T], A [T,4], G [T,R] */
    int pixel[T_MAX], tap[TAPS_MAX];
} kit;

enum { OUT = 4 }; /* a tile makes 4 x 4 outputs */

#define R(x) ((pg_real)(x))
static const kit kit3 = {
    .kernel = 3,
    .stride = 1,
    .pad = 1,
    .size = 6,
    .pairs = 2,
    .b = {6, 2, {{0, -4, -4, 1, 1}, {0, -2, -1, 2, 1}}, {{4, 0, -5, 0, 1}, {0, 4, 0, -5, 0, 1}}},
    .a = {OUT, 2, {{1, 1, 1, 1}, {1, 2, 4, 8}}, {{1}, {0, 0, 0, 1}}},
    .g = {3, 2, {{R(-1. / 6), R(-1. / 6), R(-1. / 6)}, {R(1. / 24), R(1. / 12), R(1. / 6)}}, {{R(0.25)}, {0, 0, 1}}},
    .pixel = {0, 1, 2, 3, 4, 5},
    .tap = {0, 1, 2},
};
static const kit kit3_stride2 = {
    .kernel = 3,
    .stride = 2,
    .pad = 1,
    .size = 9,
    .pairs = 2,
    .b = {9,
          5,
          {{-4, -4, 1, 1}, {-2, -1, 2, 1}},
          {{4, 0, -5, 0, 1}, {0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 0, 1}}},
    .a = {OUT, 5, {{1, 1, 1, 1}, {1, 2, 4, 8}}, {{0, 0, 0, 1}, {1}, {0, 1}, {0, 0, 1}, {0, 0, 0, 1}}},
    .g = {3, 2, {{R(-1. / 6), R(-1. / 6)}, {R(1. / 12), R(1. / 6)}}, {{0, 1}, {0, 0, 1}}},
    .pixel = {0, 2, 4, 6, 8, 1, 3, 5, 7},
    .tap = {0, 2, 1},
};
static const kit kit5 = {
    .kernel = 5,
    .stride = 1,
    .pad = 2,
    .size = 8,
    .pairs = 3,
    .b = {8,
          2,
          {{0, 1, 1, R(-4.25), R(-4.25), 1, 1},
           {0, R(0.5), R(0.25), R(-2.5), R(-1.25), 2, 1},
           {0, 2, 4, R(-2.5), -5, R(0.5), 1}},
          {{1, 0, R(-5.25), 0, R(5.25), 0, -1}, {0, -1, 0, R(5.25), 0, R(-5.25), 0, 1}}},
    .a = {OUT, 2, {{1, 1, 1, 1}, {1, 2, 4, 8}, {1, R(0.5), R(0.25), R(0.125)}}, {{1}, {0, 0, 0, 1}}},
    .g = {5,
          2,
          {{R(-2. / 9), R(-2. / 9), R(-2. / 9), R(-2. / 9), R(-2. / 9)},
           {R(1. / 90), R(2. / 90), R(4. / 90), R(8. / 90), R(16. / 90)},
           {R(32. / 45), R(16. / 45), R(8. / 45), R(4. / 45), R(2. / 45)}},
          {{1}, {0, 0, 0, 0, 1}}},
    .pixel = {0, 1, 2, 3, 4, 5, 6, 7},
    .tap = {0, 1, 2, 3, 4},
};
#undef R

static const kit *const kits[] = {&kit3, &kit3_stride2, &kit5};

/* `call` with k the job's kit, whose coefficients are then known when compiling. */
#define WITH_KIT(job, call)                                                                                                    \
    do {                                                                                                                       \
        if ((job)->kit == &kit3) {                                                                                             \
            const kit *const k = &kit3;                                                                                        \
            call;                                                                                                              \
        } else if ((job)->kit == &kit3_stride2) {                                                                              \
            const kit *const k = &kit3_stride2;                                                                                \
            call;                                                                                                              \
        } else {                                                                                                               \
            const kit *const k = &kit5;                                                                                        \
            call;                                                                                                              \
        }                                                                                                                      \
    } while (0)

/* ---- a planned pass ---- */

enum { BLOCK_TILES = 128, GROUP = 64 }; /* tiles of a block, about; channels of a part of a transform */

typedef struct job {
    const pg_conv *conv;
    const kit *kit;
    int tiles_down, tiles_across, weight_side; /* U has weight_side^2 planes */
    int block, first, images;                  /* images of a full block; of the present one */
    size_t v_plane, m_plane, u_plane;
    pg_real *v, *m, *u, *du;
    pg_real *zeros, *trash; /* a pixel to read in the padding; one for each thread to write there */
    int widest;             /* channels of those */
    const pg_real *w;
    pg_real *turned; /* w with channels and filters exchanged [R,R,K,C] */
    const pg_real *x;
    pg_real *y;
    const pg_conv_grads *grads;
} job;

static const kit *find_kit(const pg_conv_shape *s)
{
    for (size_t i = 0; i < sizeof kits / sizeof *kits; i++)
        if (s->kernel == kits[i]->kernel && s->stride == kits[i]->stride && s->pad == kits[i]->pad) return kits[i];
    return NULL;
}

static bool fits(const pg_conv_shape *s)
{
    return find_kit(s) != NULL;
}

/* Planes lie an odd number of cache lines apart, or they would all fall into the same cache sets. */
static size_t plane(size_t count)
{
    const size_t line = 64 / sizeof(pg_real);
    return ((count + line - 1) / line | 1) * line;
}

/* Lay the scratch out and return its size in elements. scratch may be NULL, to learn the size. */
static size_t plan(job *j, const pg_conv *conv, int batch, bool backward, pg_real *scratch)
{
    const pg_conv_shape *s = &conv->shape;
    *j = (job){.conv = conv, .kit = find_kit(s)};
    j->tiles_down = (conv->out_height + OUT - 1) / OUT;
    j->tiles_across = (conv->out_width + OUT - 1) / OUT;
    j->weight_side = 2 * j->kit->pairs + j->kit->g.singles;
    const int tiles = j->tiles_down * j->tiles_across, block = pg_max(1, BLOCK_TILES / tiles);
    j->block = pg_min(block, batch);
    j->widest = pg_max(s->channels, s->filters) + LANES;
    const size_t rows = (size_t)j->block * (size_t)tiles, f = (size_t)(j->kit->size * j->kit->size),
                 u = (size_t)(j->weight_side * j->weight_side);
    const size_t weights = (size_t)s->channels * (size_t)s->filters;
    j->v_plane = plane(rows * (size_t)s->channels);
    j->m_plane = plane(rows * (size_t)s->filters);
    j->u_plane = plane(weights);
    pg_arena a = {.base = scratch};
    j->zeros = pg_arena_take(&a, (size_t)j->widest);
    j->trash = pg_arena_take(&a, (size_t)j->widest * (size_t)pg_compute_threads());
    j->u = pg_arena_take(&a, u * j->u_plane);
    j->v = pg_arena_take(&a, f * j->v_plane);
    j->m = pg_arena_take(&a, f * j->m_plane);
    if (backward) {
        j->du = pg_arena_take(&a, u * j->u_plane);
        j->turned = pg_arena_take(&a, (size_t)(s->kernel * s->kernel) * weights);
    }
    if (scratch) memset(j->zeros, 0, (size_t)j->widest * sizeof *j->zeros);
    return a.used;
}

static size_t scratch_size(const pg_conv *conv, int batch)
{
    job j;
    return plan(&j, conv, batch, true, NULL);
}

/* ---- tiles ---- */

/* What is done with one tile and up to LANES channels: pixels are those under the tile, planes the tile's place in V or M. */
typedef void tile_body(const kit *k, pg_real *const *pixels, int channel, int lanes, pg_real *planes, size_t plane);

INLINE void tile_to_v(const kit *k, pg_real *const *pixels, int channel, int lanes, pg_real *planes, size_t plane)
{
    vec in[T_MAX][T_MAX], out[T_MAX][T_MAX];
#pragma GCC unroll 9
    for (int i = 0; i < k->size; i++)
#pragma GCC unroll 9
        for (int j = 0; j < k->size; j++) in[i][j] = load(pixels[i * k->size + j] + channel, lanes);
    transform(&k->b, k->pairs, in, out);
#pragma GCC unroll 9
    for (int i = 0; i < k->size; i++)
#pragma GCC unroll 9
        for (int j = 0; j < k->size; j++) store(planes + (size_t)(i * k->size + j) * plane + channel, out[i][j], lanes);
}

INLINE void tile_from_v(const kit *k, pg_real *const *pixels, int channel, int lanes, pg_real *planes, size_t plane)
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
            pg_real *at = pixels[i * k->size + j] + channel;
            store(at, load(at, lanes) + out[i][j], lanes);
        }
}

INLINE void tile_to_m(const kit *k, pg_real *const *pixels, int channel, int lanes, pg_real *planes, size_t plane)
{
    vec in[T_MAX][T_MAX], out[T_MAX][T_MAX];
#pragma GCC unroll 4
    for (int i = 0; i < OUT; i++)
#pragma GCC unroll 4
        for (int j = 0; j < OUT; j++) in[i][j] = load(pixels[i * OUT + j] + channel, lanes);
    transform(&k->a, k->pairs, in, out);
#pragma GCC unroll 9
    for (int i = 0; i < k->size; i++)
#pragma GCC unroll 9
        for (int j = 0; j < k->size; j++) store(planes + (size_t)(i * k->size + j) * plane + channel, out[i][j], lanes);
}

INLINE void tile_from_m(const kit *k, pg_real *const *pixels, int channel, int lanes, pg_real *planes, size_t plane)
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
        for (int j = 0; j < OUT; j++) store(pixels[i * OUT + j] + channel, out[i][j], lanes);
}

/* What the tiles of a transform lie on: x or y, or their gradients. */
typedef struct ground {
    pg_real *images, *outside; /* outside of an image all pixels are `outside` */
    int height, width, channels;
    int step, margin, size; /* between tiles; of padding; pixels of a tile along a side */
    const int *pixel;       /* where those are */
} ground;

static void find_pixels(const ground *g, pg_real *image, int top, int left, pg_real **pixels)
{
    for (int i = 0; i < g->size; i++)
        for (int j = 0; j < g->size; j++) {
            const int y = top + g->pixel[i], x = left + g->pixel[j];
            const bool inside = y >= 0 && y < g->height && x >= 0 && x < g->width;
            pixels[i * g->size + j] = inside ? image + ((ptrdiff_t)y * g->width + x) * g->channels : g->outside;
        }
}

/* A part of a transform: all tiles of one image, GROUP channels. */
INLINE void tiles_of_part(const job *j, const kit *k, int part, const ground *g, pg_real *planes, size_t plane, tile_body *body)
{
    const int channels = g->channels, groups = (channels + GROUP - 1) / GROUP, image = part / groups,
              from = part % groups * GROUP, to = pg_min(from + GROUP, channels);
    pg_real *pixels[T_MAX * T_MAX], *at = g->images + (ptrdiff_t)(j->first + image) * g->height * g->width * channels;
    ptrdiff_t tile = (ptrdiff_t)image * j->tiles_down * j->tiles_across;
    for (int i = 0; i < j->tiles_down; i++)
        for (int l = 0; l < j->tiles_across; l++, tile++) {
            find_pixels(g, at, i * g->step - g->margin, l * g->step - g->margin, pixels);
            int c = from;
            for (; c + LANES <= to; c += LANES) body(k, pixels, c, LANES, planes + tile * channels, plane);
            if (c < to) body(k, pixels, c, to - c, planes + tile * channels, plane);
        }
}

static ground inputs(const job *j, const pg_real *images, pg_real *outside)
{
    const pg_conv_shape *s = &j->conv->shape;
    return (ground){(pg_real *)images,    outside,     s->height,    s->width,     s->channels,
                    OUT * j->kit->stride, j->kit->pad, j->kit->size, j->kit->pixel};
}

static ground outputs(const job *j, const pg_real *images, pg_real *outside)
{
    static const int pixel[OUT] = {0, 1, 2, 3};
    const pg_conv *c = j->conv;
    return (ground){(pg_real *)images, outside, c->out_height, c->out_width, c->shape.filters, OUT, 0, OUT, pixel};
}

static pg_real *trash_of(const job *j)
{
    return j->trash + (ptrdiff_t)pg_compute_thread() * j->widest;
}

static void v_part(void *context, int part)
{
    const job *j = context;
    const ground g = inputs(j, j->x, j->zeros);
    WITH_KIT(j, tiles_of_part(j, k, part, &g, j->v, j->v_plane, tile_to_v));
}

static void y_part(void *context, int part)
{
    const job *j = context;
    const ground g = outputs(j, j->y, trash_of(j));
    WITH_KIT(j, tiles_of_part(j, k, part, &g, j->m, j->m_plane, tile_from_m));
}

static void dm_part(void *context, int part)
{
    const job *j = context;
    const ground g = outputs(j, j->grads->dy, j->zeros);
    WITH_KIT(j, tiles_of_part(j, k, part, &g, j->m, j->m_plane, tile_to_m));
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

static void dx_part(void *context, int part)
{
    const job *j = context;
    const ground g = inputs(j, j->grads->dx, trash_of(j));
    if (!j->grads->add) clear_dx(j, part);
    WITH_KIT(j, tiles_of_part(j, k, part, &g, j->v, j->v_plane, tile_from_v));
}

static int parts(const job *j, int channels)
{
    return j->images * ((channels + GROUP - 1) / GROUP);
}

/* ---- weights ---- */

INLINE void weights_to_u(const kit *k, const pg_real *w, size_t tap, size_t plane, int lanes, pg_real *u)
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

INLINE void weights_from_u(const kit *k, const pg_real *u, size_t tap, size_t plane, int lanes, pg_real *dw)
{
    const int r = k->g.columns, rows = 2 * k->pairs + k->g.singles;
    vec in[T_MAX][T_MAX], out[T_MAX][T_MAX];
#pragma GCC unroll 9
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 9
        for (int j = 0; j < rows; j++) in[i][j] = load(u + (size_t)(i * rows + j) * plane, lanes);
    transform_transposed(&k->g, k->pairs, in, out);
#pragma GCC unroll 5
    for (int i = 0; i < r; i++)
#pragma GCC unroll 5
        for (int j = 0; j < r; j++) {
            pg_real *at = dw + (size_t)(k->tap[i] * r + k->tap[j]) * tap;
            store(at, load(at, lanes) + out[i][j], lanes);
        }
}

/* A part of the weights: STRIP of the C K entries of every tap. */
enum { STRIP = 1024 };

static int strips(const job *j)
{
    return (j->conv->shape.channels * j->conv->shape.filters + STRIP - 1) / STRIP;
}

INLINE void strip_of_u(const job *j, const kit *k, int part, bool from_u)
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

static void u_part(void *context, int part)
{
    const job *j = context;
    WITH_KIT(j, strip_of_u(j, k, part, false));
}

static void dw_part(void *context, int part)
{
    const job *j = context;
    WITH_KIT(j, strip_of_u(j, k, part, true));
}

/* The weights of one tap with channels and filters exchanged: BLIS multiplies by U' stored as it is read. */
static void turn_tap(void *context, int tap)
{
    enum { TILE = 16 };
    const job *j = context;
    const int channels = j->conv->shape.channels, filters = j->conv->shape.filters;
    const pg_real *w = j->w + (ptrdiff_t)tap * channels * filters;
    pg_real *out = j->turned + (ptrdiff_t)tap * channels * filters;
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

/* The frequencies that one plane of U serves, rows x columns of T x T. Planes that serve many come first, so that no thread is
 * left with them at the end. */
typedef struct served {
    size_t u; /* offset of the plane */
    int top, left, bottom, right;
} served;

static served find_served(const job *j, int part)
{
    const int side = j->weight_side, plane = side * side - 1 - part, row = plane / side, column = plane % side;
    return (served){.u = (size_t)plane * j->u_plane,
                    .top = row,
                    .left = column,
                    .bottom = row == side - 1 ? j->kit->size : row + 1,
                    .right = column == side - 1 ? j->kit->size : column + 1};
}

static void forward_products(void *context, int part)
{
    const job *j = context;
    const int channels = j->conv->shape.channels, filters = j->conv->shape.filters;
    const served s = find_served(j, part);
    for (int row = s.top; row < s.bottom; row++)
        for (int column = s.left; column < s.right; column++) {
            const size_t f = (size_t)(row * j->kit->size + column);
            pg_gemm(false, false, block_rows(j), filters, channels, j->v + f * j->v_plane, channels, j->u + s.u, filters, false,
                    j->m + f * j->m_plane, filters);
        }
}

/* dU += V' dM, then V becomes dV = dM U' in its place. */
static void backward_products(void *context, int part)
{
    const job *j = context;
    const int channels = j->conv->shape.channels, filters = j->conv->shape.filters;
    const served s = find_served(j, part);
    for (int row = s.top; row < s.bottom; row++)
        for (int column = s.left; column < s.right; column++) {
            const size_t f = (size_t)(row * j->kit->size + column);
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
    plan(&j, conv, n, false, scratch);
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
    plan(&j, conv, n, true, scratch);
    j.x = x;
    j.grads = grads;
    j.w = w;
    if (grads->dx) {
        pg_parallel(conv->shape.kernel * conv->shape.kernel, turn_tap, &j);
        j.w = j.turned;
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
