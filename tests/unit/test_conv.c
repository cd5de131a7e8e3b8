/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolutions: every algorithm against the definition, over odd sizes; adjoints; equal bytes for any number of threads. */
#include "core/compute/conv.h"
#include "core/compute/parallel.h"
#include "tests/unit/conv_arrays.h"

#include <math.h>

/* One convolution with random arrays. */
typedef struct trial {
    pg_conv_shape shape;
    int n;
    bool add; /* the gradient of the images is added to what trial_open put there */
    size_t x_count, w_count, y_count;
    pg_real *x, *w, *y, *dy, *dx, *dw;
} trial;

SET_UP
{
    pg_compute_start(2);
}

static trial trial_open(const pg_conv_shape *s, int n)
{
    const int oh = (s->height + 2 * s->pad - s->kernel) / s->stride + 1,
              ow = (s->width + 2 * s->pad - s->kernel) / s->stride + 1;
    trial t = {.shape = *s, .n = n};
    t.x_count = (size_t)(n * s->height * s->width * s->channels);
    t.w_count = (size_t)(s->kernel * s->kernel * (s->channels / s->groups) * s->filters);
    t.y_count = (size_t)(n * oh * ow * s->filters);
    t.x = random_array(t.x_count, "x");
    t.w = random_array(t.w_count, "w");
    t.dy = random_array(t.y_count, "dy");
    t.y = random_array(t.y_count, "y");
    t.dx = random_array(t.x_count, "dx");
    t.dw = random_array(t.w_count, "dw");
    return t;
}

static void trial_close(trial *t)
{
    pg_real *const all[] = {t->x, t->w, t->dy, t->y, t->dx, t->dw};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) pg_free(all[i]);
}

/* Runs both passes. dw starts as trial_open left it, because backward adds to it. Returns the algorithm's name. */
static const char *run(trial *t, pg_conv_choice choice)
{
    pg_conv conv;
    pg_real *scratch;
    OK(pg_conv_plan(&conv, &t->shape, choice, &err));
    OK(pg_alloc(pg_conv_scratch(&conv, t->n) + 1, sizeof *scratch, &scratch, &err));
    pg_conv_forward(&conv, t->n, t->x, t->w, t->y, scratch);
    pg_conv_backward(&conv, t->n, t->x, t->w, &(pg_conv_grads){.dy = t->dy, .dx = t->dx, .add = t->add, .dw = t->dw}, scratch);
    pg_free(scratch);
    return conv.algorithm->name;
}

static double largest(size_t count, const pg_real *a)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs((double)a[i]));
    return most;
}

static double distance(size_t count, const pg_real *a, const pg_real *b)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most / fmax(largest(count, b), 1e-30);
}

/* The definition, straight from its formula, in long double. */
static long double forward_at(const trial *t, int image, int oy, int ox, int k)
{
    const pg_conv_shape *s = &t->shape;
    const int depth = s->channels / s->groups, first = k / (s->filters / s->groups) * depth;
    long double sum = 0;
    for (int i = 0; i < s->kernel; i++)
        for (int j = 0; j < s->kernel; j++)
            for (int c = 0; c < depth; c++) {
                const int y = oy * s->stride + i - s->pad, x = ox * s->stride + j - s->pad;
                if (y < 0 || x < 0 || y >= s->height || x >= s->width) continue;
                sum += (long double)t->x[((image * s->height + y) * s->width + x) * s->channels + first + c] *
                       (long double)t->w[((i * s->kernel + j) * depth + c) * s->filters + k];
            }
    return sum;
}

static void check_formula(const pg_conv_shape *s, const char *algorithm)
{
    trial t = trial_open(s, 2);
    assert_string_equal(run(&t, PG_CONV_DIRECT), algorithm);
    const int oh = (s->height + 2 * s->pad - s->kernel) / s->stride + 1;
    const int ow = (s->width + 2 * s->pad - s->kernel) / s->stride + 1;
    const long double bound = sizeof(pg_real) == sizeof(double) || s->groups == 1 ? 1e-7L : 1e-6L;
    for (size_t at = 0; at < t.y_count; at++) {
        const int k = (int)at % s->filters, pixel = (int)at / s->filters;
        const long double exact = forward_at(&t, pixel / ow / oh, pixel / ow % oh, pixel % ow, k);
        assert_true(fabsl((long double)t.y[at] - exact) <= bound * (1 + fabsl(exact)));
    }
    trial_close(&t);
}

