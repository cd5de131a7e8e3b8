/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of watermarks: fresh ones, resumed training, saved and loaded evidence. */
#include "core/base/file.h"
#include "tests/unit/watermark.h"

#include <gsl/gsl_statistics.h>

/* ---- fresh keys ---- */

/* The share q at which n draws give k or more with probability p. */
static double share_at(int k, int n, double p)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        const double q = (low + high) / 2;
        *(pg_binomial_tail(k, n, q) < p ? &low : &high) = q;
    }
    return low;
}

/* Keys that were never embedded. The exact (Clopper-Pearson) 95 % interval of the share that is accepted does not lie above the
 * level: where p-values are exact, the share itself lies above it as often as below. */
static void try_keys(const owner *unmarked, int keys, const char *scheme, const char *yaml)
{
    static const double levels[] = {0.05, 0.01, 1e-3};
    int accepted[3] = {0};
    owner o = owner_wire(scheme, yaml);
    pg_judge *keeper = NULL;
    pg_dataset few;
    OK(pg_dataset_subset(&data.test, 4, &few, &err)); /* accuracy is not what is tested */
    pg_verify_options options = verify_options;
    options.nulls = 50;
    const pg_judge_setup setup = {.model = unmarked->model, .test = &few, .options = &options};
    OK(pg_judge_create(&setup, &keeper, &err));
    for (int key = 0; key < keys; key++) {
        pg_finding f;
        pg_evidence *evidence = key_of(&o, (pg_seed){.grid = (uint64_t)key, .task = "fresh key"});
        OK(pg_judge_claim(keeper, evidence, &f, &err));
        for (int i = 0; i < 3; i++) accepted[i] += f.p_value <= levels[i];
        pg_evidence_destroy(&evidence);
    }
    for (int i = 0; i < 3; i++) {
        const int k = accepted[i];
        const double low = k ? share_at(k, keys, 0.025) : 0, high = k < keys ? share_at(k + 1, keys, 0.975) : 1;
        printf("%s %s, level %g: %d of %d keys accepted, %.2f %% [%.2f, %.2f]\n", scheme, yaml, levels[i], k, keys,
               100.0 * k / keys, 100 * low, 100 * high);
        assert_true(low <= levels[i]);
    }
    pg_judge_destroy(&keeper);
    pg_dataset_clear(&few);
    owner_destroy(&o);
}

TEST(fresh_keys_are_accepted_no_more_often_than_the_level)
{
    if (in_double) skip("the float build suffices");
    owner plain = owner_create("plain", "{}");
    train(&plain, 3);
    try_keys(&plain, 1000, "uchida", "{bits: 64}");
    try_keys(&plain, 400, "uchida", "{bits: 64, projection: direct}");
    try_keys(&plain, 400, "uchida", "{bits: 64, projection: diff}");
    try_keys(&plain, 3000, "neuralmark", "{bits: 64, rounds: 2, pooled: 64}");
    try_keys(&plain, 1000, "greedy", "{bits: 64, row: 20}");
    try_keys(&plain, 400, "deepmarks", "{bits: 64}");
    try_keys(&plain, 400, "deepmarks", "{bits: 64, matrix: centred}");
    try_keys(&plain, 400, "stdm", "{bits: 64}");
    try_keys(&plain, 1000, "laplacian", "{bits: 64, spread: 10}");
    try_keys(&plain, 50, "deepsigns", "{bits: 60, trigger_count: 30}");
    try_keys(&plain, 400, "adi", "{trigger_count: 10}"); /* 4, 5 or 6 right answers suffice: in truth 1.3, 0.16 and 0.015 % */
    owner_destroy(&plain);
}

/* ---- the same bytes ---- */

/* Also in the middle of an epoch or of a sweep over the triggers, and with more threads. */
TEST(training_resumes_after_any_step_to_the_same_bytes)
{
    enum { STEPS = 4 };
    enum { RUNS = 4 };
    static const char *const runs[RUNS][2] = {{"uchida", "{bits: 32}"},
                                              {"adi", "{trigger_count: 5}"},
                                              {"adi", "{trigger_count: 5, order: shuffle}"},
                                              {"neuralmark", "{bits: 64, rounds: 2, pooled: 64}"}};
    const pg_train_options options = test_training(2, 32);
    char weights[RUNS][PG_SHA256_HEX];
    for (int r = 0; r < RUNS; r++) {
        owner o = owner_create(runs[r][0], runs[r][1]);
        pg_trainer *trainer = trainer_of(&o, &options);
        for (int k = 1; k <= STEPS; k++) {
            OK(pg_trainer_step(trainer, &err));
            OK(pg_trainer_save(trainer, test_path("step", k), &err));
        }
        pg_sha256(o.model->params, o.model->param_count * sizeof *o.model->params, weights[r]);
        pg_trainer_destroy(&trainer);
        owner_destroy(&o);
        for (int k = 0; k < STEPS; k++) {
            pg_compute_start(1 + k % 3);
            o = owner_create(runs[r][0], runs[r][1]);
            trainer = trainer_of(&o, &options);
            if (k) OK(pg_trainer_load(trainer, test_path("step", k), &err));
            while (!pg_trainer_done(trainer)) OK(pg_trainer_step(trainer, &err));
            OK(pg_trainer_save(trainer, test_path("resumed", k), &err));
            assert_same_file(test_path("resumed", k), test_path("step", STEPS));
            pg_trainer_destroy(&trainer);
            owner_destroy(&o);
        }
        pg_compute_start(1);
    }
    assert_string_not_equal(weights[1], weights[2]); /* the order of the triggers matters */
}

TEST(a_key_is_read_back_and_follows_from_its_seed)
{
    static const char *const keys[][2] = {
        {"uchida", "{bits: 40}"}, {"adi", "{trigger_count: 3}"}, {"neuralmark", "{bits: 64, rounds: 2, pooled: 128}"}};
    for (int i = 0; i < 3; i++) {
        owner o = owner_create(keys[i][0], keys[i][1]);
        pg_evidence *loaded = NULL, *clone = NULL, *other = key_of(&o, (pg_seed){2, "another"}), *again = key_of(&o, o.seed);
        OK(pg_evidence_save(o.evidence, test_path("key", i), &err));
        OK(pg_evidence_load(test_path("key", i), &loaded, &err));
        OK(pg_evidence_clone(loaded, &clone, &err));
        assert_string_equal(loaded->scheme, keys[i][0]);
        assert_string_equal(loaded->kind, o.evidence->kind);
        assert_true(pg_evidence_alike(loaded, o.evidence));
        assert_same_commitment(loaded, o.evidence, true);
        assert_same_commitment(clone, o.evidence, true);
        assert_same_commitment(again, o.evidence, true);
        assert_same_commitment(other, o.evidence, false);
        if (i == 0) {
            assert_memory_equal(loaded->mark.projection, o.evidence->mark.projection, 40 * 144 * sizeof(pg_real));
            clone->mark.b[7] = (int8_t)-clone->mark.b[7];
            assert_same_commitment(clone, o.evidence, false);
            clone->mark.b[7] = 0;
            FAILS(pg_evidence_save(clone, test_path("bad", 0), &err), PG_BAD_INPUT, "bit 7 for features.4 is neither -1 nor");
        }
        pg_evidence_destroy(&clone);
        pg_evidence_destroy(&loaded);
        pg_evidence_destroy(&other);
        pg_evidence_destroy(&again);
        owner_destroy(&o);
    }
}
