/* Our results beside published ones; see compare.h. */
#include "experiments/report/compare.h"

#include "core/base/memory.h"
#include "core/ownership/verdict.h"

#include <ctype.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const pg_verdict_names[] = {"reproduced", "same shape", "differs", "not comparable at this scale", NULL};

enum { TRAINING_EPOCHS = 200, ATTACK_EPOCHS = 100 }; /* as published */

/* ---- settings ---- */

/* Results that differ in their seed alone: a chain through next. */
typedef struct settings {
    const pg_summary *summary;
    int count;
    int *first; /* [count] index of a result */
    int *next;  /* [results] -1: the last */
} settings;

static const pg_task_labels *labels_of(const settings *s, int setting)
{
    return &s->summary->results->items[s->first[setting]].labels;
}

static void close_settings(settings *s)
{
    pg_free(s->first);
    pg_free(s->next);
}

static pg_status find_settings(settings *s, const pg_summary *summary, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool known = {0}; /* settings, numbered as they are here */
    const int n = summary->results->count;
    s->summary = summary;
    PG_TRY(pg_alloc((size_t)n, sizeof *s->first, &s->first, err));
    PG_TRY(pg_alloc((size_t)n, sizeof *s->next, &s->next, err));
    for (int i = 0; i < n; i++) {
        int k;
        PG_TRY(
            pg_text_pool_print(&known, NULL, &k, err, "%d %d %d", summary->place[i], summary->scheme[i], summary->attack[i]));
        s->next[i] = k < s->count ? s->first[k] : -1;
        s->first[k] = i;
        if (k == s->count) s->count++;
    }
done:
    pg_text_pool_clear(&known);
    return status;
}

/* ---- what a subject is about ---- */

/* Is name, empty for any, the first word of a label such as "alexnet x0.5"? sibling: but for the number at its end. */
static bool names(const char *name, const char *label, bool sibling)
{
    size_t n = strlen(name), m = strcspn(label, " ");
    while (sibling && n && isdigit((unsigned char)name[n - 1])) n--;
    while (sibling && m && isdigit((unsigned char)label[m - 1])) m--;
    return !name[0] || (n == m && memcmp(name, label, n) == 0);
}

static bool any_or(const char *name, const char *value)
{
    return !name[0] || strcmp(name, value) == 0;
}

static bool task_fits(const pg_subject *s, const pg_task_labels *l, bool stand_in)
{
    return names(s->data, l->data, false) && names(s->network, l->network, stand_in) && any_or(s->norm, l->norm) &&
           any_or(s->scheme, l->scheme) && strcmp(s->attack, l->attack) == 0;
}

typedef enum fit { FITS, FITS_NOT, NO_OPTION } fit;

/* Does an option name a data set, and not the victim's own? */
static bool is_transfer(const char *value, size_t length, const pg_task_labels *l)
{
    const size_t own = strcspn(l->data, " ");
    const bool none = length == 2 && memcmp(value, "''", 2) == 0;
    return !none && (length != own || memcmp(value, l->data, own) != 0);
}

/* An option of the attack, else of the scheme or its training. "data=*" is transfer to any set; so is "data=" to a stand-in. */
static fit option_fits(const char *word, size_t length, const pg_task_labels *l, bool stand_in)
{
    const char *const places[] = {l->parameters, l->scheme_parameters, l->training};
    static const char any_set[] = "data=*";
    char key[64];
    size_t found;
    snprintf(key, sizeof key, "%.*s", (int)strcspn(word, "="), word);
    const bool any =
        strcmp(key, "data") == 0 && (stand_in || (length == strlen(any_set) && memcmp(word, any_set, length) == 0));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *value = pg_parameter_value(places[i], key, &found);
        if (!value) continue;
        return (any ? is_transfer(value, found, l) : pg_parameters_hold(places[i], word, length)) ? FITS : FITS_NOT;
    }
    return NO_OPTION;
}

