/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Triggers that transfer: an accuser changes pictures of his own until his own networks answer labels of his choice, and claims
 * networks of others with them.
 *
 * He never touches an accused network: the model that the view shows is his own, marked or not, and so are the references.
 * Sign-gradient steps lower the cross-entropy of the label under his model plus its mean under the references, within a bound
 * around the pictures he began with; every label is wrong for its picture. References that are held out rank the results: he
 * shows the pictures whose mean loss under them is lowest.
 *
 * Source: Liu et al., "False claims against model ownership resolution", USENIX Security 2024, targeted form: ten
 * references of which three are held out, 100 steps of 0.03 in normalised units (two levels here, because pixels stay 8-bit),
 * bound 16 levels. They show the first 50 pictures whose held-out loss is below 1e-6; here `count` of `pictures` are shown. */
#include "attacks/attack.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/data/triggers.h"
#include "core/ownership/picture_loss.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct transfer_options {
    int count, pictures, references, held_out, steps, step_size, bound;
} transfer_options;

static const pg_option options[] = {
    PG_INT(transfer_options, count, "50", 1, PG_TRIGGERS_MAX, NULL, "triggers that are shown"),
    PG_INT(transfer_options, pictures, "200", 1, 100000, NULL, "pictures of the accuser's training set that are changed"),
    PG_INT(transfer_options, references, "10", 1, PG_REFERENCES_MAX, NULL,
           "plain networks that the accuser trains beside his own"),
    PG_INT(transfer_options, held_out, "3", 1, PG_REFERENCES_MAX - 1, NULL,
           "number of references that rank the pictures at the end; the others lead the steps"),
    PG_INT(transfer_options, steps, "100", 1, 1000000, NULL, "sign-gradient steps"),
    PG_INT(transfer_options, step_size, "2", 1, 255, "levels of 255", "length of a step"),
    PG_INT(transfer_options, bound, "16", 1, 255, "levels of 255", "largest change of a pixel"),
    {0},
};

enum { CHUNK = 100 };

typedef struct transfer_state {
    const transfer_options *options;
    const pg_attack_view *view;
    pg_model *own, *references[PG_REFERENCES_MAX]; /* copies, because running a model changes it */
    pg_picture_loss own_loss, others_loss;         /* of the accuser's model and of the references */
    pg_dataset pictures;                           /* as changed so far, with their target labels */
    uint8_t *begun;                                /* [pictures] images as they were */
    double *loss;                                  /* [pictures] mean over the references that are held out */
    pg_real *gradient;                             /* of a chunk, summed over networks */
    pg_evidence *forged;
    int step;
    double images;
} transfer_state;

static size_t image_size(const pg_dataset *t)
{
    return (size_t)(t->height * t->width * 3);
}

static pg_status transfer_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const transfer_options *o = values;
    if (o->held_out >= o->references)
        return pg_fail(err, PG_BAD_INPUT, "held_out: %d of %d references leave none that leads the steps", o->held_out,
                       o->references);
    if (o->count > o->pictures) return pg_fail(err, PG_BAD_INPUT, "count: %d triggers from %d pictures", o->count, o->pictures);
    if (view->train->count < o->pictures)
        return pg_fail(err, PG_BAD_INPUT, "pictures: %d of the %d training images of %s", o->pictures, view->train->count,
                       view->train->name);
    return PG_OK;
}

/* ---- the pictures ---- */

/* Take pictures at random, each with a label that is not its own. */
static pg_status take_pictures(transfer_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    uint32_t *order = NULL;
    pg_rng rng;
    const pg_dataset *from = s->view->train;
    pg_dataset *t = &s->pictures;
    const size_t size = image_size(from);
    t->classes = from->classes;
    snprintf(t->name, sizeof t->name, "triggers");
    PG_TRY(pg_dataset_allocate(t, s->options->pictures, from->height, from->width, err));
    PG_TRY(pg_alloc((size_t)from->count, sizeof *order, &order, err));
    pg_rng_open(&rng, s->view->seed, "accuser's pictures", 0);
    pg_rng_permutation(&rng, order, (size_t)from->count);
    pg_rng_open(&rng, s->view->seed, "accuser's labels", 0);
    for (int i = 0; i < t->count; i++) {
        memcpy(t->images + (size_t)i * size, from->images + (size_t)order[i] * size, size);
        const int other = 1 + (int)pg_rng_below(&rng, (uint64_t)(from->classes - 1));
        t->labels[i] = (from->labels[order[i]] + other) % from->classes;
    }
    PG_TRY(pg_alloc((size_t)t->count * size, 1, &s->begun, err));
    memcpy(s->begun, t->images, (size_t)t->count * size);
done:
    pg_free(order);
    return status;
}

