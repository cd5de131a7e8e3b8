/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small kernels: pooling, addition, dense layer, loss, optimizer step. Images are [N,H,W,C]. No kernel allocates or fails
 * (the caller has checked the shapes), and no result depends on the number of threads. */
#ifndef PG_COMPUTE_KERNELS_H
#define PG_COMPUTE_KERNELS_H

#include "core/base/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* max(0, v). Keeps NaN, as PyTorch does: a zero in its place would hide it from the loss. Minus zero becomes zero. */
static inline pg_real pg_rectify(pg_real v)
{
    return v <= 0 ? 0 : v;
}

/* Does v replace the largest so far? NaN does, and is not replaced. */
static inline bool pg_wins(pg_real v, pg_real largest)
{
    return (v > largest) | (v != v);
}

/* Max pooling: window k, stride s, padding p (padded taps never win). x [N,H,W,C] -> y [N,OH,OW,C], OH = (H + 2p - k) / s + 1.
 * argmax [N,OH,OW,C] gets the winning tap (row * k + column), the first of equals; NULL if no backward follows. Requires k * k
 * <= 256. */
typedef struct pg_pool {
    int height, width, channels, kernel, stride, pad, out_height, out_width;
} pg_pool;
void pg_maxpool_forward(const pg_pool *pool, int n, const pg_real *x, pg_real *y, uint8_t *argmax);
/* dx [N,H,W,C] is overwritten, or added to if add is set. */
void pg_maxpool_backward(const pg_pool *pool, int n, const uint8_t *argmax, const pg_real *dy, pg_real *dx, bool add);

/* Average pooling without padding: x [N,H,W,C] -> y [N,OH,OW,C]. If the stride is 0, it is adaptive with PyTorch's windows,
 * floor(i H / OH) .. ceil((i+1) H / OH), and the kernel is not read. */
void pg_avgpool_forward(const pg_pool *pool, int n, const pg_real *x, pg_real *y);
void pg_avgpool_backward(const pg_pool *pool, int n, const pg_real *dy, pg_real *dx, bool add);

/* y = max(0, a + b), count elements. Its gradient: dx = dy where y > 0, else 0; overwritten (dx may be dy), or added to if add
 * is set. */
void pg_add_relu(size_t count, const pg_real *a, const pg_real *b, pg_real *y);
void pg_add(size_t count, const pg_real *a, const pg_real *b, pg_real *y); /* y = a + b */
void pg_relu_backward(size_t count, const pg_real *y, const pg_real *dy, pg_real *dx, bool add);

void pg_relu(size_t count, pg_real *y); /* y = max(0, y) */

/* Dropout, count elements: y = x scale where open, else 0; y may be x. */
void pg_mask(size_t count, const uint8_t *open, pg_real scale, const pg_real *x, pg_real *y);

void pg_accumulate(size_t count, const pg_real *x, pg_real *y); /* y += x */
void pg_zero(size_t count, pg_real *y);                         /* y = 0 */
bool pg_all_finite(size_t count, const pg_real *x);             /* no NaN, no Inf */

/* Dense layer of I inputs and O outputs: y [N,O] = x [N,I] w' + b, with w [O,I] and b [O] (NULL: none). */
typedef struct pg_dense {
    int in, out;
} pg_dense;
void pg_dense_forward(pg_dense dense, int n, const pg_real *x, const pg_real *w, const pg_real *b, pg_real *y);
/* dw, db are added to; either may be NULL. dx is overwritten, or added to if add is set, or NULL to skip. */
void pg_dense_backward(pg_dense dense, int n, const pg_real *x, const pg_real *w, const pg_real *dy, pg_real *dw, pg_real *db,
                       pg_real *dx, bool add);

/* y0[k] = sum over j of a0[j] w[j,k], and y1 from a1 likewise, in one pass over w [rows,columns]. They are gamma and beta of a
 * passport layer with w = [R,R,C,K] seen as [R R C, K] (Fan, Ng, Chan, "Rethinking Deep Neural Network Ownership Verification",
 * NeurIPS 2019: the affine of a passport is linear in the weights). */
void pg_matvec_pair(int rows, int columns, const pg_real *w, const pg_real *a0, const pg_real *a1, pg_real *y0, pg_real *y1);
/* dw[j,k] += a0[j] dy0[k] + a1[j] dy1[k]. */
void pg_outer_add_pair(int rows, int columns, const pg_real *a0, const pg_real *a1, const pg_real *dy0, const pg_real *dy1,
                       pg_real *dw);
/* da[j] = sum over k of w[j,k] dy[k]. */
void pg_matvec_backward(int rows, int columns, const pg_real *w, const pg_real *dy, pg_real *da);

/* Mean softmax cross-entropy (natural log) over n rows of logits [n,classes], summed in double. Label smoothing s mixes
 * s/classes into every target. Overwrites dlogits with the gradient of the mean (NULL: skipped). Returns the mean loss. Sets
 * *correct (may be NULL) to the number of rows whose largest logit (first of equals) is the label. A row with a logit that is
 * NaN or Inf has a loss that is not finite and never counts as correct. */
double pg_cross_entropy(int n, int classes, const pg_real *logits, const int32_t *labels, double smoothing, pg_real *dlogits,
                        int *correct);

/* A step of SGD as in PyTorch, count elements: g = grad + decay * w; v = momentum * v + g; w -= rate * v. */
void pg_sgd_step(size_t count, pg_real *w, pg_real *v, const pg_real *grad, double rate, double momentum, double decay);

#endif
