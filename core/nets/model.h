/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model: the layout of a network, with values for its parameters and running statistics.
 *
 * All parameters lie in one block, all running statistics in another: optimizer, checkpoint and hash each see one array.
 * Inside, weights are [R,R,C,K] and activations NHWC; tensors know how to convert to and from the state dict's OIHW and CHW
 * order. */
#ifndef PG_NETS_MODEL_H
#define PG_NETS_MODEL_H

#include "core/base/random.h"
#include "core/base/real.h"
#include "core/nets/layout.h"

typedef struct pg_model {
    union { /* model->spec is model->layout.spec, and so on */
        pg_layout layout;
        struct {
            PG_LAYOUT_MEMBERS;
        };
    };
    pg_tensor *tensors;        /* [tensor_count] */
    pg_real *params, *buffers; /* [param_count], [buffer_count] */
} pg_model;

/* Parameters zero, running variances one, norm affine at one and zero. Fails as pg_layout_plan does. */
PG_CHECKED pg_status pg_model_create(const pg_net_spec *spec, pg_model **out, pg_error *err);
void pg_model_destroy(pg_model **model);

/* Draw initial weights (fan-out normal for convolutions, uniform +-1/sqrt(fan-in) for dense layers and convolution biases) from
 * the streams called purpose, one per layer. */
void pg_model_initialise(pg_model *model, pg_seed seed, const char *purpose);

/* Draw the last dense layer anew. */
void pg_model_reset_classifier(pg_model *model, pg_seed seed);

PG_CHECKED pg_status pg_model_clone(const pg_model *model, pg_model **out, pg_error *err);

/* Copy what both models have, layer by layer: weights of equal shape, affines and running statistics of each branch that both
 * learn. PG_BAD_INPUT unless architecture, norm and width are the same; wiring and number of classes may differ. If the
 * target's branches share running statistics that the source keeps apart, they become those of the source's public branch. */
PG_CHECKED pg_status pg_model_copy(const pg_model *from, pg_model *to, pg_error *err);

/* Copy the tensors that only the private branch uses and no deployed copy has: PAN's perceptrons and its separate running
 * statistics. Both models have the same spec. */
void pg_model_copy_private(const pg_model *from, pg_model *to);

/* Copy the last dense layer alone, if it has the same size in both. */
void pg_model_copy_classifier(const pg_model *from, pg_model *to);

/* See layout.h. */
const pg_layer *pg_model_passport_layer(const pg_model *model, int i);
const pg_layer *pg_model_classifier(const pg_model *model);
double pg_model_macs(const pg_model *model);

/* Is it a weight of a passport layer's perceptron (PAN)? */
bool pg_model_of_perceptron(const pg_model *model, const pg_tensor *tensor);

/* Number of distinct parameters, as the state dict counts them. */
size_t pg_model_parameters(const pg_model *model);

/* PG_FAILED, naming the tensor, if a parameter or a running statistic is NaN or Inf, as after diverged training, or if a
 * running variance is negative. */
PG_CHECKED pg_status pg_model_check_finite(const pg_model *model, pg_error *err);

/* Copy a tensor to or from state-dict order; values [tensor.count]. */
void pg_tensor_export(const pg_model *model, const pg_tensor *tensor, pg_real *values);
void pg_tensor_import(pg_model *model, const pg_tensor *tensor, const pg_real *values);

/* As export, from any block with the layout of params (gradients, momentum). */
void pg_tensor_export_from(const pg_tensor *tensor, const pg_real *block, pg_real *values);

#endif
