/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading marks in a model and carrying gradients back to its weights; see mark.h. Nothing here allocates. */
#include "core/ownership/mark.h"

#include "core/ownership/autoencoder.h"
#include "core/ownership/extractor.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* The sites of a mark in a model. */
typedef struct view {
    const pg_mark *mark;
    const pg_layer *layer[PG_MARK_SITES_MAX];
} view;

static view open_view(const pg_mark *mark, const pg_model *model)
{
    view v = {.mark = mark};
    for (int i = 0; i < mark->site_count; i++) v.layer[i] = pg_mark_find(mark->site[i].layer, model);
    return v;
}

/* Where the i-th weight of all sites lies in a model's params: from the state dict's order [K,C,R,R] to [R,R,C,K]. */
static ptrdiff_t offset_of(const view *v, int i)
{
    int site = 0, count;
    for (;; i -= count, site++) {
        const pg_mark_site *s = &v->mark->site[site];
        count = s->kernel * s->kernel * s->inputs * s->outputs;
        if (i < count) break;
    }
    const pg_mark_site *s = &v->mark->site[site];
    const int taps = s->kernel * s->kernel;
    return v->layer[site]->weight + (ptrdiff_t)(i % taps * s->inputs + i / taps % s->inputs) * s->outputs +
           i / taps / s->inputs;
}

/* ---- banks ---- */

int pg_mark_taps(const pg_layer *layer)
{
    return layer->row.kernel * layer->row.kernel * layer->in_channels;
}

double pg_mark_mean_tap(const pg_model *model, const pg_layer *layer, int j)
{
    const int k = layer->out_channels;
    const pg_real *w = model->params + layer->weight + (ptrdiff_t)j * k;
    double sum = 0;
    for (int o = 0; o < k; o++) sum += (double)w[o];
    return sum / k;
}

void pg_mark_mean_filter(const pg_mark *mark, const pg_model *model, double *mean)
{
    const view v = open_view(mark, model);
    for (int site = 0; site < mark->site_count; site++)
        for (int j = 0; j < pg_mark_taps(v.layer[site]); j++) *mean++ = pg_mark_mean_tap(model, v.layer[site], j);
}

/* Add value times row x of the projection to z. */
static void add_row(const pg_mark *mark, const pg_real *x, double value, double *z)
{
    for (int i = 0; i < mark->bits; i++) z[i] += value * (double)x[i];
}

/* Derivative of a loss by the value that row x of the projection multiplies. */
static double slope_of(const pg_mark *mark, const pg_real *x, const double *slope)
{
    double sum = 0;
    for (int i = 0; i < mark->bits; i++) sum += slope[i] * (double)x[i];
    return sum;
}

static void read_bank(const view *v, const pg_model *model, double *z)
{
    const pg_real *x = v->mark->projection;
    for (int site = 0; site < v->mark->site_count; site++)
        for (int j = 0; j < pg_mark_taps(v->layer[site]); j++, x += v->mark->bits)
            add_row(v->mark, x, pg_mark_mean_tap(model, v->layer[site], j), z);
}

static void carry_back_bank(const view *v, double strength, const double *slope, pg_real *gradients)
{
    const pg_real *x = v->mark->projection;
    for (int site = 0; site < v->mark->site_count; site++) {
        const int k = v->layer[site]->out_channels;
        pg_real *g = gradients + v->layer[site]->weight;
        for (int j = 0; j < pg_mark_taps(v->layer[site]); j++, x += v->mark->bits) {
            const double each = slope_of(v->mark, x, slope);
            for (int o = 0; o < k; o++) g[(ptrdiff_t)j * k + o] += (pg_real)(strength * each / k);
        }
    }
}

/* ---- filtered marks ---- */

typedef struct filter {
    const pg_mark *mark;
    int ones, at[PG_MARK_BITS_MAX]; /* bits that are +1: their number and their places */
    int rows;                       /* of the weights that are left after all rounds */
} filter;

static void open_filter(const pg_mark *mark, filter *f)
{
    int count = pg_mark_weights(mark);
    f->mark = mark;
    f->ones = 0;
    for (int i = 0; i < mark->bits; i++)
        if (mark->b[i] > 0) f->at[f->ones++] = i;
    for (int r = 0; r < mark->rounds; r++) count = count / mark->bits * f->ones;
    f->rows = count / mark->pooled;
}

/* The i-th of the weights that are left, back through the rounds to its number among all. */
static int chosen(const filter *f, int i)
{
    const pg_mark *m = f->mark;
    for (int r = 0; r < m->rounds; r++) i = i / f->ones * m->bits + f->at[i % f->ones];
    return i;
}

int pg_mark_rows(const pg_mark *mark)
{
    filter f;
    open_filter(mark, &f);
    return f.rows;
}

