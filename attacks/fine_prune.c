/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fine-pruning: the thief removes the inputs of the last layer that his images hardly activate, because they may serve a hidden
 * task, and fine-tunes the network without them. He ranks single values, or whole channels, by their mean magnitude over his
 * images; the last layer's weights on the lowest ones stay zero from then on.
 *
 * Sources: Liu, Dolan-Gavitt, Garg, RAID 2018; Gan et al., ICCV 2023 (channels of the last block, 80 to 95 %, 30 epochs at
 * 0.05, halved every 5, 10,000 of 50,000 images); Lukas et al., IEEE S&P 2022 (single values, 96 %, labels of the stolen
 * network). */
#include "attacks/pupil.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stddef.h>

enum { UNITS_CHANNELS, UNITS_VALUES };
static const char *const units[] = {"channels", "values", NULL};

typedef struct fine_prune_options {
    pg_pupil_options pupil;
    int unit;
    double level;
} fine_prune_options;

static const pg_option options[] = {
    PG_CHOICE(fine_prune_options, unit, "channels", units,
              "units before the last layer that are ranked and removed: channels or single values"),
    PG_REAL(fine_prune_options, level, "90", 0, 100, "percent", "share of these units that is removed"),
    PG_PUPIL_IMAGES(fine_prune_options, "20"),
    PG_PUPIL_LABELS(fine_prune_options, "true"),
    PG_TUNING_ROWS(fine_prune_options, pupil.tuning, "30", "0.05", "learning rate, halved after every 5 epochs", "true"),
    {0},
};

enum { CHUNK = 64 };

typedef struct fine_prune_state {
    pg_pupil pupil;
    bool *removed; /* [values] */
    int values;    /* inputs of the last layer, for each image */
} fine_prune_state;

/* Sum the magnitudes of the last layer's inputs over the images: sums [values]. */
static pg_status fine_prune_measure(fine_prune_state *s, const pg_dataset *images, int count, pg_pixels pixels, double *sums,
                                    pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    pg_real *batch = NULL;
    pg_model *m = s->pupil.model;
    PG_TRY(pg_net_create(&m->spec, CHUNK, true, PG_CONV_AUTO, &net, err));
    PG_TRY(pg_alloc((size_t)CHUNK * (size_t)(images->height * images->width * 3), sizeof *batch, &batch, err));
    for (int at = 0; at < count; at += CHUNK) {
        const int n = pg_min(CHUNK, count - at);
        pg_batch_range(images, at, n, pixels, batch);
        pg_net_forward(net, m, PG_PUBLIC, PG_EVAL, batch, n);
        const pg_real *read = pg_net_input(net, m->layer_count - 1);
        for (int i = 0; i < n * s->values; i++) sums[i % s->values] += fabs((double)read[i]);
    }
done:
    pg_net_destroy(&net);
    pg_free(batch);
    return status;
}

/* Mark the least active units. Channels are the fastest index of the values. */
static pg_status fine_prune_rank(fine_prune_state *s, const fine_prune_options *o, int channels, const double *sums,
                                 pg_error *err)
{
    pg_status status = PG_OK;
    const size_t count = (size_t)(o->unit == UNITS_CHANNELS ? channels : s->values);
    double *activity = NULL;
    size_t *order = NULL;
    PG_TRY(pg_alloc(count, sizeof *activity, &activity, err));
    PG_TRY(pg_alloc(count, sizeof *order, &order, err));
    for (int i = 0; i < s->values; i++) activity[(size_t)i % count] += sums[i];
    gsl_sort_index(order, activity, 1, count);
    const size_t gone = (size_t)floor(o->level / 100 * (double)count);
    for (size_t k = 0; k < gone; k++)
        for (size_t i = order[k]; i < (size_t)s->values; i += count) s->removed[i] = true;
done:
    pg_free(activity);
    pg_free(order);
    return status;
}

/* Set the last layer's weights [classes,values] on removed values to zero. */
static void fine_prune_hold(void *pupil, pg_model *model)
{
    const fine_prune_state *s = pupil;
    pg_real *w = model->params + pg_model_classifier(model)->weight;
    for (int i = 0; i < model->spec.classes * s->values; i++)
        if (s->removed[i % s->values]) w[i] = 0;
}

static pg_status fine_prune_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    fine_prune_state *s = state;
    const fine_prune_options *o = values;
    const pg_layer *last = pg_model_classifier(view->model);
    double *sums = NULL;
    s->values = last->in_height * last->in_width * last->in_channels;
    PG_TRY(pg_alloc((size_t)s->values, sizeof *s->removed, &s->removed, err));
    PG_TRY(pg_alloc((size_t)s->values, sizeof *sums, &sums, err));
    s->pupil.coach.hold = fine_prune_hold;
    PG_TRY(pg_pupil_start(state, values, view, err));
    PG_TRY(fine_prune_measure(s, &s->pupil.images, s->pupil.images.count, view->pixels, sums, err));
    PG_TRY(fine_prune_rank(s, o, last->in_channels, sums, err));
    fine_prune_hold(s, s->pupil.model);
done:
    pg_free(sums);
    return status;
}

static pg_status fine_prune_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_pupil_decay(state, 0.5, 5);
    return pg_pupil_step(state, what, outcome, err);
}

static void fine_prune_finish(void *state)
{
    fine_prune_state *s = state;
    pg_pupil_finish(state);
    pg_free(s->removed);
}

const pg_attack pg_attack_fine_prune = {
    .name = "fine-prune",
    .summary = "remove the units before the last layer that the thief's images hardly activate, then fine-tune",
    .source = "Liu et al., RAID 2018; Gan et al., ICCV 2023; Lukas et al., IEEE S&P 2022",
    .options = options,
    .options_size = sizeof(fine_prune_options),
    .state_size = sizeof(fine_prune_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share"},
    .check = pg_pupil_check,
    .start = fine_prune_start,
    .step = fine_prune_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = fine_prune_finish,
};
