/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shows a table to people: the layout, and Markdown and HTML; see table.h. */
#include "experiments/report/table_internal.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/utf8.h"
#include "experiments/report/html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- cells ---- */

enum { SHOWN = PG_TABLE_SHOWN, DIGITS = 8 };

const char *pg_shorten(const char *text, int width, char *out, size_t bytes)
{
    char hash[PG_SHA256_HEX];
    if (!text[pg_utf8_fit(text, width)]) {
        snprintf(out, bytes, "%s", text);
        return out;
    }
    pg_sha256(text, strlen(text), hash);
    snprintf(out, bytes, "%.*s\u2026%.*s", (int)pg_utf8_fit(text, width - DIGITS - 1), text, DIGITS, hash);
    return out;
}

static void show_mean(const pg_table *table, const pg_sample *s, char out[SHOWN])
{
    int used = snprintf(out, SHOWN, "%.2f", pg_sample_mean(s));
    if (s->count > 1) used += snprintf(out + used, (size_t)(SHOWN - used), " ± %.2f", pg_sample_sd(s));
    if (table->counts) snprintf(out + used, (size_t)(SHOWN - used), " (n=%d)", s->count);
}

static void show_words(const pg_table *table, const pg_sample *s, int width, char out[SHOWN])
{
    char *words = pg_table_words(table, s);
    pg_shorten(words ? words : "", width ? width : PG_TABLE_WIDEST, out, SHOWN);
    free(words);
}

const char *pg_table_show(const pg_table *table, int row, int c, int width, char out[SHOWN])
{
    const pg_sample *s = &pg_table_at(table, row, c)->sample;
    const pg_column_kind kind = table->columns[c].kind;
    if (kind == PG_COLUMN_TEXT) {
        const char *text = pg_table_text(table, row, c);
        return width ? pg_shorten(text, width, out, SHOWN) : text;
    }
    snprintf(out, SHOWN, "-");
    if (s->count == 0) return out;
    switch (kind) {
    case PG_COLUMN_TEXT: break;
    case PG_COLUMN_MEAN: show_mean(table, s, out); break;
    case PG_COLUMN_LARGEST: snprintf(out, SHOWN, "%.1e", pg_sample_max(s)); break;
    case PG_COLUMN_SMALLEST: snprintf(out, SHOWN, "%.1e", pg_sample_min(s)); break;
    case PG_COLUMN_SHARE: snprintf(out, SHOWN, "%.0f/%d", pg_sample_ones(s), s->count); break;
    case PG_COLUMN_INTERVAL: snprintf(out, SHOWN, "%.1f to %.1f", pg_sample_low(s), pg_sample_high(s)); break;
    case PG_COLUMN_COUNT: snprintf(out, SHOWN, "%d", s->count); break;
    case PG_COLUMN_WORDS: show_words(table, s, width, out); break;
    case PG_COLUMN_NUMBER: snprintf(out, SHOWN, fabs(s->one) < 1e4 ? "%.4g" : "%.0f", s->one); break;
    }
    return out;
}

static bool ends_in_percent(const char *text)
{
    const char *last = strrchr(text, '%');
    return last && !last[1];
}

/* The column's name says so, or the text of the row that names its quantity or its unit. */
static bool is_percent(const pg_table *table, int row, int c)
{
    bool percent = ends_in_percent(table->columns[c].name);
    for (int k = 0; k < table->column_count && !percent; k++)
        percent = table->columns[k].kind == PG_COLUMN_TEXT &&
                  (strcmp(table->columns[k].name, "quantity") == 0 || strcmp(table->columns[k].name, "unit") == 0) &&
                  ends_in_percent(pg_table_text(table, row, k));
    return percent;
}

void pg_table_interval(const pg_table *table, int row, int c, double *low, double *high)
{
    const pg_sample *s = &pg_table_at(table, row, c)->sample;
    const double mean = pg_sample_mean(s), margin = pg_sample_margin(s);
    const bool percent = is_percent(table, row, c);
    *low = percent ? fmax(mean - margin, 0) : mean - margin;
    *high = percent ? fmin(mean + margin, 100) : mean + margin;
}

