/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints a table as aligned text; see table.h. */
#include "experiments/report/table_internal.h"

#include "core/base/terminal.h"
#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = PG_TABLE_GAP };

/* Print a text in so many columns. Blanks are owed until a text follows, so that no line ends in blanks. */
static void pad(FILE *stream, const char *text, int width, bool left, int *owed)
{
    const int gap = width - pg_utf8_width(text);
    *owed += left ? 0 : gap;
    if (text[0]) {
        fprintf(stream, "%*s%s", *owed, "", text);
        *owed = 0;
    }
    *owed += left ? gap : 0;
}

static void put_bracketed(FILE *stream, const char *text)
{
    char *line = NULL;
    if (asprintf(&line, "[%s]", text) < 0) return;
    pg_print_wrapped(stream, line, pg_terminal_columns(stream), 1);
    free(line);
}

/* ---- rows ---- */

static void print_columns(const pg_table_parts *s, int row, int from, int to, int *owed, FILE *stream)
{
    char text[PG_TABLE_SHOWN];
    for (int c = from; c < to; c++) {
        if (!s->layout->widths[c]) continue;
        const char *shown = row < 0 ? s->table->columns[c].name : pg_table_show(s->table, row, c, s->widest, text);
        *owed += GAP;
        pad(stream, shown, s->layout->widths[c], pg_column_is_words(&s->table->columns[c]), owed);
    }
}

/* The intervals of a row, below its means. */
static void print_intervals(const pg_table_parts *s, int row, FILE *stream)
{
    char text[PG_TABLE_SHOWN];
    int owed = 0;
    if (!pg_table_has_interval(s->table, row, s->from, s->to)) return;
    for (int c = s->headings; c < s->to; c++) {
        if (!s->layout->widths[c] || (c >= s->keys && c < s->from)) continue;
        owed += GAP;
        pad(stream, pg_table_show_interval(s->table, row, c, text), s->layout->widths[c], false, &owed);
    }
    fputc('\n', stream);
}

/* A row of the part; row -1 is the header. */
static void print_row(const pg_table_parts *s, int row, FILE *stream)
{
    int owed = 0;
    print_columns(s, row, s->headings, s->keys, &owed, stream);
    print_columns(s, row, s->from, s->to, &owed, stream);
    fputc('\n', stream);
    if (row >= 0) print_intervals(s, row, stream);
}

static void print_heading(const pg_table_parts *s, int row, FILE *stream)
{
    char text[PG_TABLE_SHOWN];
    const char *before = "";
    for (int c = 0; c < s->headings; c++) {
        if (!s->layout->widths[c]) continue;
        fprintf(stream, "%s%s %s", before, s->table->columns[c].name, pg_table_show(s->table, row, c, s->widest, text));
        before = ", ";
    }
    fputc('\n', stream);
}

static void print_part(const pg_table_parts *s, FILE *stream)
{
    if (!s->first) fputc('\n', stream);
    print_row(s, -1, stream);
    for (int row = 0; row < s->table->row_count; row++) {
        if (pg_table_parts_heading(s, row)) print_heading(s, row, stream);
        if (!pg_table_parts_blank(s, row)) print_row(s, row, stream);
    }
}

pg_status pg_table_print(const pg_table *table, FILE *stream, pg_error *err)
{
    pg_table_layout l = {0};
    const int width = pg_terminal_columns(stream);
    pg_status status = PG_OK;
    PG_TRY(pg_table_lay_out(table, pg_table_widest(width), &l, err));
    pg_print_wrapped(stream, table->title ? table->title : "", width, 0);
    pg_table_describe(table, &l, put_bracketed, stream);
    pg_table_parts parts = pg_table_parts_of(table, &l, width);
    while (pg_table_parts_next(&parts)) print_part(&parts, stream);
done:
    pg_table_layout_clear(&l);
    return status;
}