/* A parameter that is no option is the outcome; without one, outcomes are those of the whole attack or its repetitions. */
static bool cell_fits(const pg_subject *s, const pg_task_labels *l, const pg_record_cell *cell, bool stand_in)
{
    bool named = false;
    if (strcmp(s->metric, cell->metric) != 0) return false;
    for (const char *at = s->parameters; *at; at = pg_parameter_next(at)) {
        const size_t n = pg_parameter_length(at);
        const fit f = option_fits(at, n, l, stand_in);
        if (f == FITS_NOT) return false;
        if (f == FITS) continue;
        if (strlen(cell->outcome) != n || memcmp(cell->outcome, at, n) != 0) return false;
        named = true;
    }
    return named || !cell->outcome[0] || strncmp(cell->outcome, "repeat=", 7) == 0;
}

/* Which results count: all of what a subject names, those of its stand-ins, or those of networks that learnt. */
typedef enum range { ALL, STAND_INS, LEARNT } range;

/* Add what a setting measured of a subject to a sample. */
static pg_status gather(const settings *s, int setting, const pg_subject *subject, range of, pg_sample *out, pg_error *err)
{
    pg_status status = PG_OK;
    const bool stand_in = of == STAND_INS;
    if (!task_fits(subject, labels_of(s, setting), stand_in)) return PG_OK;
    for (int i = s->first[setting]; i >= 0; i = s->next[i]) {
        const pg_result *r = &s->summary->results->items[i];
        if (of == LEARNT && !s->summary->learnt[i]) continue;
        for (int c = 0; c < r->record.cell_count; c++)
            if (cell_fits(subject, &r->labels, &r->record.cells[c], stand_in))
                PG_TRY(pg_sample_add(out, r->record.cells[c].value, err));
    }
done:
    return status;
}

static double mean(const pg_sample *s)
{
    return gsl_stats_mean(pg_sample_values(s), 1, (size_t)s->count);
}

/* The value of a sample that a relation is about: bounds are kept by every trial. */
static double telling(const pg_sample *s, pg_relation relation)
{
    if (relation == PG_AT_MOST) return gsl_stats_max(pg_sample_values(s), 1, (size_t)s->count);
    if (relation == PG_AT_LEAST) return gsl_stats_min(pg_sample_values(s), 1, (size_t)s->count);
    return mean(s);
}

static bool keeps(double value, pg_relation relation, double bound, double tolerance)
{
    if (relation == PG_AT_MOST) return pg_at_least(bound, value);
    if (relation == PG_AT_LEAST) return pg_at_least(value, bound);
    return pg_at_least(tolerance, fabs(value - bound));
}

/* ---- inequalities ---- */

/* What one says in one setting. */
typedef struct answer {
    pg_sample measured;
    double bound;
    bool known, holds;
    bool unlearnt; /* not known, because networks did not learn */
} answer;

/* Add what the settings in the place of `setting` measured: under its scheme with the same options, or, if the subject names a
 * scheme and any_scheme is set, under that. */
static pg_status gather_beside(const settings *s, int setting, const pg_subject *subject, bool any_scheme, range of,
                               pg_sample *out, pg_error *err)
{
    pg_status status = PG_OK;
    for (int k = 0; k < s->count; k++) {
        if (s->summary->place[s->first[setting]] != s->summary->place[s->first[k]]) continue;
        if (!any_scheme && s->summary->scheme[s->first[k]] != s->summary->scheme[s->first[setting]]) continue;
        PG_TRY(gather(s, k, subject, of, out, err));
    }
done:
    return status;
}

/* The answer where a setting is: by itself if it is what the inequality measures, else by those beside it. */
static pg_status ask_those(const settings *s, int setting, const pg_published_check *check, range of, answer *out,
                           pg_error *err)
{
    pg_status status = PG_OK;
    pg_sample than = {0};
    const bool any_scheme = check->than.scheme[0] != 0;
    out->bound = check->offset;
    PG_TRY(gather(s, setting, &check->measured, of, &out->measured, err));
    if (!out->measured.count) PG_TRY(gather_beside(s, setting, &check->measured, false, of, &out->measured, err));
    if (check->than.metric[0]) PG_TRY(gather_beside(s, setting, &check->than, any_scheme, of, &than, err));
    out->known = out->measured.count && (than.count || !check->than.metric[0]);
    if (!out->known) goto done;
    if (than.count) out->bound += mean(&than);
    out->holds = keeps(mean(&out->measured), check->relation, out->bound, 0);
done:
    pg_sample_clear(&than);
    return status;
}

