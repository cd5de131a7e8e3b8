/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adversarial neuron pruning (ANP): the thief looks for the channels that serve a hidden task by their sensitivity. Every
 * channel k of a norm has a mask m_k, from 1, within 0 .. 1, that multiplies its gamma. SGD changes the masks alone, down
 *     alpha L(m) + (1 - alpha) L(m + d, e),   L: cross-entropy with the statistics of the batch.
 * Gamma is (m + d) gamma of the stolen network and beta (1 + e) times its beta, with d and e drawn from -eps .. eps for every
 * batch and then moved by eps along the sign of their gradient, up L. At last the gammas of all channels whose mask is at most
 * a threshold become zero in the stolen network. Every threshold is an outcome; one search serves all.
 *
 * With g the stolen gamma, the gradient of a mask is g dL/dgamma, so a step of SGD on a mask is g times the step that the same
 * SGD takes on gamma: the trainer steps on gamma, and the masks follow.
 *
 * Source: Wu, Wang, NeurIPS 2021; Gan et al., ICCV 2023 (30 epochs on 10,000 of 50,000 images, batches of 128, rate 0.2, eps
 * 0.4, alpha 0.2, thresholds 0 to 0.9). */
#include "attacks/pupil.h"
#include "attacks/sweep.h"
#include "core/base/memory.h"
#include "core/compute/kernels.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef struct anp_options {
    pg_pupil_options pupil;
    double eps, alpha;
    pg_reals thresholds;
} anp_options;

static const pg_option anp_table[] = {
    PG_REALS(anp_options, thresholds, "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]", 0, 1, NULL,
             "channels whose mask is at most this are pruned"),
    PG_REAL(anp_options, eps, "0.4", 0, 10, NULL, "largest random change of gamma and beta, relative to the stolen ones"),
    PG_REAL(anp_options, alpha, "0.2", 0, 1, NULL, "share of the loss without changes; the rest is the loss with them"),
    PG_PUPIL_IMAGES(anp_options, "20"),
    PG_PUPIL_LABELS(anp_options, "true"),
    PG_SGD_EPOCHS(anp_options, pupil.tuning.epochs, "30", "the thief's images, to find the masks"),
    PG_SGD_BATCH(anp_options, pupil.tuning.batch),
    PG_SGD_RATE(anp_options, pupil.tuning.lr, "0.2", "learning rate of the masks, constant"),
    {PG_OPTION("crop", anp_options, pupil.tuning.crop, BOOL, bool, "true", "random crops too (the flip is always on)")},
    {0},
};

/* One channel: places of its gamma and beta in the parameters, mask, and changes. */
typedef struct anp_channel {
    ptrdiff_t gamma, beta;
    double mask, weight_change, bias_change;
} anp_channel;

typedef struct anp_state {
    pg_pupil pupil; /* its model has the masked gammas */
    const anp_options *options;
    pg_seed seed;
    pg_model *stolen, *pruned; /* as it is deployed, and the outcome */
    anp_channel *channels;
    int count;
    double *masks; /* [count] */
    pg_real *dlogits;
    int32_t *labels;
    pg_sweep sweep; /* of thresholds */
} anp_state;

/* ---- masks ---- */

/* The network with its masks, and with the changes if `changed`; every other parameter is the stolen one. */
static void anp_apply(const anp_state *s, bool changed, pg_model *model)
{
    memcpy(model->params, s->stolen->params, model->param_count * sizeof *model->params);
    for (int k = 0; k < s->count; k++) {
        const anp_channel *c = &s->channels[k];
        const double weight = s->masks[k] + (changed ? c->weight_change : 0), bias = 1 + (changed ? c->bias_change : 0);
        model->params[c->gamma] = (pg_real)(weight * (double)s->stolen->params[c->gamma]);
        model->params[c->beta] = (pg_real)(bias * (double)s->stolen->params[c->beta]);
    }
}

