/* Analytic inversion: whoever knows the gamma and beta with which the deployed network runs solves for passports that give
 * them, or give them with some signs turned. No data, no training. The passports start from images that the forger chooses,
 * so that they may look like natural ones, and act like none of them. An extension, not from a paper: gamma and beta are linear
 * in the passport (Fan, Ng, Chan, NeurIPS 2019), so a claim must rest on how a passport was made, not on what it does. */
#include "attacks/frozen.h"

#include "core/ownership/inversion.h"

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
             "shares of the signs that are turned in the gamma that is aimed at"),
    PG_CHOICE(
        invert_options, start, "shuffle", starts,
        "the passports nearest to these are taken: nothing (zeros), or passports of a kind, made with the stolen network"),
    PG_INT(invert_options, images, "20", 1, 1000, NULL, "distinct images per shuffle passport"),
    {0},
};

typedef struct invert_state {
    const invert_options *options;
    const pg_attack_view *view;
    pg_model *carrier, *affine; /* the running network; and with signs turned */
    pg_passport_maker *maker;
    pg_inverter *inverter;
    pg_evidence *begin, *forged;
    int next;
} invert_state;

static pg_status draw_begin(invert_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    pg_rng rng;
    if (s->options->start == START_NOTHING) return PG_OK;
    const pg_passport_source source = {.kind = (pg_passport_kind)(s->options->start - 1),
                                       .images = s->options->images,
                                       .carrier = s->carrier,
                                       .carrier_branch = PG_PUBLIC,
                                       .carrier_mode = PG_BATCH,
                                       .pictures = s->view->pictures,
                                       .pixels = s->view->pixels};
    PG_TRY(pg_passport_maker_create(&source, &s->maker, err));
    pg_rng_open(&rng, s->view->seed, "passports to start from", 0);
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
    s->view = view;
    const char *kind = s->options->start == START_NOTHING ? "shuffle" : starts[s->options->start];
    PG_TRY(pg_frozen_copy("invert", view->model, &s->carrier, err));
    PG_TRY(pg_model_copy(view->running, s->carrier, err));
    PG_TRY(pg_model_clone(s->carrier, &s->affine, err));
    PG_TRY(pg_inverter_create(view->model, &s->inverter, err));
    PG_TRY(pg_evidence_create(&view->model->spec, "v1", kind, &s->begin, err));
    PG_TRY(draw_begin(s, err));
done:
    return status;
}

/* How far the passports were moved, as a share of where they started (of nothing: the whole), and how much of them is negative,
 * which activations behind a ReLU never are: percent. */
static void look_at(const invert_state *s, double *moved, double *negative)
{
    double change = 0, size = 0, below = 0, count = 0;
    for (int i = 0; i < s->forged->passport_count; i++) {
        const pg_passport *p = &s->forged->passports[i], *from = &s->begin->passports[i];
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
    pg_status status = PG_OK;
    invert_state *s = state;
    double miss, moved, negative;
    *what = PG_ATTACK_DONE;
    if (s->next == s->options->flips.count) return PG_OK;
    const double flips = s->options->flips.values[s->next++];
    PG_TRY(pg_model_copy(s->carrier, s->affine, err));
    PG_TRY(pg_frozen_turn_signs(s->affine, flips / 100, s->view->seed, err));
    pg_evidence_destroy(&s->forged);
    PG_TRY(pg_evidence_clone(s->begin, &s->forged, err));
    PG_TRY(pg_inverter_forge(s->inverter, s->affine, s->forged, &miss, err));
    look_at(s, &moved, &negative);
    *outcome = (pg_outcome){
        .axis = "flips",
        .value = flips,
        .evidence = s->forged,
        .measures = {{"affine_missed_by", "", miss}, {"passport_moved", "%", moved}, {"passport_negative", "%", negative}}};
    *what = PG_ATTACK_OUTCOME;
done:
    return status;
}

static double invert_progress(const void *state)
{
    const invert_state *s = state;
    return (double)s->next / s->options->flips.count;
}

static void invert_keep(void *state, pg_snapshot *snapshot)
{
    invert_state *s = state;
    PG_KEEP_IN(snapshot, &s->next, 0, s->options->flips.count, "next");
}

static void invert_finish(void *state)
{
    invert_state *s = state;
    pg_passport_maker_destroy(&s->maker);
    pg_inverter_destroy(&s->inverter);
    pg_model_destroy(&s->carrier);
    pg_model_destroy(&s->affine);
    pg_evidence_destroy(&s->begin);
    pg_evidence_destroy(&s->forged);
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
    .check = invert_check,
    .start = invert_start,
    .step = invert_step,
    .progress = invert_progress,
    .keep = invert_keep,
    .finish = invert_finish,
};
