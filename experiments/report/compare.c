/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our results beside published ones; see compare.h. */
#include "experiments/report/compare.h"

#include "core/base/memory.h"
#include "core/ownership/scheme.h"
#include "core/ownership/verdict.h"
#include "experiments/report/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const pg_verdict_names[] = {"reproduced", "same shape", "differs", "not comparable at this scale", NULL};

enum { TRAINING_EPOCHS = 200, ATTACK_EPOCHS = 100 }; /* as published */

typedef enum scale { FULL, CONVERGED, REDUCED, STAND_IN } scale;
static const char *const scale_names[] = {"full", "converged", "reduced", "stand-in"};

/* The value of a sample that a relation compares: every trial must keep a bound, so the worst one counts. */
static double telling(const pg_sample *s, pg_relation relation)
{
    if (relation == PG_AT_MOST) return pg_sample_max(s);
    if (relation == PG_AT_LEAST) return pg_sample_min(s);
    return pg_sample_mean(s);
}

static bool keeps(double value, pg_relation relation, double bound, double tolerance)
{
    if (relation == PG_AT_MOST) return pg_at_least(bound, value);
    if (relation == PG_AT_LEAST) return pg_at_least(value, bound);
    return pg_at_least(tolerance, fabs(value - bound));
}

/* ---- inequalities ---- */

/* Measurements of one subject: a sample for each group, or for each place. */
typedef struct neighbours {
    pg_sample *samples;
    double *means;
} neighbours;

/* A published inequality with samples of both sides. Both sides are measured under the same scheme with the same options,
 * unless `than` names a scheme of its own. */
typedef struct question {
    const pg_published_check *check;
    neighbours measured[PG_RANGES], than[PG_RANGES];
} question;

static int neighbours_of(const pg_settings *s, int setting, bool any_scheme)
{
    return any_scheme ? s->summary->place[s->first[setting]] : s->group[setting];
}

static pg_status find_neighbours(const pg_settings *s, const pg_subject *subject, bool any_scheme, pg_range of, neighbours *out,
                                 pg_error *err)
{
    pg_status status = PG_OK;
    bool *fits = NULL;
    PG_TRY(pg_alloc((size_t)s->group_count, sizeof *out->samples, &out->samples, err));
    PG_TRY(pg_alloc((size_t)s->group_count, sizeof *out->means, &out->means, err));
    PG_TRY(pg_settings_fit(s, subject, false, &fits, err));
    for (int k = 0; k < s->count; k++)
        if (fits[s->kind[k]])
            PG_TRY(pg_settings_gather(s, k, subject, of, &out->samples[neighbours_of(s, k, any_scheme)], err));
    for (int k = 0; k < s->group_count; k++)
        if (out->samples[k].count) out->means[k] = pg_sample_mean(&out->samples[k]);
done:
    pg_free(fits);
    return status;
}

static void clear_neighbours(const pg_settings *s, neighbours *n)
{
    for (int k = 0; n->samples && k < s->group_count; k++) pg_sample_clear(&n->samples[k]);
    pg_free(n->samples);
    pg_free(n->means);
}

static void close_question(const pg_settings *s, question *q)
{
    for (pg_range of = PG_RANGE_ALL; of < PG_RANGES; of++) {
        clear_neighbours(s, &q->measured[of]);
        clear_neighbours(s, &q->than[of]);
    }
}

static pg_status open_question(const pg_settings *s, const pg_published_check *check, question *q, pg_error *err)
{
    pg_status status = PG_OK;
    q->check = check;
    for (pg_range of = PG_RANGE_ALL; of < PG_RANGES; of++) {
        PG_TRY(find_neighbours(s, &check->measured, false, of, &q->measured[of], err));
        if (check->than.metric[0]) PG_TRY(find_neighbours(s, &check->than, check->than.scheme[0] != 0, of, &q->than[of], err));
    }
done:
    return status;
}

/* Our settings, and the published claims that they are checked against. */
typedef struct comparison {
    const pg_published *published;
    pg_settings settings;
    question *questions; /* by check */
    bool *converged;     /* by place: its plain network reaches the published accuracy */
    int *counts;         /* by verdict */
} comparison;

/* Outcome of an inequality in one setting. */
typedef struct answer {
    pg_sample measured;
    double bound;
    bool known, holds;
    bool unlearnt; /* not known, because networks did not learn */
} answer;

/* Does the inequality hold at this setting? If the inequality measures the setting itself, its own sample decides, else the
 * samples of its group. */
