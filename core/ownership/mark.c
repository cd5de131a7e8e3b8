/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks; see mark.h. A projection is laid out like weights, with the bit as the last index, so that both products read memory
 * in order. */
#include "core/ownership/mark.h"

#include "core/base/hash.h"
#include "core/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const pg_mark_kinds[] = {"gaussian", "direct", "diff", "signs", "filtered", NULL};

/* ---- making ---- */

/* Find the convolution of this name; name NULL: the first convolution that is a passport layer by default. */
static const pg_layer *find(const pg_layout *layout, const char *name)
{
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_layer *l = &layout->layers[i];
        if (l->conv >= 0 && (name ? strcmp(l->row.name, name) == 0 : l->row.passport)) return l;
    }
    return NULL;
}

/* Number of non-zero entries of a filter, each at a position that no other filter uses; 0: all entries are non-zero. */
static int ones_of(pg_mark_kind kind)
{
    return kind == PG_MARK_DIRECT ? 1 : kind == PG_MARK_DIFF ? 2 : 0;
}

pg_status pg_mark_fits(const pg_mark *mark, pg_mark_kind kind, pg_error *err)
{
    const int positions = mark->bits * ones_of(kind);
    if ((mark->rounds > 0) != (kind == PG_MARK_FILTERED))
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s has %s filter, unlike the kind %s", mark->layer,
                       mark->rounds ? "a" : "no", pg_mark_kinds[kind]);
    if (mark->bits <= PG_MARK_BITS_MAX && positions <= pg_mark_width(mark)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "bits: %d %s ones do not fit %s, whose filters have %d weights", mark->bits,
                   pg_mark_kinds[kind], mark->layer, pg_mark_width(mark));
}

/* A mark of the layer's shape, without arrays. */
static pg_status place(const pg_layout *layout, const char *layer, int bits, pg_mark *out, const pg_layer **found,
                       pg_error *err)
{
    const pg_layer *l = *found = find(layout, strcmp(layer, "default") == 0 ? NULL : layer);
    if (!l) return pg_fail(err, PG_BAD_INPUT, "layer: %s has no convolution '%s'", layout->spec.arch->name, layer);
    *out = (pg_mark){.kernel = l->row.kernel, .inputs = l->in_channels, .bits = bits};
    snprintf(out->layer, sizeof out->layer, "%s", l->row.name);
    return PG_OK;
}

static pg_status shape(const pg_layout *layout, const char *layer, int bits, pg_mark_kind kind, pg_mark *out, pg_error *err)
{
    const pg_layer *l;
    const pg_status status = place(layout, layer, bits, out, &l, err);
    return status == PG_OK ? pg_mark_fits(out, kind, err) : status;
}

static int weights_of(const pg_layer *l)
{
    return l->row.kernel * l->row.kernel * l->in_channels * l->out_channels;
}

enum { SPARE = 4 }; /* at least this many rows of weights, because fewer than half of the bits may be ones */

