/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models after each attack that tries to remove the mark, beside those before it. */
#include "experiments/report/table_kind.h"

#include "core/base/memory.h"

#include <stdlib.h>

/* Order of rows: a scheme in one place, first as it was trained, then after each attack. */
static int by_scheme(const void *a, const void *b, void *summary)
{
    const pg_summary *s = summary;
    const int i = *(const int *)a, k = *(const int *)b;
    if (s->place[i] != s->place[k]) return s->place[i] - s->place[k];
    if (s->scheme[i] != s->scheme[k]) return s->scheme[i] - s->scheme[k];
    if (s->attack[i] != s->attack[k]) return s->attack[i] - s->attack[k];
    return i - k;
}

/* Rows of one result: a trained model is the row "before", an attack has one row per outcome. */
static pg_status add_removal(const pg_summary *b, int i, const pg_metric_column *columns, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    pg_view v = {0};
    pg_table_line at = {.table = table, .first = 6, .columns = columns};
    const bool trained = b->attack[i] < 0;
    const char *attack = trained ? "before" : b->attacks.items[b->attack[i]].label;
    PG_TRY(pg_view_open(b, i, &v, err));
    for (int c = 0; c < v.record->cell_count; c++) {
        const char *outcome = v.record->cells[c].outcome;
        if (trained && outcome[0]) continue;
        if (!pg_same_outcome(v.record, c)) {
            PG_TRY(pg_table_row(table, &at.row, err, "%d %d %d %s", b->place[i], b->scheme[i], b->attack[i], outcome));
            PG_TRY(pg_put_place(table, at.row, b, i, attack, outcome, err));
        }
        PG_TRY(pg_view_put(&at, &v, c, b->threshold[i], err));
    }
done:
    pg_view_close(&v);
    return status;
}

static pg_status fill_removal(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", "attack", "outcome", NULL};
    static const pg_metric_column columns[] = {{"accuracy", "accuracy %", PG_COLUMN_MEAN},
                                               {"fidelity", "fidelity %", PG_COLUMN_MEAN},
                                               {"detection", "signature %", PG_COLUMN_MEAN},
                                               {"rescaled", "rescaled", PG_COLUMN_MEAN},
                                               {"detection_stored", "stored %", PG_COLUMN_MEAN},
                                               {"trigger_restored", "restored %", PG_COLUMN_MEAN},
                                               {"agrees", "agrees", PG_COLUMN_SHARE},
                                               {"proves", "proves", PG_COLUMN_SHARE},
                                               {"ruling", "verdict", PG_COLUMN_WORDS},
                                               {"forged_detection", "forged %", PG_COLUMN_MEAN},
                                               {"forged_agrees", "forged agrees", PG_COLUMN_SHARE},
                                               {NULL, NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    int *order = NULL;
    const int n = b->results->count;
    if (!pg_any_attack(b, false)) return PG_OK;
    PG_TRY(pg_table_kind_start(table, b, "attacks that try to remove the mark", texts, columns, err));
    PG_TRY(pg_alloc((size_t)n, sizeof *order, &order, err));
    for (int i = 0; i < n; i++) order[i] = i;
    qsort_r(order, (size_t)n, sizeof *order, by_scheme, (void *)b);
    for (int i = 0; i < n; i++)
        if (!b->forges[order[i]] && !b->accused[order[i]]) PG_TRY(add_removal(b, order[i], columns, table, err));
done:
    pg_free(order);
    return status;
}

const pg_table_kind pg_table_kind_removal = {
    .name = "removal",
    .printed = true,
    .fill = fill_removal,
};
