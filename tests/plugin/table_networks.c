/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worked table: how many networks of each scheme were trained, and how many of them learnt. */
#include "experiments/report/table_kind.h"

static pg_status fill_networks(const pg_summary *summary, pg_table *table, pg_error *err)
{
    static const pg_column columns[] = {{"data", PG_COLUMN_TEXT},   {"network", PG_COLUMN_TEXT}, {"norm", PG_COLUMN_TEXT},
                                        {"scheme", PG_COLUMN_TEXT}, {"learnt", PG_COLUMN_SHARE}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    int row;
    PG_TRY(pg_summary_head(summary, "networks that learnt", table, err));
    PG_TRY(pg_table_columns(table, columns, err));
    for (int i = 0; i < summary->results->count; i++) {
        if (summary->attack[i] >= 0) continue;
        PG_TRY(pg_table_row(table, &row, err, "%d %d", summary->place[i], summary->scheme[i]));
        PG_TRY(pg_put_place(table, row, summary, i, NULL, NULL, err));
        PG_TRY(pg_table_add(table, row, 4, summary->learnt[i], err));
    }
done:
    return status;
}

const pg_table_kind pg_table_kind_networks = {
    .name = "networks",
    .printed = true,
    .fill = fill_networks,
};
