/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A permutation test of trigger labels; see permutation.h. */
#include "core/ownership/permutation.h"

#include "core/base/memory.h"

#include <string.h>

static int agreeing(int n, const int32_t *a, const int32_t *b)
{
    int count = 0;
    for (int i = 0; i < n; i++) count += a[i] == b[i];
    return count;
}

static void shuffle(pg_rng *rng, int n, int32_t *values)
{
    for (int i = n - 1; i > 0; i--) {
        const int j = (int)pg_rng_below(rng, (uint64_t)i + 1);
        const int32_t value = values[i];
        values[i] = values[j];
        values[j] = value;
    }
}

pg_status pg_permuted_labels(int n, const int32_t *answers, const int32_t *labels, int draws, uint64_t seed, double *p_value,
                             pg_error *err)
{
    int32_t *order = NULL;
    pg_rng rng;
    int reached = 0;
    const int agree = agreeing(n, answers, labels);
    const pg_status status = pg_alloc((size_t)n, sizeof *order, &order, err);
    if (status != PG_OK) return status;
    memcpy(order, labels, (size_t)n * sizeof *order);
    pg_rng_open(&rng, (pg_seed){.grid = seed, .task = "judge"}, "permuted labels", 0);
    for (int i = 0; i < draws; i++) {
        shuffle(&rng, n, order);
        reached += agreeing(n, answers, order) >= agree;
    }
    *p_value = (1.0 + reached) / (1.0 + draws);
    pg_free(order);
    return PG_OK;
}
