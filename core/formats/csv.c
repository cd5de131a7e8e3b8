/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comma-separated tables; see csv.h. The reader removes quotes in place, because a cell is never longer than its source. */
#include "core/formats/csv.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/text_pool.h"
#include "core/base/utf8.h"
#include "core/formats/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- writing ---- */

pg_status pg_csv_start(pg_csv_writer *csv, pg_error *err)
{
    *csv = (pg_csv_writer){0};
    csv->stream = open_memstream(&csv->text, &csv->bytes);
    return csv->stream ? PG_OK : pg_fail(err, PG_NO_MEMORY, "out of memory for a table");
}

static bool needs_quotes(const char *text)
{
    if (text[0] == 0) return false;
    const bool marked = strncmp(text, "\xEF\xBB\xBF", 3) == 0; /* would be a byte order mark at the start of the file */
    return strpbrk(text, ",\"\r\n") || text[0] == ' ' || text[strlen(text) - 1] == ' ' || marked;
}

void pg_csv_text(pg_csv_writer *csv, const char *text)
{
    if (csv->cells++ > 0) fputc(',', csv->stream);
    if (!needs_quotes(text)) {
        fputs(text, csv->stream);
        return;
    }
    fputc('"', csv->stream);
    for (const char *quote; (quote = strchr(text, '"')); text = quote + 1) {
        fwrite(text, 1, (size_t)(quote - text), csv->stream);
        fputs("\"\"", csv->stream);
    }
    fprintf(csv->stream, "%s\"", text);
}

/* Words that pandas, R, Julia, SAS and spreadsheets read as missing values, and those that pg_csv_word itself writes. */
static bool reads_as_missing(const char *text)
{
    static const char *const words[] = {"",     "-",    "na",  "n/a",     "#n/a",      "#n/a n/a", "#na",     "<na>",
                                        "n.a.", "null", "nan", "-nan",    "1.#ind",    "-1.#ind",  "1.#qnan", "-1.#qnan",
                                        "none", "nil",  "nat", "missing", "undefined", ".",        "?"};
    const size_t blanks = strspn(text, " "), length = strlen(text + blanks);
    if (length > 0 && !strchr("#-.1<?MNUmnu'", text[blanks])) return false; /* no word begins so */
    size_t end = length;
    while (end > 0 && text[blanks + end - 1] == ' ') end--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == end && strncasecmp(text + blanks, words[i], end) == 0) return true;
    return text[0] == '\'';
}

void pg_csv_word(pg_csv_writer *csv, const char *text)
{
    char *quoted = NULL;
    if (!text[0])
        text = "-";
    else if (reads_as_missing(text) && asprintf(&quoted, "'%s'", text) < 0)
        quoted = NULL;
    pg_csv_text(csv, quoted ? quoted : text);
    free(quoted);
}

void pg_csv_int(pg_csv_writer *csv, long long value)
{
    char text[PG_NUMBER_MAX];
    snprintf(text, sizeof text, "%lld", value);
    pg_csv_text(csv, text);
}

void pg_csv_real(pg_csv_writer *csv, double value)
{
    char text[PG_NUMBER_MAX];
    pg_csv_text(csv, pg_number_text(value, text));
}

void pg_csv_float(pg_csv_writer *csv, float value)
{
    char text[PG_NUMBER_MAX];
    pg_csv_text(csv, pg_number_text_float(value, text));
}

void pg_csv_end_row(pg_csv_writer *csv)
{
    fputc('\n', csv->stream);
    if (csv->row++ == 0) csv->columns = csv->cells;
    if (csv->cells != csv->columns || csv->cells == 0) csv->ragged = true;
    csv->cells = 0;
}

void pg_csv_append(pg_csv_writer *csv, const pg_csv_writer *from)
{
    fflush(from->stream);
    if (csv->cells > 0 && from->cells > 0) fputc(',', csv->stream);
    fwrite(from->text, 1, from->bytes, csv->stream);
    csv->cells += from->cells;
}

void pg_csv_row(pg_csv_writer *csv, const char *const *cells)
{
    for (; *cells; cells++) pg_csv_text(csv, *cells);
    pg_csv_end_row(csv);
}

