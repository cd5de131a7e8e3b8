/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A counterfeit trigger set: pictures of the forger's own with labels drawn at random, changed by sign-gradient steps until the
 * stolen model, which stays as it is, answers them all. Evaluation mode; pixels stay 8-bit levels, so a step is one level.
 *
 * Free, or within a bound of the pictures that the forger began with, so that they look natural. Source: the ambiguity attack
 * on trigger sets in Fan, Ng, Chan, NeurIPS 2019; the procedure is derived (iterated sign gradients, Kurakin et al., 2017). */
#include "attacks/attack.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/data/triggers.h"
#include "core/ownership/picture_loss.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FROM_GENERATED, FROM_NOISE, FROM_PICTURES };
enum { CHUNK = 100 };
static const char *const origins[] = {"generated", "noise", "pictures", NULL};

typedef struct counterfeit_options {
    int start, count, bound, steps;
} counterfeit_options;

static const pg_option options[] = {
    PG_CHOICE(counterfeit_options, start, "generated", origins,
              "start of the triggers: generated abstract images, noise, or public pictures of the data set's kind"),
    PG_INT(counterfeit_options, count, "100", 1, PG_TRIGGERS_MAX, NULL, "triggers"),
    PG_INT(counterfeit_options, bound, "0", 0, 255, "levels of 255",
           "largest change of a pixel, 8 for triggers that look natural; 0: any"),
    PG_INT(counterfeit_options, steps, "500", 1, 1000000, NULL, "largest number of sign-gradient steps"),
    {0},
};

typedef struct counterfeit_state {
    const counterfeit_options *options;
    const pg_attack_view *view;
    pg_model *model;
    pg_picture_loss loss;
    pg_evidence *forged;
    uint8_t *begun; /* the pictures as they were */
    int step;
    double images;
    bool right; /* the model answers every trigger as labelled */
} counterfeit_state;

static size_t counterfeit_triggers_image_size(const pg_dataset *t)
{
    return (size_t)(t->height * t->width * 3);
}

/* ---- the first triggers ---- */

static void counterfeit_triggers_fill_noise(pg_dataset *t, pg_rng *rng)
{
    for (size_t i = 0; i < (size_t)t->count * counterfeit_triggers_image_size(t); i++)
        t->images[i] = (uint8_t)pg_rng_below(rng, 256);
}

static pg_status counterfeit_triggers_copy_pictures(const pg_dataset *from, pg_dataset *t, pg_rng *rng, pg_error *err)
{
    uint32_t *order = NULL;
    const pg_status status = pg_alloc((size_t)from->count, sizeof *order, &order, err);
    if (status != PG_OK) return status;
    pg_rng_permutation(rng, order, (size_t)from->count);
    for (int i = 0; i < t->count; i++)
        memcpy(t->images + (size_t)i * counterfeit_triggers_image_size(t),
               from->images + (size_t)order[i] * counterfeit_triggers_image_size(t), counterfeit_triggers_image_size(t));
    pg_free(order);
    return PG_OK;
}

static pg_status counterfeit_triggers_begin(const counterfeit_options *o, const pg_attack_view *view, pg_dataset *t,
                                            pg_error *err)
{
    pg_status status = PG_OK;
    pg_rng rng;
    const pg_net_spec *spec = &view->model->spec;
    if (o->start == FROM_GENERATED)
        return pg_triggers_generate(o->count, spec->image_height, spec->classes, view->seed, t, err);
    t->classes = spec->classes;
    PG_TRY(pg_dataset_allocate(t, o->count, spec->image_height, spec->image_width, err));
    pg_rng_open(&rng, view->seed, "forged pictures", 0);
    if (o->start == FROM_NOISE)
        counterfeit_triggers_fill_noise(t, &rng);
    else
        PG_TRY(counterfeit_triggers_copy_pictures(view->pictures, t, &rng, err));
    pg_rng_open(&rng, view->seed, "forged labels", 0);
    for (int i = 0; i < t->count; i++) t->labels[i] = (int32_t)pg_rng_below(&rng, (uint64_t)t->classes);
    snprintf(t->name, sizeof t->name, "triggers");
done:
    return status;
}

static pg_status counterfeit_triggers_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const counterfeit_options *o = values;
    const pg_net_spec *spec = &view->model->spec;
    pg_dataset shape;
    if (o->start == FROM_PICTURES && view->pictures->count < o->count)
        return pg_fail(err, PG_BAD_INPUT, "count: %d triggers from the %d pictures of %s", o->count, view->pictures->count,
                       view->pictures->name);
    if (o->start != FROM_GENERATED) return PG_OK;
    const pg_status status = pg_triggers_make("generated", o->count, spec->image_height, spec->classes, NULL, &shape, err);
    return status == PG_OK ? pg_dataset_fits(&shape, spec->image_height, spec->image_width, spec->classes, err) : status;
}

static pg_status counterfeit_triggers_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    counterfeit_state *s = state;
    const counterfeit_options *o = values;
    s->options = o;
    s->view = view;
    pg_net_spec spec = view->model->spec;
    const int chunk = o->count < CHUNK ? o->count : CHUNK;
    PG_TRY(counterfeit_triggers_check(o, view, err));
    PG_TRY(pg_model_clone(view->model, &s->model, err));
    PG_TRY(pg_picture_loss_open(&spec, chunk, &s->loss, err));
    spec.passports = 0;
    PG_TRY(pg_attack_evidence(&spec, PG_HOLDS_TRIGGERS, origins[o->start], &s->forged, err));
    pg_dataset *t = &s->forged->triggers;
    PG_TRY(counterfeit_triggers_begin(o, view, t, err));
    PG_TRY(pg_alloc((size_t)t->count * counterfeit_triggers_image_size(t), 1, &s->begun, err));
    memcpy(s->begun, t->images, (size_t)t->count * counterfeit_triggers_image_size(t));
