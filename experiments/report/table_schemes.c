/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trained models: accuracies, signatures, triggers, and the ruling on the owner's claim. */
#include "experiments/report/table_kind.h"

/* The row of a trained model. */
static pg_status add_scheme(const pg_summary *b, int i, const pg_metric_column *columns, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    pg_view v = {0};
    pg_table_line at = {.table = table, .first = 4, .columns = columns};
    PG_TRY(pg_view_open(b, i, &v, err));
    PG_TRY(pg_table_row(table, &at.row, err, "%d %d", b->place[i], b->scheme[i]));
    PG_TRY(pg_put_place(table, at.row, b, i, NULL, NULL, err));
    for (int c = 0; c < v.record->cell_count; c++)
        if (!v.record->cells[c].outcome[0]) PG_TRY(pg_view_put(&at, &v, c, b->threshold[i], err));
done:
    pg_view_close(&v);
    return status;
}

static pg_status fill_schemes(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", NULL};
    static const pg_metric_column columns[] = {{"accuracy", "accuracy %", PG_COLUMN_MEAN},
                                               {"accuracy_public", "public %", PG_COLUMN_MEAN},
                                               {"accuracy_private", "private %", PG_COLUMN_MEAN},
                                               {"detection", "signature %", PG_COLUMN_MEAN},
                                               {"null_mean", "null %", PG_COLUMN_MEAN},
                                               {"trigger_public", "triggers public %", PG_COLUMN_MEAN},
                                               {"trigger_private", "triggers private %", PG_COLUMN_MEAN},
                                               {"p_value", "p-value at most", PG_COLUMN_LARGEST},
                                               {"null_model_threshold", "null models' threshold %", PG_COLUMN_MEAN},
                                               {"rescaled", "rescaled", PG_COLUMN_MEAN},
                                               {"agrees", "agrees", PG_COLUMN_SHARE},
                                               {"proves", "proves", PG_COLUMN_SHARE},
                                               {"ruling", "verdict", PG_COLUMN_WORDS},
                                               {"accuracy", "n", PG_COLUMN_COUNT},
                                               {NULL, NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    PG_TRY(pg_table_kind_start(table, b, "protected models", texts, columns, err));
    for (int i = 0; i < b->results->count; i++)
        if (b->attack[i] < 0) PG_TRY(add_scheme(b, i, columns, table, err));
done:
    return status;
}

const pg_table_kind pg_table_kind_schemes = {
    .name = "schemes",
    .printed = true,
    .fill = fill_schemes,
};
