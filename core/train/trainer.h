/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training, one step at a time: the caller owns the loop, its log, its end and its checkpoints. */
#ifndef PG_TRAIN_TRAINER_H
#define PG_TRAIN_TRAINER_H

#include "core/formats/snapshot.h"
#include "core/ownership/scheme.h"

typedef enum pg_schedule { PG_SCHEDULE_CONSTANT, PG_SCHEDULE_STEP, PG_SCHEDULE_ONE_CYCLE } pg_schedule;

typedef struct pg_train_options {
    int epochs, batch;
    double lr, momentum, weight_decay, label_smoothing;
    int schedule;  /* pg_schedule */
    pg_ints steps; /* STEP: epochs after which the rate is multiplied by 0.1 */
    double warmup; /* ONE_CYCLE: share of all steps in which the rate rises linearly from lr / 10 to lr; then it falls linearly
                      to zero */
    bool crop, flip;
    int pixels; /* pg_pixels */
} pg_train_options;
extern const pg_option pg_train_table[];

/* Rows that every training by SGD has, for the members that these paths name in a struct of type T. */
#define PG_SGD_EPOCHS(T, path, fallback, images)                                                                               \
    PG_NUMBER("epochs", T, path, INT, int, fallback, 1, 100000, NULL, "passes over " images)
#define PG_SGD_BATCH(T, path)                 PG_NUMBER("batch", T, path, INT, int, "64", 1, 4096, "images", "images per step")
#define PG_SGD_RATE(T, path, fallback, help)  PG_NUMBER("lr", T, path, REAL, double, fallback, PG_ABOVE_ZERO, 1e6, NULL, help)
#define PG_SGD_MOMENTUM(T, path)              PG_NUMBER("momentum", T, path, REAL, double, "0.9", 0, 0.9999, NULL, "momentum of SGD")
#define PG_SGD_DECAY(T, path, fallback, help) PG_NUMBER("weight_decay", T, path, REAL, double, fallback, 0, 1, NULL, help)

/* PG_BAD_INPUT if data of this shape cannot train a network of the spec: they do not fill a batch, or their images or classes
 * do not fit. Reads only the shape of data. */
PG_CHECKED pg_status pg_train_check(const pg_train_options *options, const pg_dataset *data, const pg_net_spec *spec,
                                    pg_error *err);

/* A part that the caller takes in every step, beside the scheme. Members may be NULL; they get the context. In the step that
 * they see, triggers are 0 and logits are valid except in prepare. */
typedef struct pg_coach {
    void *context;
    /* Change the images of the batch before they run. */
    void (*prepare)(void *context, const pg_step *step);
    /* The mean loss of the batch, in place of the cross-entropy of its labels; overwrites step->dlogits with its gradient. The
     * labels of the data then mean whatever this function takes them for. */
    double (*loss)(void *context, const pg_step *step);
    /* Add the gradient of a loss of the parameters to the net's gradients, and return that loss. */
    double (*penalty)(void *context, const pg_step *step);
    /* Put back the weights that training must not change. Called before the first step and after every step. */
    void (*hold)(void *context, pg_model *model);
} pg_coach;

/* Operands of training. Everything is borrowed; training changes the model. */
typedef struct pg_job {
    pg_model *model;
    const pg_scheme *scheme;
    const void *scheme_options;
    const pg_evidence *evidence; /* NULL for schemes that have none */
    const pg_dataset *data;
    const pg_train_options *options;
    pg_seed seed;
    int train_from; /* layers before this one keep their parameters; their running statistics are updated all the same */
    pg_conv_choice conv;
    const pg_coach *coach; /* for schemes that mix no triggers into the batches; NULL: none */
} pg_job;

typedef struct pg_progress {
    int epoch, epochs, step, steps; /* epochs done, of all; steps done in this epoch, of all */
    double loss, regulariser;       /* means over the current epoch, or the one that has just ended if step == steps */
    double train_accuracy;          /* percent, of the deployed branch, over the same steps; 0 if a coach gives the loss */
    double images;                  /* images processed in all epochs */
} pg_progress;

typedef struct pg_trainer pg_trainer;

PG_CHECKED pg_status pg_trainer_create(const pg_job *job, pg_trainer **out, pg_error *err);
void pg_trainer_destroy(pg_trainer **trainer);

/* Train on one batch. PG_FAILED if the loss is NaN or Inf, naming epoch and step, or if a value of the model is at the end of
 * an epoch, naming the epoch and the tensor. */
PG_CHECKED pg_status pg_trainer_step(pg_trainer *trainer, pg_error *err);
bool pg_trainer_done(const pg_trainer *trainer);
bool pg_trainer_epoch_done(const pg_trainer *trainer); /* the last step ended an epoch */
const pg_progress *pg_trainer_progress(const pg_trainer *trainer);
double pg_trainer_share(const pg_trainer *trainer); /* steps done / all steps */
double pg_trainer_macs(const pg_trainer *trainer);  /* multiply-adds so far */

/* Tell the trainer the accuracy of the model after an epoch (percent by branch; NaN if the branch does not exist). The trainer
 * keeps the best model by the mean over the branches, the first of equals. This selects on a test set, as the reference code
 * does, so callers report the last model too. */
PG_CHECKED pg_status pg_trainer_judge_epoch(pg_trainer *trainer, const double accuracy[2], pg_error *err);
const pg_model *pg_trainer_best(const pg_trainer *trainer); /* NULL before the first epoch is judged */

/* The evidence that belongs to the model as it is now, and to the best one: that of the job, or the trainer's copies if the
 * scheme trains the evidence too. */
const pg_evidence *pg_trainer_evidence(const pg_trainer *trainer);
const pg_evidence *pg_trainer_best_evidence(const pg_trainer *trainer);

/* Losses and accuracies of each epoch judged so far. */
typedef struct pg_epoch {
    double loss, regulariser, train_accuracy, accuracy[2];
} pg_epoch;
const pg_epoch *pg_trainer_history(const pg_trainer *trainer, int *count, int *best);

/* List everything, apart from the job, that later steps depend on: model parameters and statistics, momentum, position, best
 * model, history. Call it between two steps. */
void pg_trainer_keep(pg_trainer *trainer, pg_snapshot *snapshot);

/* Checkpoints: that list as a file. A trainer that was created for the same job continues from it with the same bits. A failed
 * load leaves the trainer unchanged. */
PG_CHECKED pg_status pg_trainer_save(pg_trainer *trainer, const char *path, pg_error *err);
PG_CHECKED pg_status pg_trainer_load(pg_trainer *trainer, const char *path, pg_error *err);

#endif
