/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Saving the state of a task, a training or an attack, and resuming from it. */
#ifndef PG_WORK_SAVING_H
#define PG_WORK_SAVING_H

#include "experiments/work/checkpoint.h"
#include "experiments/work/execute.h"

typedef struct pg_saving {
    const pg_workplace *at;
    /* write the state of `work` to a file; read it from a file, changing nothing on failure */
    pg_status (*save)(void *work, const char *path, pg_error *err);
    pg_status (*load)(void *work, const char *path, pg_error *err);

    void *work;
    pg_checkpoints checkpoints;
    double saved_at; /* time of the last checkpoint, or of the start */
} pg_saving;

/* Resume from the newest checkpoint of the task that is intact and that load accepts, if there is one. Logs each one that
 * cannot be used and tries the one before. The caller sets at, save, load and work; the rest of *saving is zero. */
PG_CHECKED pg_status pg_saving_start(pg_saving *saving, const char *key, pg_error *err);

PG_CHECKED pg_status pg_saving_now(pg_saving *saving, pg_error *err);

/* To be called between two steps. Saves a checkpoint if one is due: after checkpoint_seconds or, if those are 0, after every
 * epoch; at PG_PAUSE_LAST, after which nothing can be saved for a while, if more than 2 seconds of work would be lost. If the
 * task must stop, saves and returns PG_INTERRUPTED. */
typedef enum pg_pause { PG_PAUSE_STEP, PG_PAUSE_EPOCH, PG_PAUSE_LAST } pg_pause; /* LAST: an epoch ended, and no step follows */
PG_CHECKED pg_status pg_saving_pause(pg_saving *saving, pg_pause pause, pg_error *err);

#endif