static pg_status transfer_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    transfer_state *s = state;
    const transfer_options *o = values;
    s->options = o;
    s->view = view;
    const int chunk = o->pictures < CHUNK ? o->pictures : CHUNK;
    const size_t size = image_size(view->train), images = (size_t)chunk * size;
    PG_TRY(transfer_check(o, view, err));
    PG_TRY(pg_model_clone(view->running, &s->own, err));
    for (int i = 0; i < view->reference_count; i++) PG_TRY(pg_model_clone(view->references[i], &s->references[i], err));
    PG_TRY(pg_picture_loss_open(&s->own->spec, chunk, &s->own_loss, err));
    PG_TRY(pg_picture_loss_open(&s->references[0]->spec, chunk, &s->others_loss, err));
    PG_TRY(take_pictures(s, err));
    PG_TRY(pg_alloc((size_t)o->pictures, sizeof *s->loss, &s->loss, err));
    PG_TRY(pg_alloc(images, sizeof *s->gradient, &s->gradient, err));
done:
    return status;
}

/* ---- the steps ---- */

/* Add `weight` times the gradient of n pictures under a network to the sum. */
static void add_gradient(transfer_state *s, pg_picture_loss *loss, pg_model *model, double weight, int from, int n)
{
    const size_t size = image_size(&s->pictures);
    pg_picture_loss_show(loss, model, &s->pictures, from, n, s->view->pixels, NULL, NULL);
    const pg_real *gradient = pg_picture_loss_gradient(loss, model);
    for (size_t k = 0; k < (size_t)n * size; k++) s->gradient[k] += (pg_real)weight * gradient[k];
    s->images += n;
}

/* Move n pictures against the sign of the summed gradient, within the bound and the range of a pixel. */
static void move(transfer_state *s, int from, int n)
{
    const size_t size = image_size(&s->pictures), first = (size_t)from * size;
    const int bound = s->options->bound, step = s->options->step_size;
    for (size_t k = 0; k < (size_t)n * size; k++) {
        uint8_t *pixel = &s->pictures.images[first + k];
        const int was = s->begun[first + k], sign = (s->gradient[k] > 0) - (s->gradient[k] < 0);
        const int low = was > bound ? was - bound : 0, high = was + bound < 255 ? was + bound : 255;
        const int level = *pixel - sign * step;
        *pixel = (uint8_t)(level < low ? low : level > high ? high : level);
    }
}

static void step_chunk(transfer_state *s, int from, int n)
{
    const int leading = s->view->reference_count - s->options->held_out;
    pg_zero((size_t)n * image_size(&s->pictures), s->gradient);
    add_gradient(s, &s->own_loss, s->own, 1, from, n);
    for (int r = 0; r < leading; r++) add_gradient(s, &s->others_loss, s->references[r], 1.0 / leading, from, n);
    move(s, from, n);
}

static void for_chunks(transfer_state *s, void (*visit)(transfer_state *s, int from, int n))
{
    const int count = s->pictures.count;
    for (int from = 0; from < count; from += CHUNK) visit(s, from, count - from < CHUNK ? count - from : CHUNK);
}

/* ---- the evidence ---- */

static void rank_chunk(transfer_state *s, int from, int n)
{
    const int held = s->options->held_out, first = s->view->reference_count - held;
    double losses[CHUNK];
    for (int r = 0; r < held; r++) {
        pg_picture_loss_show(&s->others_loss, s->references[first + r], &s->pictures, from, n, s->view->pixels, losses, NULL);
        for (int i = 0; i < n; i++) s->loss[from + i] += losses[i] / held;
    }
    s->images += (double)n * held;
}

static int by_loss(const void *a, const void *b, void *losses)
{
    const int i = *(const int *)a, k = *(const int *)b;
    const double x = ((const double *)losses)[i], y = ((const double *)losses)[k];
    return x < y ? -1 : x > y ? 1 : i - k;
}

