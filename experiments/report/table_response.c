/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thief's best response to each scheme (response.h), and the game of owner and thief. The payoff of an attack is the share
 * of seeds in which the thief's choice removes the mark. In the game the owner chooses a scheme and the thief an attack (Lukas
 * et al., IEEE S&P 2022); an attack that was not tried on a scheme pays nothing. Their code has pure strategies and pays 10,000
 * times the accuracy less the mark's agreement if the mark is removed, else the accuracy less the agreement: it ranks removals
 * by accuracy too, which here only the choice among the outcomes of an attack does. */
#include "core/base/memory.h"
#include "experiments/report/game.h"
#include "experiments/report/response.h"
#include "experiments/report/table_kind.h"

#include <math.h>
#include <string.h>

/* ---- best responses ---- */

enum { DATA, NETWORK, NORM, SCHEME, ATTACK, CHOICE, OUTCOME, REMOVES, ACCURACY, LOST, MACS };

static pg_status add_response(const pg_summary *s, int i, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    pg_response r;
    bool any;
    int row;
    PG_TRY(pg_response_find(s, i, &r, &any, err));
    if (!any) goto done;
    PG_TRY(pg_table_row(table, &row, err, "%d %d %d", s->place[i], s->scheme[i], s->attack[i]));
    PG_TRY(pg_put_place(table, row, s, i, s->attacks.items[s->attack[i]].label, NULL, err));
    const double values[] = {r.word, r.word == PG_RESPONSE_REMOVED, r.accuracy, r.lost, r.macs / 1e9};
    for (int c = OUTCOME; c <= MACS; c++) PG_TRY(pg_table_add(table, row, c, values[c - OUTCOME], err));
done:
    return status;
}

static double mean_at(const pg_table *table, int row, int column)
{
    const pg_sample *sample = &pg_table_at(table, row, column)->sample;
    return sample->count ? pg_sample_mean(sample) : NAN;
}

static bool same_scheme(const pg_table *table, int a, int b)
{
    for (int c = DATA; c <= SCHEME; c++)
        if (strcmp(pg_table_text(table, a, c), pg_table_text(table, b, c)) != 0) return false;
    return true;
}

/* Is attack b at least as good as attack a in all of payoff, lost points and cost, and better in one? */
static bool dominates(const pg_table *table, int b, int a)
{
    static const int columns[] = {REMOVES, LOST, MACS};
    bool more = false;
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
        const double sign = columns[k] == REMOVES ? -1 : 1, of_a = sign * mean_at(table, a, columns[k]),
                     of_b = sign * mean_at(table, b, columns[k]);
        if (!(of_b <= of_a)) return false;
        more |= of_b < of_a;
    }
    return more;
}

/* Empty for an attack that never removes the mark. "best" for the attack with the highest payoff and, of equal ones, the fewest
 * lost points; else "front" if no attack on this scheme is better in payoff, lost points and cost. */
static const char *choice_at(const pg_table *table, int row)
{
    bool best = true, front = true;
    if (!(mean_at(table, row, REMOVES) > 0)) return "";
    for (int k = 0; k < table->row_count; k++) {
        if (k == row || !same_scheme(table, k, row)) continue;
        const double mine = mean_at(table, row, REMOVES), other = mean_at(table, k, REMOVES);
        best &= mine > other || (mine == other && !(mean_at(table, k, LOST) < mean_at(table, row, LOST)));
        front &= !dominates(table, k, row);
    }
    return best ? "best" : front ? "front" : "";
}

