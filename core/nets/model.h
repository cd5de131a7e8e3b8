/* A model: the weights of one network, and how its passport layers are wired.
 *
 * Every convolution layer has one affine (gamma, beta) per branch. Outside passport layers both branches share one, learned. At
 * a passport layer the public branch learns its own (`scale`, `bias`), and that of the private branch comes from the owner's
 * passport, each if the wiring has that branch. A plain network has no passport layer and one branch, the public one. V1 has
 * only the private branch; V2 and V3 both; a V1 model after fine-tuning both (its public affine is what the thief's copy
 * learned). Passport-aware normalisation (PAN) has both, with a norm of its own for the private branch and a perceptron between
 * passport and affine.
 *
 * All parameters lie in one block, all running statistics in another: optimizer, checkpoint and hash each see one array.
 * Inside, weights are [R,R,C,K] and activations NHWC; tensors know how to convert to and from the state dict's OIHW and CHW
 * order. */
#ifndef PG_NETS_MODEL_H
#define PG_NETS_MODEL_H

#include "core/base/random.h"
#include "core/base/real.h"
#include "core/compute/norm.h"
#include "core/nets/arch.h"

#include <stddef.h>
#include <stdint.h>

enum { PG_PASSPORTS_MAX = 40, PG_CLASSES_MAX = 1000000 };

/* BOTH: only what a forward of a training net runs; nothing is stored by it. */
typedef enum pg_branch { PG_PUBLIC, PG_PRIVATE, PG_BOTH } pg_branch;

typedef struct pg_net_spec {
    const pg_arch *arch;
    pg_norm_kind norm;
    double width; /* multiplies channels; each is rounded to a multiple of 16 (a group of group norm), at least 16 */
    int classes, image_height, image_width;
    bool relu_before_add;
    uint64_t passports;                 /* bit i: convolution i, in the order of the table, is a passport layer */
    bool public_affine, private_affine; /* branches at the passport layers */
    bool own_norm, perceptron;          /* PAN: statistics of its own, and a perceptron, for the private branch */
} pg_net_spec;

/* A spec with the defaults of arch: width 1, no passports, its nominal image size, relu_before_add on. */
pg_net_spec pg_net_spec_plain(const pg_arch *arch, pg_norm_kind norm, int classes);
uint64_t pg_arch_default_passports(const pg_arch *arch);

/* The spec as whoever has no passport runs it: a learned affine at the passport layers, no private branch. */
pg_net_spec pg_net_spec_public(const pg_net_spec *spec);

/* The branch that a deployed copy of the model runs: public, unless only the private one exists. */
pg_branch pg_net_spec_deployed(const pg_net_spec *spec);

/* The affine of one branch at one layer. Offsets are into params or buffers; -1: absent. */
typedef struct pg_affine {
    bool from_passport;
    ptrdiff_t gamma, beta; /* learned, in params */
    ptrdiff_t fc1, fc2;    /* PAN's perceptron without biases: [O/4,O] and [O,O/4], in params */
    ptrdiff_t mean, var;   /* running statistics, in buffers; bn only */
} pg_affine;

typedef struct pg_layer {
    pg_row row;
    int in_height, in_width, in_channels, out_height, out_width, out_channels;
    int conv, passport;     /* index among the convolutions, among the passport layers; -1: neither */
    ptrdiff_t weight, bias; /* in params; -1: absent */
    pg_affine affine[2];    /* by pg_branch; convolutions only */
} pg_layer;

typedef enum pg_tensor_order { PG_ORDER_FLAT, PG_ORDER_CONV, PG_ORDER_DENSE } pg_tensor_order;

