/* Networks as tables of rows, in the order of computation.
 *
 * A row is one layer: a convolution block (convolution, norm, ReLU), a pool, an addition or a dense layer. AlexNet and the
 * ResNets are those of the passport paper's reference code, for 32x32 images and for images of ImageNet's size. */
#ifndef PG_NETS_ARCH_H
#define PG_NETS_ARCH_H

#include "core/base/status.h"

#include <stdbool.h>

enum { PG_ROWS_MAX = 64, PG_NAME_MAX = 48, PG_IMAGES = -1 };

typedef enum pg_row_kind { PG_ROW_CONV, PG_ROW_MAXPOOL, PG_ROW_AVGPOOL, PG_ROW_ADD, PG_ROW_DENSE } pg_row_kind;

typedef struct pg_row {
    pg_row_kind kind;
    char name[PG_NAME_MAX];  /* prefix of its tensors in a state dict; empty if it has none */
    int input, other;        /* rows that it reads (PG_IMAGES: the batch); other only for PG_ROW_ADD */
    int channels;            /* PG_ROW_CONV, PG_ROW_DENSE: outputs at width 1; 0: as many as classes (last dense layer) */
    int kernel, stride, pad; /* PG_ROW_AVGPOOL: kernel is the side of its output */
    bool relu;
    bool passport; /* a passport layer by default */
} pg_row;

typedef struct pg_arch {
    const char *name, *summary;
    int image;     /* side of the images that it is made for; other sizes work too if they leave no layer empty */
    bool residual; /* has additions, so that relu_before_add matters */
    int (*rows)(bool relu_before_add, pg_row rows[PG_ROWS_MAX]); /* write the table, return its length */
} pg_arch;

/* All networks, ended by NULL. */
extern const pg_arch *const pg_archs[];

/* By name; NULL if unknown. */
const pg_arch *pg_arch_find(const char *name);

#endif
