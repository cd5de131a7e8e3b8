/* How a task saves what it has and goes on from it, be it a training or an attack. */
#ifndef PG_WORK_SAVING_H
#define PG_WORK_SAVING_H

#include "experiments/work/checkpoint.h"
#include "experiments/work/execute.h"

typedef struct pg_saving {
    const pg_workplace *at;
    pg_checkpoint_write *save; /* the state of `work` to a file */
    pg_checkpoint_write *load; /* the state from a file; on failure nothing is changed */
    void *work;
    pg_checkpoints checkpoints;
    double saved_at; /* time of the last checkpoint, or of the start */
} pg_saving;

/* Go on from the newest checkpoint of the task that is whole and that load takes, if there is one: those that cannot be used
 * are noted and passed over for the one before. saving has at, save, load and work; the rest is zero. */
PG_CHECKED pg_status pg_saving_start(pg_saving *saving, const char *key, pg_error *err);

PG_CHECKED pg_status pg_saving_now(pg_saving *saving, pg_error *err);

/* Between two steps: save where it is time (after checkpoint_seconds, or where epochs count, when one has ended), or where
 * nothing can be saved for a while and more than a moment's work would be lost; and where the task is to stop, which gives
 * PG_INTERRUPTED. */
typedef enum pg_pause { PG_PAUSE_STEP, PG_PAUSE_EPOCH, PG_PAUSE_LAST } pg_pause; /* LAST: an epoch ended, and no step follows */
PG_CHECKED pg_status pg_saving_pause(pg_saving *saving, pg_pause pause, pg_error *err);

#endif
