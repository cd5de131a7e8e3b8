/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Saving the state of a task; see saving.h. */
#include "experiments/work/saving.h"

#include "core/base/clock.h"

#include <stdio.h>

/* Seconds of work that are not worth a checkpoint. */
enum { MOMENT_SECONDS = 2 };

static void pass_over(void *context, const char *path)
{
    const pg_workplace *at = ((const pg_saving *)context)->at;
    char text[PG_PATH_MAX + 64];
    snprintf(text, sizeof text, "%s is damaged; the task resumes from the checkpoint before it", path);
    if (at->note) at->note(at->context, text);
}

pg_status pg_saving_start(pg_saving *s, const char *key, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX], directory[PG_PATH_MAX];
    PG_TRY(pg_path(directory, s->at->directory, "checkpoints", NULL, err));
    PG_TRY(pg_checkpoints_open(&s->checkpoints, directory, key, err));
    long number = 0;
    for (;;) {
        PG_TRY(pg_checkpoint_find(&s->checkpoints, number, path, &number, pass_over, s, err));
        status = number > 0 ? s->load(s->work, path, err) : PG_OK;
        if (status != PG_BAD_INPUT) break;
        pass_over(s, path);
    }
    PG_TRY(status);
    if (number < s->checkpoints.number) pg_checkpoints_remove(&s->checkpoints, number); /* the next save then keeps this one */
    s->saved_at = pg_now();
done:
    return status;
}

pg_status pg_saving_now(pg_saving *s, pg_error *err)
{
    s->saved_at = pg_now();
    const pg_status status = pg_checkpoint_save(&s->checkpoints, s->save, s->work, err);
    if (status == PG_OK && s->at->saved) s->at->saved(s->at->context);
    return status;
}

static bool due(const pg_saving *s, pg_pause pause)
{
    const double interval = s->at->checkpoint_seconds, elapsed = pg_now() - s->saved_at;
    if (pause == PG_PAUSE_LAST && elapsed > MOMENT_SECONDS) return true;
    return interval > 0 ? elapsed > interval : pause != PG_PAUSE_STEP;
}

pg_status pg_saving_pause(pg_saving *s, pg_pause pause, pg_error *err)
{
    pg_status status = PG_OK;
    const bool stop = s->at->stop && s->at->stop(s->at->context);
    if (stop || due(s, pause)) PG_TRY(pg_saving_now(s, err));
    if (stop) status = pg_fail(err, PG_INTERRUPTED, "interrupted");
done:
    return status;
}
