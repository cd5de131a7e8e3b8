/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run without work: the dispatch with a clock of its own. */
#ifndef PG_RUN_SIMULATE_H
#define PG_RUN_SIMULATE_H

#include "experiments/run/dispatch.h"

typedef struct pg_simulation {
    double seconds;  /* from the start of the first task to the end of the last one */
    double critical; /* the longest path; no number of workers is faster */
    double idle;     /* share of the workers' time in which they have nothing to do, 0 to 1 */
} pg_simulation;

/* Simulate the tasks that are not done on this number of workers; each task takes its seconds. done, seconds: [grid->count]. */
PG_CHECKED pg_status pg_simulate(const pg_grid *grid, const bool *done, const double *seconds, int workers, pg_simulation *out,
                                 pg_error *err);

#endif
