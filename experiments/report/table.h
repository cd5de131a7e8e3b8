/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of texts and samples, which is shown as aligned text and written as CSV or Markdown. */
#ifndef PG_REPORT_TABLE_H
#define PG_REPORT_TABLE_H

#include "core/base/text_pool.h"
#include "experiments/report/sample.h"

#include <stdbool.h>
#include <stdio.h>

enum { PG_WORDS_MAX = 16 };

typedef enum pg_column_kind {
    PG_COLUMN_TEXT,
    PG_COLUMN_MEAN,    /* "62.31 ± 0.42", and below or beside it the 95 % interval of the mean, "[61.27, 63.35]"; CSV: mean,
                          then "sd", "n", "low" and "high" in columns of their own */
    PG_COLUMN_LARGEST, /* "1.2e-09": for the p-values of an owner's claim */
    PG_COLUMN_SMALLEST,
    PG_COLUMN_SHARE,    /* how many values are 1: "3/3" */
    PG_COLUMN_INTERVAL, /* 95 % interval of that share, in percent: "29.2 to 100.0"; CSV: "low" and "high" in columns of their
                           own */
    PG_COLUMN_COUNT,    /* how many values */
    PG_COLUMN_NUMBER,   /* a single value */
    PG_COLUMN_WORDS,    /* words for values: "useless", or with counts if the values differ: "useless: 2; agrees: 1" */
} pg_column_kind;

typedef struct pg_column {
    const char *name;
    pg_column_kind kind;
} pg_column;

typedef union pg_table_cell {
    const char *text; /* PG_COLUMN_TEXT; NULL: empty */
    pg_sample sample; /* other kinds; empty: shown as "-" */
} pg_table_cell;

typedef struct pg_table {
    const char *title, *label;      /* NULL: empty */
    const char *(*word)(int value); /* of PG_COLUMN_WORDS: values are 0 to PG_WORDS_MAX - 1 */
    bool counts;                    /* show n beside every mean, because replicates are missing */
    int column_count, row_count;
    pg_column *columns;
    pg_table_cell *cells;     /* [row_count][column_count] */
    pg_text_pool texts, keys; /* of cells and columns; of rows, in the order of the rows */
} pg_table;

/* A zeroed table is empty. Add all columns before the first row. PG_FAILED if the table has a column of that name. Texts are
 * copied and may have any length. */
PG_CHECKED pg_status pg_table_column(pg_table *table, const char *name, pg_column_kind kind, pg_error *err);
/* Add the columns of a list that ends with a NULL name. */
PG_CHECKED pg_status pg_table_columns(pg_table *table, const pg_column *columns, pg_error *err);

/* Find the row of a key, or add it. The key (printf's arguments) identifies the row: build it from values, never from texts
 * that are made for readers. */
PG_CHECKED pg_status pg_table_row(pg_table *table, int *row, pg_error *err, const char *key, ...) PG_PRINTF(4, 5);

pg_table_cell *pg_table_at(const pg_table *table, int row, int column);
const char *pg_table_text(const pg_table *table, int row, int column);
/* Set texts (ended by NULL) of a row, starting at a column. */
PG_CHECKED pg_status pg_table_put(pg_table *table, int row, int column, const char *const *texts, pg_error *err);
/* Add a value; ignores NaN. */
PG_CHECKED pg_status pg_table_add(pg_table *table, int row, int column, double value, pg_error *err);
void pg_table_clear(pg_table *table);

/* Shorten a text to at most `width` columns of a terminal. A longer text ends in an ellipsis and eight digits of its hash, so
 * that different texts stay different. out[bytes] has room for 4 * width + 1 bytes; width is at least 16. */
const char *pg_shorten(const char *text, int width, char *out, size_t bytes);

/* Print title, label and aligned columns. Empty columns are left out, a text that all rows share is printed once above the
 * table, and long texts are shortened (pg_shorten). A table that is wider than the terminal (pg_terminal_columns), or has more
 * than a dozen columns, is printed in several parts, which repeat what a row is about. */
PG_CHECKED pg_status pg_table_print(const pg_table *table, FILE *stream, pg_error *err);

/* The same as Markdown, with complete texts. */
PG_CHECKED pg_status pg_table_write_markdown(const pg_table *table, const char *path, pg_error *err);

/* The same as HTML with complete texts: each cell has its value to sort by. The title is left to the caller. */
PG_CHECKED pg_status pg_table_print_html(const pg_table *table, FILE *stream, pg_error *err);

/* The same as a LaTeX tabular with the rules of booktabs: parts of 90 characters, texts escaped. */
PG_CHECKED pg_status pg_table_write_latex(const pg_table *table, const char *path, pg_error *err);

/* LaTeX definitions of every number of a table, as \\pgvalue{NAME/TEXTS/COLUMN}; what comes before those of all tables. */
PG_CHECKED pg_status pg_table_print_values(const pg_table *table, const char *name, FILE *stream, pg_error *err);
void pg_latex_head(FILE *stream);

/* Every column as CSV with complete texts; the last column holds the label. */
PG_CHECKED pg_status pg_table_write_csv(const pg_table *table, const char *path, pg_error *err);

#endif
