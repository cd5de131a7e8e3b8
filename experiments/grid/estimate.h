/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Estimates of the time of tasks, from the times of earlier ones. */
#ifndef PG_GRID_ESTIMATE_H
#define PG_GRID_ESTIMATE_H

#include "core/formats/csv.h"
#include "experiments/grid/grid.h"

/* Names of the columns of timings.csv, ended by NULL: key and name of the task, rank, seconds, millions of multiply-adds, peak
 * memory of the rank in millions of bytes. Files of earlier versions lack the last one. */
enum { PG_TIMINGS_MEMORY = 5 };
extern const char *const pg_timings_columns[];

/* Read DIRECTORY/timings.csv; release *out with pg_csv_close. *out is NULL if the file does not exist, is damaged or has other
 * columns, because estimates work without it. */
PG_CHECKED pg_status pg_timings_read(const char *directory, pg_csv_table **out, pg_error *err);

/* Totals of the timed tasks: their number, multiply-adds and seconds. If there are none, cost and seconds are those of a
 * typical core. */
typedef struct pg_timed {
    int tasks;
    double cost, seconds;
    int measured; /* tasks of the grid whose memory is known */
    double bytes; /* most of a rank in any of these */
} pg_timed;

/* Estimate the seconds of each task on one rank, seconds [grid->count], from DIRECTORY/timings.csv, which need not exist. A
 * task takes its own earlier time. Without one, its multiply-adds take as long as those of its family, the tasks whose names
 * differ only in seed and key; without a family, as long as those of all tasks (*timed). */
PG_CHECKED pg_status pg_estimate_seconds(const char *directory, const pg_grid *grid, double *seconds, pg_timed *timed,
                                         pg_error *err);

#endif