static pg_status fill_response(const pg_summary *s, pg_table *table, pg_error *err)
{
    static const pg_column columns[] = {{"data", PG_COLUMN_TEXT},
                                        {"network", PG_COLUMN_TEXT},
                                        {"norm", PG_COLUMN_TEXT},
                                        {"scheme", PG_COLUMN_TEXT},
                                        {"attack", PG_COLUMN_TEXT},
                                        {"response", PG_COLUMN_TEXT},
                                        {"outcome", PG_COLUMN_WORDS},
                                        {"removed", PG_COLUMN_SHARE},
                                        {"accuracy %", PG_COLUMN_MEAN},
                                        {"points lost", PG_COLUMN_MEAN},
                                        {"1e9 multiply-adds", PG_COLUMN_MEAN},
                                        {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    if (!pg_responses_fit(s)) return PG_OK;
    PG_TRY(pg_summary_head(s, "the thief's best response to each scheme", table, err));
    table->word = pg_response_text;
    PG_TRY(pg_table_columns(table, columns, err));
    for (int i = 0; i < s->results->count; i++)
        if (pg_response_counts(s, i)) PG_TRY(add_response(s, i, table, err));
    for (int row = 0; row < table->row_count; row++)
        PG_TRY(pg_table_put(table, row, CHOICE, (const char *const[]){choice_at(table, row), NULL}, err));
done:
    return status;
}

const pg_table_kind pg_table_kind_response = {
    .name = "response",
    .printed = false,
    .fill = fill_response,
};

/* ---- the game ---- */

enum { GAME_ATTACKS_MAX = 1000 }; /* a place with more attacks has no game */

/* The game of one place: a payoff for each scheme and attack of the summary that was tried there. */
typedef struct game {
    int place, schemes, attacks;
    int *scheme, *attack;          /* [schemes], [attacks] indices in the summary */
    double *payoff, *row, *column; /* [schemes,attacks]; strategies */
    double value;
} game;

static int position(const int *list, int count, int wanted)
{
    for (int k = 0; k < count; k++)
        if (list[k] == wanted) return k;
    return -1;
}

static void enter(int *list, int *count, int wanted)
{
    if (position(list, *count, wanted) < 0) list[(*count)++] = wanted;
}

static void close_game(game *g)
{
    pg_free(g->scheme);
    pg_free(g->attack);
    pg_free(g->payoff);
    pg_free(g->row);
    pg_free(g->column);
}

/* Sum up the payoffs, and divide by the numbers of results. */
static pg_status fill_payoffs(const pg_summary *s, game *g, pg_error *err)
{
    pg_status status = PG_OK;
    const size_t cells = (size_t)g->schemes * (size_t)g->attacks;
    int *count = NULL;
    PG_TRY(pg_alloc(cells, sizeof *g->payoff, &g->payoff, err));
    PG_TRY(pg_alloc(cells, sizeof *count, &count, err));
    for (int i = 0; i < s->results->count; i++) {
        pg_response r;
        bool any;
        if (s->place[i] != g->place || !pg_response_counts(s, i)) continue;
        const int at =
            position(g->scheme, g->schemes, s->scheme[i]) * g->attacks + position(g->attack, g->attacks, s->attack[i]);
        PG_TRY(pg_response_find(s, i, &r, &any, err));
        g->payoff[at] += any && r.word == PG_RESPONSE_REMOVED;
        count[at] += any;
    }
    for (size_t k = 0; k < cells; k++) g->payoff[k] /= count[k] ? count[k] : 1;
done:
    pg_free(count);
    return status;
}

static pg_status open_game(const pg_summary *s, int place, game *g, pg_error *err)
{
    pg_status status = PG_OK;
    *g = (game){.place = place};
    PG_TRY(pg_alloc((size_t)s->schemes.count + 1, sizeof *g->scheme, &g->scheme, err));
    PG_TRY(pg_alloc((size_t)s->attacks.count + 1, sizeof *g->attack, &g->attack, err));
    PG_TRY(pg_alloc((size_t)s->schemes.count + 1, sizeof *g->row, &g->row, err));
    PG_TRY(pg_alloc((size_t)s->attacks.count + 1, sizeof *g->column, &g->column, err));
    for (int i = 0; i < s->results->count; i++) {
        if (s->place[i] != place || !pg_response_counts(s, i)) continue;
        enter(g->scheme, &g->schemes, s->scheme[i]);
        enter(g->attack, &g->attacks, s->attack[i]);
    }
    if (!g->schemes || g->attacks > GAME_ATTACKS_MAX) goto done;
    PG_TRY(fill_payoffs(s, g, err));
    PG_TRY(pg_game_solve(g->schemes, g->attacks, g->payoff, &g->value, g->row, g->column, err));
done:
    return status;
}

static pg_status add_choice(const pg_summary *s, const game *g, bool owner, int k, pg_table *table, pg_error *err)
{
    pg_status status = PG_OK;
    int first = 0, row;
    while (s->place[first] != g->place) first++;
    const pg_task_labels *l = &s->results->items[first].labels;
    const char *name = owner ? s->schemes.items[g->scheme[k]].label : s->attacks.items[g->attack[k]].label;
    const double share = owner ? g->row[k] : g->column[k];
    if (share < 1e-9 || (!owner && g->value < 1e-9)) return PG_OK; /* no attack is worth choosing */
    PG_TRY(pg_table_row(table, &row, err, "%d %d %d", g->place, owner, k));
    PG_TRY(pg_table_put(table, row, 0,
                        (const char *const[]){l->data, l->network, l->norm, owner ? "owner" : "thief", name, NULL}, err));
    PG_TRY(pg_table_add(table, row, 5, 100 * share, err));
    PG_TRY(pg_table_add(table, row, 6, 100 * g->value, err));
done:
    return status;
}

static pg_status add_game(const pg_summary *s, int place, pg_table *table, pg_error *err)
{
    game g;
    pg_status status = open_game(s, place, &g, err);
    for (int k = 0; status == PG_OK && g.payoff && k < g.schemes; k++) status = add_choice(s, &g, true, k, table, err);
    for (int k = 0; status == PG_OK && g.payoff && k < g.attacks; k++) status = add_choice(s, &g, false, k, table, err);
    close_game(&g);
    return status;
}

static pg_status fill_game(const pg_summary *s, pg_table *table, pg_error *err)
{
    static const pg_column columns[] = {{"data", PG_COLUMN_TEXT},        {"network", PG_COLUMN_TEXT},
                                        {"norm", PG_COLUMN_TEXT},        {"player", PG_COLUMN_TEXT},
                                        {"choice", PG_COLUMN_TEXT},      {"share of games %", PG_COLUMN_NUMBER},
                                        {"removed %", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    int places = 0;
    if (!pg_responses_fit(s)) return PG_OK;
    PG_TRY(pg_summary_head(s, "equilibrium: how often owner and thief choose what, and the share of marks that is removed then",
                           table, err));
    PG_TRY(pg_table_columns(table, columns, err));
    for (int i = 0; i < s->results->count; i++)
        if (s->place[i] >= places) places = s->place[i] + 1;
    for (int place = 0; place < places; place++) PG_TRY(add_game(s, place, table, err));
done:
    return status;
}

const pg_table_kind pg_table_kind_equilibrium = {
    .name = "equilibrium",
    .printed = false,
    .fill = fill_game,
};