pg_status pg_csv_finish(pg_csv_writer *csv, char **text, size_t *bytes, pg_error *err)
{
    pg_status status = PG_OK;
    const bool lost = fflush(csv->stream) != 0 || ferror(csv->stream);
    if (lost) PG_TRY(pg_fail(err, PG_NO_MEMORY, "out of memory for a table"));
    if (csv->ragged || csv->cells > 0) PG_TRY(pg_fail(err, PG_FAILED, "the rows of a table differ in length"));
    PG_TRY(pg_strdup(csv->text, text, err));
    if (bytes) *bytes = csv->bytes;
done:
    pg_csv_abandon(csv);
    return status;
}

void pg_csv_abandon(pg_csv_writer *csv)
{
    if (!csv->stream) return;
    fclose(csv->stream);
    free(csv->text);
    *csv = (pg_csv_writer){0};
}

typedef struct filling {
    pg_csv_filler *fill;
    const void *context;
} filling;

static pg_status print_table(FILE *stream, const void *context, pg_error *err)
{
    const filling *f = context;
    pg_csv_writer csv = {.stream = stream};
    f->fill(&csv, f->context);
    if (csv.ragged || csv.cells > 0) return pg_fail(err, PG_FAILED, "the rows of a table differ in length");
    return PG_OK;
}

pg_status pg_csv_write(const char *path, pg_csv_filler *fill, const void *context, pg_error *err)
{
    const filling f = {.fill = fill, .context = context};
    return pg_file_print(path, print_table, &f, PG_FILE_PUBLIC, err);
}

/* ---- reading ---- */

struct pg_csv_table {
    char *path, *data;
    char **cells; /* [rows + 1][columns]: the header, then the rows; they point into data */
    int *lines;   /* [rows + 1] */
    size_t rows, columns;
};

typedef struct cursor {
    char *at, *end; /* the text not yet read; *end is a zero byte */
    int line;
} cursor;

static pg_status fail_at(const pg_csv_table *table, int line, pg_error *err, const char *what)
{
    return pg_fail(err, PG_BAD_INPUT, "%s:%d: %s", table->path, line, what);
}

/* Take the cell at the cursor, with quotes removed in place. *after is the character after it: ',', '\n', or 0 at the end of
 * the file. */
static pg_status take_cell(const pg_csv_table *table, cursor *c, char **cell, char *after, pg_error *err)
{
    char *out = *cell = c->at;
    if (*c->at != '"') {
        const size_t length = strcspn(c->at, ",\"\r\n");
        out = c->at += length;
    } else {
        const int start = c->line;
        for (c->at++; *c->at != '"' || *++c->at == '"';) {
            if (c->at == c->end) return fail_at(table, start, err, "a quoted cell has no closing quote");
            if (*c->at == '\n') c->line++;
            *out++ = *c->at++;
        }
    }
    if (c->at[0] == '\r' && c->at[1] == '\n') c->at++;
    *after = *c->at;
    if (c->at < c->end) c->at++;
    *out = 0;
    if (*after != ',' && *after != '\n' && *after != 0)
        return fail_at(table, c->line, err, "expected a comma or the end of the line after a cell");
    return PG_OK;
}

/* Take one row into cells, which has room for it, and set *count. */
static pg_status take_row(const pg_csv_table *table, cursor *c, char **cells, size_t *count, pg_error *err)
{
    char after = ',';
    for (*count = 0; after == ',';) {
        const pg_status status = take_cell(table, c, &cells[(*count)++], &after, err);
        if (status != PG_OK) return status;
    }
    if (after == '\n') c->line++;
    return PG_OK;
}

/* PG_BAD_INPUT if two columns have the same name. */
static pg_status check_names(const pg_csv_table *table, pg_error *err)
{
    pg_text_pool names = {0};
    pg_status status = PG_OK;
    for (size_t i = 0; i < table->columns && status == PG_OK; i++) {
        status = pg_text_pool_keep(&names, table->cells[i], NULL, NULL, err);
        if (status == PG_OK && (size_t)names.count == i)
            status = pg_fail(err, PG_BAD_INPUT, "%s:1: two columns are called '%s'", table->path, table->cells[i]);
    }
    pg_text_pool_clear(&names);
    return status;
}

