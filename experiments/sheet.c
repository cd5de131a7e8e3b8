/* Sheets; see sheet.h. Means and standard deviations (n - 1) are GSL's. */
#include "experiments/sheet.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/formats/csv.h"

#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---- */

pg_status pg_sheet_column(pg_sheet *sheet, const char *name, pg_column_kind kind, pg_error *err)
{
    const pg_status status = pg_grow(&sheet->columns, sheet->column_count, sizeof *sheet->columns, err);
    if (status != PG_OK) return status;
    pg_column *column = &sheet->columns[sheet->column_count++];
    snprintf(column->name, sizeof column->name, "%s", name);
    column->kind = kind;
    return PG_OK;
}

pg_status pg_sheet_columns(pg_sheet *sheet, const pg_column *columns, pg_error *err)
{
    pg_status status = PG_OK;
    for (; columns->name[0] && status == PG_OK; columns++) status = pg_sheet_column(sheet, columns->name, columns->kind, err);
    return status;
}

pg_status pg_sheet_row(pg_sheet *sheet, int *row, pg_error *err)
{
    const size_t width = (size_t)sheet->column_count * sizeof *sheet->cells;
    const pg_status status = pg_grow(&sheet->cells, sheet->row_count, width, err);
    if (status == PG_OK) *row = sheet->row_count++;
    return status;
}

pg_status pg_sheet_row_of(pg_sheet *sheet, const char *const *texts, int *row, pg_error *err)
{
    for (int r = sheet->row_count - 1; r >= 0; r--) {
        bool same = true;
        for (int c = 0; texts[c] && same; c++) same = strcmp(pg_sheet_at(sheet, r, c)->text, texts[c]) == 0;
        if (!same) continue;
        *row = r;
        return PG_OK;
    }
    const pg_status status = pg_sheet_row(sheet, row, err);
    for (int c = 0; status == PG_OK && texts[c]; c++) {
        pg_sheet_cell *cell = pg_sheet_at(sheet, *row, c);
        snprintf(cell->text, sizeof cell->text, "%s", texts[c]);
    }
    return status;
}

pg_sheet_cell *pg_sheet_at(pg_sheet *sheet, int row, int column)
{
    return &sheet->cells[row * sheet->column_count + column];
}

pg_status pg_sample_add(pg_sample *sample, double value, pg_error *err)
{
    if (isnan(value)) return PG_OK;
    const pg_status status = pg_grow(&sample->values, sample->count, sizeof value, err);
    if (status == PG_OK) sample->values[sample->count++] = value;
    return status;
}

pg_status pg_sheet_add(pg_sheet *sheet, int row, int column, double value, pg_error *err)
{
    return pg_sample_add(&pg_sheet_at(sheet, row, column)->sample, value, err);
}

void pg_sheet_clear(pg_sheet *sheet)
{
    for (int i = 0; i < sheet->row_count * sheet->column_count; i++) pg_free(sheet->cells[i].sample.values);
    pg_free(sheet->columns);
    pg_free(sheet->cells);
    *sheet = (pg_sheet){0};
}

/* ---- as text ---- */

static double share_of(const pg_sample *s)
{
    double sum = 0;
    for (int i = 0; i < s->count; i++) sum += s->values[i] > 0.5;
    return sum;
}

static void show_mean(const pg_sheet *sheet, const pg_sample *s, char out[PG_SHEET_TEXT])
{
    const size_t n = (size_t)s->count;
    int used = snprintf(out, PG_SHEET_TEXT, "%.2f", gsl_stats_mean(s->values, 1, n));
    if (n > 1) used += snprintf(out + used, (size_t)(PG_SHEET_TEXT - used), " ± %.2f", gsl_stats_sd(s->values, 1, n));
    if (sheet->counts) snprintf(out + used, (size_t)(PG_SHEET_TEXT - used), " (n=%d)", s->count);
}