static void read_filtered(const view *v, const pg_model *model, double *z)
{
    const pg_mark *mark = v->mark;
    double w[PG_MARK_POOLED_MAX];
    filter f;
    open_filter(mark, &f);
    memset(w, 0, (size_t)mark->pooled * sizeof *w);
    for (int i = 0; i < f.rows * mark->pooled; i++) w[i % mark->pooled] += (double)model->params[offset_of(v, chosen(&f, i))];
    for (int j = 0; j < mark->pooled; j++)
        add_row(mark, mark->projection + (ptrdiff_t)j * mark->bits, f.rows ? w[j] / f.rows : 0, z);
}

static void carry_back_filtered(const view *v, double strength, const double *slope, pg_real *gradients)
{
    const pg_mark *mark = v->mark;
    double each[PG_MARK_POOLED_MAX];
    filter f;
    open_filter(mark, &f);
    for (int j = 0; j < mark->pooled && f.rows; j++)
        each[j] = strength * slope_of(mark, mark->projection + (ptrdiff_t)j * mark->bits, slope) / f.rows;
    for (int i = 0; i < f.rows * mark->pooled; i++) gradients[offset_of(v, chosen(&f, i))] += (pg_real)each[i % mark->pooled];
}

/* ---- residuals ---- */

/* One row of cells: its cells, each the mean of the weights from[c] to to[c] - 1, and whether it is of the larger half. */
typedef struct row {
    double cell[PG_MARK_POOLED_MAX];
    int from[PG_MARK_POOLED_MAX], to[PG_MARK_POOLED_MAX];
    bool large[PG_MARK_POOLED_MAX];
} row;

