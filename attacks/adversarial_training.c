/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adversarial training: in every batch the thief moves some of the images by `iterations` steps along the sign of the gradient
 * of their loss under the current weights, within `bound` of their pixels, and trains on the batch. Marks that rely on fragile
 * features are lost with these features. Sources: Madry et al., ICLR 2018; Lukas et al., IEEE S&P 2022 (adversarial training:
 * images moved by 40 steps of 0.01 within 0.01, 0.1 and 0.25 of the range are added to the training set, 5 epochs). */
#include "attacks/pupil.h"
#include "core/base/memory.h"
#include "core/compute/kernels.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef struct adversarial_training_options {
    pg_pupil_options pupil;
    double part, bound, step;
    int iterations;
} adversarial_training_options;

static const pg_option options[] = {
    PG_REAL(adversarial_training_options, part, "50", PG_ABOVE_ZERO, 100, "percent",
            "share of every batch that is moved, at least one image"),
    PG_REAL(adversarial_training_options, bound, "8", PG_ABOVE_ZERO, 255, "levels of 255", "largest change of a pixel"),
    PG_REAL(adversarial_training_options, step, "2", PG_ABOVE_ZERO, 255, "levels of 255", "length of a step"),
    PG_INT(adversarial_training_options, iterations, "10", 1, 1000, NULL, "sign-gradient steps on each of these images"),
    PG_PUPIL_IMAGES(adversarial_training_options, "33"),
    PG_PUPIL_LABELS(adversarial_training_options, "soft"),
    PG_TUNING_ROWS(adversarial_training_options, pupil.tuning, "5", "0.01", "learning rate, constant", "true"),
    {0},
};

typedef struct adversarial_training_state {
    pg_pupil pupil;
    const adversarial_training_options *options;
    pg_net *net; /* for `moved` images; it never trains */
    int moved;
    pg_real *begun, *dlogits;
    int32_t *labels;
} adversarial_training_state;

/* One step of n images, in normalised pixels. */
static void adversarial_training_move(const adversarial_training_state *s, pg_pixels pixels, const pg_real *gradient,
                                      size_t count, pg_real *images)
{
    const adversarial_training_options *o = s->options;
    for (size_t i = 0; i < count; i++) {
        const double low = pg_pixel(pixels, (int)(i % 3), 0), high = pg_pixel(pixels, (int)(i % 3), 1),
                     level = (high - low) / 255;
        const double begun = (double)s->begun[i], sign = (gradient[i] > 0) - (gradient[i] < 0);
        double now = (double)images[i] + o->step * level * sign;
        now = fmin(fmax(now, begun - o->bound * level), begun + o->bound * level);
        images[i] = (pg_real)fmin(fmax(now, low), high);
    }
}

static void adversarial_training_prepare(void *pupil, const pg_step *step)
{
    adversarial_training_state *s = pupil;
    const int n = s->moved, classes = s->pupil.images.classes;
    const size_t values = (size_t)n * (size_t)(s->pupil.images.height * s->pupil.images.width * 3);
    memcpy(s->begun, step->images, values * sizeof *s->begun);
    for (int i = 0; i < n; i++) s->labels[i] = pg_pupil_class(&s->pupil, step->labels[i]);
    for (int k = 0; k < s->options->iterations; k++) {
        const pg_real *logits = pg_net_forward(s->net, step->model, PG_PUBLIC, PG_EVAL, step->images, n);
        pg_cross_entropy(n, classes, logits, s->labels, 0, s->dlogits, NULL);
        pg_net_backward(s->net, step->model, s->dlogits);
        adversarial_training_move(s, step->pixels, pg_net_image_gradient(s->net), values, step->images);
    }
}

static pg_status adversarial_training_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    adversarial_training_state *s = state;
    const adversarial_training_options *o = values;
    s->options = o;
    s->moved = (int)fmax(1, floor(o->part / 100 * o->pupil.tuning.batch));
    s->pupil.coach.prepare = adversarial_training_prepare;
    PG_TRY(pg_pupil_start(state, values, view, err));
    const pg_dataset *d = &s->pupil.images;
    const size_t n = (size_t)s->moved;
    PG_TRY(pg_net_create(&s->pupil.model->spec, s->moved, true, PG_CONV_AUTO, &s->net, err));
    pg_net_train_from(s->net, PG_IMAGES);
    pg_net_keep_weights(s->net, true);
    PG_TRY(pg_alloc(n * (size_t)(d->height * d->width * 3), sizeof *s->begun, &s->begun, err));
    PG_TRY(pg_alloc(n * (size_t)d->classes, sizeof *s->dlogits, &s->dlogits, err));
    PG_TRY(pg_alloc(n, sizeof *s->labels, &s->labels, err));
done:
    return status;
}

/* Images that are run to be moved. */
static double adversarial_training_shown(const void *values, double images, int classes)
{
    const adversarial_training_options *o = values;
    (void)classes;
    return o->pupil.tuning.epochs * images * o->part / 100 * o->iterations;
}

/* The outcome's cost has the passes that moved the images. */
static pg_status adversarial_training_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    const adversarial_training_state *s = state;
    const pg_status status = pg_pupil_step(state, what, outcome, err);
    if (status != PG_OK || *what != PG_ATTACK_LAST) return status;
    const pg_progress *now = pg_trainer_progress(s->pupil.tuned.trainer);
    const double passes = (double)now->epochs * now->steps * s->moved * s->options->iterations;
    outcome->images += passes;
    outcome->macs += passes * pg_net_training_macs(s->net, 1);
    return PG_OK;
}

static void adversarial_training_finish(void *state)
{
    adversarial_training_state *s = state;
    pg_pupil_finish(state);
    pg_net_destroy(&s->net);
    pg_free(s->begun);
    pg_free(s->dlogits);
    pg_free(s->labels);
}

const pg_attack pg_attack_adversarial_training = {
    .name = "adversarial-training",
    .summary = "fine-tune with adversarial images: every batch has some that are moved to raise the loss",
    .source = "Madry et al., ICLR 2018; Lukas et al., IEEE S&P 2022 (adversarial training)",
    .options = options,
    .options_size = sizeof(adversarial_training_options),
    .state_size = sizeof(adversarial_training_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share", .shown = adversarial_training_shown},
    .check = pg_pupil_check,
    .start = adversarial_training_start,
    .step = adversarial_training_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = adversarial_training_finish,
};
