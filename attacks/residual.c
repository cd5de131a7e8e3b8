/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Residual blocks; see residual.h. */
#include "attacks/residual.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"

#include <math.h>
#include <string.h>

const char *const pg_residual_kinds[] = {"none", "individual", "collective", NULL};
const char *const pg_residual_activations[] = {"leaky-relu", "tanh", "sigmoid", NULL};

static const pg_real leak = (pg_real)0.01;

static void fill_uniform(pg_real *values, size_t count, int inputs, pg_rng *rng)
{
    for (size_t e = 0; e < count; e++) values[e] = (pg_real)((2 * pg_rng_uniform(rng) - 1) / sqrt(inputs));
}

static pg_dense dense_of(const pg_residual *r, int layer)
{
    return (pg_dense){layer ? r->hidden : r->wide, layer < r->depth - 1 ? r->hidden : r->wide};
}

/* Where the weights and the biases of a layer of group g begin, and its outputs among those of all hidden layers. */
static size_t weights_at(const pg_residual *r, int layer, int g)
{
    return r->layer[layer] + (size_t)(g * dense_of(r, layer).in * dense_of(r, layer).out);
}

static size_t biases_at(const pg_residual *r, int layer, int g)
{
    return weights_at(r, layer, r->groups) + (size_t)(g * dense_of(r, layer).out);
}

static size_t outputs_at(const pg_residual *r, int layer, int g)
{
    return (size_t)((layer * r->groups + g) * r->hidden);
}

pg_status pg_residual_open(pg_residual *r, const pg_residual_form *form, int channels, pg_rng *rng, pg_error *err)
{
    pg_status status = PG_OK;
    const int sizes[][3] = {{0, 0, 0}, {channels, 1, 10}, {1, channels, channels / 8}};
    const int *size = sizes[form->kind];
    *r = (pg_residual){.channels = channels,
                       .groups = size[0],
                       .wide = size[1],
                       .hidden = size[2],
                       .depth = size[0] ? form->depth : 0,
                       .activation = form->activation,
                       .count = (size_t)channels};
    for (int l = 0; l < r->depth; l++) {
        r->layer[l] = r->count;
        r->count = biases_at(r, l, r->groups);
    }
    const size_t hidden = r->depth ? outputs_at(r, r->depth - 1, 0) : 0;
    PG_TRY(pg_alloc(r->count, sizeof *r->values, &r->values, err));
    PG_TRY(pg_alloc(r->count, sizeof *r->momentum, &r->momentum, err));
    PG_TRY(pg_alloc(r->count, sizeof *r->gradient, &r->gradient, err));
    PG_TRY(pg_alloc(hidden, sizeof *r->inner, &r->inner, err));
    PG_TRY(pg_alloc(hidden, sizeof *r->dinner, &r->dinner, err));
    PG_TRY(pg_alloc((size_t)(r->groups * r->wide), sizeof *r->back, &r->back, err));
    for (int k = 0; k < channels; k++) r->values[k] = 1;
    for (int l = 0; l < r->depth; l++)
        fill_uniform(r->values + r->layer[l], biases_at(r, l, r->groups) - r->layer[l], dense_of(r, l).in, rng);
done:
    return status;
}

void pg_residual_close(pg_residual *r)
{
    pg_real *const all[] = {r->values, r->momentum, r->gradient, r->inner, r->dinner, r->back};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) pg_free(all[i]);
    *r = (pg_residual){0};
}

static pg_real activate(pg_residual_activation kind, pg_real x)
{
    switch (kind) {
    case PG_RESIDUAL_TANH: return (pg_real)tanh((double)x);
    case PG_RESIDUAL_SIGMOID: return (pg_real)(1 / (1 + exp(-(double)x)));
    case PG_RESIDUAL_LEAKY_RELU: break;
    }
    return x > 0 ? x : leak * x;
}

/* The derivative, times d, where the activation is y. */
static pg_real activate_backward(pg_residual_activation kind, pg_real y, pg_real d)
{
    switch (kind) {
    case PG_RESIDUAL_TANH: return d * (1 - y * y);
    case PG_RESIDUAL_SIGMOID: return d * y * (1 - y);
    case PG_RESIDUAL_LEAKY_RELU: break;
    }
    return y > 0 ? d : leak * d;
}

/* Input, and output or its gradient, of a layer of one group. */
static pg_real *input_of(pg_real *first, pg_real *inner, const pg_residual *r, int layer, int g)
{
    return layer ? inner + outputs_at(r, layer - 1, g) : first + g * r->wide;
}

static pg_real *output_of(pg_real *last, pg_real *inner, const pg_residual *r, int layer, int g)
{
    return layer < r->depth - 1 ? inner + outputs_at(r, layer, g) : last + g * r->wide;
}

void pg_residual_forward(pg_residual *r, pg_real *out)
{
    pg_real *v = r->values;
    pg_zero((size_t)r->channels, out);
    for (int g = 0; g < r->groups; g++)
        for (int l = 0; l < r->depth; l++) {
            pg_real *y = output_of(out, r->inner, r, l, g);
            pg_dense_forward(dense_of(r, l), 1, input_of(v, r->inner, r, l, g), v + weights_at(r, l, g), v + biases_at(r, l, g),
                             y);
            for (int h = 0; l < r->depth - 1 && h < r->hidden; h++) y[h] = activate(r->activation, y[h]);
        }
    pg_accumulate((size_t)r->channels, v, out);
}

void pg_residual_backward(pg_residual *r, const pg_real *dout)
{
    pg_real *v = r->values, *d = r->gradient;
    pg_zero(r->count, d);
    for (int g = 0; g < r->groups; g++)
        for (int l = r->depth - 1; l >= 0; l--) {
            const pg_real *dy = output_of((pg_real *)dout, r->dinner, r, l, g);
            const pg_real *x = input_of(v, r->inner, r, l, g);
            pg_real *dx = input_of(r->back, r->dinner, r, l, g);
            pg_dense_backward(dense_of(r, l), 1, x, v + weights_at(r, l, g), dy, d + weights_at(r, l, g),
                              d + biases_at(r, l, g), dx, false);
            for (int h = 0; l > 0 && h < r->hidden; h++) dx[h] = activate_backward(r->activation, x[h], dx[h]);
        }
    if (r->groups) memcpy(d, r->back, (size_t)r->channels * sizeof *d);
    pg_accumulate((size_t)r->channels, dout, d);
}