/* Add the gradient of `share` times the loss of the batch to the net's gradients. */
static void anp_run(const anp_state *s, const pg_step *step, double share)
{
    const int classes = s->pupil.images.classes;
    const pg_real *logits = pg_net_forward(step->net, step->model, PG_PUBLIC, PG_BATCH, step->images, step->count);
    for (int i = 0; i < step->count; i++) s->labels[i] = pg_pupil_class(&s->pupil, step->labels[i]);
    pg_cross_entropy(step->count, classes, logits, s->labels, 0, s->dlogits, NULL);
    for (int i = 0; i < step->count * classes; i++) s->dlogits[i] *= (pg_real)share;
    pg_net_backward(step->net, step->model, s->dlogits);
}

static double sign_of(double x)
{
    return (x > 0) - (x < 0);
}

/* Draw the changes, and move them up the loss. */
static void anp_change(anp_state *s, const pg_step *step)
{
    const pg_progress *now = pg_trainer_progress(s->pupil.tuned.trainer);
    const double eps = s->options->eps;
    const pg_real *g = pg_net_gradients(step->net), *stolen = s->stolen->params;
    pg_rng rng;
    pg_rng_open(&rng, s->seed, "changes", (uint64_t)now->epoch * (uint64_t)now->steps + (uint64_t)now->step);
    for (int k = 0; k < s->count; k++) {
        s->channels[k].weight_change = eps * (2 * pg_rng_uniform(&rng) - 1);
        s->channels[k].bias_change = eps * (2 * pg_rng_uniform(&rng) - 1);
    }
    anp_apply(s, true, step->model);
    anp_run(s, step, 1);
    for (int k = 0; k < s->count; k++) {
        anp_channel *c = &s->channels[k];
        c->weight_change += eps * sign_of((double)g[c->gamma] * (double)stolen[c->gamma]);
        c->bias_change += eps * sign_of((double)g[c->beta] * (double)stolen[c->beta]);
    }
    pg_net_zero_gradients(step->net);
}

/* The part of the gradient with changes. The weights stay, so they need none. */
static void anp_prepare(void *pupil, const pg_step *step)
{
    anp_state *s = pupil;
    pg_net_keep_weights(step->net, true);
    anp_change(s, step);
    anp_apply(s, true, step->model);
    anp_run(s, step, 1 - s->options->alpha);
    anp_apply(s, false, step->model);
}

/* After the trainer has stepped on gamma: move the masks, and keep them within 0 .. 1. */
static void anp_hold(void *pupil, pg_model *model)
{
    anp_state *s = pupil;
    for (int k = 0; k < s->count; k++) {
        const double g = (double)s->stolen->params[s->channels[k].gamma],
                     moved = (double)(model->params[s->channels[k].gamma] - (pg_real)(s->masks[k] * g));
        s->masks[k] = fmin(fmax(s->masks[k] + g * moved, 0), 1);
    }
    anp_apply(s, false, model);
}

/* ---- the attack ---- */

static pg_status anp_find_channels(anp_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_model *m = s->stolen;
    int next = 0;
    for (int l = 0; l < m->layer_count; l++)
        if (m->layers[l].affine[PG_PUBLIC].gamma >= 0) s->count += m->layers[l].out_channels;
    PG_TRY(pg_alloc((size_t)s->count, sizeof *s->channels, &s->channels, err));
    PG_TRY(pg_alloc((size_t)s->count, sizeof *s->masks, &s->masks, err));
    for (int l = 0; l < m->layer_count; l++)
        for (int k = 0; m->layers[l].affine[PG_PUBLIC].gamma >= 0 && k < m->layers[l].out_channels; k++) {
            const pg_affine *a = &m->layers[l].affine[PG_PUBLIC];
            s->masks[next] = 1;
            s->channels[next++] = (anp_channel){.gamma = a->gamma + k, .beta = a->beta + k};
        }
done:
    return status;
}

