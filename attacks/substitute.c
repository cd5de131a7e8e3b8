/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FC substitution: the thief has the weights but no passports, puts an ordinary affine in every passport layer, and trains it
 * from scratch on a small share of data. If gamma is trained directly, its signs hardly ever change; so gamma goes through a
 * small residual block of dense layers first, which is folded into it at the end:
 *
 *     gamma'' = W2 leaky(W1 gamma + b1) + b2 + gamma       beta is trained directly
 *
 * collective (CERB): one block per layer, C -> C/8 -> C; individual (IERB): one per channel, 1 -> 10 -> 1; none: gamma
 * directly. The paper does not say which layers have blocks if some have none; here those nearest to the input do. The thief
 * then solves for passports that give the result, a step that the paper leaves out. Source: Chen, Tian, Chen, Zhou, "Effective
 * ambiguity attack against passport-based DNN intellectual property protection schemes through fully connected layer
 * substitution", CVPR 2023, section 3; learning rate and epochs are ours, because the paper does not give them.
 * */
#include "attacks/frozen.h"
#include "attacks/residual.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"

#include <math.h>
#include <stddef.h>

enum { OVERLAP_SHARED, OVERLAP_DISJOINT };
static const char *const overlaps[] = {"shared", "disjoint", NULL};

typedef struct substitute_options {
    int block, depth, activation, blocks, overlap;
    double share;
    pg_frozen_options train;
} substitute_options;

static const pg_option options[] = {
    PG_CHOICE(substitute_options, block, "collective", pg_residual_kinds,
              "block through which gamma is trained: none, one per channel (IERB), or one per layer (CERB)"),
    {PG_OPTION("depth", substitute_options, depth, INT, int, "2", "dense layers of a block"), .low = 2,
     .high = PG_RESIDUAL_DEPTH_MAX, .later = true},
    {PG_OPTION("activation", substitute_options, activation, CHOICE, int, "leaky-relu", "activation between them"),
     .choices = pg_residual_activations, .later = true},
    {PG_OPTION("blocks", substitute_options, blocks, INT, int, "-1",
               "number of passport layers with a block, counted from the input; the gamma of the others is trained directly. "
               "-1: all"),
     .low = -1, .high = PG_PASSPORTS_MAX, .later = true},
    PG_REAL(substitute_options, share, "10", PG_ABOVE_ZERO, 100, "percent",
            "number of the thief's images, as a share of the owner's training set"),
    PG_CHOICE(substitute_options, overlap, "shared", overlaps,
              "the thief's images: some of the owner's, or others from the same source, of which the owner must leave enough"),
    PG_FROZEN_OPTIONS(substitute_options, "100", "false"),
    {0},
};

typedef struct substitute_state {
    pg_frozen frozen;
    pg_dataset data;
    pg_residual blocks[PG_PASSPORTS_MAX];
    pg_real *beta_momentum; /* as the copy's params */
} substitute_state;

/* Number of the thief's images; *from: their data set. */
static int substitute_find_data(const substitute_options *o, const pg_attack_view *view, const pg_dataset **from)
{
    *from = o->overlap == OVERLAP_SHARED ? view->train : view->fresh;
    return (int)lround(o->share / 100 * view->train->count);
}

static pg_status substitute_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const substitute_options *o = values;
    const pg_dataset *from;
    const int count = substitute_find_data(o, view, &from);
    if (count < 1 || count > from->count)
        return pg_fail(err, PG_BAD_INPUT,
                       "share: %g %% of the owner's images are %d, expected at least 1 and at most the %d %s ones", o->share,
                       count, from->count, overlaps[o->overlap]);
    if (o->blocks > view->model->passport_count)
        return pg_fail(err, PG_BAD_INPUT, "blocks: expected at most the %d passport layers of the network, got %d",
                       view->model->passport_count, o->blocks);
    pg_dataset part = *from;
    part.count = count;
    return pg_frozen_check(&o->train, &part, &view->model->spec, err);
}

static void substitute_write_gammas(substitute_state *s)
{
    pg_model *m = s->frozen.copy;
    for (int i = 0; i < m->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(m, i);
        pg_residual_forward(&s->blocks[i], m->params + l->affine[PG_PUBLIC].gamma);
    }
}

