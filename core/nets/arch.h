/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks as tables of rows, in the order of computation.
 *
 * A row is one layer: a convolution block (convolution, norm, ReLU), a pool, an addition or a dense layer. Adding a network:
 * its file with one const struct, a line in archs.c, a config, a test. */
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

/* Rows of a table. n: name, in: row that it reads, k: channels, r: kernel, s: stride, p: padding, own: passport layer. */
#define PG_CONV_ROW(n, in, k, r, s, p, own)                                                                                    \
    {                                                                                                                          \
        .kind = PG_ROW_CONV, .name = n, .input = in, .channels = k, .kernel = r, .stride = s, .pad = p, .relu = true,          \
        .passport = own                                                                                                        \
    }
#define PG_MAXPOOL_ROW(in, k, s)                                                                                               \
    {                                                                                                                          \
        .kind = PG_ROW_MAXPOOL, .input = in, .kernel = k, .stride = s                                                          \
    }
#define PG_AVGPOOL_ROW(in, side)                                                                                               \
    {                                                                                                                          \
        .kind = PG_ROW_AVGPOOL, .input = in, .kernel = side                                                                    \
    }
#define PG_DENSE_ROW(n, in, k, act)                                                                                            \
    {                                                                                                                          \
        .kind = PG_ROW_DENSE, .name = n, .input = in, .channels = k, .relu = act                                               \
    }

typedef struct pg_arch {
    const char *name, *summary;
    int image;     /* side of the images that it is made for; other sizes work too if they leave no layer empty */
    bool residual; /* has additions, so that relu_before_add matters */
    int (*rows)(bool relu_before_add, pg_row rows[PG_ROWS_MAX]); /* write the table, return its length */
} pg_arch;

/* All networks, ended by NULL: archs.c. One by its name, NULL if unknown; their names, ended by NULL. */
extern const pg_arch *const pg_archs[];
const pg_arch *pg_arch_find(const char *name);
const char *const *pg_arch_names(void);

#endif
