/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Genuine evidence beside the evidence that attacks forged. */
#include "experiments/report/table_kind.h"

#include <math.h>
#include <string.h>

/* The row of an outcome of a result; a trained model's is "genuine". */
static pg_status evidence_row(pg_table *table, const pg_summary *b, int i, const char *outcome, int *row, pg_error *err)
{
    pg_status status = PG_OK;
    const char *evidence = "genuine", *axis = pg_on_axis(outcome) ? outcome : "";
    PG_TRY(pg_table_row(table, row, err, "%d %d %d %s", b->place[i], b->scheme[i], b->attack[i], axis));
    if (b->attack[i] >= 0)
        PG_TRY(pg_text_pool_print(&table->texts, &evidence, NULL, err, "%s%s%s", b->attacks.items[b->attack[i]].label,
                                  axis[0] ? " " : "", axis));
    PG_TRY(pg_put_place(table, *row, b, i, evidence, NULL, err));
done:
    return status;
}

/* Rows of one result. The null models' threshold applies to evidence of the owner's form alone: the same number of bits, or
 * triggers. */
static pg_status add_evidence(const pg_summary *b, int i, const pg_metric_column *columns, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    pg_view v = {0};
    pg_table_line at = {.table = table, .first = 5, .columns = columns};
    const bool trained = b->attack[i] < 0;
    double owner = 0, threshold = (double)NAN;
    const bool bits = pg_result_value(&b->results->items[i], trained ? "" : "genuine", "bits", &owner);
    PG_TRY(pg_view_open(b, i, &v, err));
    for (int c = 0; c < v.record->cell_count; c++) {
        const char *outcome = v.record->cells[c].outcome;
        if (trained ? outcome[0] != 0 : strcmp(outcome, "genuine") == 0) continue;
        if (!pg_same_outcome(v.record, c)) {
            double claimed = 0;
            const bool like = bits == pg_view_find(&v, c, "bits", &claimed) && fabs(owner - claimed) < 0.5;
            threshold = like ? b->threshold[i] : (double)NAN;
            PG_TRY(evidence_row(table, b, i, outcome, &at.row, err));
        }
        PG_TRY(pg_view_put(&at, &v, c, threshold, err));
    }
done:
    pg_view_close(&v);
    return status;
}

/* The accuracy is that of the branch that the evidence opens. */
static pg_status fill_ambiguity(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", "evidence", NULL};
    static const pg_metric_column columns[] = {{"accuracy_claimed", "accuracy %", PG_COLUMN_MEAN},
                                               {"detection", "detected %", PG_COLUMN_MEAN},
                                               {"owner_bits_matched", "owner's bits %", PG_COLUMN_MEAN},
                                               {"p_value", "smallest p-value", PG_COLUMN_SMALLEST},
                                               {"rescaled", "rescaled", PG_COLUMN_MEAN},
                                               {"agrees", "agrees", PG_COLUMN_SHARE},
                                               {"proves", "proves", PG_COLUMN_SHARE},
                                               {"ruling", "verdict", PG_COLUMN_WORDS},
                                               {"ambiguous", "ambiguous", PG_COLUMN_SHARE},
                                               {"attack_images", "images at most", PG_COLUMN_LARGEST},
                                               {"attack_flops", "multiply-adds at most", PG_COLUMN_LARGEST},
                                               {"p_value", "n", PG_COLUMN_COUNT},
                                               {NULL, NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    if (!pg_any_attack(b, true)) return PG_OK;
    PG_TRY(pg_table_kind_start(table, b, "genuine and forged evidence", texts, columns, err));
    for (int i = 0; i < b->results->count; i++) {
        double agrees;
        const bool claims = b->attack[i] < 0 ? pg_result_value(&b->results->items[i], "", "agrees", &agrees) : b->forges[i];
        if (claims) PG_TRY(add_evidence(b, i, columns, table, err));
    }
done:
    return status;
}

const pg_table_kind pg_table_kind_ambiguity = {
    .name = "ambiguity",
    .printed = true,
    .fill = fill_ambiguity,
};
