/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The soft nearest neighbour loss; see entangle.h. */
#include "core/ownership/entangle.h"

#include <math.h>

static const double tiny = 1e-5, least = 1e-12; /* least: squared norm of a point, so that a zero has no direction */

static double dot(size_t d, const pg_real *a, const pg_real *b)
{
    double sum = 0;
    for (size_t k = 0; k < d; k++) sum += (double)a[k] * (double)b[k];
    return sum;
}

/* Norms go to work [n], cosines to work + n [n,n]. */
static void find_cosines(int n, size_t d, const pg_real *x, const int *row, pg_real *work)
{
    for (int i = 0; i < n; i++) {
        const pg_real *a = x + (size_t)row[i] * d;
        work[i] = (pg_real)sqrt(dot(d, a, a) + least);
        for (int j = 0; j < i; j++) {
            const double cosine = dot(d, a, x + (size_t)row[j] * d) / ((double)work[i] * (double)work[j]);
            work[n + i * n + j] = work[n + j * n + i] = (pg_real)cosine;
        }
    }
}

/* Loss of point i. slope [2]: its derivatives by S_i and by A_i. */
static double loss_of(int n, int i, const pg_real *cosine, const bool *second, double temperature, double slope[2])
{
    double same = 0, all = 0;
    for (int j = 0; j < n; j++) {
        if (j == i) continue;
        const double e = exp(((double)cosine[j] - 1) / temperature);
        all += e;
        if (second[i] == second[j]) same += e;
    }
    const double share = tiny + same / (tiny + all);
    slope[0] = -1 / (share * (tiny + all));
    slope[1] = same / (share * (tiny + all) * (tiny + all));
    return -log(share);
}

/* Add `by` times the gradient of the cosine of points a and b by a. */
static void add_cosine(size_t d, const pg_real *a, const pg_real *b, double norm_a, double norm_b, double cosine, double by,
                       pg_real *da)
{
    const double to_b = by / (norm_a * norm_b), to_a = -by * cosine / (norm_a * norm_a);
    for (size_t k = 0; k < d; k++) da[k] += (pg_real)(to_b * (double)b[k] + to_a * (double)a[k]);
}

double pg_entanglement(int n, size_t d, const pg_real *x, const int *row, const bool *second, double temperature, double weight,
                       pg_real *work, pg_real *dx)
{
    double loss = 0;
    find_cosines(n, d, x, row, work);
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < d; k++) dx[(size_t)row[i] * d + k] = 0;
    for (int i = 0; i < n; i++) {
        const pg_real *cosine = work + n + (ptrdiff_t)i * n;
        double slope[2];
        loss += loss_of(n, i, cosine, second, temperature, slope) / n;
        for (int j = 0; j < n; j++) {
            if (j == i) continue;
            const double e = exp(((double)cosine[j] - 1) / temperature) / temperature;
            const double by = weight / n * e * (slope[1] + (second[i] == second[j] ? slope[0] : 0));
            const pg_real *a = x + (size_t)row[i] * d, *b = x + (size_t)row[j] * d;
            add_cosine(d, a, b, (double)work[i], (double)work[j], (double)cosine[j], by, dx + (size_t)row[i] * d);
            add_cosine(d, b, a, (double)work[j], (double)work[i], (double)cosine[j], by, dx + (size_t)row[j] * d);
        }
    }
    return loss;
}