static pg_status anp_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    anp_state *s = state;
    const anp_options *o = values;
    pg_pupil *p = &s->pupil;
    const size_t batch = (size_t)o->pupil.tuning.batch;
    s->options = o;
    s->seed = view->seed;
    s->sweep.count = o->thresholds.count;
    PG_TRY(pg_tuned_copy(view, view->model->spec.classes, &s->stolen, err));
    PG_TRY(pg_model_clone(s->stolen, &s->pruned, err));
    PG_TRY(pg_model_clone(s->stolen, &p->model, err));
    PG_TRY(anp_find_channels(s, err));
    PG_TRY(pg_alloc(batch * (size_t)s->stolen->spec.classes, sizeof *s->dlogits, &s->dlogits, err));
    PG_TRY(pg_alloc(batch, sizeof *s->labels, &s->labels, err));
    p->coach.prepare = anp_prepare;
    p->coach.hold = anp_hold;
    PG_TRY(pg_pupil_start(state, values, view, err));
    p->weight = o->alpha;
done:
    return status;
}

/* Make the stolen network without the channels whose mask is at most a threshold. Returns the number of these channels. */
static int anp_prune(const anp_state *s, double threshold)
{
    int gone = 0;
    memcpy(s->pruned->params, s->stolen->params, s->stolen->param_count * sizeof *s->stolen->params);
    for (int k = 0; k < s->count; k++) {
        if (s->masks[k] > threshold) continue;
        s->pruned->params[s->channels[k].gamma] = 0;
        gone++;
    }
    return gone;
}

static pg_status anp_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    anp_state *s = state;
    pg_tuned *tuned = &s->pupil.tuned;
    if (!pg_tuned_done(tuned)) return pg_tuned_step(tuned, what, err);
    const double threshold = s->options->thresholds.values[pg_sweep_next(&s->sweep, what)];
    const double seen = pg_trainer_progress(tuned->trainer)->images;
    const int gone = anp_prune(s, threshold);
    *outcome = pg_pupil_outcome(&s->pupil, s->pruned);
    outcome->value = threshold;
    outcome->images += 2 * seen;
    outcome->macs += 6 * seen * pg_model_macs(s->pruned) - pg_trainer_macs(tuned->trainer); /* no gradients of weights */
    outcome->measures[0] = (pg_measure){"channels_pruned", "%", 100.0 * gone / s->count};
    return PG_OK;
}

/* Every image runs three times: to move the changes, with them and without. */
static double anp_shown(const void *values, double images, int classes)
{
    (void)classes;
    return 2 * images * ((const anp_options *)values)->pupil.tuning.epochs;
}

static void anp_keep(void *state, pg_snapshot *snapshot)
{
    anp_state *s = state;
    pg_tuned_keep(state, snapshot);
    PG_KEEP_WITHIN(snapshot, s->masks, (size_t)s->count, 0, 1, "masks");
    pg_sweep_keep(&s->sweep, snapshot);
}

static void anp_finish(void *state)
{
    anp_state *s = state;
    pg_pupil_finish(state);
    pg_model_destroy(&s->stolen);
    pg_model_destroy(&s->pruned);
    pg_free(s->channels);
    pg_free(s->masks);
    pg_free(s->dlogits);
    pg_free(s->labels);
}

const pg_attack pg_attack_anp = {
    .name = "anp",
    .summary = "look for the channels that are sensitive to changes, and prune them, at several thresholds",
    .source = "Wu, Wang, NeurIPS 2021 (adversarial neuron pruning); Gan et al., ICCV 2023",
    .options = anp_table,
    .options_size = sizeof(anp_options),
    .state_size = sizeof(anp_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .axis = "threshold",
    .costs = {.outcomes = "thresholds", .epochs = "epochs", .share = "share", .shown = anp_shown},
    .check = pg_pupil_check,
    .start = anp_start,
    .step = anp_step,
    .progress = pg_tuned_progress,
    .keep = anp_keep,
    .finish = anp_finish,
};
