/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arithmetic of Winograd's transforms, for conv_winograd.c: small matrices, constant at compile time, times blocks of
 * vectors of channels. Vectors are those of gcc and clang, as wide as the target processor's. */
#ifndef PG_COMPUTE_WINOGRAD_TRANSFORM_H
#define PG_COMPUTE_WINOGRAD_TRANSFORM_H

#include "core/base/real.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
typedef pg_real vec __attribute__((vector_size(VECTOR_BYTES)));
enum { LANES = VECTOR_BYTES / sizeof(pg_real) }; /* channels in a vector */

/* Load or store the first `lanes` channels. load sets the others to zero; store leaves them as they are. */
INLINE vec load(const pg_real *from, int lanes)
{
    vec v = {0};
    memcpy(&v, from, lanes == LANES ? sizeof v : (size_t)lanes * sizeof *from);
    return v;
}

INLINE void store(pg_real *to, vec v, int lanes)
{
    memcpy(to, &v, lanes == LANES ? sizeof v : (size_t)lanes * sizeof *to);
}

/* A matrix of T rows: two for each pair of points p and -p, then single ones. The rows of a pair are equal in the even columns
 * and have opposite signs in the odd ones, so only the row of p is stored. */
enum { T_MAX = 9, PAIRS_MAX = 3, SINGLES_MAX = 5, TAPS_MAX = 5 };
typedef struct matrix {
    int columns, singles; /* T = 2 pairs + singles */
    pg_real pair[PAIRS_MAX][T_MAX], single[SINGLES_MAX][T_MAX];
} matrix;

/* The product of x with the columns of one parity of a row. Coefficients are compile-time constants, so zeros cost nothing. */
INLINE vec half_row(const pg_real *row, int columns, int parity, const vec *x, int step)
{
    vec sum = {0};
#pragma GCC unroll 5
    for (int k = parity; k < columns; k += 2)
        if (row[k] != 0) sum += row[k] * x[k * step];
    return sum;
}

/* y [T] = m x [columns]. */
INLINE void multiply(const matrix *m, int pairs, const vec *x, int x_step, vec *y, int y_step)
{
#pragma GCC unroll 3
    for (int p = 0; p < pairs; p++) {
        const vec even = half_row(m->pair[p], m->columns, 0, x, x_step), odd = half_row(m->pair[p], m->columns, 1, x, x_step);
        y[2 * p * y_step] = even + odd;
        y[(2 * p + 1) * y_step] = even - odd;
    }
#pragma GCC unroll 5
    for (int i = 0; i < m->singles; i++)
        y[(2 * pairs + i) * y_step] =
            half_row(m->single[i], m->columns, 0, x, x_step) + half_row(m->single[i], m->columns, 1, x, x_step);
}

/* y [columns] = m' x [T]. */
INLINE void multiply_transposed(const matrix *m, int pairs, const vec *x, int x_step, vec *y, int y_step)
{
    vec even[PAIRS_MAX], odd[PAIRS_MAX];
#pragma GCC unroll 3
    for (int p = 0; p < pairs; p++) {
        even[p] = x[2 * p * x_step] + x[(2 * p + 1) * x_step];
        odd[p] = x[2 * p * x_step] - x[(2 * p + 1) * x_step];
    }
#pragma GCC unroll 9
    for (int column = 0; column < m->columns; column++) {
        vec sum = {0};
#pragma GCC unroll 5
        for (int i = 0; i < m->singles; i++)
            if (m->single[i][column] != 0) sum += m->single[i][column] * x[(2 * pairs + i) * x_step];
#pragma GCC unroll 3
        for (int p = 0; p < pairs; p++)
            if (m->pair[p][column] != 0) sum += m->pair[p][column] * (column % 2 ? odd[p] : even[p]);
        y[column * y_step] = sum;
    }
}

/* out [T,T] = m in m', in [columns,columns]; rows of both are T_MAX apart. */
INLINE void transform(const matrix *m, int pairs, vec in[T_MAX][T_MAX], vec out[T_MAX][T_MAX])
{
    vec half[T_MAX][T_MAX];
#pragma GCC unroll 9
    for (int j = 0; j < m->columns; j++) multiply(m, pairs, &in[0][j], T_MAX, &half[0][j], T_MAX);
#pragma GCC unroll 9
    for (int i = 0; i < 2 * pairs + m->singles; i++) multiply(m, pairs, half[i], 1, out[i], 1);
}

/* out [columns,columns] = m' in m, in [T,T]. */
INLINE void transform_transposed(const matrix *m, int pairs, vec in[T_MAX][T_MAX], vec out[T_MAX][T_MAX])
{
    vec half[T_MAX][T_MAX];
#pragma GCC unroll 9
    for (int j = 0; j < 2 * pairs + m->singles; j++) multiply_transposed(m, pairs, &in[0][j], T_MAX, &half[0][j], T_MAX);
#pragma GCC unroll 9
    for (int i = 0; i < m->columns; i++) multiply_transposed(m, pairs, half[i], 1, out[i], 1);
}

#endif
