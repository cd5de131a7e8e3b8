/* Normalisation; see norm.h. All kinds are one computation on sets: a set is a run of images, all pixels, and a run of
 * channels.
 *
 * Per channel and image the kernels first make sums over the pixels, in float over short runs and in double beyond; sets then
 * combine channels and images in order. */
#include "core/compute/norm.h"

#include "core/compute/blas.h"

#include <math.h>
#include <string.h>

enum { RUN = 64 }; /* pixels added in pg_real before the sum goes to double */

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
    const size_t cells = (size_t)n * (size_t)norm->channels; /* four arrays of double and three of pg_real: see start */
    return 4 * cells * (sizeof(double) / sizeof(pg_real)) + 3 * cells;
}

typedef struct job {
    const pg_norm *norm;
    const pg_real *x, *y, *dy, *mean, *inv_std, *gamma, *beta;
    pg_real *out;
    double *first, *second;         /* [n,channels] */
    double *set_first, *set_second; /* [sets], at most n * channels */
    pg_real *a, *b, *c;             /* coefficients [n,channels] */
    bool add, centred;
} job;

/* Set of (image, channel), as an index into mean and inv_std. */
static size_t set_of(const pg_norm *norm, int image, int channel)
{
    switch (norm->kind) {
    case PG_NORM_BN: return (size_t)channel;
    case PG_NORM_GN: return (size_t)image * (size_t)norm->groups + (size_t)(channel / (norm->channels / norm->groups));
    case PG_NORM_IN: return (size_t)image * (size_t)norm->channels + (size_t)channel;
    case PG_NORM_NONE: break;
    }
    return 0;
}

static ptrdiff_t image_at(const pg_norm *norm, int image)
{
    return (ptrdiff_t)image * norm->pixels * norm->channels;
}

/* ---- statistics ---- */

enum { LANES = 64 }; /* channels at a time */

/* Sums over the pixels of one image: of x (first pass), or of (x - mean)^2 (second pass, centred). */
static void sum_image(void *context, int image, int thread)
{
    (void)thread;
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels;
    const pg_real *x = j->x + image_at(norm, image);
    double *out = j->first + (ptrdiff_t)image * channels;
    for (int from = 0; from < channels; from += LANES) {
        const int lanes = channels - from < LANES ? channels - from : LANES;
        double total[LANES] = {0};
        pg_real centre[LANES] = {0};
        for (int c = 0; j->centred && c < lanes; c++) centre[c] = j->mean[set_of(norm, image, from + c)];
        for (int p = 0; p < norm->pixels; p += RUN) {
            const int end = p + RUN < norm->pixels ? p + RUN : norm->pixels;
            pg_real run[LANES] = {0};
            for (int q = p; q < end; q++) {
                const pg_real *v = x + (ptrdiff_t)q * channels + from;
                if (j->centred)
                    for (int c = 0; c < lanes; c++) run[c] += (v[c] - centre[c]) * (v[c] - centre[c]);
                else
                    for (int c = 0; c < lanes; c++) run[c] += v[c];
            }
            for (int c = 0; c < lanes; c++) total[c] += (double)run[c];
        }
        for (int c = 0; c < lanes; c++) out[from + c] = total[c];
    }
}

/* Mean over each set of the per-image, per-channel sums. */
static void combine(const pg_norm *norm, int n, const double *sums, double *sets)
{
    const size_t count = pg_norm_sets(norm, n);
    memset(sets, 0, count * sizeof *sets);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < norm->channels; c++) sets[set_of(norm, i, c)] += sums[(ptrdiff_t)i * norm->channels + c];
    const double elements = (double)n * norm->channels * norm->pixels / (double)count;
    for (size_t s = 0; s < count; s++) sets[s] /= elements;
}

static job start(const pg_norm *norm, int n, pg_real *scratch)
{
    job j = {.norm = norm};
    const size_t cells = (size_t)n * (size_t)norm->channels;
    j.first = (double *)(void *)scratch;
    j.second = j.first + cells;
    j.set_first = j.second + cells;
    j.set_second = j.set_first + cells;
    j.a = (pg_real *)(void *)(j.set_second + cells);
    j.b = j.a + cells;
    j.c = j.b + cells;
    return j;
}