done:
    return status;
}

/* ---- the steps ---- */

/* One level against the sign of the gradient, within the bound and the range of a pixel. */
static void counterfeit_triggers_move_image(const counterfeit_state *s, int image, const pg_real *gradient)
{
    const pg_dataset *t = &s->forged->triggers;
    const size_t first = (size_t)image * counterfeit_triggers_image_size(t);
    const int bound = s->options->bound ? s->options->bound : 255;
    for (size_t i = 0; i < counterfeit_triggers_image_size(t); i++) {
        const int was = s->begun[first + i], level = t->images[first + i] - (gradient[i] > 0) + (gradient[i] < 0);
        if (level >= 0 && level <= 255 && abs(level - was) <= bound) t->images[first + i] = (uint8_t)level;
    }
}

/* Move those of n triggers that are answered wrongly; true if none is. */
static bool counterfeit_triggers_move_chunk(counterfeit_state *s, int from, int n)
{
    const pg_dataset *t = &s->forged->triggers;
    bool all = true, right[CHUNK];
    pg_picture_loss_show(&s->loss, s->model, t, from, n, s->view->pixels, NULL, right);
    for (int i = 0; i < n; i++) all &= right[i];
    s->images += n;
    if (all) return true;
    const pg_real *gradient = pg_picture_loss_gradient(&s->loss, s->model);
    for (int i = 0; i < n; i++)
        if (!right[i]) counterfeit_triggers_move_image(s, from + i, gradient + (size_t)i * counterfeit_triggers_image_size(t));
    return false;
}

static pg_outcome counterfeit_triggers_outcome_of(counterfeit_state *s)
{
    pg_dataset *t = &s->forged->triggers;
    const size_t n = (size_t)t->count * counterfeit_triggers_image_size(t);
    int largest = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int moved = abs(t->images[i] - s->begun[i]);
        if (moved > largest) largest = moved;
        sum += moved;
    }
    snprintf(t->source, sizeof t->source, "%d forged triggers that began as %s", t->count, origins[s->options->start]);
    pg_dataset_hash(t);
    return (pg_outcome){.evidence = s->forged,
                        .images = s->images,
                        .macs = s->images * pg_net_training_macs(s->loss.net, 1),
                        .measures = {{"perturbation_largest", "levels", largest},
                                     {"perturbation_mean", "levels", sum / (double)n},
                                     {"iterations", "steps", s->step}}};
}

/* A step looks at every trigger once. */
static pg_status counterfeit_triggers_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    (void)err;
    counterfeit_state *s = state;
    const int count = s->forged->triggers.count;
    if (!s->right && s->step < s->options->steps) {
        s->right = true;
        for (int from = 0; from < count; from += CHUNK)
            s->right &= counterfeit_triggers_move_chunk(s, from, count - from < CHUNK ? count - from : CHUNK);
        s->step++;
        *what = PG_ATTACK_WORKING;
        return PG_OK;
    }
    *outcome = counterfeit_triggers_outcome_of(s);
    *what = PG_ATTACK_LAST;
    return PG_OK;
}

static double counterfeit_triggers_progress(const void *state)
{
    const counterfeit_state *s = state;
    return (double)s->step / (s->options->steps + 1);
}

/* Each step trains on every trigger once: the pixels in place of the weights. */
static void counterfeit_triggers_keep(void *state, pg_snapshot *snapshot)
{
    counterfeit_state *s = state;
    const pg_dataset *t = &s->forged->triggers;
    PG_KEEP(snapshot, t->images, (size_t)t->count * counterfeit_triggers_image_size(t), "images");
    PG_KEEP_IN(snapshot, &s->step, 0, s->options->steps, "step");
    PG_KEEP_IN(snapshot, &s->images, 0, (double)s->options->steps * t->count, "seen");
    PG_KEEP(snapshot, &s->right, 1, "right");
}

static void counterfeit_triggers_finish(void *state)
{
    counterfeit_state *s = state;
    pg_picture_loss_close(&s->loss);
    pg_model_destroy(&s->model);
    pg_evidence_destroy(&s->forged);
    pg_free(s->begun);
}

const pg_attack pg_attack_counterfeit_triggers = {
    .name = "counterfeit-triggers",
    .summary = "forge a trigger set that the stolen model answers as well as the owner's",
    .source = "Fan, Ng, Chan, NeurIPS 2019, ambiguity of trigger sets; the procedure is derived",
    .options = options,
    .options_size = sizeof(counterfeit_options),
    .state_size = sizeof(counterfeit_state),
    .needs = PG_HOLDS_TRIGGERS,
    .hands_on = true,
    .costs = {.epochs = "steps", .images = "count"},
    .check = counterfeit_triggers_check,
    .start = counterfeit_triggers_start,
    .step = counterfeit_triggers_step,
    .progress = counterfeit_triggers_progress,
    .keep = counterfeit_triggers_keep,
    .finish = counterfeit_triggers_finish,
};
