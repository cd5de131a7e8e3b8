/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random arrays for tests of convolutions. */
#ifndef PG_TESTS_CONV_ARRAYS_H
#define PG_TESTS_CONV_ARRAYS_H

#include "core/base/memory.h"
#include "core/base/random.h"
#include "tests/unit/test.h"

/* `count` values in [-1, 1), the same for the same count and purpose. Released by pg_free. */
static inline pg_real *random_array(size_t count, const char *purpose)
{
    pg_real *out;
    pg_rng rng;
    OK(pg_alloc(count, sizeof *out, &out, &err));
    pg_rng_open(&rng, (pg_seed){.task = "conv"}, purpose, count);
    for (size_t i = 0; i < count; i++) out[i] = (pg_real)(2 * pg_rng_uniform(&rng) - 1);
    return out;
}

#endif