void pg_norm_statistics(const pg_norm *norm, int n, const pg_real *x, pg_real *mean, pg_real *inv_std, pg_real *variance,
                        pg_real *scratch)
{
    if (norm->kind == PG_NORM_NONE) return;
    job j = start(norm, n, scratch);
    const size_t sets = pg_norm_sets(norm, n);
    j.x = x;
    j.mean = mean;
    pg_parallel(n, sum_image, &j);
    combine(norm, n, j.first, j.set_first);
    for (size_t s = 0; s < sets; s++) mean[s] = (pg_real)j.set_first[s];
    j.centred = true;
    pg_parallel(n, sum_image, &j);
    combine(norm, n, j.first, j.set_first);
    for (size_t s = 0; s < sets; s++) {
        inv_std[s] = (pg_real)(1 / sqrt(j.set_first[s] + (double)norm->eps));
        if (variance) variance[s] = (pg_real)j.set_first[s];
    }
}

/* ---- apply ---- */

/* y = a (x - c) + b per image and channel: with the mean taken off first, what is near zero stays exact. */
static void apply_image(void *context, int image, int thread)
{
    (void)thread;
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels;
    const ptrdiff_t row = (ptrdiff_t)image * channels;
    const pg_real *x = j->x + image_at(norm, image), *a = j->a + row, *b = j->b + row, *centre = j->c + row;
    pg_real *y = j->out + image_at(norm, image);
    for (int p = 0; p < norm->pixels; p++, x += channels, y += channels) {
        if (norm->relu)
            for (int c = 0; c < channels; c++) {
                const pg_real v = a[c] * (x[c] - centre[c]) + b[c];
                y[c] = v > 0 ? v : 0;
            }
        else
            for (int c = 0; c < channels; c++) y[c] = a[c] * (x[c] - centre[c]) + b[c];
    }
}

static void affine_coefficients(job *j, int n)
{
    const pg_norm *norm = j->norm;
    const bool none = norm->kind == PG_NORM_NONE;
    for (int i = 0; i < n; i++)
        for (int c = 0; c < norm->channels; c++) {
            const ptrdiff_t at = (ptrdiff_t)i * norm->channels + c;
            const size_t set = set_of(norm, i, c);
            j->a[at] = (none ? 1 : j->inv_std[set]) * (j->gamma ? j->gamma[c] : 1);
            j->b[at] = j->beta ? j->beta[c] : 0;
            j->c[at] = none ? 0 : j->mean[set];
        }
}

void pg_norm_apply(const pg_norm *norm, int n, const pg_real *x, const pg_real *mean, const pg_real *inv_std,
                   const pg_real *gamma, const pg_real *beta, pg_real *y, pg_real *scratch)
{
    job j = start(norm, n, scratch);
    j.x = x;
    j.mean = mean;
    j.inv_std = inv_std;
    j.gamma = gamma;
    j.beta = beta;
    j.out = y;
    affine_coefficients(&j, n);
    pg_parallel(n, apply_image, &j);
}

/* ---- backward ---- */

/* Per image and channel: sum of g and of g (x - mean) inv_std, with g = dy where the ReLU was open. */
static void gradient_sums_image(void *context, int image, int thread)
{
    (void)thread;
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels;
    const bool none = norm->kind == PG_NORM_NONE;
    const ptrdiff_t base = image_at(norm, image);
    for (int from = 0; from < channels; from += LANES) {
        const int lanes = channels - from < LANES ? channels - from : LANES;
        double total[LANES] = {0}, moment[LANES] = {0};
        pg_real centre[LANES] = {0}, scale[LANES];
        for (int c = 0; c < lanes; c++) {
            centre[c] = none ? 0 : j->mean[set_of(norm, image, from + c)];
            scale[c] = none ? 1 : j->inv_std[set_of(norm, image, from + c)];
        }
        for (int p = 0; p < norm->pixels; p += RUN) {
            const int end = p + RUN < norm->pixels ? p + RUN : norm->pixels;
            pg_real run[LANES] = {0}, runm[LANES] = {0};
            for (int q = p; q < end; q++) {
                const ptrdiff_t at = base + (ptrdiff_t)q * channels + from;
                const pg_real *x = j->x + at, *y = j->y + at, *dy = j->dy + at;
                for (int c = 0; c < lanes; c++) {
                    const pg_real g = !norm->relu || y[c] > 0 ? dy[c] : 0;
                    run[c] += g;
                    runm[c] += g * ((x[c] - centre[c]) * scale[c]);
                }
            }
            for (int c = 0; c < lanes; c++) {
                total[c] += (double)run[c];
                moment[c] += (double)runm[c];
            }
        }
        for (int c = 0; c < lanes; c++) {
            j->first[(ptrdiff_t)image * channels + from + c] = total[c];
            j->second[(ptrdiff_t)image * channels + from + c] = moment[c];
        }
    }
}

