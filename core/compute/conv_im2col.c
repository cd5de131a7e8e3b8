/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolution by im2col and one matrix product per block of images.
 *
 * A block of images becomes a matrix of columns [pixels, R R C]. Forward multiplies it by w [R R C, K]; dw is its transpose
 * times dy; dx is dy w', scattered back. Blocks are independent except in dw, which is the sum of SHARDS partial sums: each
 * runs over its own blocks in order, and they are added in order at the end. */
#include "core/base/minmax.h"
#include "core/compute/blas.h"
#include "core/compute/conv.h"
#include "core/compute/kernels.h"
#include "core/compute/parallel.h"

#include <string.h>

enum { SHARDS = 4, BLOCK_PIXELS = 256 };

typedef struct job {
    const pg_conv *conv;
    int n, block, blocks, pixels, taps; /* images; images per block; blocks; output pixels of an image; R R C */
    const pg_real *x, *w;
    pg_real *y;
    const pg_conv_grads *grads;
    pg_real *columns, *sums; /* per thread; per shard */
    pg_real *turned;         /* w', [K, R R C] */
    size_t columns_size;
} job;

static int images_per_block(const pg_conv *conv)
{
    const int pixels = conv->out_height * conv->out_width;
    return pixels >= BLOCK_PIXELS ? 1 : (BLOCK_PIXELS + pixels - 1) / pixels;
}

static size_t weight_count(const pg_conv *c)
{
    return (size_t)(c->shape.kernel * c->shape.kernel * c->shape.channels) * (size_t)c->shape.filters;
}

static job plan(const pg_conv *conv, int n, pg_real *scratch)
{
    job j = {.conv = conv,
             .n = n,
             .block = images_per_block(conv),
             .pixels = conv->out_height * conv->out_width,
             .taps = conv->shape.kernel * conv->shape.kernel * conv->shape.channels};
    j.blocks = (n + j.block - 1) / j.block;
    j.columns_size = ((size_t)j.block * (size_t)j.pixels * (size_t)j.taps + 31) / 16 * 16;
    j.columns = scratch;
    j.sums = scratch ? scratch + (size_t)pg_compute_threads() * j.columns_size : NULL;
    j.turned = j.sums; /* when dw is complete */
    return j;
}

static size_t scratch_size(const pg_conv *conv, int batch)
{
    const job j = plan(conv, batch, NULL);
    return (size_t)pg_compute_threads() * j.columns_size + SHARDS * weight_count(conv);
}

static int block_images(const job *j, int block)
{
    return pg_min(j->block, j->n - block * j->block);
}

static ptrdiff_t image_size(const pg_conv *c)
{
    return (ptrdiff_t)c->shape.height * c->shape.width * c->shape.channels;
}

/* A row of taps, kernel row i of output pixel (oy, ox), is contiguous in the image as far as it lies inside. */

static void gather(pg_real *column, pg_real *image, size_t count)
{
    memcpy(column, image, count * sizeof *column);
}

static void scatter(pg_real *column, pg_real *image, size_t count)
{
    for (size_t i = 0; i < count; i++) image[i] += column[i];
}

/* Walk the columns of one image: gather them from it, with zeros in the padding, or scatter them back into it. */
static inline void walk_image(const pg_conv *c, pg_real *image, pg_real *columns, bool gathering)
{
    const pg_conv_shape *s = &c->shape;
    const int row = s->kernel * s->channels;
    for (int oy = 0; oy < c->out_height; oy++)
        for (int ox = 0; ox < c->out_width; ox++)
            for (int i = 0; i < s->kernel; i++, columns += row) {
                const int y = oy * s->stride + i - s->pad, x = ox * s->stride - s->pad;
                const int from = x < 0 ? -x : 0, to = x + s->kernel > s->width ? s->width - x : s->kernel;
                const bool outside = y < 0 || y >= s->height || from >= to;
                if (gathering && (outside || from > 0 || to < s->kernel)) memset(columns, 0, (size_t)row * sizeof *columns);
                if (outside) continue;
                pg_real *at = image + ((ptrdiff_t)y * s->width + x + from) * s->channels;
                const size_t count = (size_t)(to - from) * (size_t)s->channels;
                if (gathering)
                    gather(columns + from * s->channels, at, count);
                else
                    scatter(columns + from * s->channels, at, count);
            }
}

