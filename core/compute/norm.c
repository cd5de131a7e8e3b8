/* Normalisation; see norm.h. All kinds are one computation on sets: a set is a run of images, all pixels, and a run of
 * channels.
 *
 * Per channel and image the kernels first make sums over the pixels, in pg_real over short runs and in double beyond; sets then
 * combine channels and images in order. */
#include "core/compute/norm.h"

#include "core/compute/kernels.h"
#include "core/compute/parallel.h"

#include <math.h>
#include <string.h>

enum { RUN = 64 }; /* pixels added in pg_real before the sum goes to double */

static const char *const norm_names[] = {"bn", "gn", "in", "none"};

const char *pg_norm_kind_name(pg_norm_kind kind)
{
    return norm_names[kind];
}

pg_status pg_norm_kind_parse(const char *name, pg_norm_kind *kind, pg_error *err)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(name, norm_names[i]) == 0) {
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
    const size_t cells = (size_t)n * (size_t)norm->channels; /* four arrays of double and three of pg_real: see start */
    return 4 * cells * (sizeof(double) / sizeof(pg_real)) + 3 * cells;
}

typedef struct job {
    const pg_norm *norm;
    const pg_real *x, *y, *dy, *mean, *inv_std, *gamma, *beta, *plus;
    const uint8_t *chosen;
    pg_real *out;
    uint8_t *which;
    double *first, *second;         /* [n,channels] */
    double *set_first, *set_second; /* [sets], at most n * channels */
    pg_real *a, *b, *c;             /* coefficients [n,channels] */
    bool add;
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

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* Sums over the pixels of one image of d and d^2, d = x - origin. A channel's origin is its first value in the image: near
 * enough to the mean that nothing is lost in the squares. */
static void sum_image(void *context, int image, int thread)
{
    (void)thread;
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels;
    const pg_real *x = j->x + image_at(norm, image);
    for (int from = 0; from < channels; from += LANES) {
        const int lanes = min(LANES, channels - from);
        const pg_real *origin = x + from;
        double total[LANES] = {0}, squares[LANES] = {0};
        for (int p = 0; p < norm->pixels; p += RUN) {
            const int end = min(p + RUN, norm->pixels);
            pg_real run[LANES] = {0}, square_run[LANES] = {0};
            for (int q = p; q < end; q++) {
                const pg_real *v = x + (ptrdiff_t)q * channels + from;
                for (int c = 0; c < lanes; c++) {
                    const pg_real d = v[c] - origin[c];
                    run[c] += d;
                    square_run[c] += d * d;
                }
            }
            for (int c = 0; c < lanes; c++) {
                total[c] += (double)run[c];
                squares[c] += (double)square_run[c];
            }
        }
        const ptrdiff_t row = (ptrdiff_t)image * channels + from;
        memcpy(j->first + row, total, (size_t)lanes * sizeof *total);
        memcpy(j->second + row, squares, (size_t)lanes * sizeof *squares);
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

static double origin_of(const job *j, int image, int channel)
{
    return (double)j->x[image_at(j->norm, image) + channel];
}

/* From sums about the origins to sums of x, and then to those of (x - mean)^2. */
static void add_origins(job *j, int n)
{
    for (int i = 0; i < n; i++)
        for (int c = 0; c < j->norm->channels; c++)
            j->first[(ptrdiff_t)i * j->norm->channels + c] += j->norm->pixels * origin_of(j, i, c);
}

static void centre_squares(job *j, int n)
{
    const double pixels = j->norm->pixels;
    for (int i = 0; i < n; i++)
        for (int c = 0; c < j->norm->channels; c++) {
            const ptrdiff_t at = (ptrdiff_t)i * j->norm->channels + c;
            const double origin = origin_of(j, i, c), shift = j->set_first[set_of(j->norm, i, c)] - origin;
            j->second[at] += shift * (pixels * shift - 2 * (j->first[at] - pixels * origin));
        }
}

void pg_norm_statistics(const pg_norm *norm, int n, const pg_real *x, pg_real *mean, pg_real *inv_std, pg_real *variance,
                        pg_real *scratch)
{
    if (norm->kind == PG_NORM_NONE) return;
    job j = start(norm, n, scratch);
    j.x = x;
    pg_parallel(n, sum_image, &j);
    add_origins(&j, n);
    combine(norm, n, j.first, j.set_first);
    centre_squares(&j, n);
    combine(norm, n, j.second, j.set_second);
    for (size_t s = 0; s < pg_norm_sets(norm, n); s++) {
        const double spread = j.set_second[s] <= 0 ? 0 : j.set_second[s];
        mean[s] = (pg_real)j.set_first[s];
        inv_std[s] = (pg_real)(isfinite(spread) ? 1 / sqrt(spread + (double)norm->eps) : NAN); /* not 0, which would hide it */
        if (variance) variance[s] = (pg_real)spread;
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
            for (int c = 0; c < channels; c++) y[c] = pg_rectify(a[c] * (x[c] - centre[c]) + b[c]);
        else
            for (int c = 0; c < channels; c++) y[c] = a[c] * (x[c] - centre[c]) + b[c];
    }
}

/* y = relu(act(a (x - c) + b) + plus). */
static void apply_residual_image(void *context, int image, int thread)
{
    (void)thread;
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels;
    const ptrdiff_t row = (ptrdiff_t)image * channels;
    const pg_real *a = j->a + row, *b = j->b + row, *centre = j->c + row;
    ptrdiff_t at = image_at(norm, image);
    for (int p = 0; p < norm->pixels; p++, at += channels) {
        const pg_real *x = j->x + at, *plus = j->plus + at;
        pg_real *y = j->out + at;
        for (int c = 0; j->which && c < channels; c++) j->which[at + c] = a[c] * (x[c] - centre[c]) + b[c] > 0;
        for (int c = 0; c < channels; c++) {
            const pg_real v = a[c] * (x[c] - centre[c]) + b[c];
            y[c] = pg_rectify((norm->relu ? pg_rectify(v) : v) + plus[c]);
        }
    }
}

/* The first of the four pixels under pixel p of the pooled image. */
static ptrdiff_t pool_corner(const pg_norm *norm, int p)
{
    const int across = norm->pool_width / 2;
    return ((ptrdiff_t)(p / across) * 2 * norm->pool_width + (ptrdiff_t)(p % across) * 2) * norm->channels;
}

/* From there to pixel `tap` of the four. */
static ptrdiff_t pool_tap(const pg_norm *norm, int tap)
{
    return ((ptrdiff_t)(tap / 2) * norm->pool_width + tap % 2) * norm->channels;
}

static void apply_pooled_image(void *context, int image, int thread)
{
    (void)thread;
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels;
    const ptrdiff_t out = image_at(norm, image) / 4, row = (ptrdiff_t)image * channels;
    for (int p = 0; p < norm->pixels / 4; p++)
        for (int from = 0; from < channels; from += LANES) {
            const int lanes = min(LANES, channels - from);
            const ptrdiff_t to = out + (ptrdiff_t)p * channels + from;
            const pg_real *x = j->x + image_at(norm, image) + pool_corner(norm, p) + from;
            const pg_real *a = j->a + row + from, *b = j->b + row + from, *centre = j->c + row + from;
            pg_real best[LANES];
            int32_t taken[LANES] = {0};
            for (int c = 0; c < lanes; c++) best[c] = a[c] * (x[c] - centre[c]) + b[c];
            for (int tap = 1; tap < 4; tap++) {
                const pg_real *at = x + pool_tap(norm, tap);
                for (int c = 0; c < lanes; c++) {
                    const pg_real v = a[c] * (at[c] - centre[c]) + b[c];
                    taken[c] = pg_wins(v, best[c]) ? tap : taken[c];
                    best[c] = pg_wins(v, best[c]) ? v : best[c];
                }
            }
            pg_real *y = j->out + to;
            for (int c = 0; c < lanes; c++) y[c] = norm->relu ? pg_rectify(best[c]) : best[c];
            for (int c = 0; j->which && c < lanes; c++) j->which[to + c] = (uint8_t)taken[c];
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
                   const pg_real *gamma, const pg_real *beta, const pg_real *plus, pg_real *y, uint8_t *which, pg_real *scratch)
{
    job j = start(norm, n, scratch);
    j.x = x;
    j.mean = mean;
    j.inv_std = inv_std;
    j.gamma = gamma;
    j.beta = beta;
    j.plus = plus;
    j.out = y;
    j.which = which;
    affine_coefficients(&j, n);
    pg_parallel(n, norm->pool_width ? apply_pooled_image : norm->residual ? apply_residual_image : apply_image, &j);
}

/* ---- backward ---- */

/* g = dy where every ReLU between the affine and y was open, else 0, for some channels of y. */
static inline void open_gradient(const job *j, ptrdiff_t at, int lanes, pg_real *g)
{
    const pg_norm *norm = j->norm;
    const pg_real *y = j->y + at, *dy = j->dy + at;
    const bool none = !norm->relu && !norm->residual;
    for (int c = 0; c < lanes; c++) g[c] = none || y[c] > 0 ? dy[c] : 0;
    if (!norm->residual || !norm->relu) return;
    const uint8_t *inner = j->chosen + at;
    for (int c = 0; c < lanes; c++) g[c] = inner[c] ? g[c] : 0;
}

/* g and x of one pixel of y: dy where the ReLU was open, and the x that y came from. */
static inline void gradient_and_input(const job *j, ptrdiff_t image, int p, int from, int lanes, pg_real *g, pg_real *x)
{
    const pg_norm *norm = j->norm;
    const bool pooled = norm->pool_width > 0;
    const ptrdiff_t at = (pooled ? image / 4 : image) + (ptrdiff_t)p * norm->channels + from;
    const pg_real *in = pooled ? j->x + image + pool_corner(norm, p) + from : j->x + at;
    open_gradient(j, at, lanes, g);
    for (int c = 0; c < lanes; c++) x[c] = in[c];
    if (!pooled) return;
    int32_t chosen[LANES];
    for (int c = 0; c < lanes; c++) chosen[c] = j->chosen[at + c];
    for (int tap = 1; tap < 4; tap++) {
        const pg_real *other = in + pool_tap(norm, tap);
        for (int c = 0; c < lanes; c++) x[c] = chosen[c] == tap ? other[c] : x[c];
    }
}

/* Per image and channel: sum of g and of g (x - mean) inv_std. */
static void gradient_sums_image(void *context, int image, int thread)
{
    (void)thread;
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels, pixels = norm->pool_width ? norm->pixels / 4 : norm->pixels;
    const bool none = norm->kind == PG_NORM_NONE;
    for (int from = 0; from < channels; from += LANES) {
        const int lanes = min(LANES, channels - from);
        double total[LANES] = {0}, moment[LANES] = {0};
        pg_real centre[LANES] = {0}, scale[LANES], g[LANES], x[LANES];
        for (int c = 0; c < lanes; c++) {
            centre[c] = none ? 0 : j->mean[set_of(norm, image, from + c)];
            scale[c] = none ? 1 : j->inv_std[set_of(norm, image, from + c)];
        }
        for (int p = 0; p < pixels; p += RUN) {
            pg_real run[LANES] = {0}, runm[LANES] = {0};
            for (int q = p; q < min(p + RUN, pixels); q++) {
                gradient_and_input(j, image_at(norm, image), q, from, lanes, g, x);
                for (int c = 0; c < lanes; c++) {
                    run[c] += g[c];
                    runm[c] += g[c] * ((x[c] - centre[c]) * scale[c]);
                }
            }
            for (int c = 0; c < lanes; c++) {
                total[c] += (double)run[c];
                moment[c] += (double)runm[c];
            }
        }
        const ptrdiff_t row = (ptrdiff_t)image * channels + from;
        memcpy(j->first + row, total, (size_t)lanes * sizeof *total);
        memcpy(j->second + row, moment, (size_t)lanes * sizeof *moment);
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
    for (int p = 0; p < norm->pixels; p++)
        for (int from = 0; from < channels; from += LANES) {
            const int lanes = min(LANES, channels - from);
            const ptrdiff_t at = base + (ptrdiff_t)p * channels + from;
            const pg_real *x = j->x + at;
            pg_real *dx = j->out + at, g[LANES];
            open_gradient(j, at, lanes, g);
            for (int c = 0; c < lanes; c++) {
                const pg_real d = a[from + c] * g[c] + (b[from + c] * x[c] + k[from + c]);
                dx[c] = j->add ? dx[c] + d : d;
            }
        }
}

/* The same where the gradient of a pooled pixel goes to the one pixel that was taken. */
static void pooled_input_gradient_image(void *context, int image, int thread)
{
    (void)thread;
    const job *j = context;
    const pg_norm *norm = j->norm;
    const int channels = norm->channels;
    const ptrdiff_t base = image_at(norm, image), row = (ptrdiff_t)image * channels;
    for (int p = 0; p < norm->pixels / 4; p++)
        for (int from = 0; from < channels; from += LANES) {
            const int lanes = min(LANES, channels - from);
            const ptrdiff_t at = base / 4 + (ptrdiff_t)p * channels + from, corner = base + pool_corner(norm, p) + from;
            const pg_real *y = j->y + at, *dy = j->dy + at;
            const pg_real *a = j->a + row + from, *b = j->b + row + from, *k = j->c + row + from;
            pg_real g[LANES];
            int32_t chosen[LANES];
            for (int c = 0; c < lanes; c++) g[c] = !norm->relu || y[c] > 0 ? a[c] * dy[c] : 0;
            for (int c = 0; c < lanes; c++) chosen[c] = j->chosen[at + c];
            for (int tap = 0; tap < 4; tap++) {
                const pg_real *x = j->x + corner + pool_tap(norm, tap);
                pg_real *dx = j->out + corner + pool_tap(norm, tap);
                for (int c = 0; c < lanes; c++) {
                    const pg_real d = (chosen[c] == tap ? g[c] : 0) + (b[c] * x[c] + k[c]);
                    dx[c] = j->add ? dx[c] + d : d;
                }
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
                      const pg_real *gamma, const pg_real *y, const uint8_t *which, const pg_real *dy, pg_real *dgamma,
                      pg_real *dbeta, pg_real *dx, bool add, pg_real *scratch)
{
    job j = start(norm, n, scratch);
    j.x = x;
    j.mean = mean;
    j.inv_std = inv_std;
    j.gamma = gamma;
    j.y = y;
    j.dy = dy;
    j.chosen = which;
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
    pg_parallel(n, norm->pool_width ? pooled_input_gradient_image : input_gradient_image, &j);
}