const char *pg_table_show_interval(const pg_table *table, int row, int c, char out[SHOWN])
{
    double low, high;
    const pg_sample *s = &pg_table_at(table, row, c)->sample;
    out[0] = 0;
    if (table->columns[c].kind != PG_COLUMN_MEAN || s->count < 2) return out;
    pg_table_interval(table, row, c, &low, &high);
    snprintf(out, SHOWN, "[%.2f, %.2f]", low, high);
    return out;
}

bool pg_table_has_interval(const pg_table *table, int row, int from, int to)
{
    for (int c = from; c < to; c++)
        if (table->columns[c].kind == PG_COLUMN_MEAN && pg_table_at(table, row, c)->sample.count > 1) return true;
    return false;
}

bool pg_column_is_words(const pg_column *column)
{
    return column->kind == PG_COLUMN_TEXT || column->kind == PG_COLUMN_WORDS;
}

/* ---- layout ---- */

static bool is_common(const pg_table *table, int column)
{
    const char *first = table->row_count > 1 ? pg_table_text(table, 0, column) : "";
    if (table->columns[column].kind != PG_COLUMN_TEXT || !first[0]) return false;
    for (int row = 1; row < table->row_count; row++)
        if (strcmp(pg_table_text(table, row, column), first) != 0) return false;
    return true;
}

bool pg_table_is_empty(const pg_table *table, int row, int column)
{
    if (table->columns[column].kind == PG_COLUMN_TEXT) return !pg_table_text(table, row, column)[0];
    return pg_table_at(table, row, column)->sample.count == 0;
}

/* Width of a column; 0 if no row has anything in it. */
static int measure(const pg_table *table, int column, int widest)
{
    char text[SHOWN];
    int width = pg_utf8_width(table->columns[column].name);
    bool used = false;
    for (int row = 0; row < table->row_count; row++) {
        width = pg_max(width, pg_utf8_width(pg_table_show(table, row, column, widest, text)));
        width = pg_max(width, pg_utf8_width(pg_table_show_interval(table, row, column, text)));
        used |= !pg_table_is_empty(table, row, column);
    }
    return used ? width : 0;
}

void pg_table_layout_clear(pg_table_layout *l)
{
    pg_free(l->widths);
    pg_free(l->common);
}

pg_status pg_table_lay_out(const pg_table *table, int widest, pg_table_layout *l, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_alloc((size_t)table->column_count, sizeof *l->widths, &l->widths, err));
    PG_TRY(pg_alloc((size_t)table->column_count, sizeof *l->common, &l->common, err));
    for (int c = 0; c < table->column_count; c++) {
        l->common[c] = is_common(table, c);
        l->widths[c] = l->common[c] ? 0 : measure(table, c, widest);
    }
done:
    return status;
}

void pg_table_describe(const pg_table *table, const pg_table_layout *l, void (*put)(FILE *stream, const char *text),
                       FILE *stream)
{
    if (table->label && table->label[0]) put(stream, table->label);
    for (int c = 0; c < table->column_count; c++) {
        char *text = NULL;
        if (!l->common[c] || asprintf(&text, "%s: %s", table->columns[c].name, pg_table_text(table, 0, c)) < 0) continue;
        put(stream, text);
        free(text);
    }
}

/* ---- as Markdown ---- */

static void put_escaped(FILE *stream, const char *text)
{
    while (*text) {
        const size_t plain = strcspn(text, "|<>*_");
        fwrite(text, 1, plain, stream);
        text += plain;
        if (*text) fprintf(stream, "\\%c", *text++);
    }
}

static void put_paragraph(FILE *stream, const char *text)
{
    put_escaped(stream, text);
    fputs("\n\n", stream);
}

/* A row of the table; row -1 is the header. */
static void put_row(const pg_table *table, const pg_table_layout *l, int row, FILE *stream)
{
    char text[SHOWN];
    for (int c = 0; c < table->column_count; c++) {
        if (!l->widths[c]) continue;
        fputs("| ", stream);
        put_escaped(stream, row < 0 ? table->columns[c].name : pg_table_show(table, row, c, 0, text));
        if (row >= 0 && pg_table_show_interval(table, row, c, text)[0]) fprintf(stream, " %s", text);
        fputc(' ', stream);
    }
    fputs("|\n", stream);
}

/* A table with its layout. */
typedef struct laid_out {
    const pg_table *table;
    pg_table_layout layout;
} laid_out;

