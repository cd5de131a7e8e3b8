/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables in memory; see table.h. */
#include "experiments/report/table_internal.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

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

char *pg_table_words(const pg_table *table, const pg_sample *s)
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
