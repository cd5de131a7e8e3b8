/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weight shifting: the thief moves the weights of every convolution, then fine-tunes to repair the network. W becomes
 * W - shift mean - noise N(0, s^2), where mean is the mean filter and s the standard deviation of all of W.
 * Source: Lukas et al., IEEE S&P 2022 (weight shifting: 1.5 or 2.5 and 1, then 10 epochs with the labels of the stolen
 * network). */
#include "attacks/pupil.h"

#include <math.h>
#include <stddef.h>

typedef struct shift_weights_options {
    pg_pupil_options pupil;
    double shift, noise;
} shift_weights_options;

static const pg_option options[] = {
    PG_REAL(shift_weights_options, shift, "1.5", 0, 100, NULL,
            "multiple of the mean filter that is subtracted from every filter"),
    PG_REAL(shift_weights_options, noise, "1", 0, 100, NULL,
            "standard deviation of the added noise, relative to that of the layer's weights"),
    PG_PUPIL_IMAGES(shift_weights_options, "33"),
    PG_PUPIL_LABELS(shift_weights_options, "soft"),
    PG_TUNING_ROWS(shift_weights_options, pupil.tuning, "10", "0.01", "learning rate, constant", "true"),
    {0},
};

static double shift_weights_deviation(const pg_real *w, int count)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++) sum += (double)w[i];
    for (int i = 0; i < count; i++) squares += pow((double)w[i] - sum / count, 2);
    return sqrt(squares / count);
}

/* w [rows,filters]. */
static void shift_weights_move(const shift_weights_options *o, pg_real *w, int rows, int filters, pg_rng *rng)
{
    const double deviation = shift_weights_deviation(w, rows * filters);
    for (int r = 0; r < rows; r++, w += filters) {
        double mean = 0;
        for (int k = 0; k < filters; k++) mean += (double)w[k] / filters;
        for (int k = 0; k < filters; k++)
            w[k] = (pg_real)((double)w[k] - o->shift * mean - o->noise * deviation * pg_rng_normal(rng));
    }
}

static pg_status shift_weights_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    pg_pupil *p = state;
    const shift_weights_options *o = values;
    pg_rng rng;
    PG_TRY(pg_pupil_start(state, values, view, err)); /* asks the network before it is changed */
    pg_rng_open(&rng, view->seed, "shift", 0);
    for (int i = 0; i < p->model->layer_count; i++) {
        const pg_layer *l = &p->model->layers[i];
        if (l->row.kind != PG_ROW_CONV) continue;
        const int rows = l->row.kernel * l->row.kernel * l->depth;
        shift_weights_move(o, p->model->params + l->weight, rows, l->out_channels, &rng);
    }
done:
    return status;
}

const pg_attack pg_attack_shift_weights = {
    .name = "shift-weights",
    .summary = "subtract the mean filter from every convolution and add noise, then fine-tune",
    .source = "Lukas et al., IEEE S&P 2022 (weight shifting)",
    .options = options,
    .options_size = sizeof(shift_weights_options),
    .state_size = sizeof(pg_pupil),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share"},
    .check = pg_pupil_check,
    .start = shift_weights_start,
    .step = pg_pupil_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = pg_pupil_finish,
};
