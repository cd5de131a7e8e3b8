/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Analytic passport inversion; see inversion.h. The Gram matrix M M' is factorised once per layer by its eigenvectors (GSL), in
 * double; a step of iterative refinement corrects rounding errors. */
#include "core/ownership/inversion.h"

#include "core/base/memory.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <string.h>

/* Directions in which the squared response of the weights is below this share of the largest are dropped: passports that reach
 * them would be so large that single precision would lose everything else. */
static const double smallest_response = 1e-10;

enum { REFINEMENTS = 2 };

typedef struct solver {
    const pg_layer *layer;
    const pg_real *w;                      /* [taps,channels,outputs] */
    int taps, pixels, channels, outputs;   /* taps: positions in the window */
    double *mean;                          /* T: [taps,pixels] */
    double *vectors, *values;              /* of M M': eigenvectors in columns [outputs,outputs], eigenvalues [outputs] */
    double *image, *windows, *miss, *part; /* scratch: [pixels,channels], [taps,channels], [outputs], [outputs] */
} solver;

struct pg_inverter {
    bool perceptron;
    int count;
    solver solvers[PG_PASSPORTS_MAX];
};

/* ---- the linear map ---- */

/* Compute T row by row: the pixels that a tap of the window sees, over all output positions. */
static void fill_means(solver *s)
{
    const pg_layer *l = s->layer;
    const int r = l->row.kernel;
    const double share = 1.0 / ((double)l->out_height * l->out_width);
    for (int tap = 0; tap < s->taps; tap++)
        for (int oy = 0; oy < l->out_height; oy++)
            for (int ox = 0; ox < l->out_width; ox++) {
                const int y = oy * l->row.stride + tap / r - l->row.pad, x = ox * l->row.stride + tap % r - l->row.pad;
                if (y >= 0 && y < l->in_height && x >= 0 && x < l->in_width)
                    s->mean[tap * s->pixels + y * l->in_width + x] = share;
            }
}

/* windows = T image. */
static void take_means(const solver *s)
{
    memset(s->windows, 0, (size_t)(s->taps * s->channels) * sizeof *s->windows);
    for (int tap = 0; tap < s->taps; tap++)
        for (int p = 0; p < s->pixels; p++) {
            const double share = s->mean[tap * s->pixels + p];
            for (int c = 0; share > 0 && c < s->channels; c++)
                s->windows[tap * s->channels + c] += share * s->image[p * s->channels + c];
        }
}

/* image += T' windows. */
static void spread_means(const solver *s)
{
    for (int tap = 0; tap < s->taps; tap++)
        for (int p = 0; p < s->pixels; p++) {
            const double share = s->mean[tap * s->pixels + p];
            for (int c = 0; share > 0 && c < s->channels; c++)
                s->image[p * s->channels + c] += share * s->windows[tap * s->channels + c];
        }
}

/* miss = target - M image. */
static void find_miss(const solver *s, const pg_real *target)
{
    take_means(s);
    for (int k = 0; k < s->outputs; k++) s->miss[k] = (double)target[k];
    for (int j = 0; j < s->taps * s->channels; j++)
        for (int k = 0; k < s->outputs; k++) s->miss[k] -= (double)s->w[j * s->outputs + k] * s->windows[j];
}

/* image += M' y. */
static void add_adjoint(const solver *s, const double *y)
{
    for (int j = 0; j < s->taps * s->channels; j++) {
        s->windows[j] = 0;
        for (int k = 0; k < s->outputs; k++) s->windows[j] += (double)s->w[j * s->outputs + k] * y[k];
    }
    spread_means(s);
}

/* ---- its pseudo-inverse ---- */

/* gram [outputs,outputs] = W' (T T') W, row by row of (T T') W. */
static void fill_gram(const solver *s, double *gram, double *row)
{
    const int n = s->outputs;
    for (int tap = 0; tap < s->taps; tap++)
        for (int c = 0; c < s->channels; c++) {
            const pg_real *w = s->w + (tap * s->channels + c) * n;
            memset(row, 0, (size_t)n * sizeof *row);
            for (int other = 0; other < s->taps; other++) {
                double overlap = 0;
                for (int p = 0; p < s->pixels; p++) overlap += s->mean[tap * s->pixels + p] * s->mean[other * s->pixels + p];
                for (int k = 0; k < n; k++) row[k] += overlap * (double)s->w[(other * s->channels + c) * n + k];
            }
            for (int k = 0; k < n; k++)
                for (int j = 0; j < n; j++) gram[k * n + j] += (double)w[k] * row[j];
        }
}

static pg_status factorise(solver *s, pg_error *err)
{
    pg_status status = PG_OK;
    const size_t n = (size_t)s->outputs;
    double *gram = NULL;
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(n);
    if (!work) return pg_fail(err, PG_NO_MEMORY, "no memory to invert %s", s->layer->row.name);
    PG_TRY(pg_alloc(n * n, sizeof *gram, &gram, err));
    fill_gram(s, gram, s->part);
    gsl_matrix_view g = gsl_matrix_view_array(gram, n, n), vectors = gsl_matrix_view_array(s->vectors, n, n);
    gsl_vector_view values = gsl_vector_view_array(s->values, n);
    if (gsl_eigen_symmv(&g.matrix, &values.vector, &vectors.matrix, work))
        PG_TRY(pg_fail(err, PG_FAILED, "%s: the eigenvalues of the weights do not converge", s->layer->row.name));
done:
    gsl_eigen_symmv_free(work);
    pg_free(gram);
    return status;
}

