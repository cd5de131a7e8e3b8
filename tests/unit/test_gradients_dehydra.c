/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gradient that a dreamt image follows, beside finite differences: cross-entropy, norm, variation, statistics. */
#include "attacks/attack.h"

extern const pg_attack tested_dehydra;
#define pg_attack_dehydra tested_dehydra
#include "attacks/dehydra.c" /* NOLINT(bugprone-suspicious-include) */
#undef pg_attack_dehydra

#include "tests/unit/forgery.h"

enum { CLASS = 4, DREAMS = 3 };

/* The gradient of each term alone, and of all together, in a network whose running statistics a training has moved. */
static void check_terms(const char *scheme, pg_norm_kind norm, const char *yaml)
{
    raid r;
    subject victim = victim_of(scheme, norm);
    open_forgery(&r, "dehydra", yaml, &victim);
    dehydra_state *s = r.state;
    double gradient[40];
    int answered;
    const size_t apart = DREAMS * s->image / 40 | 1;
    dehydra_begin_block(s);
    dehydra_loss(s, CLASS, DREAMS, &answered);
    for (size_t k = 0; k < 40; k++) gradient[k] = s->own[k * apart % (DREAMS * s->image)];
    for (size_t k = 0; k < 40; k++) {
        const double h = 1e-5;
        const size_t i = k * apart % (DREAMS * s->image);
        const double was = s->a[i];
        s->a[i] = was + h;
        const double up = dehydra_loss(s, CLASS, DREAMS, &answered);
        s->a[i] = was - h;
        const double difference = (up - dehydra_loss(s, CLASS, DREAMS, &answered)) / (2 * h);
        s->a[i] = was;
        if (!(fabs(difference - gradient[k]) <= 1e-5 * fmax(fabs(gradient[k]), 1e-3)))
            fail_msg("%s: element %zu: %.9g is not %.9g", yaml, i, gradient[k], difference);
    }
    finish(&r);
    subject_destroy(&victim);
}

TEST(the_gradient_of_a_dream_is_that_of_differences)
{
    check_terms("plain", PG_NORM_BN, "{share: 50, batch: 8, l2: 0, tv: 0, bn: 0}");
    check_terms("plain", PG_NORM_BN, "{share: 50, batch: 8, l2: 0, tv: 0, bn: 1}");
    check_terms("v2", PG_NORM_BN, "{share: 50, batch: 8, l2: 1, tv: 1, bn: 0.5}");
    check_terms("v1", PG_NORM_GN, "{share: 50, batch: 8, l2: 1, tv: 1, bn: 0.5}");
}

/* Run up to the training. */
static void dream_and_choose(raid *r, const char *yaml, const subject *victim)
{
    pg_attack_state what;
    pg_outcome o;
    open_forgery(r, "dehydra", yaml, victim);
    const dehydra_state *s = r->state;
    while (!s->chosen) OK(r->attack->step(r->state, &what, &o, &err));
}

/* Half of the dreams of the target class get wrong classes, the other half the target class. */
TEST(half_of_the_dreams_of_a_fixed_class_are_unlearned)
{
    raid r;
    int wrong = 0;
    subject victim = victim_of("plain", PG_NORM_BN);
    dream_and_choose(&r, "{share: 50, dreams: 10, steps: 2, batch: 8, form: fixed, smoothings: 1}", &victim);
    const dehydra_state *s = r.state;
    const int target = dehydra_target_class(s);
    assert_int_equal(s->images.count, 20 + 10);
    for (int i = 0; i < 10; i++) wrong += s->target[i] != target;
    for (int i = 0; i < 5; i++) assert_true(s->target[i] != target && s->target[i] >= 0 && s->target[i] < 10);
    assert_int_equal(wrong, 5);
    finish(&r);
    subject_destroy(&victim);
}

/* The half of every class has the lowest sums of the values that stand for the class; each dream gets the class with the lowest
 * logit. */
TEST(the_dreams_that_least_resemble_their_class_are_unlearned)
{
    enum { EACH = 6 };
    raid r;
    subject victim = victim_of("plain", PG_NORM_BN);
    dream_and_choose(&r, "{share: 50, dreams: 6, steps: 2, batch: 8, form: varied}", &victim);
    dehydra_state *s = r.state;
    const pg_layer *last = pg_model_classifier(s->stolen);
    const size_t values = (size_t)(last->in_height * last->in_width * last->in_channels);
    double *read = NULL;
    int32_t least[EACH];
    OK(pg_alloc(EACH * values, sizeof *read, &read, &err));
    for (int c = 0; c < 10; c++) {
        double *importance = NULL, sums[EACH];
        size_t order[EACH];
        OK(pg_alloc(2 * values, sizeof *importance, &importance, &err));
        dehydra_read_dreams(s, c, values, read, least);
        dehydra_order(s, values, read, importance, importance + values, sums, order);
        for (int i = 0; i < EACH / 2; i++) {
            const size_t dream = order[i], place = (size_t)(s->labelled + c * EACH / 2 + i);
            for (int k = EACH / 2; k < EACH; k++) assert_true(sums[dream] <= sums[order[k]]);
            assert_int_equal(s->target[c * EACH / 2 + i], least[dream]);
            assert_memory_equal(s->images.images + place * s->image, s->dreams + ((size_t)(c * EACH) + dream) * s->image,
                                s->image);
        }
        pg_free(importance);
    }
    pg_free(read);
    finish(&r);
    subject_destroy(&victim);
}
