/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Continued training of a stolen model: the settings that a thief chooses, and the steps. */
#ifndef PG_ATTACKS_TUNING_H
#define PG_ATTACKS_TUNING_H

#include "attacks/attack.h"

#include <stddef.h>

typedef struct pg_tuning {
    int epochs, batch;
    double lr, weight_decay;
    bool crop;
} pg_tuning;

/* Rows of an option table for the pg_tuning at `path` in the struct that holds it. */
#define PG_TUNING_ROWS(holder, path, epochs_, lr_, help, crop_)                                                                \
    PG_SGD_EPOCHS(holder, path.epochs, epochs_, "the training images of the attack"), PG_SGD_BATCH(holder, path.batch),        \
        PG_SGD_RATE(holder, path.lr, lr_, help),                                                                               \
        PG_SGD_DECAY(holder, path.weight_decay, "5e-4", "weight decay of every parameter"),                                    \
    {                                                                                                                          \
        PG_OPTION("crop", holder, path.crop, BOOL, bool, crop_, "random crops too (the flip is always on)")                    \
    }

/* The same for its member `tuning`. */
#define PG_TUNING_OPTIONS(holder, epochs_, lr_, crop_)                                                                         \
    PG_TUNING_ROWS(holder, tuning, epochs_, lr_, "learning rate, constant", crop_)

/* Continued training. It comes first in the state of an attack, which declares pg_tuned_progress and pg_tuned_keep as its own.
 * */
typedef struct pg_tuned {
    pg_train_options train;
    pg_trainer *trainer; /* closed by pg_trainer_destroy */
} pg_tuned;

/* SGD with momentum 0.9 at a constant rate; images flipped and, if the options say so, cropped. */
pg_train_options pg_tuning_train(const pg_tuning *tuning, pg_pixels pixels);

/* The thief's copy of the stolen network as it is deployed, with a last layer for so many classes: at passport layers it has an
 * affine of its own, which begins as that of the deployed branch. For attacks that see what is distributed. */
PG_CHECKED pg_status pg_tuned_copy(const pg_attack_view *view, int classes, pg_model **out, pg_error *err);

bool pg_tuned_done(const pg_tuned *tuned);
PG_CHECKED pg_status pg_tuned_step(pg_tuned *tuned, pg_attack_state *what, pg_error *err);
/* The outcome that changes the stolen model to this one. */
pg_outcome pg_tuned_outcome(const pg_tuned *tuned, pg_model *model);

/* A rate that falls from `from` to `to` by half a cosine, at a share of all steps. */
double pg_cosine_rate(double from, double to, double share);

double pg_tuned_progress(const void *state);
void pg_tuned_keep(void *state, pg_snapshot *snapshot);

#endif