TEST(the_direct_form_follows_the_formula)
{
    const pg_conv_shape shapes[] = {
        {5, 7, 3, 4, 3, 1, 1, 1}, {6, 5, 2, 70, 5, 2, 2, 1}, {4, 4, 3, 2, 1, 2, 0, 1}, {5, 5, 1, 1, 5, 1, 0, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_formula(&shapes[i], "direct");
}

/* Depthwise, with several filters for each channel, and groups of several channels. */
static const pg_conv_shape grouped[] = {{5, 7, 20, 20, 3, 1, 1, 20},
                                        {6, 5, 9, 9, 5, 2, 2, 9},
                                        {6, 5, 4, 12, 3, 1, 1, 4},
                                        {5, 4, 12, 8, 3, 2, 1, 4},
                                        {4, 4, 6, 34, 1, 1, 0, 2}};
enum { GROUPED = sizeof grouped / sizeof *grouped };

TEST(groups_follow_the_formula)
{
    for (int i = 0; i < GROUPED; i++) check_formula(&grouped[i], "grouped");
}

/* <dy, conv(x, w)> = <dx, x> = <dw, w>. */
static void check_adjoints(const pg_conv_shape *s)
{
    trial t = trial_open(s, 3);
    memset(t.dw, 0, t.w_count * sizeof *t.dw);
    run(&t, PG_CONV_DIRECT);
    const double bound = sizeof(pg_real) == sizeof(double) || s->groups == 1 ? 1e-7 : 1e-6;
    double forward = 0, images = 0, weights = 0, scale = 0;
    for (size_t j = 0; j < t.y_count; j++) forward += (double)t.dy[j] * (double)t.y[j];
    for (size_t j = 0; j < t.y_count; j++) scale += fabs((double)t.dy[j] * (double)t.y[j]);
    for (size_t j = 0; j < t.x_count; j++) images += (double)t.dx[j] * (double)t.x[j];
    for (size_t j = 0; j < t.w_count; j++) weights += (double)t.dw[j] * (double)t.w[j];
    assert_true(fabs(forward - images) <= bound * scale);
    assert_true(fabs(forward - weights) <= bound * scale);
    trial_close(&t);
}

TEST(gradients_are_the_adjoints_of_the_forward_pass)
{
    const pg_conv_shape shapes[] = {
        {9, 7, 5, 6, 3, 1, 1, 1}, {8, 8, 4, 3, 3, 2, 1, 1}, {7, 10, 3, 5, 5, 1, 2, 1}, {6, 6, 4, 8, 1, 2, 0, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_adjoints(&shapes[i]);
    for (int i = 0; i < GROUPED; i++) check_adjoints(&grouped[i]);
}

/* Backward adds the gradient of the images to what is there. */
TEST(a_gradient_is_added_to_what_is_there)
{
    const pg_conv_shape shapes[] = {{6, 5, 3, 4, 3, 2, 1, 1}, grouped[0], grouped[3]};
    for (int k = 0; k < 3; k++) {
        const pg_conv_shape shape = shapes[k];
        trial alone = trial_open(&shape, 2), sum = trial_open(&shape, 2), start = trial_open(&shape, 2);
        sum.add = true;
        run(&alone, PG_CONV_DIRECT);
        run(&sum, PG_CONV_DIRECT);
        for (size_t e = 0; e < start.x_count; e++) start.dx[e] += alone.dx[e];
        assert_true(distance(start.x_count, sum.dx, start.dx) < 1e-6);
        trial_close(&alone);
        trial_close(&sum);
        trial_close(&start);
    }
}

/* An algorithm against the definition; the bounds are of the largest element. */
static void compare(const pg_conv_shape *shape, int n, pg_conv_choice choice, const char *name, double bound)
{
    trial exact = trial_open(shape, n), fast = trial_open(shape, n);
    exact.add = fast.add = n % 2;
    run(&exact, PG_CONV_DIRECT);
    assert_string_equal(run(&fast, choice), name);
    const double y = distance(exact.y_count, fast.y, exact.y), dx = distance(exact.x_count, fast.dx, exact.dx),
                 dw = distance(exact.w_count, fast.dw, exact.dw);
    if (!(y <= bound && dx <= bound && dw <= bound))
        fail_msg("%s, %dx%d %d->%d kernel %d stride %d pad %d, batch %d: off by %.2g %.2g %.2g", name, shape->height,
                 shape->width, shape->channels, shape->filters, shape->kernel, shape->stride, shape->pad, n, y, dx, dw);
    trial_close(&exact);
    trial_close(&fast);
}

/* Sizes drawn at random, the same in every run of the test. */
static int draw(pg_rng *rng, int least, int most)
{
    return least + (int)(pg_rng_uniform(rng) * (most - least + 1));
}

TEST(im2col_equals_the_direct_form)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "conv"}, "im2col", 0);
    for (int i = 0; i < 60; i++) {
        const int kernel = draw(&rng, 1, 5);
        const pg_conv_shape shape = {draw(&rng, kernel, 19),
                                     draw(&rng, kernel, 19),
                                     draw(&rng, 1, 37),
                                     draw(&rng, 1, 37),
                                     kernel,
                                     draw(&rng, 1, 3),
                                     draw(&rng, 0, kernel),
                                     1};
        compare(&shape, draw(&rng, 1, 7), PG_CONV_IM2COL, "im2col", 2e-6);
    }
}

TEST(winograd_equals_the_direct_form)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "conv"}, "winograd", 0);
    for (int i = 0; i < 90; i++) {
        const int kernel = i % 3 ? 3 : 5, stride = i % 3 == 2 ? 2 : 1;
        const pg_conv_shape shape = {
            draw(&rng, 1, 21), draw(&rng, 1, 21), draw(&rng, 1, 90), draw(&rng, 1, 90), kernel, stride, kernel / 2, 1};
        if (shape.height + 2 * shape.pad < kernel || shape.width + 2 * shape.pad < kernel) continue;
        compare(&shape, draw(&rng, 1, 70) % 9 + 1, PG_CONV_WINOGRAD, "winograd", 3e-5);
    }
    /* More images than a block of tiles holds, so that the last block is cut short; few panels of channels, and many. */
    const pg_conv_shape few = {8, 8, 33, 17, 3, 1, 1, 1}, many = {8, 8, 200, 17, 3, 1, 1, 1};
    compare(&few, 150, PG_CONV_WINOGRAD, "winograd", 3e-5);
    compare(&many, 70, PG_CONV_WINOGRAD, "winograd", 3e-5);
}

