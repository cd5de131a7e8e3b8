/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kinds of tables of a run. Adding a kind: its file with one const struct, a line in table_kinds.c, a test. */
#ifndef PG_REPORT_TABLE_KIND_H
#define PG_REPORT_TABLE_KIND_H

#include "core/ownership/verdict.h"
#include "experiments/report/summary.h"

typedef struct pg_table_kind {
    const char *name; /* of its files: tables/NAME.csv and NAME.md */
    bool printed;     /* false: written to files alone */
    const char *hint; /* printed below all tables; NULL: none */
    /* Fill an empty table; without rows it is left out. */
    pg_status (*fill)(const pg_summary *summary, pg_table *table, pg_error *err);
} pg_table_kind;

/* All kinds, in the order in which they are printed, ended by NULL: table_kinds.c. */
extern const pg_table_kind *const pg_table_kinds[];

/* ---- for kinds of tables ---- */

/* A column of the values of one metric. Two metrics are derived: "rescaled" puts a detection on the scale of the null models'
 * threshold, "ruling" is the judge's ruling. */
typedef struct pg_metric_column {
    const char *metric, *name;
    pg_column_kind kind;
} pg_metric_column;

/* Give a table its title and columns: texts, ended by NULL, then metrics, ended by a NULL metric. */
PG_CHECKED pg_status pg_table_kind_start(pg_table *table, const pg_summary *summary, const char *title,
                                         const char *const *texts, const pg_metric_column *columns, pg_error *err);

/* Is there a result of an attack that forges evidence (forges false: of one that does not)? */
bool pg_any_attack(const pg_summary *summary, bool forges);

/* The cells of a result, with those of one outcome linked. */
typedef struct pg_view {
    const pg_summary *summary;
    int result; /* its index */
    const pg_record *record;
    int *next; /* by cell: the next one of its outcome; of the last, the first */
} pg_view;

/* A zeroed view may be closed. */
PG_CHECKED pg_status pg_view_open(const pg_summary *summary, int result, pg_view *view, pg_error *err);
void pg_view_close(pg_view *view);

/* Value of a metric that has the same outcome as a cell; false if the record has none. */
bool pg_view_find(const pg_view *view, int cell, const char *metric, double *value);

/* Did the attack move the network to another data set, on which it was judged? */
bool pg_view_moved(const pg_view *view);

/* The judge's ruling on a cell's outcome, once for each outcome: with its claim, or with its accuracy if it has no claim. False
 * for other cells, and if the outcome has neither a claim nor a network that is useless. */
bool pg_view_ruling(const pg_view *view, int cell, pg_ruling *ruling);

/* Does a cell have the outcome of the cell before it? */
bool pg_same_outcome(const pg_record *record, int cell);

/* Is an outcome one of an axis, such as a level? Outcomes that repeat one thing are not, and share a row. */
bool pg_on_axis(const char *outcome);

/* A row whose values begin at column `first` of the table. */
typedef struct pg_table_line {
    pg_table *table;
    int row, first;
    const pg_metric_column *columns;
} pg_table_line;

/* Add a cell to the columns of its metric. threshold: the null models', in percent; NaN: none. */
PG_CHECKED pg_status pg_view_put(const pg_table_line *at, const pg_view *view, int cell, double threshold, pg_error *err);

/* Put the texts with which a row about a result begins: data, network, norm, scheme, and up to two more (NULL: none). */
PG_CHECKED pg_status pg_put_place(pg_table *table, int row, const pg_summary *summary, int result, const char *more,
                                  const char *last, pg_error *err);

#endif
