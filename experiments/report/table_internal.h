/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that fill, show and write tables. */
#ifndef PG_REPORT_TABLE_INTERNAL_H
#define PG_REPORT_TABLE_INTERNAL_H

#include "experiments/report/table.h"

/* Text of a sample in a column PG_COLUMN_WORDS; the caller frees it with free. NULL if memory is short. */
char *pg_table_words(const pg_table *table, const pg_sample *sample);

/* A shown text takes at most WIDEST columns of a terminal; SHOWN bytes hold such a text and any number. */
enum { PG_TABLE_WIDEST = 64, PG_TABLE_SHOWN = 4 * PG_TABLE_WIDEST + 1 };

/* Text of a cell, in `out` or in the table's pool. A text is cut to `width` columns (pg_shorten), unless width is 0. */
const char *pg_table_show(const pg_table *table, int row, int column, int width, char out[PG_TABLE_SHOWN]);

/* The 95 % interval of a mean of at least two values (pg_sample_margin). A percentage cannot be below 0 or above 100, so its
 * interval ends there. */
void pg_table_interval(const pg_table *table, int row, int column, double *low, double *high);

/* The same as text, "[61.27, 63.35]"; empty for other cells and for less than two values. It stands below the mean
 * where lines are short, so that a column is no wider than for the mean. Does a row have one in the columns from .. to - 1? */
const char *pg_table_show_interval(const pg_table *table, int row, int column, char out[PG_TABLE_SHOWN]);
bool pg_table_has_interval(const pg_table *table, int row, int from, int to);

/* Is a column one of texts, which stand at the left? */
bool pg_column_is_words(const pg_column *column);

/* Layout of a table for readers. A zeroed layout may be cleared. */
typedef struct pg_table_layout {
    int *widths;  /* by column; 0: not shown */
    bool *common; /* by column: all rows have the same text, which is printed once above the table */
} pg_table_layout;

/* widest: most columns of a text */
PG_CHECKED pg_status pg_table_lay_out(const pg_table *table, int widest, pg_table_layout *layout, pg_error *err);
void pg_table_layout_clear(pg_table_layout *layout);

/* A table that is too wide, or has more than a dozen columns, is shown in parts. Each part has as many columns of values as
 * fit, after the columns of texts that say what a row is about. While those texts take more than a third of the width and three
 * are left, the first of them becomes a heading above its rows; so does the first of two if a column of values would not fit.
 */
enum { PG_TABLE_GAP = 2 }; /* before each column */
typedef struct pg_table_parts {
    const pg_table *table;
    const pg_table_layout *layout;
    int width;    /* 0: no limit */
    int widest;   /* most columns of a text (pg_table_widest) */
    int keys;     /* the columns before this one say what a row is about */
    int headings; /* those before this one are headings */
    int from, to; /* columns of values in the present part: from .. to - 1 */
    int count;    /* parts so far */
    bool first;   /* the present part is the first */
} pg_table_parts;

int pg_table_widest(int width);
pg_table_parts pg_table_parts_of(const pg_table *table, const pg_table_layout *layout, int width);
/* Go to the first or next part; false: there is none. */
bool pg_table_parts_next(pg_table_parts *parts);
/* Does a heading stand before this row? Has the row nothing in the present part? */
bool pg_table_parts_heading(const pg_table_parts *parts, int row);
bool pg_table_parts_blank(const pg_table_parts *parts, int row);

/* Has a cell no value and no text? */
bool pg_table_is_empty(const pg_table *table, int row, int column);

/* Call put for the label and for every text that all rows share. */
void pg_table_describe(const pg_table *table, const pg_table_layout *layout, void (*put)(FILE *stream, const char *text),
                       FILE *stream);

#endif
