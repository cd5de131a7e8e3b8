/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the tables; see table_fill.h. */
#include "experiments/report/table_fill.h"

#include "core/base/memory.h"
#include "core/ownership/threshold.h"
#include "core/ownership/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct column_spec {
    const char *metric, *name;
    pg_column_kind kind;
} column_spec;

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

static pg_status start(pg_table *table, const pg_summary *b, const char *title, const char *const *texts,
                       const column_spec *columns, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_summary_head(b, title, table, err));
    table->word = ruling_word;
    for (; *texts; texts++) PG_TRY(pg_table_column(table, *texts, PG_COLUMN_TEXT, err));
    for (; columns->metric; columns++) PG_TRY(pg_table_column(table, columns->name, columns->kind, err));
done:
    return status;
}

/* ---- one result -------------------------------------------------------------------------------------------------------- */

/* The cells of a result, with those of one outcome linked. */
typedef struct view {
    const pg_summary *summary;
    int result; /* its index */
    const pg_record *record;
    int *next; /* by cell: the next one of its outcome; of the last, the first */
} view;

static void close_view(view *v)
{
    pg_free(v->next);
    *v = (view){0};
}

static pg_status open_view(const pg_summary *b, int result, view *v, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool outcomes = {0};
    int *last = NULL;
    *v = (view){.summary = b, .result = result, .record = &b->results->items[result].record};
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
    if (status != PG_OK) close_view(v);
    return status;
}

/* Value of a metric that has the same outcome as a cell; false if the record has none. */
static bool find(const view *v, int cell, const char *metric, double *value)
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

/* ---- why claims fall ------------------------------------------------------------------------------------------------- */

/* Is a metric beside a cell true? `otherwise` if the record lacks it. */
static bool says(const view *v, int cell, const char *metric, bool otherwise)
{
    double value;
    return find(v, cell, metric, &value) ? value > 0.5 : otherwise;
}

/* Did the attack move the network to another data set? */
static bool moved(const pg_record *record)
{
    for (int i = 0; i < record->note_count; i++)
        if (strcmp(record->notes[i].key, "other_data") == 0) return true;
    return false;
}

/* Is the network of a cell's outcome no better than guessing? If the record does not say, its accuracy decides, unless the
 * attack moved it to other data with an unknown number of classes. */
static bool is_useless(const view *v, int cell)
{
    const pg_summary *b = v->summary;
    const double chance = b->chance[v->result], images = b->images[v->result];
    double accuracy, told;
    if (find(v, cell, "useless", &told)) return told > 0.5;
    if (moved(v->record)) return false;
    if (!find(v, cell, "accuracy", &accuracy) || isnan(chance) || images < 1) return false;
    return !pg_beats_guessing(accuracy, (int)images, (int)lround(100 / chance), 1e-3);
}

/* The ruling on the outcome of a cell; false if it has neither a claim nor a network that is useless. */
static bool find_ruling(const view *v, int cell, pg_ruling *ruling)
{
    double agrees;
    const bool useless = is_useless(v, cell), claimed = find(v, cell, "agrees", &agrees);
    *ruling = PG_USELESS;
    if (claimed)
        *ruling = says(v, cell, "proves", false)
                      ? PG_PROVES
                      : pg_rule(useless, says(v, cell, "significant", agrees > 0.5), says(v, cell, "decidable", true),
                                says(v, cell, "works", agrees > 0.5));
    return claimed || useless;
}

/* Does the ruling on an outcome go with this cell? It goes with the claim, or with the accuracy if there is no claim. */
static bool has_ruling(const view *v, int cell)
{
    double agrees;
    const char *metric = v->record->cells[cell].metric;
    if (strcmp(metric, "agrees") == 0) return true;
    return strcmp(metric, "accuracy") == 0 && !find(v, cell, "agrees", &agrees);
}

/* Columns of values in a row: they begin at column `first` of the table. */
typedef struct place {
    pg_table *table;
    int row, first;
    const column_spec *columns;
} place;

