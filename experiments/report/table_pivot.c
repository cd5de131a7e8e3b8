/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape in which papers print their results: a scheme a row, a column for each attack. One table has the networks before
 * and after attacks on them, the other genuine beside forged evidence. */
#include "experiments/report/table_kind.h"

#include <string.h>

typedef struct pivot {
    bool forged; /* columns are evidence; false: networks */
    const char *title, *first;
    struct {
        const char *metric, *name;
        double scale;
    } rows[3]; /* quantities, a row each */
} pivot;

static const pivot networks = {
    .title = "before and after attacks on the network",
    .first = "before",
    .rows = {{"accuracy", "accuracy %", 1}, {"detection", "signature %", 1}, {"agrees", "agrees %", 100}},
};
static const pivot evidence = {
    .forged = true,
    .title = "genuine and forged evidence, side by side",
    .first = "genuine",
    .rows = {{"accuracy_claimed", "accuracy %", 1}, {"detection", "signature %", 1}, {"agrees", "agrees %", 100}},
};

enum { DATA, NETWORK, NORM, SCHEME, QUANTITY, KEYS };

/* Does a result have columns in the table? */
static bool takes_part(const pivot *p, const pg_summary *b, int i)
{
    return b->attack[i] < 0 || (b->forges[i] == p->forged && !b->accused[i]);
}

/* Does an outcome of a result have a column? An attack on evidence repeats the genuine one. */
static bool is_shown(const pivot *p, const pg_summary *b, int i, const char *outcome)
{
    return b->attack[i] < 0 ? !outcome[0] : !p->forged || strcmp(outcome, "genuine") != 0;
}

/* Name of the column of an outcome, in the table's pool. */
static pg_status name_column(const pivot *p, const pg_summary *b, int i, const char *outcome, pg_table *table,
                             const char **name, pg_error *err)
{
    const char *axis = pg_on_axis(outcome) ? outcome : "";
    *name = p->first;
    if (b->attack[i] < 0) return PG_OK;
    return pg_text_pool_print(&table->texts, name, NULL, err, "%s%s%s", b->attacks.items[b->attack[i]].label,
                              axis[0] ? " " : "", axis);
}

static int find_column(const pg_table *table, const char *name)
{
    int c = KEYS;
    while (c < table->column_count && strcmp(table->columns[c].name, name) != 0) c++;
    return c;
}

/* Call visit for every outcome that has a column. */
typedef pg_status visitor(const pivot *p, const pg_summary *b, int i, int cell, pg_table *table, pg_error *err);
static pg_status visit_all(const pivot *p, const pg_summary *b, pg_table *table, visitor *visit, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < b->results->count; i++) {
        const pg_record *record = &b->results->items[i].record;
        for (int c = 0; takes_part(p, b, i) && c < record->cell_count; c++)
            if (is_shown(p, b, i, record->cells[c].outcome)) PG_TRY(visit(p, b, i, c, table, err));
    }
done:
    return status;
}

static int row_of(const pivot *p, const char *metric)
{
    for (int k = 0; k < 3; k++)
        if (strcmp(p->rows[k].metric, metric) == 0) return k;
    return -1;
}

static pg_status add_column(const pivot *p, const pg_summary *b, int i, int cell, pg_table *table, pg_error *err)
{
    const pg_record_cell *c = &b->results->items[i].record.cells[cell];
    const char *name = NULL;
    if (row_of(p, c->metric) < 0) return PG_OK;
    const pg_status status = name_column(p, b, i, c->outcome, table, &name, err);
    if (status != PG_OK || find_column(table, name) < table->column_count) return status;
    return pg_table_column(table, name, PG_COLUMN_MEAN, err);
}

static pg_status add_value(const pivot *p, const pg_summary *b, int i, int cell, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_record_cell *c = &b->results->items[i].record.cells[cell];
    const char *name = NULL;
    const int k = row_of(p, c->metric);
    int row;
    if (k < 0) return PG_OK;
    PG_TRY(name_column(p, b, i, c->outcome, table, &name, err));
    PG_TRY(pg_table_row(table, &row, err, "%d %d %d", b->place[i], b->scheme[i], k));
    PG_TRY(pg_put_place(table, row, b, i, p->rows[k].name, NULL, err));
    PG_TRY(pg_table_add(table, row, find_column(table, name), p->rows[k].scale * c->value, err));
done:
    return status;
}

/* Columns come before the rows, so the results are visited twice. */
static pg_status fill(const pivot *p, const pg_summary *b, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", "quantity", NULL};
    static const pg_metric_column none[] = {{NULL, NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    if (!pg_any_attack(b, p->forged)) return PG_OK;
    PG_TRY(pg_table_kind_start(table, b, p->title, texts, none, err));
    PG_TRY(pg_table_column(table, p->first, PG_COLUMN_MEAN, err));
    PG_TRY(visit_all(p, b, table, add_column, err));
    PG_TRY(visit_all(p, b, table, add_value, err));
done:
    return status;
}

static pg_status fill_networks(const pg_summary *b, pg_table *table, pg_error *err)
{
    return fill(&networks, b, table, err);
}

static pg_status fill_evidence(const pg_summary *b, pg_table *table, pg_error *err)
{
    return fill(&evidence, b, table, err);
}

const pg_table_kind pg_table_kind_attacked = {
    .name = "attacked",
    .printed = true,
    .fill = fill_networks,
};

const pg_table_kind pg_table_kind_forged = {
    .name = "forged",
    .printed = true,
    .fill = fill_evidence,
};
