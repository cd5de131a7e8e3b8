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
#include "core/compute/arena.h"
#include "core/compute/blas.h"
#include "core/compute/winograd_images.h"
#include "core/compute/winograd_weights.h"

/* ---- plan ---- */

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
