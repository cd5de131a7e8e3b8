/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rewriting: other weights for the same function. The thief adds dummy channels (core/nets/dummies.h), permutes the channels of
 * every layer, multiplies them by positive scales, or flips the signs of filters through their norm (core/nets/rewrite.h says
 * what each norm allows). It costs no training, no images and no accuracy, and whoever reads weights channel by channel then
 * reads noise. A network that runs on passports (V1) is sold with its passports rewritten along. Sources: Yan, Pan, Wang,
 * Zhang, Yang, KDD 2023; Lukas, Jiang, Li, Kerschbaum, IEEE S&P 2022 (feature shuffling); Yan, Pan, Zhang, Yang, USENIX
 * Security 2023 (dummy channels). */
#include "core/nets/rewrite.h"
#include "attacks/attack.h"
#include "core/nets/dummies.h"
#include "core/ownership/passport_rewrite.h"

#include <stddef.h>

static const char *const parts[] = {"all", "order", "scales", "signs", NULL};
static const unsigned part_flags[] = {PG_REWRITE_PERMUTE | PG_REWRITE_SCALE | PG_REWRITE_FLIP, PG_REWRITE_PERMUTE,
                                      PG_REWRITE_SCALE, PG_REWRITE_FLIP};

static const char *const dummies[] = {"none", "zero", "clique", "split", "all", NULL}; /* none, then pg_dummy_kind */

typedef struct rewrite_options {
    int part, dummies;
    double added;
} rewrite_options;

static const pg_option options[] = {
    PG_CHOICE(rewrite_options, part, "all", parts,
              "permute channels, scale them by factors in [1/4, 4], flip signs of filters through the norm, or all three"),
    {PG_OPTION("dummies", rewrite_options, dummies, CHOICE, int, "none",
               "channels that are added first: zero (no layer reads them), clique (two whose effects cancel), split (one that "
               "shares the weights of another), all (a third of each)"),
     .choices = dummies, .later = true},
    {PG_OPTION("added", rewrite_options, added, REAL, double, "10", "channels that are added to each layer that can have more"),
     .low = PG_ABOVE_ZERO, .high = 100, .unit = "percent", .later = true},
    {0},
};

typedef struct rewrite_state {
    const rewrite_options *options;
    const pg_attack_view *view;
    pg_model *wide; /* with dummy channels; NULL: none are added */
    pg_model *model;
    pg_evidence *passports; /* NULL: the network runs without */
} rewrite_state;

static bool rewrite_reshapes(const void *values)
{
    return ((const rewrite_options *)values)->dummies;
}

static pg_status rewrite_draw_dummies(const rewrite_options *o, const pg_model *model, pg_rng *rng, pg_dummies **out,
                                      pg_error *err)
{
    return pg_dummies_draw(model, (pg_dummy_kind)(o->dummies - 1), o->added, rng, out, err);
}

static pg_status rewrite_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_dummies *added = NULL;
    pg_rng rng;
    if (!((const rewrite_options *)values)->dummies) return PG_OK;
    pg_rng_open(&rng, (pg_seed){.task = "check"}, "rewrite", 0);
    const pg_status status = rewrite_draw_dummies(values, view->model, &rng, &added, err);
    pg_dummies_destroy(&added);
    return status;
}

static pg_status rewrite_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    rewrite_state *s = state;
    (void)err;
    s->options = values;
    s->view = view;
    return PG_OK;
}

/* A copy of the passports that are distributed with the network. They no longer follow from a secret. */
static pg_status rewrite_take_passports(rewrite_state *s, pg_error *err)
{
    if (!s->view->evidence || pg_net_spec_deployed(&s->view->model->spec) == PG_PUBLIC) return PG_OK;
    const pg_status status = pg_evidence_clone(s->view->evidence, &s->passports, err);
    if (status == PG_OK) s->passports->binding = (pg_binding){0};
    return status;
}

static pg_status rewrite_widen(rewrite_state *s, pg_rng *rng, pg_error *err)
{
    pg_status status = PG_OK;
    pg_dummies *added = NULL;
    const pg_model *victim = s->view->model;
    PG_TRY(rewrite_draw_dummies(s->options, victim, rng, &added, err));
    PG_TRY(pg_model_widen(victim, added, &s->wide, err));
    if (s->passports) PG_TRY(pg_passports_widen(s->passports, &victim->layout, added, &s->wide->layout, err));
done:
    pg_dummies_destroy(&added);
    return status;
}

static int count_channels(const pg_model *model)
{
    int count = 0;
    for (int i = 0; i < model->layer_count; i++) count += model->layers[i].weight >= 0 ? model->layers[i].out_channels : 0;
    return count;
}

static pg_status rewrite_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_status status = PG_OK;
    rewrite_state *s = state;
    const pg_model *victim = s->view->model;
    pg_rewrite *rewrite = NULL;
    pg_rng rng;
    pg_rng_open(&rng, s->view->seed, "rewrite", 0);
    PG_TRY(rewrite_take_passports(s, err));
    if (s->options->dummies) PG_TRY(rewrite_widen(s, &rng, err));
    const pg_model *given = s->wide ? s->wide : victim;
    PG_TRY(pg_model_create(&given->spec, &s->model, err));
    PG_TRY(pg_rewrite_create(&given->layout, &rewrite, err));
    pg_rewrite_draw(given, pg_net_spec_deployed(&given->spec), part_flags[s->options->part], &rng, rewrite);
    PG_TRY(pg_model_rewrite(given, rewrite, s->model, err));
    if (s->passports) PG_TRY(pg_passports_rewrite(s->passports, &s->model->layout, rewrite, err));
    *what = PG_ATTACK_LAST;
    *outcome = (pg_outcome){.model = s->model, .evidence = s->passports};
    if (s->wide) outcome->measures[0] = (pg_measure){"channels_added", "", count_channels(s->wide) - count_channels(victim)};
done:
    pg_rewrite_destroy(&rewrite);
    return status;
}

static void rewrite_finish(void *state)
{
    rewrite_state *s = state;
    pg_model_destroy(&s->wide);
    pg_model_destroy(&s->model);
    pg_evidence_destroy(&s->passports);
}

const pg_attack pg_attack_rewrite = {
    .name = "rewrite",
    .summary = "write other weights for the same function: permute, scale and flip channels",
    .source =
        "Yan et al., KDD 2023; Lukas et al., IEEE S&P 2022 (feature shuffling); Yan et al., USENIX Security 2023 (dummies)",
    .options = options,
    .options_size = sizeof(rewrite_options),
    .state_size = sizeof(rewrite_state),
    .sees = PG_SEES_DISTRIBUTED,
    .remakes = true,
    .reshapes = rewrite_reshapes,
    .check = rewrite_check,
    .start = rewrite_start,
    .step = rewrite_step,
    .finish = rewrite_finish,
};
