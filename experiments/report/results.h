/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results of a run: the records of its tasks, in the order of the grid. */
#ifndef PG_REPORT_RESULTS_H
#define PG_REPORT_RESULTS_H

#include "experiments/work/record.h"
#include "experiments/work/rundir.h"

typedef struct pg_result {
    pg_task_labels labels;
    pg_record record;
} pg_result;

typedef struct pg_results {
    char name[PG_TEXT_MAX], label[PG_TEXT_MAX]; /* of the grid */
    int expected, count;                        /* tasks of the grid; tasks that have a record */
    pg_result *items;                           /* [count] */
    pg_parameter_pool pool;                     /* owns the labels and the arrays and texts of the records */
} pg_results;

PG_CHECKED pg_status pg_results_load(const char *directory, pg_results **out, pg_error *err);
void pg_results_destroy(pg_results **results);

/* Value of a metric of an outcome; false if the record does not have it. */
bool pg_result_value(const pg_result *result, const char *outcome, const char *metric, double *value);

/* Write cells.csv: one metric a row, with the grid's label. */
PG_CHECKED pg_status pg_results_write_cells(const pg_results *results, const char *directory, pg_error *err);

#endif