/* The k-th smallest of n values, which change their order (Hoare's selection). */
static double select_value(double *values, int n, int k)
{
    int low = 0, high = n - 1;
    while (low < high) {
        const double pivot = values[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i > j) break;
            const double kept = values[i];
            values[i++] = values[j];
            values[j--] = kept;
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return values[k];
}

/* Mark the larger half of the cells, rounded down; of equal cells the first. */
static void choose_large(row *r, int count)
{
    double size[PG_MARK_POOLED_MAX];
    const int small = (count + 1) / 2;
    int left = count - small; /* places for cells that equal the least large one */
    if (!left) return;
    for (int c = 0; c < count; c++) size[c] = fabs(r->cell[c]);
    const double least = select_value(size, count, small);
    for (int c = 0; c < count; c++) left -= fabs(r->cell[c]) > least;
    for (int c = 0; c < count; c++) r->large[c] = fabs(r->cell[c]) > least || (fabs(r->cell[c]) == least && left-- > 0);
}

static void read_row(const view *v, const pg_model *model, int bit, row *r)
{
    const pg_mark *m = v->mark;
    const int64_t weights = pg_mark_weights(m) / m->pooled * m->pooled, cells = (int64_t)m->bits * m->pooled;
    memset(r->large, 0, sizeof r->large);
    for (int c = 0; c < m->pooled; c++) {
        const int64_t cell = (int64_t)bit * m->pooled + c;
        double sum = 0;
        r->from[c] = (int)(cell * weights / cells);
        r->to[c] = (int)(((cell + 1) * weights + cells - 1) / cells);
        for (int i = r->from[c]; i < r->to[c]; i++) sum += (double)model->params[offset_of(v, i)];
        r->cell[c] = sum / (r->to[c] - r->from[c]);
    }
    choose_large(r, m->pooled);
}

static void read_residuals(const view *v, const pg_model *model, double *z)
{
    row r;
    for (int bit = 0; bit < v->mark->bits; bit++) {
        read_row(v, model, bit, &r);
        for (int c = 0; c < v->mark->pooled; c++) z[bit] += r.large[c] ? r.cell[c] / v->mark->pooled : 0;
    }
}

static void carry_back_residuals(const view *v, const pg_model *model, double strength, const double *slope, pg_real *gradients)
{
    row r;
    for (int bit = 0; bit < v->mark->bits; bit++) {
        if (slope[bit] == 0) continue;
        read_row(v, model, bit, &r);
        for (int c = 0; c < v->mark->pooled; c++)
            for (int i = r.from[c]; i < r.to[c] && r.large[c]; i++)
                gradients[offset_of(v, i)] += (pg_real)(strength * slope[bit] / v->mark->pooled / (r.to[c] - r.from[c]));
    }
}

/* ---- placed marks ---- */

static void read_placed(const view *v, const pg_model *model, double *z)
{
    const pg_mark *m = v->mark;
    for (int i = 0; i < m->pooled * m->bits; i++)
        z[i % m->bits] += (double)m->projection[i] * (double)model->params[offset_of(v, m->places[i])];
}

static void carry_back_placed(const view *v, double strength, const double *slope, pg_real *gradients)
{
    const pg_mark *m = v->mark;
    for (int i = 0; i < m->pooled * m->bits; i++)
        gradients[offset_of(v, m->places[i])] += (pg_real)(strength * slope[i % m->bits] * (double)m->projection[i]);
}

/* The standard deviation with which the layer of the i-th weight begins. */
static double first_deviation(const pg_mark *m, int i)
{
    int site = 0;
    for (const pg_mark_site *s = m->site; i >= s->kernel * s->kernel * s->inputs * s->outputs; s++, site++)
        i -= s->kernel * s->kernel * s->inputs * s->outputs;
    return sqrt(2.0 / (m->site[site].outputs * m->site[site].kernel * m->site[site].kernel));
}

/* ---- rebuilt pictures ---- */

static void read_rebuilt(const view *v, const pg_model *model, double *z)
{
    const pg_mark *m = v->mark;
    const pg_real *pictures = pg_mark_decoder(m) + m->pooled * PG_CODER_PIXELS;
    double encoder[PG_CODER_CODES_MAX * PG_CODER_PIXELS];
    for (int i = 0; i < m->pooled * PG_CODER_PIXELS; i++)
        encoder[i] = (double)model->params[offset_of(v, m->places[i])] / (PG_CODER_SIDE * first_deviation(m, m->places[i]));
    for (int p = 0; p < m->bits; p += PG_CODER_PIXELS)
        pg_coder_rebuild(m->pooled, encoder, pg_mark_decoder(m), pictures + p, z + p);
}

/* The value that a place gets, over its deviation. */
static double value_at(const pg_mark *m, int i)
{
    return (m->form == PG_FORM_REBUILT ? PG_CODER_SIDE : m->b[i % m->bits]) * (double)m->projection[i];
}

void pg_mark_place(const pg_mark *mark, pg_model *model, double scale)
{
    const view v = open_view(mark, model);
    size_t shape[2];
    pg_mark_place_shape(mark, shape);
    for (int i = 0; i < (int)(shape[0] * shape[1]); i++)
        model->params[offset_of(&v, mark->places[i])] =
            (pg_real)(value_at(mark, i) * scale * first_deviation(mark, mark->places[i]));
}

/* ---- activations ---- */

void pg_mark_read_means(const pg_mark *mark, int classes, const double *means, double *z)
{
    for (int i = 0; i < mark->bits; i++) z[i] = 0;
    for (int t = 0; t < mark->pooled; t++) {
        const pg_real *x = mark->projection + (ptrdiff_t)t * mark->bits;
        for (int i = 0; i < mark->bits; i++) z[i] += means[(ptrdiff_t)(i % classes) * mark->pooled + t] * (double)x[i];
    }
}

/* ---- all forms of weights ---- */

void pg_mark_read(const pg_mark *mark, const pg_model *model, double *z)
{
    const view v = open_view(mark, model);
    for (int i = 0; i < mark->bits; i++) z[i] = 0;
    switch (mark->form) {
    case PG_FORM_FILTERED: read_filtered(&v, model, z); break;
    case PG_FORM_RESIDUALS: read_residuals(&v, model, z); break;
    case PG_FORM_PLACED: read_placed(&v, model, z); break;
    case PG_FORM_EXTRACTOR: pg_extractor_read(mark, model, z); break;
    case PG_FORM_REBUILT: read_rebuilt(&v, model, z); break;
    default: read_bank(&v, model, z);
    }
}

void pg_mark_project(const pg_mark *mark, const pg_model *model, double *projected)
{
    pg_mark_read(mark, model, projected);
    for (int i = 0; i < mark->bits && mark->form == PG_FORM_HALVES; i++) projected[i] -= 0.5;
    for (int i = 0; i < mark->bits && mark->form == PG_FORM_WAVES; i++) projected[i] = sin(PG_WAVES * projected[i]);
}

void pg_mark_carry_back(const pg_mark *mark, const pg_model *model, double strength, const double *slope, pg_real *gradients)
{
    const view v = open_view(mark, model);
    switch (mark->form) {
    case PG_FORM_FILTERED: carry_back_filtered(&v, strength, slope, gradients); break;
    case PG_FORM_RESIDUALS: carry_back_residuals(&v, model, strength, slope, gradients); break;
    case PG_FORM_PLACED: carry_back_placed(&v, strength, slope, gradients); break;
    case PG_FORM_EXTRACTOR: pg_extractor_carry_back(mark, model, strength, slope, gradients); break;
    case PG_FORM_REBUILT: break; /* its weights are put there and not trained */
    default: carry_back_bank(&v, strength, slope, gradients);
    }
}

/* log(1 + exp(z)) without overflow. */
static double softplus(double z)
{
    return fmax(z, 0) + log1p(exp(-fabs(z)));
}

double pg_mark_loss(const pg_mark *mark, const pg_model *model, double strength, pg_real *gradients)
{
    double slope[PG_MARK_BITS_MAX], loss = 0;
    pg_mark_read(mark, model, slope);
    for (int i = 0; i < mark->bits; i++) {
        const double b = mark->b[i], z = slope[i];
        loss += softplus(-b * z);
        slope[i] = -b / (1 + exp(b * z));
    }
    pg_mark_carry_back(mark, model, strength, slope, gradients);
    return strength * loss;
}
