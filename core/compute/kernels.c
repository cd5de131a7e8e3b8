/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small kernels; see kernels.h. */
#include "core/compute/kernels.h"

#include "core/base/minmax.h"
#include "core/compute/blas.h"
#include "core/compute/parallel.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* ---- ranges: elementwise work in parts of a fixed size ---- */

enum { PART = 1 << 15 };

static int parts_of(size_t count)
{
    return (int)((count + PART - 1) / PART);
}

static size_t part_length(size_t count, int part)
{
    const size_t from = (size_t)part * PART;
    return pg_min_size(PART, count - from);
}

/* ---- max pooling ---- */

typedef struct pooling {
    const pg_pool *pool;
    const pg_real *x, *dy;
    pg_real *y, *dx;
    uint8_t *argmax;
    bool add;
} pooling;

static void maxpool_pixel(const pg_pool *p, const pg_real *x, int oy, int ox, pg_real *y, uint8_t *argmax)
{
    const int channels = p->channels;
    for (int c = 0; c < channels; c++) y[c] = -INFINITY;
    if (argmax) memset(argmax, 0, (size_t)channels);
    for (int i = 0; i < p->kernel; i++)
        for (int j = 0; j < p->kernel; j++) {
            const int row = oy * p->stride + i - p->pad, column = ox * p->stride + j - p->pad;
            if (row < 0 || row >= p->height || column < 0 || column >= p->width) continue;
            const pg_real *v = x + ((ptrdiff_t)row * p->width + column) * channels;
            const uint8_t tap = (uint8_t)(i * p->kernel + j);
            if (argmax)
                for (int c = 0; c < channels; c++) argmax[c] = pg_wins(v[c], y[c]) ? tap : argmax[c];
            for (int c = 0; c < channels; c++) y[c] = pg_wins(v[c], y[c]) ? v[c] : y[c];
        }
}

static void maxpool_image(void *context, int image)
{
    const pooling *w = context;
    const pg_pool *p = w->pool;
    const ptrdiff_t in = (ptrdiff_t)p->height * p->width * p->channels,
                    out = (ptrdiff_t)p->out_height * p->out_width * p->channels;
    for (int oy = 0; oy < p->out_height; oy++)
        for (int ox = 0; ox < p->out_width; ox++) {
            const ptrdiff_t at = image * out + ((ptrdiff_t)oy * p->out_width + ox) * p->channels;
            maxpool_pixel(p, w->x + image * in, oy, ox, w->y + at, w->argmax ? w->argmax + at : NULL);
        }
}

void pg_maxpool_forward(const pg_pool *pool, int n, const pg_real *x, pg_real *y, uint8_t *argmax)
{
    pg_parallel(n, maxpool_image, &(pooling){.pool = pool, .x = x, .y = y, .argmax = argmax});
}

static void maxpool_back_image(void *context, int image)
{
    const pooling *w = context;
    const pg_pool *p = w->pool;
    const ptrdiff_t in = (ptrdiff_t)p->height * p->width * p->channels,
                    out = (ptrdiff_t)p->out_height * p->out_width * p->channels;
    pg_real *dx = w->dx + image * in;
    if (!w->add) memset(dx, 0, (size_t)in * sizeof *dx);
    for (int oy = 0; oy < p->out_height; oy++)
        for (int ox = 0; ox < p->out_width; ox++) {
            const ptrdiff_t at = image * out + ((ptrdiff_t)oy * p->out_width + ox) * p->channels;
            for (int c = 0; c < p->channels; c++) {
                const int tap = w->argmax[at + c], row = oy * p->stride + tap / p->kernel - p->pad,
                          column = ox * p->stride + tap % p->kernel - p->pad;
                dx[((ptrdiff_t)row * p->width + column) * p->channels + c] += w->dy[at + c];
            }
        }
}

void pg_maxpool_backward(const pg_pool *pool, int n, const uint8_t *argmax, const pg_real *dy, pg_real *dx, bool add)
{
    pooling w = {.pool = pool, .dy = dy, .dx = dx, .argmax = (uint8_t *)argmax, .add = add};
    pg_parallel(n, maxpool_back_image, &w);
}

/* ---- average pooling ---- */

