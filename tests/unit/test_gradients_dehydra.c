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
