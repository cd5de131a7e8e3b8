/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The step that adversarial neuron pruning takes on its masks, beside finite differences. */
#include "attacks/attack.h"

extern const pg_attack tested_anp;
#define pg_attack_anp tested_anp
#include "attacks/anp.c" /* NOLINT(bugprone-suspicious-include) */
#undef pg_attack_anp

#include "tests/unit/forgery.h"

enum { SIZE = BATCH * 32 * 32 * 3 };
static pg_real shown[SIZE];
static int32_t shown_labels[BATCH];

/* Remember the batch. */
static void watch(void *pupil, const pg_step *step)
{
    anp_state *s = pupil;
    memcpy(shown, step->images, sizeof shown);
    for (int i = 0; i < BATCH; i++) shown_labels[i] = pg_pupil_class(&s->pupil, step->labels[i]);
    anp_prepare(pupil, step);
}

static double loss_of(anp_state *s, bool changed)
{
    pg_net *net = NULL;
    pg_model *m = NULL;
    OK(pg_model_clone(s->stolen, &m, &err));
    OK(pg_net_create(&m->spec, BATCH, false, PG_CONV_AUTO, &net, &err));
    anp_apply(s, changed, m);
    const pg_real *logits = pg_net_forward(net, m, PG_PUBLIC, PG_BATCH, shown, BATCH);
    const double loss = pg_cross_entropy(BATCH, m->spec.classes, logits, shown_labels, 0, NULL, NULL);
    pg_net_destroy(&net);
    pg_model_destroy(&m);
    return loss;
}

static double mixed_loss(anp_state *s)
{
    return s->options->alpha * loss_of(s, false) + (1 - s->options->alpha) * loss_of(s, true);
}

/* The first step has no momentum, so a mask moves by the rate times its gradient. */
TEST(masks_move_down_the_gradient_of_their_loss)
{
    raid r;
    pg_attack_state what;
    pg_outcome o;
    subject victim = victim_of("v2", PG_NORM_BN);
    open_forgery(&r, "anp", "{share: 50, batch: 8, lr: 0.001, alpha: 0.3, eps: 0.1}", &victim);
    anp_state *s = r.state;
    double after[12], before[12];
    s->pupil.coach.prepare = watch;
    for (int k = 0; k < s->count; k++) s->masks[k] = 0.5 + 0.4 * k / s->count;
    anp_apply(s, false, s->pupil.model);
    for (int i = 0; i < 12; i++) before[i] = s->masks[(i * 41 + 3) % s->count];
    OK(r.attack->step(r.state, &what, &o, &err));
    for (int i = 0; i < 12; i++) after[i] = s->masks[(i * 41 + 3) % s->count];
    for (int k = 0; k < s->count; k++) s->masks[k] = 0.5 + 0.4 * k / s->count;
    for (int i = 0; i < 12; i++) {
        const double h = 1e-6, gradient = (before[i] - after[i]) / 0.001;
        double *mask = &s->masks[(i * 41 + 3) % s->count];
        *mask = before[i] + h;
        const double up = mixed_loss(s);
        *mask = before[i] - h;
        const double difference = (up - mixed_loss(s)) / (2 * h);
        *mask = before[i];
        if (!(fabs(difference - gradient) <= 1e-5 * fmax(fabs(gradient), 1e-3)))
            fail_msg("mask %d: %.9g is not %.9g", i, gradient, difference);
    }
    finish(&r);
    subject_destroy(&victim);
}

/* The changes raise the loss, as far as one step along a sign does. */
TEST(changes_go_up_the_loss)
{
    raid r;
    pg_attack_state what;
    pg_outcome o;
    subject victim = victim_of("v1", PG_NORM_GN);
    open_forgery(&r, "anp", "{share: 50, batch: 8, lr: 1e-9, eps: 0.05}", &victim);
    anp_state *s = r.state;
    s->pupil.coach.prepare = watch;
    OK(r.attack->step(r.state, &what, &o, &err));
    assert_true(loss_of(s, true) > loss_of(s, false));
    for (int k = 0; k < s->count; k++)
        assert_true(fabs(s->channels[k].weight_change) <= 0.1 && fabs(s->channels[k].bias_change) <= 0.1);
    finish(&r);
    subject_destroy(&victim);
}
