/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Per-layer speed of the convolutions; see bench_layers.h. */
#include "experiments/commands/bench_layers.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/compute/conv.h"
#include "experiments/commands/bench_peak.h"

#include <stdio.h>

typedef struct times {
    double forward, backward;
} times;

static pg_status time_layer(const pg_conv *conv, int batch, int steps, bool first, times *best, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_conv_shape *s = &conv->shape;
    const size_t in = (size_t)batch * (size_t)(s->height * s->width * s->channels);
    const size_t out = (size_t)batch * (size_t)(conv->out_height * conv->out_width * s->filters);
    const size_t weights = (size_t)(s->kernel * s->kernel * s->channels * s->filters);
    pg_real *x = NULL, *dx = NULL, *y = NULL, *w = NULL, *dw = NULL, *scratch = NULL;
    PG_TRY(pg_alloc(in, sizeof *x, &x, err));
    PG_TRY(pg_alloc(in, sizeof *dx, &dx, err));
    PG_TRY(pg_alloc(out, sizeof *y, &y, err));
    PG_TRY(pg_alloc(weights, sizeof *w, &w, err));
    PG_TRY(pg_alloc(weights, sizeof *dw, &dw, err));
    PG_TRY(pg_alloc(pg_conv_scratch(conv, batch), sizeof *scratch, &scratch, err));
    for (size_t i = 0; i < in; i++) x[i] = (pg_real)0.5;
    for (size_t i = 0; i < weights; i++) w[i] = (pg_real)0.25;
    for (int i = -1; i < steps; i++) { /* step -1 warms up */
        const double start = pg_now();
        pg_conv_forward(conv, batch, x, w, y, scratch);
        const double middle = pg_now();
        pg_conv_backward(conv, batch, x, w, &(pg_conv_grads){.dy = y, .dx = first ? NULL : dx, .dw = dw}, scratch);
        const times now = {middle - start, pg_now() - middle};
        if (i <= 0 || now.forward < best->forward) best->forward = now.forward;
        if (i <= 0 || now.backward < best->backward) best->backward = now.backward;
    }
done:
    pg_free(x);
    pg_free(dx);
    pg_free(y);
    pg_free(w);
    pg_free(dw);
    pg_free(scratch);
    return status;
}

pg_status pg_bench_layers(const pg_model *model, int batch, int steps, pg_conv_choice choice, pg_error *err)
{
    pg_status status = PG_OK;
    double peak;
    PG_TRY(pg_product_speed(steps, &peak, err));
    printf("blas_gflops: %.1f\n", peak);
    for (int i = 0; i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        if (l->row.kind != PG_ROW_CONV) continue;
        const pg_conv_shape shape = {l->in_height,  l->in_width,   l->in_channels, l->out_channels,
                                     l->row.kernel, l->row.stride, l->row.pad,     l->in_channels / l->depth};
        const bool first = l->row.input == PG_IMAGES;
        pg_conv conv;
        times t = {0};
        PG_TRY(pg_conv_plan(&conv, &shape, choice, err));
        PG_TRY(time_layer(&conv, batch, steps, first, &t, err));
        const double pass = 2e-9 * batch * pg_layer_macs(l);
        const double speed = pass * (first ? 2 : 3) / (t.forward + t.backward);
        printf(
            "layer_%s: %d->%d %dx%d kernel %d stride %d %s forward %.2f ms backward %.2f ms %.1f GFLOPS %.2f of blas_gflops\n",
            l->row.name, shape.channels, shape.filters, shape.height, shape.width, shape.kernel, shape.stride,
            conv.algorithm->name, 1e3 * t.forward, 1e3 * t.backward, speed, speed / peak);
    }
done:
    return status;
}
