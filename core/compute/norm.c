/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normalisation forward: statistics, and their application; see norm.h. */
#include "core/compute/norm.h"

#include "core/base/minmax.h"
#include "core/compute/kernels.h"
#include "core/compute/norm_internal.h"
#include "core/compute/parallel.h"

#include <math.h>
#include <string.h>

const char *const pg_norm_names[] = {"bn", "gn", "in", "none", NULL};

const char *pg_norm_kind_name(pg_norm_kind kind)
{
    return pg_norm_names[kind];
}

pg_status pg_norm_kind_parse(const char *name, pg_norm_kind *kind, pg_error *err)
{
    for (int i = 0; pg_norm_names[i]; i++)
        if (strcmp(name, pg_norm_names[i]) == 0) {
            *kind = (pg_norm_kind)i;
            return PG_OK;
        }
    return pg_fail(err, PG_BAD_INPUT, "unknown norm '%s' (known: bn, gn, in, none)", name);
}

size_t pg_norm_sets(const pg_norm *norm, int n)
{
    switch (norm->kind) {
    case PG_NORM_BN: return (size_t)norm->channels;
    case PG_NORM_GN: return (size_t)n * (size_t)norm->groups;
    case PG_NORM_IN: return (size_t)n * (size_t)norm->channels;
    case PG_NORM_NONE: break;
    }
    return 1;
}

size_t pg_norm_scratch(const pg_norm *norm, int n)
{
    const size_t cells = (size_t)n * (size_t)norm->channels; /* backward has four arrays of double and three of pg_real */
    return 4 * cells * (sizeof(double) / sizeof(pg_real)) + 3 * cells;
}

void pg_norm_set_means(const pg_norm *norm, int n, const double *sums, double *means)
{
    const size_t count = pg_norm_sets(norm, n);
    memset(means, 0, count * sizeof *means);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < norm->channels; c++) means[set_of(norm, i, c)] += sums[(ptrdiff_t)i * norm->channels + c];
    const double elements = (double)n * norm->channels * norm->pixels / (double)count;
    for (size_t s = 0; s < count; s++) means[s] /= elements;
}

/* ---- statistics ---- */

typedef struct statistics {
    const pg_norm *norm;
    const pg_real *x;        /* [N,H,W,C] */
    double *sum, *squares;   /* [N,C], over the pixels of an image */
    double *mean, *variance; /* [sets] */
} statistics;

/* sum, squares [C] of one image x [H,W,C]: sums of d and d^2, d = x - origin. A channel's origin is its first value in the
 * image: near enough to the mean that the squares lose nothing. */
static void sum_image(void *context, int image)
{
    const statistics *s = context;
    const pg_norm *norm = s->norm;
    const int channels = norm->channels;
    const pg_real *x = s->x + image_at(norm, image);
    for (int from = 0; from < channels; from += CHANNEL_BLOCK) {
        const int block = pg_min(CHANNEL_BLOCK, channels - from);
        const pg_real *origin = x + from;
        double sum[CHANNEL_BLOCK] = {0}, squares[CHANNEL_BLOCK] = {0};
        for (int p = 0; p < norm->pixels; p += RUN) {
            const int end = pg_min(p + RUN, norm->pixels);
            pg_real run[CHANNEL_BLOCK] = {0}, square_run[CHANNEL_BLOCK] = {0};
            for (int q = p; q < end; q++) {
                const pg_real *v = x + (ptrdiff_t)q * channels + from;
                for (int c = 0; c < block; c++) {
                    const pg_real d = v[c] - origin[c];
                    run[c] += d;
                    square_run[c] += d * d;
                }
            }
            for (int c = 0; c < block; c++) {
                sum[c] += (double)run[c];
                squares[c] += (double)square_run[c];
            }
        }
        const ptrdiff_t row = (ptrdiff_t)image * channels + from;
        memcpy(s->sum + row, sum, (size_t)block * sizeof *sum);
        memcpy(s->squares + row, squares, (size_t)block * sizeof *squares);
    }
}

