/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worked attack: quantisation. It rounds each tensor of parameters to 2^bits values, evenly spaced from its smallest to its
 * largest entry; running statistics stay. A mark that does not survive was in digits that the network does not need. Sources:
 * Hubara, Courbariaux, Soudry, El-Yaniv, Bengio, JMLR 2018; Lukas et al., IEEE S&P 2022 (weight quantisation). */
#include "attacks/sweep.h"

#include <math.h>

typedef struct quantize_options {
    pg_ints bits;
} quantize_options;

static const pg_option options[] = {
    PG_INTS(quantize_options, bits, "[8, 6, 4, 3, 2]", 1, 16, "bits", "of every parameter"),
    {0},
};

typedef struct quantize_state {
    pg_sweep sweep; /* of bits */
    const quantize_options *options;
    const pg_model *victim;
    pg_model *rounded;
} quantize_state;

static pg_status quantize_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    quantize_state *s = state;
    s->options = values;
    s->sweep.count = s->options->bits.count;
    s->victim = view->model;
    return pg_model_clone(view->model, &s->rounded, err);
}

static void quantize_tensor(const pg_real *from, pg_real *to, size_t count, int bits)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, (double)from[i]);
        high = fmax(high, (double)from[i]);
    }
    const double step = (high - low) / ((1 << bits) - 1);
    for (size_t i = 0; i < count; i++)
        to[i] = step > 0 ? (pg_real)(low + step * round(((double)from[i] - low) / step)) : from[i];
}

static pg_status quantize_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    (void)err;
    quantize_state *s = state;
    const int bits = s->options->bits.values[pg_sweep_next(&s->sweep, what)];
    for (int i = 0; i < s->victim->tensor_count; i++) {
        const pg_tensor *t = &s->victim->tensors[i];
        if (!t->buffer) quantize_tensor(s->victim->params + t->offset, s->rounded->params + t->offset, t->count, bits);
    }
    *outcome = (pg_outcome){.value = bits, .model = s->rounded};
    return PG_OK;
}

static void quantize_finish(void *state)
{
    pg_model_destroy(&((quantize_state *)state)->rounded);
}

const pg_attack pg_attack_quantize = {
    .name = "quantize",
    .summary = "round the weights to a few bits, at several numbers of bits, without retraining",
    .source = "Hubara et al., JMLR 2018; Lukas et al., IEEE S&P 2022 (weight quantisation)",
    .options = options,
    .options_size = sizeof(quantize_options),
    .state_size = sizeof(quantize_state),
    .axis = "bits",
    .steady = true,
    .figures = {.curve = "quantisation", .column = "bits", .label = "bits of a parameter"},
    .costs = {.outcomes = "bits"},
    .start = quantize_start,
    .step = quantize_step,
    .progress = pg_sweep_progress,
    .keep = pg_sweep_keep,
    .finish = quantize_finish,
};
