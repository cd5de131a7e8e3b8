/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The flip attack: an insider writes the gamma and beta that the genuine passports give into an ordinary affine and turns the
 * signs of a share of the gammas, over all passport layers together; nothing is trained. The accuracy lost at each share shows
 * how much the network depends on its signature. The outcome is the network with that affine, and the passports nearest to the
 * genuine ones that give it. Source: Fan, Ng, Chan, NeurIPS 2019; DeepIPR, flip_attack.py, which keeps the genuine passports
 * and so reports their detection, not that of the turned signs. */
#include "attacks/solve.h"

#include <stddef.h>

typedef struct flip_options {
    pg_reals levels;
} flip_options;

static const pg_option options[] = {
    PG_REALS(flip_options, levels, "[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]", 0, 100, "percent",
             "shares of the signs that are turned"),
    {0},
};

static pg_status flip_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_solver *s = state;
    const pg_status status = pg_solver_open(s, "flip", &((const flip_options *)values)->levels, view, err);
    return status == PG_OK ? pg_passports_store(view->model, view->evidence, s->affine, err) : status;
}

static pg_status flip_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_solver *s = state;
    const pg_status status = pg_solver_step(s, s->view->evidence, what, outcome, err);
    outcome->shown = s->turned;
    return status;
}

static void flip_finish(void *state)
{
    pg_solver_close(state);
}

const pg_attack pg_attack_flip = {
    .name = "flip",
    .summary = "turn signs of the gamma that the genuine passports give, without training",
    .source = "Fan, Ng, Chan, NeurIPS 2019; DeepIPR, flip_attack.py",
    .options = options,
    .options_size = sizeof(flip_options),
    .state_size = sizeof(pg_solver),
    .sees = PG_SEES_EVIDENCE,
    .needs = PG_HOLDS_AFFINES,
    .axis = "level",
    .figures = {.dissimilarity = true},
    .costs = {.outcomes = "levels"},
    .start = flip_start,
    .step = flip_step,
    .progress = pg_sweep_progress,
    .keep = pg_sweep_keep,
    .finish = flip_finish,
};