static void show(const pg_sheet *sheet, int row, int c, char out[PG_SHEET_TEXT])
{
    const pg_column *column = &sheet->columns[c];
    const pg_sheet_cell *cell = &sheet->cells[row * sheet->column_count + c];
    const pg_sample *s = &cell->sample;
    const size_t n = (size_t)s->count;
    if (column->kind == PG_COLUMN_TEXT) {
        memcpy(out, cell->text, PG_SHEET_TEXT);
        return;
    }
    snprintf(out, PG_SHEET_TEXT, "-");
    if (n == 0) return;
    switch (column->kind) {
    case PG_COLUMN_MEAN: show_mean(sheet, s, out); return;
    case PG_COLUMN_LARGEST: snprintf(out, PG_SHEET_TEXT, "%.1e", gsl_stats_max(s->values, 1, n)); return;
    case PG_COLUMN_SMALLEST: snprintf(out, PG_SHEET_TEXT, "%.1e", gsl_stats_min(s->values, 1, n)); return;
    case PG_COLUMN_SHARE: snprintf(out, PG_SHEET_TEXT, "%.0f/%d", share_of(s), s->count); return;
    case PG_COLUMN_COUNT: snprintf(out, PG_SHEET_TEXT, "%d", s->count); return;
    case PG_COLUMN_NUMBER: snprintf(out, PG_SHEET_TEXT, fabs(s->values[0]) < 1e4 ? "%.4g" : "%.0f", s->values[0]); return;
    case PG_COLUMN_TEXT: return;
    }
}

/* Columns that a text takes on a terminal: bytes that do not continue a UTF-8 character. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void pad(FILE *stream, const char *text, int width, bool left)
{
    const int gap = width - width_of(text);
    if (left)
        fprintf(stream, "%s%*s", text, gap, "");
    else
        fprintf(stream, "%*s%s", gap, "", text);
}

/* Width of a column; 0 if no row has anything in it. */
static int measure(const pg_sheet *sheet, int column)
{
    char text[PG_SHEET_TEXT];
    int width = 0;
    bool used = false;
    for (int row = 0; row < sheet->row_count; row++) {
        const pg_sheet_cell *cell = &sheet->cells[row * sheet->column_count + column];
        show(sheet, row, column, text);
        used |= cell->sample.count > 0 || cell->text[0];
        if (width_of(text) > width) width = width_of(text);
    }
    const int name = width_of(sheet->columns[column].name);
    return used ? (name > width ? name : width) : 0;
}

pg_status pg_sheet_print(const pg_sheet *sheet, FILE *stream, pg_error *err)
{
    int *widths = NULL;
    char text[PG_SHEET_TEXT];
    const pg_status status = pg_alloc((size_t)sheet->column_count, sizeof *widths, &widths, err);
    if (status != PG_OK) return status;
    for (int c = 0; c < sheet->column_count; c++) widths[c] = measure(sheet, c);
    fprintf(stream, "%s\n", sheet->title);
    if (sheet->label[0]) fprintf(stream, "[%s]\n", sheet->label);
    for (int row = -1; row < sheet->row_count; row++) {
        for (int c = 0; c < sheet->column_count; c++) {
            if (!widths[c]) continue;
            if (row < 0)
                memcpy(text, sheet->columns[c].name, sizeof text);
            else
                show(sheet, row, c, text);
            fputs("  ", stream);
            pad(stream, text, widths[c], sheet->columns[c].kind == PG_COLUMN_TEXT);
        }
        fputc('\n', stream);
    }
    pg_free(widths);
    return PG_OK;
}

/* ---- as CSV ---- */

static void number_or_nothing(pg_csv_writer *csv, bool there, double value)
{
    if (there)
        pg_csv_real(csv, value);
    else
        pg_csv_text(csv, "");
}

static void write_header(pg_csv_writer *csv, const pg_sheet *sheet)
{
    char name[PG_SHEET_TEXT + 8];
    for (int c = 0; c < sheet->column_count; c++) {
        const pg_column *column = &sheet->columns[c];
        pg_csv_text(csv, column->name);
        if (column->kind != PG_COLUMN_MEAN) continue;
        snprintf(name, sizeof name, "%s sd", column->name);
        pg_csv_text(csv, name);
        snprintf(name, sizeof name, "%s n", column->name);
        pg_csv_text(csv, name);
    }
    pg_csv_text(csv, "label");
    pg_csv_end_row(csv);
}

