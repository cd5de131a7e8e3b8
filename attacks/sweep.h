/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sweep: outcome after outcome along the attack's axis, such as levels or repetitions. An attack that puts a sweep first in
 * its state declares pg_sweep_progress and pg_sweep_keep as its own. */
#ifndef PG_ATTACKS_SWEEP_H
#define PG_ATTACKS_SWEEP_H

#include "attacks/attack.h"

typedef struct pg_sweep {
    int next, count; /* outcomes so far, and in total */
} pg_sweep;

/* Index of the outcome to make in this step. *what becomes OUTCOME, or LAST. */
int pg_sweep_next(pg_sweep *sweep, pg_attack_state *what);

double pg_sweep_progress(const void *state);
void pg_sweep_keep(void *state, pg_snapshot *snapshot);

#endif