static pg_status ask_those(const pg_settings *s, int setting, const question *q, pg_range of, answer *out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_published_check *check = q->check;
    const int group = s->group[setting], other = neighbours_of(s, setting, check->than.scheme[0] != 0);
    const neighbours *than = check->than.metric[0] ? &q->than[of] : NULL;
    PG_TRY(pg_settings_gather(s, setting, &check->measured, of, &out->measured, err));
    const double measured = out->measured.count ? pg_sample_mean(&out->measured) : q->measured[of].means[group];
    if (!out->measured.count) PG_TRY(pg_sample_copy(&q->measured[of].samples[group], &out->measured, err));
    out->known = out->measured.count && (!than || than->samples[other].count);
    out->bound = check->offset + (than && out->known ? than->means[other] : 0);
    out->holds = out->known && keeps(measured, check->relation, out->bound, 0);
done:
    return status;
}

static pg_status ask(const pg_settings *s, int setting, const question *q, answer *out, pg_error *err)
{
    answer all = {0};
    pg_status status = ask_those(s, setting, q, PG_RANGE_LEARNT, out, err);
    if (status != PG_OK || out->known) return status;
    status = ask_those(s, setting, q, PG_RANGE_ALL, &all, err);
    out->unlearnt = all.known;
    pg_sample_clear(&all.measured);
    return status;
}

/* ---- tables ---- */

/* Move a sample to a cell. */
static void put_sample(pg_table *table, int row, int c, pg_sample *sample)
{
    pg_table_at(table, row, c)->sample = *sample;
    *sample = (pg_sample){0};
}

static const char *scheme_label(const pg_settings *s, int setting)
{
    return s->summary->schemes.items[s->summary->scheme[s->first[setting]]].label;
}

static const char *attack_label(const pg_settings *s, int setting)
{
    const int attack = s->summary->attack[s->first[setting]];
    return attack < 0 ? "" : s->summary->attacks.items[attack].label;
}

static pg_status add_check(const pg_settings *s, int setting, const question *q, pg_table *table, pg_error *err)
{
    const pg_published_check *check = q->check;
    pg_status status = PG_OK;
    answer a = {0};
    pg_sample own = {0};
    int row;
    const pg_task_labels *l = pg_settings_labels(s, setting);
    PG_TRY(pg_settings_gather(s, setting, &check->measured, PG_RANGE_ALL, &own, err));
    if (!own.count) goto done;
    PG_TRY(ask(s, setting, q, &a, err));
    if (!a.known && !a.unlearnt) goto done;
    const char *holds = a.unlearnt ? "not asked" : a.holds ? "yes" : "no";
    PG_TRY(pg_table_row(table, &row, err, "%s %d", check->id, setting));
    PG_TRY(pg_table_put(table, row, 0,
                        (const char *const[]){check->id, check->what, l->data, l->network, l->norm, scheme_label(s, setting),
                                              attack_label(s, setting), holds, NULL},
                        err));
    if (a.known) put_sample(table, row, PG_CHECKS_HOLDS + 1, &a.measured);
    PG_TRY(pg_table_put(table, row, PG_CHECKS_HOLDS + 2, (const char *const[]){pg_relation_names[check->relation], NULL}, err));
    if (a.known) PG_TRY(pg_table_add(table, row, PG_CHECKS_HOLDS + 3, a.bound, err));
done:
    pg_sample_clear(&own);
    pg_sample_clear(&a.measured);
    return status;
}

