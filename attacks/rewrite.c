/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rewriting: other weights for the same function. The thief permutes the channels of every layer, multiplies them by positive
 * scales, or flips the signs of filters through their norm (core/nets/rewrite.h says what each norm allows). It costs no
 * training, no images and no accuracy, and whoever reads weights channel by channel then reads noise. A network that runs on
 * passports (V1) is sold with its passports rewritten along.
 * Sources: Yan, Pan, Wang, Zhang, Yang, KDD 2023; Lukas, Jiang, Li, Kerschbaum, IEEE S&P 2022 (feature shuffling). */
#include "core/nets/rewrite.h"
#include "attacks/attack.h"
#include "core/ownership/passport_rewrite.h"

#include <stddef.h>

static const char *const parts[] = {"all", "order", "scales", "signs", NULL};
static const unsigned part_flags[] = {PG_REWRITE_PERMUTE | PG_REWRITE_SCALE | PG_REWRITE_FLIP, PG_REWRITE_PERMUTE,
                                      PG_REWRITE_SCALE, PG_REWRITE_FLIP};

typedef struct rewrite_options {
    int part;
} rewrite_options;

static const pg_option options[] = {
    PG_CHOICE(rewrite_options, part, "all", parts,
              "permute channels, scale them by factors in [1/4, 4], flip signs of filters through the norm, or all three"),
    {0},
};

typedef struct rewrite_state {
    const rewrite_options *options;
    const pg_attack_view *view;
    pg_model *model;
    pg_evidence *passports; /* NULL: the network runs without */
} rewrite_state;

static pg_status rewrite_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    rewrite_state *s = state;
    s->options = values;
    s->view = view;
    return pg_model_create(&view->model->spec, &s->model, err);
}

/* The passports no longer follow from a secret. */
static pg_status rewrite_passports(rewrite_state *s, const pg_rewrite *rewrite, pg_error *err)
{
    if (!s->view->evidence || pg_net_spec_deployed(&s->model->spec) == PG_PUBLIC) return PG_OK;
    const pg_status status = pg_evidence_clone(s->view->evidence, &s->passports, err);
    if (status != PG_OK) return status;
    s->passports->binding = (pg_binding){0};
    return pg_passports_rewrite(s->passports, &s->model->layout, rewrite, err);
}

static pg_status rewrite_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_status status = PG_OK;
    rewrite_state *s = state;
    const pg_model *victim = s->view->model;
    pg_rewrite *rewrite = NULL;
    pg_rng rng;
    pg_rng_open(&rng, s->view->seed, "rewrite", 0);
    PG_TRY(pg_rewrite_create(&victim->layout, &rewrite, err));
    pg_rewrite_draw(victim, pg_net_spec_deployed(&victim->spec), part_flags[s->options->part], &rng, rewrite);
    PG_TRY(pg_model_rewrite(victim, rewrite, s->model, err));
    PG_TRY(rewrite_passports(s, rewrite, err));
    *what = PG_ATTACK_LAST;
    *outcome = (pg_outcome){.model = s->model, .evidence = s->passports};
done:
    pg_rewrite_destroy(&rewrite);
    return status;
}

static void rewrite_finish(void *state)
{
    rewrite_state *s = state;
    pg_model_destroy(&s->model);
    pg_evidence_destroy(&s->passports);
}

const pg_attack pg_attack_rewrite = {
    .name = "rewrite",
    .summary = "write other weights for the same function: permute, scale and flip channels",
    .source = "Yan et al., KDD 2023; Lukas et al., IEEE S&P 2022 (feature shuffling)",
    .options = options,
    .options_size = sizeof(rewrite_options),
    .state_size = sizeof(rewrite_state),
    .sees = PG_SEES_DISTRIBUTED,
    .start = rewrite_start,
    .step = rewrite_step,
    .finish = rewrite_finish,
};