static pg_status put_markdown(FILE *stream, const void *context, pg_error *err)
{
    const pg_table *table = ((const laid_out *)context)->table;
    const pg_table_layout *l = &((const laid_out *)context)->layout;
    (void)err;
    fputs("## ", stream);
    put_paragraph(stream, table->title ? table->title : "");
    pg_table_describe(table, l, put_paragraph, stream);
    put_row(table, l, -1, stream);
    for (int c = 0; c < table->column_count; c++)
        if (l->widths[c]) fputs(pg_column_is_words(&table->columns[c]) ? "|---" : "|---:", stream);
    fputs("|\n", stream);
    for (int row = 0; row < table->row_count; row++) put_row(table, l, row, stream);
    return PG_OK;
}

pg_status pg_table_write_markdown(const pg_table *table, const char *path, pg_error *err)
{
    laid_out whole = {.table = table};
    pg_status status = pg_table_lay_out(table, PG_TABLE_WIDEST, &whole.layout, err);
    if (status == PG_OK) status = pg_file_print(path, put_markdown, &whole, PG_FILE_PUBLIC, err);
    pg_table_layout_clear(&whole.layout);
    return status;
}

/* ---- as HTML ---- */

static void put_html_line(FILE *stream, const char *text)
{
    PG_HTML(stream, "<span>$</span><br>", text);
}

static void put_html_head(const pg_table *table, const pg_table_layout *l, FILE *stream)
{
    fputs("<thead><tr>", stream);
    for (int c = 0; c < table->column_count; c++)
        if (l->widths[c])
            PG_HTML(stream, "<th$><button>$</button></th>", pg_column_is_words(&table->columns[c]) ? NULL : " class=n",
                    table->columns[c].name);
    fputs("</tr></thead>\n<tbody>\n", stream);
}

/* The value by which a column of numbers is sorted. */
static double sorted_by(const pg_table *table, int row, int c)
{
    const pg_sample *s = &pg_table_at(table, row, c)->sample;
    switch (table->columns[c].kind) {
    case PG_COLUMN_LARGEST: return pg_sample_max(s);
    case PG_COLUMN_SMALLEST: return pg_sample_min(s);
    case PG_COLUMN_COUNT: return s->count;
    case PG_COLUMN_SHARE: return pg_sample_ones(s) / s->count;
    default: return pg_sample_mean(s);
    }
}

static void put_html_row(const pg_table *table, const pg_table_layout *l, int row, FILE *stream)
{
    char text[SHOWN], interval[SHOWN], value[32];
    fputs("<tr>", stream);
    for (int c = 0; c < table->column_count; c++) {
        if (!l->widths[c]) continue;
        const char *shown = pg_table_show(table, row, c, 0, text);
        const bool number = !pg_column_is_words(&table->columns[c]) && !pg_table_is_empty(table, row, c);
        if (number) snprintf(value, sizeof value, "%.9g", sorted_by(table, row, c));
        if (number && pg_table_show_interval(table, row, c, interval)[0])
            PG_HTML(stream, "<td class=\"n\" data-v=\"$\">$ <small>$</small></td>", value, shown, interval);
        else if (number)
            PG_HTML(stream, "<td class=\"n\" data-v=\"$\">$</td>", value, shown);
        else
            PG_HTML(stream, pg_column_is_words(&table->columns[c]) ? "<td class=\"t\">$</td>" : "<td class=\"n\">$</td>",
                    shown);
    }
    fputs("</tr>\n", stream);
}

pg_status pg_table_print_html(const pg_table *table, FILE *stream, pg_error *err)
{
    pg_table_layout l = {0};
    pg_status status = PG_OK;
    PG_TRY(pg_table_lay_out(table, PG_TABLE_WIDEST, &l, err));
    fputs("<div class=\"wide\"><table class=\"sort\">\n<caption>", stream);
    pg_table_describe(table, &l, put_html_line, stream);
    fputs("</caption>\n", stream);
    put_html_head(table, &l, stream);
    for (int row = 0; row < table->row_count; row++) put_html_row(table, &l, row, stream);
    fputs("</tbody></table></div>\n", stream);
done:
    pg_table_layout_clear(&l);
    return status;
}
