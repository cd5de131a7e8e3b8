/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small kernels against their definitions; norm with a pool against the two apart; equal bytes for any number of threads.
 */
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/compute/kernels.h"
#include "core/compute/norm.h"
#include "core/compute/parallel.h"
#include "tests/unit/test.h"

#include <float.h>
#include <math.h>

SET_UP
{
    pg_compute_start(2);
}

static pg_real *fill(size_t count, const char *purpose)
{
    pg_real *out;
    pg_rng rng;
    OK(pg_alloc(count, sizeof *out, &out, &err));
    pg_rng_open(&rng, (pg_seed){.task = "compute"}, purpose, count);
    for (size_t i = 0; i < count; i++) out[i] = (pg_real)pg_rng_normal(&rng);
    return out;
}

static void near(double got, double expected, double bound)
{
    if (!(fabs(got - expected) <= bound * (1 + fabs(expected)))) fail_msg("got %.9g, expected %.9g", got, expected);
}

/* Is the sum of products right, for this sum of the terms' magnitudes? Kernels add in an order of their own: adding from the
 * first to the last is off by 1.5 epsilons of the magnitudes here, and 4 are allowed. */
static void near_sum(double got, double expected, double magnitudes)
{
    const double bound = 4 * (sizeof(pg_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON) * magnitudes;
    if (!(fabs(got - expected) <= bound)) fail_msg("got %.9g, expected %.9g within %.2g", got, expected, bound);
}

/* ---- norm ---- */

enum { N = 5, SIDE = 6, C = 70, PIXELS = SIDE * SIDE, COUNT = N * PIXELS * C, GROUPS = 7 };

static int set_of(pg_norm_kind kind, int image, int channel)
{
    if (kind == PG_NORM_BN) return channel;
    return kind == PG_NORM_GN ? image * GROUPS + channel / (C / GROUPS) : image * C + channel;
}

TEST(statistics_are_exact_for_means_far_from_zero)
{
    pg_real *x = fill(COUNT, "x"), *scratch = fill(16 * N * C, "scratch");
    for (int i = 0; i < COUNT; i++) x[i] = x[i] * (pg_real)0.1 + (pg_real)(i % C);
    for (pg_norm_kind kind = PG_NORM_BN; kind <= PG_NORM_IN; kind++) {
        const pg_norm norm = {.kind = kind, .pixels = PIXELS, .channels = C, .groups = GROUPS, .eps = (pg_real)1e-5};
        const size_t sets = pg_norm_sets(&norm, N);
        assert_true(pg_norm_scratch(&norm, N) <= 16 * N * C);
        pg_real mean[N * C], inv_std[N * C], variance[N * C];
        pg_norm_statistics(&norm, N, x, mean, inv_std, kind == PG_NORM_BN ? variance : NULL, scratch);
        for (size_t s = 0; s < sets; s++) {
            long double sum = 0, squares = 0, count = 0;
            for (int i = 0; i < COUNT; i++)
                if ((size_t)set_of(kind, i / C / PIXELS, i % C) == s) {
                    sum += (long double)x[i];
                    count++;
                }
            for (int i = 0; i < COUNT; i++)
                if ((size_t)set_of(kind, i / C / PIXELS, i % C) == s)
                    squares += ((long double)x[i] - sum / count) * ((long double)x[i] - sum / count);
            near((double)mean[s], (double)(sum / count), 1e-7);
            near((double)inv_std[s] * sqrt((double)(squares / count) + 1e-5), 1, 1e-6);
            if (kind == PG_NORM_BN) near((double)variance[s], (double)(squares / count), 1e-6);
        }
    }
    pg_free(x);
    pg_free(scratch);
}

typedef struct block {
    pg_real *x, *gamma, *beta, *dy, *y, *dx, *scratch, mean[N * C], inv_std[N * C], dgamma[C], dbeta[C];
    uint8_t which[COUNT / 4];
} block;

static void block_open(block *b)
{
    b->x = fill(COUNT, "x");
    b->gamma = fill(C, "gamma");
    b->beta = fill(C, "beta");
    b->dy = fill(COUNT / 4, "dy");
    b->y = fill(COUNT, "y");
    b->dx = fill(COUNT, "dx");
    b->scratch = fill(16 * N * C, "scratch");
    memset(b->dgamma, 0, sizeof b->dgamma);
    memset(b->dbeta, 0, sizeof b->dbeta);
}

static void block_close(block *b)
{
    pg_real *const all[] = {b->x, b->gamma, b->beta, b->dy, b->y, b->dx, b->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) pg_free(all[i]);
}

static pg_norm norm_of(pg_norm_kind kind, bool relu)
{
    return (pg_norm){.kind = kind, .pixels = PIXELS, .channels = C, .groups = GROUPS, .eps = (pg_real)1e-5, .relu = relu};
}

static pg_norm_pass pass_of(block *b, const pg_real *plus, pg_real *y, uint8_t *decisions)
{
    return (pg_norm_pass){.n = N,
                          .x = b->x,
                          .mean = b->mean,
                          .inv_std = b->inv_std,
                          .gamma = b->gamma,
                          .beta = b->beta,
                          .plus = plus,
                          .y = y,
                          .decisions = decisions,
                          .scratch = b->scratch};
}

static pg_norm_grads grads_of(block *b, const pg_real *dy, bool add)
{
    return (pg_norm_grads){.dy = dy, .dgamma = b->dgamma, .dbeta = b->dbeta, .dx = b->dx, .add = add};
}

static void run_together(block *b, pg_norm_kind kind, bool relu, bool add)
{
    pg_norm norm = norm_of(kind, relu);
    norm.pool_width = SIDE;
    pg_norm_statistics(&norm, N, b->x, b->mean, b->inv_std, NULL, b->scratch);
    const pg_norm_pass pass = pass_of(b, NULL, b->y, b->which);
    const pg_norm_grads grads = grads_of(b, b->dy, add);
    pg_norm_apply(&norm, &pass);
    pg_norm_backward(&norm, &pass, &grads);
}

static void run_apart(block *b, pg_norm_kind kind, bool relu, bool add)
{
    const pg_norm norm = norm_of(kind, relu);
    const pg_pool pool = {
        .height = SIDE, .width = SIDE, .channels = C, .kernel = 2, .stride = 2, .out_height = SIDE / 2, .out_width = SIDE / 2};
    pg_real *wide = fill(COUNT, "wide"), *dwide = fill(COUNT, "dwide");
    pg_norm_statistics(&norm, N, b->x, b->mean, b->inv_std, NULL, b->scratch);
    const pg_norm_pass pass = pass_of(b, NULL, wide, NULL);
    const pg_norm_grads grads = grads_of(b, dwide, add);
    pg_norm_apply(&norm, &pass);
    pg_maxpool_forward(&pool, N, wide, b->y, b->which);
    pg_maxpool_backward(&pool, N, b->which, b->dy, dwide, false);
    pg_norm_backward(&norm, &pass, &grads);
    pg_free(wide);
    pg_free(dwide);
}

TEST(a_residual_added_by_the_norm_equals_one_added_afterwards)
{
    for (pg_norm_kind kind = PG_NORM_BN; kind <= PG_NORM_NONE; kind++)
        for (int variant = 0; variant < 4; variant++) {
            const bool relu = variant & 1, add = variant & 2;
            const pg_norm apart = norm_of(kind, relu);
            pg_norm together = apart;
            together.residual = true;
            block one, two;
            block_open(&one);
            block_open(&two);
            pg_real *plus = fill(COUNT, "plus"), *inner = fill(COUNT, "inner"), *masked = fill(COUNT, "masked"),
                    *dy = fill(COUNT, "every dy");
            uint8_t *open = NULL;
            assert_int_equal(pg_alloc(COUNT, 1, &open, &err), PG_OK);
            pg_norm_statistics(&together, N, one.x, one.mean, one.inv_std, NULL, one.scratch);
            const pg_norm_pass all_in_one = pass_of(&one, plus, one.y, open), norm_only = pass_of(&two, NULL, inner, NULL);
            const pg_norm_grads grads = grads_of(&one, dy, add), masked_grads = grads_of(&two, masked, add);
            pg_norm_apply(&together, &all_in_one);
            pg_norm_backward(&together, &all_in_one, &grads);
            pg_norm_statistics(&apart, N, two.x, two.mean, two.inv_std, NULL, two.scratch);
            pg_norm_apply(&apart, &norm_only);
            pg_add_relu(COUNT, inner, plus, two.y);
            pg_relu_backward(COUNT, two.y, dy, masked, false);
            pg_norm_backward(&apart, &norm_only, &masked_grads);
            for (int i = 0; i < COUNT; i++) {
                near((double)one.y[i], (double)two.y[i], 1e-6);
                near((double)one.dx[i], (double)two.dx[i], 1e-6);
                if (relu) assert_int_equal(open[i], inner[i] > 0);
            }
            for (int c = 0; c < C; c++) near((double)one.dgamma[c], (double)two.dgamma[c], 3e-6);
            for (int c = 0; c < C; c++) near((double)one.dbeta[c], (double)two.dbeta[c], 3e-6);
            pg_real *const all[] = {plus, inner, masked, dy};
            for (size_t i = 0; i < sizeof all / sizeof *all; i++) pg_free(all[i]);
            pg_free(open);
            block_close(&one);
            block_close(&two);
        }
}

TEST(a_norm_with_a_pool_equals_the_two_apart)
{
    for (pg_norm_kind kind = PG_NORM_BN; kind <= PG_NORM_NONE; kind++)
        for (int variant = 0; variant < 4; variant++) {
            const bool relu = variant & 1, add = variant & 2;
            block one, two;
            block_open(&one);
            block_open(&two);
            run_together(&one, kind, relu, add);
            run_apart(&two, kind, relu, add);
            assert_memory_equal(one.y, two.y, COUNT / 4 * sizeof *one.y);
            for (int i = 0; i < COUNT; i++) near((double)one.dx[i], (double)two.dx[i], 3e-6);
            for (int c = 0; c < C; c++) near((double)one.dgamma[c], (double)two.dgamma[c], 3e-6);
            for (int c = 0; c < C; c++) near((double)one.dbeta[c], (double)two.dbeta[c], 3e-6);
            block_close(&one);
            block_close(&two);
        }
}

TEST(a_norm_gives_the_same_bytes_on_any_number_of_threads)
{
    block one;
    pg_compute_start(1);
    block_open(&one);
    run_together(&one, PG_NORM_BN, true, false);
    for (int threads = 2; threads <= 4; threads++) {
        block more;
        pg_compute_start(threads);
        block_open(&more);
        run_together(&more, PG_NORM_BN, true, false);
        assert_memory_equal(one.y, more.y, COUNT / 4 * sizeof *one.y);
        assert_memory_equal(one.dx, more.dx, COUNT * sizeof *one.dx);
        assert_memory_equal(one.dgamma, more.dgamma, sizeof one.dgamma);
        block_close(&more);
    }
    block_close(&one);
    pg_compute_start(2);
}

/* ---- threads ---- */

static void work(void *done, int part)
{
    const double until = pg_thread_seconds() + 2e-4;
    while (pg_thread_seconds() < until) continue;
    ((int *)done)[part]++;
}

TEST(a_tally_counts_calls_and_shares_their_parts_among_threads)
{
    enum { PARTS = 5 };
    int done[PARTS] = {0};
    pg_tally tally = {0};
    pg_compute_start(1);
    pg_parallel_tally(&tally);
    pg_parallel(PARTS, work, done);
    pg_parallel(1, work, done);
    pg_parallel_tally(NULL);
    pg_parallel(PARTS, work, done);
    pg_compute_start(2);
    assert_int_equal(done[0], 3);
    for (int part = 1; part < PARTS; part++) assert_int_equal(done[part], 2);
    assert_int_equal(tally.calls, 1);
    assert_true(tally.seconds >= PARTS * 2e-4);
    for (int w = 0; w < PG_TALLY_WIDTHS; w++) {
        assert_true(tally.spread[w] * pg_tally_threads[w] >= tally.seconds - 1e-12);
        assert_true(tally.spread[w] <= (w ? tally.spread[w - 1] : tally.seconds - 3e-4)); /* two parts at least go elsewhere */
        assert_true(tally.spread[w] >= 2e-4);
    }
}

/* ---- the others ---- */

TEST(maxpool_takes_and_returns_to_the_largest)
{
    enum { H = 7, W = 9, K = 3, OH = 4, OW = 5, CH = 5 };
    const pg_pool pool = {
        .height = H, .width = W, .channels = CH, .kernel = K, .stride = 2, .pad = 1, .out_height = OH, .out_width = OW};
    pg_real *x = fill(2 * H * W * CH, "pool"), y[2 * OH * OW * CH], dy[2 * OH * OW * CH], dx[2 * H * W * CH];
    uint8_t which[2 * OH * OW * CH];
    double expected[2 * H * W * CH] = {0};
    pg_maxpool_forward(&pool, 2, x, y, which);
    for (int i = 0; i < 2 * OH * OW * CH; i++) {
        const int c = i % CH, ox = i / CH % OW, oy = i / CH / OW % OH, image = i / CH / OW / OH;
        int best = -1;
        for (int row = 2 * oy - 1; row < 2 * oy - 1 + K; row++)
            for (int column = 2 * ox - 1; column < 2 * ox - 1 + K; column++) {
                if (row < 0 || row >= H || column < 0 || column >= W) continue;
                const int at = ((image * H + row) * W + column) * CH + c;
                if (best < 0 || x[at] > x[best]) best = at;
            }
        dy[i] = (pg_real)(i % 11);
        expected[best] += i % 11;
        assert_true(y[i] == x[best]);
    }
    pg_maxpool_backward(&pool, 2, which, dy, dx, false);
    for (int i = 0; i < 2 * H * W * CH; i++) assert_true((double)dx[i] == expected[i]);
    pg_free(x);
}

TEST(avgpool_averages_the_windows_of_adaptive_pooling)
{
    enum { H = 5, W = 7, OH = 2, OW = 3, CH = 3 };
    const pg_pool pool = {.height = H, .width = W, .channels = CH, .out_height = OH, .out_width = OW};
    pg_real *x = fill(H * W * CH, "avg"), y[OH * OW * CH], dy[OH * OW * CH], dx[H * W * CH];
    double expected[H * W * CH] = {0};
    pg_avgpool_forward(&pool, 1, x, y);
    for (int i = 0; i < OH * OW * CH; i++) {
        const int c = i % CH, ox = i / CH % OW, oy = i / CH / OW;
        const int top = oy * H / OH, bottom = ((oy + 1) * H + OH - 1) / OH, left = ox * W / OW,
                  right = ((ox + 1) * W + OW - 1) / OW;
        const double count = (bottom - top) * (right - left);
        double sum = 0;
        dy[i] = (pg_real)(i - 4);
        for (int row = top; row < bottom; row++)
            for (int column = left; column < right; column++) {
                sum += (double)x[(row * W + column) * CH + c];
                expected[(row * W + column) * CH + c] += (i - 4) / count;
            }
        near((double)y[i], sum / count, 1e-6);
    }
    pg_avgpool_backward(&pool, 1, dy, dx, false);
    for (int i = 0; i < H * W * CH; i++) near((double)dx[i], expected[i], 1e-6);
    pg_free(x);
}

TEST(cross_entropy_follows_its_definition)
{
    enum { ROWS = 4, CLASSES = 3 };
    const pg_real logits[ROWS * CLASSES] = {1, 2, 3, 0, 0, 0, 1000, 0, -1000, -2, 5, 5};
    const int32_t labels[ROWS] = {2, 1, 0, 1};
    for (int smooth = 0; smooth < 2; smooth++) {
        pg_real d[ROWS * CLASSES];
        int correct = 0;
        double loss = 0;
        const double s = smooth ? 0.1 : 0, got = pg_cross_entropy(ROWS, CLASSES, logits, labels, s, d, &correct);
        for (int i = 0; i < ROWS; i++) {
            long double sum = 0;
            for (int c = 0; c < CLASSES; c++) sum += expl((long double)logits[i * CLASSES + c]);
            for (int c = 0; c < CLASSES; c++) {
                const double target = (c == labels[i] ? 1 - s : 0) + s / CLASSES;
                const long double p = expl((long double)logits[i * CLASSES + c]) / sum;
                loss -= target * (double)((long double)logits[i * CLASSES + c] - logl(sum)) / ROWS;
                near((double)d[i * CLASSES + c], ((double)p - target) / ROWS, 1e-7);
            }
        }
        near(got, loss, 1e-9);
        assert_int_equal(correct, 3); /* the second row is a draw, in which the first class wins */
    }
}

/* got = start + sum of a[i] b[i], with steps from element to element. */
static void near_dot(pg_real got, pg_real start, int count, const pg_real *a, int a_step, const pg_real *b, int b_step)
{
    double sum = (double)start, magnitudes = fabs((double)start);
    for (int i = 0; i < count; i++) {
        const double product = (double)a[i * a_step] * (double)b[i * b_step];
        sum += product;
        magnitudes += fabs(product);
    }
    near_sum((double)got, sum, magnitudes);
}

TEST(products_follow_their_definitions)
{
    const pg_real one = 1;
    enum { ROWS = 3, IN = 337, OUT = 79 }; /* more than a run of rows and a strip of columns */
    pg_real *x = fill(ROWS * IN, "x"), *w = fill(OUT * IN, "w"), *b = fill(OUT, "b"), *dy = fill(ROWS * OUT, "dy"),
            *u = fill(IN * OUT, "u");
    pg_real y[ROWS * OUT], dw[OUT * IN] = {0}, db[OUT] = {0}, dx[ROWS * IN], v[2][OUT], back[IN], outer[IN * OUT] = {0};
    pg_dense_forward((pg_dense){IN, OUT}, ROWS, x, w, b, y);
    pg_dense_backward((pg_dense){IN, OUT}, ROWS, x, w, dy, dw, db, dx, false);
    pg_matvec_pair(IN, OUT, u, x, x + IN, v[0], v[1]);
    pg_matvec_backward(IN, OUT, u, dy, back);
    pg_outer_add_pair(IN, OUT, x, x + IN, dy, dy + OUT, outer);
    for (int r = 0; r < ROWS; r++) {
        for (int o = 0; o < OUT; o++) near_dot(y[r * OUT + o], b[o], IN, x + r * IN, 1, w + o * IN, 1);
        for (int i = 0; i < IN; i++) near_dot(dx[r * IN + i], 0, OUT, dy + r * OUT, 1, w + i, IN);
    }
    for (int o = 0; o < OUT; o++) {
        near_dot(db[o], 0, ROWS, dy + o, OUT, &one, 0);
        for (int k = 0; k < 2; k++) near_dot(v[k][o], 0, IN, x + k * IN, 1, u + o, OUT);
        for (int i = 0; i < IN; i++) {
            near_dot(dw[o * IN + i], 0, ROWS, dy + o, OUT, x + i, IN);
            near_dot(outer[i * OUT + o], 0, 2, dy + o, OUT, x + i, IN);
        }
    }
    for (int i = 0; i < IN; i++) near_dot(back[i], 0, OUT, dy, 1, u + i * OUT, 1);
    pg_real *const all[] = {x, w, b, dy, u};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) pg_free(all[i]);
}

