/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fine-tuning at a large rate that falls after every epoch (REFIT). Two options help to keep the accuracy. Elastic weight
 * consolidation adds ewc / 2 sum_i F_i (w_i - w0_i)^2 to the loss, with w0 the stolen weights and F the mean square of the
 * gradient of one image's loss at w0. Unlabelled images of another data set (`data`), labelled by the stolen network's answers,
 * join the thief's own.
 *
 * Source: Chen et al., AsiaCCS 2021 (60 epochs on 20 % of CIFAR-10, batches of 100, rate 0.05, or 0.15 with an ewc of 10, times
 * 0.9 after each epoch; F from 10,000 images; half of each batch is unlabelled, whereas here both sets are shuffled together).
 */
#include "attacks/pupil.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/compute/kernels.h"

#include <stddef.h>

typedef struct refit_options {
    pg_pupil_options pupil;
    char data[PG_TEXT_MAX];
    int data_train, fisher;
    double ewc;
} refit_options;

static const pg_option options[] = {
    PG_REAL(refit_options, ewc, "0", 0, 1e9, NULL, "weight of elastic weight consolidation; 0: none"),
    PG_INT(refit_options, fisher, "1000", 1, 1e9, "images",
           "for ewc: images from which the importance of each weight is measured, at most all of the thief's"),
    PG_TEXT(refit_options, data, "", "data set of unlabelled images; empty: none"),
    PG_INT(refit_options, data_train, "0", 0, 1e9, "images", "training images of that data set; 0: all"),
    PG_PUPIL_IMAGES(refit_options, "20"),
    PG_PUPIL_LABELS(refit_options, "true"),
    PG_TUNING_ROWS(refit_options, pupil.tuning, "60", "0.05", "first learning rate, multiplied by 0.9 after every epoch",
                   "true"),
    {0},
};

typedef struct refit_state {
    pg_pupil pupil;
    pg_real *begun, *matters; /* w0 and F, [params]; NULL without ewc */
    double asked;             /* images run for F */
} refit_state;

static pg_other_data refit_other_data(const void *values)
{
    const refit_options *o = values;
    return (pg_other_data){.name = o->data[0] ? o->data : NULL, .key = "data", .train = o->data_train};
}

/* Measure F, one image at a time. */
static pg_status refit_measure(refit_state *s, int count, pg_pixels pixels, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    pg_real *image = NULL, *dlogits = NULL;
    pg_pupil *p = &s->pupil;
    PG_TRY(pg_net_create(&p->model->spec, 1, true, PG_CONV_AUTO, &net, err));
    PG_TRY(pg_alloc((size_t)(p->images.height * p->images.width * 3), sizeof *image, &image, err));
    PG_TRY(pg_alloc((size_t)p->images.classes, sizeof *dlogits, &dlogits, err));
    for (int i = 0; i < count; i++) {
        const int32_t label = pg_pupil_class(p, i);
        pg_batch_range(&p->images, i, 1, pixels, image);
        const pg_real *logits = pg_net_forward(net, p->model, PG_PUBLIC, PG_EVAL, image, 1);
        pg_cross_entropy(1, p->images.classes, logits, &label, 0, dlogits, NULL);
        pg_net_zero_gradients(net);
        pg_net_backward(net, p->model, dlogits);
        const pg_real *g = pg_net_gradients(net);
        for (size_t k = 0; k < p->model->param_count; k++) s->matters[k] += g[k] * g[k] / (pg_real)count;
    }
    s->asked = count;
done:
    pg_net_destroy(&net);
    pg_free(image);
    pg_free(dlogits);
    return status;
}

static double refit_penalty(void *pupil, const pg_step *step)
{
    const refit_state *s = pupil;
    const refit_options *o = (const void *)s->pupil.options; /* its first member */
    const pg_real *w = step->model->params;
    pg_real *g = pg_net_gradients(step->net);
    double sum = 0;
    for (size_t k = 0; k < step->model->param_count; k++) {
        const double moved = (double)w[k] - (double)s->begun[k], pull = o->ewc * (double)s->matters[k] * moved;
        sum += pull * moved / 2;
        g[k] += (pg_real)pull;
    }
    return sum;
}

static pg_status refit_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    refit_state *s = state;
    const refit_options *o = values;
    if (o->ewc > 0) s->pupil.coach.penalty = refit_penalty;
    PG_TRY(pg_pupil_start(state, values, view, err));
    if (!(o->ewc > 0)) return PG_OK;
    const pg_model *m = s->pupil.model;
    PG_TRY(pg_alloc(m->param_count, sizeof *s->begun, &s->begun, err));
    PG_TRY(pg_alloc(m->param_count, sizeof *s->matters, &s->matters, err));
    for (size_t k = 0; k < m->param_count; k++) s->begun[k] = m->params[k];
    PG_TRY(refit_measure(s, pg_min(o->fisher, s->pupil.images.count), view->pixels, err));
done:
    return status;
}

static pg_status refit_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    const refit_state *s = state;
    pg_pupil_decay(state, 0.9, 1);
    const pg_status status = pg_pupil_step(state, what, outcome, err);
    if (status != PG_OK || *what != PG_ATTACK_LAST) return status;
    outcome->images += s->asked;
    outcome->macs += 3 * s->asked * pg_model_macs(s->pupil.model);
    return PG_OK;
}

static void refit_finish(void *state)
{
    refit_state *s = state;
    pg_pupil_finish(state);
    pg_free(s->begun);
    pg_free(s->matters);
}

const pg_attack pg_attack_refit = {
    .name = "refit",
    .summary = "fine-tune at a large rate that falls, with elastic weights or unlabelled images of another data set",
    .source = "Chen et al., AsiaCCS 2021 (REFIT)",
    .options = options,
    .options_size = sizeof(refit_options),
    .state_size = sizeof(refit_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share"},
    .other_data = refit_other_data,
    .check = pg_pupil_check,
    .start = refit_start,
    .step = refit_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = refit_finish,
};
