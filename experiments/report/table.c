/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables; see table.h. Means and standard deviations (n - 1) are GSL's. */
#include "experiments/report/table.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/csv.h"

#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---- */

pg_status pg_table_column(pg_table *table, const char *name, pg_column_kind kind, pg_error *err)
{
    pg_column column = {.kind = kind};
    for (int c = 0; c < table->column_count; c++)
        if (strcmp(table->columns[c].name, name) == 0) return pg_fail(err, PG_FAILED, "two columns are called '%s'", name);
    pg_status status = pg_text_pool_keep(&table->texts, name, &column.name, NULL, err);
    if (status == PG_OK) status = pg_grow(&table->columns, table->column_count, sizeof *table->columns, err);
    if (status == PG_OK) table->columns[table->column_count++] = column;
    return status;
}

pg_status pg_table_columns(pg_table *table, const pg_column *columns, pg_error *err)
{
    pg_status status = PG_OK;
    for (; columns->name && status == PG_OK; columns++) status = pg_table_column(table, columns->name, columns->kind, err);
    return status;
}

pg_status pg_table_row(pg_table *table, int *row, pg_error *err, const char *key, ...)
{
    va_list arguments;
    va_start(arguments, key);
    pg_status status = pg_text_pool_vprint(&table->keys, NULL, row, err, key, arguments);
    va_end(arguments);
    if (status != PG_OK || *row < table->row_count) return status;
    status = pg_grow(&table->cells, table->row_count, (size_t)table->column_count * sizeof *table->cells, err);
    if (status == PG_OK) table->row_count++;
    return status;
}

pg_table_cell *pg_table_at(const pg_table *table, int row, int column)
{
    return &table->cells[(size_t)row * (size_t)table->column_count + (size_t)column];
}

const char *pg_table_text(const pg_table *table, int row, int column)
{
    const char *text = pg_table_at(table, row, column)->text;
    return text ? text : "";
}

pg_status pg_table_put(pg_table *table, int row, int column, const char *const *texts, pg_error *err)
{
    pg_status status = PG_OK;
    for (; *texts && status == PG_OK; texts++, column++)
        status = pg_text_pool_keep(&table->texts, *texts, &pg_table_at(table, row, column)->text, NULL, err);
    return status;
}

/* Room for 7, 15, 31, ... values, because pg_alloc rounds up to the next line of memory. The first value stands in the sample
 * itself: most samples have one. */
static pg_status make_room(pg_sample *sample, pg_error *err)
{
    const int count = sample->count;
    double *more = NULL;
    if (count > 1 && (count < 7 || (count & (count + 1)) != 0)) return PG_OK;
    const pg_status status = pg_alloc(count < 7 ? 7 : 2 * (size_t)count + 1, sizeof *more, &more, err);
    if (status != PG_OK) return status;
    memcpy(more, pg_sample_values(sample), (size_t)count * sizeof *more);
    if (count > 1) pg_free(sample->values);
    sample->values = more;
    return PG_OK;
}

pg_status pg_sample_add(pg_sample *sample, double value, pg_error *err)
{
    if (isnan(value)) return PG_OK;
    if (sample->count == 0) {
        *sample = (pg_sample){.count = 1, .one = value};
        return PG_OK;
    }
    const pg_status status = make_room(sample, err);
    if (status == PG_OK) sample->values[sample->count++] = value;
    return status;
}

pg_status pg_sample_copy(const pg_sample *from, pg_sample *out, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < from->count && status == PG_OK; i++) status = pg_sample_add(out, pg_sample_values(from)[i], err);
    return status;
}

const double *pg_sample_values(const pg_sample *sample)
{
    return sample->count > 1 ? sample->values : &sample->one;
}

void pg_sample_clear(pg_sample *sample)
{
    if (sample->count > 1) pg_free(sample->values);
    *sample = (pg_sample){0};
}

pg_status pg_table_add(pg_table *table, int row, int column, double value, pg_error *err)
{
    return pg_sample_add(&pg_table_at(table, row, column)->sample, value, err);
}

