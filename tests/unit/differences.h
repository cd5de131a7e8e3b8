/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradients against central differences, in the double build.
 *
 * check_slope takes the difference at several steps, and the closest one counts. At a long step a ReLU or a pool may switch,
 * and at a short step rounding shows, but a wrong gradient agrees at no step. So no element has to be skipped. */
#ifndef PG_TESTS_DIFFERENCES_H
#define PG_TESTS_DIFFERENCES_H

#include "tests/unit/small_net.h"

#include <math.h>
#include <stdlib.h>

static const double tolerance = 1e-6;

static pg_rng rng;

SET_UP
{
    pg_compute_start(1);
    pg_rng_open(&rng, (pg_seed){.grid = 7, .task = "small"}, "directions", 0);
}

/* ---- differences ---- */

typedef double objective(void *context);

/* Slope of f at x along direction. */
static inline double slope(objective *f, void *context, pg_real *x, const pg_real *direction, size_t n, double step)
{
    double value[2];
    pg_real *saved;
    OK(pg_alloc(n, sizeof *saved, &saved, &err));
    memcpy(saved, x, n * sizeof *x);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < n; i++) x[i] = saved[i] + (pg_real)(side ? step : -step) * direction[i];
        value[side] = f(context);
    }
    memcpy(x, saved, n * sizeof *x);
    pg_free(saved);
    return (value[1] - value[0]) / (2 * step);
}

/* The slope must equal `expected` with an error of at most tolerance * scale. */
static inline void check_slope(const char *what, objective *f, void *context, pg_real *x, const pg_real *direction, size_t n,
                               double expected, double scale)
{
    static const double steps[] = {1e-6, 1e-7, 1e-5, 1e-4, 1e-3, 1e-8}; /* the likely ones first */
    double best = INFINITY, got = NAN;
    for (int i = 0; i < 6 && !(best <= tolerance); i++) {
        const double found = slope(f, context, x, direction, n, steps[i]), error = fabs(found - expected) / scale;
        if (error < best) {
            best = error;
            got = found;
        }
    }
    if (!(best <= tolerance)) fail_msg("%s: gradient %.12g, differences %.12g (error %.2g)", what, expected, got, best);
}

/* Check the gradient [n] of f with respect to x [n] along one random direction in which every element moves, and at two
 * elements: the largest and a random one. */
static inline void check_gradient(const char *what, objective *f, void *context, pg_real *x, const pg_real *gradient, size_t n)
{
    double squares = 0, along = 0;
    size_t largest = 0;
    pg_real *direction;
    OK(pg_alloc(n, sizeof *direction, &direction, &err));
    for (size_t i = 0; i < n; i++) {
        direction[i] = pg_rng_below(&rng, 2) ? 1 : -1;
        squares += (double)gradient[i] * (double)gradient[i];
        along += (double)direction[i] * (double)gradient[i];
        if (fabs((double)gradient[i]) > fabs((double)gradient[largest])) largest = i;
    }
    if (!(squares > 0)) fail_msg("%s: the gradient is zero", what);
    check_slope(what, f, context, x, direction, n, along, sqrt(squares));
    const size_t elements[] = {largest, (size_t)pg_rng_below(&rng, n)};
    for (int k = 0; k < 2; k++) {
        const double expected = (double)gradient[elements[k]], mean = sqrt(squares / (double)n);
        memset(direction, 0, n * sizeof *direction);
        direction[elements[k]] = 1;
        check_slope(what, f, context, x, direction, n, expected, fabs(expected) > mean ? fabs(expected) : mean);
    }
    pg_free(direction);
}

#endif
