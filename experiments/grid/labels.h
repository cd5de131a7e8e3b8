/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and descriptions of tasks, as people read them. */
#ifndef PG_GRID_LABELS_H
#define PG_GRID_LABELS_H

#include "core/formats/parameters.h"
#include "experiments/grid/task.h"

/* Name and description of a task, in a pool. */
typedef struct pg_task_labels {
    const char *name;                                               /* "DATA/NETWORK-NORM/SCHEME/ATTACK/s1/3fa9c01d", unique */
    const char *data, *network, *norm;                              /* "cifar10 20000+2000", "alexnet x0.5", "bn" */
    const char *scheme, *attack;                                    /* attack is empty for training */
    const pg_parameters *scheme_parameters, *training, *parameters; /* parameters: of the attack */
    uint64_t seed;
} pg_task_labels;
enum { PG_TASK_NAME_MAX = 256 };
const char *pg_task_name(const pg_task *task, char out[PG_TASK_NAME_MAX]); /* the name alone; returns out */
PG_CHECKED pg_status pg_task_describe(const pg_task *task, pg_parameter_pool *pool, pg_task_labels *out, pg_error *err);
/* Is it about a network that was trained elsewhere? */
bool pg_labels_supplied(const pg_task_labels *labels);

/* Name of the files that belong to one outcome of a task, without folder and ending: "KEY.level=60", or "KEY" where outcome is
 * empty. */
enum { PG_FILE_STEM = PG_SHA256_HEX + 64 };
void pg_task_stem(const char *key, const char *outcome, char stem[PG_FILE_STEM]);

#endif
