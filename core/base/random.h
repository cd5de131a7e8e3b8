/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Named random streams.
 *
 * A stream is a counter-based generator: splitmix64, whose output i is a mix of key + i * golden ratio. Its position is one
 * number. It is registered as a gsl_rng_type, so every distribution of GSL works with it. The key is a hash of (grid seed, task
 * key, purpose, epoch); a stream never depends on rank, time, process id or order of work. */
#ifndef PG_BASE_RANDOM_H
#define PG_BASE_RANDOM_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

extern const gsl_rng_type *const pg_rng_type;

typedef struct pg_rng_state {
    uint64_t key, position;
} pg_rng_state;

/* Initialise with pg_rng_open, then use &stream.gsl with gsl_rng_* and gsl_ran_*. Do not copy it: gsl points to state. */
typedef struct pg_rng {
    gsl_rng gsl;
    pg_rng_state state;
} pg_rng;

/* The first two parts of a stream's key. task is borrowed and must outlive the seed. */
typedef struct pg_seed {
    uint64_t grid;
    const char *task;
} pg_seed;

/* Open the stream (seed, purpose, epoch) at position 0. */
void pg_rng_open(pg_rng *rng, pg_seed seed, const char *purpose, uint64_t epoch);

/* Uniform integer in [0, n), n >= 1, without modulo bias; uniform real in [0, 1); standard normal. */
uint64_t pg_rng_below(pg_rng *rng, uint64_t n);
double pg_rng_uniform(pg_rng *rng);
double pg_rng_normal(pg_rng *rng);

/* Random order of 0 .. n-1 into order[n] (Fisher-Yates). */
void pg_rng_permutation(pg_rng *rng, uint32_t *order, size_t n);

#endif
