/* Comma-separated tables with a header line, quoted as in RFC 4180, lines ended by \n.
 *
 * The writer fills a text; the reader gives cells by the name of their column. Numbers are written as number.h does, in any
 * locale. */
#ifndef PG_FORMATS_CSV_H
#define PG_FORMATS_CSV_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A table being written. Cells cannot fail one by one: what goes wrong is kept for pg_csv_finish. */
typedef struct pg_csv_writer {
    FILE *stream;
    char *text;
    size_t bytes;
    int row, cells, columns; /* of the current row; columns of the first */
    bool ragged;
} pg_csv_writer;

PG_CHECKED pg_status pg_csv_start(pg_csv_writer *csv, pg_error *err);

/* Append a cell to the current row; end the row. The first row is the header, and all must be as long. */
void pg_csv_text(pg_csv_writer *csv, const char *text);
/* A text that no reader mistakes for a missing value: writes "-" for an empty text, and puts words that statistics programs
 * read as missing (NA, null, None, in any case) in single quotes. */
void pg_csv_word(pg_csv_writer *csv, const char *text);
void pg_csv_int(pg_csv_writer *csv, long long value);
void pg_csv_real(pg_csv_writer *csv, double value);
void pg_csv_float(pg_csv_writer *csv, float value);
void pg_csv_end_row(pg_csv_writer *csv);

/* A whole row of texts; cells end with NULL. */
void pg_csv_row(pg_csv_writer *csv, const char *const *cells);

/* End the writer. The text is freed by pg_free; *bytes, which may be NULL, is its length. PG_FAILED if a row was too long or
 * too short, or was not ended. */
PG_CHECKED pg_status pg_csv_finish(pg_csv_writer *csv, char **text, size_t *bytes, pg_error *err);
/* End it without a result; after pg_csv_finish, or on a zeroed writer, this does nothing. */
void pg_csv_abandon(pg_csv_writer *csv);

/* Write a table to a file (pg_file_print). fill writes it row by row and is called twice if the file changes. PG_FAILED as
 * above. */
typedef void pg_csv_filler(pg_csv_writer *csv, const void *context);
PG_CHECKED pg_status pg_csv_write(const char *path, pg_csv_filler *fill, const void *context, pg_error *err);

/* A table that was read. Rows count from 0, without the header. */
typedef struct pg_csv_table pg_csv_table;

/* Errors of content are PG_BAD_INPUT, "file:line: ...": rows of unequal length, bad quotes, zero bytes, invalid UTF-8,
 * repeated column names. */
PG_CHECKED pg_status pg_csv_read(const char *path, pg_csv_table **out, pg_error *err);
void pg_csv_close(pg_csv_table **table);

size_t pg_csv_rows(const pg_csv_table *table);
size_t pg_csv_columns(const pg_csv_table *table);
const char *pg_csv_name(const pg_csv_table *table, size_t column);

/* Index of the column of that name; PG_BAD_INPUT if there is none. */
PG_CHECKED pg_status pg_csv_column(const pg_csv_table *table, const char *name, size_t *column, pg_error *err);

/* Text of a cell, owned by the table; its number (nan, inf and -inf are allowed), else PG_BAD_INPUT; line of a row in the file,
 * for messages. */
const char *pg_csv_cell(const pg_csv_table *table, size_t row, size_t column);
PG_CHECKED pg_status pg_csv_number(const pg_csv_table *table, size_t row, size_t column, double *value, pg_error *err);
int pg_csv_line(const pg_csv_table *table, size_t row);

#endif
