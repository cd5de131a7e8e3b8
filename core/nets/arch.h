/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks as tables of rows, in the order of computation.
 *
 * A row is one layer: a convolution block (convolution, norm, ReLU), a norm of its own, a pool, an addition, a dense layer or
 * dropout. A network that needs no code is a file in configs/networks (see arch_file.h); one in C is a file with one const
 * struct, and a line in archs.c. */
#ifndef PG_NETS_ARCH_H
#define PG_NETS_ARCH_H

#include "core/base/status.h"

#include <stdbool.h>

enum { PG_ROWS_MAX = 128, PG_CONVS_MAX = 64, PG_NAME_MAX = 48, PG_ARCH_NAME_MAX = 24, PG_IMAGES = -1 };
enum {
    PG_KERNEL_MAX = 31,
    PG_CHANNELS_MAX = 1 << 16
}; /* of a convolution; channels also of a dense layer without the classes */

typedef enum pg_row_kind {
    PG_ROW_CONV,
    PG_ROW_MAXPOOL,
    PG_ROW_AVGPOOL,
    PG_ROW_ADD,
    PG_ROW_DENSE,
    PG_ROW_NORM,
    PG_ROW_DROPOUT
} pg_row_kind;

typedef struct pg_row {
    pg_row_kind kind;
    char name[PG_NAME_MAX];  /* prefix of its tensors in a state dict; empty if it has none */
    int input, other;        /* rows that it reads (PG_IMAGES: the batch); other only for PG_ROW_ADD */
    int channels;            /* PG_ROW_CONV, PG_ROW_DENSE: outputs at width 1; 0: as many as classes (last dense layer) */
    int groups;              /* PG_ROW_CONV: see conv.h; 0: as many as channels of the input (depthwise) */
    int kernel, stride, pad; /* PG_ROW_AVGPOOL of stride 0: kernel is the side of its output */
    bool relu;
    bool bare;     /* PG_ROW_CONV: without norm, affine and bias, so it cannot be a passport layer */
    bool passport; /* a passport layer by default */
    double rate;   /* PG_ROW_DROPOUT: probability with which training sets a value to zero */
} pg_row;

/* Rows of a table. n: name, in: row that it reads, k: channels, r: kernel, s: stride, p: padding, own: passport layer. */
#define PG_CONV_ROW(n, in, k, r, s, p, own)                                                                                    \
    {                                                                                                                          \
        .kind = PG_ROW_CONV, .name = n, .input = in, .channels = k, .kernel = r, .stride = s, .pad = p, .groups = 1,           \
        .relu = true, .passport = own                                                                                          \
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
    const char *name, *summary; /* name: at most PG_ARCH_NAME_MAX - 1 bytes */
    int image;                  /* side of the images that it is made for; other sizes work too if they leave no layer empty */
    bool residual;              /* has additions, and relu_before_add chooses a row's ReLU */
    const pg_row *table;
    int count;                                                   /* rows of the table */
    int (*rows)(bool relu_before_add, pg_row rows[PG_ROWS_MAX]); /* in place of a table: write one, return its length */
    const char *text; /* of a network that was read: all of it, in one line of YAML, see arch_file.h; NULL: it is in C */
} pg_arch;

/* In the struct of a network: its table, an array of rows. */
#define PG_ARCH_TABLE(rows_) .table = rows_, .count = (int)(sizeof rows_ / sizeof *rows_)

/* May the row be a passport layer? It is a convolution without groups, and a norm follows. */
bool pg_row_takes_passport(const pg_row *row);

/* Write the table of a network, and return its length. */
int pg_arch_rows(const pg_arch *arch, bool relu_before_add, pg_row rows[PG_ROWS_MAX]);

/* The networks in C, ended by NULL: archs.c. */
extern const pg_arch *const pg_archs[];

/* All networks that the program has, those in C first: number i, NULL after the last; one by its name, NULL if unknown; their
 * names, ended by NULL. */
const pg_arch *pg_arch_at(int i);
const pg_arch *pg_arch_find(const char *name);
const char *const *pg_arch_names(void);

#endif
