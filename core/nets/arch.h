/* Networks as tables of rows.
 *
 * A row is one layer: a convolution block (convolution, norm, ReLU), a pool, an addition or a dense layer. Rows are in order of
 * computation. AlexNet and the ResNets are those of the passport paper's reference code (32x32 and ImageNet-size forms). */
#ifndef PG_NETS_ARCH_H
#define PG_NETS_ARCH_H

#include "core/base/status.h"

#include <stdbool.h>

enum { PG_ROWS_MAX = 64, PG_NAME_MAX = 48, PG_IMAGES = -1 };

typedef enum pg_row_kind { PG_ROW_CONV, PG_ROW_MAXPOOL, PG_ROW_AVGPOOL, PG_ROW_ADD, PG_ROW_DENSE } pg_row_kind;

typedef struct pg_row {
    pg_row_kind kind;
    char name[PG_NAME_MAX];  /* prefix of its tensors in a state dict; empty for rows without tensors */
    int input, other;        /* rows it reads (PG_IMAGES: the batch); other only for PG_ROW_ADD */
    int channels;            /* PG_ROW_CONV, PG_ROW_DENSE: outputs at width 1; 0 for the last dense layer: the classes */
    int kernel, stride, pad; /* PG_ROW_AVGPOOL: kernel is the side of its output */
    bool relu;
    bool passport; /* a passport layer unless the user chooses others */
} pg_row;

typedef struct pg_arch {
    const char *name, *summary;
    int image;     /* side of the images it is made for; other sizes that leave no layer empty work too */
    bool residual; /* relu_before_add means something */
    int (*rows)(bool relu_before_add, pg_row rows[PG_ROWS_MAX]); /* writes the table, returns its length */
} pg_arch;

/* All networks, ended by NULL. */
extern const pg_arch *const pg_archs[];

/* By name; NULL if unknown. */
const pg_arch *pg_arch_find(const char *name);

#endif
