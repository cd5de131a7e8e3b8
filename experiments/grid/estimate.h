/* How long tasks take, from what tasks took before. */
#ifndef PG_GRID_ESTIMATE_H
#define PG_GRID_ESTIMATE_H

#include "core/formats/csv.h"
#include "experiments/grid/grid.h"

/* Names of the columns of a timings.csv, ended by NULL: key and name of a task, where it ran, how long, millions of
 * multiply-adds. */
extern const char *const pg_timings_columns[];

/* DIRECTORY/timings.csv, ended by pg_csv_close. One that is damaged or has other columns only says less: *out is NULL, as where
 * there is none. */
PG_CHECKED pg_status pg_timings_read(const char *directory, pg_csv_table **out, pg_error *err);

/* What was timed: tasks, and their multiply-adds and seconds in all; without any, what a core of these days does in a second.
 */
typedef struct pg_timed {
    int tasks;
    double cost, seconds;
} pg_timed;

/* Seconds of each task on one rank, seconds [grid->count], by the times in DIRECTORY/timings.csv (which need not exist): its
 * own time if it is there; else its multiply-adds at the speed of its family, which is the tasks whose names differ from its
 * own only in seed and key; else at the speed of all, as *timed has it. */
PG_CHECKED pg_status pg_estimate_seconds(const char *directory, const pg_grid *grid, double *seconds, pg_timed *timed,
                                         pg_error *err);

#endif
