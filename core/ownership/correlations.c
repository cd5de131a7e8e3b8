/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Correlations of activations: sums of products by matrix multiplication, batch by batch; see correlations.h. */
#include "core/ownership/correlations.h"

#include "core/base/memory.h"
#include "core/compute/blas.h"
#include "core/nets/net.h"
#include "core/nets/spaces.h"

#include <math.h>

enum { BATCH_MAX = 16 };

typedef struct sums {
    int reader; /* the layer whose input is taken */
    int channels[2];
    double positions;
    double *sum[2], *square[2]; /* [channels] */
    pg_real *products;          /* [channels of ours, channels of theirs] */
} sums;

struct pg_correlations {
    int count;
    sums space[PG_ROWS_MAX];
};

static int first_reader(const pg_layout *layout, const pg_spaces *spaces, int space)
{
    int i = 0;
    while (!pg_layer_reads(layout, spaces, i, space)) i++;
    return i;
}

static pg_status open_sums(const pg_model *const model[2], const pg_spaces *spaces, int space, sums *s, pg_error *err)
{
    pg_status status = PG_OK;
    s->reader = first_reader(&model[0]->layout, spaces, space);
    for (int m = 0; m < 2; m++) {
        s->channels[m] = model[m]->layers[s->reader].in_channels;
        PG_TRY(pg_alloc((size_t)s->channels[m], sizeof *s->sum[m], &s->sum[m], err));
        PG_TRY(pg_alloc((size_t)s->channels[m], sizeof *s->square[m], &s->square[m], err));
    }
    PG_TRY(pg_alloc((size_t)s->channels[0] * (size_t)s->channels[1], sizeof *s->products, &s->products, err));
done:
    return status;
}

void pg_correlations_destroy(pg_correlations **correlations)
{
    if (!*correlations) return;
    for (int i = 0; i < (*correlations)->count; i++) {
        sums *s = &(*correlations)->space[i];
        void *const blocks[] = {s->sum[0], s->sum[1], s->square[0], s->square[1], s->products};
        for (int b = 0; b < 5; b++) pg_free(blocks[b]);
    }
    pg_free(*correlations);
    *correlations = NULL;
}

/* Add the activations of n images. */
static void add_batch(sums *s, pg_net *const net[2], const pg_layer *reader, int n)
{
    const int positions = n * reader->in_height * reader->in_width;
    const pg_real *x[2];
    for (int m = 0; m < 2; m++) {
        const pg_real *v = x[m] = pg_net_input(net[m], s->reader);
        for (int p = 0; p < positions; p++)
            for (int c = 0; c < s->channels[m]; c++, v++) {
                s->sum[m][c] += (double)*v;
                s->square[m][c] += (double)*v * (double)*v;
            }
    }
    pg_gemm(true, false, s->channels[0], s->channels[1], positions, x[0], s->channels[0], x[1], s->channels[1], true,
            s->products, s->channels[1]);
    s->positions += positions;
}

pg_status pg_correlations_measure(const pg_model *ours, const pg_model *theirs, const pg_real *images, int count,
                                  pg_correlations **out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_model *const model[] = {ours, theirs};
    pg_net *net[2] = {NULL, NULL};
    pg_correlations *c = NULL;
    pg_spaces spaces;
    const int batch = count < BATCH_MAX ? count : BATCH_MAX;
    const ptrdiff_t size = (ptrdiff_t)ours->spec.image_height * ours->spec.image_width * 3;
    pg_spaces_find(&ours->layout, &spaces);
    PG_TRY(pg_alloc(1, sizeof *c, &c, err));
    c->count = spaces.count;
    for (int s = 0; s < spaces.count; s++) PG_TRY(open_sums(model, &spaces, s, &c->space[s], err));
    for (int m = 0; m < 2; m++) PG_TRY(pg_net_create(&model[m]->spec, batch, true, PG_CONV_AUTO, &net[m], err));
    for (int at = 0; at < count; at += batch) {
        const int n = count - at < batch ? count - at : batch;
        for (int m = 0; m < 2; m++) /* mode EVAL writes nothing to the model */
            pg_net_forward(net[m], (pg_model *)model[m], PG_PUBLIC, PG_EVAL, images + at * size, n);
        for (int s = 0; s < c->count; s++) add_batch(&c->space[s], net, &ours->layers[c->space[s].reader], n);
    }
    *out = c;
    c = NULL;
done:
    for (int m = 0; m < 2; m++) pg_net_destroy(&net[m]);
    pg_correlations_destroy(&c);
    return status;
}

static double deviation(const sums *s, int m, int channel)
{
    const double mean = s->sum[m][channel] / s->positions, variance = s->square[m][channel] / s->positions - mean * mean;
    return variance > 1e-6 * mean * mean ? sqrt(variance) : 0; /* smaller values are rounding errors */
}

void pg_correlations_add(const pg_correlations *correlations, int space, double *score)
{
    const sums *s = &correlations->space[space];
    for (int o = 0; o < s->channels[0]; o++)
        for (int t = 0; t < s->channels[1]; t++) {
            const ptrdiff_t at = (ptrdiff_t)o * s->channels[1] + t;
            const double scale = deviation(s, 0, o) * deviation(s, 1, t), n = s->positions;
            const double covariance = (double)s->products[at] / n - s->sum[0][o] / n * (s->sum[1][t] / n);
            if (scale > 0) score[at] += covariance / scale;
        }
}
