/* How long tasks take, from what tasks took before. */
#ifndef PG_EXPERIMENTS_ESTIMATE_H
#define PG_EXPERIMENTS_ESTIMATE_H

#include "experiments/grid.h"

/* Seconds of each task on one rank, seconds [grid->count], by the times in DIRECTORY/timings.csv (which need not exist): its
 * own time if it is there; else its multiply-adds at the speed of its family, which is the tasks whose names differ from its
 * own only in seed and key; else at the speed of all; else, when nothing was timed, at a speed that a core of these days
 * reaches. *timed is the number of times that were found. */
PG_CHECKED pg_status pg_estimate_seconds(const char *directory, const pg_grid *grid, double *seconds, int *timed,
                                         pg_error *err);

#endif
