/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dehydra: the thief lets the stolen network dream images of every class. Dreams of the triggers' target class resemble the
 * triggers. Then he trains the network to be undecided about all dreams, beside a few images with true labels. He does not know
 * the target class.
 *
 * Inversion. An image is x = (tanh(a) + 1) / 2, and Adam minimises over a, for a block of images of one class at a time,
 *     mean over the images of (cross-entropy + l2 |x| + tv (|dx/dright| + |dx/ddown|)) + bn S
 * with x in normalised pixels, Euclidean norms, and S the distance of the block's statistics from the running ones
 * (pg_net_match_statistics; zero without batch norm), in evaluation mode. The rate falls from 0.1 by a cosine.
 * Unlearning. The target of a dreamt image is uniform over the classes, and its loss weighs `weight` of that of an image with a
 * true label.
 *
 * Source: the basic attack of "Dehydra" (CCS 2024) and its public code; which norms it takes of x and its differences is ours.
 * The improved attack, which tells triggers from other dreams, and the one without data are missing. */
#include "attacks/adam.h"
#include "attacks/pupil.h"
#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/ownership/picture_loss.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct dehydra_options {
    pg_pupil_options pupil;
    int dreams, steps;
    double l2, tv, bn, weight;
} dehydra_options;

static const pg_option dehydra_table[] = {
    PG_PUPIL_IMAGES(dehydra_options, "1.667"),
    PG_INT(dehydra_options, dreams, "100", 1, 10000, "images", "dreamt images of each class; published: 250"),
    PG_INT(dehydra_options, steps, "500", 1, 1000000, NULL, "steps of Adam on each dreamt image; published: 1000"),
    PG_REAL(dehydra_options, l2, "0.01", 0, 1000, NULL, "weight of the norm of a dreamt image"),
    PG_REAL(dehydra_options, tv, "0.03", 0, 1000, NULL, "weight of the variation of a dreamt image from pixel to pixel"),
    PG_REAL(dehydra_options, bn, "0.1", 0, 1000, NULL,
            "weight of the distance between the dreamt images' statistics and the running ones of batch norm"),
    PG_REAL(dehydra_options, weight, "0.125", 0, 1000, NULL,
            "weight of a dreamt image's loss during unlearning, relative to that of a labelled image"),
    PG_TUNING_ROWS(dehydra_options, pupil.tuning, "40", "0.01", "learning rate, constant", "false"),
    {0},
};

enum { BLOCK = 50 }; /* images that dream together */
static const double adam_rate = 0.1, adam_last = 1e-4;

typedef struct dehydra_state {
    pg_tuned tuned;
    const dehydra_options *options;
    pg_pixels pixels;
    pg_seed seed;
    pg_model *model;
    pg_picture_loss loss; /* of the network as it was stolen */
    pg_model *stolen;     /* that network */
    pg_real *statistics;
    size_t image;                     /* elements of an image */
    int labelled;                     /* images with true labels, the first of `images`; then come the dreams, by class */
    pg_dataset images;                /* label i is i, by which a batch knows its images */
    int32_t *truth;                   /* [labelled] */
    double *a, *first, *second, *own; /* [BLOCK,image]; own: gradient of an image's own terms */
    double *q;                        /* [batch,classes] */
    pg_coach coach;
    int block, step; /* the next to run */
    int answered;    /* dreams that the network took for their class at the end */
} dehydra_state;

/* ---- what is asked for ---- */

static pg_status dehydra_images(const dehydra_options *o, const pg_attack_view *view, pg_pupil_images *out, pg_error *err)
{
    const pg_status status = pg_pupil_choose(&o->pupil, view, &view->model->spec, out, err);
    const double dreams = (double)o->dreams * view->model->spec.classes;
    if (status == PG_OK && dreams > 1e6)
        return pg_fail(err, PG_BAD_INPUT, "dreams: %d images of %d classes are more than a million", o->dreams,
                       view->model->spec.classes);
    return status;
}

static pg_status dehydra_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_pupil_images images;
    return dehydra_images(values, view, &images, err);
}

/* Images that run to be dreamt, and the dreams that are trained on. */
static double dehydra_shown(const void *values, double images, int classes)
{
    const dehydra_options *o = values;
    (void)images;
    return (double)o->dreams * classes * (o->steps + o->pupil.tuning.epochs);
}