/* dx = a g + b x + c per image and channel. */
static void input_gradient_image(void *context, int image, int thread)
{
    (void)thread;
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels;
    const ptrdiff_t base = image_at(norm, image), row = (ptrdiff_t)image * channels;
    const pg_real *a = j->a + row, *b = j->b + row, *k = j->c + row;
    for (int p = 0; p < norm->pixels; p++) {
        const ptrdiff_t at = base + (ptrdiff_t)p * channels;
        const pg_real *x = j->x + at, *y = j->y + at, *dy = j->dy + at;
        pg_real *dx = j->out + at;
        for (int c = 0; c < channels; c++) {
            const pg_real g = !norm->relu || y[c] > 0 ? dy[c] : 0, d = a[c] * g + (b[c] * x[c] + k[c]);
            dx[c] = j->add ? dx[c] + d : d;
        }
    }
}

static void weigh_by_gamma(job *j, int n)
{
    for (int i = 0; j->gamma && i < n; i++)
        for (int c = 0; c < j->norm->channels; c++) {
            j->first[(ptrdiff_t)i * j->norm->channels + c] *= (double)j->gamma[c];
            j->second[(ptrdiff_t)i * j->norm->channels + c] *= (double)j->gamma[c];
        }
}

/* d = inv_std (gamma g - mean(gamma g) - xhat mean(gamma g xhat)) as coefficients of g, x and 1; means are over the set. */
static void gradient_coefficients(job *j, int n)
{
    const pg_norm *norm = j->norm;
    const bool none = norm->kind == PG_NORM_NONE, fixed = none || norm->fixed;
    if (!fixed) {
        weigh_by_gamma(j, n);
        combine(norm, n, j->first, j->set_first);
        combine(norm, n, j->second, j->set_second);
    }
    for (int i = 0; i < n; i++)
        for (int c = 0; c < norm->channels; c++) {
            const ptrdiff_t at = (ptrdiff_t)i * norm->channels + c;
            const size_t set = set_of(norm, i, c);
            const double scale = none ? 1 : (double)j->inv_std[set], mean = none ? 0 : (double)j->mean[set];
            const double slope = fixed ? 0 : -scale * scale * j->set_second[set],
                         shift = fixed ? 0 : -scale * j->set_first[set];
            j->a[at] = (pg_real)(scale * (j->gamma ? (double)j->gamma[c] : 1));
            j->b[at] = (pg_real)slope;
            j->c[at] = (pg_real)(shift - slope * mean);
        }
}

void pg_norm_backward(const pg_norm *norm, int n, const pg_real *x, const pg_real *mean, const pg_real *inv_std,
                      const pg_real *gamma, const pg_real *y, const pg_real *dy, pg_real *dgamma, pg_real *dbeta, pg_real *dx,
                      bool add, pg_real *scratch)
{
    job j = start(norm, n, scratch);
    j.x = x;
    j.mean = mean;
    j.inv_std = inv_std;
    j.gamma = gamma;
    j.y = y;
    j.dy = dy;
    j.out = dx;
    j.add = add;
    pg_parallel(n, gradient_sums_image, &j);
    for (int c = 0; c < norm->channels; c++) {
        double sum = 0, moment = 0;
        for (int i = 0; i < n; i++) {
            sum += j.first[(ptrdiff_t)i * norm->channels + c];
            moment += j.second[(ptrdiff_t)i * norm->channels + c];
        }
        if (dbeta) dbeta[c] += (pg_real)sum;
        if (dgamma) dgamma[c] += (pg_real)moment;
    }
    if (!dx) return;
    gradient_coefficients(&j, n);
    pg_parallel(n, input_gradient_image, &j);
}
