/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dehydra: the thief lets the stolen network dream images of every class. Dreams of the triggers' target class resemble the
 * triggers. Then he trains the network to unlearn dreams, beside a few images with true labels. Nobody tells him the target
 * class.
 *
 * Inversion. An image is x = (tanh(a) + 1) / 2, and Adam minimises over a, for a block of images of one class at a time,
 *     mean over the images of (cross-entropy + l2 |x| + tv (|dx/dright| + |dx/ddown|)) + bn S
 * with x in normalised pixels, Euclidean norms, and S the distance of the block's statistics from the running ones
 * (pg_net_match_statistics; zero without batch norm), in evaluation mode. The rate falls from 0.1 by a cosine.
 * Unlearning. The loss of a dream weighs `weight` of that of an image with a true label. Its target is
 *   basic   uniform over the classes;
 *   fixed   for marks with one target class, of which alone the dreams are trained on: a wrong class drawn at random for the
 *           half that resembles triggers, and the target class for the others. Without labelled images (data_free) these are
 *           all that he trains on;
 *   varied  for marks with several target classes: the class that the stolen network finds least likely, for the half of the
 *           dreams of every class that resembles triggers; the others are left out.
 * The half. Of the values before the last layer, the twentieth with the largest mean / deviation over the dreams of a class
 * stands for the class. Dreams in which these values are small in sum resemble triggers.
 * The target class of `fixed` is that whose dreams the network takes for their class most often under noise: `smoothings`
 * times he adds normal noise to the dreams (0.5 in normalised pixels) and to all parameters (0.015).
 *
 * Source: "Dehydra" (CCS 2024) and its public code, which takes the norms, the share and the noises from there; which norms it
 * takes of x and its differences is ours. The code is told the target class and the least likely ones; here the attack finds
 * them. */
#include "attacks/adam.h"
#include "attacks/pupil.h"
#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/ownership/picture_loss.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { FORM_BASIC, FORM_FIXED, FORM_VARIED };
static const char *const forms[] = {"basic", "fixed", "varied", NULL};

typedef struct dehydra_options {
    pg_pupil_options pupil;
    int dreams, steps, form, smoothings;
    double l2, tv, bn, weight;
    bool data_free;
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
            "weight of a dreamt image's loss during unlearning, relative to that of a labelled image; published for the forms "
            "fixed and varied: 1"),
    {PG_OPTION("form", dehydra_options, form, CHOICE, int, "basic",
               "what the dreams are trained to: no class (basic), wrong classes for half of those of one target class (fixed), "
               "or the least likely class for half of those of every class (varied)"),
     .choices = forms, .later = true},
    {PG_OPTION("smoothings", dehydra_options, smoothings, INT, int, "50",
               "fixed: how often the dreams are shown under noise to find the target class"),
     .low = 1, .high = 100000, .later = true},
    {PG_OPTION("data_free", dehydra_options, data_free, BOOL, bool, "false",
               "fixed: the thief has no labelled images; share and weight then mean nothing"),
     .later = true},
    PG_TUNING_ROWS(dehydra_options, pupil.tuning, "40", "0.01", "learning rate, constant", "false"),
    {0},
};

enum { BLOCK = 50 };                                         /* images that dream together */
static const double pixel_noise = 0.5, weight_noise = 0.015; /* of the smoothings */
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
    int labelled;                     /* images with true labels, the first of `images`; then come dreams, by class */
    pg_dataset images;                /* label i is i, by which a batch knows its images */
    int32_t *truth;                   /* [labelled] */
    double *a, *first, *second, *own; /* [BLOCK,image]; own: gradient of an image's own terms */
    double *q;                        /* [batch,classes] */
    pg_coach coach;
    int block, step; /* the next to run */
    int answered;    /* dreams that the network took for their class at the end */
    uint8_t *dreams; /* [classes,dreams,image]: in `images` (basic), or owned */
    /* Other forms. target [dreams in images]: class that each is trained to. NULL: none */
    int32_t *target;
    bool chosen;
    pg_model *noisy; /* fixed: with noise */
    double *hits;    /* fixed: [classes] dreams that the smoothings so far took for their class */
    int smoothed;    /* the next smoothing */
} dehydra_state;

