/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normalisation backward; see norm.h.
 *
 * With g = dy where every ReLU between the affine and y let its input through, else 0, and means over a set:
 *
 *   dbeta += sum of g     dgamma += sum of g xhat
 *   dx = inv_std (gamma g - xhat mean(gamma g xhat) - mean(gamma g))
 *
 * For each image and channel, dx is linear in g and x, so one pass over the pixels computes it. */
#include "core/base/minmax.h"
#include "core/compute/norm_internal.h"
#include "core/compute/parallel.h"

#include <math.h>
#include <string.h>

typedef struct job {
    const pg_norm *norm;
    const pg_norm_pass *pass;
    const pg_norm_grads *grads;
    double *sum_g, *sum_gx;          /* [N,C]: over the pixels of an image, of g and g xhat */
    double *mean_g, *mean_gx;        /* [sets]: of gamma g and gamma g xhat */
    pg_real *of_g, *of_x, *constant; /* [N,C]: dx = of_g g + of_x x + constant */
} job;

/* g [block]: the gradient of some channels of one pixel, which begin at element `at` of y. */
static inline void open_gradient(const job *j, ptrdiff_t at, int block, pg_real *g)
{
    const pg_norm *norm = j->norm;
    const pg_real *y = j->pass->y + at, *dy = j->grads->dy + at;
    const bool none = !norm->relu && !norm->residual;
    for (int c = 0; c < block; c++) g[c] = none || y[c] > 0 ? dy[c] : 0;
    if (!norm->residual || !norm->relu) return;
    const uint8_t *open = j->pass->decisions + at;
    for (int c = 0; c < block; c++) g[c] = open[c] ? g[c] : 0;
}

/* g, x [block] of pixel p of y: the gradient, and the x that y came from. The image begins at element `image` of x. */
static inline void gradient_and_input(const job *j, ptrdiff_t image, int p, int from, int block, pg_real *g, pg_real *x)
{
    const pg_norm *norm = j->norm;
    const bool pooled = norm->pool_width > 0;
    const ptrdiff_t at = (pooled ? image / 4 : image) + (ptrdiff_t)p * norm->channels + from;
    const pg_real *in = pooled ? j->pass->x + image + pool_corner(norm, p) + from : j->pass->x + at;
    open_gradient(j, at, block, g);
    for (int c = 0; c < block; c++) x[c] = in[c];
    if (!pooled) return;
    int32_t winner[CHANNEL_BLOCK];
    for (int c = 0; c < block; c++) winner[c] = j->pass->decisions[at + c];
    for (int tap = 1; tap < 4; tap++) {
        const pg_real *other = in + pool_tap(norm, tap);
        for (int c = 0; c < block; c++) x[c] = winner[c] == tap ? other[c] : x[c];
    }
}

/* sum_g, sum_gx of `block` channels of one image x [H,W,C]; dy, y [H,W,C] or pooled. */
static inline __attribute__((always_inline)) void sum_channels(const job *j, int image, int from, int block)
{
    const pg_norm *norm = j->norm;
    const int pixels = norm->pool_width ? norm->pixels / 4 : norm->pixels;
    const bool none = norm->kind == PG_NORM_NONE;
    double sum_g[CHANNEL_BLOCK] = {0}, sum_gx[CHANNEL_BLOCK] = {0};
    pg_real mean[CHANNEL_BLOCK] = {0}, inv_std[CHANNEL_BLOCK], g[CHANNEL_BLOCK], x[CHANNEL_BLOCK];
    for (int c = 0; c < block; c++) {
        mean[c] = none ? 0 : j->pass->mean[set_of(norm, image, from + c)];
        inv_std[c] = none ? 1 : j->pass->inv_std[set_of(norm, image, from + c)];
    }
    for (int p = 0; p < pixels; p += RUN) {
        pg_real run_g[CHANNEL_BLOCK] = {0}, run_gx[CHANNEL_BLOCK] = {0};
        for (int q = p; q < pg_min(p + RUN, pixels); q++) {
            gradient_and_input(j, image_at(norm, image), q, from, block, g, x);
            for (int c = 0; c < block; c++) {
                run_g[c] += g[c];
                run_gx[c] += g[c] * ((x[c] - mean[c]) * inv_std[c]);
            }
        }
        for (int c = 0; c < block; c++) {
            sum_g[c] += (double)run_g[c];
            sum_gx[c] += (double)run_gx[c];
        }
    }
    const ptrdiff_t row = (ptrdiff_t)image * norm->channels + from;
    memcpy(j->sum_g + row, sum_g, (size_t)block * sizeof *sum_g);
    memcpy(j->sum_gx + row, sum_gx, (size_t)block * sizeof *sum_gx);
}

