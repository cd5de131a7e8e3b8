/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers that attacks which forge nothing report beside the judge's findings: p-values, fidelity, queries. */
#include "experiments/report/table_kind.h"

#include <stdio.h>
#include <string.h>

enum { MEASURE = 6, MEAN, SMALLEST, COUNT };

static pg_status add_measure(const pg_summary *b, int i, const pg_record_cell *cell, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    int row;
    char measure[128];
    const char *unit = cell->unit;
    snprintf(measure, sizeof measure, "%s%s%s%s", cell->metric, unit[0] ? " (" : "", unit, unit[0] ? ")" : "");
    PG_TRY(pg_table_row(table, &row, err, "%d %d %d %s %s", b->place[i], b->scheme[i], b->attack[i], cell->outcome, measure));
    PG_TRY(pg_put_place(table, row, b, i, b->attacks.items[b->attack[i]].label, cell->outcome, err));
    PG_TRY(pg_table_put(table, row, MEASURE, (const char *const[]){measure, NULL}, err));
    for (int c = MEAN; c <= COUNT; c++) PG_TRY(pg_table_add(table, row, c, cell->value, err));
done:
    return status;
}

/* The measures of an outcome are the cells after its cost. */
static pg_status add_measures(const pg_summary *b, int i, const pg_record *record, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    bool own = false;
    for (int c = 0; c < record->cell_count && status == PG_OK; c++) {
        own = own && pg_same_outcome(record, c);
        if (own) status = add_measure(b, i, &record->cells[c], table, err);
        own = own || strcmp(record->cells[c].metric, "attack_flops") == 0;
    }
    return status;
}

static pg_status fill_measures(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const pg_column columns[] = {
        {"data", PG_COLUMN_TEXT},         {"network", PG_COLUMN_TEXT}, {"norm", PG_COLUMN_TEXT},    {"scheme", PG_COLUMN_TEXT},
        {"attack", PG_COLUMN_TEXT},       {"outcome", PG_COLUMN_TEXT}, {"measure", PG_COLUMN_TEXT}, {"mean", PG_COLUMN_MEAN},
        {"smallest", PG_COLUMN_SMALLEST}, {"n", PG_COLUMN_COUNT},      {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    PG_TRY(pg_summary_head(b, "what attacks measured beside the judge", table, err));
    PG_TRY(pg_table_columns(table, columns, err));
    for (int i = 0; i < b->results->count; i++)
        if (b->attack[i] >= 0 && !b->forges[i] && !b->accused[i])
            PG_TRY(add_measures(b, i, &b->results->items[i].record, table, err));
done:
    return status;
}

const pg_table_kind pg_table_kind_measures = {
    .name = "measures",
    .printed = true,
    .fill = fill_measures,
};
