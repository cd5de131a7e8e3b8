/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WRK: the thief moves copies of a few images across the decision boundary, keeps their true labels, draws the last layer anew,
 * and trains with a penalty that turns it away from the old one. The loss is
 *     cross-entropy + alpha <W, W of the stolen network>
 * with W the weights of the last layer; the rate falls to zero by a cosine. Sign-gradient steps move a copy towards a class
 * drawn at random until the stolen network answers that class.
 *
 * Source: the class-feature watermark paper of 2025 (arXiv 2511.07947) and its public code, wrk.py. The steps that move a copy
 * are ours; the code has a strength of 1 to 3, whose unit is UNVERIFIED. */
#include "attacks/pupil.h"
#include "core/base/memory.h"
#include "core/ownership/picture_loss.h"

#include <stddef.h>
#include <string.h>

typedef struct wrk_options {
    pg_pupil_options pupil;
    int step, steps;
    double alpha;
} wrk_options;

static const pg_option wrk_table[] = {
    PG_PUPIL_IMAGES(wrk_options, "5"),
    PG_PUPIL_LABELS(wrk_options, "true"),
    PG_INT(wrk_options, step, "2", 1, 255, "levels of 255", "change of every pixel in a step towards another class"),
    PG_INT(wrk_options, steps, "10", 0, 10000, NULL, "largest number of these steps; 0: the copies stay as they are"),
    PG_REAL(wrk_options, alpha, "0.05", 0, 1000, NULL, "weight of the penalty; published: 0.01 to 0.1"),
    PG_TUNING_ROWS(wrk_options, pupil.tuning, "10", "0.001", "learning rate at the start", "false"),
    {0},
};

enum { CHUNK = 64 };

typedef struct wrk_state {
    pg_pupil pupil;
    const wrk_options *options;
    const pg_attack_view *view;
    pg_real *old; /* weights of the last layer of the stolen network */
    size_t old_count;
    double moved, shown; /* copies that crossed the boundary; images shown to move them */
} wrk_state;

static pg_status wrk_images(const wrk_options *o, const pg_attack_view *view, pg_pupil_images *out, pg_error *err)
{
    const pg_status status = pg_pupil_choose(&o->pupil, view, &view->model->spec, out, err);
    out->doublings = 1;
    return status;
}

static pg_status wrk_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_pupil_images images;
    return wrk_images(values, view, &images, err);
}

/* Images that run to move the copies, and the copies that are trained on. */
static double wrk_shown(const void *values, double images, int classes)
{
    const wrk_options *o = values;
    (void)classes;
    return images * (o->steps + o->pupil.tuning.epochs);
}

/* ---- copies across the boundary ---- */

/* Draw a class other than its own for every copy: labels of `copies`. */
static void wrk_choose_classes(const wrk_state *s, pg_dataset *copies)
{
    pg_rng rng;
    const int classes = copies->classes, first = s->pupil.images.count / 2;
    pg_rng_open(&rng, s->view->seed, "other classes", 0);
    for (int i = 0; i < copies->count; i++) {
        const int other = (int)pg_rng_below(&rng, (uint64_t)classes - 1);
        copies->labels[i] = other + (other >= pg_pupil_class(&s->pupil, first + i));
    }
}

/* Move n copies from `from` on. A copy that has crossed the boundary stays. */
static void wrk_move_chunk(wrk_state *s, pg_picture_loss *loss, pg_dataset *copies, int from, int n)
{
    const size_t size = (size_t)(copies->height * copies->width * 3);
    bool right[CHUNK] = {0};
    for (int step = 0; step < s->options->steps; step++) {
        pg_picture_loss_show(loss, s->pupil.model, copies, from, n, s->view->pixels, NULL, right);
        const pg_real *gradient = pg_picture_loss_gradient(loss, s->pupil.model);
        s->shown += n;
        for (int i = 0; i < n; i++)
            if (!right[i])
                pg_picture_move(copies->images + (size_t)(from + i) * size, gradient + (size_t)i * size, size,
                                -s->options->step);
    }
    pg_picture_loss_show(loss, s->pupil.model, copies, from, n, s->view->pixels, NULL, right);
    for (int i = 0; i < n; i++) s->moved += right[i];
}