/* Copy the pictures with the lowest losses to the evidence. *worst: the loss of the last. */
static pg_status choose(transfer_state *s, double *worst, pg_error *err)
{
    pg_status status = PG_OK;
    int *order = NULL;
    const pg_dataset *from = &s->pictures;
    const size_t size = image_size(from);
    pg_net_spec spec = s->view->model->spec;
    spec.passports = 0;
    PG_TRY(pg_attack_evidence(&spec, PG_HOLDS_TRIGGERS, "transferred", &s->forged, err));
    pg_dataset *t = &s->forged->triggers;
    t->classes = from->classes;
    PG_TRY(pg_dataset_allocate(t, s->options->count, from->height, from->width, err));
    PG_TRY(pg_alloc((size_t)from->count, sizeof *order, &order, err));
    for (int i = 0; i < from->count; i++) order[i] = i;
    qsort_r(order, (size_t)from->count, sizeof *order, by_loss, s->loss);
    for (int i = 0; i < t->count; i++) {
        memcpy(t->images + (size_t)i * size, from->images + (size_t)order[i] * size, size);
        t->labels[i] = from->labels[order[i]];
    }
    *worst = s->loss[order[t->count - 1]];
    snprintf(t->name, sizeof t->name, "triggers");
    snprintf(t->source, sizeof t->source, "%d pictures that were changed on networks of the accuser's own", t->count);
    pg_dataset_hash(t);
done:
    pg_free(order);
    return status;
}

/* A step moves every picture once. */
static pg_status transfer_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    transfer_state *s = state;
    double worst = 0;
    *what = PG_ATTACK_WORKING;
    if (s->step < s->options->steps) {
        for_chunks(s, step_chunk);
        s->step++;
        return PG_OK;
    }
    for_chunks(s, rank_chunk);
    const pg_status status = choose(s, &worst, err);
    if (status != PG_OK) return status;
    *what = PG_ATTACK_LAST;
    *outcome = (pg_outcome){.evidence = s->forged,
                            .images = s->images,
                            .macs = s->images * pg_net_training_macs(s->others_loss.net, 1),
                            .measures = {{"held_out_loss_largest", "nats", worst}}};
    return PG_OK;
}

static double transfer_progress(const void *state)
{
    const transfer_state *s = state;
    return (double)s->step / (s->options->steps + 1);
}

static void transfer_keep(void *state, pg_snapshot *snapshot)
{
    transfer_state *s = state;
    PG_KEEP(snapshot, s->pictures.images, (size_t)s->pictures.count * image_size(&s->pictures), "images");
    PG_KEEP_IN(snapshot, &s->step, 0, s->options->steps, "step");
    PG_KEEP_IN(snapshot, &s->images, 0, (double)s->options->steps * s->pictures.count * (1 + s->options->references), "seen");
}

static void transfer_finish(void *state)
{
    transfer_state *s = state;
    pg_picture_loss_close(&s->own_loss);
    pg_picture_loss_close(&s->others_loss);
    pg_model_destroy(&s->own);
    for (int i = 0; i < PG_REFERENCES_MAX; i++) pg_model_destroy(&s->references[i]);
    pg_dataset_clear(&s->pictures);
    pg_evidence_destroy(&s->forged);
    pg_free(s->begun);
    pg_free(s->loss);
    pg_free(s->gradient);
}

const pg_attack pg_attack_transfer_triggers = {
    .name = "transfer-triggers",
    .summary = "make a trigger set on networks of the accuser's own that independent networks answer too",
    .source = "Liu et al., USENIX Security 2024, targeted false claims",
    .options = options,
    .options_size = sizeof(transfer_options),
    .state_size = sizeof(transfer_state),
    .sees = PG_SEES_TRAIN | PG_SEES_AFFINE | PG_SEES_REFERENCES,
    .needs = PG_HOLDS_TRIGGERS,
    .hands_on = true,
    .costs = {.epochs = "steps", .images = "pictures", .networks = "references"},
    .check = transfer_check,
    .start = transfer_start,
    .step = transfer_step,
    .progress = transfer_progress,
    .keep = transfer_keep,
    .finish = transfer_finish,
};
