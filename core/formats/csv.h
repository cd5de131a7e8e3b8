/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comma-separated tables with a header line, quoted as in RFC 4180, lines ended by \n.
 *
 * The writer makes a text or a file; the reader finds columns by name. Numbers are written by number.h, whatever the locale. */
#ifndef PG_FORMATS_CSV_H
#define PG_FORMATS_CSV_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A table being written. Adding a cell returns no status; pg_csv_finish and pg_csv_write report what went wrong. */
typedef struct pg_csv_writer {
    FILE *stream;
    char *text;
    size_t bytes;
    int row, cells, columns; /* of the current row; columns of the first */
    bool ragged;
} pg_csv_writer;

PG_CHECKED pg_status pg_csv_start(pg_csv_writer *csv, pg_error *err);

/* Append a cell to the current row; end the row. The first row is the header; every row must have as many cells. */
void pg_csv_text(pg_csv_writer *csv, const char *text);
/* A text that no reader mistakes for a missing value: writes "-" for an empty text, and puts words that statistics programs
 * read as missing (NA, null, None, in any case) in single quotes. */
void pg_csv_word(pg_csv_writer *csv, const char *text);
void pg_csv_int(pg_csv_writer *csv, long long value);
void pg_csv_real(pg_csv_writer *csv, double value);
void pg_csv_float(pg_csv_writer *csv, float value);
void pg_csv_end_row(pg_csv_writer *csv);

/* Append the cells that another writer has so far, which are the beginning of several rows. */
void pg_csv_append(pg_csv_writer *csv, const pg_csv_writer *from);

/* Append a whole row of texts; cells is ended by NULL. */
void pg_csv_row(pg_csv_writer *csv, const char *const *cells);

/* End the writer. The caller frees *text with pg_free; *bytes is its length (bytes may be NULL). PG_FAILED if a row was too
 * long, too short or not ended. */
PG_CHECKED pg_status pg_csv_finish(pg_csv_writer *csv, char **text, size_t *bytes, pg_error *err);
/* End the writer and discard the text. Does nothing after pg_csv_finish or on a zeroed writer. */
void pg_csv_abandon(pg_csv_writer *csv);

/* Write a table to a file (pg_file_print). fill writes the rows; it is called twice if the file changes. PG_FAILED as above. */
typedef void pg_csv_filler(pg_csv_writer *csv, const void *context);
PG_CHECKED pg_status pg_csv_write(const char *path, pg_csv_filler *fill, const void *context, pg_error *err);

/* A table that was read. Rows count from 0 and do not include the header. */
typedef struct pg_csv_table pg_csv_table;

/* PG_BAD_INPUT, "file:line: ...", for rows of unequal length, bad quotes, zero bytes, invalid UTF-8 and repeated column names.
 */
PG_CHECKED pg_status pg_csv_read(const char *path, pg_csv_table **out, pg_error *err);
void pg_csv_close(pg_csv_table **table);

size_t pg_csv_rows(const pg_csv_table *table);
size_t pg_csv_columns(const pg_csv_table *table);
const char *pg_csv_name(const pg_csv_table *table, size_t column);

/* Set *column to the index of the column called name; PG_BAD_INPUT if there is none. */
PG_CHECKED pg_status pg_csv_column(const pg_csv_table *table, const char *name, size_t *column, pg_error *err);

/* pg_csv_cell: text of a cell, owned by the table. pg_csv_number: the number in a cell (nan, inf and -inf are allowed);
 * PG_BAD_INPUT if it is none. pg_csv_line: line of a row in the file, for messages. */
const char *pg_csv_cell(const pg_csv_table *table, size_t row, size_t column);
PG_CHECKED pg_status pg_csv_number(const pg_csv_table *table, size_t row, size_t column, double *value, pg_error *err);
int pg_csv_line(const pg_csv_table *table, size_t row);

#endif
