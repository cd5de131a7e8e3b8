/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Residual blocks through which a gamma is trained, so that its signs turn more easily:
 *
 *     gamma'' = W2 leaky(W1 gamma + b1) + b2 + gamma
 *
 * None: gamma'' = gamma. Individual: one block per channel, 1 -> 10 -> 1. Collective: one for all C channels, C -> C/8 -> C.
 * More dense layers, of as many hidden units, and other activations are the paper's ablations. Source: Chen, Tian, Chen, Zhou,
 * CVPR 2023, section 3 (IERB and CERB). */
#ifndef PG_ATTACKS_RESIDUAL_H
#define PG_ATTACKS_RESIDUAL_H

#include "core/base/random.h"
#include "core/base/real.h"
#include "core/base/status.h"

#include <stddef.h>

typedef enum pg_residual_kind { PG_RESIDUAL_NONE, PG_RESIDUAL_INDIVIDUAL, PG_RESIDUAL_COLLECTIVE } pg_residual_kind;
extern const char *const pg_residual_kinds[]; /* names, ended by NULL */

typedef enum pg_residual_activation { PG_RESIDUAL_LEAKY_RELU, PG_RESIDUAL_TANH, PG_RESIDUAL_SIGMOID } pg_residual_activation;
extern const char *const pg_residual_activations[]; /* names, ended by NULL */

enum { PG_RESIDUAL_DEPTH_MAX = 8 };
typedef struct pg_residual_form {
    pg_residual_kind kind;
    int depth; /* dense layers: 2 to PG_RESIDUAL_DEPTH_MAX */
    pg_residual_activation activation;
} pg_residual_form;

/* values [count] are trained: gamma [channels], then the dense layers, each with the weights [groups,out,in] and biases
 * [groups,out] of all groups. gradient and momentum are laid out alike. */
typedef struct pg_residual {
    int channels, groups, wide, hidden, depth; /* each group has `wide` channels */
    pg_residual_activation activation;
    size_t layer[PG_RESIDUAL_DEPTH_MAX], count; /* where a dense layer begins */
    pg_real *values, *momentum, *gradient;
    pg_real *inner, *dinner, *back; /* scratch: activations of the hidden layers, their gradients, that of gamma */
} pg_residual;

/* Start with gamma 1 and dense layers uniform within +-1/sqrt(inputs). The caller calls pg_residual_close, also after a
 * failure. */
PG_CHECKED pg_status pg_residual_open(pg_residual *r, const pg_residual_form *form, int channels, pg_rng *rng, pg_error *err);
void pg_residual_close(pg_residual *r);

/* out [channels] = gamma''. */
void pg_residual_forward(pg_residual *r, pg_real *out);
/* Overwrite `gradient` from dout = d loss / d gamma'', after pg_residual_forward. */
void pg_residual_backward(pg_residual *r, const pg_real *dout);

#endif