typedef struct span {
    int from, to;
} span;

static span window(const pg_pool *p, int i, int in, int out)
{
    if (p->stride) return (span){i * p->stride, i * p->stride + p->kernel};
    return (span){i * in / out, ((i + 1) * in + out - 1) / out};
}

static void avgpool_image(void *context, int image)
{
    const pooling *w = context;
    const pg_pool *p = w->pool;
    const int channels = p->channels;
    const pg_real *x = w->x + (ptrdiff_t)image * p->height * p->width * channels;
    pg_real *y = w->y + (ptrdiff_t)image * p->out_height * p->out_width * channels;
    for (int oy = 0; oy < p->out_height; oy++)
        for (int ox = 0; ox < p->out_width; ox++, y += channels) {
            const span rows = window(p, oy, p->height, p->out_height), columns = window(p, ox, p->width, p->out_width);
            const pg_real share = (pg_real)1 / (pg_real)((rows.to - rows.from) * (columns.to - columns.from));
            memset(y, 0, (size_t)channels * sizeof *y);
            for (int r = rows.from; r < rows.to; r++)
                for (int q = columns.from; q < columns.to; q++)
                    for (int c = 0; c < channels; c++) y[c] += x[((ptrdiff_t)r * p->width + q) * channels + c];
            for (int c = 0; c < channels; c++) y[c] *= share;
        }
}

void pg_avgpool_forward(const pg_pool *pool, int n, const pg_real *x, pg_real *y)
{
    pg_parallel(n, avgpool_image, &(pooling){.pool = pool, .x = x, .y = y});
}

static void avgpool_back_image(void *context, int image)
{
    const pooling *w = context;
    const pg_pool *p = w->pool;
    const int channels = p->channels;
    const ptrdiff_t in = (ptrdiff_t)p->height * p->width * channels;
    pg_real *dx = w->dx + image * in;
    const pg_real *dy = w->dy + (ptrdiff_t)image * p->out_height * p->out_width * channels;
    if (!w->add) memset(dx, 0, (size_t)in * sizeof *dx);
    for (int oy = 0; oy < p->out_height; oy++)
        for (int ox = 0; ox < p->out_width; ox++, dy += channels) {
            const span rows = window(p, oy, p->height, p->out_height), columns = window(p, ox, p->width, p->out_width);
            const pg_real share = (pg_real)1 / (pg_real)((rows.to - rows.from) * (columns.to - columns.from));
            for (int r = rows.from; r < rows.to; r++)
                for (int q = columns.from; q < columns.to; q++)
                    for (int c = 0; c < channels; c++) dx[((ptrdiff_t)r * p->width + q) * channels + c] += share * dy[c];
        }
}

void pg_avgpool_backward(const pg_pool *pool, int n, const pg_real *dy, pg_real *dx, bool add)
{
    pg_parallel(n, avgpool_back_image, &(pooling){.pool = pool, .dy = dy, .dx = dx, .add = add});
}

/* ---- elementwise ---- */

typedef struct addition {
    size_t count;
    const pg_real *a, *b;
    pg_real *y;
} addition;

static void add_relu_part(void *context, int part)
{
    const addition *w = context;
    const size_t n = part_length(w->count, part), from = (size_t)part * PART;
    const pg_real *a = w->a + from, *b = w->b + from;
    pg_real *y = w->y + from;
    for (size_t i = 0; i < n; i++) y[i] = pg_rectify(a[i] + b[i]);
}

void pg_add_relu(size_t count, const pg_real *a, const pg_real *b, pg_real *y)
{
    pg_parallel(parts_of(count), add_relu_part, &(addition){.count = count, .a = a, .b = b, .y = y});
}

