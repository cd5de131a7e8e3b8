/* The inside of a net, for the files that make it up: net_plan.c lays out its memory, net_passport.c has its passports, net.c
 * runs it. */
#ifndef PG_NETS_NET_INTERNAL_H
#define PG_NETS_NET_INTERNAL_H

#include "core/compute/kernels.h"
#include "core/nets/net.h"

/* What the net holds for one layer. Pointers are into pools owned by the net. */
typedef struct pg_net_cell pg_net_cell;
struct pg_net_cell {
    pg_conv conv;
    pg_norm norm;
    pg_pool pool;
    bool input_shared, output_shared; /* the same in both branches; what is not is there once for each of them */
    pg_net_cell *fused;               /* convolution: the pool or addition after it that its norm does too; those: it */
    int plus;                         /* the row that such an addition adds */
    size_t trunk, trunk_size;         /* what a trunk keeps of it: elements of one image before it, and of it; 0: nothing */
    size_t in_size, out_size;         /* elements of one image */
    pg_real *z;                       /* convolution output (training nets; else y) */
    pg_real *y;                       /* layer output */
    pg_real *dy;                      /* gradient of the output; becomes dz in place unless dz is apart */
    pg_real *dz;                      /* of z: the sum over the branches where the input is shared */
    bool dy_written;
    uint8_t *decisions; /* see pg_norm_apply */
    pg_real *mean, *inv_std, *variance;
    /* passport layers */
    pg_real *scale_means, *bias_means;      /* [R,R,I] */
    pg_real *gamma, *beta, *dgamma, *dbeta; /* [O]: straight from the passport */
    pg_real *dscale, *dbias;           /* [O]: gradient of the affine in force; dgamma, dbeta where no perceptron follows */
    pg_real *hidden[2], *fc_out[2];    /* perceptron: [O/4], [O] for gamma and beta */
    const pg_real *scale[2], *bias[2]; /* affine in force in each branch */
};

struct pg_net {
    pg_layout layout;
    pg_real *gradients; /* laid out as a model's params; NULL where the net does not train */
    int batch, images_n;
    bool training;
    int branches_max; /* that one forward runs */
    pg_branch branch; /* of the last forward */
    int train_from;
    bool weights_stay;
    pg_mode mode;
    const pg_real *images, *trunk; /* trunk: what stands in for the shared layers in this forward, or NULL */
    pg_net_cell *cells;
    pg_net_cell image_cell; /* stands for the images: holds their gradient */
    size_t trunk_size;      /* elements of one image */
    pg_real *scratch, *affine_scratch;
    pg_real *pool_block;
    uint8_t *byte_block;
    size_t bytes;
};

/* Gamma and beta of a passport layer from its passport, and the affine that a perceptron makes of them; gradients to zero. */
void pg_passport_forward(pg_net_cell *cell, const pg_layer *layer, const pg_model *model);
/* From the gradient of the affine in force at layer i to those of the perceptron and of the weights that gamma and beta are
 * from. */
void pg_passport_backward(pg_net *net, int i, const pg_model *model);

#endif
