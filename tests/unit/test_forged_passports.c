/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forgeries without training: signs turned, channels permuted, passports from the stolen network. */
#include "tests/unit/forgery.h"

/* ---- flip ---- */

/* If a share f of the signs is turned, the share 1 - f is detected in the stored affine and in the affine of the forged
 * passports. All of the attacker's own bits are found. */
TEST(flip_turns_its_share_of_the_signs)
{
    static const char *const schemes[] = {"v1", "v2"};
    for (int i = 0; i < 2; i++) {
        subject victim = victim_of(schemes[i], i ? PG_NORM_GN : PG_NORM_BN);
        const int bits = pg_evidence_bits(victim.evidence);
        raid r;
        pg_outcome o;
        int count = 0;
        open_forgery(&r, "flip", "{levels: [0, 10, 30, 50, 100]}", &victim);
        for (; next(&r, &o); count++) {
            const int turned = (int)(o.value / 100 * bits);
            int agree;
            assert_null(o.model);
            assert_true(measure(&o, "affine_missed_by") < 1e-5);
            const pg_finding owner = judge_alone(o.shown, victim.evidence), forger = judge_alone(o.shown, o.evidence);
            assert_int_equal(owner.agree, bits);
            assert_int_equal(owner.agree_stored, bits - turned);
            OK(pg_agreement_with(victim.model, o.evidence, victim.evidence, &agree, &err));
            assert_int_equal(agree, bits - turned);
            assert_int_equal(forger.agree, bits);
            assert_true(fabs(forger.private_branch.exact - forger.public_branch.exact) <= 100.0 / IMAGES);
            if (turned == 0) assert_true(fabs(forger.private_branch.exact - owner.private_branch.exact) <= 100.0 / IMAGES);
        }
        assert_int_equal(count, 5);
        finish(&r);
        subject_destroy(&victim);
    }
}

/* ---- fake 1 ---- */

/* The passports are the activations that enter the layers. Each draw costs its images. */
TEST(fake1_may_use_the_stolen_network)
{
    subject victim = victim_of("v2", PG_NORM_GN);
    pg_passport_maker *maker = NULL;
    pg_evidence *expected = NULL;
    pg_rng rng;
    raid r;
    pg_outcome o;
    open_forgery(&r, "fake1", "{repeats: 2, carrier: stolen, images: 5}", &victim);
    assert_true(next(&r, &o));
    const pg_passport_source source = {.kind = PG_PASSPORT_SHUFFLE,
                                       .images = 5,
                                       .carrier = victim.model,
                                       .carrier_branch = PG_PUBLIC,
                                       .carrier_mode = PG_BATCH,
                                       .pictures = &data.test};
    OK(pg_evidence_clone(o.evidence, &expected, &err));
    OK(pg_passport_maker_create(&source, &maker, &err));
    pg_rng_open(&rng, r.view.seed, "forged passports", 0);
    OK(pg_passports_draw(maker, expected, &rng, &err));
    char made[PG_SHA256_HEX], wanted[PG_SHA256_HEX], random[PG_SHA256_HEX], stolen[PG_SHA256_HEX];
    pg_evidence_commitment(o.evidence, made);
    pg_evidence_commitment(expected, wanted);
    assert_string_equal(made, wanted);
    assert_true(o.images == 10 && o.macs == 10 * pg_model_macs(victim.model));
    assert_true(next(&r, &o) && o.images == 20);
    finish(&r);
    hash_outcomes("fake1", "{repeats: 1, carrier: stolen, images: 5}", &victim, 1, stolen);
    hash_outcomes("fake1", "{repeats: 1, carrier: random, images: 5}", &victim, 1, random);
    assert_string_not_equal(stolen, random);
    open_forgery(&r, "fake1", "{repeats: 1, passport: random}", &victim);
    assert_true(next(&r, &o) && o.images == 0);
    finish(&r);
    pg_passport_maker_destroy(&maker);
    pg_evidence_destroy(&expected);
    subject_destroy(&victim);
}

/* The forged passport has every channel of the genuine one, and not every channel is in its place. */
TEST(permute_moves_channels_and_keeps_them)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    raid r;
    pg_outcome o;
    int count = 0;
    open_forgery(&r, "permute", "{repeats: 2}", &victim);
    for (; next(&r, &o); count++) {
        int moved = 0;
        for (int i = 0; i < o.evidence->passport_count; i++) {
            const pg_passport *p = &o.evidence->passports[i], *q = &victim.evidence->passports[i];
            const int pixels = p->height * p->width, n = p->inputs;
            for (int c = 0; c < n; c++) {
                int found = -1;
                for (int d = 0; d < n && found < 0; d++) {
                    bool same = true;
                    for (int e = 0; e < pixels && same; e++) same = p->skey[e * n + d] == q->skey[e * n + c];
                    if (same) found = d;
                }
                assert_true(found >= 0);
                moved += found != c;
            }
        }
        assert_true(moved > 0);
        assert_int_equal(judge_alone(victim.model, o.evidence).agree, pg_evidence_bits(o.evidence));
    }
    assert_int_equal(count, 2);
    finish(&r);
    subject_destroy(&victim);
}
