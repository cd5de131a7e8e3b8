/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A loss on the statistics of a batch: their distance from the running ones. The gradient of a channel's mean and variance
 * with regard to a pre-activation z is a shift plus a slope times z. See net.h. */
#include "core/nets/net_internal.h"

#include <math.h>

enum { ARRAYS = 3 }; /* of a layer, [O] each: first mean, inverse deviation and variance; then shift and slope */

/* Does the loss read the layer? It does if the layer is a convolution with batch norm. */
static bool follows(const pg_net_cell *c)
{
    return c->conv.algorithm && c->norm.kind == PG_NORM_BN;
}

size_t pg_net_statistics_size(const pg_net *net)
{
    size_t count = 0;
    for (int i = 0; i < net->layout.layer_count; i++)
        if (follows(&net->cells[i])) count += ARRAYS * (size_t)net->cells[i].norm.channels;
    return count;
}

static double distance(int channels, const pg_real *a, const pg_real *b)
{
    double sum = 0;
    for (int c = 0; c < channels; c++) sum += ((double)a[c] - (double)b[c]) * ((double)a[c] - (double)b[c]);
    return sqrt(sum);
}

/* The distance of one layer. Overwrites its mean by the shift of the gradient, and its inverse deviation by the slope. */
static double match_layer(const pg_net *net, pg_net_cell *c, const pg_real *mean, const pg_real *variance, double weight,
                          pg_real *work)
{
    const int channels = c->norm.channels;
    const double count = (double)net->images_n * c->norm.pixels;
    pg_norm norm = c->norm;
    pg_real *shift = work, *slope = work + channels, *spread = work + 2 * (ptrdiff_t)channels;
    norm.fixed = false;
    pg_norm_statistics(&norm, net->images_n, c->z, shift, slope, spread, net->scratch);
    const double of_mean = distance(channels, shift, mean), of_variance = distance(channels, spread, variance);
    for (int k = 0; k < channels; k++) {
        const double batch = (double)shift[k], far = (double)spread[k] - (double)variance[k],
                     by_mean = of_mean > 0 ? (batch - (double)mean[k]) / of_mean : 0,
                     by_variance = of_variance > 0 ? 2 * far / of_variance : 0;
        slope[k] = (pg_real)(weight * by_variance / count);
        shift[k] = (pg_real)(weight * (by_mean - by_variance * batch) / count);
    }
    c->pull = work;
    return of_mean + of_variance;
}

double pg_net_match_statistics(pg_net *net, const pg_model *model, double weight, pg_real *work)
{
    double sum = 0;
    for (int i = 0; i < net->layout.layer_count; i++) {
        pg_net_cell *c = &net->cells[i];
        const pg_affine *a = &model->layers[i].affine[PG_PUBLIC];
        if (!follows(c)) continue;
        sum += match_layer(net, c, model->buffers + a->mean, model->buffers + a->var, weight, work);
        work += ARRAYS * (ptrdiff_t)c->norm.channels;
    }
    return weight * sum;
}

void pg_net_statistics_backward(const pg_net *net, pg_net_cell *c)
{
    const int channels = c->norm.channels;
    const size_t pixels = (size_t)net->images_n * (size_t)c->norm.pixels;
    const pg_real *shift = c->pull, *slope = c->pull + channels, *z = c->z;
    pg_real *dz = c->dz;
    for (size_t p = 0; p < pixels; p++, z += channels, dz += channels)
        for (int k = 0; k < channels; k++) dz[k] += shift[k] + slope[k] * z[k];
    c->pull = NULL;
}
