/* The attack that changes nothing: the control. What it measures must equal what the owner measured. */
#include "attacks/attack.h"

typedef struct unchanged_state {
    bool done;
} unchanged_state;

static const pg_option options[] = {{0}};

static pg_status unchanged_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    (void)state;
    (void)values;
    (void)view;
    (void)err;
    return PG_OK;
}

static pg_status unchanged_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    (void)err;
    unchanged_state *s = state;
    *outcome = (pg_outcome){0};
    *what = s->done ? PG_ATTACK_DONE : PG_ATTACK_OUTCOME;
    s->done = true;
    return PG_OK;
}

static double unchanged_progress(const void *state)
{
    return ((const unchanged_state *)state)->done;
}

static void unchanged_keep(void *state, pg_snapshot *snapshot)
{
    unchanged_state *s = state;
    PG_KEEP(snapshot, &s->done, 1, "done");
}

static void unchanged_finish(void *state)
{
    (void)state;
}

const pg_attack pg_attack_unchanged = {
    .name = "unchanged",
    .former_name = "null",
    .summary = "change nothing: the control",
    .source = "none",
    .options = options,
    .options_size = 1,
    .state_size = sizeof(unchanged_state),
    .steady = true,
    .start = unchanged_start,
    .step = unchanged_step,
    .progress = unchanged_progress,
    .keep = unchanged_keep,
    .finish = unchanged_finish,
};
