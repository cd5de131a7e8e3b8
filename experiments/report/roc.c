/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scores of claims; see roc.h. */
#include "experiments/report/roc.h"

#include "core/base/memory.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

pg_claim_kind pg_claim_kind_of(const pg_summary *s, int i, const char *outcome)
{
    const pg_result *r = &s->results->items[i];
    double value;
    if (s->accused[i]) return PG_CLAIM_FALSE;
    if (!pg_result_value(r, outcome, "p_value", &value) || s->forges[i]) return PG_CLAIM_NONE;
    if (s->attack[i] < 0) return outcome[0] ? PG_CLAIM_NONE : PG_CLAIM_OWN;
    const bool useless = pg_result_value(r, outcome, "useless", &value) && value > 0.5;
    return useless || strcmp(outcome, "attacker") == 0 ? PG_CLAIM_NONE : PG_CLAIM_OWN_ATTACKED;
}

/* Add the scores of one result. */
static pg_status add_scores(const pg_summary *s, int i, int attack, pg_scores *out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_record *record = &s->results->items[i].record;
    for (int c = 0; c < record->cell_count; c++) {
        const pg_record_cell *cell = &record->cells[c];
        if (strcmp(cell->metric, "p_value") != 0) continue;
        const pg_claim_kind kind = pg_claim_kind_of(s, i, cell->outcome);
        if (kind == PG_CLAIM_NONE || (kind == PG_CLAIM_FALSE && s->attack[i] != attack)) continue;
        const double score = -log10(fmax(cell->value, 1e-300));
        PG_TRY(pg_sample_add(kind == PG_CLAIM_FALSE ? &out->of_false : &out->of_true, score, err));
    }
done:
    return status;
}

static void sort(pg_sample *sample)
{
    if (sample->count > 1) gsl_sort(sample->values, 1, (size_t)sample->count);
}

pg_status pg_scores_gather(const pg_summary *s, int place, int scheme, int attack, pg_scores *out, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < s->results->count; i++)
        if (s->place[i] == place && s->scheme[i] == scheme) PG_TRY(add_scores(s, i, attack, out, err));
    sort(&out->of_true);
    sort(&out->of_false);
done:
    return status;
}

void pg_scores_clear(pg_scores *scores)
{
    pg_sample_clear(&scores->of_true);
    pg_sample_clear(&scores->of_false);
}

/* Values of an ascending sample above a limit. */
static int above(const pg_sample *sample, double limit)
{
    int n = 0;
    while (n < sample->count && pg_sample_values(sample)[sample->count - 1 - n] > limit) n++;
    return n;
}

double pg_true_positives(const pg_scores *scores, double share)
{
    const pg_sample *of_true = &scores->of_true, *of_false = &scores->of_false;
    if (!of_true->count || !of_false->count) return (double)NAN;
    const int allowed = (int)floor(share * of_false->count + 1e-9);
    const double limit = allowed < of_false->count ? pg_sample_values(of_false)[of_false->count - 1 - allowed] : -1;
    return (double)above(of_true, limit) / of_true->count;
}

/* The highest value after the `taken` highest ones; -1 if none is left. */
static double next_value(const pg_sample *sample, int taken)
{
    return taken < sample->count ? pg_sample_values(sample)[sample->count - 1 - taken] : -1;
}

pg_status pg_roc(const pg_scores *scores, pg_roc_point **points, int *count, pg_error *err)
{
    const pg_sample *of_true = &scores->of_true, *of_false = &scores->of_false;
    const int n = of_true->count, m = of_false->count;
    *points = NULL;
    *count = 0;
    if (!n || !m) return PG_OK;
    const pg_status status = pg_alloc((size_t)n + (size_t)m + 1, sizeof **points, points, err);
    if (status != PG_OK) return status;
    for (int i = 0, k = 0; i < n || k < m;) {
        const double threshold = fmax(next_value(of_true, i), next_value(of_false, k));
        while (i < n && next_value(of_true, i) >= threshold) i++;
        while (k < m && next_value(of_false, k) >= threshold) k++;
        (*points)[++*count] = (pg_roc_point){.false_share = (double)k / m, .true_share = (double)i / n};
    }
    ++*count; /* with the first, (0, 0) */
    return PG_OK;
}
