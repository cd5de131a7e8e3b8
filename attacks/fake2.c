/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fake attack 2: gamma and beta are reverse-engineered. The forger knows the affine with which the stolen network runs, but not
 * the passports. He starts from the signs of its gamma, some of them turned, or from signs of his own, and trains gamma and
 * beta of the passport layers on the owner's training set; the weights stay. Then he solves for passports that give the result,
 * a step that the papers leave out. Source: Fan, Ng, Chan, NeurIPS 2019, fake attack 2; DeepIPR, passport_attack_2.py (init
 * signs: the code of 2020; init random: that of 2019). */
#include "attacks/frozen.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"

#include <stddef.h>

enum { INIT_SIGNS, INIT_RANDOM };
static const char *const inits[] = {"signs", "random", NULL};

typedef struct fake2_options {
    int init;
    double flips;
    pg_frozen_options train;
} fake2_options;

static const pg_option options[] = {
    PG_CHOICE(fake2_options, init, "signs", inits,
              "gamma starts at the signs of the running gamma, or at 0.5 times random signs; beta at zero"),
    PG_REAL(fake2_options, flips, "0.5", 0, 1, NULL,
            "for init signs: share of the signs that are turned, over all passport layers together"),
    PG_FROZEN_OPTIONS(fake2_options, "100", "false"),
    {0},
};

typedef struct fake2_state {
    pg_frozen frozen;
    const fake2_options *options;
    pg_real *momentum; /* as the copy's params */
} fake2_state;

static pg_status fake2_initialise(const fake2_options *o, pg_model *m, pg_seed seed, pg_error *err)
{
    pg_rng rng;
    pg_rng_open(&rng, seed, "random signs", 0);
    for (int i = 0; i < m->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(m, i);
        pg_real *gamma = m->params + l->affine[PG_PUBLIC].gamma;
        pg_zero((size_t)l->out_channels, m->params + l->affine[PG_PUBLIC].beta);
        for (int k = 0; k < l->out_channels; k++) {
            if (o->init == INIT_RANDOM)
                gamma[k] = pg_rng_below(&rng, 2) ? (pg_real)0.5 : (pg_real)-0.5;
            else
                gamma[k] = (pg_real)((gamma[k] > 0) - (gamma[k] < 0));
        }
    }
    return o->init == INIT_SIGNS ? pg_solve_turn_signs(m, o->flips, seed, err) : PG_OK;
}

static pg_status fake2_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    return pg_frozen_check(&((const fake2_options *)values)->train, view->train, &view->model->spec, err);
}

static pg_status fake2_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    fake2_state *s = state;
    s->options = values;
    PG_TRY(pg_solve_copy("fake2", view->model, &s->frozen.copy, err));
    PG_TRY(pg_model_copy(view->running, s->frozen.copy, err));
    PG_TRY(fake2_initialise(s->options, s->frozen.copy, view->seed, err));
    PG_TRY(pg_frozen_open(&s->frozen, &s->options->train, PG_PUBLIC, view->train, view, err));
    PG_TRY(pg_alloc(s->frozen.copy->param_count, sizeof *s->momentum, &s->momentum, err));
done:
    return status;
}

static pg_status fake2_train(void *state, pg_error *err)
{
    fake2_state *s = state;
    const pg_status status = pg_frozen_forward(&s->frozen, err);
    if (status != PG_OK) return status;
    pg_frozen_backward(&s->frozen);
    pg_model *m = s->frozen.copy;
    for (int i = 0; i < m->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(m, i);
        const ptrdiff_t parts[] = {l->affine[PG_PUBLIC].gamma, l->affine[PG_PUBLIC].beta};
        for (int p = 0; p < 2; p++)
            pg_frozen_update(&s->frozen, (size_t)l->out_channels, m->params + parts[p], s->momentum + parts[p],
                             pg_net_gradients(s->frozen.net) + parts[p]);
    }
    return PG_OK;
}

static pg_status fake2_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    if (!pg_frozen_done(state)) return pg_frozen_step(state, fake2_train, what, err);
    return pg_frozen_forge(state, what, outcome, err);
}

static void fake2_keep(void *state, pg_snapshot *snapshot)
{
    fake2_state *s = state;
    pg_frozen_keep(state, snapshot);
    PG_KEEP(snapshot, s->momentum, s->frozen.copy->param_count, "momentum");
}

static void fake2_finish(void *state)
{
    fake2_state *s = state;
    pg_frozen_close(&s->frozen);
    pg_free(s->momentum);
}

/* The code of 2019 began with random signs. */
static const pg_preset_default fake2_presets[] = {{"neurips19", "init", "random"}, {0}};

const pg_attack pg_attack_fake2 = {
    .name = "fake2",
    .summary = "reverse-engineer gamma and beta from the training set, and show passports that give them",
    .source = "Fan, Ng, Chan, NeurIPS 2019, fake attack 2; DeepIPR, passport_attack_2.py",
    .options = options,
    .options_size = sizeof(fake2_options),
    .state_size = sizeof(fake2_state),
    .sees = PG_SEES_TRAIN | PG_SEES_AFFINE,
    .needs = PG_HOLDS_AFFINES,
    .presets = fake2_presets,
    .figures = {.trials = "fake 2: reverse-engineered", .dissimilarity = true},
    .costs = {.epochs = "epochs"},
    .check = fake2_check,
    .start = fake2_start,
    .step = fake2_step,
    .progress = pg_frozen_progress,
    .keep = fake2_keep,
    .finish = fake2_finish,
};