static pg_status make_checks(const comparison *c, pg_table *table, pg_error *err)
{
    static const pg_column columns[] = {{"check", PG_COLUMN_TEXT},    {"claim", PG_COLUMN_TEXT},   {"data", PG_COLUMN_TEXT},
                                        {"network", PG_COLUMN_TEXT},  {"norm", PG_COLUMN_TEXT},    {"scheme", PG_COLUMN_TEXT},
                                        {"attack", PG_COLUMN_TEXT},   {"holds", PG_COLUMN_TEXT},   {"ours", PG_COLUMN_MEAN},
                                        {"relation", PG_COLUMN_TEXT}, {"bound", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    bool *fits = NULL;
    const pg_settings *s = &c->settings;
    PG_TRY(pg_summary_head(s->summary,
                           "published claims, asked of networks that learnt: at least 10 points above chance, which guessing "
                           "would reach with p <= 0.001",
                           table, err));
    PG_TRY(pg_table_columns(table, columns, err));
    for (int i = 0; i < c->published->check_count; i++) {
        pg_free(fits);
        fits = NULL;
        PG_TRY(pg_settings_fit(s, &c->published->checks[i].measured, false, &fits, err));
        for (int k = 0; k < s->count; k++)
            if (fits[s->kind[k]]) PG_TRY(add_check(s, k, &c->questions[i], table, err));
    }
done:
    pg_free(fits);
    return status;
}

/* ---- numbers ---- */

/* Does the list have at least this many epochs, or no option "epochs"? */
static bool enough_epochs(const pg_parameters *list, double wanted)
{
    const pg_value *value = pg_parameters_find(list, "epochs");
    return !value || (value->type == PG_VALUE_NUMBER && value->number >= wanted);
}

/* All of the data and the whole width of the network. Nobody knows how an imported network was trained. */
static bool whole(const pg_task_labels *l)
{
    return !pg_labels_supplied(l) && !strchr(l->data, ' ') && !strstr(l->network, " x");
}

/* Was the setting trained and attacked for as long as published? If the number names its epochs (those of its attack, if the
 * attack trains), the setting has the same epochs, because pg_settings_gather compares options. */
static bool as_long(const pg_subject *s, const pg_task_labels *l)
{
    const bool named = pg_parameters_find(s->parameters, "epochs") != NULL,
               of_attack = named && pg_parameters_find(l->parameters, "epochs") != NULL;
    return ((named && !of_attack) || enough_epochs(l->training, TRAINING_EPOCHS)) &&
           (of_attack || enough_epochs(l->parameters, ATTACK_EPOCHS));
}

static scale scale_of(const comparison *c, int setting, const pg_subject *subject)
{
    const pg_settings *s = &c->settings;
    const pg_task_labels *l = pg_settings_labels(s, setting);
    if (!whole(l)) return REDUCED;
    if (as_long(subject, l)) return FULL;
    return c->converged[s->summary->place[s->first[setting]]] ? CONVERGED : REDUCED;
}

/* Is the number the accuracy of a network without a mark, at the end of its training? */
static bool is_plain_accuracy(const pg_published_number *n)
{
    const pg_subject *s = &n->subject;
    const pg_scheme *scheme = pg_scheme_find(s->scheme);
    return scheme && scheme->group == PG_CONTROL && !s->attack[0] && strcmp(s->metric, "accuracy") == 0 &&
           n->relation == PG_EQUAL && !s->parameters->count;
}

/* Note the places whose plain network, trained on the whole data at the whole width, is at most a point below a number. */
static pg_status find_converged(comparison *c, const pg_published_number *n, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_settings *s = &c->settings;
    pg_sample ours = {0};
    for (int k = 0; k < s->count; k++) {
        pg_sample_clear(&ours);
        if (!whole(pg_settings_labels(s, k))) continue;
        PG_TRY(pg_settings_gather(s, k, &n->subject, PG_RANGE_ALL, &ours, err));
        if (ours.count && pg_at_least(pg_sample_mean(&ours), n->value - 1)) c->converged[s->summary->place[s->first[k]]] = true;
    }
done:
    pg_sample_clear(&ours);
    return status;
}

/* How far our mean may lie from a published one. */
static double tolerance_of(const pg_published_number *n, scale at, const pg_sample *ours)
{
    if (strcmp(n->unit, "%") != 0) return 0.02 * fabs(n->value);
    if (at == FULL || strcmp(n->strength, "figure") == 0) return 2;
    return fmax(1, pg_sample_sd(ours));
}

static pg_verdict judge(bool trained, bool agrees, const pg_published_check *check, const answer *a)
{
    if (trained && agrees) return PG_REPRODUCED;
    if (check && a->known) return a->holds ? PG_SAME_SHAPE : PG_DIFFERS;
    return trained ? PG_DIFFERS : PG_NOT_COMPARABLE;
}

static pg_status add_number(const comparison *c, int setting, const pg_published_number *n, bool stand_in, pg_table *table,
                            pg_error *err)
{
    const pg_settings *s = &c->settings;
    pg_status status = PG_OK;
    pg_sample ours = {0};
    answer a = {0};
    int row;
    const pg_task_labels *l = pg_settings_labels(s, setting);
    PG_TRY(pg_settings_gather(s, setting, &n->subject, stand_in ? PG_RANGE_STAND_INS : PG_RANGE_ALL, &ours, err));
    if (!ours.count) goto done;
    if (n->check) PG_TRY(ask(s, setting, &c->questions[n->check - c->published->checks], &a, err));
    const scale at = stand_in ? STAND_IN : scale_of(c, setting, &n->subject);
    const double value = telling(&ours, n->relation);
    const bool agrees = keeps(value, n->relation, n->value, tolerance_of(n, at, &ours));
    const pg_verdict verdict = judge(at <= CONVERGED, agrees, n->check, &a);
    c->counts[verdict]++;
    PG_TRY(pg_table_row(table, &row, err, "%s %d", n->id, setting));
    PG_TRY(pg_table_put(table, row, 0,
                        (const char *const[]){n->id, n->what, n->unit, pg_relation_names[n->relation], n->strength, l->data,
                                              l->network, l->norm, scheme_label(s, setting), attack_label(s, setting),
                                              scale_names[at], pg_verdict_names[verdict], NULL},
                        err));
    PG_TRY(pg_table_add(table, row, PG_NUMBERS_PUBLISHED, n->value, err));
    put_sample(table, row, PG_NUMBERS_OURS, &ours);
    PG_TRY(pg_table_add(table, row, PG_NUMBERS_DIFFERENCE, value - n->value, err));
    PG_TRY(pg_table_put(table, row, PG_NUMBERS_SOURCE, (const char *const[]){n->source, NULL}, err));
done:
    pg_sample_clear(&ours);
    pg_sample_clear(&a.measured);
    return status;
}

/* Add the rows of a number: beside its own settings, or beside their stand-ins. */
static pg_status add_rows(const comparison *c, const pg_published_number *n, bool stand_in, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_settings *s = &c->settings;
    bool *fits = NULL;
    PG_TRY(pg_settings_fit(s, &n->subject, stand_in, &fits, err));
    for (int k = 0; k < s->count; k++)
        if (fits[s->kind[k]]) PG_TRY(add_number(c, k, n, stand_in, table, err));
done:
    pg_free(fits);
    return status;
}

static pg_status make_numbers(const comparison *c, pg_table *table, pg_error *err)
{
    static const pg_column columns[] = {
        {"number", PG_COLUMN_TEXT},      {"what", PG_COLUMN_TEXT},     {"unit", PG_COLUMN_TEXT},
        {"relation", PG_COLUMN_TEXT},    {"strength", PG_COLUMN_TEXT}, {"data", PG_COLUMN_TEXT},
        {"network", PG_COLUMN_TEXT},     {"norm", PG_COLUMN_TEXT},     {"scheme", PG_COLUMN_TEXT},
        {"attack", PG_COLUMN_TEXT},      {"scale", PG_COLUMN_TEXT},    {"verdict", PG_COLUMN_TEXT},
        {"published", PG_COLUMN_NUMBER}, {"ours", PG_COLUMN_MEAN},     {"difference", PG_COLUMN_NUMBER},
        {"source", PG_COLUMN_TEXT},      {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    PG_TRY(pg_summary_head(c->settings.summary, "beside published numbers", table, err));
    PG_TRY(pg_table_columns(table, columns, err));
    for (int i = 0; i < c->published->number_count; i++) {
        const pg_published_number *n = &c->published->numbers[i];
        const int before = table->row_count;
        PG_TRY(add_rows(c, n, false, table, err));
        if (table->row_count == before) PG_TRY(add_rows(c, n, true, table, err));
    }
done:
    return status;
}

pg_status pg_compare(const pg_published *published, const pg_summary *summary, pg_table *numbers, pg_table *checks, int *counts,
                     pg_error *err)
{
    pg_status status = PG_OK;
    comparison c = {.published = published, .counts = counts};
    const size_t check_count = (size_t)published->check_count;
    memset(counts, 0, PG_VERDICTS * sizeof *counts);
    PG_TRY(pg_alloc(check_count, sizeof *c.questions, &c.questions, err));
    PG_TRY(pg_settings_open(&c.settings, summary, err));
    PG_TRY(pg_alloc((size_t)c.settings.group_count, sizeof *c.converged, &c.converged, err));
    for (int i = 0; i < published->number_count; i++)
        if (is_plain_accuracy(&published->numbers[i])) PG_TRY(find_converged(&c, &published->numbers[i], err));
    for (size_t i = 0; i < check_count; i++) PG_TRY(open_question(&c.settings, &published->checks[i], &c.questions[i], err));
    PG_TRY(make_numbers(&c, numbers, err));
    PG_TRY(make_checks(&c, checks, err));
done:
    for (size_t i = 0; c.questions && i < check_count; i++) close_question(&c.settings, &c.questions[i]);
    pg_free(c.questions);
    pg_free(c.converged);
    pg_settings_close(&c.settings);
    return status;
}