TEST(the_faster_form_is_chosen_by_shape)
{
    static const struct {
        pg_conv_shape shape;
        const char *winograd, *chosen;
    } cases[] = {
        {{32, 32, 3, 64, 5, 1, 2, 1}, "winograd", "im2col"},    {{16, 16, 64, 192, 5, 1, 2, 1}, "winograd", "winograd"},
        {{8, 8, 192, 384, 3, 1, 1, 1}, "winograd", "winograd"}, {{32, 32, 64, 128, 3, 2, 1, 1}, "winograd", "winograd"},
        {{8, 8, 64, 64, 3, 1, 0, 1}, "im2col", "im2col"},       {{8, 8, 64, 64, 1, 1, 0, 1}, "im2col", "im2col"},
        {{3, 3, 64, 64, 3, 1, 1, 1}, "winograd", "winograd"},   {{2, 2, 64, 64, 3, 1, 1, 1}, "winograd", "im2col"},
        {{4, 4, 64, 64, 3, 2, 1, 1}, "winograd", "im2col"},     {{1, 1, 64, 64, 5, 1, 2, 1}, "winograd", "im2col"},
    };
    pg_conv conv;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OK(pg_conv_plan(&conv, &cases[i].shape, PG_CONV_WINOGRAD, &err));
        assert_string_equal(conv.algorithm->name, cases[i].winograd);
        OK(pg_conv_plan(&conv, &cases[i].shape, PG_CONV_AUTO, &err));
        assert_string_equal(conv.algorithm->name, cases[i].chosen);
    }
    const pg_conv_shape bad[] = {{2, 2, 1, 1, 5, 1, 1, 1}, {0, 4, 1, 1, 3, 1, 1, 1}, {4, 4, 1, 1, 3, 0, 1, 1},
                                 {4, 4, 1, 0, 3, 1, 1, 1}, {4, 4, 6, 4, 3, 1, 1, 4}, {4, 4, 4, 6, 3, 1, 1, 4}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(pg_conv_plan(&conv, &bad[i], PG_CONV_AUTO, &err), PG_BAD_INPUT);
}

TEST(every_form_gives_the_same_bytes_on_any_number_of_threads)
{
    const pg_conv_shape shapes[] = {{16, 16, 24, 40, 5, 1, 2, 1},
                                    {9, 9, 70, 80, 3, 1, 1, 1},
                                    {15, 15, 12, 20, 3, 2, 1, 1},
                                    {17, 17, 194, 4, 3, 1, 1, 1},
                                    {15, 15, 24, 24, 3, 1, 1, 24}};
    static const pg_conv_choice choices[] = {PG_CONV_DIRECT, PG_CONV_IM2COL, PG_CONV_WINOGRAD};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t c = 0; c < sizeof choices / sizeof *choices; c++) {
            pg_compute_start(1);
            trial one = trial_open(&shapes[i], 21);
            run(&one, choices[c]);
            for (int threads = 2; threads <= 5; threads++) {
                pg_compute_start(threads);
                trial more = trial_open(&shapes[i], 21);
                run(&more, choices[c]);
                assert_memory_equal(one.y, more.y, one.y_count * sizeof *one.y);
                assert_memory_equal(one.dx, more.dx, one.x_count * sizeof *one.dx);
                assert_memory_equal(one.dw, more.dw, one.w_count * sizeof *one.dw);
                trial_close(&more);
            }
            trial_close(&one);
        }
    pg_compute_start(2);
}
