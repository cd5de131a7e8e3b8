/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a table as CSV; see table.h. */
#include "experiments/report/table_internal.h"

#include "core/formats/csv.h"

#include <stdlib.h>

/* Write a statistic, or an empty cell if the sample has too few values. */
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
    return pg_sample_ones(s) / s->count;
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
        const bool mean = column->kind == PG_COLUMN_MEAN, interval = column->kind == PG_COLUMN_INTERVAL;
        if (!interval) pg_csv_text(csv, column->name);
        if (mean) put_derived_name(csv, column->name, "sd");
        if (mean) put_derived_name(csv, column->name, "n");
        if (mean || interval) put_derived_name(csv, column->name, "low");
        if (mean || interval) put_derived_name(csv, column->name, "high");
    }
    pg_csv_text(csv, "label");
    pg_csv_end_row(csv);
}

static void write_words(pg_csv_writer *csv, const pg_table *table, const pg_sample *s)
{
    char *words = s->count ? pg_table_words(table, s) : NULL;
    pg_csv_word(csv, words ? words : "");
    free(words);
}

static void write_mean(pg_csv_writer *csv, const pg_table *table, int row, int c)
{
    const pg_sample *s = &pg_table_at(table, row, c)->sample;
    double low, high;
    put_statistic(csv, s, 1, pg_sample_mean);
    put_statistic(csv, s, 2, pg_sample_sd);
    pg_csv_int(csv, s->count);
    if (s->count < 2) {
        pg_csv_text(csv, "");
        pg_csv_text(csv, "");
        return;
    }
    pg_table_interval(table, row, c, &low, &high);
    pg_csv_real(csv, low);
    pg_csv_real(csv, high);
}

static void write_cell(pg_csv_writer *csv, const pg_table *table, int row, int c)
{
    const pg_sample *s = &pg_table_at(table, row, c)->sample;
    switch (table->columns[c].kind) {
    case PG_COLUMN_TEXT: pg_csv_word(csv, pg_table_text(table, row, c)); return;
    case PG_COLUMN_MEAN: write_mean(csv, table, row, c); return;
    case PG_COLUMN_LARGEST: put_statistic(csv, s, 1, pg_sample_max); return;
    case PG_COLUMN_SMALLEST: put_statistic(csv, s, 1, pg_sample_min); return;
    case PG_COLUMN_SHARE: put_statistic(csv, s, 1, part); return;
    case PG_COLUMN_INTERVAL:
        put_statistic(csv, s, 1, pg_sample_low);
        put_statistic(csv, s, 1, pg_sample_high);
        return;
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
