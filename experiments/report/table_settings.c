/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All options behind the labels of schemes and attacks. */
#include "experiments/report/table_kind.h"

/* One row for each short name. */
static pg_status fill_settings(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const pg_column columns[] = {
        {"kind", PG_COLUMN_TEXT}, {"name", PG_COLUMN_TEXT}, {"options", PG_COLUMN_TEXT}, {NULL, PG_COLUMN_TEXT}};
    const pg_variants *const lists[] = {&b->schemes, &b->attacks};
    pg_status status = PG_OK;
    PG_TRY(pg_summary_head(b, "options of schemes and attacks", table, err));
    PG_TRY(pg_table_columns(table, columns, err));
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < lists[k]->count; i++) {
            const pg_variant *v = &lists[k]->items[i];
            const char *options;
            int row;
            PG_TRY(pg_variant_options(v, &table->texts, &options, err));
            PG_TRY(pg_table_row(table, &row, err, "%d %d", k, i));
            PG_TRY(pg_table_put(table, row, 0, (const char *const[]){k ? "attack" : "scheme", v->label, options, NULL}, err));
        }
done:
    return status;
}

const pg_table_kind pg_table_kind_settings = {
    .name = "settings",
    .hint = "tables/settings.csv lists the options of every scheme and attack",
    .fill = fill_settings,
};
