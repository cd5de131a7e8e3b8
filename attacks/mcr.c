/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mode connectivity repair (MCR): networks on a curve between two networks are as accurate as its ends, but a hidden task is
 * lost on the way. The thief fine-tunes a copy of the stolen network, which becomes the other end, and trains the bend B of
 *     W(t) = (1 - t)^2 W(0) + 2 t (1 - t) B + t^2 W(1)
 * by SGD: each batch runs at a t drawn at random from 0 .. 1. Every position on the curve is an outcome; the running
 * statistics there come from one pass over his images. One curve serves all positions.
 *
 * The trainer steps on W(t): the gradient of B is 2 t (1 - t) times that of W(t), which is a weight of the loss, and B moves as
 * W(t) does. The rate is constant for half of the epochs and then falls linearly to a hundredth at nine tenths of them.
 *
 * Source: Zhao et al., ICLR 2020, whose ends are two networks of the victim's; Gan et al., ICCV 2023, and its public code,
 * whose ends are these (50 epochs at 0.05, a tenth after each 10, on half of 10,000 images, for the other end; 100 epochs at
 * 0.01 on the other half for the curve; the code clips the gradient and measures running statistics on test images). */
#include "attacks/pupil.h"
#include "attacks/sweep.h"
#include "core/base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct mcr_options {
    pg_pupil_options pupil;
    pg_tuning end; /* of the other end: epochs and rate */
    pg_reals positions;
} mcr_options;

static const pg_option mcr_table[] = {
    PG_REALS(mcr_options, positions, "[0.1, 0.3, 0.5, 0.7, 0.9]", 0, 1, NULL,
             "places on the curve, from the stolen network (0) to the fine-tuned copy (1)"),
    PG_NUMBER("end_epochs", mcr_options, end.epochs, INT, int, "50", 1, 100000, NULL,
              "passes over the thief's images to fine-tune the copy"),
    PG_NUMBER("end_lr", mcr_options, end.lr, REAL, double, "0.05", PG_ABOVE_ZERO, 1e6, NULL,
              "learning rate of the copy, a tenth after every 10 epochs"),
    PG_PUPIL_IMAGES(mcr_options, "20"),
    PG_PUPIL_LABELS(mcr_options, "true"),
    PG_TUNING_ROWS(mcr_options, pupil.tuning, "100", "0.01",
                   "learning rate of the bend, constant for half of the epochs, then falling to a hundredth", "true"),
    {0},
};

typedef struct mcr_state {
    pg_pupil pupil, end; /* the pupil's model is a network on the curve */
    pg_pupil_options ending;
    char task[PG_TEXT_MAX]; /* of the random streams of the other end */
    const mcr_options *options;
    pg_pixels pixels;
    pg_seed seed;
    pg_model *stolen;     /* as it is deployed: the end at 0 */
    pg_real *bend, *from; /* B, and W(t) before the trainer's step, [params] */
    bool begun;           /* B is in the middle of the ends */
    pg_net *net;          /* to measure running statistics */
    pg_real *images;
    pg_sweep sweep; /* of positions */
} mcr_state;

/* ---- the curve ---- */

/* W(t) [params]. */
static void mcr_point(const mcr_state *s, double t, pg_real *w)
{
    const pg_real *a = s->stolen->params, *b = s->end.model->params;
    const double of_a = (1 - t) * (1 - t), of_bend = 2 * t * (1 - t), of_b = t * t;
    for (size_t i = 0; i < s->stolen->param_count; i++)
        w[i] = (pg_real)(of_a * (double)a[i] + of_bend * (double)s->bend[i] + of_b * (double)b[i]);
}

static void mcr_begin(mcr_state *s)
{
    const pg_real *a = s->stolen->params, *b = s->end.model->params;
    for (size_t i = 0; i < s->stolen->param_count; i++) s->bend[i] = (pg_real)(((double)a[i] + (double)b[i]) / 2);
    s->begun = true;
}

static void mcr_prepare(void *pupil, const pg_step *step)
{
    mcr_state *s = pupil;
    const pg_progress *now = pg_trainer_progress(s->pupil.tuned.trainer);
    pg_rng rng;
    pg_rng_open(&rng, s->seed, "positions", (uint64_t)now->epoch * (uint64_t)now->steps + (uint64_t)now->step);
    const double t = pg_rng_uniform(&rng);
    mcr_point(s, t, s->from);
    memcpy(step->model->params, s->from, s->stolen->param_count * sizeof *s->from);
    s->pupil.weight = 2 * t * (1 - t);
}

/* After the trainer has stepped: move the bend. Before the first step there is no curve yet. */
static void mcr_hold(void *pupil, pg_model *model)
{
    const mcr_state *s = pupil;
    for (size_t i = 0; s->begun && i < model->param_count; i++) s->bend[i] += model->params[i] - s->from[i];
}

/* The factor of the rate at a share of all epochs. */
static double mcr_fall(double share)
{
    return share <= 0.5 ? 1 : share <= 0.9 ? 1 - (share - 0.5) / 0.4 * 0.99 : 0.01;
}

