/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of a table that is too wide; see table_internal.h. */
#include "experiments/report/table_internal.h"

#include "core/base/minmax.h"

#include <string.h>

enum { COLUMNS_MOST = 12, TEXT_LEAST = 16 };

int pg_table_widest(int width)
{
    if (!width || width / 2 > PG_TABLE_WIDEST) return PG_TABLE_WIDEST;
    return width / 2 > TEXT_LEAST ? width / 2 : TEXT_LEAST;
}

/* Width of the shown columns from .. to - 1, and how many they are. */
static int width_of(const pg_table_parts *p, int from, int to, int *count)
{
    int width = 0;
    *count = 0;
    for (int c = from; c < to; c++) {
        if (!p->layout->widths[c]) continue;
        width += PG_TABLE_GAP + p->layout->widths[c];
        ++*count;
    }
    return width;
}

/* Do the columns before `to` fit in the part that begins at p->from? */
static bool fits(const pg_table_parts *p, int to)
{
    int keys, values;
    const int width = width_of(p, p->headings, p->keys, &keys) + width_of(p, p->from, to, &values);
    return keys + values <= COLUMNS_MOST && (!p->width || width <= p->width);
}

/* Should the first key move into a heading? Two keys stay if the widest column of values fits beside them. */
static bool has_long_keys(const pg_table_parts *p, int widest)
{
    int count;
    const int keys = width_of(p, p->headings, p->keys, &count);
    return keys > p->width / 3 && (count > 2 || (count > 1 && keys + widest > p->width));
}

pg_table_parts pg_table_parts_of(const pg_table *table, const pg_table_layout *layout, int width)
{
    pg_table_parts p = {.table = table, .layout = layout, .width = width, .widest = pg_table_widest(width)};
    int widest = 0;
    while (p.keys < table->column_count && table->columns[p.keys].kind == PG_COLUMN_TEXT) p.keys++;
    p.from = p.to = p.keys;
    if (fits(&p, table->column_count)) return p;
    for (int c = p.keys; c < table->column_count; c++) widest = pg_max(widest, PG_TABLE_GAP + layout->widths[c]);
    while (width && has_long_keys(&p, widest)) p.headings++;
    return p;
}

bool pg_table_parts_next(pg_table_parts *p)
{
    const int columns = p->table->column_count;
    p->first = p->count++ == 0; /* a table of keys alone has a part too */
    for (p->from = p->to; p->from < columns && !p->layout->widths[p->from];) p->from++;
    if (p->from == columns && !p->first) return false;
    p->to = p->from < columns ? p->from + 1 : columns;
    while (p->to < columns && fits(p, p->to + 1)) p->to++;
    return true;
}

bool pg_table_parts_heading(const pg_table_parts *p, int row)
{
    for (int c = 0; c < p->headings; c++)
        if (row == 0 || strcmp(pg_table_text(p->table, row, c), pg_table_text(p->table, row - 1, c)) != 0) return true;
    return false;
}

bool pg_table_parts_blank(const pg_table_parts *p, int row)
{
    for (int c = p->from; c < p->to; c++)
        if (p->layout->widths[c] && !pg_table_is_empty(p->table, row, c)) return false;
    return !p->first;
}
