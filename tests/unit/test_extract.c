/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Extraction: the loss by answers, what the thief asks, and what his network then answers. */
#include "attacks/pupil.h"
#include "tests/unit/forgery.h"

#include <math.h>

static void assert_close(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance)) fail_msg("%.9g is not %.9g", found, expected);
}

/* ---- the loss ---- */

enum { ROWS = 3, CLASSES = 4 };

/* The gradient of the loss is what finite differences say, at any temperature. */
TEST(the_gradient_of_the_teaching_loss_is_that_of_differences)
{
    static const double temperatures[] = {1, 4, 0.5};
    const double q[ROWS * CLASSES] = {0.1, 0.2, 0.3, 0.4, 1, 0, 0, 0, 0.25, 0.25, 0.25, 0.25}, h = 1.0 / 64;
    pg_real logits[ROWS * CLASSES] = {1, -2, 0.5f, 3, 0, 1, 2, -1, 0.25f, 0, -0.5f, 2}, d[ROWS * CLASSES],
                          unused[ROWS * CLASSES];
    for (size_t t = 0; t < sizeof temperatures / sizeof *temperatures; t++) {
        pg_teaching_loss(ROWS, CLASSES, logits, q, temperatures[t], d);
        for (int i = 0; i < ROWS * CLASSES; i++) {
            const pg_real was = logits[i];
            logits[i] = (pg_real)((double)was + h);
            const double up = pg_teaching_loss(ROWS, CLASSES, logits, q, temperatures[t], unused);
            logits[i] = (pg_real)((double)was - h);
            const double down = pg_teaching_loss(ROWS, CLASSES, logits, q, temperatures[t], unused);
            logits[i] = was;
            assert_close((double)d[i], (up - down) / (2 * h), 1e-3);
        }
    }
}

/* With a class as target and temperature 1 it is the cross-entropy. It is zero if the pupil answers as the target says. */
TEST(the_teaching_loss_is_cross_entropy_and_vanishes_at_its_target)
{
    const pg_real logits[CLASSES] = {1, -2, 0.5f, 3};
    const int32_t label = 2;
    double q[CLASSES] = {0, 0, 1, 0}, sum = 0;
    pg_real d[CLASSES], e[CLASSES];
    assert_close(pg_teaching_loss(1, CLASSES, logits, q, 1, d), pg_cross_entropy(1, CLASSES, logits, &label, 0, e, NULL), 1e-6);
    for (int c = 0; c < CLASSES; c++) assert_close((double)d[c], (double)e[c], 1e-6);
    for (int c = 0; c < CLASSES; c++) sum += q[c] = exp((double)logits[c] / 3);
    for (int c = 0; c < CLASSES; c++) q[c] /= sum;
    assert_close(pg_teaching_loss(1, CLASSES, logits, q, 3, d), 0, 1e-6);
    for (int c = 0; c < CLASSES; c++) assert_close((double)d[c], 0, 1e-6);
}

/* ---- the attack ---- */

static double fidelity(const char *yaml, const subject *victim, double queries)
{
    raid r;
    pg_outcome o;
    open_forgery(&r, "extract", yaml, victim);
    assert_true(next(&r, &o));
    assert_false(o.evidence || next(&r, &o));
    assert_close(measure(&o, "queries"), queries, 0);
    const double percent = measure(&o, "fidelity");
    finish(&r);
    return percent;
}

/* A network learns another one from its answers alone. The other one has random weights, so nothing but its answers predicts
 * it. */
TEST(a_pupil_answers_as_the_network_that_it_asked)
{
    subject victim = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    const double before = fidelity("{epochs: 1, batch: 20, lr: 1e-6, crop: false}", &victim, 40);
    const double after = fidelity("{epochs: 60, batch: 20, lr: 0.05, crop: false}", &victim, 40);
    assert_true(after >= before + 20);
    subject_destroy(&victim);
}

/* Jacobian augmentation ends with distinct images, and queries each of them once. */
TEST(jacobian_augmentation_doubles_what_it_asks)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    fidelity("{epochs: 6, batch: 20, rounds: 2}", &victim, 40);
    fidelity("{epochs: 2, batch: 20, rounds: 1, share: 50}", &victim, 20);
    subject_destroy(&victim);
}

TEST(extraction_depends_on_the_seed_and_not_on_threads)
{
    static const char *const yamls[] = {"{epochs: 2, batch: 20}", "{epochs: 4, batch: 20, rounds: 1, labels: hard}",
                                        "{epochs: 1, batch: 5, overlap: disjoint, share: 25, arch: resnet9, alpha: 0.5}"};
    subject victim = victim_of("pan", PG_NORM_BN);
    for (size_t i = 0; i < sizeof yamls / sizeof *yamls; i++) {
        char first[PG_SHA256_HEX], hex[PG_SHA256_HEX];
        hash_outcomes("extract", yamls[i], &victim, 1, first);
        pg_compute_start(2);
        hash_outcomes("extract", yamls[i], &victim, 1, hex);
        pg_compute_start(1);
        assert_string_equal(hex, first);
        hash_outcomes("extract", yamls[i], &victim, 2, hex);
        assert_string_not_equal(hex, first);
    }
    subject_destroy(&victim);
}

TEST(extraction_is_refused_before_it_starts)
{
    static const char *const wrong[][2] = {{"{batch: 41}", "do not fill one batch of 41"},
                                           {"{share: 50, batch: 21}", "do not fill one batch of 21"},
                                           {"{batch: 20, overlap: disjoint}", "at most the 15 disjoint ones"},
                                           {"{batch: 20, rounds: 1, alpha: 0.5}", "alpha: the thief has no true labels"},
                                           {"{batch: 20, rounds: 4}", "rounds: 40 images cannot be halved 4 times"},
                                           {"{batch: 20, rounds: 1, epochs: 3}", "3 epochs cannot be divided into 2 parts"}};
    subject victim = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        raid r;
        prepare(&r, "extract", wrong[i][0], &victim);
        FAILS(r.attack->check(r.options, &r.view, &err), PG_BAD_INPUT, wrong[i][1]);
        finish(&r);
    }
    subject_destroy(&victim);
}
