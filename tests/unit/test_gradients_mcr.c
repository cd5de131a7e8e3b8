/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The curve of mode connectivity repair, and the step on its bend beside finite differences. */
#include "attacks/attack.h"

extern const pg_attack tested_mcr;
#define pg_attack_mcr tested_mcr
#include "attacks/mcr.c" /* NOLINT(bugprone-suspicious-include) */
#undef pg_attack_mcr

#include "core/compute/kernels.h"
#include "tests/unit/forgery.h"

enum { SIZE = BATCH * 32 * 32 * 3 };
static pg_real shown[SIZE];
static int32_t shown_labels[BATCH];

/* Remember the batch. */
static void watch(void *pupil, const pg_step *step)
{
    mcr_state *s = pupil;
    memcpy(shown, step->images, sizeof shown);
    for (int i = 0; i < BATCH; i++) shown_labels[i] = pg_pupil_class(&s->pupil, step->labels[i]);
    mcr_prepare(pupil, step);
}

static double loss_at(mcr_state *s, double t)
{
    pg_net *net = NULL;
    pg_model *m = NULL;
    OK(pg_model_clone(s->stolen, &m, &err));
    OK(pg_net_create(&m->spec, BATCH, false, PG_CONV_AUTO, &net, &err));
    mcr_point(s, t, m->params);
    const pg_real *logits = pg_net_forward(net, m, PG_PUBLIC, PG_BATCH, shown, BATCH);
    const double loss = pg_cross_entropy(BATCH, m->spec.classes, logits, shown_labels, 0, NULL, NULL);
    pg_net_destroy(&net);
    pg_model_destroy(&m);
    return loss;
}

/* The first step has no momentum, so the bend moves by the rate times its gradient. */
TEST(the_bend_moves_down_the_gradient_of_the_loss_on_the_curve)
{
    enum { CHECKED = 16 };
    raid r;
    pg_attack_state what;
    pg_outcome o;
    pg_rng rng;
    double before[CHECKED], after[CHECKED];
    subject victim = victim_of("v2", PG_NORM_BN);
    open_forgery(&r, "mcr", "{share: 50, batch: 8, end_epochs: 1, epochs: 2, lr: 0.001, weight_decay: 0}", &victim);
    mcr_state *s = r.state;
    s->pupil.coach.prepare = watch;
    while (!pg_tuned_done(&s->end.tuned)) OK(r.attack->step(r.state, &what, &o, &err));
    mcr_begin(s);
    const size_t apart = s->stolen->param_count / CHECKED;
    for (size_t i = 0; i < CHECKED; i++) before[i] = (double)s->bend[i * apart + 5];
    OK(r.attack->step(r.state, &what, &o, &err));
    for (size_t i = 0; i < CHECKED; i++) after[i] = (double)s->bend[i * apart + 5];
    mcr_begin(s);
    pg_rng_open(&rng, s->seed, "positions", 0);
    const double t = pg_rng_uniform(&rng);
    for (size_t i = 0; i < CHECKED; i++) {
        const double h = 1e-6, gradient = (before[i] - after[i]) / 0.001;
        pg_real *at = &s->bend[i * apart + 5];
        *at = (pg_real)(before[i] + h);
        const double up = loss_at(s, t);
        *at = (pg_real)(before[i] - h);
        const double difference = (up - loss_at(s, t)) / (2 * h);
        *at = (pg_real)before[i];
        if (!(fabs(difference - gradient) <= 1e-5 * fmax(fabs(gradient), 1e-3)))
            fail_msg("parameter %zu: %.9g is not %.9g", i * apart + 5, gradient, difference);
    }
    finish(&r);
    subject_destroy(&victim);
}

/* The ends are the stolen network and the copy; statistics are measured anew. */
TEST(the_curve_begins_and_ends_at_the_two_networks)
{
    raid r;
    pg_outcome o;
    subject victim = victim_of("v1", PG_NORM_BN);
    open_forgery(&r, "mcr", "{share: 50, batch: 8, end_epochs: 1, epochs: 1, positions: [0, 0.5, 1]}", &victim);
    mcr_state *s = r.state;
    const size_t bytes = s->stolen->param_count * sizeof *s->stolen->params;
    assert_true(next(&r, &o) && o.value == 0);
    assert_memory_equal(o.model->params, s->stolen->params, bytes);
    assert_true(memcmp(o.model->buffers, s->stolen->buffers, s->stolen->buffer_count * sizeof *s->stolen->buffers) != 0);
    assert_true(o.images == 16 + 16 + 20); /* two trainings of two batches of 8; one pass over 20 images */
    assert_true(next(&r, &o) && o.value == 0.5);
    assert_true(memcmp(o.model->params, s->stolen->params, bytes) != 0);
    assert_true(next(&r, &o) && o.value == 1);
    assert_memory_equal(o.model->params, s->end.model->params, bytes);
    assert_false(next(&r, &o));
    finish(&r);
    subject_destroy(&victim);
}