static pg_status shape_filtered(const pg_layout *layout, const char *layer, int bits, int rounds, int pooled, pg_mark *out,
                                pg_error *err)
{
    const pg_layer *l;
    const pg_status status = place(layout, layer, bits, out, &l, err);
    if (status != PG_OK) return status;
    out->rounds = rounds;
    out->pooled = pooled;
    out->outputs = l->out_channels;
    if (weights_of(l) >> rounds >= SPARE * pooled) return PG_OK;
    return pg_fail(
        err, PG_BAD_INPUT,
        "rounds, pooled: of the %d weights of %s about %d are left after %d round%s, expected at least %d for %d values",
        weights_of(l), out->layer, weights_of(l) >> rounds, rounds, rounds == 1 ? "" : "s", SPARE * pooled, pooled);
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

pg_status pg_mark_create_filtered(const pg_net_spec *spec, const char *layer, int bits, int rounds, int pooled, pg_mark *out,
                                  pg_error *err)
{
    pg_layout layout;
    *out = (pg_mark){0};
    pg_status status = pg_layout_plan(spec, &layout, err);
    if (status == PG_OK) status = shape_filtered(&layout, layer, bits, rounds, pooled, out, err);
    if (status == PG_OK) status = pg_mark_allocate(out, err);
    return status;
}

static pg_status draw_positions(pg_mark *mark, int ones, pg_rng *rng, pg_error *err)
{
    uint32_t *order = NULL;
    const pg_status status = pg_alloc((size_t)pg_mark_width(mark), sizeof *order, &order, err);
    if (status != PG_OK) return status;
    memset(mark->projection, 0, (size_t)pg_mark_width(mark) * (size_t)mark->bits * sizeof *mark->projection);
    pg_rng_permutation(rng, order, (size_t)pg_mark_width(mark));
    for (int j = 0; j < mark->bits * ones; j++)
        mark->projection[(size_t)order[j] * (size_t)mark->bits + (size_t)(j / ones)] = j % ones ? -1 : 1;
    pg_free(order);
    return PG_OK;
}

/* The bits of a free filtered mark. */
static void hash_projection(const pg_mark *mark, int8_t *b)
{
    unsigned char digest[PG_MARK_BITS_MAX / 8];
    const size_t count = (size_t)pg_mark_width(mark) * (size_t)mark->bits;
    pg_hash hash;
    pg_shake_start(&hash);
    for (size_t i = 0; i < count; i++) {
        const float value = (float)mark->projection[i];
        pg_hash_add(&hash, &value, sizeof value);
    }
    pg_shake_finish(&hash, digest, (size_t)(mark->bits + 7) / 8);
    for (int i = 0; i < mark->bits; i++) b[i] = digest[i / 8] >> (7 - i % 8) & 1 ? 1 : -1;
}

pg_status pg_mark_draw(pg_mark *mark, pg_mark_kind kind, pg_rng *rng, pg_error *err)
{
    const size_t count = (size_t)pg_mark_width(mark) * (size_t)mark->bits;
    const pg_status status = pg_mark_fits(mark, kind, err);
    if (status != PG_OK) return status;
    if (ones_of(kind)) return draw_positions(mark, ones_of(kind), rng, err);
    for (size_t i = 0; i < count; i++)
        mark->projection[i] =
            kind == PG_MARK_SIGNS ? (pg_real)(2 * (int)pg_rng_below(rng, 2) - 1) : (pg_real)pg_rng_normal(rng);
    if (kind == PG_MARK_FILTERED) hash_projection(mark, mark->b);
    return PG_OK;
}

pg_status pg_mark_check_hash(const pg_mark *mark, pg_error *err)
{
    int8_t b[PG_MARK_BITS_MAX];
    hash_projection(mark, b);
    if (memcmp(b, mark->b, (size_t)mark->bits) == 0) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "the bits for %s are not the hash of its projection", mark->layer);
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
    if (mark->rounds && (*out)->out_channels != mark->outputs)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s is for %d filters, the model has %d", mark->layer, mark->outputs,
                       (*out)->out_channels);
    return PG_OK;
}

/* Mean of tap j over the output filters. */
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

/* ---- the filter of a mark ---- */

typedef struct filter {
    const pg_mark *mark;
    int ones, at[PG_MARK_BITS_MAX]; /* bits that are +1: their number and their places */
    int rows;                       /* of the weights that are left after all rounds */
} filter;

static void open_filter(const pg_mark *mark, filter *f)
{
    int count = mark->kernel * mark->kernel * mark->inputs * mark->outputs;
    f->mark = mark;
    f->ones = 0;
    for (int i = 0; i < mark->bits; i++)
        if (mark->b[i] > 0) f->at[f->ones++] = i;
    for (int r = 0; r < mark->rounds; r++) count = count / mark->bits * f->ones;
    f->rows = count / mark->pooled;
}

/* Where the i-th of the weights that are left lies in memory, [R,R,C,K]: back through the rounds to its place in the state
 * dict's order, [K,C,R,R]. */
