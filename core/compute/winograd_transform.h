/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arithmetic of Winograd's transforms, for conv_winograd.c: small matrices, constant at compile time, times blocks of
 * vectors of channels. Vectors are those of gcc and clang, as wide as the target processor's. */
#ifndef PG_COMPUTE_WINOGRAD_TRANSFORM_H
#define PG_COMPUTE_WINOGRAD_TRANSFORM_H

#include "core/base/real.h"

#include <string.h>

#define INLINE  static inline __attribute__((always_inline))
#define OUTLINE static __attribute__((noinline))

/* A loop over 0 to count - 1 that is unrolled completely. The compiler must know the count; it is at most T_MAX. */
#if defined(__clang__)
#define EACH(i, count) _Pragma("clang loop unroll(full)") for (int i = 0; i < (count); i++)
#else
#define EACH(i, count) _Pragma("GCC unroll 9") for (int i = 0; i < (count); i++)
#endif

#if defined(VECTOR_BYTES) /* a test chooses */
#elif defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
typedef pg_real vec __attribute__((vector_size(VECTOR_BYTES)));
enum { LANES = VECTOR_BYTES / sizeof(pg_real) }; /* channels in a vector */

INLINE vec load(const pg_real *from)
{
    vec v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store(pg_real *to, vec v)
{
    memcpy(to, &v, sizeof v);
}

/* A matrix of T rows: two for each pair of points p and -p, then single ones. The rows of a pair are equal in the even columns
 * and have opposite signs in the odd ones, so only the row of p is stored. */
enum { T_MAX = 9, PAIRS_MAX = 3, SINGLES_MAX = 5, TAPS_MAX = 5 };
typedef struct matrix {
    int columns, singles; /* T = 2 pairs + singles */
    pg_real pair[PAIRS_MAX][T_MAX], single[SINGLES_MAX][T_MAX];
} matrix;

/* The product of x with the columns of one parity of a row. Coefficients are compile-time constants, so zeros cost nothing. */
INLINE vec half_row(const pg_real *row, int columns, int parity, const vec *x)
{
    vec sum = {0};
    EACH (k, columns)
        if (k % 2 == parity && row[k] != 0) sum += row[k] * x[k];
    return sum;
}

/* y [T] = m x [columns]. */
INLINE void multiply(const matrix *m, int pairs, const vec *x, vec *y, int y_step)
{
    EACH (p, pairs) {
        const vec even = half_row(m->pair[p], m->columns, 0, x), odd = half_row(m->pair[p], m->columns, 1, x);
        y[2 * p * y_step] = even + odd;
        y[(2 * p + 1) * y_step] = even - odd;
    }
    EACH (i, m->singles)
        y[(2 * pairs + i) * y_step] = half_row(m->single[i], m->columns, 0, x) + half_row(m->single[i], m->columns, 1, x);
}

/* y [columns] = m' x [T]. */
INLINE void multiply_transposed(const matrix *m, int pairs, const vec *x, vec *y, int y_step)
{
    vec even[PAIRS_MAX], odd[PAIRS_MAX];
    EACH (p, pairs) {
        even[p] = x[2 * p] + x[2 * p + 1];
        odd[p] = x[2 * p] - x[2 * p + 1];
    }
    EACH (column, m->columns) {
        vec sum = {0};
        EACH (i, m->singles)
            if (m->single[i][column] != 0) sum += m->single[i][column] * x[2 * pairs + i];
        EACH (p, pairs)
            if (m->pair[p][column] != 0) sum += m->pair[p][column] * (column % 2 ? odd[p] : even[p]);
        y[column * y_step] = sum;
    }
}

/* Elements outside a transform: one vector of the image or the kernel, or of the transform domain. `at` counts them by rows. */
typedef struct operands operands;
typedef vec reader(const operands *o, int at);
typedef void writer(const operands *o, int at, vec v);

/* Write [T,T] = m x m', x [columns,columns]. Every row and column is read or written as it is used, to hold few vectors. */
INLINE void transform(const matrix *m, int pairs, reader *read, writer *write, const operands *o)
{
    vec half[T_MAX][T_MAX], line[T_MAX];
    const int columns = m->columns, rows = 2 * pairs + m->singles;
    EACH (j, columns) {
        EACH (i, columns) line[i] = read(o, i * columns + j);
        multiply(m, pairs, line, &half[0][j], T_MAX);
    }
    EACH (i, rows) {
        multiply(m, pairs, half[i], line, 1);
        EACH (j, rows) write(o, i * rows + j, line[j]);
    }
}

/* Write [columns,columns] = m' x m, x [T,T]. */
INLINE void transform_transposed(const matrix *m, int pairs, reader *read, writer *write, const operands *o)
{
    vec half[T_MAX][T_MAX], line[T_MAX];
    const int columns = m->columns, rows = 2 * pairs + m->singles;
    EACH (j, rows) {
        EACH (i, rows) line[i] = read(o, i * rows + j);
        multiply_transposed(m, pairs, line, &half[0][j], T_MAX);
    }
    EACH (i, columns) {
        multiply_transposed(m, pairs, half[i], line, 1);
        EACH (j, columns) write(o, i * columns + j, line[j]);
    }
}

#endif
