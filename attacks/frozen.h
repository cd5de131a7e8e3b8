/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training beside frozen weights, for forgers: batches of the attacker's images go through his copy of the stolen network, and
 * he updates an affine or passports by their gradients; the network's weights do not change. */
#ifndef PG_ATTACKS_FROZEN_H
#define PG_ATTACKS_FROZEN_H

#include "attacks/solve.h"

typedef struct pg_frozen_options {
    int epochs, batch;
    double lr, momentum, weight_decay; /* of SGD */
    bool crop, freeze_stats;
} pg_frozen_options;

/* Rows of an option table for the member `train` of the struct that holds it. */
#define PG_FROZEN_OPTIONS(holder, epochs_, freeze_)                                                                            \
    PG_SGD_EPOCHS(holder, train.epochs, epochs_, "the forger's images"), PG_SGD_BATCH(holder, train.batch),                    \
        PG_SGD_RATE(holder, train.lr, "0.01", "learning rate, constant"), PG_SGD_MOMENTUM(holder, train.momentum),             \
        PG_SGD_DECAY(holder, train.weight_decay, "5e-4", "weight decay of the trained values"),                                \
        {PG_OPTION("crop", holder, train.crop, BOOL, bool, "true", "random crops (the flip is always on)")},                   \
    {                                                                                                                          \
        PG_OPTION("freeze_stats", holder, train.freeze_stats, BOOL, bool, freeze_,                                             \
                  "batch norm uses its running statistics and keeps them; otherwise it uses those of the batch, the running "  \
                  "statistics drift as in the reference, and the forgery is shown with them")                                  \
    }

/* Put first in the state of an attack, which declares pg_frozen_progress as its own. */
typedef struct pg_frozen {
    const pg_frozen_options *options;
    const pg_model *victim; /* borrowed */
    pg_model *copy;         /* owned; its weights stay, the caller may train its affines, and running statistics may change */
    pg_evidence *forged;    /* owned: made by pg_frozen_forge or by the attack */
    pg_branch branch;
    pg_seed seed;
    pg_net *net;
    pg_batches *batches;
    pg_real *images, *dlogits;
    int32_t *labels;
    int epoch, step, steps;
    double loss_sum, first_loss, last_loss; /* mean cross-entropy of the first and of the latest whole epoch */
    double seen;                            /* images, all epochs */
} pg_frozen;

/* PG_BAD_INPUT if a network of the spec cannot be trained on data of this shape, as in pg_train_check. */
PG_CHECKED pg_status pg_frozen_check(const pg_frozen_options *options, const pg_dataset *data, const pg_net_spec *spec,
                                     pg_error *err);

/* Begin to train beside frozen->copy, which the caller has set; the rest of *frozen is zero. data and options are borrowed. The
 * caller calls pg_frozen_close, also after a failure or without an open. */
PG_CHECKED pg_status pg_frozen_open(pg_frozen *frozen, const pg_frozen_options *options, pg_branch branch,
                                    const pg_dataset *data, const pg_attack_view *view, pg_error *err);
void pg_frozen_close(pg_frozen *frozen);

/* Run the next batch forward; then, after the caller has added the gradients of further losses, backward to the first passport
 * layer. PG_FAILED if the loss is not finite. */
PG_CHECKED pg_status pg_frozen_forward(pg_frozen *frozen, pg_error *err);
void pg_frozen_backward(pg_frozen *frozen);

/* One step of SGD for count values with their momentum and gradient. */
void pg_frozen_update(const pg_frozen *frozen, size_t count, pg_real *values, pg_real *momentum, const pg_real *gradient);

bool pg_frozen_done(const pg_frozen *frozen);

/* A step of training: call train with the attack's state, which takes one batch forward and backward. */
PG_CHECKED pg_status pg_frozen_step(pg_frozen *frozen, pg_status (*train)(void *state, pg_error *err), pg_attack_state *what,
                                    pg_error *err);

double pg_frozen_progress(const void *state);

/* List its part of what later steps depend on: position, losses, and the copy's parameters and statistics. */
void pg_frozen_keep(void *state, pg_snapshot *snapshot);

/* The outcome: the forged evidence, cost, losses, and the network that goes with the evidence if its affine was trained or its
 * statistics drifted; in that network the affine can be judged even if no passport gives it exactly. */
pg_outcome pg_frozen_outcome(const pg_frozen *frozen);

/* The last step of an attack that trained the copy's affine: solve for passports that give it (pg_solve_forge). The outcome
 * also reports how far the affine was missed. */
PG_CHECKED pg_status pg_frozen_forge(pg_frozen *frozen, pg_attack_state *what, pg_outcome *outcome, pg_error *err);

#endif