/* ---- inversion ---- */

static int dehydra_blocks(const dehydra_state *s) /* of a class */
{
    return (s->options->dreams + BLOCK - 1) / BLOCK;
}

static int dehydra_all_blocks(const dehydra_state *s)
{
    return dehydra_blocks(s) * s->images.classes;
}

/* Images of the block at work, and the first of them in `images`. */
static int dehydra_size(const dehydra_state *s)
{
    const int before = s->block % dehydra_blocks(s) * BLOCK, left = s->options->dreams - before;
    return left < BLOCK ? left : BLOCK;
}

static int dehydra_place(const dehydra_state *s)
{
    const int blocks = dehydra_blocks(s);
    return s->labelled + s->block / blocks * s->options->dreams + s->block % blocks * BLOCK;
}

static void dehydra_begin_block(dehydra_state *s)
{
    const size_t count = BLOCK * s->image;
    pg_rng rng;
    pg_rng_open(&rng, s->seed, "dream", (uint64_t)s->block);
    for (size_t i = 0; i < count; i++) s->a[i] = pg_rng_normal(&rng);
    memset(s->first, 0, count * sizeof *s->first);
    memset(s->second, 0, count * sizeof *s->second);
}

/* The images as the network sees them. */
static void dehydra_show(const dehydra_state *s, int n)
{
    for (size_t i = 0; i < (size_t)n * s->image; i++)
        s->loss.images[i] = (pg_real)pg_pixel(s->pixels, (int)(i % 3), (tanh(s->a[i]) + 1) / 2);
}

/* Add the gradient of weight times the norm of the differences between pixels that lie `apart` elements apart, within rows of
 * `line` pixels if that is not 0. Returns that term. */
static double add_variation(const dehydra_state *s, const pg_real *x, size_t apart, size_t line, double weight,
                            double *gradient)
{
    double sum = 0;
    for (size_t i = apart; i < s->image; i++)
        if (!line || i / 3 % line) sum += ((double)x[i] - (double)x[i - apart]) * ((double)x[i] - (double)x[i - apart]);
    const double norm = sqrt(sum);
    for (size_t i = apart; norm > 0 && i < s->image; i++) {
        if (line && i / 3 % line == 0) continue;
        const double push = weight * ((double)x[i] - (double)x[i - apart]) / norm;
        gradient[i] += push;
        gradient[i - apart] -= push;
    }
    return weight * norm;
}

/* The terms of one image that need no network; overwrites gradient with their gradient. */
static double dehydra_own_terms(const dehydra_state *s, const pg_real *x, double *gradient)
{
    const size_t line = (size_t)s->images.width;
    double sum = 0;
    for (size_t i = 0; i < s->image; i++) sum += (double)x[i] * (double)x[i];
    const double norm = sqrt(sum);
    for (size_t i = 0; i < s->image; i++) gradient[i] = norm > 0 ? s->options->l2 * (double)x[i] / norm : 0;
    return s->options->l2 * norm + add_variation(s, x, 3, line, s->options->tv, gradient) +
           add_variation(s, x, 3 * line, 0, s->options->tv, gradient);
}

/* The loss of n images of a class; `own` becomes its gradient with regard to a. answered: how many the network takes for that
 * class. */
static double dehydra_loss(dehydra_state *s, int class, int n, int *answered)
{
    pg_picture_loss *loss = &s->loss;
    int32_t wanted[BLOCK];
    double losses[BLOCK], total;
    bool right[BLOCK];
    for (int i = 0; i < n; i++) wanted[i] = class;
    dehydra_show(s, n);
    pg_picture_loss_run(loss, s->stolen, n, wanted, losses, right);
    /* the losses are summed over the images, and their mean is the loss: the distance counts n times */
    total = s->options->bn > 0 ? pg_net_match_statistics(loss->net, s->stolen, n * s->options->bn, s->statistics) : 0;
    const pg_real *g = pg_picture_loss_gradient(loss, s->stolen);
    *answered = 0;
    for (int i = 0; i < n; i++) {
        const size_t at = (size_t)i * s->image;
        total += losses[i] + dehydra_own_terms(s, loss->images + at, s->own + at);
        *answered += right[i];
    }
    for (size_t i = 0; i < (size_t)n * s->image; i++) {
        const int c = (int)(i % 3);
        const double t = tanh(s->a[i]), scale = pg_pixel(s->pixels, c, 1) - pg_pixel(s->pixels, c, 0);
        s->own[i] = (s->own[i] + (double)g[i]) * scale * (1 - t * t) / 2 / n;
    }
    return total / n;
}