static double origin_of(const statistics *s, int image, int channel)
{
    return (double)s->x[image_at(s->norm, image) + channel];
}

/* From the sums of x - origin to those of x. */
static void add_origins(statistics *s, int n)
{
    for (int i = 0; i < n; i++)
        for (int c = 0; c < s->norm->channels; c++)
            s->sum[(ptrdiff_t)i * s->norm->channels + c] += s->norm->pixels * origin_of(s, i, c);
}

/* From the sums of (x - origin)^2 to those of (x - mean)^2. */
static void centre_squares(statistics *s, int n)
{
    const double pixels = s->norm->pixels;
    for (int i = 0; i < n; i++)
        for (int c = 0; c < s->norm->channels; c++) {
            const ptrdiff_t at = (ptrdiff_t)i * s->norm->channels + c;
            const double origin = origin_of(s, i, c), shift = s->mean[set_of(s->norm, i, c)] - origin;
            s->squares[at] += shift * (pixels * shift - 2 * (s->sum[at] - pixels * origin));
        }
}

void pg_norm_statistics(const pg_norm *norm, int n, const pg_real *x, pg_real *mean, pg_real *inv_std, pg_real *variance,
                        pg_real *scratch)
{
    if (norm->kind == PG_NORM_NONE) return;
    const size_t cells = (size_t)n * (size_t)norm->channels;
    double *const sums = (double *)(void *)scratch;
    statistics s = {norm, x, sums, sums + cells, sums + 2 * cells, sums + 3 * cells};
    pg_parallel(n, sum_image, &s);
    add_origins(&s, n);
    pg_norm_set_means(norm, n, s.sum, s.mean);
    centre_squares(&s, n);
    pg_norm_set_means(norm, n, s.squares, s.variance);
    for (size_t i = 0; i < pg_norm_sets(norm, n); i++) {
        const double spread = s.variance[i] <= 0 ? 0 : s.variance[i];
        mean[i] = (pg_real)s.mean[i];
        inv_std[i] =
            (pg_real)(isfinite(spread) ? 1 / sqrt(spread + (double)norm->eps) : NAN); /* NaN stays visible; 0 would hide it */
        if (variance) variance[i] = (pg_real)spread;
    }
}

/* ---- apply ---- */

/* gamma xhat + beta = scale (x - centre) + shift. Subtracting the mean first keeps values near zero exact. */
typedef struct application {
    const pg_norm *norm;
    const pg_norm_pass *pass;
    pg_real *scale, *centre, *shift; /* [N,C]: gamma inv_std, mean, beta */
} application;

/* y = act(gamma xhat + beta) of one image; y, x [H,W,C]. */
static void apply_image(void *context, int image)
{
    const application *a = context;
    const pg_norm *norm = a->norm;
    const int channels = norm->channels;
    const ptrdiff_t row = (ptrdiff_t)image * channels;
    const pg_real *x = a->pass->x + image_at(norm, image);
    const pg_real *scale = a->scale + row, *centre = a->centre + row, *shift = a->shift + row;
    pg_real *y = a->pass->y + image_at(norm, image);
    for (int p = 0; p < norm->pixels; p++, x += channels, y += channels) {
        if (norm->relu)
            for (int c = 0; c < channels; c++) y[c] = pg_rectify(scale[c] * (x[c] - centre[c]) + shift[c]);
        else
            for (int c = 0; c < channels; c++) y[c] = scale[c] * (x[c] - centre[c]) + shift[c];
    }
}

