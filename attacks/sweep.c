/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sweeps; see sweep.h. */
#include "attacks/sweep.h"

int pg_sweep_next(pg_sweep *sweep, pg_attack_state *what)
{
    const int at = sweep->next++;
    *what = sweep->next == sweep->count ? PG_ATTACK_LAST : PG_ATTACK_OUTCOME;
    return at;
}

double pg_sweep_progress(const void *state)
{
    const pg_sweep *sweep = state;
    return (double)sweep->next / sweep->count;
}

void pg_sweep_keep(void *state, pg_snapshot *snapshot)
{
    pg_sweep *sweep = state;
    PG_KEEP_IN(snapshot, &sweep->next, 0, sweep->count - 1, "next");
}