static void write_cell(pg_csv_writer *csv, const pg_column *column, const pg_sheet_cell *cell)
{
    const pg_sample *s = &cell->sample;
    const size_t n = (size_t)s->count;
    switch (column->kind) {
    case PG_COLUMN_TEXT: pg_csv_text(csv, cell->text); return;
    case PG_COLUMN_MEAN:
        number_or_nothing(csv, n > 0, n > 0 ? gsl_stats_mean(s->values, 1, n) : 0);
        number_or_nothing(csv, n > 1, n > 1 ? gsl_stats_sd(s->values, 1, n) : 0);
        pg_csv_int(csv, s->count);
        return;
    case PG_COLUMN_LARGEST: number_or_nothing(csv, n > 0, n > 0 ? gsl_stats_max(s->values, 1, n) : 0); return;
    case PG_COLUMN_SMALLEST: number_or_nothing(csv, n > 0, n > 0 ? gsl_stats_min(s->values, 1, n) : 0); return;
    case PG_COLUMN_SHARE: number_or_nothing(csv, n > 0, n > 0 ? share_of(s) / (double)n : 0); return;
    case PG_COLUMN_COUNT: pg_csv_int(csv, s->count); return;
    case PG_COLUMN_NUMBER: number_or_nothing(csv, n > 0, n > 0 ? s->values[0] : 0); return;
    }
}

pg_status pg_sheet_write_csv(const pg_sheet *sheet, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    pg_csv_writer csv = {0};
    char *text = NULL;
    size_t bytes = 0;
    PG_TRY(pg_csv_start(&csv, err));
    write_header(&csv, sheet);
    for (int row = 0; row < sheet->row_count; row++) {
        for (int c = 0; c < sheet->column_count; c++)
            write_cell(&csv, &sheet->columns[c], &sheet->cells[row * sheet->column_count + c]);
        pg_csv_text(&csv, sheet->label);
        pg_csv_end_row(&csv);
    }
    PG_TRY(pg_csv_finish(&csv, &text, &bytes, err));
    PG_TRY(pg_file_write(path, text, bytes, PG_FILE_PUBLIC, err));
done:
    pg_csv_abandon(&csv);
    pg_free(text);
    return status;
}

/* ---- as Markdown ---- */

static void put_escaped(FILE *stream, const char *text)
{
    for (; *text; text++) {
        if (strchr("|<>*_", *text)) fputc('\\', stream);
        fputc(*text, stream);
    }
}

/* A row of the table; row -1 is the header. */
static void put_row(const pg_sheet *sheet, const int *widths, int row, FILE *stream)
{
    char text[PG_SHEET_TEXT];
    for (int c = 0; c < sheet->column_count; c++) {
        if (!widths[c]) continue;
        if (row >= 0) show(sheet, row, c, text);
        fputs("| ", stream);
        put_escaped(stream, row < 0 ? sheet->columns[c].name : text);
        fputc(' ', stream);
    }
    fputs("|\n", stream);
}

static void put_markdown(const pg_sheet *sheet, const int *widths, FILE *stream)
{
    fputs("## ", stream);
    put_escaped(stream, sheet->title);
    fputs("\n\n", stream);
    if (sheet->label[0]) {
        put_escaped(stream, sheet->label);
        fputs("\n\n", stream);
    }
    put_row(sheet, widths, -1, stream);
    for (int c = 0; c < sheet->column_count; c++)
        if (widths[c]) fputs(sheet->columns[c].kind == PG_COLUMN_TEXT ? "|---" : "|---:", stream);
    fputs("|\n", stream);
    for (int row = 0; row < sheet->row_count; row++) put_row(sheet, widths, row, stream);
}

pg_status pg_sheet_write_markdown(const pg_sheet *sheet, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    int *widths = NULL;
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = NULL;
    PG_TRY(pg_alloc((size_t)sheet->column_count, sizeof *widths, &widths, err));
    for (int c = 0; c < sheet->column_count; c++) widths[c] = measure(sheet, c);
    stream = open_memstream(&text, &bytes);
    if (!stream) PG_TRY(pg_fail(err, PG_NO_MEMORY, "out of memory for a table"));
    put_markdown(sheet, widths, stream);
    const bool lost = ferror(stream) != 0;
    if (fclose(stream) != 0 || lost) PG_TRY(pg_fail(err, PG_NO_MEMORY, "out of memory for a table"));
    PG_TRY(pg_file_write(path, text, bytes, PG_FILE_PUBLIC, err));
done:
    free(text);
    pg_free(widths);
    return status;
}