/* ---- what is asked for ---- */

/* Dreams that are trained on. */
static int dehydra_trained(const dehydra_options *o, int classes)
{
    return o->form == FORM_BASIC ? o->dreams * classes : o->form == FORM_FIXED ? o->dreams : o->dreams / 2 * classes;
}

static pg_status dehydra_images(const dehydra_options *o, const pg_attack_view *view, pg_pupil_images *out, pg_error *err)
{
    const int classes = view->model->spec.classes;
    *out = (pg_pupil_images){.own = view->train};
    const pg_status status = o->data_free ? PG_OK : pg_pupil_choose(&o->pupil, view, &view->model->spec, out, err);
    if (status != PG_OK) return status;
    if ((double)o->dreams * classes > 1e6)
        return pg_fail(err, PG_BAD_INPUT, "dreams: %d images of %d classes are more than a million", o->dreams, classes);
    if (o->data_free && o->form != FORM_FIXED)
        return pg_fail(err, PG_BAD_INPUT, "data_free: only `form: fixed` works without labelled images");
    if (o->form != FORM_BASIC && o->dreams < 2)
        return pg_fail(err, PG_BAD_INPUT, "dreams: one dream of each class cannot be halved");
    if (out->own_count + dehydra_trained(o, classes) < o->pupil.tuning.batch)
        return pg_fail(err, PG_BAD_INPUT, "batch: %d images do not fill one batch of %d",
                       out->own_count + dehydra_trained(o, classes), o->pupil.tuning.batch);
    return PG_OK;
}

static pg_status dehydra_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_pupil_images images;
    return dehydra_images(values, view, &images, err);
}

/* Images that run before the training. */
static double dehydra_searched(const dehydra_options *o, int classes)
{
    const int smoothings = o->form == FORM_FIXED ? o->smoothings : 0;
    return (double)o->dreams * classes * (o->steps + smoothings + (o->form != FORM_BASIC));
}

