/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Regularisation: the thief fine-tunes under a weight decay so heavy that the weights move far away, then under an ordinary one
 * until the network works again. Source: Lukas et al., IEEE S&P 2022 (regularisation; a decay of 0.1 for 5 epochs, on a third
 * of the images, then at most 50 epochs, which end when the loss stalls; here the options set their number). */
#include "attacks/pupil.h"

#include <stddef.h>

typedef struct regularise_options {
    pg_pupil_options pupil;
    double heavy_decay;
    int heavy_epochs;
} regularise_options;

static const pg_option options[] = {
    PG_REAL(regularise_options, heavy_decay, "0.1", 0, 1, NULL, "weight decay of the first epochs"),
    PG_INT(regularise_options, heavy_epochs, "5", 0, 100000, "epochs",
           "number of these epochs, out of `epochs`; the others have `weight_decay`"),
    PG_PUPIL_IMAGES(regularise_options, "33"),
    PG_PUPIL_LABELS(regularise_options, "soft"),
    PG_TUNING_ROWS(regularise_options, pupil.tuning, "20", "0.01", "learning rate, constant", "true"),
    {0},
};

static pg_status regularise_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const regularise_options *o = values;
    if (o->heavy_epochs > o->pupil.tuning.epochs)
        return pg_fail(err, PG_BAD_INPUT, "heavy_epochs: expected at most the %d epochs, got %d", o->pupil.tuning.epochs,
                       o->heavy_epochs);
    return pg_pupil_check(values, view, err);
}

static pg_status regularise_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_pupil *p = state;
    const regularise_options *o = (const void *)p->options; /* its first member */
    const bool heavy = pg_trainer_progress(p->tuned.trainer)->epoch < o->heavy_epochs;
    p->tuned.train.weight_decay = heavy ? o->heavy_decay : o->pupil.tuning.weight_decay;
    return pg_pupil_step(state, what, outcome, err);
}

const pg_attack pg_attack_regularise = {
    .name = "regularise",
    .summary = "fine-tune under a heavy weight decay, then under an ordinary one",
    .source = "Lukas et al., IEEE S&P 2022 (regularisation)",
    .options = options,
    .options_size = sizeof(regularise_options),
    .state_size = sizeof(pg_pupil),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share"},
    .check = regularise_check,
    .start = pg_pupil_start,
    .step = regularise_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = pg_pupil_finish,
};