static pg_status put_value(const place *at, const char *metric, double value, pg_error *err)
{
    for (int c = 0; at->columns[c].metric; c++) {
        if (strcmp(at->columns[c].metric, metric) != 0) continue;
        const pg_status status = pg_table_add(at->table, at->row, at->first + c, value, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

/* Put a cell where its metric belongs. What is detected also gives its place on the scale of the null models' threshold, in
 * percent, where there is one. */
static pg_status put(const place *at, const view *v, int cell, double threshold, pg_error *err)
{
    pg_status status = PG_OK;
    pg_ruling ruling;
    const pg_record_cell *c = &v->record->cells[cell];
    PG_TRY(put_value(at, c->metric, c->value, err));
    if (!isnan(threshold) && strcmp(c->metric, "detection") == 0)
        PG_TRY(put_value(at, "rescaled", pg_threshold_rescale(threshold / 100, c->value / 100), err));
    if (has_ruling(v, cell) && find_ruling(v, cell, &ruling)) PG_TRY(put_value(at, "ruling", ruling, err));
done:
    return status;
}

/* The texts that a row about a result begins with: its place, its scheme, and up to two more. */
static pg_status put_texts(pg_table *table, int row, const pg_summary *b, int i, const char *more, const char *last,
                           pg_error *err)
{
    const pg_task_labels *l = &b->results->items[i].labels;
    const char *const texts[] = {l->data, l->network, l->norm, b->schemes.items[b->scheme[i]].label, more, last, NULL};
    return pg_table_put(table, row, 0, texts, err);
}

/* ---- schemes ------------------------------------------------------------------------------------------------------------ */

/* The row of a trained model. */
static pg_status add_scheme(const pg_summary *b, int i, const column_spec *columns, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    view v = {0};
    place at = {.table = table, .first = 4, .columns = columns};
    PG_TRY(open_view(b, i, &v, err));
    PG_TRY(pg_table_row(table, &at.row, err, "%d %d", b->place[i], b->scheme[i]));
    PG_TRY(put_texts(table, at.row, b, i, NULL, NULL, err));
    for (int c = 0; c < v.record->cell_count; c++)
        if (!v.record->cells[c].outcome[0]) PG_TRY(put(&at, &v, c, b->threshold[i], err));
done:
    close_view(&v);
    return status;
}

pg_status pg_fill_schemes(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", NULL};
    static const column_spec columns[] = {{"accuracy", "accuracy %", PG_COLUMN_MEAN},
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
    PG_TRY(start(table, b, "protected models", texts, columns, err));
    for (int i = 0; i < b->results->count; i++)
        if (b->attack[i] < 0) PG_TRY(add_scheme(b, i, columns, table, err));
done:
    return status;
}

/* ---- removal -------------------------------------------------------------------------------------------------------- */

static bool any_attack(const pg_summary *b, bool forges)
{
    for (int i = 0; i < b->results->count; i++)
        if (b->attack[i] >= 0 && b->forges[i] == forges) return true;
    return false;
}

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

/* Does the row of a cell belong to the cell before it too? */
static bool same_outcome(const pg_record *record, int cell)
{
    return cell > 0 && strcmp(record->cells[cell].outcome, record->cells[cell - 1].outcome) == 0;
}

/* Rows of one result: a trained model is the row "before", an attack has one row per outcome. */
static pg_status add_removal(const pg_summary *b, int i, const column_spec *columns, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    view v = {0};
    place at = {.table = table, .first = 6, .columns = columns};
    const bool trained = b->attack[i] < 0;
    const char *attack = trained ? "before" : b->attacks.items[b->attack[i]].label;
    PG_TRY(open_view(b, i, &v, err));
    for (int c = 0; c < v.record->cell_count; c++) {
        const char *outcome = v.record->cells[c].outcome;
        if (trained && outcome[0]) continue;
        if (!same_outcome(v.record, c)) {
            PG_TRY(pg_table_row(table, &at.row, err, "%d %d %d %s", b->place[i], b->scheme[i], b->attack[i], outcome));
            PG_TRY(put_texts(table, at.row, b, i, attack, outcome, err));
        }
        PG_TRY(put(&at, &v, c, b->threshold[i], err));
    }
done:
    close_view(&v);
    return status;
}

pg_status pg_fill_removal(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", "attack", "outcome", NULL};
    static const column_spec columns[] = {{"accuracy", "accuracy %", PG_COLUMN_MEAN},
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
    if (!any_attack(b, false)) return PG_OK;
    PG_TRY(start(table, b, "attacks that try to remove the mark", texts, columns, err));
    PG_TRY(pg_alloc((size_t)n, sizeof *order, &order, err));
    for (int i = 0; i < n; i++) order[i] = i;
    qsort_r(order, (size_t)n, sizeof *order, by_scheme, (void *)b);
    for (int i = 0; i < n; i++)
        if (!b->forges[order[i]]) PG_TRY(add_removal(b, order[i], columns, table, err));
done:
    pg_free(order);
    return status;
}

/* ---- ambiguity ---------------------------------------------------------------------------------------------------------- */

/* Outcomes that repeat one thing share a row, those on an axis, such as a level, have one each. */
static bool on_axis(const char *outcome)
{
    return outcome[0] && strncmp(outcome, "repeat=", 7) != 0;
}

/* The row of an outcome of a result; a trained model's is "genuine". */
static pg_status evidence_row(pg_table *table, const pg_summary *b, int i, const char *outcome, int *row, pg_error *err)
{
    pg_status status = PG_OK;
    const char *evidence = "genuine", *axis = on_axis(outcome) ? outcome : "";
    PG_TRY(pg_table_row(table, row, err, "%d %d %d %s", b->place[i], b->scheme[i], b->attack[i], axis));
    if (b->attack[i] >= 0)
        PG_TRY(pg_text_pool_print(&table->texts, &evidence, NULL, err, "%s%s%s", b->attacks.items[b->attack[i]].label,
                                  axis[0] ? " " : "", axis));
    PG_TRY(put_texts(table, *row, b, i, evidence, NULL, err));
done:
    return status;
}

/* Rows of one result. The null models' threshold serves evidence of the owner's form: bits as many as his, or triggers. */
static pg_status add_evidence(const pg_summary *b, int i, const column_spec *columns, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    view v = {0};
    place at = {.table = table, .first = 5, .columns = columns};
    const bool trained = b->attack[i] < 0;
    double owner = 0, threshold = (double)NAN;
    const bool bits = pg_result_value(&b->results->items[i], trained ? "" : "genuine", "bits", &owner);
    PG_TRY(open_view(b, i, &v, err));
    for (int c = 0; c < v.record->cell_count; c++) {
        const char *outcome = v.record->cells[c].outcome;
        if (trained ? outcome[0] != 0 : strcmp(outcome, "genuine") == 0) continue;
        if (!same_outcome(v.record, c)) {
            double claimed = 0;
            const bool like = bits == find(&v, c, "bits", &claimed) && fabs(owner - claimed) < 0.5;
            threshold = like ? b->threshold[i] : (double)NAN;
            PG_TRY(evidence_row(table, b, i, outcome, &at.row, err));
        }
        PG_TRY(put(&at, &v, c, threshold, err));
    }
done:
    close_view(&v);
    return status;
}

/* Accuracy is that of the branch which the evidence opens. */
pg_status pg_fill_ambiguity(const pg_summary *b, pg_table *table, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", "evidence", NULL};
    static const column_spec columns[] = {{"accuracy_claimed", "accuracy %", PG_COLUMN_MEAN},
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
    if (!any_attack(b, true)) return PG_OK;
    PG_TRY(start(table, b, "genuine and forged evidence", texts, columns, err));
    for (int i = 0; i < b->results->count; i++) {
        double agrees;
        const bool claims = b->attack[i] < 0 ? pg_result_value(&b->results->items[i], "", "agrees", &agrees) : b->forges[i];
        if (claims) PG_TRY(add_evidence(b, i, columns, table, err));
    }
done:
    return status;
}

/* ---- settings -------------------------------------------------------------------------------------------------------- */

/* The options behind the short names. */
pg_status pg_fill_settings(const pg_summary *b, pg_table *table, pg_error *err)
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
