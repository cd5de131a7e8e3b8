/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layout of a network: its layers with their shapes, and where the parameters of each lie. It follows from the spec alone
 * and holds no parameters, so questions about shapes cost no memory.
 *
 * Every convolution layer has one affine (gamma, beta) per branch. Outside passport layers both branches share one, learned. At
 * a passport layer the public branch learns its own (`scale`, `bias`), and the owner's passport gives that of the private
 * branch; a spec wires either or both. A plain network has no passport layer and one branch, the public one. V1 has only the
 * private branch. V2 and V3 have both, and so has a V1 model after fine-tuning, whose public affine is what the thief's copy
 * learned. Passport-aware normalisation (PAN) has both, with a norm of its own for the private branch and a perceptron between
 * passport and affine. */
#ifndef PG_NETS_LAYOUT_H
#define PG_NETS_LAYOUT_H

#include "core/compute/norm.h"
#include "core/nets/arch.h"

#include <stddef.h>
#include <stdint.h>

enum {
    PG_PASSPORTS_MAX = PG_CONVS_MAX,
    PG_CLASSES_MAX = 1000000,
    PG_NORM_GROUP = 16 /* channels of one group of group norm */
};

/* BOTH is for forward passes of training nets; nothing is stored for it. */
typedef enum pg_branch { PG_PUBLIC, PG_PRIVATE, PG_BOTH } pg_branch;

typedef struct pg_net_spec {
    const pg_arch *arch;
    pg_norm_kind norm;
    double width; /* multiplies channels. A row with a multiple of 16 (a group of group norm) keeps one, at least 16; any other
                     has the nearest whole number, at least 1 */
    int classes, image_height, image_width;
    bool relu_before_add;
    uint64_t passports;                 /* bit i: convolution i, in the order of the table, is a passport layer */
    bool public_affine, private_affine; /* branches at the passport layers */
    bool own_norm, perceptron;          /* PAN: separate running statistics and a perceptron for the private branch */
} pg_net_spec;

/* A spec with the defaults of arch: width 1, no passports, its nominal image size, relu_before_add on. */
pg_net_spec pg_net_spec_plain(const pg_arch *arch, pg_norm_kind norm, int classes);
uint64_t pg_arch_default_passports(const pg_arch *arch);

/* Bit i: convolution i has no groups, so it may hold a mark; it may be a passport layer, because a norm follows it too. */
uint64_t pg_arch_convolutions(const pg_arch *arch);
uint64_t pg_arch_possible_passports(const pg_arch *arch);

/* Have two networks the same rows, apart from the numbers of channels? */
bool pg_net_spec_alike(const pg_net_spec *a, const pg_net_spec *b);

/* The spec as a user without the passports runs it: a learned affine at the passport layers, no private branch. */
pg_net_spec pg_net_spec_public(const pg_net_spec *spec);

/* The same without passport layers: the ordinary network. */
pg_net_spec pg_net_spec_unmarked(const pg_net_spec *spec);

/* The branch that a deployed copy of the model runs: public, unless only the private one exists. */
pg_branch pg_net_spec_deployed(const pg_net_spec *spec);

/* The affine of one branch at one layer. Offsets are into a model's params or buffers; -1: absent. */
typedef struct pg_affine {
    bool from_passport;
    ptrdiff_t gamma, beta; /* learned, in params */
    ptrdiff_t fc1, fc2;    /* PAN's perceptron without biases: [H,O] and [O,H], H = pg_layer_hidden, in params */
    ptrdiff_t mean, var;   /* running statistics, in buffers; batch norm only */
} pg_affine;

typedef struct pg_layer {
    pg_row row;
    int in_height, in_width, in_channels, out_height, out_width, out_channels;
    int depth;              /* channels that each filter reads: in_channels, unless the convolution has groups */
    int conv, passport;     /* index among the convolutions, among the passport layers; -1: neither */
    pg_norm_kind norm;      /* that it applies; PG_NORM_NONE for rows without one */
    ptrdiff_t weight, bias; /* in params; -1: absent */
    pg_affine affine[2];    /* by pg_branch; convolutions and norms only */
} pg_layer;

/* The members of a layout, which a model has too. Counts of params and buffers are in elements, gaps for alignment included. */
#define PG_LAYOUT_MEMBERS                                                                                                      \
    pg_net_spec spec;                                                                                                          \
    int layer_count, conv_count, passport_count, tensor_count;                                                                 \
    size_t param_count, buffer_count;                                                                                          \
    pg_layer layers[PG_ROWS_MAX]

typedef struct pg_layout {
    PG_LAYOUT_MEMBERS;
} pg_layout;

/* Plan the layout of a spec. PG_BAD_INPUT if a layer would be empty or too large, if shapes do not fit, or if the spec makes no
 * sense; out->layer_count is then the number of layers before the one that is at fault. */
PG_CHECKED pg_status pg_layout_plan(const pg_net_spec *spec, pg_layout *out, pg_error *err);

/* The layer of passport index i, NULL if there is none; the last dense layer. */
const pg_layer *pg_layout_passport_layer(const pg_layout *layout, int i);
const pg_layer *pg_layout_classifier(const pg_layout *layout);

/* Hidden units of PAN's perceptron: a quarter of the layer's channels, at least 1. */
int pg_layer_hidden(const pg_layer *layer);

/* Multiply-adds of a forward pass of one image, in a layer and in all of them. */
double pg_layer_macs(const pg_layer *layer);
double pg_layout_macs(const pg_layout *layout);

/* How the state dict orders a tensor: as it lies in memory; OIHW of weights [R,R,C,K]; the columns of a dense layer by CHW of
 * an NHWC input. */
typedef enum pg_tensor_order { PG_ORDER_FLAT, PG_ORDER_CONV, PG_ORDER_DENSE } pg_tensor_order;

/* One tensor of the state dict. shape is the state dict's; data starts at params + offset (or buffers + offset). */
typedef struct pg_tensor {
    char name[PG_NAME_MAX + 24], alias[PG_NAME_MAX + 24]; /* alias: second name of the same tensor, or empty */
    bool buffer;
    pg_tensor_order order;
    ptrdiff_t offset;
    size_t count;
    int rank, shape[4];
    int channels, pixels; /* PG_ORDER_DENSE: the flattened image, columns are [channels][pixels] in the state dict */
    int layer;
} pg_tensor;

/* List the tensors of a layout into tensors [layout->tensor_count], in the order of the layers. */
void pg_layout_tensors(const pg_layout *layout, pg_tensor *tensors);

#endif