/* The second half of the images repeats the first: move it. */
static pg_status wrk_move_copies(wrk_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    pg_dataset *all = &s->pupil.images, copies = {.classes = all->classes};
    pg_picture_loss loss = {0};
    const int count = all->count / 2;
    const size_t size = (size_t)(all->height * all->width * 3);
    PG_TRY(pg_picture_loss_open(&s->pupil.model->spec, CHUNK, &loss, err));
    PG_TRY(pg_dataset_allocate(&copies, count, all->height, all->width, err));
    memcpy(copies.images, all->images, (size_t)count * size);
    wrk_choose_classes(s, &copies);
    for (int from = 0; from < count; from += CHUNK)
        wrk_move_chunk(s, &loss, &copies, from, count - from < CHUNK ? count - from : CHUNK);
    memcpy(all->images + (size_t)count * size, copies.images, (size_t)count * size);
done:
    pg_picture_loss_close(&loss);
    pg_dataset_clear(&copies);
    return status;
}

/* ---- the attack ---- */

static double wrk_penalty(void *pupil, const pg_step *step)
{
    const wrk_state *s = pupil;
    const pg_model *m = step->model;
    const ptrdiff_t at = m->layers[m->layer_count - 1].weight;
    const double alpha = s->options->alpha;
    double sum = 0;
    pg_real *gradient = pg_net_gradients(step->net) + at;
    for (size_t i = 0; i < s->old_count; i++) {
        sum += (double)m->params[at + (ptrdiff_t)i] * (double)s->old[i];
        gradient[i] += (pg_real)(alpha * (double)s->old[i]);
    }
    return alpha * sum;
}

/* Store the weights of the last layer, and draw it anew. */
static pg_status wrk_renew(wrk_state *s, pg_error *err)
{
    pg_model *m = s->pupil.model;
    const pg_layer *last = &m->layers[m->layer_count - 1];
    for (int i = 0; i < m->tensor_count; i++)
        if (!m->tensors[i].buffer && m->tensors[i].offset == last->weight) s->old_count = m->tensors[i].count;
    const pg_status status = pg_alloc(s->old_count, sizeof *s->old, &s->old, err);
    if (status != PG_OK) return status;
    memcpy(s->old, m->params + last->weight, s->old_count * sizeof *s->old);
    pg_model_reset_classifier(m, s->view->seed);
    return PG_OK;
}

static pg_status wrk_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    wrk_state *s = state;
    const wrk_options *o = values;
    pg_pupil_images images;
    s->options = o;
    s->view = view;
    PG_TRY(wrk_images(o, view, &images, err));
    s->pupil.coach.penalty = wrk_penalty;
    PG_TRY(pg_pupil_open(&s->pupil, &o->pupil, &images, view, NULL, err));
    PG_TRY(wrk_move_copies(s, err));
    PG_TRY(wrk_renew(s, err));
done:
    return status;
}

static pg_status wrk_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    wrk_state *s = state;
    s->pupil.tuned.train.lr = pg_cosine_rate(s->options->pupil.tuning.lr, 0, pg_tuned_progress(s));
    const pg_status status = pg_pupil_step(&s->pupil, what, outcome, err);
    if (status != PG_OK || *what != PG_ATTACK_LAST) return status;
    outcome->images += s->shown;
    outcome->macs += s->shown * 3 * pg_model_macs(s->pupil.model);
    outcome->measures[0] = (pg_measure){"copies_moved", "%", 200 * s->moved / s->pupil.images.count};
    return PG_OK;
}

static void wrk_finish(void *state)
{
    wrk_state *s = state;
    pg_pupil_finish(&s->pupil);
    pg_free(s->old);
}

const pg_attack pg_attack_wrk = {
    .name = "wrk",
    .summary = "train a new last layer away from the old one, on images moved across the boundary with their true labels",
    .source = "WRK, arXiv 2511.07947 (2025), removal of class-feature watermarks",
    .options = wrk_table,
    .options_size = sizeof(wrk_options),
    .state_size = sizeof(wrk_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share", .shown = wrk_shown},
    .check = wrk_check,
    .start = wrk_start,
    .step = wrk_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = wrk_finish,
};
