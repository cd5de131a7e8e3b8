/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Analytic inversion: a thief who knows the gamma and beta with which the deployed network runs solves for passports that give
 * them, or give them with some signs turned. No data, no training. The passports start from images that the forger chooses, so
 * they may look natural although they do not act like natural ones. This is an extension, not from a paper: gamma and beta are
 * linear in the passport (Fan, Ng, Chan, NeurIPS 2019), so a claim must rest on how a passport was made, not on its effect. */
#include "attacks/solve.h"

#include <math.h>
#include <stddef.h>

enum { START_NOTHING };
static const char *const starts[] = {"nothing", "random", "image", "shuffle", NULL}; /* then the kinds of passports */

typedef struct invert_options {
    pg_reals flips;
    int start, images;
} invert_options;

static const pg_option options[] = {
    PG_REALS(invert_options, flips, "[0, 10, 25, 50]", 0, 100, "percent",
             "shares of the signs that are turned in the target gamma"),
    PG_CHOICE(invert_options, start, "shuffle", starts,
              "the attack takes the passports nearest to these: nothing (zeros), or passports of a kind made with the "
              "stolen network"),
    PG_INT(invert_options, images, "20", 1, 1000, NULL, "distinct images from which a shuffle passport is drawn"),
    {0},
};

typedef struct invert_state {
    pg_solver solver;
    const invert_options *options;
    pg_passport_maker *maker;
    pg_evidence *begin;
} invert_state;

static pg_status invert_draw_begin(invert_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    pg_rng rng;
    if (s->options->start == START_NOTHING) return PG_OK;
    const pg_passport_source source = {.kind = (pg_passport_kind)(s->options->start - 1),
                                       .images = s->options->images,
                                       .carrier = s->solver.affine,
                                       .carrier_branch = PG_PUBLIC,
                                       .carrier_mode = PG_BATCH,
                                       .pictures = s->solver.view->pictures,
                                       .pixels = s->solver.view->pixels};
    PG_TRY(pg_passport_maker_create(&source, &s->maker, err));
    pg_rng_open(&rng, s->solver.view->seed, "passports to start from", 0);
    PG_TRY(pg_passports_draw(s->maker, s->begin, &rng, err));
done:
    return status;
}

static pg_status invert_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const invert_options *o = values;
    if (o->start == START_NOTHING) return PG_OK;
    return pg_passport_pictures((pg_passport_kind)(o->start - 1), o->images, view->pictures, err);
}

static pg_status invert_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    invert_state *s = state;
    s->options = values;
    const char *kind = s->options->start == START_NOTHING ? pg_passport_kinds[PG_PASSPORT_SHUFFLE] : starts[s->options->start];
    PG_TRY(pg_solver_open(&s->solver, "invert", &s->options->flips, view, err));
    PG_TRY(pg_model_copy(view->running, s->solver.affine, err));
    PG_TRY(pg_attack_evidence(&view->model->spec, PG_HOLDS_PASSPORTS | PG_HOLDS_AFFINES, kind, &s->begin, err));
    PG_TRY(invert_draw_begin(s, err));
done:
    return status;
}

/* Distance that the passports moved, in percent of their norm at the start (100 if they started from zeros), and the percentage
 * of negative entries: activations behind a ReLU have none. */
static void invert_look_at(const invert_state *s, double *moved, double *negative)
{
    double change = 0, size = 0, below = 0, count = 0;
    for (int i = 0; i < s->begin->passport_count; i++) {
        const pg_passport *p = &s->solver.forged->passports[i], *from = &s->begin->passports[i];
        const pg_real *const pairs[2][2] = {{p->skey, from->skey}, {p->key, from->key}};
        for (int which = 0; which < 2; which++)
            for (int e = 0; e < p->height * p->width * p->inputs; e++) {
                const double now = (double)pairs[which][0][e], was = (double)pairs[which][1][e];
                change += (now - was) * (now - was);
                size += was * was;
                below += now < 0;
                count++;
            }
    }
    *moved = size > 0 ? 100 * sqrt(change / size) : 100;
    *negative = 100 * below / count;
}

static pg_status invert_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    invert_state *s = state;
    double moved, negative;
    const pg_status status = pg_solver_step(&s->solver, s->begin, what, outcome, err);
    if (status != PG_OK) return status;
    invert_look_at(s, &moved, &negative);
    outcome->measures[1] = (pg_measure){"passport_moved", "%", moved};
    outcome->measures[2] = (pg_measure){"passport_negative", "%", negative};
    return PG_OK;
}

static void invert_finish(void *state)
{
    invert_state *s = state;
    pg_solver_close(&s->solver);
    pg_passport_maker_destroy(&s->maker);
    pg_evidence_destroy(&s->begin);
}

const pg_attack pg_attack_invert = {
    .name = "invert",
    .summary = "solve for passports that give a known gamma and beta",
    .source = "an extension: the affine of a passport is linear in it (Fan, Ng, Chan, NeurIPS 2019)",
    .options = options,
    .options_size = sizeof(invert_options),
    .state_size = sizeof(invert_state),
    .sees = PG_SEES_AFFINE,
    .needs = PG_HOLDS_AFFINES,
    .axis = "flips",
    .figures = {.dissimilarity = true},
    .costs = {.outcomes = "flips"},
    .check = invert_check,
    .start = invert_start,
    .step = invert_step,
    .progress = pg_sweep_progress,
    .keep = pg_sweep_keep,
    .finish = invert_finish,
};