/* One tensor of the state dict. shape is the state dict's; data starts at params + offset (or buffers + offset). */
typedef struct pg_tensor {
    char name[PG_NAME_MAX + 24], alias[PG_NAME_MAX + 24]; /* alias: second name of the same tensor, or empty */
    bool buffer;
    pg_tensor_order order;
    ptrdiff_t offset;
    size_t count;
    int rank, shape[4];
    int channels, pixels; /* PG_ORDER_DENSE: the flattened image, columns are [channels][pixels] outside */
    int layer;
} pg_tensor;

typedef struct pg_model {
    pg_net_spec spec;
    int layer_count, conv_count, passport_count, tensor_count;
    pg_layer *layers;
    pg_tensor *tensors;
    size_t param_count, buffer_count;
    pg_real *params, *buffers;
} pg_model;

/* Shapes from the spec; parameters zero, running variances one, norm affine at one and zero. PG_BAD_INPUT if a layer would be
 * empty or the spec makes no sense. */
PG_CHECKED pg_status pg_model_create(const pg_net_spec *spec, pg_model **out, pg_error *err);

/* The same in two steps. A planned model has shapes and tensors but neither params nor buffers, so that it answers questions
 * about shapes at little cost. */
PG_CHECKED pg_status pg_model_plan(const pg_net_spec *spec, pg_model **out, pg_error *err);
PG_CHECKED pg_status pg_model_allocate(pg_model *model, pg_error *err);
void pg_model_destroy(pg_model **model);

/* Initial weights (fan-out normal for convolutions, uniform +-1/sqrt(fan-in) for dense layers and convolution biases), from the
 * streams called purpose, one per layer. */
void pg_model_initialise(pg_model *model, pg_seed seed, const char *purpose);

/* Re-initialise the last dense layer. */
void pg_model_reset_classifier(pg_model *model, pg_seed seed);

PG_CHECKED pg_status pg_model_clone(const pg_model *model, pg_model **out, pg_error *err);

/* Copy what both have, layer by layer: weights of equal shape, affines and running statistics of each branch that both learn.
 * The same architecture, norm and width are required (PG_BAD_INPUT); wiring and number of classes may differ. Where the
 * target's branches share running statistics that the source keeps apart, they become those of the source's public branch. */
PG_CHECKED pg_status pg_model_copy(const pg_model *from, pg_model *to, pg_error *err);

/* What only the private branch has, and no deployed copy: PAN's perceptrons, its own statistics. Models of one spec. */
void pg_model_copy_private(const pg_model *from, pg_model *to);

/* The last dense layer alone, where it has the same size in both. */
void pg_model_copy_classifier(const pg_model *from, pg_model *to);

/* Layer of passport index i; layer of the last dense layer. */
const pg_layer *pg_model_passport_layer(const pg_model *model, int i);
const pg_layer *pg_model_classifier(const pg_model *model);

/* Is it a weight of a passport layer's perceptron (PAN)? */
bool pg_model_of_perceptron(const pg_model *model, const pg_tensor *tensor);

/* Distinct parameters as the state dict counts them; multiply-adds of a forward pass of one image, in a layer and in all. */
size_t pg_model_parameters(const pg_model *model);
double pg_layer_macs(const pg_layer *layer);
double pg_model_macs(const pg_model *model);

/* PG_FAILED, naming the tensor, if a parameter or a running statistic is not finite, as after diverged training, or if a
 * running variance is negative. */
PG_CHECKED pg_status pg_model_check_finite(const pg_model *model, pg_error *err);

/* Tensor i to or from state-dict order; values [tensor.count]. */
void pg_tensor_export(const pg_model *model, const pg_tensor *tensor, pg_real *values);
void pg_tensor_import(pg_model *model, const pg_tensor *tensor, const pg_real *values);

/* As export, from any block laid out as params (gradients, momentum). */
void pg_tensor_export_from(const pg_tensor *tensor, const pg_real *block, pg_real *values);

const char *pg_norm_kind_name(pg_norm_kind kind);
PG_CHECKED pg_status pg_norm_kind_parse(const char *name, pg_norm_kind *kind, pg_error *err);

#endif
