/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fake 3 trains passports away from the genuine ones. */
#include "tests/unit/forgery.h"

/* The mean over passports of the squared distance between two pieces of evidence, and the sum of the inverses. */
static double distance_of(const pg_evidence *a, const pg_evidence *b, double *inverses)
{
    double mean = 0;
    *inverses = 0;
    for (int i = 0; i < a->passport_count; i++) {
        const pg_passport *p = &a->passports[i], *q = &b->passports[i];
        const pg_real *const pairs[2][2] = {{p->key, q->key}, {p->skey, q->skey}};
        const int count = p->height * p->width * p->inputs;
        for (int k = 0; k < 2; k++) {
            double sum = 0;
            for (int e = 0; e < count; e++) sum += pow((double)pairs[k][0][e] - (double)pairs[k][1][e], 2);
            mean += sum / count / (2 * a->passport_count);
            *inverses += count / sum;
        }
    }
    return mean;
}

/* The outcome of a run, its evidence cloned. */
static pg_outcome run_fake3(const subject *victim, const char *yaml, pg_evidence **forged)
{
    raid r;
    pg_outcome o, none;
    open_forgery(&r, "fake3", yaml, victim);
    assert_true(next(&r, &o));
    OK(pg_evidence_clone(o.evidence, forged, &err));
    if (o.shown) assert_weights_kept(o.shown, victim->model);
    o.shown = NULL;
    o.evidence = NULL;
    assert_false(next(&r, &none));
    finish(&r);
    return o;
}

/* Tested where the distance from the genuine passports dominates the loss, and where it does not. */
TEST(fake3_lowers_its_loss)
{
    static const char *const starts[] = {"noise: 0.001", "noise: 0.5"};
    static const char *const schemes[] = {"v1", "v2", "pan"};
    for (int i = 0; i < 3; i++) {
        subject victim = victim_of(schemes[i], i == 1 ? PG_NORM_GN : PG_NORM_BN);
        for (int k = 0; k < 2; k++) {
            pg_evidence *begin = NULL, *end = NULL;
            char yaml[128];
            double from, to;
            snprintf(yaml, sizeof yaml, "{%s, alpha: 1, epochs: 1, batch: 40, lr: 1e-15, freeze_stats: true}", starts[k]);
            (void)run_fake3(&victim, yaml, &begin);
            snprintf(yaml, sizeof yaml, "{%s, alpha: 1, epochs: 12, batch: 20, crop: false, freeze_stats: true}", starts[k]);
            const pg_outcome o = run_fake3(&victim, yaml, &end);
            const double before = distance_of(begin, victim.evidence, &from), after = distance_of(end, victim.evidence, &to);
            assert_true(fabs(before / (k ? 0.25 : 1e-6) - 1) < 0.1);
            assert_true(fabs(measure(&o, "passport_distance") - after) < 1e-6 * after);
            assert_true(training_loss(&victim, end, 1) + to < training_loss(&victim, begin, 1) + from);
            if (!k) assert_true(after > 10 * before);
            pg_evidence_destroy(&begin);
            pg_evidence_destroy(&end);
        }
        subject_destroy(&victim);
    }
}

/* At the genuine passports there is no gradient that leads away. The attack fails and forges nothing. */
TEST(fake3_without_noise_has_no_direction)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    raid r;
    pg_attack_state what;
    pg_outcome o;
    open_forgery(&r, "fake3", "{noise: 1e-12, epochs: 1, batch: 40}", &victim);
    FAILS(r.attack->step(r.state, &what, &o, &err), PG_FAILED, "the gradient of the passports is not finite");
    finish(&r);
    subject_destroy(&victim);
}

/* The attack turns a share of each layer's bits and trains the passports to give them. */
TEST(fake3_gives_the_bits_it_turned)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    pg_evidence *begin = NULL, *end = NULL;
    (void)run_fake3(&victim, "{flips: 0.3, epochs: 1, batch: 40, lr: 1e-15}", &begin);
    (void)run_fake3(&victim, "{flips: 0.3, alpha: 10, clip: 100, lr: 0.05, epochs: 30, batch: 20}", &end);
    for (int i = 0; i < begin->passport_count; i++) {
        int turned = 0;
        for (int k = 0; k < begin->passports[i].outputs; k++)
            turned += begin->passports[i].b[k] != victim.evidence->passports[i].b[k];
        assert_int_equal(turned, (int)(0.3 * begin->passports[i].outputs));
        assert_memory_equal(begin->passports[i].b, end->passports[i].b, (size_t)end->passports[i].outputs);
    }
    assert_true(judge_alone(victim.model, end).agree > judge_alone(victim.model, begin).agree);
    pg_evidence_destroy(&begin);
    pg_evidence_destroy(&end);
    subject_destroy(&victim);
}
