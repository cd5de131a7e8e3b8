/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Relabelling: the thief fine-tunes at a high rate with blurred labels. With amount e the target of an image is
 * (1 - e) y + e / classes (smooth), or (1 - e) y + e y' (noise), where y' is y with its classes in a random order, drawn anew
 * for each batch. Source: Lukas et al., IEEE S&P 2022 (label smoothing: e = 0.3, 5 epochs, ten times the rate; label noising).
 */
#include "attacks/pupil.h"
#include "core/base/memory.h"

#include <stddef.h>

enum { BLEND_SMOOTH, BLEND_NOISE };
static const char *const blends[] = {"smooth", "noise", NULL};

typedef struct relabel_options {
    pg_pupil_options pupil;
    int blend;
    double amount;
} relabel_options;

static const pg_option options[] = {
    PG_CHOICE(relabel_options, blend, "smooth", blends,
              "mix every target with a uniform one (smooth), or with itself under a random permutation of the classes (noise)"),
    PG_REAL(relabel_options, amount, "0.3", 0, 1, NULL, "weight of the second target in this mixture"),
    PG_PUPIL_IMAGES(relabel_options, "33"),
    PG_PUPIL_LABELS(relabel_options, "soft"),
    PG_TUNING_ROWS(relabel_options, pupil.tuning, "5", "0.01", "learning rate, constant", "true"),
    {0},
};

typedef struct relabel_state {
    pg_pupil pupil;
    pg_seed seed;
    uint32_t *order; /* [classes] */
    double *target;  /* [classes] */
} relabel_state;

/* Mix every target with a uniform one, or with itself under a permutation of the classes. */
static void relabel_blend(void *pupil, const pg_step *step, double *q)
{
    relabel_state *s = pupil;
    const relabel_options *o = (const void *)s->pupil.options; /* its first member */
    const pg_progress *now = pg_trainer_progress(s->pupil.tuned.trainer);
    const int classes = s->pupil.images.classes;
    pg_rng rng;
    pg_rng_open(&rng, s->seed, "relabel", (uint64_t)now->epoch << 32 | (uint32_t)now->step);
    pg_rng_permutation(&rng, s->order, (size_t)classes);
    for (int i = 0; i < step->count; i++, q += classes) {
        for (int c = 0; c < classes; c++) s->target[c] = q[c];
        for (int c = 0; c < classes; c++)
            q[c] = (1 - o->amount) * q[c] + o->amount * (o->blend == BLEND_SMOOTH ? 1.0 / classes : s->target[s->order[c]]);
    }
}

static pg_status relabel_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    relabel_state *s = state;
    const size_t classes = (size_t)view->model->spec.classes;
    s->seed = view->seed;
    s->pupil.blend = relabel_blend;
    PG_TRY(pg_alloc(classes, sizeof *s->order, &s->order, err));
    PG_TRY(pg_alloc(classes, sizeof *s->target, &s->target, err));
    PG_TRY(pg_pupil_start(state, values, view, err));
done:
    return status;
}

static void relabel_finish(void *state)
{
    relabel_state *s = state;
    pg_pupil_finish(state);
    pg_free(s->order);
    pg_free(s->target);
}

const pg_attack pg_attack_relabel = {
    .name = "relabel",
    .summary = "fine-tune with labels that are smoothed or noised",
    .source = "Lukas et al., IEEE S&P 2022 (label smoothing, label noising)",
    .options = options,
    .options_size = sizeof(relabel_options),
    .state_size = sizeof(relabel_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share"},
    .check = pg_pupil_check,
    .start = relabel_start,
    .step = pg_pupil_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = relabel_finish,
};
