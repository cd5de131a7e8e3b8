/* Normalisation, affine, ReLU and max pool in one: y = pool(act(gamma * (x - mean) * inv_std + beta)), channels last; or with
 * a residual added and a ReLU after it: y = relu(act(gamma * (x - mean) * inv_std + beta) + plus).
 *
 * x [N, P, C] with P = pixels of one image; y likewise, or [N, P / 4, C] when pooled: the largest of every 2 x 2 pixels.
 * Statistics, mean and inv_std, are kept per set: BN has one set per channel, over N and P, [C]; GN one per image and group of
 * channels, [N, G]; IN one per image and channel, [N, C]; NONE takes x as it is and reads neither. Variances are biased
 * (divided by the count), inv_std = 1 / sqrt(variance + eps). Results do not depend on the number of threads. */
#ifndef PG_COMPUTE_NORM_H
#define PG_COMPUTE_NORM_H

#include "core/base/real.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum pg_norm_kind { PG_NORM_BN, PG_NORM_GN, PG_NORM_IN, PG_NORM_NONE } pg_norm_kind;

const char *pg_norm_kind_name(pg_norm_kind kind);
PG_CHECKED pg_status pg_norm_kind_parse(const char *name, pg_norm_kind *kind, pg_error *err);

typedef struct pg_norm {
    pg_norm_kind kind;
    int pixels, channels;
    int groups; /* GN only: channels per group = channels / groups */
    pg_real eps;
    bool relu;
    int pool_width; /* 0: no pool; else the even width of the image (its height is even too) */
    bool residual;  /* plus is added, and a ReLU follows; not with a pool */
    bool fixed;     /* backward takes mean and inv_std as constants, not as statistics of x */
} pg_norm;

/* Number of elements of mean (and of inv_std) for n images. */
size_t pg_norm_sets(const pg_norm *norm, int n);

/* Elements of scratch that any function below may use at batch n. */
size_t pg_norm_scratch(const pg_norm *norm, int n);

/* Statistics of the batch. variance (BN only, [C], biased) may be NULL. */
void pg_norm_statistics(const pg_norm *norm, int n, const pg_real *x, pg_real *mean, pg_real *inv_std, pg_real *variance,
                        pg_real *scratch);

/* y from x; gamma, beta [C], either may be NULL (ones, zeros). y may be x unless pooled. plus, as y: read with a residual only.
 * which, as y, or NULL where no backward follows: with a pool the pixel of the four (0 .. 3, row by row) that was taken, the
 * first of equals; with a residual 1 where the inner ReLU was open; not written otherwise. */
void pg_norm_apply(const pg_norm *norm, int n, const pg_real *x, const pg_real *mean, const pg_real *inv_std,
                   const pg_real *gamma, const pg_real *beta, const pg_real *plus, pg_real *y, uint8_t *which,
                   pg_real *scratch);

/* Backward of statistics and apply together. y is the forward result (its sign is the last ReLU's mask), dy its gradient; the
 * gradient of plus is not made here: it is dy where y > 0.
 * dgamma, dbeta [C] are added to (either may be NULL). dx is overwritten, or added to when add is set, or skipped when NULL.
 * dx may be dy unless pooled. */
void pg_norm_backward(const pg_norm *norm, int n, const pg_real *x, const pg_real *mean, const pg_real *inv_std,
                      const pg_real *gamma, const pg_real *y, const uint8_t *which, const pg_real *dy, pg_real *dgamma,
                      pg_real *dbeta, pg_real *dx, bool add, pg_real *scratch);

#endif
