/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolution by its definition, with every sum in double: slow, and as exact as pg_real can hold. The tests compare the fast
 * algorithms with it. */
#include "core/base/minmax.h"
#include "core/compute/conv.h"
#include "core/compute/parallel.h"

#include <string.h>

enum { FILTER_BLOCK = 64 }; /* filters summed at a time */

typedef struct job {
    const pg_conv *conv;
    int n;
    const pg_real *x, *w;
    pg_real *y;
    const pg_conv_grads *grads;
} job;

/* The pixel of x under tap (i, j) of output pixel (oy, ox), as an index without channels; -1 in the padding. */
static ptrdiff_t pixel_under(const pg_conv *c, int image, int oy, int ox, int i, int j)
{
    const pg_conv_shape *s = &c->shape;
    const int y = oy * s->stride + i - s->pad, x = ox * s->stride + j - s->pad;
    if (y < 0 || y >= s->height || x < 0 || x >= s->width) return -1;
    return ((ptrdiff_t)image * s->height + y) * s->width + x;
}

static ptrdiff_t output_pixel(const pg_conv *c, int image, int oy, int ox)
{
    return ((ptrdiff_t)image * c->out_height + oy) * c->out_width + ox;
}

/* y of one output pixel, `block` filters. */
static void forward_pixel(const job *j, int image, int oy, int ox, int from, int block)
{
    const pg_conv_shape *s = &j->conv->shape;
    double sum[FILTER_BLOCK] = {0};
    for (int tap = 0; tap < s->kernel * s->kernel; tap++) {
        const ptrdiff_t at = pixel_under(j->conv, image, oy, ox, tap / s->kernel, tap % s->kernel);
        for (int c = 0; at >= 0 && c < s->channels; c++) {
            const double v = (double)j->x[at * s->channels + c];
            const pg_real *w = j->w + ((ptrdiff_t)tap * s->channels + c) * s->filters + from;
            for (int k = 0; k < block; k++) sum[k] += v * (double)w[k];
        }
    }
    pg_real *y = j->y + output_pixel(j->conv, image, oy, ox) * s->filters + from;
    for (int k = 0; k < block; k++) y[k] = (pg_real)sum[k];
}

static void forward_image(void *context, int image)
{
    const job *j = context;
    const int filters = j->conv->shape.filters;
    for (int oy = 0; oy < j->conv->out_height; oy++)
        for (int ox = 0; ox < j->conv->out_width; ox++)
            for (int k = 0; k < filters; k += FILTER_BLOCK)
                forward_pixel(j, image, oy, ox, k, pg_min(FILTER_BLOCK, filters - k));
}

static double dot(int count, const pg_real *a, const pg_real *b)
{
    enum { PARTS = 16 };
    double part[PARTS] = {0}, sum = 0;
    int i = 0;
    for (; i + PARTS <= count; i += PARTS)
        for (int l = 0; l < PARTS; l++) part[l] += (double)a[i + l] * (double)b[i + l];
    for (; i < count; i++) sum += (double)a[i] * (double)b[i];
    for (int l = 0; l < PARTS; l++) sum += part[l];
    return sum;
}

/* dx [C] of one pixel: the sum over the taps that connect it to an output pixel. */
static void images_pixel(const job *j, int image, int y, int x)
{
    const pg_conv *conv = j->conv;
    const pg_conv_shape *s = &conv->shape;
    pg_real *dx = j->grads->dx + (((ptrdiff_t)image * s->height + y) * s->width + x) * s->channels;
    for (int c = 0; c < s->channels; c++) {
        double sum = 0;
        for (int tap = 0; tap < s->kernel * s->kernel; tap++) {
            const int up = y + s->pad - tap / s->kernel, left = x + s->pad - tap % s->kernel;
            if (up < 0 || left < 0 || up % s->stride || left % s->stride) continue;
            if (up / s->stride >= conv->out_height || left / s->stride >= conv->out_width) continue;
            const pg_real *dy = j->grads->dy + output_pixel(conv, image, up / s->stride, left / s->stride) * s->filters;
            const pg_real *w = j->w + ((ptrdiff_t)tap * s->channels + c) * s->filters;
            sum += dot(s->filters, dy, w);
        }
        dx[c] = (pg_real)(j->grads->add ? (double)dx[c] + sum : sum);
    }
}

static void images_image(void *context, int image)
{
    const job *j = context;
    for (int y = 0; y < j->conv->shape.height; y++)
        for (int x = 0; x < j->conv->shape.width; x++) images_pixel(j, image, y, x);
}

/* dw [K] of one tap and channel. */
static void weights_row(void *context, int row)
{
    const job *j = context;
    const pg_conv *conv = j->conv;
    const pg_conv_shape *s = &conv->shape;
    const int tap = row / s->channels, c = row % s->channels;
    for (int from = 0; from < s->filters; from += FILTER_BLOCK) {
        const int block = pg_min(FILTER_BLOCK, s->filters - from);
        double sum[FILTER_BLOCK] = {0};
        for (int pixel = 0; pixel < j->n * conv->out_height * conv->out_width; pixel++) {
            const int ox = pixel % conv->out_width, oy = pixel / conv->out_width % conv->out_height;
            const int image = pixel / conv->out_width / conv->out_height;
            const ptrdiff_t at = pixel_under(conv, image, oy, ox, tap / s->kernel, tap % s->kernel);
            if (at < 0) continue;
            const double v = (double)j->x[at * s->channels + c];
            const pg_real *dy = j->grads->dy + (ptrdiff_t)pixel * s->filters + from;
            for (int k = 0; k < block; k++) sum[k] += v * (double)dy[k];
        }
        pg_real *dw = j->grads->dw + (ptrdiff_t)row * s->filters + from;
        for (int k = 0; k < block; k++) dw[k] = (pg_real)((double)dw[k] + sum[k]);
    }
}

static size_t scratch_size(const pg_conv *conv, int batch)
{
    (void)conv;
    (void)batch;
    return 0;
}

static void forward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, pg_real *y, pg_real *scratch)
{
    (void)scratch;
    pg_parallel(n, forward_image, &(job){.conv = conv, .n = n, .x = x, .w = w, .y = y});
}

static void backward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, const pg_conv_grads *grads,
                     pg_real *scratch)
{
    (void)scratch;
    job j = {.conv = conv, .n = n, .x = x, .w = w, .grads = grads};
    if (grads->dw) pg_parallel(conv->shape.kernel * conv->shape.kernel * conv->shape.channels, weights_row, &j);
    if (grads->dx) pg_parallel(n, images_image, &j);
}

const pg_conv_algorithm pg_conv_direct = {.name = "direct", .scratch = scratch_size, .forward = forward, .backward = backward};