/* sum_g, sum_gx [C] of one image. A full block has a constant size, so that its sums stay in registers. */
static void sum_image(void *context, int image)
{
    const job *j = context;
    for (int from = 0; from < j->norm->channels; from += CHANNEL_BLOCK) {
        const int block = pg_min(CHANNEL_BLOCK, j->norm->channels - from);
        if (block == CHANNEL_BLOCK)
            sum_channels(j, image, from, CHANNEL_BLOCK);
        else
            sum_channels(j, image, from, block);
    }
}

/* dgamma, dbeta [C]. */
static void add_affine_gradients(const job *j)
{
    const int channels = j->norm->channels;
    for (int c = 0; c < channels; c++) {
        double sum_g = 0, sum_gx = 0;
        for (int i = 0; i < j->pass->n; i++) {
            sum_g += j->sum_g[(ptrdiff_t)i * channels + c];
            sum_gx += j->sum_gx[(ptrdiff_t)i * channels + c];
        }
        if (j->grads->dbeta) j->grads->dbeta[c] += (pg_real)sum_g;
        if (j->grads->dgamma) j->grads->dgamma[c] += (pg_real)sum_gx;
    }
}

/* The sums become those of gamma g and gamma g xhat. */
static void weigh_by_gamma(job *j)
{
    const pg_real *gamma = j->pass->gamma;
    for (int i = 0; gamma && i < j->pass->n; i++)
        for (int c = 0; c < j->norm->channels; c++) {
            j->sum_g[(ptrdiff_t)i * j->norm->channels + c] *= (double)gamma[c];
            j->sum_gx[(ptrdiff_t)i * j->norm->channels + c] *= (double)gamma[c];
        }
}

static void find_coefficients(job *j)
{
    const pg_norm *norm = j->norm;
    const pg_norm_pass *pass = j->pass;
    const bool none = norm->kind == PG_NORM_NONE, fixed = none || norm->fixed;
    if (!fixed) {
        weigh_by_gamma(j);
        pg_norm_set_means(norm, pass->n, j->sum_g, j->mean_g);
        pg_norm_set_means(norm, pass->n, j->sum_gx, j->mean_gx);
    }
    for (int i = 0; i < pass->n; i++)
        for (int c = 0; c < norm->channels; c++) {
            const ptrdiff_t at = (ptrdiff_t)i * norm->channels + c;
            const size_t set = set_of(norm, i, c);
            const double inv_std = none ? 1 : (double)pass->inv_std[set], mean = none ? 0 : (double)pass->mean[set];
            const double term1 = inv_std * (pass->gamma ? (double)pass->gamma[c] : 1); /* times g: through the affine */
            const double term2 = fixed ? 0 : -inv_std * inv_std * j->mean_gx[set]; /* times x - mean: through the variance */
            const double term3 = fixed ? 0 : -inv_std * j->mean_g[set];            /* through the mean */
            j->of_g[at] = (pg_real)term1;
            j->of_x[at] = (pg_real)term2;
            j->constant[at] = (pg_real)fma(-term2, mean, term3); /* explicit: compilers differ in what they fuse */
        }
}

