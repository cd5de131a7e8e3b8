/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which schemes stand; see standing.h. */
#include "experiments/report/standing.h"

#include "core/base/memory.h"
#include "experiments/report/table_kind.h"

#include <stdlib.h>
#include <string.h>

const char pg_standing_trained[] = "no attack";

/* Order of rows: a place, in it trained networks, then attacks on networks, then forgeries. */
static int by_group(const void *a, const void *b, void *summary)
{
    const pg_summary *s = summary;
    const int i = *(const int *)a, k = *(const int *)b;
    if (s->place[i] != s->place[k]) return s->place[i] - s->place[k];
    if (s->forges[i] != s->forges[k]) return s->forges[i] - s->forges[k];
    if (s->attack[i] != s->attack[k]) return s->attack[i] - s->attack[k];
    return i - k;
}

static pg_status add_value(const pg_summary *s, int i, const char *whose, bool stands, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task_labels *l = &s->results->items[i].labels;
    const char *attack = "as trained", *group = pg_standing_trained;
    int row;
    PG_TRY(pg_table_row(table, &row, err, "%d %d %s", s->place[i], s->attack[i], whose));
    if (s->attack[i] >= 0) {
        group = s->forges[i] ? "evidence is forged" : "the network is attacked";
        PG_TRY(pg_text_pool_print(&table->texts, &attack, NULL, err, "%s%s", s->attacks.items[s->attack[i]].label, whose));
    }
    PG_TRY(pg_table_put(table, row, 0, (const char *const[]){l->data, l->network, l->norm, group, attack, NULL}, err));
    PG_TRY(pg_table_add(table, row, PG_STANDING_TEXTS + s->scheme[i], stands, err));
done:
    return status;
}

/* A row of genuine evidence beside a forger's is left out, because the owner has a row of his own, and so are claims on
 * independent networks, which have a table of their own. */
static bool is_counted(const pg_summary *s, int i, const char *outcome)
{
    if (s->accused[i]) return false;
    if (s->attack[i] < 0) return !outcome[0];
    return !s->forges[i] || strcmp(outcome, "genuine") != 0;
}

/* Does the owner's claim hold in an outcome, or the forger's fail? A forger who shows what is nearly the owner's own evidence
 * forged nothing. */
static bool stands(const pg_view *v, int cell, pg_ruling ruling, bool forged)
{
    const bool holds = ruling == PG_PROVES || ruling == PG_AGREES;
    double ambiguous;
    if (!forged) return holds;
    return pg_view_find(v, cell, "ambiguous", &ambiguous) ? ambiguous < 0.5 : !holds;
}

static pg_status add_result(const pg_summary *s, int i, pg_table *table, pg_error *err)
{
    static const char thief[] = ": the thief's own claim";
    pg_status status = PG_OK;
    pg_view v = {0};
    PG_TRY(pg_view_open(s, i, &v, err));
    for (int c = 0; c < v.record->cell_count; c++) {
        const char *outcome = v.record->cells[c].outcome;
        const bool own = !s->forges[i] && strcmp(outcome, "attacker") == 0;
        pg_ruling ruling;
        double earlier; /* the claim with evidence that an earlier attack forged */
        if (!is_counted(s, i, outcome) || !pg_view_ruling(&v, c, &ruling)) continue;
        if (ruling != PG_USELESS)
            PG_TRY(add_value(s, i, own ? thief : "", stands(&v, c, ruling, own || s->forges[i]), table, err));
        if (pg_view_find(&v, c, "forged_agrees", &earlier)) PG_TRY(add_value(s, i, thief, earlier < 0.5, table, err));
    }
done:
    pg_view_close(&v);
    return status;
}

pg_status pg_fill_standing(const pg_summary *s, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "group", "attack"};
    pg_status status = PG_OK;
    int *order = NULL;
    const int n = s->results->count;
    PG_TRY(pg_summary_head(s, "schemes that stand", table, err));
    for (int c = 0; c < PG_STANDING_TEXTS; c++) PG_TRY(pg_table_column(table, texts[c], PG_COLUMN_TEXT, err));
    for (int k = 0; k < s->schemes.count; k++) PG_TRY(pg_table_column(table, s->schemes.items[k].label, PG_COLUMN_SHARE, err));
    PG_TRY(pg_alloc((size_t)n, sizeof *order, &order, err));
    for (int i = 0; i < n; i++) order[i] = i;
    qsort_r(order, (size_t)n, sizeof *order, by_group, (void *)s);
    for (int i = 0; i < n; i++) PG_TRY(add_result(s, order[i], table, err));
done:
    pg_free(order);
    return status;
}
