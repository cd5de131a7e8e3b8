/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Winograd's convolution for narrow vectors beside the library's, which has the widest vectors of this processor. */
#include "core/compute/conv.h"
#include "core/compute/parallel.h"
#include "tests/unit/conv_arrays.h"

extern const pg_conv_algorithm narrow_winograd;
#define VECTOR_BYTES     16
#define pg_conv_winograd narrow_winograd
#include "core/compute/conv_winograd.c" /* NOLINT(bugprone-suspicious-include) */
#undef pg_conv_winograd

SET_UP
{
    pg_compute_start(2);
}

typedef struct trial {
    int n;
    size_t x_count, w_count, y_count;
    pg_real *x, *w, *y, *dx, *dw;
} trial;

/* y, dx and dw of random x, w and dy. The last two passes add to what is there. */
static trial run_trial(const pg_conv_shape *s, const pg_conv_algorithm *algorithm)
{
    pg_conv conv;
    trial t = {.n = 9};
    OK(pg_conv_plan(&conv, s, PG_CONV_WINOGRAD, &err));
    conv.algorithm = algorithm;
    t.x_count = (size_t)(t.n * s->height * s->width * s->channels);
    t.w_count = (size_t)(s->kernel * s->kernel * s->channels * s->filters);
    t.y_count = (size_t)(t.n * conv.out_height * conv.out_width * s->filters);
    t.x = random_array(t.x_count, "x");
    t.w = random_array(t.w_count, "w");
    t.y = random_array(t.y_count, "y");
    t.dx = random_array(t.x_count, "dx");
    t.dw = random_array(t.w_count, "dw");
    pg_real *dy = random_array(t.y_count, "dy"), *scratch = random_array(pg_conv_scratch(&conv, t.n) + 1, "scratch");
    pg_conv_forward(&conv, t.n, t.x, t.w, t.y, scratch);
    pg_conv_backward(&conv, t.n, t.x, t.w, &(pg_conv_grads){.dy = dy, .dx = t.dx, .add = true, .dw = t.dw}, scratch);
    pg_free(scratch);
    pg_free(dy);
    return t;
}

static void close_trial(trial *t)
{
    pg_real *const all[] = {t->x, t->w, t->y, t->dx, t->dw};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) pg_free(all[i]);
}

TEST(winograd_gives_the_same_bytes_for_any_width_of_vectors)
{
    const pg_conv_shape shapes[] = {{12, 9, 24, 70, 5, 1, 2, 1},
                                    {9, 9, 70, 37, 3, 1, 1, 1},
                                    {15, 15, 3, 20, 3, 2, 1, 1},
                                    {8, 8, 130, 64, 3, 2, 1, 1},
                                    {16, 16, 5, 7, 3, 1, 1, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        trial narrow = run_trial(&shapes[i], &narrow_winograd), wide = run_trial(&shapes[i], &pg_conv_winograd);
        assert_memory_equal(narrow.y, wide.y, wide.y_count * sizeof *wide.y);
        assert_memory_equal(narrow.dx, wide.dx, wide.x_count * sizeof *wide.dx);
        assert_memory_equal(narrow.dw, wide.dw, wide.w_count * sizeof *wide.dw);
        close_trial(&narrow);
        close_trial(&wide);
    }
}
