/* A sheet: a table of texts and of means with their spread, shown as aligned text, written as CSV or as
 * Markdown. */
#ifndef PG_EXPERIMENTS_SHEET_H
#define PG_EXPERIMENTS_SHEET_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stdio.h>

enum { PG_SHEET_TEXT = 160 };

/* Values of one cell, over seeds and repetitions. */
typedef struct pg_sample {
    int count;
    double *values;
} pg_sample;

typedef enum pg_column_kind {
    PG_COLUMN_TEXT,
    PG_COLUMN_MEAN,    /* "62.31 ± 0.42"; CSV: mean, "sd" and "n" in columns of their own */
    PG_COLUMN_LARGEST, /* "1.2e-09": for p-values of a claim that ought to stand */
    PG_COLUMN_SMALLEST,
    PG_COLUMN_SHARE,  /* of values that are 1: "3/3" */
    PG_COLUMN_COUNT,  /* how many values */
    PG_COLUMN_NUMBER, /* a single value */
} pg_column_kind;

typedef struct pg_column {
    char name[PG_SHEET_TEXT];
    pg_column_kind kind;
} pg_column;

typedef struct pg_sheet_cell {
    char text[PG_SHEET_TEXT]; /* PG_COLUMN_TEXT */
    pg_sample sample;         /* other kinds; empty: shown as "-" */
} pg_sheet_cell;

typedef struct pg_sheet {
    char title[PG_SHEET_TEXT], label[512];
    bool counts; /* show n beside every mean: where replicates are missing */
    int column_count, row_count;
    pg_column *columns;
    pg_sheet_cell *cells; /* [row_count][column_count] */
} pg_sheet;

/* Zeroed sheets are empty. All columns come before the first row. */
PG_CHECKED pg_status pg_sheet_column(pg_sheet *sheet, const char *name, pg_column_kind kind, pg_error *err);
/* Those of a list, ended by one without a name. */
PG_CHECKED pg_status pg_sheet_columns(pg_sheet *sheet, const pg_column *columns, pg_error *err);
PG_CHECKED pg_status pg_sheet_row(pg_sheet *sheet, int *row, pg_error *err);
/* The row that begins with these texts (ended by NULL), made if there is none. */
PG_CHECKED pg_status pg_sheet_row_of(pg_sheet *sheet, const char *const *texts, int *row, pg_error *err);
pg_sheet_cell *pg_sheet_at(pg_sheet *sheet, int row, int column);
/* One more value; NaN is left out. */
PG_CHECKED pg_status pg_sheet_add(pg_sheet *sheet, int row, int column, double value, pg_error *err);
PG_CHECKED pg_status pg_sample_add(pg_sample *sample, double value, pg_error *err);
void pg_sheet_clear(pg_sheet *sheet);

/* Title, label, aligned columns. Columns that are empty in every row are left out. */
PG_CHECKED pg_status pg_sheet_print(const pg_sheet *sheet, FILE *stream, pg_error *err);

/* The same as Markdown. */
PG_CHECKED pg_status pg_sheet_write_markdown(const pg_sheet *sheet, const char *path, pg_error *err);

/* Every column as CSV, with the label in a last one. */
PG_CHECKED pg_status pg_sheet_write_csv(const pg_sheet *sheet, const char *path, pg_error *err);

#endif
