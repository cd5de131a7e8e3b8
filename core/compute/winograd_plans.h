/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matrices of Winograd's transforms, for conv_winograd.c: one plan for each kernel size and stride that it supports. */
#ifndef PG_COMPUTE_WINOGRAD_PLANS_H
#define PG_COMPUTE_WINOGRAD_PLANS_H

#include "core/compute/winograd_transform.h"

enum { OUT = 4 }; /* a tile makes 4x4 outputs */

/* Everything specific to one kernel size and stride. The columns of B' are the pixels of a tile along a side, in the order of
 * `pixel`. The columns of G are the taps, in the order of `tap`. If G has fewer rows than B' and A, its last row stands for all
 * that follow. */
typedef struct kernel_plan {
    int kernel, stride, pad;
    int size, pairs; /* T; pairs of points p and -p */
    matrix b, a, g;  /* B' [T,T], A [T,4], G [T,R] */
    int pixel[T_MAX], tap[TAPS_MAX];
} kernel_plan;

#define R(x) ((pg_real)(x))
static const kernel_plan plan_3x3 = {
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
static const kernel_plan plan_3x3_stride2 = {
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
static const kernel_plan plan_5x5 = {
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

static const kernel_plan *const kernel_plans[] = {&plan_3x3, &plan_3x3_stride2, &plan_5x5};

/* Run `call` with k the plan as a constant that the compiler knows, so that it can unroll over the coefficients. */
#define WITH_KERNEL_PLAN(plan, call)                                                                                           \
    do {                                                                                                                       \
        if ((plan) == &plan_3x3) {                                                                                             \
            const kernel_plan *const k = &plan_3x3;                                                                            \
            call;                                                                                                              \
        } else if ((plan) == &plan_3x3_stride2) {                                                                              \
            const kernel_plan *const k = &plan_3x3_stride2;                                                                    \
            call;                                                                                                              \
        } else {                                                                                                               \
            const kernel_plan *const k = &plan_5x5;                                                                            \
            call;                                                                                                              \
        }                                                                                                                      \
    } while (0)

#endif
