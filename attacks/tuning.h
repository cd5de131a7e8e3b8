/* Training a stolen model on: the settings that a thief chooses. */
#ifndef PG_ATTACKS_TUNING_H
#define PG_ATTACKS_TUNING_H

#include "attacks/attack.h"

#include <stddef.h>

typedef struct pg_tuning {
    int epochs, batch;
    double lr, weight_decay;
    bool crop;
} pg_tuning;

/* Rows of an option table for the member `tuning` of the struct that holds it. */
#define PG_TUNING_OPTIONS(holder, epochs_, lr_, crop_)                                                                         \
    PG_SGD_EPOCHS(holder, tuning.epochs, epochs_, "the training set"), PG_SGD_BATCH(holder, tuning.batch),                     \
        PG_SGD_RATE(holder, tuning.lr, lr_, "learning rate, constant"),                                                        \
        PG_SGD_DECAY(holder, tuning.weight_decay, "5e-4", "on every parameter"),                                               \
    {                                                                                                                          \
        PG_OPTION("crop", holder, tuning.crop, BOOL, bool, crop_, "random crops too (the flip is always on)")                  \
    }

/* SGD with momentum 0.9 at a constant rate, images flipped and, if so set, cropped. */
static inline pg_train_options pg_tuning_train(const pg_tuning *tuning, pg_pixels pixels)
{
    return (pg_train_options){.epochs = tuning->epochs,
                              .batch = tuning->batch,
                              .lr = tuning->lr,
                              .momentum = 0.9,
                              .weight_decay = tuning->weight_decay,
                              .schedule = PG_SCHEDULE_CONSTANT,
                              .crop = tuning->crop,
                              .flip = true,
                              .pixels = (int)pixels};
}

#endif
