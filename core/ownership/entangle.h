/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The soft nearest neighbour loss: how far apart two groups of points lie. Raising it entangles them.
 *
 * L = -1/n sum_i log(1e-5 + S_i / (1e-5 + A_i)), with S_i the sum of exp(-d_ij / T) over the other points of i's group, A_i
 * that over all other points, d_ij = 1 - cosine of x_i and x_j, and T the temperature (Frosst, Papernot, Hinton, ICML 2019; the
 * form of the authors of entangled watermarks). */
#ifndef PG_OWNERSHIP_ENTANGLE_H
#define PG_OWNERSHIP_ENTANGLE_H

#include "core/base/real.h"

#include <stdbool.h>
#include <stddef.h>

enum { PG_ENTANGLED_MAX = 256 };

/* n points of d values, 2 to PG_ENTANGLED_MAX: point i is x + row[i] d, and in the second group if second[i]. Writes weight
 * times the gradient to dx at the same places; work has n (n + 1) elements. Returns L. */
double pg_entanglement(int n, size_t d, const pg_real *x, const int *row, const bool *second, double temperature, double weight,
                       pg_real *work, pg_real *dx);

#endif
