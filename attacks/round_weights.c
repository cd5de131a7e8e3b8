/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weight quantisation: 2^bits grid points lie evenly between the smallest and the largest value of each tensor. A value between
 * two of them becomes their midpoint; a value on a point stays. Then the thief fine-tunes in full precision. Source:
 * Lukas et al., IEEE S&P 2022 (weight quantisation: 5 bits, then one epoch with the labels of the stolen network). */
#include "attacks/pupil.h"

#include <math.h>
#include <stddef.h>

typedef struct round_weights_options {
    pg_pupil_options pupil;
    int bits;
} round_weights_options;

static const pg_option options[] = {
    PG_INT(round_weights_options, bits, "5", 1, 16, "bits", "bits that every parameter is rounded to"),
    PG_PUPIL_IMAGES(round_weights_options, "33"),
    PG_PUPIL_LABELS(round_weights_options, "soft"),
    PG_TUNING_ROWS(round_weights_options, pupil.tuning, "1", "0.001", "learning rate, constant", "true"),
    {0},
};

static void round_weights_tensor(pg_real *w, size_t count, int bits)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, (double)w[i]);
        high = fmax(high, (double)w[i]);
    }
    const double step = (high - low) / ((1 << bits) - 1);
    for (size_t i = 0; i < count && step > 0; i++) {
        const double at = ((double)w[i] - low) / step, below = floor(at);
        if (at > below) w[i] = (pg_real)(low + (below + 0.5) * step);
    }
}

static pg_status round_weights_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    pg_pupil *p = state;
    const round_weights_options *o = values;
    PG_TRY(pg_pupil_start(state, values, view, err)); /* asks the network before it is changed */
    for (int i = 0; i < p->model->tensor_count; i++) {
        const pg_tensor *t = &p->model->tensors[i];
        if (!t->buffer && !pg_model_of_perceptron(p->model, t))
            round_weights_tensor(p->model->params + t->offset, t->count, o->bits);
    }
done:
    return status;
}

const pg_attack pg_attack_round_weights = {
    .name = "round-weights",
    .summary = "round every parameter to a few bits, then fine-tune",
    .source = "Lukas et al., IEEE S&P 2022 (weight quantisation)",
    .options = options,
    .options_size = sizeof(round_weights_options),
    .state_size = sizeof(pg_pupil),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share"},
    .check = pg_pupil_check,
    .start = round_weights_start,
    .step = pg_pupil_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = pg_pupil_finish,
};
