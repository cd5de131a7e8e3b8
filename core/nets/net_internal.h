/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of net.h share: net_plan.c lays out the memory of a net, net_passport.c computes its passports, net.c runs it
 * forward and net_backward.c backward. */
#ifndef PG_NETS_NET_INTERNAL_H
#define PG_NETS_NET_INTERNAL_H

#include "core/compute/kernels.h"
#include "core/nets/net.h"

/* What a net holds for one layer. Buffers are parts of one block of the net. */
typedef struct pg_net_cell pg_net_cell;
struct pg_net_cell {
    pg_conv conv;
    pg_norm norm;
    pg_pool pool;
    bool input_shared, output_shared; /* the same in both branches; if not, the buffer has a part for each branch */
    pg_net_cell *fused;               /* of a convolution: the pool or addition fused into it; of that: the convolution */
    int plus;                         /* row of the other operand of a fused addition */
    size_t trunk, trunk_size;         /* per image of a trunk: elements before this layer, elements of this layer */
    size_t in_size, out_size;         /* elements per image */
    pg_real *z;                       /* convolution output: the pre-activation. A buffer of its own in training nets, else y */
    pg_real *y;                       /* layer output */
    pg_real *dy;                      /* gradient of the output; may share its buffer with dz */
    pg_real *dz;                      /* gradient of z; summed over the branches if the input is shared */
    bool dy_written;                  /* this backward has begun to sum dy */
    const pg_real *extra;             /* added to dy in the next backward; NULL: nothing */
    const pg_real *pull;              /* [2,O] shift and slope: shift + slope z is added to dz in it; NULL: nothing */
    uint8_t *decisions;               /* see pg_norm_apply; of dropout: the values that pass */
    pg_real *mean, *inv_std, *variance;
    /* passport layers */
    pg_real *scale_means, *bias_means;      /* [R,R,I] */
    pg_real *gamma, *beta, *dgamma, *dbeta; /* [O]: of the passport itself */
    pg_real *dscale, *dbias;                /* [O]: gradient of the affine in use; dgamma, dbeta if there is no perceptron */
    pg_real *hidden[2], *fc_out[2];         /* perceptron: [O/4], [O] for gamma and beta */
    const pg_real *scale[2], *bias[2];      /* affine in use, by pg_branch */
};

struct pg_net {
    pg_layout layout;
    pg_real *gradients; /* [param_count]; NULL in nets that do not train */
    int batch, images_n;
    bool training;
    int branches_max; /* branches in one forward */
    pg_branch branch; /* of the last forward */
    int train_from;
    bool weights_stay;
    pg_mode mode;
    pg_seed seed;                  /* of dropout */
    uint64_t draw;                 /* step of the training whose masks the next forward draws */
    const pg_real *images, *trunk; /* of the last forward; trunk: replaces the shared layers, or NULL */
    pg_net_cell *cells;
    pg_net_cell image_cell; /* stands for the images; holds their gradient */
    size_t trunk_size;      /* elements of one image */
    pg_real *scratch, *affine_scratch;
    pg_real *pool_block;
    uint8_t *byte_block;
    size_t bytes;
};

/* Compute gamma and beta of a passport layer, and from them the affine of PAN's perceptron; set their gradients to zero. */
void pg_passport_forward(pg_net_cell *cell, const pg_layer *layer, const pg_model *model);
/* Add its `pull` to dz of a convolution. */
void pg_net_statistics_backward(const pg_net *net, pg_net_cell *cell);
/* From the gradient of the affine in use at layer i to those of the perceptron and of the layer's weights. */
void pg_passport_backward(pg_net *net, int i, const pg_model *model);

#endif
