/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normalisation, affine, ReLU and max pool in one pass: y = pool(act(gamma xhat + beta)), xhat = (x - mean) inv_std; or, with a
 * residual, an addition and a ReLU instead of the pool: y = relu(act(gamma xhat + beta) + plus). act is a ReLU or nothing.
 *
 * Images are channels last, [N,H,W,C]. A set is a group of elements that share a mean and an inv_std. BN has one set per
 * channel, over N, H and W: [C]. GN has one per image and group of channels: [N,G]. IN has one per image and channel: [N,C].
 * NONE has no statistics: xhat = x. Variances are biased (divided by the count); inv_std = 1 / sqrt(variance + eps). Results do
 * not depend on the number of threads.
 *
 * Sources: Ioffe, Szegedy, "Batch Normalization", ICML 2015; Wu, He, "Group Normalization", ECCV 2018; Ulyanov, Vedaldi,
 * Lempitsky, "Instance Normalization", 2016. */
#ifndef PG_COMPUTE_NORM_H
#define PG_COMPUTE_NORM_H

#include "core/base/real.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum pg_norm_kind { PG_NORM_BN, PG_NORM_GN, PG_NORM_IN, PG_NORM_NONE } pg_norm_kind;

extern const char *const pg_norm_names[]; /* "bn", "gn", "in", "none" by kind, ended by NULL */
const char *pg_norm_kind_name(pg_norm_kind kind);
PG_CHECKED pg_status pg_norm_kind_parse(const char *name, pg_norm_kind *kind, pg_error *err);

typedef struct pg_norm {
    pg_norm_kind kind;
    int pixels, channels; /* H W; C */
    int groups;           /* GN only: G; channels per group = channels / groups */
    pg_real eps;
    bool relu;      /* act is a ReLU */
    int pool_width; /* 0: no pool; else W of a 2x2 max pool of stride 2; H and W are even */
    bool residual;  /* add plus, then ReLU; not with a pool */
    bool fixed;     /* backward takes mean and inv_std as constants, not as statistics of x */
} pg_norm;

/* Number of sets of n images: elements of mean, and of inv_std. */
size_t pg_norm_sets(const pg_norm *norm, int n);

/* Elements of scratch that any function below may use at batch n. */
size_t pg_norm_scratch(const pg_norm *norm, int n);

/* The statistics of n images: mean, inv_std [sets]. variance (BN only, [C], biased) may be NULL. */
void pg_norm_statistics(const pg_norm *norm, int n, const pg_real *x, pg_real *mean, pg_real *inv_std, pg_real *variance,
                        pg_real *scratch);

/* The operands of a pass over N images. */
typedef struct pg_norm_pass {
    int n;                         /* N */
    const pg_real *x;              /* [N,H,W,C] */
    const pg_real *mean, *inv_std; /* [sets]; NONE reads neither */
    const pg_real *gamma, *beta;   /* [C]; NULL: ones, zeros */
    const pg_real *plus;           /* [N,H,W,C]; read only with a residual */
    pg_real *y;                    /* [N,H,W,C], or [N,H/2,W/2,C] with a pool; may be x without a pool */
    uint8_t *decisions; /* as y, for backward; NULL if none follows. With a pool: the pixel of the 2x2 that won (0 .. 3, row by
                           row), the first of equals. With a residual: 1 where act let its input through. Else: not written. */
    pg_real *scratch;   /* [pg_norm_scratch] */
} pg_norm_pass;

/* Overwrite y and decisions. */
void pg_norm_apply(const pg_norm *norm, const pg_norm_pass *pass);

/* The gradients of a pass. */
typedef struct pg_norm_grads {
    const pg_real *dy;       /* as y */
    pg_real *dgamma, *dbeta; /* [C]; added to; either may be NULL */
    pg_real *dx;             /* [N,H,W,C]; overwritten, or added to if add is set; NULL: skipped. May be dy without a pool. */
    bool add;
} pg_norm_grads;

/* Backward of statistics and apply together; pass is that of the forward and is only read. The last ReLU's mask is y > 0. The
 * gradient of plus is not computed here: it is dy where y > 0. */
void pg_norm_backward(const pg_norm *norm, const pg_norm_pass *pass, const pg_norm_grads *grads);

#endif
