/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a thief gets from an attack; see response.h. */
#include "experiments/report/response.h"

#include "core/ownership/scheme.h"
#include "experiments/report/table_kind.h"

#include <math.h>
#include <string.h>

static const double useful_points = 5;

const char *pg_response_text(int word)
{
    static const char *const words[] = {"useless", "nothing to remove", "agrees", "proves", "removed"};
    return words[word];
}

static bool is_control(const pg_summary *s, int i)
{
    const pg_scheme *scheme = pg_scheme_find(s->results->items[i].labels.scheme);
    return scheme && scheme->group == PG_CONTROL;
}

bool pg_response_counts(const pg_summary *s, int i)
{
    return s->attack[i] >= 0 && !s->forges[i] && !s->accused[i] && !is_control(s, i);
}

bool pg_responses_fit(const pg_summary *s)
{
    int count = 0;
    for (int i = 0; i < s->results->count; i++) count += pg_response_counts(s, i);
    return count > 0 && count <= PG_RESPONSES_MAX;
}

/* Mean accuracy of the networks with which an attacked one is compared: the network before the attack, or after transfer the
 * plain one under the same attack. NaN: the run has none. */
static double accuracy_before(const pg_summary *s, int i, bool moved)
{
    double sum = 0, value;
    int count = 0;
    for (int k = 0; k < s->results->count; k++) {
        const pg_result *r = &s->results->items[k];
        const bool alike =
            moved ? is_control(s, k) && s->attack[k] == s->attack[i] : s->scheme[k] == s->scheme[i] && s->attack[k] < 0;
        if (!alike || s->place[k] != s->place[i] || r->labels.seed != s->results->items[i].labels.seed) continue;
        if (!pg_result_value(r, "", "accuracy", &value)) continue;
        sum += value;
        count++;
    }
    return count ? sum / count : NAN;
}

/* Is one response better for the thief than another? */
static bool better(const pg_response *a, const pg_response *b)
{
    if ((a->word == PG_RESPONSE_REMOVED) != (b->word == PG_RESPONSE_REMOVED)) return a->word == PG_RESPONSE_REMOVED;
    if ((a->word == PG_RESPONSE_USELESS) != (b->word == PG_RESPONSE_USELESS)) return b->word == PG_RESPONSE_USELESS;
    return a->accuracy > b->accuracy;
}

/* Did the owner's claim hold on the network before the attack? True if the run does not say. */
static pg_status held_before(const pg_summary *s, int i, bool *held, pg_error *err)
{
    pg_status status = PG_OK;
    pg_view v = {0};
    *held = true;
    for (int k = 0; k < s->results->count; k++) {
        const pg_result *r = &s->results->items[k];
        if (s->scheme[k] != s->scheme[i] || s->attack[k] >= 0 || s->place[k] != s->place[i] || s->accused[k] ||
            r->labels.seed != s->results->items[i].labels.seed)
            continue;
        pg_view_close(&v);
        PG_TRY(pg_view_open(s, k, &v, err));
        for (int c = 0; c < v.record->cell_count; c++) {
            pg_ruling ruling;
            if (!v.record->cells[c].outcome[0] && pg_view_ruling(&v, c, &ruling))
                *held = ruling == PG_PROVES || ruling == PG_AGREES;
        }
    }
done:
    pg_view_close(&v);
    return status;
}

static pg_response response_of(const pg_view *v, int cell, pg_ruling ruling, double before, bool held)
{
    pg_response r = {.word = ruling == PG_PROVES   ? PG_RESPONSE_PROVES
                             : ruling == PG_AGREES ? PG_RESPONSE_AGREES
                                                   : PG_RESPONSE_REMOVED,
                     .accuracy = NAN};
    r.macs = NAN;
    (void)pg_view_find(v, cell, "accuracy", &r.accuracy);
    (void)pg_view_find(v, cell, "attack_flops", &r.macs);
    r.lost = before - r.accuracy;
    if (!held) r.word = PG_RESPONSE_NOTHING;
    if (ruling == PG_USELESS || r.lost > useful_points) r.word = PG_RESPONSE_USELESS;
    return r;
}

pg_status pg_response_find(const pg_summary *s, int i, pg_response *best, bool *any, pg_error *err)
{
    pg_view v = {0};
    bool held;
    pg_status status = held_before(s, i, &held, err);
    if (status == PG_OK) status = pg_view_open(s, i, &v, err);
    if (status != PG_OK) return status;
    const double before = accuracy_before(s, i, pg_view_moved(&v));
    *any = false;
    for (int c = 0; c < v.record->cell_count; c++) {
        pg_ruling ruling;
        if (strcmp(v.record->cells[c].outcome, "attacker") == 0 || !pg_view_ruling(&v, c, &ruling)) continue;
        const pg_response r = response_of(&v, c, ruling, before, held);
        if (!*any || better(&r, best)) *best = r;
        *any = true;
    }
    pg_view_close(&v);
    return PG_OK;
}
