/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact confidence interval of a counted share. */
#ifndef PG_TESTS_INTERVAL_H
#define PG_TESTS_INTERVAL_H

#include "core/ownership/verdict.h"

/* The largest share at which k or more of n have at most this probability. */
static inline double bound(int k, int n, double probability)
{
    double low = 0, high = 1;
    while (high - low > 1e-9) {
        const double middle = (low + high) / 2;
        if (pg_binomial_tail(k, n, middle) > probability)
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* 99.9 % interval of a share (Clopper and Pearson). */
static inline void interval(int k, int n, double *low, double *high)
{
    *low = k ? bound(k, n, 0.0005) : 0;
    *high = k < n ? bound(k + 1, n, 0.9995) : 1;
}

#endif
