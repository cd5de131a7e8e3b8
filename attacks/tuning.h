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
    {.key = "epochs",                                                                                                          \
     .type = PG_OPT_INT,                                                                                                       \
     .offset = offsetof(holder, tuning.epochs),                                                                                \
     .fallback = epochs_,                                                                                                      \
     .low = 1,                                                                                                                 \
     .high = 100000,                                                                                                           \
     .help = "passes over the training set"},                                                                                  \
        {.key = "batch",                                                                                                       \
         .type = PG_OPT_INT,                                                                                                   \
         .offset = offsetof(holder, tuning.batch),                                                                             \
         .fallback = "64",                                                                                                     \
         .low = 1,                                                                                                             \
         .high = 4096,                                                                                                         \
         .unit = "images",                                                                                                     \
         .help = "images per step"},                                                                                           \
        {.key = "lr",                                                                                                          \
         .type = PG_OPT_REAL,                                                                                                  \
         .offset = offsetof(holder, tuning.lr),                                                                                \
         .fallback = lr_,                                                                                                      \
         .low = PG_ABOVE_ZERO,                                                                                                 \
         .high = 1e6,                                                                                                          \
         .help = "learning rate, constant"},                                                                                   \
        {.key = "weight_decay",                                                                                                \
         .type = PG_OPT_REAL,                                                                                                  \
         .offset = offsetof(holder, tuning.weight_decay),                                                                      \
         .fallback = "5e-4",                                                                                                   \
         .low = 0,                                                                                                             \
         .high = 1,                                                                                                            \
         .help = "on every parameter"},                                                                                        \
    {                                                                                                                          \
        .key = "crop", .type = PG_OPT_BOOL, .offset = offsetof(holder, tuning.crop), .fallback = crop_,                        \
        .help = "random crops too (the flip is always on)"                                                                     \
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
