/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A permutation test of trigger labels.
 *
 * Guessing is the wrong null for a network that answers only a few of its classes: labels that all name the class that it
 * always answers are always right. If a claimant's labels mean something, they agree with the answers better than the same
 * labels in another order. */
#ifndef PG_OWNERSHIP_PERMUTATION_H
#define PG_OWNERSHIP_PERMUTATION_H

#include "core/base/random.h"
#include "core/base/status.h"

/* (1 + r) / (1 + draws). r is the number of random orders of labels [n] that agree with answers [n] in at least as many places
 * as the labels in their own order do. */
PG_CHECKED pg_status pg_permuted_labels(int n, const int32_t *answers, const int32_t *labels, int draws, uint64_t seed,
                                        double *p_value, pg_error *err);

#endif
