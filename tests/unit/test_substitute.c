/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Substitution: a forger trains passports on images of his own. */
#include "attacks/residual.h"
#include "tests/unit/forgery.h"

TEST(substitute_trains_passports_on_its_images)
{
    for (int kind = 0; pg_residual_kinds[kind]; kind++) {
        subject victim = victim_of(kind == 1 ? "v2" : "v1", PG_NORM_BN);
        raid r;
        pg_outcome o;
        char yaml[128];
        snprintf(yaml, sizeof yaml, "{block: %s, share: 50, epochs: 12, batch: 10, crop: false, freeze_stats: true}",
                 pg_residual_kinds[kind]);
        open_forgery(&r, "substitute", yaml, &victim);
        assert_true(next(&r, &o));
        assert_true(measure(&o, "loss_last") < measure(&o, "loss_first"));
        assert_true(measure(&o, "affine_missed_by") < 1e-5);
        assert_true(measure(&o, "data_images") == data.train.count / 2.0);
        assert_statistics_kept(o.shown, victim.model);
        assert_weights_kept(o.shown, victim.model);
        const pg_finding f = judge_alone(victim.model, o.evidence);
        assert_int_equal(f.agree, f.bits);
        assert_true(fabs((double)o.evidence->passports[0].key[0]) > 0); /* beta has left zero */
        assert_false(next(&r, &o));
        finish(&r);
        subject_destroy(&victim);
    }
}

/* Blocks of other forms, and blocks at some layers alone, train other passports. */
TEST(the_form_of_the_blocks_changes_what_is_trained)
{
    static const char *const runs[] = {"{share: 25, epochs: 1, batch: 10}", "{share: 25, epochs: 1, batch: 10, depth: 3}",
                                       "{share: 25, epochs: 1, batch: 10, activation: tanh}",
                                       "{share: 25, epochs: 1, batch: 10, blocks: 1}",
                                       "{share: 25, epochs: 1, batch: 10, blocks: 0}"};
    enum { RUNS = sizeof runs / sizeof *runs };
    subject victim = victim_of("v1", PG_NORM_BN);
    char sums[RUNS][PG_SHA256_HEX], plain[PG_SHA256_HEX];
    for (int i = 0; i < RUNS; i++) {
        hash_outcomes("substitute", runs[i], &victim, 1, sums[i]);
        for (int k = 0; k < i; k++) assert_string_not_equal(sums[k], sums[i]);
    }
    hash_outcomes("substitute", "{share: 25, epochs: 1, batch: 10, block: none}", &victim, 1, plain);
    assert_string_equal(plain, sums[RUNS - 1]);
    subject_destroy(&victim);
}

/* Therefore the forger's loss in the last epoch is that of the stolen network with the forger's passports. */
TEST(frozen_statistics_keep_the_stolen_network)
{
    static const char *const runs[][2] = {
        {"fake2", "{flips: 0.3, epochs: 8, batch: 20, crop: false, freeze_stats: true}"},
        {"substitute", "{share: 100, epochs: 8, batch: 20, crop: false, freeze_stats: true}"}};
    for (int i = 0; i < 2; i++) {
        subject victim = victim_of("v1", PG_NORM_BN);
        raid r;
        pg_outcome o;
        open_forgery(&r, runs[i][0], runs[i][1], &victim);
        assert_true(next(&r, &o));
        assert_statistics_kept(o.shown, victim.model);
        const double seen = measure(&o, "loss_last"), found = training_loss(&victim, o.evidence, 0);
        assert_true(fabs(seen / found - 1) < 0.1);
        finish(&r);
        subject_destroy(&victim);
    }
}

/* Shared images are the owner's; disjoint ones are all the others. */
TEST(overlap_chooses_whose_images_are_used)
{
    static const char *const runs[] = {"{share: 25, epochs: 1, batch: 10}",
                                       "{share: 25, epochs: 1, batch: 10, overlap: disjoint}"};
    subject victim = victim_of("v1", PG_NORM_BN);
    pg_dataset *const sets[] = {&data.train, &fresh};
    char before[2][PG_SHA256_HEX], after[PG_SHA256_HEX];
    for (int i = 0; i < 2; i++) hash_outcomes("substitute", runs[i], &victim, 1, before[i]);
    for (int changed = 0; changed < 2; changed++) {
        uint8_t *const images = sets[changed]->images;
        const size_t bytes = (size_t)sets[changed]->count * 32 * 32 * 3;
        for (size_t b = 0; b < bytes; b++) images[b] ^= 255;
        for (int i = 0; i < 2; i++) {
            hash_outcomes("substitute", runs[i], &victim, 1, after);
            assert_int_equal(strcmp(before[i], after) != 0, i == changed);
        }
        for (size_t b = 0; b < bytes; b++) images[b] ^= 255;
    }
    subject_destroy(&victim);
}