static pg_status ask(const settings *s, int setting, const pg_published_check *check, answer *out, pg_error *err)
{
    answer all = {0};
    pg_status status = ask_those(s, setting, check, LEARNT, out, err);
    if (status != PG_OK || out->known) return status;
    status = ask_those(s, setting, check, ALL, &all, err);
    out->unlearnt = all.known;
    pg_sample_clear(&all.measured);
    return status;
}

/* ---- tables ---- */

/* Hand a sample over to a cell. */
static void put_sample(pg_table *table, int row, int c, pg_sample *sample)
{
    pg_table_at(table, row, c)->sample = *sample;
    *sample = (pg_sample){0};
}

static const char *scheme_label(const settings *s, int setting)
{
    return s->summary->schemes.items[s->summary->scheme[s->first[setting]]].label;
}

static const char *attack_label(const settings *s, int setting)
{
    const int attack = s->summary->attack[s->first[setting]];
    return attack < 0 ? "" : s->summary->attacks.items[attack].label;
}

static pg_status add_check(const settings *s, int setting, const pg_published_check *check, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    answer a = {0};
    pg_sample own = {0};
    int row;
    const pg_task_labels *l = labels_of(s, setting);
    PG_TRY(gather(s, setting, &check->measured, ALL, &own, err));
    if (!own.count) goto done;
    PG_TRY(ask(s, setting, check, &a, err));
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

static pg_status make_checks(const pg_published *p, const settings *s, pg_table *table, pg_error *err)
{
    static const pg_column columns[] = {{"check", PG_COLUMN_TEXT},    {"claim", PG_COLUMN_TEXT},   {"data", PG_COLUMN_TEXT},
                                        {"network", PG_COLUMN_TEXT},  {"norm", PG_COLUMN_TEXT},    {"scheme", PG_COLUMN_TEXT},
                                        {"attack", PG_COLUMN_TEXT},   {"holds", PG_COLUMN_TEXT},   {"ours", PG_COLUMN_MEAN},
                                        {"relation", PG_COLUMN_TEXT}, {"bound", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    PG_TRY(pg_summary_head(s->summary,
                           "published claims, asked of networks that learnt: at least 10 points above chance, which guessing "
                           "would reach with p <= 0.001",
                           table, err));
    PG_TRY(pg_table_columns(table, columns, err));
    for (int i = 0; i < p->check_count; i++)
        for (int k = 0; k < s->count; k++) PG_TRY(add_check(s, k, &p->checks[i], table, err));
done:
    return status;
}

/* ---- numbers ---- */

/* Has an option of this text at least this many epochs, or none at all? */
static bool enough_epochs(const char *parameters, long long wanted)
{
    size_t length;
    const char *value = pg_parameter_value(parameters, "epochs", &length);
    return !value || strtoll(value, NULL, 10) >= wanted;
}

/* Epochs that a number names itself, its attack's if that trains, are those that it had: they are there, see option_fits. How
 * long a network from elsewhere was trained is not known. */
static bool full_scale(const pg_subject *s, const pg_task_labels *l)
{
    size_t length;
    const bool named = pg_parameter_value(s->parameters, "epochs", &length) != NULL,
               of_attack = named && pg_parameter_value(l->parameters, "epochs", &length) != NULL;
    return !pg_labels_brought(l) && !strchr(l->data, ' ') && !strstr(l->network, " x") &&
           ((named && !of_attack) || enough_epochs(l->training, TRAINING_EPOCHS)) &&
           (of_attack || enough_epochs(l->parameters, ATTACK_EPOCHS));
}

static pg_verdict judge(bool full, bool agrees, const pg_published_check *check, const answer *a)
{
    if (full && agrees) return PG_REPRODUCED;
    if (check && a->known) return a->holds ? PG_SAME_SHAPE : PG_DIFFERS;
    return full ? PG_DIFFERS : PG_NOT_COMPARABLE;
}

/* "full", "reduced" or "stand-in". */
static const char *scale_name(bool full, bool stand_in)
{
    return stand_in ? "stand-in" : full ? "full" : "reduced";
}

static pg_status add_number(const settings *s, int setting, const pg_published_number *n, bool stand_in, pg_table *table,
                            int *counts, pg_error *err)
{
    pg_status status = PG_OK;
    pg_sample ours = {0};
    answer a = {0};
    int row;
    const pg_task_labels *l = labels_of(s, setting);
    PG_TRY(gather(s, setting, &n->subject, stand_in ? STAND_INS : ALL, &ours, err));
    if (!ours.count) goto done;
    if (n->check) PG_TRY(ask(s, setting, n->check, &a, err));
    const bool full = !stand_in && full_scale(&n->subject, l);
    const double value = telling(&ours, n->relation);
    const double tolerance = strcmp(n->unit, "%") == 0 ? 2 : 0.02 * fabs(n->value);
    const pg_verdict verdict = judge(full, keeps(value, n->relation, n->value, tolerance), n->check, &a);
    counts[verdict]++;
    PG_TRY(pg_table_row(table, &row, err, "%s %d", n->id, setting));
    PG_TRY(pg_table_put(table, row, 0,
                        (const char *const[]){n->id, n->what, n->unit, pg_relation_names[n->relation], n->strength, l->data,
                                              l->network, l->norm, scheme_label(s, setting), attack_label(s, setting),
                                              scale_name(full, stand_in), pg_verdict_names[verdict], NULL},
                        err));
    PG_TRY(pg_table_add(table, row, 12, n->value, err));
    put_sample(table, row, 13, &ours);
    PG_TRY(pg_table_add(table, row, 14, value - n->value, err));
    PG_TRY(pg_table_put(table, row, 15, (const char *const[]){n->source, NULL}, err));
done:
    pg_sample_clear(&ours);
    pg_sample_clear(&a.measured);
    return status;
}

static pg_status make_numbers(const pg_published *p, const settings *s, pg_table *table, int *counts, pg_error *err)
{
    static const pg_column columns[] = {
        {"number", PG_COLUMN_TEXT},      {"what", PG_COLUMN_TEXT},     {"unit", PG_COLUMN_TEXT},
        {"relation", PG_COLUMN_TEXT},    {"strength", PG_COLUMN_TEXT}, {"data", PG_COLUMN_TEXT},
        {"network", PG_COLUMN_TEXT},     {"norm", PG_COLUMN_TEXT},     {"scheme", PG_COLUMN_TEXT},
        {"attack", PG_COLUMN_TEXT},      {"scale", PG_COLUMN_TEXT},    {"verdict", PG_COLUMN_TEXT},
        {"published", PG_COLUMN_NUMBER}, {"ours", PG_COLUMN_MEAN},     {"difference", PG_COLUMN_NUMBER},
        {"source", PG_COLUMN_TEXT},      {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    PG_TRY(pg_summary_head(s->summary, "beside published numbers", table, err));
    PG_TRY(pg_table_columns(table, columns, err));
    for (int i = 0; i < p->number_count; i++)
        for (int stand_in = 0; stand_in < 2; stand_in++) {
            const int before = table->row_count;
            for (int k = 0; k < s->count; k++) PG_TRY(add_number(s, k, &p->numbers[i], stand_in, table, counts, err));
            if (table->row_count > before) break;
        }
done:
    return status;
}

pg_status pg_compare(const pg_published *published, const pg_summary *summary, pg_table *numbers, pg_table *checks, int *counts,
                     pg_error *err)
{
    pg_status status = PG_OK;
    settings s = {0};
    memset(counts, 0, PG_VERDICTS * sizeof *counts);
    PG_TRY(find_settings(&s, summary, err));
    PG_TRY(make_numbers(published, &s, numbers, counts, err));
    PG_TRY(make_checks(published, &s, checks, err));
done:
    close_settings(&s);
    return status;
}
