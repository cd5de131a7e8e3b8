/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The owner's evidence on his own networks, and all evidence on independent networks. */
#include "experiments/report/table_kind.h"

#include "core/base/memory.h"
#include "experiments/report/roc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pg_metric_column columns[] = {{"readable", "readable", PG_COLUMN_SHARE},
                                           {"detection", "agreeing %", PG_COLUMN_MEAN},
                                           {"p_value", "smallest p-value", PG_COLUMN_SMALLEST},
                                           {"agrees", "agrees", PG_COLUMN_SHARE},
                                           {"agrees", "agrees 95 %", PG_COLUMN_INTERVAL},
                                           {"proves", "proves", PG_COLUMN_SHARE},
                                           {"proves", "proves 95 %", PG_COLUMN_INTERVAL},
                                           {"p_value", "n", PG_COLUMN_COUNT},
                                           {"roc", "true % at 1 % false", PG_COLUMN_NUMBER}, /* no metric of records */
                                           {NULL, NULL, PG_COLUMN_TEXT}};
enum { FIRST = 6, TRUE_POSITIVES = FIRST + sizeof columns / sizeof *columns - 2 };

/* Find the row of an accused network under one kind of evidence (attack -1: the owner's), or add it. */
static pg_status find_row(const pg_summary *b, int i, int attack, const char *accused, pg_table_line *line, pg_error *err)
{
    const pg_status status =
        pg_table_row(line->table, &line->row, err, "%d %d %d %s", b->place[i], b->scheme[i], attack, accused);
    if (status != PG_OK) return status;
    const char *evidence = attack < 0 ? "genuine" : b->attacks.items[attack].label;
    return pg_put_place(line->table, line->row, b, i, evidence, accused, err);
}

/* The row of all independent networks, with the share of true claims at 1 % of false ones. */
static pg_status find_sum(const pg_summary *b, int i, pg_table_line *line, pg_error *err)
{
    pg_status status = PG_OK;
    const int before = line->table->row_count;
    pg_scores scores = {0};
    PG_TRY(find_row(b, i, b->attack[i], "independent, all", line, err));
    if (line->row < before) goto done;
    PG_TRY(pg_scores_gather(b, b->place[i], b->scheme[i], b->attack[i], &scores, err));
    PG_TRY(pg_table_add(line->table, line->row, TRUE_POSITIVES, 100 * pg_true_positives(&scores, 0.01), err));
done:
    pg_scores_clear(&scores);
    return status;
}

/* Add a false claim to the row of its kind of network, and to that of all. */
static pg_status add_false(const pg_view *v, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_summary *b = v->summary;
    const int i = v->result;
    pg_table_line sum = {.table = table, .first = FIRST, .columns = columns}, line = sum;
    PG_TRY(find_sum(b, i, &sum, err));
    PG_TRY(find_row(b, i, b->attack[i], b->accused[i], &line, err));
    for (int c = 0; c < v->record->cell_count; c++) {
        PG_TRY(pg_view_put(&sum, v, c, (double)NAN, err));
        PG_TRY(pg_view_put(&line, v, c, (double)NAN, err));
    }
done:
    return status;
}

/* Add the true claims of a result. */
static pg_status add_true(const pg_view *v, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    pg_table_line line = {.table = table, .first = FIRST, .columns = columns};
    for (int c = 0; c < v->record->cell_count; c++) {
        const pg_claim_kind kind = pg_claim_kind_of(v->summary, v->result, v->record->cells[c].outcome);
        if (kind == PG_CLAIM_NONE) continue;
        PG_TRY(find_row(v->summary, v->result, -1, kind == PG_CLAIM_OWN ? "own" : "own, attacked", &line, err));
        PG_TRY(pg_view_put(&line, v, c, (double)NAN, err));
    }
done:
    return status;
}

static pg_status add_claims(const pg_summary *b, int i, pg_table *table, pg_error *err)
{
    pg_view v = {0};
    pg_status status = pg_view_open(b, i, &v, err);
    if (status == PG_OK) status = b->accused[i] ? add_false(&v, table, err) : add_true(&v, table, err);
    pg_view_close(&v);
    return status;
}

/* Order of rows: a scheme in one place, first its own networks, then independent ones by the evidence that claims them. */
static int by_claim(const void *a, const void *b, void *summary)
{
    const pg_summary *s = summary;
    const int i = *(const int *)a, k = *(const int *)b, accused = !!s->accused[i] - !!s->accused[k];
    if (s->place[i] != s->place[k]) return s->place[i] - s->place[k];
    if (s->scheme[i] != s->scheme[k]) return s->scheme[i] - s->scheme[k];
    if (accused) return accused;
    if (s->attack[i] != s->attack[k]) return s->attack[i] - s->attack[k];
    const int name = s->accused[i] ? strcmp(s->accused[i], s->accused[k]) : 0;
    return name ? name : i - k;
}

static pg_status fill_claims(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", "evidence", "accused network", NULL};
    pg_status status = PG_OK;
    int *order = NULL, accused = 0;
    const int n = b->results->count;
    for (int i = 0; i < n; i++) accused += b->accused[i] != NULL;
    if (!accused) return PG_OK;
    PG_TRY(pg_table_kind_start(table, b, "true and false claims", texts, columns, err));
    PG_TRY(pg_alloc((size_t)n, sizeof *order, &order, err));
    for (int i = 0; i < n; i++) order[i] = i;
    qsort_r(order, (size_t)n, sizeof *order, by_claim, (void *)b);
    for (int i = 0; i < n; i++) PG_TRY(add_claims(b, order[i], table, err));
done:
    pg_free(order);
    return status;
}

const pg_table_kind pg_table_kind_claims = {
    .name = "claims",
    .printed = true,
    .fill = fill_claims,
};