/* Measure the running statistics of the present network: those of the stolen one, updated by the thief's images. */
static void mcr_measure_statistics(mcr_state *s)
{
    pg_model *m = s->pupil.model;
    const int batch = s->options->pupil.tuning.batch;
    memcpy(m->buffers, s->stolen->buffers, m->buffer_count * sizeof *m->buffers);
    for (int from = 0; from + batch <= s->pupil.images.count; from += batch) {
        pg_batch_range(&s->pupil.images, from, batch, s->pixels, s->images);
        pg_net_forward(s->net, m, PG_PUBLIC, PG_TRAIN, s->images, batch);
    }
}

/* ---- the attack ---- */

static pg_status mcr_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    mcr_state *s = state;
    const mcr_options *o = values;
    const pg_net_spec *spec = &view->model->spec;
    const size_t image = (size_t)(spec->image_height * spec->image_width * 3);
    pg_attack_view ends = *view;
    snprintf(s->task, sizeof s->task, "%s end", view->seed.task);
    ends.seed.task = s->task;
    s->options = o;
    s->pixels = view->pixels;
    s->seed = view->seed;
    s->sweep.count = o->positions.count;
    s->ending = o->pupil;
    s->ending.tuning.epochs = o->end.epochs;
    s->ending.tuning.lr = o->end.lr;
    s->pupil.coach.prepare = mcr_prepare;
    s->pupil.coach.hold = mcr_hold;
    PG_TRY(pg_tuned_copy(view, spec->classes, &s->stolen, err));
    PG_TRY(pg_alloc(s->stolen->param_count, sizeof *s->bend, &s->bend, err));
    PG_TRY(pg_alloc(s->stolen->param_count, sizeof *s->from, &s->from, err));
    PG_TRY(pg_pupil_start(&s->end, &s->ending, &ends, err));
    PG_TRY(pg_pupil_start(state, values, view, err));
    PG_TRY(pg_net_create(&s->stolen->spec, o->pupil.tuning.batch, true, PG_CONV_AUTO, &s->net, err));
    PG_TRY(pg_alloc((size_t)o->pupil.tuning.batch * image, sizeof *s->images, &s->images, err));
done:
    return status;
}

static pg_status mcr_train(mcr_state *s, pg_attack_state *what, pg_error *err)
{
    pg_tuned *tuned = &s->pupil.tuned;
    if (!s->begun) mcr_begin(s);
    tuned->train.lr =
        s->options->pupil.tuning.lr * mcr_fall((pg_trainer_progress(tuned->trainer)->epoch + 1.0) / tuned->train.epochs);
    return pg_tuned_step(tuned, what, err);
}

static pg_status mcr_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    mcr_state *s = state;
    pg_pupil *p = &s->pupil;
    if (!pg_tuned_done(&s->end.tuned)) {
        pg_pupil_decay(&s->end, 0.1, 10);
        return pg_tuned_step(&s->end.tuned, what, err);
    }
    if (!pg_tuned_done(&p->tuned)) return mcr_train(s, what, err);
    const double position = s->options->positions.values[pg_sweep_next(&s->sweep, what)];
    mcr_point(s, position, p->model->params);
    mcr_measure_statistics(s);
    const pg_outcome end = pg_pupil_outcome(&s->end, NULL);
    *outcome = pg_pupil_outcome(p, p->model);
    outcome->value = position;
    outcome->images += end.images + p->images.count;
    outcome->macs += end.macs + p->images.count * pg_model_macs(p->model);
    return PG_OK;
}

/* The training of the other end, and the passes for running statistics. */
static double mcr_shown(const void *values, double images, int classes)
{
    const mcr_options *o = values;
    (void)classes;
    return images * (o->end.epochs + o->positions.count);
}

static double mcr_progress(const void *state)
{
    const mcr_state *s = state;
    const double first = s->options->end.epochs, second = s->options->pupil.tuning.epochs;
    return (first * pg_tuned_progress(&s->end) + second * pg_tuned_progress(state)) / (first + second);
}

static void mcr_keep(void *state, pg_snapshot *snapshot)
{
    mcr_state *s = state;
    pg_tuned_keep(state, snapshot);
    PG_KEEP(snapshot, s->bend, s->stolen->param_count, "bend");
    PG_KEEP(snapshot, &s->begun, 1, "begun");
    pg_sweep_keep(&s->sweep, snapshot);
    snapshot->prefix = "end.";
    pg_tuned_keep(&s->end, snapshot);
    snapshot->prefix = NULL;
}

static void mcr_finish(void *state)
{
    mcr_state *s = state;
    pg_pupil_finish(state);
    pg_pupil_finish(&s->end);
    pg_model_destroy(&s->stolen);
    pg_net_destroy(&s->net);
    pg_free(s->bend);
    pg_free(s->from);
    pg_free(s->images);
}

const pg_attack pg_attack_mcr = {
    .name = "mcr",
    .summary = "fine-tune a copy, and take networks on a trained curve between the stolen network and the copy",
    .source = "Zhao et al., ICLR 2020 (mode connectivity repair); Gan et al., ICCV 2023",
    .options = mcr_table,
    .options_size = sizeof(mcr_options),
    .state_size = sizeof(mcr_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .axis = "position",
    .costs = {.outcomes = "positions", .epochs = "epochs", .share = "share", .shown = mcr_shown},
    .check = pg_pupil_check,
    .start = mcr_start,
    .step = mcr_step,
    .progress = mcr_progress,
    .keep = mcr_keep,
    .finish = mcr_finish,
};