void pg_table_clear(pg_table *table)
{
    for (int row = 0; row < table->row_count; row++)
        for (int c = 0; c < table->column_count; c++)
            if (table->columns[c].kind != PG_COLUMN_TEXT) pg_sample_clear(&pg_table_at(table, row, c)->sample);
    pg_free(table->columns);
    pg_free(table->cells);
    pg_text_pool_clear(&table->texts);
    pg_text_pool_clear(&table->keys);
    *table = (pg_table){0};
}

/* ---- as text ---- */

/* A text as it is shown takes at most WIDEST columns of a terminal; a number needs less than SHOWN bytes. */
enum { WIDEST = 64, SHOWN = 4 * WIDEST + 1, DIGITS = 8 };

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

static double share_of(const pg_sample *s)
{
    const double *values = pg_sample_values(s);
    double sum = 0;
    for (int i = 0; i < s->count; i++) sum += values[i] > 0.5;
    return sum;
}

/* Statistics of a sample that is not empty. */
static double mean_of(const pg_sample *s)
{
    return gsl_stats_mean(pg_sample_values(s), 1, (size_t)s->count);
}

static double spread_of(const pg_sample *s)
{
    return s->count > 1 ? gsl_stats_sd(pg_sample_values(s), 1, (size_t)s->count) : 0;
}

static double largest_of(const pg_sample *s)
{
    return gsl_stats_max(pg_sample_values(s), 1, (size_t)s->count);
}

static double smallest_of(const pg_sample *s)
{
    return gsl_stats_min(pg_sample_values(s), 1, (size_t)s->count);
}

static void show_mean(const pg_table *table, const pg_sample *s, char out[SHOWN])
{
    int used = snprintf(out, SHOWN, "%.2f", mean_of(s));
    if (s->count > 1) used += snprintf(out + used, (size_t)(SHOWN - used), " ± %.2f", spread_of(s));
    if (table->counts) snprintf(out + used, (size_t)(SHOWN - used), " (n=%d)", s->count);
}

/* The words of a sample, freed by free; NULL without memory. */
static char *find_words(const pg_table *table, const pg_sample *s)
{
    int counts[PG_WORDS_MAX] = {0}, kinds = 0;
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return NULL;
    for (int i = 0; i < s->count; i++) kinds += counts[(int)pg_sample_values(s)[i]]++ == 0;
    for (int k = 0, said = 0; k < PG_WORDS_MAX; k++) {
        if (!counts[k]) continue;
        fprintf(stream, "%s%s", said++ ? "; " : "", table->word(k));
        if (kinds > 1) fprintf(stream, ": %d", counts[k]);
    }
    return fclose(stream) == 0 ? text : NULL;
}

static void show_words(const pg_table *table, const pg_sample *s, char out[SHOWN])
{
    char *words = find_words(table, s);
    pg_shorten(words ? words : "", WIDEST, out, SHOWN);
    free(words);
}

/* Text of a cell, in out or in the pool; a text is cut to `width` columns, unless width is 0. */
static const char *show(const pg_table *table, int row, int c, int width, char out[SHOWN])
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
    case PG_COLUMN_LARGEST: snprintf(out, SHOWN, "%.1e", largest_of(s)); break;
    case PG_COLUMN_SMALLEST: snprintf(out, SHOWN, "%.1e", smallest_of(s)); break;
    case PG_COLUMN_SHARE: snprintf(out, SHOWN, "%.0f/%d", share_of(s), s->count); break;
    case PG_COLUMN_COUNT: snprintf(out, SHOWN, "%d", s->count); break;
    case PG_COLUMN_WORDS: show_words(table, s, out); break;
    case PG_COLUMN_NUMBER: snprintf(out, SHOWN, fabs(s->one) < 1e4 ? "%.4g" : "%.0f", s->one); break;
    }
    return out;
}

static void pad(FILE *stream, const char *text, int width, bool left)
{
    const int gap = width - pg_utf8_width(text);
    if (left)
        fprintf(stream, "%s%*s", text, gap, "");
    else
        fprintf(stream, "%*s%s", gap, "", text);
}

static bool is_words(const pg_column *column)
{
    return column->kind == PG_COLUMN_TEXT || column->kind == PG_COLUMN_WORDS;
}

/* Layout of a table for readers. */
typedef struct layout {
    int *widths;  /* by column; 0: not shown */
    bool *common; /* by column: a text that is the same in every row, said once above them */
} layout;

