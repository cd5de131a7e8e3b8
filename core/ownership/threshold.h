/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thresholds from null models: the agreement that networks without a mark reach by chance. Fresh evidence, made in the owner's
 * way, is read from networks that were trained independently and without a mark. Each reading of L bits or triggers gives a
 * count of those that agree. With m the mean of the counts and s their population deviation,
 *
 *     T(L) = m + z s,   z the normal quantile with `level` above it,   theta = T(L) / L,
 *
 * and evidence of length L is found if the share that agrees is above theta. If all counts are equal, T(L) = m. Source:
 * the decision thresholds of Lukas, Jiang, Li, Kerschbaum, "SoK: How Robust is Image Classification Deep Neural Network
 * Watermarking?", IEEE S&P 2022; their code looks for T(L) among 1000 points and has none where s = 0. */
#ifndef PG_OWNERSHIP_THRESHOLD_H
#define PG_OWNERSHIP_THRESHOLD_H

#include <stddef.h>

typedef struct pg_threshold {
    double mean, deviation; /* of the counts */
    double count, share;    /* T(L) and theta; above L and 1 if no evidence of this length can be found */
} pg_threshold;

/* From counts[n], n >= 1, of evidence of a length >= 1. */
pg_threshold pg_threshold_find(const double *counts, size_t n, int length, double level);

/* Shares on one scale whatever the scheme: theta becomes 1/2, 1 stays 1, and negative values become 0. If theta is 1 or more,
 * nothing is ever found and all shares become 0. */
double pg_threshold_rescale(double theta, double share);

#endif
