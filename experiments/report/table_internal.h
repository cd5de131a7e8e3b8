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

/* Call put for the label and for every text that all rows share. */
void pg_table_describe(const pg_table *table, const pg_table_layout *layout, void (*put)(FILE *stream, const char *text),
                       FILE *stream);

#endif
