/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random streams: named, resumable, and of the right distribution. */
#include "core/base/random.h"
#include "tests/unit/test.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

enum { DRAWS = 8 };

static void draw(uint64_t grid, const char *task, const char *purpose, uint64_t epoch, uint64_t out[DRAWS])
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){grid, task}, purpose, epoch);
    for (int i = 0; i < DRAWS; i++) out[i] = pg_rng_below(&rng, UINT64_MAX);
}

TEST(each_name_has_its_own_random_stream)
{
    /* the last two have the letters of the second and third, divided at another place */
    static const struct {
        uint64_t grid;
        const char *task, *purpose;
        uint64_t epoch;
    } names[] = {{7, "task", "order", 3}, {8, "task", "order", 3}, {7, "tasks", "order", 3}, {7, "task", "crop", 3},
                 {7, "task", "order", 4}, {8, "tas", "korder", 3}, {7, "task", "sorder", 3}};
    enum { NAMES = sizeof names / sizeof *names };
    uint64_t numbers[NAMES][DRAWS], again[DRAWS];
    for (int i = 0; i < NAMES; i++) draw(names[i].grid, names[i].task, names[i].purpose, names[i].epoch, numbers[i]);
    for (int i = 0; i < NAMES; i++) {
        draw(names[i].grid, names[i].task, names[i].purpose, names[i].epoch, again);
        assert_memory_equal(again, numbers[i], sizeof again);
        for (int j = 0; j < i; j++)
            for (int k = 0; k < DRAWS; k++) assert_true(numbers[i][k] != numbers[j][k]);
    }
}

/* The published first outputs for seed 1234567. gsl_rng_get gives their upper halves. */
TEST(numbers_are_those_of_splitmix64)
{
    static const uint64_t expected[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                        UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                        UINT64_C(16408922859458223821)};
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = ""}, "", 0);
    gsl_rng_set(&rng.gsl, 1234567);
    for (int i = 0; i < 5; i++) assert_true(gsl_rng_get(&rng.gsl) == expected[i] >> 32);
    gsl_rng_set(&rng.gsl, 1234567);
    for (int i = 0; i < 5; i++) assert_true(pg_rng_below(&rng, UINT64_MAX) == expected[i]);
}

TEST(a_stream_resumes_at_its_position)
{
    pg_rng rng, resumed;
    double expected[DRAWS];
    pg_rng_open(&rng, (pg_seed){1, "task"}, "noise", 0);
    for (int i = 0; i < 100; i++) (void)pg_rng_normal(&rng);
    const uint64_t position = rng.state.position;
    for (int i = 0; i < DRAWS; i++) expected[i] = pg_rng_normal(&rng);
    pg_rng_open(&resumed, (pg_seed){1, "task"}, "noise", 0);
    assert_true(resumed.state.position == 0);
    resumed.state.position = position;
    for (int i = 0; i < DRAWS; i++) {
        const double value = pg_rng_normal(&resumed);
        assert_memory_equal(&value, &expected[i], sizeof value);
    }
    assert_true(resumed.state.position == rng.state.position);
}

/* Mean and variance of n draws are within five standard errors of what they should be (kurtosis at most 9). */
static void assert_moments(const char *what, double (*one)(pg_rng *rng), double mean, double variance)
{
    enum { N = 20000 };
    pg_rng rng;
    double sum = 0, squares = 0;
    pg_rng_open(&rng, (pg_seed){2, "moments"}, what, 0);
    for (int i = 0; i < N; i++) {
        const double value = one(&rng) - mean;
        sum += value;
        squares += value * value;
    }
    if (fabs(sum / N) > 5 * sqrt(variance / N)) fail_msg("%s: mean %g, expected %g", what, sum / N + mean, mean);
    if (fabs(squares / N - variance) > 5 * variance * sqrt(8.0 / N))
        fail_msg("%s: variance %g, expected %g", what, squares / N, variance);
}

static double one_gaussian(pg_rng *rng)
{
    return gsl_ran_gaussian(&rng->gsl, 2.5);
}

static double one_exponential(pg_rng *rng)
{
    return gsl_ran_exponential(&rng->gsl, 3.0);
}

static double one_binomial(pg_rng *rng)
{
    return gsl_ran_binomial(&rng->gsl, 0.3, 50);
}

static double one_below(pg_rng *rng)
{
    return (double)pg_rng_below(rng, 7);
}

static double one_integer(pg_rng *rng)
{
    return (double)gsl_rng_uniform_int(&rng->gsl, 7);
}

TEST(draws_have_the_moments_of_their_distributions)
{
    assert_moments("uniform", pg_rng_uniform, 0.5, 1 / 12.0);
    assert_moments("normal", pg_rng_normal, 0, 1);
    assert_moments("below", one_below, 3, 4);
    assert_moments("integer", one_integer, 3, 4);
    assert_moments("gaussian", one_gaussian, 0, 6.25);
    assert_moments("exponential", one_exponential, 3, 9);
    assert_moments("binomial", one_binomial, 15, 10.5);
}

TEST(draws_stay_in_their_range_and_fill_it)
{
    pg_rng rng;
    int seen[7] = {0};
    pg_rng_open(&rng, (pg_seed){3, "ranges"}, "", 0);
    for (int i = 0; i < 1000; i++) {
        const double u = pg_rng_uniform(&rng);
        const uint64_t below = pg_rng_below(&rng, 7);
        assert_true(u >= 0 && u < 1);
        assert_true(below < 7);
        seen[below]++;
        assert_true(pg_rng_below(&rng, 1) == 0);
    }
    for (int i = 0; i < 7; i++) assert_true(seen[i] > 0);
}

/* All 24 orders of four things occur, and no count is further than five deviations from its mean. */
TEST(every_permutation_is_equally_likely)
{
    enum { N = 24000 };
    pg_rng rng;
    int seen[256] = {0}, kinds = 0;
    uint32_t order[4];
    pg_rng_open(&rng, (pg_seed){4, "permutation"}, "", 0);
    for (int i = 0; i < N; i++) {
        unsigned digits = 0, there = 0;
        pg_rng_permutation(&rng, order, 4);
        for (int k = 0; k < 4; k++) {
            assert_true(order[k] < 4);
            digits = digits * 4 + order[k];
            there |= 1u << order[k];
        }
        assert_int_equal(there, 15);
        seen[digits]++;
    }
    for (int i = 0; i < 256; i++) {
        if (seen[i] == 0) continue;
        kinds++;
        assert_true(abs(seen[i] - N / 24) < 5 * sqrt(N / 24.0));
    }
    assert_int_equal(kinds, 24);
    const uint64_t position = rng.state.position;
    pg_rng_permutation(&rng, order, 0);
    assert_true(rng.state.position == position);
}
