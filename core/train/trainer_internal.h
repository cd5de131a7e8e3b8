/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by trainer.c, which takes the steps, and trainer_state.c, which saves and restores their state. */
#ifndef PG_TRAIN_TRAINER_INTERNAL_H
#define PG_TRAIN_TRAINER_INTERNAL_H

#include "core/ownership/mark.h"
#include "core/train/trainer.h"

struct pg_trainer {
    pg_job job;
    pg_net *net;
    pg_batches *batches;
    int triggers, capacity; /* triggers per batch; images in a batch, triggers included */
    int passes;             /* of each trigger, before the batch runs */
    int run;                /* images of the batch that run together: all of them, or the data alone */
    pg_real *momentum, *images;
    pg_real *dlogits; /* [2,capacity,classes] for both branches */
    pg_real *scratch; /* of the scheme */
    int32_t *labels;
    uint32_t *trigger_order;
    long trigger_sweep; /* the sweep that trigger_order is for; -1: none */
    pg_progress progress;
    double loss_sum, regulariser_sum;
    long correct, seen;
    pg_model *best;
    pg_evidence *learned, *best_learned; /* of a scheme that trains its evidence: job.evidence, and that of the best model */
    pg_epoch *history;                   /* [epochs] */
    int judged, best_epoch;
};

/* Number of values of the learned evidence, which are those of its mark's projection. */
static inline size_t pg_trainer_learned(const pg_trainer *t)
{
    size_t shape[2];
    pg_mark_shape(&t->learned->mark, shape);
    return shape[0] * shape[1];
}

/* Images of a step that run forward and backward. */
static inline double pg_trainer_images_of_step(const pg_trainer *t)
{
    return t->run + (double)t->passes * t->triggers;
}

#endif
