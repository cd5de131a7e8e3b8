/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolution (cross-correlation), all three passes, by an algorithm chosen per layer from its shape.
 *
 * Layouts, all dense and row-major:  x [N,H,W,C]   w [R,R,C/G,K]   y [N,OH,OW,K].
 * OH = (H + 2 pad - R) / stride + 1, OW alike. Square kernels. With G groups, each K/G adjacent filters read C/G adjacent
 * channels: the first filters the first channels. Depthwise is G = C = K.
 *
 * Results do not depend on the number of threads: the shape and the batch alone fix the parts of the work and the order in
 * which partial sums are added. */
#ifndef PG_COMPUTE_CONV_H
#define PG_COMPUTE_CONV_H

#include "core/base/real.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct pg_conv_shape {
    int height, width, channels; /* of one input image */
    int filters, kernel, stride, pad;
    int groups; /* 0 or 1: each filter reads all channels */
} pg_conv_shape;

/* Choices for a convolution without groups; one with groups has its own algorithm. AUTO: the fastest known for the shape.
 * DIRECT: the definition, summed in double, slow. IM2COL: by one matrix product per block of images. WINOGRAD: if it supports
 * the shape, else IM2COL. */
typedef enum pg_conv_choice { PG_CONV_AUTO, PG_CONV_DIRECT, PG_CONV_IM2COL, PG_CONV_WINOGRAD } pg_conv_choice;

/* Names of the choices, in their order, ended by NULL. Reading one: false for any other text. */
extern const char *const pg_conv_choice_names[];
bool pg_conv_choice_read(const char *text, pg_conv_choice *choice);

typedef struct pg_conv pg_conv;

/* The gradients of a pass. */
typedef struct pg_conv_grads {
    const pg_real *dy; /* [N,OH,OW,K] */
    pg_real *dx;       /* [N,H,W,C]; overwritten, or added to if add is set; NULL: skipped */
    bool add;
    pg_real *dw; /* [R,R,C/G,K]; added to; NULL: skipped */
} pg_conv_grads;

/* An algorithm: one const object per file. scratch returns the elements that any of the passes may use at batch. */
typedef struct pg_conv_algorithm {
    const char *name;
    bool (*fits)(const pg_conv_shape *shape); /* NULL: any shape */
    size_t (*scratch)(const pg_conv *conv, int batch);
    void (*forward)(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, pg_real *y, pg_real *scratch);
    void (*backward)(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, const pg_conv_grads *grads,
                     pg_real *scratch);
} pg_conv_algorithm;

/* A planned convolution; plain data. */
struct pg_conv {
    pg_conv_shape shape;
    int out_height, out_width;
    const pg_conv_algorithm *algorithm;
};

extern const pg_conv_algorithm pg_conv_direct;   /* conv_direct.c: any shape without groups */
extern const pg_conv_algorithm pg_conv_im2col;   /* conv_im2col.c: any shape without groups */
extern const pg_conv_algorithm pg_conv_grouped;  /* conv_grouped.c: any shape */
extern const pg_conv_algorithm pg_conv_winograd; /* conv_winograd.c: 3x3 of pad 1, stride 1 or 2; 5x5 of pad 2 */

/* Check the shape and choose the algorithm. PG_BAD_INPUT if the output would be empty, a size is not positive, or the groups
 * divide channels or filters unevenly. */
PG_CHECKED pg_status pg_conv_plan(pg_conv *conv, const pg_conv_shape *shape, pg_conv_choice choice, pg_error *err);

size_t pg_conv_scratch(const pg_conv *conv, int batch);
void pg_conv_forward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, pg_real *y, pg_real *scratch);
void pg_conv_backward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, const pg_conv_grads *grads,
                      pg_real *scratch);

#endif