static pg_status take_rows(pg_csv_table *table, cursor c, pg_error *err)
{
    size_t rows = 0;
    while (c.at < c.end) {
        size_t count = 0;
        const int line = table->lines[rows] = c.line;
        const pg_status status = take_row(table, &c, table->cells + rows * table->columns, &count, err);
        if (status != PG_OK) return status;
        if (rows == 0) table->columns = count;
        if (count != table->columns)
            return pg_fail(err, PG_BAD_INPUT, "%s:%d: expected %zu cells, got %zu", table->path, line, table->columns, count);
        rows++;
    }
    if (rows == 0) return fail_at(table, 1, err, "expected a line of column names, got nothing");
    table->rows = rows - 1;
    return check_names(table, err);
}

pg_status pg_csv_read(const char *path, pg_csv_table **out, pg_error *err)
{
    pg_csv_table *table = NULL;
    size_t bytes = 0, cells = 1, lines = 1;
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(1, sizeof *table, &table, err));
    PG_TRY(pg_strdup(path, &table->path, err));
    PG_TRY(pg_file_read_text(path, &table->data, &bytes, err));
    for (size_t i = 0, length; i < bytes; i += length) {
        unsigned code = 0;
        length = pg_utf8_character(table->data + i, bytes - i, &code);
        if (length == 0) PG_TRY(fail_at(table, (int)lines, err, "not UTF-8"));
        if (code == 0) PG_TRY(fail_at(table, (int)lines, err, "the line has a zero byte"));
        lines += code == '\n';
        cells += code == '\n' || code == ',';
    }
    PG_TRY(pg_alloc(cells, sizeof *table->cells, &table->cells, err));
    PG_TRY(pg_alloc(lines, sizeof *table->lines, &table->lines, err));
    PG_TRY(take_rows(table, (cursor){.at = table->data, .end = table->data + bytes, .line = 1}, err));
    *out = table;
    table = NULL;
done:
    pg_csv_close(&table);
    return status;
}

void pg_csv_close(pg_csv_table **table)
{
    if (!*table) return;
    pg_free((*table)->path);
    pg_free((*table)->data);
    pg_free((*table)->cells);
    pg_free((*table)->lines);
    pg_free(*table);
    *table = NULL;
}

size_t pg_csv_rows(const pg_csv_table *table)
{
    return table->rows;
}

size_t pg_csv_columns(const pg_csv_table *table)
{
    return table->columns;
}

const char *pg_csv_name(const pg_csv_table *table, size_t column)
{
    return table->cells[column];
}

pg_status pg_csv_column(const pg_csv_table *table, const char *name, size_t *column, pg_error *err)
{
    for (size_t i = 0; i < table->columns; i++) {
        if (strcmp(table->cells[i], name) != 0) continue;
        *column = i;
        return PG_OK;
    }
    return pg_fail(err, PG_BAD_INPUT, "%s:1: no column '%s'", table->path, name);
}

const char *pg_csv_cell(const pg_csv_table *table, size_t row, size_t column)
{
    return table->cells[(row + 1) * table->columns + column];
}

int pg_csv_line(const pg_csv_table *table, size_t row)
{
    return table->lines[row + 1];
}

pg_status pg_csv_number(const pg_csv_table *table, size_t row, size_t column, double *value, pg_error *err)
{
    const char *text = pg_csv_cell(table, row, column);
    if (pg_number_real(text, value)) return PG_OK;
    if (strcmp(text, "nan") == 0)
        *value = (double)NAN;
    else if (strcmp(text, "inf") == 0)
        *value = (double)INFINITY;
    else if (strcmp(text, "-inf") == 0)
        *value = -(double)INFINITY;
    else
        return pg_fail(err, PG_BAD_INPUT, "%s:%d: %s: expected a number, got \"%.40s\"", table->path, pg_csv_line(table, row),
                       pg_csv_name(table, column), text);
    return PG_OK;
}