/* Two steps of SGD as PyTorch defines it, and an addition with ReLU. */
TEST(sgd_and_addition_follow_their_definitions)
{
    enum { LENGTH = 70001 }; /* more than one part */
    pg_real *w = fill(LENGTH, "w"), *start = fill(LENGTH, "w"), *g = fill(LENGTH, "g"), *v = fill(LENGTH, "v"),
            *y = fill(LENGTH, "y");
    memset(v, 0, LENGTH * sizeof *v);
    for (int step = 0; step < 2; step++) pg_sgd_step(LENGTH, w, v, g, 0.1, 0.9, 0.01);
    for (int i = 0; i < LENGTH; i++) {
        const double v1 = (double)g[i] + 0.01 * (double)start[i], w1 = (double)start[i] - 0.1 * v1;
        const double v2 = 0.9 * v1 + (double)g[i] + 0.01 * w1;
        near((double)w[i], w1 - 0.1 * v2, 1e-6);
    }
    pg_add_relu(LENGTH, start, g, y);
    for (int i = 0; i < LENGTH; i++) assert_true(y[i] == (start[i] + g[i] > 0 ? start[i] + g[i] : 0));
    pg_relu_backward(LENGTH, y, w, v, false);
    for (int i = 0; i < LENGTH; i++) assert_true(v[i] == (y[i] > 0 ? w[i] : 0));
    pg_relu_backward(LENGTH, y, g, v, true);
    for (int i = 0; i < LENGTH; i++) assert_true(v[i] == (y[i] > 0 ? w[i] + g[i] : 0));
    pg_real *const all[] = {w, start, g, v, y};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) pg_free(all[i]);
}
