/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schemes with free and with bound evidence, beside every forgery: how many claims agree, and how many prove. Only runs with
 * bound evidence have it. Variants of a scheme are put together. */
#include "experiments/report/table_kind.h"

#include <math.h>
#include <string.h>

/* Is the owner's evidence in a result bound? Free evidence has no proof. */
static bool is_bound(const pg_summary *b, int i)
{
    double bits;
    return pg_result_value(&b->results->items[i], b->forges[i] ? "genuine" : "", "proof_bits", &bits);
}

static bool any_bound(const pg_summary *b)
{
    for (int i = 0; i < b->results->count; i++)
        if (b->attack[i] < 0 && is_bound(b, i)) return true;
    return false;
}

/* Is this outcome a claim to show: the owner's on the trained network, a forger's, or that of a thief who changed the network?
 */
static bool is_claim(const pg_summary *b, int i, const char *outcome)
{
    double agrees;
    if (!pg_result_value(&b->results->items[i], outcome, "agrees", &agrees)) return false;
    if (b->attack[i] < 0) return !outcome[0];
    return b->forges[i] ? strcmp(outcome, "genuine") != 0 : strcmp(outcome, "attacker") == 0;
}

static pg_status claim_row(pg_table *table, const pg_summary *b, int i, const char *outcome, int *row, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task_labels *l = &b->results->items[i].labels;
    const char *claim = "the owner's", *axis = b->forges[i] && pg_on_axis(outcome) ? outcome : "";
    const char *scheme = b->schemes.items[b->scheme[i]].name;
    const bool bound = is_bound(b, i);
    PG_TRY(pg_table_row(table, row, err, "%d %s %d %d %s", b->place[i], scheme, bound, b->attack[i], axis));
    if (b->attack[i] >= 0)
        PG_TRY(pg_text_pool_print(&table->texts, &claim, NULL, err, "%s%s%s", b->attacks.items[b->attack[i]].label,
                                  axis[0] ? " " : "", axis));
    const char *const texts[] = {l->data, l->network, l->norm, scheme, bound ? "bound" : "free", claim, NULL};
    PG_TRY(pg_table_put(table, *row, 0, texts, err));
done:
    return status;
}

static pg_status add_claims(const pg_summary *b, int i, const pg_metric_column *columns, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    pg_view v = {0};
    pg_table_line at = {.table = table, .first = 6, .columns = columns};
    PG_TRY(pg_view_open(b, i, &v, err));
    for (int c = 0; c < v.record->cell_count; c++) {
        const char *outcome = v.record->cells[c].outcome;
        if (!is_claim(b, i, outcome)) continue;
        if (!pg_same_outcome(v.record, c)) PG_TRY(claim_row(table, b, i, outcome, &at.row, err));
        PG_TRY(pg_view_put(&at, &v, c, (double)NAN, err));
    }
done:
    pg_view_close(&v);
    return status;
}

static pg_status fill_forgeries(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", "owner's evidence", "claim", NULL};
    static const pg_metric_column columns[] = {{"agrees", "agrees", PG_COLUMN_SHARE},
                                               {"proves", "proves", PG_COLUMN_SHARE},
                                               {"ruling", "verdict", PG_COLUMN_WORDS},
                                               {"p_value", "smallest p-value", PG_COLUMN_SMALLEST},
                                               {"proof_bits", "proof bits", PG_COLUMN_MEAN},
                                               {"agrees", "n", PG_COLUMN_COUNT},
                                               {NULL, NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    if (!any_bound(b)) return PG_OK;
    PG_TRY(pg_table_kind_start(table, b, "free and bound evidence beside forgeries", texts, columns, err));
    for (int i = 0; i < b->results->count; i++) PG_TRY(add_claims(b, i, columns, table, err));
done:
    return status;
}

const pg_table_kind pg_table_kind_forgeries = {
    .name = "forgeries",
    .printed = true,
    .fill = fill_forgeries,
};