static void dehydra_adam(dehydra_state *s, int n)
{
    const double rate = pg_cosine_rate(adam_rate, adam_last, (double)s->step / s->options->steps);
    pg_adam_step((size_t)n * s->image, s->a, s->own, s->first, s->second, rate, s->step + 1);
}

/* One step of the block at work. After the last one its images become 8-bit ones. */
static void dehydra_dream(dehydra_state *s)
{
    const int n = dehydra_size(s);
    int answered;
    if (s->step == 0) dehydra_begin_block(s);
    dehydra_loss(s, s->block / dehydra_blocks(s), n, &answered);
    dehydra_adam(s, n);
    if (++s->step < s->options->steps) return;
    uint8_t *pixel = s->images.images + (size_t)dehydra_place(s) * s->image;
    for (size_t i = 0; i < (size_t)n * s->image; i++) pixel[i] = (uint8_t)lround(255 * (tanh(s->a[i]) + 1) / 2);
    s->answered += answered;
    s->step = 0;
    s->block++;
}

/* ---- unlearning ---- */

/* Cross-entropy of true labels, and of a uniform answer to dreams; both as a mean over the batch. */
static double dehydra_unlearn(void *context, const pg_step *step)
{
    const dehydra_state *s = context;
    const int classes = s->images.classes;
    double loss = 0;
    for (int i = 0; i < step->count; i++) {
        const int image = step->labels[i];
        const bool dream = image >= s->labelled;
        const ptrdiff_t at = (ptrdiff_t)i * classes;
        const double weight = (dream ? s->options->weight : 1) / step->count;
        for (int c = 0; c < classes; c++) s->q[c] = dream ? 1.0 / classes : c == s->truth[image];
        loss += weight * pg_teaching_loss(1, classes, step->logits + at, s->q, 1, step->dlogits + at);
        for (int c = 0; c < classes; c++) step->dlogits[at + c] *= (pg_real)weight;
    }
    return loss;
}

/* ---- the attack ---- */

static pg_status dehydra_take_images(dehydra_state *s, const pg_pupil_images *from, pg_error *err)
{
    pg_status status = PG_OK;
    pg_dataset part = {0};
    const pg_net_spec *spec = &s->model->spec;
    s->labelled = from->own_count;
    s->images.classes = spec->classes;
    snprintf(s->images.name, sizeof s->images.name, "%s", from->own->name);
    PG_TRY(pg_dataset_subset(from->own, s->labelled, &part, err));
    PG_TRY(pg_dataset_allocate(&s->images, s->labelled + s->options->dreams * spec->classes, spec->image_height,
                               spec->image_width, err));
    PG_TRY(pg_alloc((size_t)s->labelled, sizeof *s->truth, &s->truth, err));
    memcpy(s->images.images, part.images, (size_t)s->labelled * s->image);
    memcpy(s->truth, part.labels, (size_t)s->labelled * sizeof *s->truth);
    for (int i = 0; i < s->images.count; i++) s->images.labels[i] = i;
done:
    pg_dataset_clear(&part);
    return status;
}

