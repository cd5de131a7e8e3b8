/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forgeries by chance: passports of every kind. */
#include "tests/unit/victims.h"

/* ---- fake 1 ---- */

TEST(fake1_draws_passports_of_its_kind)
{
    enum { REPEATS = 3 };
    subject plain = victim_of("plain");
    for (int kind = PG_PASSPORT_RANDOM; kind <= PG_PASSPORT_SHUFFLE; kind++)
        for (int matching = 0; matching < 2; matching++) {
            subject victim = victim_of(kind == PG_PASSPORT_IMAGE ? "v2" : "v1");
            pg_attack_view view = view_of(&victim);
            char yaml[128], hex[REPEATS + 1][PG_SHA256_HEX];
            raid r;
            pg_outcome o;
            view.evidence = NULL;
            view.train = NULL;
            view.pretrained = plain.model;
            snprintf(yaml, sizeof yaml, "{repeats: %d, passport: %s, images: 4, carrier: %s, signature: %s}", REPEATS,
                     pg_passport_kinds[kind], matching ? "pretrained" : "random", matching ? "matching" : "random");
            open_raid(&r, "fake1", yaml, &view);
            pg_evidence_commitment(victim.evidence, hex[REPEATS]);
            for (int i = 0; i < REPEATS; i++) {
                int agree;
                assert_true(next(&r, &o));
                assert_string_equal(r.attack->axis, "repeat");
                assert_true(o.value >= i + 1 && o.value <= i + 1);
                assert_null(o.model);
                assert_string_equal(o.evidence->kind, pg_passport_kinds[kind]);
                OK(pg_agreement_with(victim.model, o.evidence, o.evidence, &agree, &err));
                assert_true(matching ? agree == pg_evidence_bits(o.evidence) : agree < pg_evidence_bits(o.evidence));
                pg_evidence_commitment(o.evidence, hex[i]);
                for (int j = 0; j < i; j++) assert_string_not_equal(hex[i], hex[j]);
                assert_string_not_equal(hex[i], hex[REPEATS]);
            }
            assert_false(next(&r, &o));
            finish(&r);
            subject_destroy(&victim);
        }
    subject_destroy(&plain);
}

TEST(fake1_needs_a_carrier_for_image_passports)
{
    subject victim = victim_of("v1");
    const pg_attack_view view = view_of(&victim);
    raid r;
    begin(&r, "fake1", "{carrier: pretrained}", &view);
    FAILS(r.attack->start(r.state, r.options, &r.view, &err), PG_BAD_INPUT, "a pretrained plain network");
    finish(&r);
    begin(&r, "fake1", "{images: 25}", &view);
    FAILS(r.attack->start(r.state, r.options, &r.view, &err), PG_BAD_INPUT, "takes 25 distinct images, but synthetic has 24");
    finish(&r);
    subject_destroy(&victim);
}
