/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Permuted passports: a variant of fake attack 1 for an insider, who shows the genuine passports with their channels in another
 * order. They look as natural as the genuine ones, because only the order differs. Nothing is trained; the insider claims the
 * signature that they give. Source: a control for fake attack 1 of Fan, Ng, Chan, NeurIPS 2019. */
#include "attacks/sweep.h"

#include "core/base/memory.h"

#include <stddef.h>

typedef struct permute_options {
    int repeats;
} permute_options;

static const pg_option options[] = {
    PG_INT(permute_options, repeats, "50", 1, 100000, NULL, "number of orders drawn"),
    {0},
};

typedef struct permute_state {
    pg_sweep sweep; /* of orders */
    const permute_options *options;
    const pg_attack_view *view;
    pg_evidence *forged;
    pg_net *net; /* for the signs that the passports give */
} permute_state;

static pg_status permute_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    permute_state *s = state;
    s->options = values;
    s->sweep.count = s->options->repeats;
    s->view = view;
    if (!view->model->spec.passports || !view->evidence)
        return pg_fail(err, PG_BAD_INPUT, "permute: the network has no passport layers, or their passports are missing");
    PG_TRY(pg_attack_passports(view->evidence, &s->forged, err));
    PG_TRY(pg_net_create(&view->model->spec, 1, false, PG_CONV_AUTO, &s->net, err));
done:
    return status;
}

/* Copy the channels of `from` to `to`, both [pixels,channels], in a random order. */
static pg_status permute_channels(const pg_passport *p, const pg_real *from, pg_real *to, pg_rng *rng, pg_error *err)
{
    uint32_t *order = NULL;
    const pg_status status = pg_alloc((size_t)p->inputs, sizeof *order, &order, err);
    if (status != PG_OK) return status;
    pg_rng_permutation(rng, order, (size_t)p->inputs);
    for (int e = 0; e < p->height * p->width; e++)
        for (int c = 0; c < p->inputs; c++) to[e * p->inputs + (int)order[c]] = from[e * p->inputs + c];
    pg_free(order);
    return PG_OK;
}

static pg_status permute_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_status status = PG_OK;
    permute_state *s = state;
    pg_rng rng;
    pg_rng_open(&rng, s->view->seed, "order of channels", (uint64_t)pg_sweep_next(&s->sweep, what));
    for (int i = 0; i < s->forged->passport_count; i++) {
        const pg_passport *genuine = &s->view->evidence->passports[i], *p = &s->forged->passports[i];
        PG_TRY(permute_channels(p, genuine->key, p->key, &rng, err));
        PG_TRY(permute_channels(p, genuine->skey, p->skey, &rng, err));
    }
    PG_TRY(pg_passports_install(s->net, s->view->model, s->forged, err));
    for (int i = 0; i < s->forged->passport_count; i++)
        for (int k = 0; k < s->forged->passports[i].outputs; k++)
            s->forged->passports[i].b[k] = pg_net_gamma(s->net, i)[k] > 0 ? 1 : -1;
    *outcome = (pg_outcome){.value = s->sweep.next, .evidence = s->forged};
done:
    return status;
}

static void permute_finish(void *state)
{
    permute_state *s = state;
    pg_net_destroy(&s->net);
    pg_evidence_destroy(&s->forged);
}

const pg_attack pg_attack_permute = {
    .name = "permute",
    .summary = "show the genuine passports with their channels in another order",
    .source = "a control for fake attack 1 of Fan, Ng, Chan, NeurIPS 2019",
    .options = options,
    .options_size = sizeof(permute_options),
    .state_size = sizeof(permute_state),
    .sees = PG_SEES_EVIDENCE,
    .needs = PG_HOLDS_PASSPORTS,
    .axis = "repeat",
    .costs = {.outcomes = "repeats"},
    .start = permute_start,
    .step = permute_step,
    .progress = pg_sweep_progress,
    .keep = pg_sweep_keep,
    .finish = permute_finish,
};
