/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the tables of a run; see table_kind.h. */
#include "experiments/report/table_kind.h"

#include "core/base/memory.h"
#include "core/ownership/threshold.h"

#include <math.h>
#include <string.h>

/* Column "verdict": pg_ruling_text in a word or two. */
static const char *ruling_word(int ruling)
{
    static const char *const words[] = {[PG_PROVES] = "proves",
                                        [PG_AGREES] = "agrees",
                                        [PG_NOT_SIGNIFICANT] = "not significant",
                                        [PG_DOES_NOT_WORK] = "does not work",
                                        [PG_USELESS] = "useless",
                                        [PG_NOT_DECIDABLE] = "not decidable",
                                        [PG_NO_EVIDENCE] = "no evidence"};
    return words[ruling];
}

pg_status pg_table_kind_start(pg_table *table, const pg_summary *b, const char *title, const char *const *texts,
                              const pg_metric_column *columns, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_summary_head(b, title, table, err));
    table->word = ruling_word;
    for (; *texts; texts++) PG_TRY(pg_table_column(table, *texts, PG_COLUMN_TEXT, err));
    for (; columns->metric; columns++) PG_TRY(pg_table_column(table, columns->name, columns->kind, err));
done:
    return status;
}

bool pg_any_attack(const pg_summary *b, bool forges)
{
    for (int i = 0; i < b->results->count; i++)
        if (b->attack[i] >= 0 && !b->accused[i] && b->forges[i] == forges) return true;
    return false;
}

/* ---- one result ---- */

void pg_view_close(pg_view *v)
{
    pg_free(v->next);
    *v = (pg_view){0};
}

pg_status pg_view_open(const pg_summary *b, int result, pg_view *v, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool outcomes = {0};
    int *last = NULL;
    *v = (pg_view){.summary = b, .result = result, .record = &b->results->items[result].record};
    const size_t count = (size_t)v->record->cell_count;
    PG_TRY(pg_alloc(count, sizeof *v->next, &v->next, err));
    PG_TRY(pg_alloc(count, sizeof *last, &last, err)); /* by number of the outcome */
    for (int c = 0; c < v->record->cell_count; c++) {
        int number;
        const int before = outcomes.count;
        PG_TRY(pg_text_pool_keep(&outcomes, v->record->cells[c].outcome, NULL, &number, err));
        v->next[c] = number < before ? v->next[last[number]] : c;
        if (number < before) v->next[last[number]] = c;
        last[number] = c;
    }
done:
    pg_text_pool_clear(&outcomes);
    pg_free(last);
    if (status != PG_OK) pg_view_close(v);
    return status;
}

bool pg_view_find(const pg_view *v, int cell, const char *metric, double *value)
{
    int c = cell;
    do {
        if (strcmp(v->record->cells[c].metric, metric) == 0) {
            *value = v->record->cells[c].value;
            return true;
        }
        c = v->next[c];
    } while (c != cell);
    return false;
}

bool pg_same_outcome(const pg_record *record, int cell)
{
    return cell > 0 && strcmp(record->cells[cell].outcome, record->cells[cell - 1].outcome) == 0;
}

bool pg_on_axis(const char *outcome)
{
    return outcome[0] && strncmp(outcome, "repeat=", 7) != 0;
}

/* ---- rulings ---- */

/* Is a metric of the cell's outcome true? Returns `otherwise` if the record lacks it. */
static bool says(const pg_view *v, int cell, const char *metric, bool otherwise)
{
    double value;
    return pg_view_find(v, cell, metric, &value) ? value > 0.5 : otherwise;
}

bool pg_view_moved(const pg_view *v)
{
    for (int i = 0; i < v->record->note_count; i++)
        if (strcmp(v->record->notes[i].key, "other_data") == 0) return true;
    return false;
}

/* Is the network of a cell's outcome no better than guessing? If the record does not say, its accuracy decides, unless the
 * attack moved it to other data with an unknown number of classes. */
static bool is_useless(const pg_view *v, int cell)
{
    const pg_summary *b = v->summary;
    const double chance = b->chance[v->result], images = b->images[v->result];
    double accuracy, told;
    if (pg_view_find(v, cell, "useless", &told)) return told > 0.5;
    if (pg_view_moved(v)) return false;
    if (!pg_view_find(v, cell, "accuracy", &accuracy) || isnan(chance) || images < 1) return false;
    return !pg_beats_guessing(accuracy, (int)images, (int)lround(100 / chance), 1e-3);
}

/* The ruling on the outcome of a cell; false if it has neither a claim, nor a network that is useless or has no place for the
 * evidence. */
static bool find_ruling(const pg_view *v, int cell, pg_ruling *ruling)
{
    double agrees;
    const bool useless = is_useless(v, cell), claimed = pg_view_find(v, cell, "agrees", &agrees);
    const bool readable = says(v, cell, "readable", true);
    *ruling = useless ? PG_USELESS : PG_NO_EVIDENCE;
    if (claimed)
        *ruling = says(v, cell, "proves", false)
                      ? PG_PROVES
                      : pg_rule(useless, says(v, cell, "significant", agrees > 0.5), says(v, cell, "decidable", true),
                                says(v, cell, "works", agrees > 0.5));
    return claimed || useless || !readable;
}

/* Does the ruling on an outcome go with this cell? It goes with the claim, or with the accuracy if there is no claim. */
static bool has_ruling(const pg_view *v, int cell)
{
    double agrees;
    const char *metric = v->record->cells[cell].metric;
    if (strcmp(metric, "agrees") == 0) return true;
    return strcmp(metric, "accuracy") == 0 && !pg_view_find(v, cell, "agrees", &agrees);
}

bool pg_view_ruling(const pg_view *v, int cell, pg_ruling *ruling)
{
    return has_ruling(v, cell) && find_ruling(v, cell, ruling);
}

static pg_status put_value(const pg_table_line *at, const char *metric, double value, pg_error *err)
{
    for (int c = 0; at->columns[c].metric; c++) {
        if (strcmp(at->columns[c].metric, metric) != 0) continue;
        const pg_status status = pg_table_add(at->table, at->row, at->first + c, value, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

pg_status pg_view_put(const pg_table_line *at, const pg_view *v, int cell, double threshold, pg_error *err)
{
    pg_status status = PG_OK;
    pg_ruling ruling;
    const pg_record_cell *c = &v->record->cells[cell];
    PG_TRY(put_value(at, c->metric, c->value, err));
    if (!isnan(threshold) && strcmp(c->metric, "detection") == 0)
        PG_TRY(put_value(at, "rescaled", pg_threshold_rescale(threshold / 100, c->value / 100), err));
    if (pg_view_ruling(v, cell, &ruling)) PG_TRY(put_value(at, "ruling", ruling, err));
done:
    return status;
}

pg_status pg_put_place(pg_table *table, int row, const pg_summary *b, int i, const char *more, const char *last, pg_error *err)
{
    const pg_task_labels *l = &b->results->items[i].labels;
    const char *const texts[] = {l->data, l->network, l->norm, b->schemes.items[b->scheme[i]].label, more, last, NULL};
    return pg_table_put(table, row, 0, texts, err);
}
