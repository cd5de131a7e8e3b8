/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks; see mark.h. A projection lies as weights do, the bit running fastest, so that both products walk through memory. */
#include "core/ownership/mark.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const pg_mark_kinds[] = {"gaussian", "direct", "diff", "signs", NULL};

static int taps(const pg_mark *mark)
{
    return mark->kernel * mark->kernel * mark->inputs;
}

/* ---- making ---- */

/* Convolution of that name, or, for NULL, the first that is a passport layer by default. */
static const pg_layer *find(const pg_layout *layout, const char *name)
{
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_layer *l = &layout->layers[i];
        if (l->conv >= 0 && (name ? strcmp(l->row.name, name) == 0 : l->row.passport)) return l;
    }
    return NULL;
}

/* Entries of a filter that are not zero, each in a position of its own; 0: all of them, and filters share their positions. */
static int ones_of(pg_mark_kind kind)
{
    return kind == PG_MARK_DIRECT ? 1 : kind == PG_MARK_DIFF ? 2 : 0;
}

pg_status pg_mark_fits(const pg_mark *mark, pg_mark_kind kind, pg_error *err)
{
    const int positions = mark->bits * ones_of(kind);
    if (mark->bits <= PG_MARK_BITS_MAX && positions <= taps(mark)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "bits: %d %s ones do not fit %s, whose filters have %d weights", mark->bits,
                   pg_mark_kinds[kind], mark->layer, taps(mark));
}

/* A mark without memory. */
static pg_status shape(const pg_layout *layout, const char *layer, int bits, pg_mark_kind kind, pg_mark *out, pg_error *err)
{
    const pg_layer *l = find(layout, strcmp(layer, "default") == 0 ? NULL : layer);
    if (!l) return pg_fail(err, PG_BAD_INPUT, "layer: %s has no convolution '%s'", layout->spec.arch->name, layer);
    *out = (pg_mark){.kernel = l->row.kernel, .inputs = l->in_channels, .bits = bits};
    snprintf(out->layer, sizeof out->layer, "%s", l->row.name);
    return pg_mark_fits(out, kind, err);
}

pg_status pg_mark_check(const pg_model *model, const char *layer, int bits, pg_mark_kind kind, pg_error *err)
{
    pg_mark mark;
    return shape(&model->layout, layer, bits, kind, &mark, err);
}

pg_status pg_mark_create(const pg_net_spec *spec, const char *layer, int bits, pg_mark_kind kind, pg_mark *out, pg_error *err)
{
    pg_layout layout;
    *out = (pg_mark){0};
    pg_status status = pg_layout_plan(spec, &layout, err);
    if (status == PG_OK) status = shape(&layout, layer, bits, kind, out, err);
    if (status == PG_OK) status = pg_mark_allocate(out, err);
    return status;
}

static pg_status draw_positions(pg_mark *mark, int ones, pg_rng *rng, pg_error *err)
{
    uint32_t *order = NULL;
    const pg_status status = pg_alloc((size_t)taps(mark), sizeof *order, &order, err);
    if (status != PG_OK) return status;
    memset(mark->projection, 0, (size_t)taps(mark) * (size_t)mark->bits * sizeof *mark->projection);
    pg_rng_permutation(rng, order, (size_t)taps(mark));
    for (int j = 0; j < mark->bits * ones; j++)
        mark->projection[(size_t)order[j] * (size_t)mark->bits + (size_t)(j / ones)] = j % ones ? -1 : 1;
    pg_free(order);
    return PG_OK;
}

pg_status pg_mark_draw(pg_mark *mark, pg_mark_kind kind, pg_rng *rng, pg_error *err)
{
    const size_t count = (size_t)taps(mark) * (size_t)mark->bits;
    const pg_status status = pg_mark_fits(mark, kind, err);
    if (status != PG_OK) return status;
    if (ones_of(kind)) return draw_positions(mark, ones_of(kind), rng, err);
    for (size_t i = 0; i < count; i++)
        mark->projection[i] =
            kind == PG_MARK_SIGNS ? (pg_real)(2 * (int)pg_rng_below(rng, 2) - 1) : (pg_real)pg_rng_normal(rng);
    return PG_OK;
}

/* ---- in a model ---- */

const pg_layer *pg_mark_find(const pg_mark *mark, const pg_model *model)
{
    return find(&model->layout, mark->layer);
}

pg_status pg_mark_layer(const pg_mark *mark, const pg_model *model, const pg_layer **out, pg_error *err)
{
    *out = pg_mark_find(mark, model);
    if (!*out)
        return pg_fail(err, PG_BAD_INPUT, "the evidence has a mark for %s, a layer that the %s does not have", mark->layer,
                       model->spec.arch->name);
    if ((*out)->row.kernel != mark->kernel || (*out)->in_channels != mark->inputs)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s is for filters of %dx%dx%d, the model has %dx%dx%d", mark->layer,
                       mark->kernel, mark->kernel, mark->inputs, (*out)->row.kernel, (*out)->row.kernel, (*out)->in_channels);
    return PG_OK;
}

/* Mean over the output filters of tap j. */
static double mean_tap(const pg_model *model, const pg_layer *layer, int j)
{
    const int k = layer->out_channels;
    const pg_real *w = model->params + layer->weight + (ptrdiff_t)j * k;
    double sum = 0;
    for (int o = 0; o < k; o++) sum += (double)w[o];
    return sum / k;
}

void pg_mark_mean_filter(const pg_model *model, const pg_layer *layer, double *mean)
{
    const int count = layer->row.kernel * layer->row.kernel * layer->in_channels;
    for (int j = 0; j < count; j++) mean[j] = mean_tap(model, layer, j);
}

void pg_mark_project(const pg_mark *mark, const pg_model *model, const pg_layer *layer, double *projected)
{
    for (int i = 0; i < mark->bits; i++) projected[i] = 0;
    for (int j = 0; j < taps(mark); j++) {
        const pg_real *x = mark->projection + (ptrdiff_t)j * mark->bits;
        const double w = mean_tap(model, layer, j);
        for (int i = 0; i < mark->bits; i++) projected[i] += w * (double)x[i];
    }
}

/* log(1 + exp(z)) without overflow. */
static double softplus(double z)
{
    return fmax(z, 0) + log1p(exp(-fabs(z)));
}

double pg_mark_loss(const pg_mark *mark, const pg_model *model, const pg_layer *layer, double strength, pg_real *gradients)
{
    double residual[PG_MARK_BITS_MAX], loss = 0;
    const int k = layer->out_channels;
    pg_mark_project(mark, model, layer, residual);
    for (int i = 0; i < mark->bits; i++) {
        const double b = mark->b[i], z = residual[i];
        loss += softplus(-b * z);
        residual[i] = -b / (1 + exp(b * z));
    }
    for (int j = 0; j < taps(mark); j++) {
        const pg_real *x = mark->projection + (ptrdiff_t)j * mark->bits;
        pg_real *g = gradients + layer->weight + (ptrdiff_t)j * k;
        double slope = 0;
        for (int i = 0; i < mark->bits; i++) slope += residual[i] * (double)x[i];
        for (int o = 0; o < k; o++) g[o] += (pg_real)(strength * slope / k);
    }
    return strength * loss;
}