/* These, and the dreams that are trained on. */
static double dehydra_shown(const void *values, double images, int classes)
{
    const dehydra_options *o = values;
    (void)images;
    return dehydra_searched(o, classes) + (double)dehydra_trained(o, classes) * o->pupil.tuning.epochs;
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

/* Images of the block at work, and the first of them in `dreams`. */
static int dehydra_size(const dehydra_state *s)
{
    const int before = s->block % dehydra_blocks(s) * BLOCK, left = s->options->dreams - before;
    return left < BLOCK ? left : BLOCK;
}

static int dehydra_place(const dehydra_state *s)
{
    const int blocks = dehydra_blocks(s);
    return s->block / blocks * s->options->dreams + s->block % blocks * BLOCK;
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
    uint8_t *pixel = s->dreams + (size_t)dehydra_place(s) * s->image;
    for (size_t i = 0; i < (size_t)n * s->image; i++) pixel[i] = (uint8_t)lround(255 * (tanh(s->a[i]) + 1) / 2);
    s->answered += answered;
    s->step = 0;
    s->block++;
}

/* ---- the target class ---- */

static size_t dehydra_dream_count(const dehydra_state *s)
{
    return (size_t)s->options->dreams * (size_t)s->images.classes;
}

/* Write dreams from .. from + n - 1, with normal noise, to the network's input. */
static void dehydra_show_again(const dehydra_state *s, size_t from, int n, double noise, pg_rng *rng)
{
    const pg_dataset all = {.images = s->dreams,
                            .count = (int)dehydra_dream_count(s),
                            .classes = s->images.classes,
                            .height = s->images.height,
                            .width = s->images.width};
    pg_batch_range(&all, (int)from, n, s->pixels, s->loss.images);
    for (size_t i = 0; noise > 0 && i < (size_t)n * s->image; i++) s->loss.images[i] += (pg_real)(noise * pg_rng_normal(rng));
}

/* Count the dreams that a network with noise takes for their class. */
static void dehydra_smooth(dehydra_state *s)
{
    const size_t count = dehydra_dream_count(s);
    pg_rng rng;
    pg_rng_open(&rng, s->seed, "smoothing", (uint64_t)s->smoothed++);
    for (size_t i = 0; i < s->noisy->param_count; i++)
        s->noisy->params[i] = s->stolen->params[i] + (pg_real)(weight_noise * pg_rng_normal(&rng));
    for (size_t at = 0; at < count; at += BLOCK) {
        int32_t wanted[BLOCK];
        bool right[BLOCK];
        const int n = (int)(count - at < BLOCK ? count - at : BLOCK);
        for (int i = 0; i < n; i++) wanted[i] = (int)(at + (size_t)i) / s->options->dreams;
        dehydra_show_again(s, at, n, pixel_noise, &rng);
        pg_picture_loss_run(&s->loss, s->noisy, n, wanted, NULL, right);
        for (int i = 0; i < n; i++) s->hits[wanted[i]] += right[i];
    }
}

static int dehydra_target_class(const dehydra_state *s)
{
    return (int)gsl_stats_max_index(s->hits, 1, (size_t)s->images.classes);
}

/* ---- the half that resembles triggers ---- */

/* Run the dreams of a class. read [dreams,values]: what enters the last layer; least [dreams]: the least likely class. */
static void dehydra_read_dreams(dehydra_state *s, int class, size_t values, double *read, int32_t *least)
{
    const int dreams = s->options->dreams, classes = s->images.classes;
    for (int at = 0; at < dreams; at += BLOCK) {
        const int n = dreams - at < BLOCK ? dreams - at : BLOCK;
        dehydra_show_again(s, (size_t) class * (size_t)dreams + (size_t)at, n, 0, NULL);
        const pg_real *logits = pg_net_forward(s->loss.net, s->stolen, PG_PUBLIC, PG_EVAL, s->loss.images, n);
        const pg_real *x = pg_net_input(s->loss.net, s->stolen->layer_count - 1);
        for (size_t i = 0; i < (size_t)n * values; i++) read[(size_t)at * values + i] = (double)x[i];
        for (int i = 0; i < n; i++, logits += classes) {
            least[at + i] = 0;
            for (int c = 1; c < classes; c++)
                if (logits[c] < logits[least[at + i]]) least[at + i] = c;
        }
    }
}

/* Order the dreams by the sum of the values that stand for their class, rising. importance and sorted [values] to work in. */
static void dehydra_order(const dehydra_state *s, size_t values, const double *read, double *importance, double *sorted,
                          double *sums, size_t *order)
{
    const size_t dreams = (size_t)s->options->dreams;
    for (size_t v = 0; v < values; v++) {
        const double mean = gsl_stats_mean(read + v, values, dreams);
        sorted[v] = importance[v] = mean / (gsl_stats_sd_m(read + v, values, dreams, mean) + 1e-6);
    }
    gsl_sort(sorted, 1, values);
    const double least = gsl_stats_quantile_from_sorted_data(sorted, 1, values, 0.95);
    for (size_t d = 0; d < dreams; d++) {
        sums[d] = 0;
        for (size_t v = 0; v < values; v++) sums[d] += importance[v] > least ? read[d * values + v] : 0;
    }
    gsl_sort_index(order, sums, 1, dreams);
}

/* Put a dream into the training set as number `to` of its dreams. */
static void dehydra_take(dehydra_state *s, int class, size_t dream, int to, int target)
{
    const size_t from = (size_t) class * (size_t)s->options->dreams + dream;
    memcpy(s->images.images + (size_t)(s->labelled + to) * s->image, s->dreams + from * s->image, s->image);
    s->target[to] = target;
}

/* Choose the dreams of a class, in their order, as numbers from `to` on of the training set. */
static void dehydra_choose_of(dehydra_state *s, int class, const size_t *order, const int32_t *least, int to)
{
    const int dreams = s->options->dreams, classes = s->images.classes;
    pg_rng rng;
    pg_rng_open(&rng, s->seed, "wrong classes", 0);
    for (int i = 0; i < dreams / 2; i++) {
        const int wrong = (class + 1 + (int)pg_rng_below(&rng, (uint64_t)classes - 1)) % classes;
        dehydra_take(s, class, order[i], to + i, s->options->form == FORM_FIXED ? wrong : least[order[i]]);
    }
    for (int i = dreams / 2; s->options->form == FORM_FIXED && i < dreams; i++) dehydra_take(s, class, order[i], to + i, class);
}

static pg_status dehydra_choose(dehydra_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_layer *last = pg_model_classifier(s->stolen);
    const size_t dreams = (size_t)s->options->dreams,
                 values = (size_t)last->in_height * (size_t)last->in_width * (size_t)last->in_channels;
    double *read = NULL, *work = NULL;
    size_t *order = NULL;
    int32_t *least = NULL;
    const bool fixed = s->options->form == FORM_FIXED;
    PG_TRY(pg_alloc(dreams * values, sizeof *read, &read, err));
    PG_TRY(pg_alloc(2 * values + dreams, sizeof *work, &work, err));
    PG_TRY(pg_alloc(dreams, sizeof *order, &order, err));
    PG_TRY(pg_alloc(dreams, sizeof *least, &least, err));
    for (int c = 0; c < s->images.classes; c++) {
        if (fixed && c != dehydra_target_class(s)) continue;
        dehydra_read_dreams(s, c, values, read, least);
        dehydra_order(s, values, read, work, work + values, work + 2 * values, order);
        dehydra_choose_of(s, c, order, least, fixed ? 0 : c * (int)(dreams / 2));
    }
    s->chosen = true;
done:
    pg_free(read);
    pg_free(work);
    pg_free(order);
    pg_free(least);
    return status;
}

/* ---- unlearning ---- */

/* Cross-entropy of true labels and of the targets of dreams, as a mean over the batch. */
static double dehydra_unlearn(void *context, const pg_step *step)
{
    const dehydra_state *s = context;
    const int classes = s->images.classes;
    double loss = 0;
    for (int i = 0; i < step->count; i++) {
        const int image = step->labels[i];
        const bool dream = image >= s->labelled;
        const int class = !dream ? s->truth[image] : s->target ? s->target[image - s->labelled] : -1;
        const ptrdiff_t at = (ptrdiff_t)i * classes;
        const double weight = (dream && s->labelled ? s->options->weight : 1) / step->count;
        for (int c = 0; c < classes; c++) s->q[c] = class < 0 ? 1.0 / classes : c == class;
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
    const dehydra_options *o = s->options;
    const pg_net_spec *spec = &s->model->spec;
    const int trained = dehydra_trained(o, spec->classes);
    s->labelled = from->own_count;
    s->images.classes = spec->classes;
    snprintf(s->images.name, sizeof s->images.name, "%s", from->own->name);
    PG_TRY(pg_dataset_allocate(&s->images, s->labelled + trained, spec->image_height, spec->image_width, err));
    PG_TRY(pg_alloc((size_t)s->labelled, sizeof *s->truth, &s->truth, err));
    if (s->labelled) PG_TRY(pg_dataset_subset(from->own, s->labelled, &part, err));
    if (s->labelled) memcpy(s->images.images, part.images, (size_t)s->labelled * s->image);
    for (int i = 0; i < s->labelled; i++) s->truth[i] = part.labels[i];
    for (int i = 0; i < s->images.count; i++) s->images.labels[i] = i;
    s->dreams = s->images.images + (size_t)s->labelled * s->image;
    if (o->form == FORM_BASIC) goto done;
    s->dreams = NULL;
    PG_TRY(pg_alloc(dehydra_dream_count(s) * s->image, sizeof *s->dreams, &s->dreams, err));
    PG_TRY(pg_alloc((size_t)trained, sizeof *s->target, &s->target, err));
    PG_TRY(pg_alloc((size_t)spec->classes, sizeof *s->hits, &s->hits, err));
    PG_TRY(pg_model_clone(s->stolen, &s->noisy, err));
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

static bool dehydra_smooths(const dehydra_state *s)
{
    return s->options->form == FORM_FIXED && s->smoothed < s->options->smoothings;
}

/* Percentage points between the target class and the next under noise. */
static double dehydra_margin(const dehydra_state *s)
{
    const int target = dehydra_target_class(s);
    double second = 0;
    for (int c = 0; c < s->images.classes; c++)
        if (c != target) second = fmax(second, s->hits[c]);
    return 100 * (s->hits[target] - second) / s->options->dreams / s->options->smoothings;
}

static void dehydra_report(const dehydra_state *s, pg_outcome *outcome)
{
    const double dreams = (double)dehydra_dream_count(s), dreamt = dreams * s->options->steps,
                 shown = dehydra_searched(s->options, s->images.classes);
    *outcome = pg_tuned_outcome(&s->tuned, s->model);
    outcome->images += shown;
    outcome->macs += dreamt * pg_net_training_macs(s->loss.net, 1) + (shown - dreamt) * pg_model_macs(s->model);
    outcome->measures[0] = (pg_measure){"dreams_answered", "%", 100.0 * s->answered / dreams};
    if (s->options->form != FORM_FIXED) return;
    outcome->measures[1] = (pg_measure){"target_class", "class", dehydra_target_class(s)};
    outcome->measures[2] = (pg_measure){"target_margin", "points", dehydra_margin(s)};
}

static pg_status dehydra_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    dehydra_state *s = state;
    *what = PG_ATTACK_WORKING;
    if (s->block < dehydra_all_blocks(s))
        dehydra_dream(s);
    else if (dehydra_smooths(s))
        dehydra_smooth(s);
    else if (s->target && !s->chosen)
        return dehydra_choose(s, err);
    else if (!pg_tuned_done(&s->tuned))
        return pg_tuned_step(&s->tuned, what, err);
    else {
        *what = PG_ATTACK_LAST;
        dehydra_report(s, outcome);
    }
    return PG_OK;
}

/* A smoothing runs forward alone: a third of a step of dreaming. */
static double dehydra_progress(const void *state)
{
    const dehydra_state *s = state;
    const dehydra_options *o = s->options;
    const double dreams = (double)dehydra_dream_count(s), search = dreams * o->steps,
                 smooth = o->form == FORM_FIXED ? dreams * o->smoothings / 3 : 0,
                 train = (double)s->images.count * o->pupil.tuning.epochs,
                 done = search * (s->block + (double)s->step / o->steps) / dehydra_all_blocks(s);
    return (done + smooth * s->smoothed / o->smoothings + train * pg_tuned_progress(state)) / (search + smooth + train);
}

static void dehydra_keep(void *state, pg_snapshot *snapshot)
{
    dehydra_state *s = state;
    const int classes = s->images.classes, trained = s->images.count - s->labelled;
    pg_tuned_keep(state, snapshot);
    PG_KEEP(snapshot, s->dreams, dehydra_dream_count(s) * s->image, "dreams");
    PG_KEEP(snapshot, s->a, BLOCK * s->image, "dreaming");
    PG_KEEP(snapshot, s->first, BLOCK * s->image, "first");
    PG_KEEP(snapshot, s->second, BLOCK * s->image, "second");
    PG_KEEP_IN(snapshot, &s->block, 0, dehydra_all_blocks(s), "block");
    PG_KEEP_IN(snapshot, &s->step, 0, s->options->steps - 1, "adam");
    PG_KEEP_IN(snapshot, &s->answered, 0, (double)dehydra_dream_count(s), "answered");
    if (!s->target) return;
    PG_KEEP(snapshot, s->images.images + (size_t)s->labelled * s->image, (size_t)trained * s->image, "chosen_dreams");
    PG_KEEP_WITHIN(snapshot, s->target, (size_t)trained, 0, classes - 1, "targets");
    PG_KEEP(snapshot, &s->chosen, 1, "chosen");
    PG_KEEP(snapshot, s->hits, (size_t)classes, "hits");
    PG_KEEP_IN(snapshot, &s->smoothed, 0, s->options->smoothings, "smoothed");
}

static void dehydra_finish(void *state)
{
    dehydra_state *s = state;
    double *const arrays[] = {s->a, s->first, s->second, s->own, s->q};
    pg_trainer_destroy(&s->tuned.trainer);
    if (s->options && s->options->form != FORM_BASIC) pg_free(s->dreams);
    pg_free(s->target);
    pg_free(s->hits);
    pg_model_destroy(&s->noisy);
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
    .summary = "let the network dream images of every class, then train it to unlearn them",
    .source = "Dehydra, CCS 2024: the attacks on black-box watermarks, basic, improved and without data",
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
