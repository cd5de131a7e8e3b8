/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Named random streams; see random.h. splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014. */
#include "core/base/random.h"

#include "core/base/hash.h"

#include <gsl/gsl_randist.h>
#include <string.h>

static uint64_t next(void *at)
{
    pg_rng_state *s = at;
    uint64_t z = s->key + ++s->position * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void set_key(void *at, unsigned long seed)
{
    *(pg_rng_state *)at = (pg_rng_state){.key = seed};
}

static unsigned long get_word(void *at)
{
    return (unsigned long)(next(at) >> 32);
}

static double get_uniform(void *at)
{
    return (double)(next(at) >> 11) * 0x1p-53;
}

static const gsl_rng_type type = {
    .name = "passgrid-splitmix64",
    .max = 0xFFFFFFFFUL,
    .min = 0,
    .size = sizeof(pg_rng_state),
    .set = set_key,
    .get = get_word,
    .get_double = get_uniform,
};
const gsl_rng_type *const pg_rng_type = &type;

void pg_rng_open(pg_rng *rng, pg_seed seed, const char *purpose, uint64_t epoch)
{
    pg_hash hash;
    unsigned char digest[PG_SHA256_BYTES];
    pg_hash_start(&hash);
    pg_hash_add_u64(&hash, seed.grid);
    pg_hash_add_text(&hash, seed.task);
    pg_hash_add_text(&hash, purpose);
    pg_hash_add_u64(&hash, epoch);
    pg_hash_finish(&hash, digest);
    rng->gsl = (gsl_rng){.type = &type, .state = &rng->state};
    rng->state.position = 0;
    rng->state.key = 0;
    for (int i = 0; i < 8; i++) rng->state.key = rng->state.key << 8 | digest[i];
}

uint64_t pg_rng_below(pg_rng *rng, uint64_t n)
{
    const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t value;
    do value = next(&rng->state);
    while (value >= limit);
    return value % n;
}

double pg_rng_uniform(pg_rng *rng)
{
    return get_uniform(&rng->state);
}

double pg_rng_normal(pg_rng *rng)
{
    return gsl_ran_gaussian_ziggurat(&rng->gsl, 1.0);
}

void pg_rng_permutation(pg_rng *rng, uint32_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        const size_t j = (size_t)pg_rng_below(rng, i);
        const uint32_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}