static bool is_common(const pg_table *table, int column)
{
    const char *first = table->row_count > 1 ? pg_table_text(table, 0, column) : "";
    if (table->columns[column].kind != PG_COLUMN_TEXT || !first[0]) return false;
    for (int row = 1; row < table->row_count; row++)
        if (strcmp(pg_table_text(table, row, column), first) != 0) return false;
    return true;
}

static bool is_empty(const pg_table *table, int row, int column)
{
    if (table->columns[column].kind == PG_COLUMN_TEXT) return !pg_table_text(table, row, column)[0];
    return pg_table_at(table, row, column)->sample.count == 0;
}

/* Width of a column; 0 if no row has anything in it. */
static int measure(const pg_table *table, int column)
{
    char text[SHOWN];
    int width = pg_utf8_width(table->columns[column].name);
    bool used = false;
    for (int row = 0; row < table->row_count; row++) {
        const int wide = pg_utf8_width(show(table, row, column, WIDEST, text));
        used |= !is_empty(table, row, column);
        if (wide > width) width = wide;
    }
    return used ? width : 0;
}

static void clear_layout(layout *l)
{
    pg_free(l->widths);
    pg_free(l->common);
}

static pg_status lay_out(const pg_table *table, layout *l, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_alloc((size_t)table->column_count, sizeof *l->widths, &l->widths, err));
    PG_TRY(pg_alloc((size_t)table->column_count, sizeof *l->common, &l->common, err));
    for (int c = 0; c < table->column_count; c++) {
        l->common[c] = is_common(table, c);
        l->widths[c] = l->common[c] ? 0 : measure(table, c);
    }
done:
    return status;
}

/* Call put for the label and for what all rows have in common. */
static void describe(const pg_table *table, const layout *l, void (*put)(FILE *stream, const char *text), FILE *stream)
{
    if (table->label && table->label[0]) put(stream, table->label);
    for (int c = 0; c < table->column_count; c++) {
        char *text = NULL;
        if (!l->common[c] || asprintf(&text, "%s: %s", table->columns[c].name, pg_table_text(table, 0, c)) < 0) continue;
        put(stream, text);
        free(text);
    }
}

static void put_bracketed(FILE *stream, const char *text)
{
    fprintf(stream, "[%s]\n", text);
}

/* A row of the table; row -1 is the header. */
static void print_row(const pg_table *table, const layout *l, int row, FILE *stream)
{
    char text[SHOWN];
    for (int c = 0; c < table->column_count; c++) {
        if (!l->widths[c]) continue;
        const char *shown = row < 0 ? table->columns[c].name : show(table, row, c, WIDEST, text);
        fputs("  ", stream);
        pad(stream, shown, l->widths[c], is_words(&table->columns[c]));
    }
    fputc('\n', stream);
}

pg_status pg_table_print(const pg_table *table, FILE *stream, pg_error *err)
{
    layout l = {0};
    pg_status status = PG_OK;
    PG_TRY(lay_out(table, &l, err));
    fprintf(stream, "%s\n", table->title ? table->title : "");
    describe(table, &l, put_bracketed, stream);
    for (int row = -1; row < table->row_count; row++) print_row(table, &l, row, stream);
done:
    clear_layout(&l);
    return status;
}

/* ---- as CSV ---- */

/* A number, or nothing where there is none. */
static void put_statistic(pg_csv_writer *csv, const pg_sample *s, int fewest, double (*statistic)(const pg_sample *s))
{
    if (s->count >= fewest)
        pg_csv_real(csv, statistic(s));
    else
        pg_csv_text(csv, "");
}

static double only(const pg_sample *s)
{
    return s->one;
}

static double part(const pg_sample *s)
{
    return share_of(s) / s->count;
}

static void put_derived_name(pg_csv_writer *csv, const char *name, const char *what)
{
    char *text = NULL;
    if (asprintf(&text, "%s %s", name, what) < 0) text = NULL;
    pg_csv_text(csv, text ? text : what);
    free(text);
}

