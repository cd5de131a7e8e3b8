/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints a table as aligned text; see table.h.
 *
 * A table that is too wide is printed in several parts. Each part has as many columns of values as fit, after the columns of
 * texts that say what a row is about. While those texts take more than a third of the width, the first of them becomes a
 * heading above its rows. */
#include "experiments/report/table_internal.h"

#include "core/base/terminal.h"
#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 2, COLUMNS_MOST = 12, TEXT_LEAST = 16 };

typedef struct sheet {
    const pg_table *table;
    const pg_table_layout *layout;
    FILE *stream;
    int width;    /* of the terminal; 0: no limit */
    int widest;   /* most columns of a text */
    int keys;     /* the columns before this one say what a row is about */
    int headings; /* those before this one are headings */
    int from, to; /* columns of values in this part: from .. to - 1 */
} sheet;

static void pad(FILE *stream, const char *text, int width, bool left)
{
    const int gap = width - pg_utf8_width(text);
    if (left)
        fprintf(stream, "%s%*s", text, gap, "");
    else
        fprintf(stream, "%*s%s", gap, "", text);
}

static void put_bracketed(FILE *stream, const char *text)
{
    char *line = NULL;
    if (asprintf(&line, "[%s]", text) < 0) return;
    pg_print_wrapped(stream, line, pg_terminal_columns(stream), 1);
    free(line);
}

/* ---- parts ---- */

/* Width of the shown columns from .. to - 1, and how many they are. */
static int width_of(const sheet *s, int from, int to, int *count)
{
    int width = 0;
    *count = 0;
    for (int c = from; c < to; c++) {
        width += s->layout->widths[c] ? GAP + s->layout->widths[c] : 0;
        *count += s->layout->widths[c] > 0;
    }
    return width;
}

static bool fits(const sheet *s, int to)
{
    int keys, values;
    const int width = width_of(s, s->headings, s->keys, &keys) + width_of(s, s->from, to, &values);
    return keys + values <= COLUMNS_MOST && (!s->width || width <= s->width);
}

/* Turn texts into headings until the others leave room for values; two stay. */
static void choose_headings(sheet *s)
{
    int count;
    while (s->width && width_of(s, s->headings, s->keys, &count) > s->width / 3 && count > 2) s->headings++;
}

/* The next part begins at s->from: as many columns as fit, and one at least. */
static void choose_part(sheet *s)
{
    s->to = s->from + 1;
    while (s->to < s->table->column_count && fits(s, s->to + 1)) s->to++;
}

/* ---- rows ---- */

static void print_columns(const sheet *s, int row, int from, int to)
{
    char text[PG_TABLE_SHOWN];
    for (int c = from; c < to; c++) {
        if (!s->layout->widths[c]) continue;
        const char *shown = row < 0 ? s->table->columns[c].name : pg_table_show(s->table, row, c, s->widest, text);
        fprintf(s->stream, "%*s", GAP, "");
        pad(s->stream, shown, s->layout->widths[c], pg_column_is_words(&s->table->columns[c]));
    }
}

/* A row of the part; row -1 is the header. */
static void print_row(const sheet *s, int row)
{
    print_columns(s, row, s->headings, s->keys);
    print_columns(s, row, s->from, s->to);
    fputc('\n', s->stream);
}

static bool same_heading(const sheet *s, int row)
{
    for (int c = 0; c < s->headings; c++)
        if (row == 0 || strcmp(pg_table_text(s->table, row, c), pg_table_text(s->table, row - 1, c)) != 0) return false;
    return true;
}

static void print_heading(const sheet *s, int row)
{
    char text[PG_TABLE_SHOWN];
    const char *before = "";
    for (int c = 0; c < s->headings; c++) {
        if (!s->layout->widths[c]) continue;
        fprintf(s->stream, "%s%s %s", before, s->table->columns[c].name, pg_table_show(s->table, row, c, s->widest, text));
        before = ", ";
    }
    fputc('\n', s->stream);
}

/* Does a row have anything in this part? */
static bool is_blank(const sheet *s, int row)
{
    for (int c = s->from; c < s->to; c++) {
        const bool text = s->table->columns[c].kind == PG_COLUMN_TEXT;
        if (s->layout->widths[c] &&
            (text ? pg_table_text(s->table, row, c)[0] != 0 : pg_table_at(s->table, row, c)->sample.count > 0))
            return false;
    }
    return s->from > s->keys;
}

static void print_part(const sheet *s)
{
    int shown;
    if (!width_of(s, s->from, s->to, &shown) && s->from > s->keys) return;
    if (s->from > s->keys) fputc('\n', s->stream);
    print_row(s, -1);
    for (int row = 0; row < s->table->row_count; row++) {
        if (!same_heading(s, row)) print_heading(s, row);
        if (!is_blank(s, row)) print_row(s, row);
    }
}

pg_status pg_table_print(const pg_table *table, FILE *stream, pg_error *err)
{
    pg_table_layout l = {0};
    sheet s = {.table = table, .layout = &l, .stream = stream, .width = pg_terminal_columns(stream), .widest = PG_TABLE_WIDEST};
    pg_status status = PG_OK;
    if (s.width && s.width / 2 < s.widest) s.widest = s.width / 2 > TEXT_LEAST ? s.width / 2 : TEXT_LEAST;
    PG_TRY(pg_table_lay_out(table, s.widest, &l, err));
    while (s.keys < table->column_count && table->columns[s.keys].kind == PG_COLUMN_TEXT) s.keys++;
    s.from = s.keys;
    pg_print_wrapped(stream, table->title ? table->title : "", s.width, 0);
    pg_table_describe(table, &l, put_bracketed, stream);
    if (!fits(&s, table->column_count)) choose_headings(&s);
    do {
        choose_part(&s);
        print_part(&s);
        s.from = s.to;
    } while (s.from < table->column_count);
done:
    pg_table_layout_clear(&l);
    return status;
}