/* dx of one image; dx, x, dy, y [H,W,C]. */
static void input_gradient_image(void *context, int image)
{
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels;
    const bool add = j->grads->add;
    const ptrdiff_t base = image_at(norm, image), row = (ptrdiff_t)image * channels;
    const pg_real *of_g = j->of_g + row, *of_x = j->of_x + row, *constant = j->constant + row;
    for (int p = 0; p < norm->pixels; p++)
        for (int from = 0; from < channels; from += CHANNEL_BLOCK) {
            const int block = pg_min(CHANNEL_BLOCK, channels - from);
            const ptrdiff_t at = base + (ptrdiff_t)p * channels + from;
            const pg_real *x = j->pass->x + at;
            pg_real *dx = j->grads->dx + at, g[CHANNEL_BLOCK];
            open_gradient(j, at, block, g);
            for (int c = 0; c < block; c++) {
                const pg_real d = of_g[from + c] * g[c] + (of_x[from + c] * x[c] + constant[from + c]);
                dx[c] = add ? dx[c] + d : d;
            }
        }
}

/* dx of one image with a pool: g goes to the pixel that won. dx, x [H,W,C]; dy, y, decisions [H/2,W/2,C]. */
static void pooled_input_gradient_image(void *context, int image)
{
    const job *j = context;
    const pg_norm *norm = j->norm;
    const pg_norm_pass *pass = j->pass;
    const int channels = norm->channels;
    const bool add = j->grads->add;
    const ptrdiff_t base = image_at(norm, image), row = (ptrdiff_t)image * channels;
    for (int p = 0; p < norm->pixels / 4; p++)
        for (int from = 0; from < channels; from += CHANNEL_BLOCK) {
            const int block = pg_min(CHANNEL_BLOCK, channels - from);
            const ptrdiff_t at = base / 4 + (ptrdiff_t)p * channels + from, corner = base + pool_corner(norm, p) + from;
            const pg_real *y = pass->y + at, *dy = j->grads->dy + at;
            const pg_real *of_g = j->of_g + row + from, *of_x = j->of_x + row + from, *constant = j->constant + row + from;
            pg_real term1[CHANNEL_BLOCK];
            int32_t winner[CHANNEL_BLOCK];
            for (int c = 0; c < block; c++) term1[c] = !norm->relu || y[c] > 0 ? of_g[c] * dy[c] : 0;
            for (int c = 0; c < block; c++) winner[c] = pass->decisions[at + c];
            for (int tap = 0; tap < 4; tap++) {
                const pg_real *x = pass->x + corner + pool_tap(norm, tap);
                pg_real *dx = j->grads->dx + corner + pool_tap(norm, tap);
                for (int c = 0; c < block; c++) {
                    const pg_real d = (winner[c] == tap ? term1[c] : 0) + (of_x[c] * x[c] + constant[c]);
                    dx[c] = add ? dx[c] + d : d;
                }
            }
        }
}

void pg_norm_backward(const pg_norm *norm, const pg_norm_pass *pass, const pg_norm_grads *grads)
{
    const size_t cells = (size_t)pass->n * (size_t)norm->channels;
    double *const sums = (double *)(void *)pass->scratch;
    pg_real *const coefficients = (pg_real *)(void *)(sums + 4 * cells);
    job j = {.norm = norm,
             .pass = pass,
             .grads = grads,
             .sum_g = sums,
             .sum_gx = sums + cells,
             .mean_g = sums + 2 * cells,
             .mean_gx = sums + 3 * cells,
             .of_g = coefficients,
             .of_x = coefficients + cells,
             .constant = coefficients + 2 * cells};
    pg_parallel(pass->n, sum_image, &j);
    add_affine_gradients(&j);
    if (!grads->dx) return;
    find_coefficients(&j);
    pg_parallel(pass->n, norm->pool_width ? pooled_input_gradient_image : input_gradient_image, &j);
}