/* y = relu(act(gamma xhat + beta) + plus) of one image; y, x, plus, decisions [H,W,C]. */
static void apply_residual_image(void *context, int image)
{
    const application *a = context;
    const pg_norm *norm = a->norm;
    const pg_norm_pass *pass = a->pass;
    const int channels = norm->channels;
    const ptrdiff_t row = (ptrdiff_t)image * channels;
    const pg_real *scale = a->scale + row, *centre = a->centre + row, *shift = a->shift + row;
    ptrdiff_t at = image_at(norm, image);
    for (int p = 0; p < norm->pixels; p++, at += channels) {
        const pg_real *x = pass->x + at, *plus = pass->plus + at;
        pg_real *y = pass->y + at;
        uint8_t *open = pass->decisions ? pass->decisions + at : NULL;
        for (int c = 0; open && c < channels; c++) open[c] = scale[c] * (x[c] - centre[c]) + shift[c] > 0;
        for (int c = 0; c < channels; c++) {
            const pg_real v = scale[c] * (x[c] - centre[c]) + shift[c];
            y[c] = pg_rectify((norm->relu ? pg_rectify(v) : v) + plus[c]);
        }
    }
}

/* y = pool(act(gamma xhat + beta)) of one image; x [H,W,C]; y, decisions [H/2,W/2,C]. */
static void apply_pooled_image(void *context, int image)
{
    const application *a = context;
    const pg_norm *norm = a->norm;
    const pg_norm_pass *pass = a->pass;
    const int channels = norm->channels;
    const ptrdiff_t out = image_at(norm, image) / 4, row = (ptrdiff_t)image * channels;
    uint8_t *const decisions = pass->decisions;
    for (int p = 0; p < norm->pixels / 4; p++)
        for (int from = 0; from < channels; from += CHANNEL_BLOCK) {
            const int block = pg_min(CHANNEL_BLOCK, channels - from);
            const ptrdiff_t to = out + (ptrdiff_t)p * channels + from;
            const pg_real *x = pass->x + image_at(norm, image) + pool_corner(norm, p) + from;
            const pg_real *scale = a->scale + row + from, *centre = a->centre + row + from, *shift = a->shift + row + from;
            pg_real best[CHANNEL_BLOCK];
            int32_t winner[CHANNEL_BLOCK] = {0};
            for (int c = 0; c < block; c++) best[c] = scale[c] * (x[c] - centre[c]) + shift[c];
            for (int tap = 1; tap < 4; tap++) {
                const pg_real *at = x + pool_tap(norm, tap);
                for (int c = 0; c < block; c++) {
                    const pg_real v = scale[c] * (at[c] - centre[c]) + shift[c];
                    winner[c] = pg_wins(v, best[c]) ? tap : winner[c];
                    best[c] = pg_wins(v, best[c]) ? v : best[c];
                }
            }
            pg_real *y = pass->y + to;
            for (int c = 0; c < block; c++) y[c] = norm->relu ? pg_rectify(best[c]) : best[c];
            for (int c = 0; decisions && c < block; c++) decisions[to + c] = (uint8_t)winner[c];
        }
}

static void find_coefficients(application *a)
{
    const pg_norm *norm = a->norm;
    const pg_norm_pass *pass = a->pass;
    const bool none = norm->kind == PG_NORM_NONE;
    for (int i = 0; i < pass->n; i++)
        for (int c = 0; c < norm->channels; c++) {
            const ptrdiff_t at = (ptrdiff_t)i * norm->channels + c;
            const size_t set = set_of(norm, i, c);
            a->scale[at] = (none ? 1 : pass->inv_std[set]) * (pass->gamma ? pass->gamma[c] : 1);
            a->centre[at] = none ? 0 : pass->mean[set];
            a->shift[at] = pass->beta ? pass->beta[c] : 0;
        }
}

void pg_norm_apply(const pg_norm *norm, const pg_norm_pass *pass)
{
    const size_t cells = (size_t)pass->n * (size_t)norm->channels;
    application a = {norm, pass, pass->scratch, pass->scratch + cells, pass->scratch + 2 * cells};
    find_coefficients(&a);
    pg_parallel(pass->n, norm->pool_width ? apply_pooled_image : norm->residual ? apply_residual_image : apply_image, &a);
}