static void add_part(void *context, int part)
{
    const addition *w = context;
    const size_t n = part_length(w->count, part), from = (size_t)part * PART;
    const pg_real *a = w->a + from, *b = w->b + from;
    pg_real *y = w->y + from;
    for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

void pg_add(size_t count, const pg_real *a, const pg_real *b, pg_real *y)
{
    pg_parallel(parts_of(count), add_part, &(addition){.count = count, .a = a, .b = b, .y = y});
}

typedef struct relu_gradient {
    size_t count;
    const pg_real *y, *dy;
    pg_real *dx;
    bool add;
} relu_gradient;

static void relu_back_part(void *context, int part)
{
    const relu_gradient *w = context;
    const size_t n = part_length(w->count, part), from = (size_t)part * PART;
    const pg_real *y = w->y + from, *dy = w->dy + from;
    pg_real *dx = w->dx + from;
    if (w->add)
        for (size_t i = 0; i < n; i++) dx[i] += y[i] > 0 ? dy[i] : 0;
    else
        for (size_t i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

void pg_relu_backward(size_t count, const pg_real *y, const pg_real *dy, pg_real *dx, bool add)
{
    pg_parallel(parts_of(count), relu_back_part, &(relu_gradient){.count = count, .y = y, .dy = dy, .dx = dx, .add = add});
}

void pg_mask(size_t count, const uint8_t *open, pg_real scale, const pg_real *x, pg_real *y)
{
    for (size_t i = 0; i < count; i++) y[i] = open[i] ? scale * x[i] : 0;
}

void pg_relu(size_t count, pg_real *y)
{
    for (size_t i = 0; i < count; i++) y[i] = pg_rectify(y[i]);
}

static void accumulate_part(void *context, int part)
{
    const addition *w = context;
    const size_t n = part_length(w->count, part), from = (size_t)part * PART;
    const pg_real *x = w->a + from;
    pg_real *y = w->y + from;
    for (size_t i = 0; i < n; i++) y[i] += x[i];
}

void pg_accumulate(size_t count, const pg_real *x, pg_real *y)
{
    pg_parallel(parts_of(count), accumulate_part, &(addition){.count = count, .a = x, .y = y});
}

void pg_zero(size_t count, pg_real *y)
{
    memset(y, 0, count * sizeof *y);
}

bool pg_all_finite(size_t count, const pg_real *x)
{
    bool all = true;
    for (size_t i = 0; i < count; i++) all &= isfinite(x[i]) != 0;
    return all;
}

typedef struct sgd {
    size_t count;
    pg_real *w, *v;
    const pg_real *grad;
    pg_real rate, momentum, decay;
} sgd;

static void sgd_part(void *context, int part)
{
    const sgd *s = context;
    const size_t n = part_length(s->count, part), from = (size_t)part * PART;
    pg_real *w = s->w + from, *v = s->v + from;
    const pg_real *grad = s->grad + from;
    for (size_t i = 0; i < n; i++) {
        v[i] = s->momentum * v[i] + (grad[i] + s->decay * w[i]);
        w[i] -= s->rate * v[i];
    }
}

void pg_sgd_step(size_t count, pg_real *w, pg_real *v, const pg_real *grad, double rate, double momentum, double decay)
{
    pg_parallel(parts_of(count), sgd_part,
                &(sgd){.count = count,
                       .w = w,
                       .v = v,
                       .grad = grad,
                       .rate = (pg_real)rate,
                       .momentum = (pg_real)momentum,
                       .decay = (pg_real)decay});
}

/* ---- dense layer, matrix times vector ---- */

void pg_dense_forward(pg_dense dense, int n, const pg_real *x, const pg_real *w, const pg_real *b, pg_real *y)
{
    const int in = dense.in, out = dense.out;
    for (int i = 0; b && i < n; i++) memcpy(y + (ptrdiff_t)i * out, b, (size_t)out * sizeof *y);
    pg_gemm(false, true, n, out, in, x, in, w, in, b != NULL, y, out);
}

void pg_dense_backward(pg_dense dense, int n, const pg_real *x, const pg_real *w, const pg_real *dy, pg_real *dw, pg_real *db,
                       pg_real *dx, bool add)
{
    const int in = dense.in, out = dense.out;
    if (dw) pg_gemm(true, false, out, in, n, dy, out, x, in, true, dw, in);
    for (int i = 0; db && i < n; i++)
        for (int o = 0; o < out; o++) db[o] += dy[(ptrdiff_t)i * out + o];
    if (dx) pg_gemm(false, false, n, in, out, dy, out, w, in, add, dx, in);
}

/* Columns in a part of a product with two vectors; rows in one of its partial sums; rows in a part of an outer product. */
enum { STRIP = 64, SUM_ROWS = 256, OUTER_ROWS = 64 };

typedef struct pair {
    int rows, columns;
    const pg_real *w, *a[2], *dy[2];
    pg_real *y[2], *dw;
} pair;

static void pair_strip(void *context, int part)
{
    const pair *p = context;
    const int from = part * STRIP, columns = pg_min(STRIP, p->columns - from);
    pg_real sum0[STRIP] = {0}, sum1[STRIP] = {0};
    for (int top = 0; top < p->rows; top += SUM_ROWS) {
        const int end = pg_min(top + SUM_ROWS, p->rows);
        pg_real run0[STRIP] = {0}, run1[STRIP] = {0};
        for (int j = top; j < end; j++) {
            const pg_real *w = p->w + (ptrdiff_t)j * p->columns + from, a0 = p->a[0][j], a1 = p->a[1][j];
            for (int k = 0; k < columns; k++) {
                run0[k] += a0 * w[k];
                run1[k] += a1 * w[k];
            }
        }
        for (int k = 0; k < columns; k++) {
            sum0[k] += run0[k];
            sum1[k] += run1[k];
        }
    }
    memcpy(p->y[0] + from, sum0, (size_t)columns * sizeof *sum0);
    memcpy(p->y[1] + from, sum1, (size_t)columns * sizeof *sum1);
}

void pg_matvec_pair(int rows, int columns, const pg_real *w, const pg_real *a0, const pg_real *a1, pg_real *y0, pg_real *y1)
{
    pair p = {.rows = rows, .columns = columns, .w = w, .a = {a0, a1}, .y = {y0, y1}};
    pg_parallel((columns + STRIP - 1) / STRIP, pair_strip, &p);
}

static void outer_rows(void *context, int part)
{
    const pair *p = context;
    const int from = part * OUTER_ROWS, end = pg_min(from + OUTER_ROWS, p->rows);
    for (int j = from; j < end; j++) {
        pg_real *row = p->dw + (ptrdiff_t)j * p->columns;
        const pg_real a0 = p->a[0][j], a1 = p->a[1][j], *dy0 = p->dy[0], *dy1 = p->dy[1];
        for (int k = 0; k < p->columns; k++) row[k] += a0 * dy0[k] + a1 * dy1[k];
    }
}

void pg_outer_add_pair(int rows, int columns, const pg_real *a0, const pg_real *a1, const pg_real *dy0, const pg_real *dy1,
                       pg_real *dw)
{
    pair p = {.rows = rows, .columns = columns, .a = {a0, a1}, .dy = {dy0, dy1}, .dw = dw};
    pg_parallel((rows + OUTER_ROWS - 1) / OUTER_ROWS, outer_rows, &p);
}

void pg_matvec_backward(int rows, int columns, const pg_real *w, const pg_real *dy, pg_real *da)
{
    pg_gemm(false, true, rows, 1, columns, w, columns, dy, columns, false, da, 1);
}

/* ---- loss ---- */

double pg_cross_entropy(int n, int classes, const pg_real *logits, const int32_t *labels, double smoothing, pg_real *dlogits,
                        int *correct)
{
    double total = 0;
    int hits = 0;
    for (int i = 0; i < n; i++) {
        const pg_real *z = logits + (ptrdiff_t)i * classes;
        int best = 0;
        double sum = 0, mean = 0;
        for (int c = 1; c < classes; c++) best = z[c] > z[best] ? c : best;
        for (int c = 0; c < classes; c++) {
            sum += exp((double)z[c] - (double)z[best]);
            mean += (double)z[c] / classes;
        }
        const double log_sum = (double)z[best] + log(sum),
                     loss = log_sum - (1 - smoothing) * (double)z[labels[i]] - smoothing * mean;
        total += loss;
        hits += best == labels[i] && isfinite(loss);
        for (int c = 0; dlogits && c < classes; c++) {
            const double target = (c == labels[i] ? 1 - smoothing : 0) + smoothing / classes;
            dlogits[(ptrdiff_t)i * classes + c] = (pg_real)((exp((double)z[c] - log_sum) - target) / n);
        }
    }
    if (correct) *correct = hits;
    return total / n;
}