static ptrdiff_t offset_of(const filter *f, int i)
{
    const pg_mark *m = f->mark;
    const int taps = m->kernel * m->kernel;
    for (int r = 0; r < m->rounds; r++) i = i / f->ones * m->bits + f->at[i % f->ones];
    return (ptrdiff_t)(i % taps * m->inputs + i / taps % m->inputs) * m->outputs + i / taps / m->inputs;
}

int pg_mark_rows(const pg_mark *mark)
{
    filter f;
    open_filter(mark, &f);
    return f.rows;
}

pg_status pg_mark_check_rows(const pg_mark *mark, pg_error *err)
{
    if (!mark->rounds || pg_mark_rows(mark)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "the bits of this key choose fewer than %d weights; take more bits or fewer rounds",
                   mark->pooled);
}

/* w [pooled] of a filtered mark. */
static void pool(const pg_mark *mark, const pg_real *weights, double *w)
{
    filter f;
    open_filter(mark, &f);
    memset(w, 0, (size_t)mark->pooled * sizeof *w);
    for (int i = 0; i < f.rows * mark->pooled; i++) w[i % mark->pooled] += (double)weights[offset_of(&f, i)];
    for (int j = 0; j < mark->pooled && f.rows; j++) w[j] /= f.rows;
}

/* ---- reading and embedding ---- */

void pg_mark_project(const pg_mark *mark, const pg_model *model, const pg_layer *layer, double *projected)
{
    double w[PG_MARK_POOLED_MAX];
    if (mark->rounds) pool(mark, model->params + layer->weight, w);
    for (int i = 0; i < mark->bits; i++) projected[i] = 0;
    for (int j = 0; j < pg_mark_width(mark); j++) {
        const pg_real *x = mark->projection + (ptrdiff_t)j * mark->bits;
        const double value = mark->rounds ? w[j] : mean_tap(model, layer, j);
        for (int i = 0; i < mark->bits; i++) projected[i] += value * (double)x[i];
    }
}

/* log(1 + exp(z)) without overflow. */
static double softplus(double z)
{
    return fmax(z, 0) + log1p(exp(-fabs(z)));
}

/* Derivative of E by value j of w. */
static double slope_of(const pg_mark *mark, const double *residual, int j)
{
    const pg_real *x = mark->projection + (ptrdiff_t)j * mark->bits;
    double slope = 0;
    for (int i = 0; i < mark->bits; i++) slope += residual[i] * (double)x[i];
    return slope;
}

static void add_to_chosen(const pg_mark *mark, double strength, const double *residual, pg_real *g)
{
    double slope[PG_MARK_POOLED_MAX];
    filter f;
    open_filter(mark, &f);
    for (int j = 0; j < mark->pooled && f.rows; j++) slope[j] = strength * slope_of(mark, residual, j) / f.rows;
    for (int i = 0; i < f.rows * mark->pooled; i++) g[offset_of(&f, i)] += (pg_real)slope[i % mark->pooled];
}

/* k: outputs of the layer. */
static void add_to_filters(const pg_mark *mark, int k, double strength, const double *residual, pg_real *g)
{
    for (int j = 0; j < pg_mark_width(mark); j++) {
        const double slope = slope_of(mark, residual, j);
        for (int o = 0; o < k; o++) g[(ptrdiff_t)j * k + o] += (pg_real)(strength * slope / k);
    }
}

double pg_mark_loss(const pg_mark *mark, const pg_model *model, const pg_layer *layer, double strength, pg_real *gradients)
{
    double residual[PG_MARK_BITS_MAX], loss = 0;
    pg_mark_project(mark, model, layer, residual);
    for (int i = 0; i < mark->bits; i++) {
        const double b = mark->b[i], z = residual[i];
        loss += softplus(-b * z);
        residual[i] = -b / (1 + exp(b * z));
    }
    if (mark->rounds)
        add_to_chosen(mark, strength, residual, gradients + layer->weight);
    else
        add_to_filters(mark, layer->out_channels, strength, residual, gradients + layer->weight);
    return strength * loss;
}
