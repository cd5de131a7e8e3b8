/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolution in groups, tap by tap without a matrix product: the groups are too small for one. In a depthwise convolution each
 * tap multiplies two rows of channels elementwise.
 *
 * Images are independent except in dw, which is the sum of SHARDS partial sums: each runs over its own images in order, and
 * they are added in order at the end. */
#include "core/compute/conv.h"
#include "core/compute/kernels.h"
#include "core/compute/parallel.h"

#include <string.h>

enum { SHARDS = 8 };

typedef struct job {
    const pg_conv *conv;
    int n;
    const pg_real *x, *w;
    pg_real *y;
    const pg_conv_grads *grads;
    pg_real *sums; /* per shard */
} job;

/* The arrays of one tap: x [C] of the pixel under it, w [C/G,K] of the tap, y [K] of the output pixel. */
typedef void multiply(const pg_conv_shape *s, pg_real *x, pg_real *w, pg_real *y);

static bool is_depthwise(const pg_conv_shape *s)
{
    return s->groups == s->channels && s->groups == s->filters;
}

static inline void add_products(int count, const pg_real *restrict a, const pg_real *restrict b, pg_real *restrict to)
{
    for (int i = 0; i < count; i++) to[i] += a[i] * b[i];
}

static inline void add_multiple(int count, pg_real factor, const pg_real *restrict a, pg_real *restrict to)
{
    for (int i = 0; i < count; i++) to[i] += factor * a[i];
}

static inline pg_real dot(int count, const pg_real *a, const pg_real *b)
{
    pg_real sum = 0;
    for (int i = 0; i < count; i++) sum += a[i] * b[i];
    return sum;
}

static inline void tap_forward(const pg_conv_shape *s, pg_real *x, pg_real *w, pg_real *y)
{
    const int depth = s->channels / s->groups, filters = s->filters / s->groups;
    if (is_depthwise(s)) {
        add_products(s->channels, x, w, y);
        return;
    }
    for (int c = 0; c < depth; c++)
        for (int g = 0; g < s->groups; g++)
            add_multiple(filters, x[g * depth + c], w + c * s->filters + g * filters, y + g * filters);
}

static inline void tap_images(const pg_conv_shape *s, pg_real *dx, pg_real *w, pg_real *dy)
{
    const int depth = s->channels / s->groups, filters = s->filters / s->groups;
    if (is_depthwise(s)) {
        add_products(s->channels, dy, w, dx);
        return;
    }
    for (int c = 0; c < depth; c++)
        for (int g = 0; g < s->groups; g++)
            dx[g * depth + c] += dot(filters, w + c * s->filters + g * filters, dy + g * filters);
}

static inline void tap_weights(const pg_conv_shape *s, pg_real *x, pg_real *dw, pg_real *dy)
{
    const int depth = s->channels / s->groups, filters = s->filters / s->groups;
    if (is_depthwise(s)) {
        add_products(s->channels, x, dy, dw);
        return;
    }
    for (int c = 0; c < depth; c++)
        for (int g = 0; g < s->groups; g++)
            add_multiple(filters, x[g * depth + c], dy + g * filters, dw + c * s->filters + g * filters);
}

/* Visit every tap inside of one image. */
static inline void walk_image(const pg_conv *c, multiply *visit, pg_real *x, pg_real *w, pg_real *y)
{
    const pg_conv_shape *s = &c->shape;
    const ptrdiff_t tap_size = (ptrdiff_t)(s->channels / s->groups) * s->filters;
    for (int oy = 0; oy < c->out_height; oy++)
        for (int ox = 0; ox < c->out_width; ox++, y += s->filters)
            for (int tap = 0; tap < s->kernel * s->kernel; tap++) {
                const int up = oy * s->stride + tap / s->kernel - s->pad, left = ox * s->stride + tap % s->kernel - s->pad;
                if (up < 0 || up >= s->height || left < 0 || left >= s->width) continue;
                visit(s, x + ((ptrdiff_t)up * s->width + left) * s->channels, w + tap * tap_size, y);
            }
}

static size_t input_size(const pg_conv *c)
{
    return (size_t)c->shape.height * (size_t)c->shape.width * (size_t)c->shape.channels;
}

static size_t output_size(const pg_conv *c)
{
    return (size_t)c->out_height * (size_t)c->out_width * (size_t)c->shape.filters;
}

static size_t weight_count(const pg_conv *c)
{
    return (size_t)(c->shape.kernel * c->shape.kernel * (c->shape.channels / c->shape.groups)) * (size_t)c->shape.filters;
}

static void forward_image(void *context, int image)
{
    const job *j = context;
    pg_real *y = j->y + (size_t)image * output_size(j->conv);
    memset(y, 0, output_size(j->conv) * sizeof *y);
    walk_image(j->conv, tap_forward, (pg_real *)j->x + (size_t)image * input_size(j->conv), (pg_real *)j->w, y);
}

static void images_image(void *context, int image)
{
    const job *j = context;
    pg_real *dx = j->grads->dx + (size_t)image * input_size(j->conv);
    if (!j->grads->add) memset(dx, 0, input_size(j->conv) * sizeof *dx);
    walk_image(j->conv, tap_images, dx, (pg_real *)j->w, (pg_real *)j->grads->dy + (size_t)image * output_size(j->conv));
}

static void weights_shard(void *context, int shard)
{
    const job *j = context;
    pg_real *sum = j->sums + (size_t)shard * weight_count(j->conv);
    const int from = (int)((long)shard * j->n / SHARDS), to = (int)((long)(shard + 1) * j->n / SHARDS);
    memset(sum, 0, weight_count(j->conv) * sizeof *sum);
    for (int i = from; i < to; i++)
        walk_image(j->conv, tap_weights, (pg_real *)j->x + (size_t)i * input_size(j->conv), sum,
                   (pg_real *)j->grads->dy + (size_t)i * output_size(j->conv));
}

static size_t scratch_size(const pg_conv *conv, int batch)
{
    (void)batch;
    return SHARDS * weight_count(conv);
}

static void forward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, pg_real *y, pg_real *scratch)
{
    (void)scratch;
    pg_parallel(n, forward_image, &(job){.conv = conv, .n = n, .x = x, .w = w, .y = y});
}

static void backward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, const pg_conv_grads *grads,
                     pg_real *scratch)
{
    job j = {.conv = conv, .n = n, .x = x, .w = w, .grads = grads, .sums = scratch};
    if (grads->dw) {
        pg_parallel(SHARDS, weights_shard, &j);
        for (int s = 0; s < SHARDS; s++) pg_accumulate(weight_count(conv), j.sums + (size_t)s * weight_count(conv), grads->dw);
    }
    if (grads->dx) pg_parallel(n, images_image, &j);
}

const pg_conv_algorithm pg_conv_grouped = {
    .name = "grouped", .scratch = scratch_size, .forward = forward, .backward = backward};