static pg_status dehydra_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    dehydra_state *s = state;
    const dehydra_options *o = values;
    const pg_net_spec *spec = &view->model->spec;
    pg_pupil_images images;
    double **const arrays[] = {&s->a, &s->first, &s->second, &s->own};
    s->options = o;
    s->pixels = view->pixels;
    s->seed = view->seed;
    s->image = (size_t)(spec->image_height * spec->image_width * 3);
    s->tuned.train = pg_tuning_train(&o->pupil.tuning, view->pixels);
    PG_TRY(dehydra_images(o, view, &images, err));
    PG_TRY(pg_tuned_copy(view, spec->classes, &s->model, err));
    PG_TRY(pg_model_clone(s->model, &s->stolen, err));
    PG_TRY(dehydra_take_images(s, &images, err));
    PG_TRY(pg_picture_loss_open(&s->stolen->spec, BLOCK, &s->loss, err));
    PG_TRY(pg_alloc(pg_net_statistics_size(s->loss.net), sizeof *s->statistics, &s->statistics, err));
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        PG_TRY(pg_alloc(BLOCK * s->image, sizeof(double), arrays[i], err));
    PG_TRY(pg_alloc((size_t)spec->classes, sizeof *s->q, &s->q, err));
    s->coach = (pg_coach){.context = s, .loss = dehydra_unlearn};
    const pg_job job = {.model = s->model,
                        .scheme = pg_scheme_holding(0),
                        .data = &s->images,
                        .options = &s->tuned.train,
                        .seed = view->seed,
                        .coach = &s->coach};
    PG_TRY(pg_trainer_create(&job, &s->tuned.trainer, err));
done:
    return status;
}

static pg_status dehydra_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    dehydra_state *s = state;
    *what = PG_ATTACK_WORKING;
    if (s->block < dehydra_all_blocks(s)) {
        dehydra_dream(s);
        return PG_OK;
    }
    if (!pg_tuned_done(&s->tuned)) return pg_tuned_step(&s->tuned, what, err);
    const int dreams = s->images.count - s->labelled;
    const double shown = (double)dreams * s->options->steps;
    *what = PG_ATTACK_LAST;
    *outcome = pg_tuned_outcome(&s->tuned, s->model);
    outcome->images += shown;
    outcome->macs += shown * pg_net_training_macs(s->loss.net, 1);
    outcome->measures[0] = (pg_measure){"dreams_answered", "%", 100.0 * s->answered / dreams};
    return PG_OK;
}

static double dehydra_progress(const void *state)
{
    const dehydra_state *s = state;
    const double dreams = s->images.count - s->labelled, search = dreams * s->options->steps,
                 train = (double)s->images.count * s->options->pupil.tuning.epochs,
                 done = search * (s->block + (double)s->step / s->options->steps) / dehydra_all_blocks(s);
    return (done + train * pg_tuned_progress(state)) / (search + train);
}

static void dehydra_keep(void *state, pg_snapshot *snapshot)
{
    dehydra_state *s = state;
    const size_t dreams = (size_t)(s->images.count - s->labelled) * s->image;
    pg_tuned_keep(state, snapshot);
    PG_KEEP(snapshot, s->images.images + (size_t)s->labelled * s->image, dreams, "dreams");
    PG_KEEP(snapshot, s->a, BLOCK * s->image, "dreaming");
    PG_KEEP(snapshot, s->first, BLOCK * s->image, "first");
    PG_KEEP(snapshot, s->second, BLOCK * s->image, "second");
    PG_KEEP_IN(snapshot, &s->block, 0, dehydra_all_blocks(s), "block");
    PG_KEEP_IN(snapshot, &s->step, 0, s->options->steps - 1, "adam");
    PG_KEEP_IN(snapshot, &s->answered, 0, s->images.count, "answered");
}

static void dehydra_finish(void *state)
{
    dehydra_state *s = state;
    double *const arrays[] = {s->a, s->first, s->second, s->own, s->q};
    pg_trainer_destroy(&s->tuned.trainer);
    pg_model_destroy(&s->model);
    pg_model_destroy(&s->stolen);
    pg_picture_loss_close(&s->loss);
    pg_dataset_clear(&s->images);
    pg_free(s->statistics);
    pg_free(s->truth);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pg_free(arrays[i]);
}

const pg_attack pg_attack_dehydra = {
    .name = "dehydra",
    .summary = "let the network dream images of every class, then train it to be undecided about them",
    .source = "Dehydra, CCS 2024: the basic attack on black-box watermarks",
    .options = dehydra_table,
    .options_size = sizeof(dehydra_options),
    .state_size = sizeof(dehydra_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share", .shown = dehydra_shown},
    .check = dehydra_check,
    .start = dehydra_start,
    .step = dehydra_step,
    .progress = dehydra_progress,
    .keep = dehydra_keep,
    .finish = dehydra_finish,
};