static bool is_plain(const pg_conv *c)
{
    return c->shape.kernel == 1 && c->shape.stride == 1 && c->shape.pad == 0;
}

static pg_real *thread_columns(const job *j)
{
    return j->columns + (size_t)pg_compute_thread() * j->columns_size;
}

/* The columns of a block of images. Those of a 1x1 convolution are the images themselves. */
static const pg_real *block_columns(const job *j, int block)
{
    const pg_real *x = j->x + (ptrdiff_t)block * j->block * image_size(j->conv);
    if (is_plain(j->conv)) return x;
    pg_real *columns = thread_columns(j);
    for (int i = 0; i < block_images(j, block); i++)
        walk_image(j->conv, (pg_real *)x + i * image_size(j->conv), columns + (ptrdiff_t)i * j->pixels * j->taps, true);
    return columns;
}

static void forward_block(void *context, int block)
{
    const job *j = context;
    const int k = j->conv->shape.filters, rows = block_images(j, block) * j->pixels;
    pg_gemm(false, false, rows, k, j->taps, block_columns(j, block), j->taps, j->w, k, false,
            j->y + (ptrdiff_t)block * j->block * j->pixels * k, k);
}

static void forward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, pg_real *y, pg_real *scratch)
{
    job j = plan(conv, n, scratch);
    j.x = x;
    j.w = w;
    j.y = y;
    pg_parallel(j.blocks, forward_block, &j);
}

/* Row k of w'. */
static void turn_row(void *context, int k)
{
    const job *j = context;
    for (int tap = 0; tap < j->taps; tap++)
        j->turned[(ptrdiff_t)k * j->taps + tap] = j->w[(ptrdiff_t)tap * j->conv->shape.filters + k];
}

static void images_block(void *context, int block)
{
    const job *j = context;
    const int k = j->conv->shape.filters, images = block_images(j, block);
    const pg_real *dy = j->grads->dy + (ptrdiff_t)block * j->block * j->pixels * k;
    pg_real *dx = j->grads->dx + (ptrdiff_t)block * j->block * image_size(j->conv);
    pg_real *columns = is_plain(j->conv) ? dx : thread_columns(j);
    pg_gemm(false, false, images * j->pixels, j->taps, k, dy, k, j->turned, j->taps, j->grads->add && is_plain(j->conv),
            columns, j->taps);
    if (is_plain(j->conv)) return;
    if (!j->grads->add) memset(dx, 0, (size_t)(images * image_size(j->conv)) * sizeof *dx);
    for (int i = 0; i < images; i++)
        walk_image(j->conv, dx + i * image_size(j->conv), columns + (ptrdiff_t)i * j->pixels * j->taps, false);
}

static void weights_shard(void *context, int shard)
{
    const job *j = context;
    const int k = j->conv->shape.filters;
    pg_real *sum = j->sums + (size_t)shard * weight_count(j->conv);
    const int from = (int)((long)shard * j->blocks / SHARDS), to = (int)((long)(shard + 1) * j->blocks / SHARDS);
    if (from == to) memset(sum, 0, weight_count(j->conv) * sizeof *sum);
    for (int block = from; block < to; block++)
        pg_gemm(true, false, j->taps, k, block_images(j, block) * j->pixels, block_columns(j, block), j->taps,
                j->grads->dy + (ptrdiff_t)block * j->block * j->pixels * k, k, block > from, sum, k);
}

static void backward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, const pg_conv_grads *grads,
                     pg_real *scratch)
{
    job j = plan(conv, n, scratch);
    j.x = x;
    j.w = w;
    j.grads = grads;
    if (grads->dw) {
        pg_parallel(SHARDS, weights_shard, &j);
        for (int s = 0; s < SHARDS; s++) pg_accumulate(weight_count(conv), j.sums + (size_t)s * weight_count(conv), grads->dw);
    }
    if (!grads->dx) return;
    pg_parallel(conv->shape.filters, turn_row, &j);
    pg_parallel(j.blocks, images_block, &j);
}

const pg_conv_algorithm pg_conv_im2col = {.name = "im2col", .scratch = scratch_size, .forward = forward, .backward = backward};