static void write_header(pg_csv_writer *csv, const pg_table *table)
{
    for (int c = 0; c < table->column_count; c++) {
        const pg_column *column = &table->columns[c];
        pg_csv_text(csv, column->name);
        if (column->kind != PG_COLUMN_MEAN) continue;
        put_derived_name(csv, column->name, "sd");
        put_derived_name(csv, column->name, "n");
    }
    pg_csv_text(csv, "label");
    pg_csv_end_row(csv);
}

static void write_words(pg_csv_writer *csv, const pg_table *table, const pg_sample *s)
{
    char *words = s->count ? find_words(table, s) : NULL;
    pg_csv_word(csv, words ? words : "");
    free(words);
}

static void write_cell(pg_csv_writer *csv, const pg_table *table, int row, int c)
{
    const pg_sample *s = &pg_table_at(table, row, c)->sample;
    switch (table->columns[c].kind) {
    case PG_COLUMN_TEXT: pg_csv_word(csv, pg_table_text(table, row, c)); return;
    case PG_COLUMN_MEAN:
        put_statistic(csv, s, 1, mean_of);
        put_statistic(csv, s, 2, spread_of);
        pg_csv_int(csv, s->count);
        return;
    case PG_COLUMN_LARGEST: put_statistic(csv, s, 1, largest_of); return;
    case PG_COLUMN_SMALLEST: put_statistic(csv, s, 1, smallest_of); return;
    case PG_COLUMN_SHARE: put_statistic(csv, s, 1, part); return;
    case PG_COLUMN_COUNT: pg_csv_int(csv, s->count); return;
    case PG_COLUMN_NUMBER: put_statistic(csv, s, 1, only); return;
    case PG_COLUMN_WORDS: write_words(csv, table, s); return;
    }
}

static void fill_csv(pg_csv_writer *csv, const void *context)
{
    const pg_table *table = context;
    write_header(csv, table);
    for (int row = 0; row < table->row_count; row++) {
        for (int c = 0; c < table->column_count; c++) write_cell(csv, table, row, c);
        pg_csv_word(csv, table->label ? table->label : "");
        pg_csv_end_row(csv);
    }
}

pg_status pg_table_write_csv(const pg_table *table, const char *path, pg_error *err)
{
    return pg_csv_write(path, fill_csv, table, err);
}

/* ---- as Markdown ---- */

static void put_escaped(FILE *stream, const char *text)
{
    for (; *text; text++) {
        if (strchr("|<>*_", *text)) fputc('\\', stream);
        fputc(*text, stream);
    }
}

static void put_paragraph(FILE *stream, const char *text)
{
    put_escaped(stream, text);
    fputs("\n\n", stream);
}

/* A row of the table; row -1 is the header. */
static void put_row(const pg_table *table, const layout *l, int row, FILE *stream)
{
    char text[SHOWN];
    for (int c = 0; c < table->column_count; c++) {
        if (!l->widths[c]) continue;
        fputs("| ", stream);
        put_escaped(stream, row < 0 ? table->columns[c].name : show(table, row, c, 0, text));
        fputc(' ', stream);
    }
    fputs("|\n", stream);
}

/* A table with its layout. */
typedef struct laid_out {
    const pg_table *table;
    layout layout;
} laid_out;

static pg_status put_markdown(FILE *stream, const void *context, pg_error *err)
{
    const pg_table *table = ((const laid_out *)context)->table;
    const layout *l = &((const laid_out *)context)->layout;
    (void)err;
    fputs("## ", stream);
    put_paragraph(stream, table->title ? table->title : "");
    describe(table, l, put_paragraph, stream);
    put_row(table, l, -1, stream);
    for (int c = 0; c < table->column_count; c++)
        if (l->widths[c]) fputs(is_words(&table->columns[c]) ? "|---" : "|---:", stream);
    fputs("|\n", stream);
    for (int row = 0; row < table->row_count; row++) put_row(table, l, row, stream);
    return PG_OK;
}

pg_status pg_table_write_markdown(const pg_table *table, const char *path, pg_error *err)
{
    laid_out whole = {.table = table};
    pg_status status = lay_out(table, &whole.layout, err);
    if (status == PG_OK) status = pg_file_print(path, put_markdown, &whole, PG_FILE_PUBLIC, err);
    clear_layout(&whole.layout);
    return status;
}