/* part = (M M')+ miss. */
static void apply_inverse(const solver *s)
{
    const int n = s->outputs;
    double largest = 0;
    for (int e = 0; e < n; e++) largest = fmax(largest, s->values[e]);
    memset(s->part, 0, (size_t)n * sizeof *s->part);
    for (int e = 0; e < n; e++) {
        double along = 0;
        if (s->values[e] <= smallest_response * largest) continue;
        for (int k = 0; k < n; k++) along += s->vectors[k * n + e] * s->miss[k];
        for (int k = 0; k < n; k++) s->part[k] += s->vectors[k * n + e] * along / s->values[e];
    }
}

/* Move the image to the nearest image that gives the target. Returns the largest remaining error of an entry. */
static double move(const solver *s, const pg_real *target, pg_real *image)
{
    const int count = s->pixels * s->channels;
    double miss = 0;
    for (int e = 0; e < count; e++) s->image[e] = (double)image[e];
    for (int round = 0; round < REFINEMENTS; round++) {
        find_miss(s, target);
        apply_inverse(s);
        add_adjoint(s, s->part);
    }
    for (int e = 0; e < count; e++) s->image[e] = (double)(image[e] = (pg_real)s->image[e]);
    find_miss(s, target);
    for (int k = 0; k < s->outputs; k++) miss = fmax(miss, fabs(s->miss[k]));
    return miss;
}

/* ---- a model ---- */

static pg_status open_solver(solver *s, const pg_model *model, const pg_layer *l, pg_error *err)
{
    pg_status status = PG_OK;
    *s = (solver){.layer = l,
                  .w = model->params + l->weight,
                  .taps = l->row.kernel * l->row.kernel,
                  .pixels = l->in_height * l->in_width,
                  .channels = l->in_channels,
                  .outputs = l->out_channels};
    const size_t n = (size_t)s->outputs, windows = (size_t)(s->taps * s->channels);
    PG_TRY(pg_alloc((size_t)(s->taps * s->pixels), sizeof *s->mean, &s->mean, err));
    PG_TRY(pg_alloc(n * n, sizeof *s->vectors, &s->vectors, err));
    PG_TRY(pg_alloc(n, sizeof *s->values, &s->values, err));
    PG_TRY(pg_alloc((size_t)(s->pixels * s->channels), sizeof *s->image, &s->image, err));
    PG_TRY(pg_alloc(windows, sizeof *s->windows, &s->windows, err));
    PG_TRY(pg_alloc(n, sizeof *s->miss, &s->miss, err));
    PG_TRY(pg_alloc(n, sizeof *s->part, &s->part, err));
    fill_means(s);
    PG_TRY(factorise(s, err));
done:
    return status;
}

pg_status pg_inverter_create(const pg_model *model, pg_inverter **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_inverter *inverter = NULL;
    PG_TRY(pg_alloc(1, sizeof *inverter, &inverter, err));
    inverter->perceptron = model->spec.perceptron;
    inverter->count = model->passport_count;
    for (int i = 0; i < inverter->count; i++)
        PG_TRY(open_solver(&inverter->solvers[i], model, pg_model_passport_layer(model, i), err));
    *out = inverter;
    inverter = NULL;
done:
    pg_inverter_destroy(&inverter);
    return status;
}

void pg_inverter_destroy(pg_inverter **inverter)
{
    if (!*inverter) return;
    for (int i = 0; i < (*inverter)->count; i++) {
        solver *s = &(*inverter)->solvers[i];
        double *const blocks[] = {s->mean, s->vectors, s->values, s->image, s->windows, s->miss, s->part};
        for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) pg_free(blocks[b]);
    }
    pg_free(*inverter);
    *inverter = NULL;
}

pg_status pg_inverter_forge(const pg_inverter *inverter, const pg_model *affine, pg_evidence *evidence, double *miss,
                            pg_error *err)
{
    if (inverter->perceptron)
        return pg_fail(err, PG_BAD_INPUT, "cannot solve for passports behind the perceptron of this scheme");
    if (evidence->passport_count != inverter->count || affine->passport_count != inverter->count)
        return pg_fail(err, PG_BAD_INPUT, "passports for other layers than the network's");
    *miss = 0;
    for (int i = 0; i < inverter->count; i++) {
        const solver *s = &inverter->solvers[i];
        const pg_affine *a = &pg_model_passport_layer(affine, i)->affine[PG_PUBLIC];
        pg_passport *p = &evidence->passports[i];
        const pg_real *gamma = affine->params + a->gamma;
        *miss = fmax(*miss, move(s, gamma, p->skey));
        for (int k = 0; k < p->outputs; k++) p->b[k] = (double)gamma[k] - s->miss[k] < 0 ? -1 : 1;
        *miss = fmax(*miss, move(s, affine->params + a->beta, p->key));
    }
    return PG_OK;
}
