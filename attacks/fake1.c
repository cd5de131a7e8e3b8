/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fake attack 1: random passports. The forger draws passports as an owner would, without knowing the owner's, and shows them.
 * Nothing is trained. The layers below the first passport give the same activations for all draws, so the judge runs them once.
 * Source: Fan, Ng, Chan, NeurIPS 2019; DeepIPR, passport_attack_1.py, where images go through a plain network with random
 * weights. */
#include "attacks/sweep.h"

#include <stddef.h>

enum { CARRIER_RANDOM, CARRIER_PRETRAINED, CARRIER_STOLEN };
enum { SIGNATURE_RANDOM, SIGNATURE_MATCHING };
static const char *const carriers[] = {"random", "pretrained", "stolen", NULL};
static const char *const signatures[] = {"random", "matching", NULL};

typedef struct fake1_options {
    int repeats, passport, carrier, images, signature;
} fake1_options;

static const pg_option options[] = {
    PG_INT(fake1_options, repeats, "50", 1, 100000, NULL, "number of passports drawn"),
    PG_CHOICE(fake1_options, passport, "shuffle", pg_passport_kinds, "kind of the passports"),
    PG_CHOICE(fake1_options, carrier, "random", carriers,
              "network through which the images go: plain with random weights (as in the reference, whose AlexNet then "
              "has no norm), plain and trained by the forger with another seed, or the stolen one, with gamma 1 and beta "
              "0 if it has no learned affine"),
    PG_INT(fake1_options, images, "20", 1, 1000, NULL, "distinct images from which a shuffle passport is drawn"),
    PG_CHOICE(fake1_options, signature, "random", signatures,
              "signature that the forger claims: random bits, or the signs that the passport happens to give"),
    {0},
};

typedef struct fake1_state {
    pg_sweep sweep; /* of passports drawn */
    const fake1_options *options;
    const pg_attack_view *view;
    pg_model *carrier;
    pg_passport_maker *maker;
    pg_evidence *forged;
    pg_net *net; /* scratch for the signs that a passport gives */
} fake1_state;

static bool fake1_wants_pretrained(const void *values)
{
    const fake1_options *o = values;
    return o->passport != PG_PASSPORT_RANDOM && o->carrier == CARRIER_PRETRAINED;
}

static pg_status fake1_make_carrier(fake1_state *s, pg_model **carrier, pg_error *err)
{
    if (s->options->carrier == CARRIER_PRETRAINED) {
        *carrier = s->view->pretrained;
        return *carrier ? PG_OK : pg_fail(err, PG_BAD_INPUT, "fake1: carrier pretrained needs a pretrained plain network");
    }
    const bool stolen = s->options->carrier == CARRIER_STOLEN;
    const pg_net_spec *victim = &s->view->model->spec,
                      spec = stolen ? pg_net_spec_public(victim) : pg_net_spec_unmarked(victim);
    const pg_status status = pg_model_create(&spec, &s->carrier, err);
    if (status != PG_OK) return status;
    *carrier = s->carrier;
    if (stolen) return pg_model_copy(s->view->model, s->carrier, err);
    pg_model_initialise(s->carrier, s->view->seed, "forger's carrier");
    return PG_OK;
}

static pg_status fake1_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const fake1_options *o = values;
    return pg_passport_pictures((pg_passport_kind)o->passport, o->images, view->pictures, err);
}

static pg_status fake1_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    fake1_state *s = state;
    s->options = values;
    s->sweep.count = s->options->repeats;
    s->view = view;
    pg_passport_source source = {.kind = (pg_passport_kind)s->options->passport,
                                 .images = s->options->images,
                                 .carrier_branch = PG_PUBLIC,
                                 .carrier_mode = PG_BATCH,
                                 .pictures = view->pictures,
                                 .pixels = view->pixels};
    if (source.kind != PG_PASSPORT_RANDOM) PG_TRY(fake1_make_carrier(s, &source.carrier, err));
    PG_TRY(pg_passport_maker_create(&source, &s->maker, err));
    PG_TRY(pg_attack_evidence(&view->model->spec, PG_HOLDS_PASSPORTS | PG_HOLDS_AFFINES, pg_passport_kinds[source.kind],
                              &s->forged, err));
    PG_TRY(pg_net_create(&view->model->spec, 1, false, PG_CONV_AUTO, &s->net, err));
done:
    return status;
}

static pg_status fake1_match_signature(fake1_state *s, pg_error *err)
{
    const pg_status status = pg_passports_install(s->net, s->view->model, s->forged, err);
    if (status != PG_OK) return status;
    for (int i = 0; i < s->forged->passport_count; i++) {
        const pg_passport *p = &s->forged->passports[i];
        const pg_real *gamma = pg_net_gamma(s->net, i);
        for (int o = 0; o < p->outputs; o++) p->b[o] = gamma[o] > 0 ? 1 : -1;
    }
    return PG_OK;
}

/* Number of images that key and skey of one passport take, over all layers. */
static int fake1_images_pushed(const fake1_options *o)
{
    if (o->passport == PG_PASSPORT_RANDOM) return 0;
    return 2 * (o->passport == PG_PASSPORT_SHUFFLE ? o->images : 1);
}

static pg_status fake1_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_status status = PG_OK;
    fake1_state *s = state;
    pg_rng rng;
    const uint64_t repeat = (uint64_t)pg_sweep_next(&s->sweep, what);
    pg_rng_open(&rng, s->view->seed, "forged passports", repeat);
    PG_TRY(pg_passports_draw(s->maker, s->forged, &rng, err));
    pg_rng_open(&rng, s->view->seed, "forged signature", repeat);
    PG_TRY(pg_signature_draw(s->forged, "", &rng, err));
    if (s->options->signature == SIGNATURE_MATCHING) PG_TRY(fake1_match_signature(s, err));
    const double images = (double)s->sweep.next * fake1_images_pushed(s->options);
    *outcome = (pg_outcome){
        .value = s->sweep.next, .evidence = s->forged, .images = images, .macs = images * pg_model_macs(s->view->model)};
done:
    return status;
}

static void fake1_finish(void *state)
{
    fake1_state *s = state;
    pg_net_destroy(&s->net);
    pg_passport_maker_destroy(&s->maker);
    pg_evidence_destroy(&s->forged);
    pg_model_destroy(&s->carrier);
}

const pg_attack pg_attack_fake1 = {
    .name = "fake1",
    .summary = "show passports drawn at random",
    .source = "Fan, Ng, Chan, NeurIPS 2019, fake attack 1; DeepIPR, passport_attack_1.py",
    .options = options,
    .options_size = sizeof(fake1_options),
    .state_size = sizeof(fake1_state),
    .sees = PG_SEES_PRETRAINED,
    .needs = PG_HOLDS_PASSPORTS,
    .axis = "repeat",
    .figures = {.trials = "fake 1: drawn at random"},
    .costs = {.outcomes = "repeats"},
    .wants_pretrained = fake1_wants_pretrained,
    .check = fake1_check,
    .start = fake1_start,
    .step = fake1_step,
    .progress = pg_sweep_progress,
    .keep = pg_sweep_keep,
    .finish = fake1_finish,
};
