/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Global magnitude pruning, without retraining: at level q every parameter whose magnitude is at most the q-th percentile
 * (linear interpolation) of all magnitudes becomes zero. Running statistics are not parameters. At 0 nothing changes, at 100
 * all parameters become zero, except PAN's perceptrons, which are counted but kept, because the owner attaches them to verify.
 * Sources: DeepIPR, pruning_attack.py; Zhang et al., NeurIPS 2020 (PAN), prun.py. The percentile is GSL's, which interpolates
 * as NumPy does. */
#include "attacks/sweep.h"

#include "core/base/memory.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stddef.h>

enum { SCOPE_ALL, SCOPE_WEIGHTS };
static const char *const scopes[] = {"all", "weights", NULL};

typedef struct prune_options {
    pg_reals levels;
    int scope;
} prune_options;

static const pg_option options[] = {
    PG_REALS(prune_options, levels, "[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]", 0, 100, "percent",
             "shares of the parameters that become zero"),
    PG_CHOICE(prune_options, scope, "all", scopes,
              "all parameters (PAN's perceptrons are counted but kept), or only the weights of convolutions and dense layers"),
    {0},
};

typedef struct prune_state {
    pg_sweep sweep; /* of levels */
    const prune_options *options;
    const pg_model *victim;
    pg_model *pruned;
    double *sorted; /* magnitudes, rising */
    size_t count;
} prune_state;

static bool prune_in_scope(const prune_options *o, const pg_tensor *t)
{
    return !t->buffer && (o->scope == SCOPE_ALL || t->order != PG_ORDER_FLAT);
}

static pg_status prune_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    prune_state *s = state;
    s->options = values;
    s->sweep.count = s->options->levels.count;
    s->victim = view->model;
    for (int i = 0; i < s->victim->tensor_count; i++)
        if (prune_in_scope(s->options, &s->victim->tensors[i])) s->count += s->victim->tensors[i].count;
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(s->count, sizeof *s->sorted, &s->sorted, err));
    PG_TRY(pg_model_clone(s->victim, &s->pruned, err));
    double *next = s->sorted;
    for (int i = 0; i < s->victim->tensor_count; i++) {
        const pg_tensor *t = &s->victim->tensors[i];
        for (size_t e = 0; prune_in_scope(s->options, t) && e < t->count; e++)
            *next++ = fabs((double)s->victim->params[t->offset + (ptrdiff_t)e]);
    }
    gsl_sort(s->sorted, 1, s->count);
done:
    return status;
}

static void prune_to(prune_state *s, double level)
{
    const double threshold = gsl_stats_quantile_from_sorted_data(s->sorted, 1, s->count, level / 100);
    for (int i = 0; i < s->victim->tensor_count; i++) {
        const pg_tensor *t = &s->victim->tensors[i];
        const bool goes = prune_in_scope(s->options, t) && !pg_model_of_perceptron(s->victim, t);
        for (size_t e = 0; goes && e < t->count; e++) {
            const pg_real w = s->victim->params[t->offset + (ptrdiff_t)e];
            s->pruned->params[t->offset + (ptrdiff_t)e] = level <= 0 || fabs((double)w) > threshold ? w : 0;
        }
    }
}

static pg_status prune_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    (void)err;
    prune_state *s = state;
    const double level = s->options->levels.values[pg_sweep_next(&s->sweep, what)];
    prune_to(s, level);
    *outcome = (pg_outcome){.value = level, .model = s->pruned};
    return PG_OK;
}

static void prune_finish(void *state)
{
    prune_state *s = state;
    pg_model_destroy(&s->pruned);
    pg_free(s->sorted);
}

const pg_attack pg_attack_prune = {
    .name = "prune",
    .summary = "zero the smallest weights, at several levels, without retraining",
    .source = "Fan, Ng, Chan, NeurIPS 2019; DeepIPR, pruning_attack.py",
    .options = options,
    .options_size = sizeof(prune_options),
    .state_size = sizeof(prune_state),
    .axis = "level",
    .steady = true,
    .figures = {.curve = "pruning", .column = "pruned %", .label = "weights pruned (%)"},
    .costs = {.outcomes = "levels"},
    .start = prune_start,
    .step = prune_step,
    .progress = pg_sweep_progress,
    .keep = pg_sweep_keep,
    .finish = prune_finish,
};