static pg_status substitute_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    substitute_state *s = state;
    const substitute_options *o = values;
    pg_rng rng;
    const pg_residual_form form = {(pg_residual_kind)o->block, o->depth, (pg_residual_activation)o->activation},
                           direct = {.kind = PG_RESIDUAL_NONE};
    const pg_dataset *from;
    const int count = substitute_find_data(o, view, &from);
    PG_TRY(pg_solve_copy("substitute", view->model, &s->frozen.copy, err));
    PG_TRY(substitute_check(o, view, err));
    PG_TRY(pg_dataset_subset(from, count, &s->data, err));
    pg_model *m = s->frozen.copy;
    for (int i = 0; i < m->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(m, i);
        pg_rng_open(&rng, view->seed, "substitute block", (uint64_t)i);
        PG_TRY(pg_residual_open(&s->blocks[i], o->blocks < 0 || i < o->blocks ? &form : &direct, l->out_channels, &rng, err));
        pg_zero((size_t)l->out_channels, m->params + l->affine[PG_PUBLIC].beta);
    }
    PG_TRY(pg_alloc(m->param_count, sizeof *s->beta_momentum, &s->beta_momentum, err));
    PG_TRY(pg_frozen_open(&s->frozen, &o->train, PG_PUBLIC, &s->data, view, err));
done:
    return status;
}

static pg_status substitute_train(void *state, pg_error *err)
{
    substitute_state *s = state;
    substitute_write_gammas(s);
    const pg_status status = pg_frozen_forward(&s->frozen, err);
    if (status != PG_OK) return status;
    pg_frozen_backward(&s->frozen);
    pg_model *m = s->frozen.copy;
    const pg_real *gradient = pg_net_gradients(s->frozen.net);
    for (int i = 0; i < m->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(m, i);
        const pg_affine *a = &l->affine[PG_PUBLIC];
        pg_residual *b = &s->blocks[i];
        pg_residual_backward(b, gradient + a->gamma);
        pg_frozen_update(&s->frozen, b->count, b->values, b->momentum, b->gradient);
        pg_frozen_update(&s->frozen, (size_t)l->out_channels, m->params + a->beta, s->beta_momentum + a->beta,
                         gradient + a->beta);
    }
    return PG_OK;
}

static pg_status substitute_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    substitute_state *s = state;
    if (!pg_frozen_done(&s->frozen)) return pg_frozen_step(&s->frozen, substitute_train, what, err);
    substitute_write_gammas(s);
    const pg_status status = pg_frozen_forge(&s->frozen, what, outcome, err);
    outcome->measures[3] = (pg_measure){"data_images", "images", s->data.count};
    return status;
}

static void substitute_keep(void *state, pg_snapshot *snapshot)
{
    substitute_state *s = state;
    pg_frozen_keep(state, snapshot);
    for (int i = 0; i < s->frozen.copy->passport_count; i++) {
        PG_KEEP(snapshot, s->blocks[i].values, s->blocks[i].count, "block.%d", i);
        PG_KEEP(snapshot, s->blocks[i].momentum, s->blocks[i].count, "block_momentum.%d", i);
    }
    PG_KEEP(snapshot, s->beta_momentum, s->frozen.copy->param_count, "beta_momentum");
}

static void substitute_finish(void *state)
{
    substitute_state *s = state;
    pg_frozen_close(&s->frozen);
    for (int i = 0; i < PG_PASSPORTS_MAX; i++) pg_residual_close(&s->blocks[i]);
    pg_dataset_clear(&s->data);
    pg_free(s->beta_momentum);
}

const pg_attack pg_attack_substitute = {
    .name = "substitute",
    .summary = "train another affine for the passport layers on a little data, through a residual block",
    .source = "Chen, Tian, Chen, Zhou, CVPR 2023, section 3 (plain, IERB, CERB)",
    .options = options,
    .options_size = sizeof(substitute_options),
    .state_size = sizeof(substitute_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH,
    .needs = PG_HOLDS_AFFINES,
    .costs = {.epochs = "epochs", .share = "share"},
    .check = substitute_check,
    .start = substitute_start,
    .step = substitute_step,
    .progress = pg_frozen_progress,
    .keep = substitute_keep,
    .finish = substitute_finish,
};
