/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making and checking marks; see mark.h. A bank is laid out like weights, with the bit as the last index, so that both products
 * read memory in order. Reading: mark_read.c. */
#include "core/ownership/mark.h"

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/nets/choice.h"
#include "core/ownership/autoencoder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const pg_mark_kinds[] = {"gaussian", "direct",    "diff",   "signs",       "filtered",  "uniform", "centred",
                                     "waves",    "residuals", "placed", "activations", "extractor", "rebuilt", NULL};

static const pg_mark_form forms[] = {
    [PG_MARK_GAUSSIAN] = PG_FORM_SIGNS,
    [PG_MARK_DIRECT] = PG_FORM_SIGNS,
    [PG_MARK_DIFF] = PG_FORM_SIGNS,
    [PG_MARK_SIGNS] = PG_FORM_SIGNS,
    [PG_MARK_FILTERED] = PG_FORM_FILTERED,
    [PG_MARK_UNIFORM] = PG_FORM_HALVES,
    [PG_MARK_CENTRED] = PG_FORM_HALVES,
    [PG_MARK_WAVES] = PG_FORM_WAVES,
    [PG_MARK_RESIDUALS] = PG_FORM_RESIDUALS,
    [PG_MARK_PLACED] = PG_FORM_PLACED,
    [PG_MARK_ACTIVATIONS] = PG_FORM_ACTIVATIONS,
    [PG_MARK_EXTRACTOR] = PG_FORM_EXTRACTOR,
    [PG_MARK_REBUILT] = PG_FORM_REBUILT,
};

pg_mark_form pg_mark_form_of(const char *kind)
{
    for (int k = 0; pg_mark_kinds[k]; k++)
        if (strcmp(pg_mark_kinds[k], kind) == 0) return forms[k];
    return PG_FORM_SIGNS;
}

/* ---- sizes ---- */

int pg_mark_weights(const pg_mark *mark)
{
    int weights = 0;
    for (int i = 0; i < mark->site_count; i++) {
        const pg_mark_site *s = &mark->site[i];
        weights += s->kernel * s->kernel * s->inputs * s->outputs;
    }
    return weights;
}

/* Number of non-zero entries of a filter, each at a position that no other filter uses; 0: all entries are non-zero. */
static int ones_of(pg_mark_kind kind)
{
    return kind == PG_MARK_DIRECT ? 1 : kind == PG_MARK_DIFF ? 2 : 0;
}

static pg_status fits_bank(const pg_mark *mark, pg_mark_kind kind, pg_error *err)
{
    const int positions = mark->bits * ones_of(kind);
    if (mark->bits <= PG_MARK_BITS_MAX && positions <= pg_mark_width(mark)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "bits: %d %s ones do not fit %s, whose filters have %d weights", mark->bits,
                   pg_mark_kinds[kind], mark->site[0].layer, pg_mark_width(mark));
}

static pg_status fits_list(const pg_mark *mark, pg_error *err)
{
    const int unit = mark->form == PG_FORM_RESIDUALS ? mark->pooled : 1, weights = pg_mark_weights(mark) / unit * unit;
    const long needed = (long)mark->bits * (mark->form == PG_FORM_PLACED ? mark->pooled : 1);
    if (mark->bits <= PG_MARK_BITS_MAX && needed <= weights) return PG_OK;
    char rows[48] = "";
    if (unit > 1) snprintf(rows, sizeof rows, " in whole rows of %d", unit);
    return pg_fail(err, PG_BAD_INPUT, "bits: %d bits need %ld weights, %s%s %d%s", mark->bits, needed, mark->site[0].layer,
                   mark->site_count > 1 ? " and the other layers have" : " has", weights, rows);
}

/* Number of values of the projection. */
static size_t values_of(const pg_mark *mark)
{
    size_t shape[2];
    pg_mark_shape(mark, shape);
    return shape[0] * shape[1];
}

static pg_status fits_extractor(const pg_mark *mark, pg_error *err)
{
    if (mark->bits <= PG_MARK_BITS_MAX && values_of(mark) <= PG_MARK_VALUES_MAX) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT,
                   "layers, hidden: %d taps of %s and %d bits with %d hidden units are %zu values, at most %d",
                   pg_mark_width(mark), mark->site[0].layer, mark->bits, mark->pooled, values_of(mark), PG_MARK_VALUES_MAX);
}

static pg_status fits_rebuilt(const pg_mark *mark, pg_error *err)
{
    const int needed = mark->pooled * PG_CODER_PIXELS, weights = pg_mark_weights(mark);
    if (mark->bits > PG_MARK_BITS_MAX || mark->bits % PG_CODER_PIXELS || mark->pooled > PG_CODER_CODES_MAX)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s has %d codes and %d bits, expected at most %d and a multiple of %d",
                       mark->site[0].layer, mark->pooled, mark->bits, PG_CODER_CODES_MAX, PG_CODER_PIXELS);
    if (needed <= weights) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "codes: %d codes need %d weights, %s%s %d", mark->pooled, needed, mark->site[0].layer,
                   mark->site_count > 1 ? " and the other layers have" : " has", weights);
}

pg_status pg_mark_fits(const pg_mark *mark, pg_mark_kind kind, pg_error *err)
{
    if (mark->form != forms[kind])
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s is not read as the kind %s is", mark->site[0].layer,
                       pg_mark_kinds[kind]);
    if (pg_mark_is_bank(mark)) return fits_bank(mark, kind, err);
    if (mark->form == PG_FORM_EXTRACTOR) return fits_extractor(mark, err);
    if (mark->form == PG_FORM_REBUILT) return fits_rebuilt(mark, err);
    const bool list = mark->form == PG_FORM_RESIDUALS || mark->form == PG_FORM_PLACED;
    return list ? fits_list(mark, err) : PG_OK;
}

/* ---- making ---- */

/* A mark of the chosen layers' shape, without arrays. */
static pg_status place(const pg_layout *layout, const char *layers, int bits, pg_mark_kind kind, pg_mark *out, pg_error *err)
{
    uint64_t chosen;
    const uint64_t passports = pg_arch_default_passports(layout->spec.arch);
    const pg_status status = pg_choice_read(layers, &layout->spec, pg_arch_convolutions(layout->spec.arch),
                                            passports & (~passports + 1), &chosen, err);
    if (status != PG_OK) return status;
    *out = (pg_mark){.form = forms[kind], .bits = bits};
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_layer *l = &layout->layers[i];
        if (l->conv < 0 || !(chosen >> l->conv & 1)) continue;
        if (out->site_count == PG_MARK_SITES_MAX)
            return pg_fail(err, PG_BAD_INPUT, "layers: a mark has at most %d", PG_MARK_SITES_MAX);
        pg_mark_site *site = &out->site[out->site_count++];
        *site = (pg_mark_site){
            .kernel = l->row.kernel, .inputs = l->in_channels, .outputs = pg_mark_is_bank(out) ? 0 : l->out_channels};
        snprintf(site->layer, sizeof site->layer, "%s", l->row.name);
    }
    return PG_OK;
}

static pg_status shape(const pg_layout *layout, const char *layers, int bits, pg_mark_kind kind, int pooled, pg_mark *out,
                       pg_error *err)
{
    const pg_status status = place(layout, layers, bits, kind, out, err);
    if (status != PG_OK) return status;
    out->pooled = pooled;
    return pg_mark_fits(out, kind, err);
}

enum { SPARE = 4 }; /* at least this many rows of weights, because fewer than half of the bits may be ones */

static pg_status shape_filtered(const pg_layout *layout, const char *layers, int bits, int rounds, int pooled, pg_mark *out,
                                pg_error *err)
{
    const pg_status status = shape(layout, layers, bits, PG_MARK_FILTERED, pooled, out, err);
    if (status != PG_OK) return status;
    const int weights = pg_mark_weights(out);
    out->rounds = rounds;
    if (weights >> rounds >= SPARE * pooled) return PG_OK;
    return pg_fail(
        err, PG_BAD_INPUT,
        "rounds, pooled: of the %d weights of %s about %d are left after %d round%s, expected at least %d for %d values",
        weights, out->site[0].layer, weights >> rounds, rounds, rounds == 1 ? "" : "s", SPARE * pooled, pooled);
}

pg_status pg_mark_check(const pg_model *model, const char *layers, int bits, pg_mark_kind kind, pg_error *err)
{
    pg_mark mark;
    return shape(&model->layout, layers, bits, kind, 0, &mark, err);
}

pg_status pg_mark_create_listed(const pg_net_spec *spec, const char *layers, int bits, pg_mark_kind kind, int pooled,
                                pg_mark *out, pg_error *err)
{
    pg_layout layout;
    *out = (pg_mark){0};
    pg_status status = pg_layout_plan(spec, &layout, err);
    if (status == PG_OK) status = shape(&layout, layers, bits, kind, pooled, out, err);
    if (status == PG_OK) status = pg_mark_allocate(out, err);
    return status;
}

pg_status pg_mark_create(const pg_net_spec *spec, const char *layers, int bits, pg_mark_kind kind, pg_mark *out, pg_error *err)
{
    return pg_mark_create_listed(spec, layers, bits, kind, 0, out, err);
}

pg_status pg_mark_create_filtered(const pg_net_spec *spec, const char *layers, int bits, int rounds, int pooled, pg_mark *out,
                                  pg_error *err)
{
    pg_layout layout;
    *out = (pg_mark){0};
    pg_status status = pg_layout_plan(spec, &layout, err);
    if (status == PG_OK) status = shape_filtered(&layout, layers, bits, rounds, pooled, out, err);
    if (status == PG_OK) status = pg_mark_allocate(out, err);
    return status;
}

int pg_mark_values_into(const pg_layer *layer)
{
    return layer->in_height * layer->in_width * layer->in_channels;
}

const pg_layer *pg_mark_find_reader(const char *layer, const pg_layout *layout)
{
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_layer *l = &layout->layers[i];
        if ((l->row.kind == PG_ROW_CONV || l->row.kind == PG_ROW_DENSE) && strcmp(l->row.name, layer) == 0) return l;
    }
    return NULL;
}

static pg_status shape_activations(const pg_layout *layout, const char *layer, pg_mark *out, pg_error *err)
{
    const bool last = strcmp(layer, "default") == 0;
    const pg_layer *l = last ? pg_layout_classifier(layout) : pg_mark_find_reader(layer, layout);
    if (!l || l->row.input == PG_IMAGES)
        return pg_fail(err, PG_BAD_INPUT, "layer: %s has no layer '%s' that reads the output of another",
                       layout->spec.arch->name, layer);
    out->pooled = out->site[0].inputs = pg_mark_values_into(l);
    out->site_count = 1;
    snprintf(out->site[0].layer, PG_NAME_MAX, "%s", l->row.name);
    if (out->pooled <= PG_MARK_ACTIVATIONS_MAX) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "layer: %d values enter %s, expected at most %d", out->pooled, layer,
                   PG_MARK_ACTIVATIONS_MAX);
}

pg_status pg_mark_create_activations(const pg_net_spec *spec, const char *layer, int bits, pg_pixels pixels, pg_mark *out,
                                     pg_error *err)
{
    pg_layout layout;
    *out = (pg_mark){.form = PG_FORM_ACTIVATIONS, .bits = bits, .pixels = (int)pixels};
    pg_status status = pg_layout_plan(spec, &layout, err);
    if (status == PG_OK) status = shape_activations(&layout, layer, out, err);
    if (status == PG_OK) status = pg_mark_allocate(out, err);
    return status;
}

/* ---- drawing ---- */

static pg_status draw_positions(pg_mark *mark, int ones, pg_rng *rng, pg_error *err)
{
    uint32_t *order = NULL;
    const pg_status status = pg_alloc((size_t)pg_mark_width(mark), sizeof *order, &order, err);
    if (status != PG_OK) return status;
    memset(mark->projection, 0, values_of(mark) * sizeof *mark->projection);
    pg_rng_permutation(rng, order, (size_t)pg_mark_width(mark));
    for (int j = 0; j < mark->bits * ones; j++)
        mark->projection[(size_t)order[j] * (size_t)mark->bits + (size_t)(j / ones)] = j % ones ? -1 : 1;
    pg_free(order);
    return PG_OK;
}

/* Of variance 1. */
static double draw_laplace(pg_rng *rng)
{
    const double size = -log(1 - pg_rng_uniform(rng)) / sqrt(2);
    return pg_rng_below(rng, 2) ? size : -size;
}

static size_t place_count(const pg_mark *mark)
{
    size_t shape[2];
    pg_mark_place_shape(mark, shape);
    return shape[0] * shape[1];
}

static pg_status draw_places(pg_mark *mark, pg_rng *rng, pg_error *err)
{
    uint32_t *order = NULL;
    const size_t weights = (size_t)pg_mark_weights(mark);
    const pg_status status = pg_alloc(weights, sizeof *order, &order, err);
    if (status != PG_OK) return status;
    pg_rng_permutation(rng, order, weights);
    for (size_t i = 0; i < place_count(mark); i++) {
        mark->places[i] = (int32_t)order[i];
        if (mark->form == PG_FORM_PLACED) mark->projection[i] = (pg_real)draw_laplace(rng);
    }
    pg_free(order);
    return PG_OK;
}

static double length_of(const pg_mark *mark, int bit)
{
    double square = 0;
    for (int j = 0; j < pg_mark_width(mark); j++) {
        const double x = (double)mark->projection[(ptrdiff_t)j * mark->bits + bit];
        square += x * x;
    }
    return sqrt(square);
}

static void scale_to_length_1(pg_mark *mark)
{
    for (int i = 0; i < mark->bits; i++) {
        const double length = length_of(mark, i);
        for (int j = 0; j < pg_mark_width(mark); j++) {
            pg_real *x = &mark->projection[(ptrdiff_t)j * mark->bits + i];
            *x = (pg_real)((double)*x / length);
        }
    }
}

/* Mean filters of first weights have a length of about sqrt(taps) times their deviation, so U spreads hidden units by 2. */
static void draw_extractor(pg_mark *mark, pg_rng *rng)
{
    pg_real *x = mark->projection;
    const double spread = 2 / sqrt(pg_mark_width(mark));
    for (const pg_mark_site *s = mark->site; s < mark->site + mark->site_count; s++) {
        const int taps = s->kernel * s->kernel;
        const double first = sqrt(2.0 / (s->outputs * taps)) / sqrt(s->outputs);
        for (int i = 0; i < taps * s->inputs * mark->pooled; i++) *x++ = (pg_real)(spread / first * pg_rng_normal(rng));
    }
    for (int i = 0; i < mark->bits * mark->pooled; i++) *x++ = (pg_real)(pg_rng_normal(rng) / sqrt(mark->pooled));
}

static double draw_value(pg_mark_kind kind, pg_rng *rng)
{
    if (kind == PG_MARK_SIGNS) return 2 * (int)pg_rng_below(rng, 2) - 1;
    if (kind == PG_MARK_UNIFORM || kind == PG_MARK_CENTRED) return pg_rng_uniform(rng) - (kind == PG_MARK_CENTRED ? 0.5 : 0);
    return pg_rng_normal(rng);
}

/* The bits of a free filtered mark. */
static void hash_projection(const pg_mark *mark, int8_t *b)
{
    unsigned char digest[PG_MARK_BITS_MAX / 8];
    pg_hash hash;
    pg_shake_start(&hash);
    for (size_t i = 0; i < values_of(mark); i++) {
        const float value = (float)mark->projection[i];
        pg_hash_add(&hash, &value, sizeof value);
    }
    pg_shake_finish(&hash, digest, (size_t)(mark->bits + 7) / 8);
    for (int i = 0; i < mark->bits; i++) b[i] = digest[i / 8] >> (7 - i % 8) & 1 ? 1 : -1;
}

pg_status pg_mark_draw(pg_mark *mark, pg_mark_kind kind, pg_rng *rng, pg_error *err)
{
    const pg_status status = pg_mark_fits(mark, kind, err);
    if (status != PG_OK) return status;
    if (ones_of(kind)) return draw_positions(mark, ones_of(kind), rng, err);
    if (kind == PG_MARK_PLACED || kind == PG_MARK_REBUILT) return draw_places(mark, rng, err);
    if (kind == PG_MARK_EXTRACTOR) {
        draw_extractor(mark, rng);
        return PG_OK;
    }
    for (size_t i = 0; i < values_of(mark); i++) mark->projection[i] = (pg_real)draw_value(kind, rng);
    if (kind == PG_MARK_WAVES) scale_to_length_1(mark);
    if (kind == PG_MARK_FILTERED) hash_projection(mark, mark->b);
    return PG_OK;
}

/* ---- autoencoders ---- */

pg_real *pg_mark_encoder(const pg_mark *mark)
{
    return mark->projection;
}

pg_real *pg_mark_decoder(const pg_mark *mark)
{
    return mark->projection + (ptrdiff_t)mark->pooled * PG_CODER_PIXELS;
}

static pg_real *pictures_of(const pg_mark *mark)
{
    return mark->projection + 2 * (ptrdiff_t)mark->pooled * PG_CODER_PIXELS;
}

static int8_t bit_of(pg_real pixel)
{
    return pixel < 0 ? -1 : 1;
}

void pg_mark_show(pg_mark *mark, const pg_real *pictures)
{
    memcpy(pictures_of(mark), pictures, (size_t)mark->bits * sizeof *pictures);
    for (int i = 0; i < mark->bits; i++) mark->b[i] = bit_of(pictures[i]);
}

static pg_status check_pictures(const pg_mark *mark, pg_error *err)
{
    for (int i = 0; i < mark->bits; i++)
        if (mark->b[i] != bit_of(pictures_of(mark)[i]))
            return pg_fail(err, PG_BAD_INPUT, "bit %d for %s is not the sign of its pixel", i, mark->site[0].layer);
    return PG_OK;
}

pg_status pg_mark_draw_key(pg_mark *mark, pg_mark_kind kind, pg_seed seed, pg_error *err)
{
    pg_rng rng;
    pg_rng_open(&rng, seed, "projection", 0);
    const pg_status status = pg_mark_draw(mark, kind, &rng, err);
    pg_rng_open(&rng, seed, "message", 0);
    for (int i = 0; i < mark->bits && kind != PG_MARK_FILTERED; i++) mark->b[i] = pg_rng_below(&rng, 2) ? 1 : -1;
    return status;
}

/* ---- what its makers guarantee ---- */

pg_status pg_mark_check_hash(const pg_mark *mark, pg_error *err)
{
    int8_t b[PG_MARK_BITS_MAX];
    hash_projection(mark, b);
    if (memcmp(b, mark->b, (size_t)mark->bits) == 0) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "the bits for %s are not the hash of its projection", mark->site[0].layer);
}

pg_status pg_mark_check_rows(const pg_mark *mark, pg_error *err)
{
    if (!mark->rounds || pg_mark_rows(mark)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "the bits of this key choose fewer than %d weights; take more bits or fewer rounds",
                   mark->pooled);
}

static pg_status check_range(const pg_mark *mark, double low, double high, pg_error *err)
{
    for (size_t i = 0; i < values_of(mark); i++)
        if ((double)mark->projection[i] < low || (double)mark->projection[i] > high)
            return pg_fail(err, PG_BAD_INPUT, "the projection for %s has the value %g, expected %g to %g", mark->site[0].layer,
                           (double)mark->projection[i], low, high);
    return PG_OK;
}

static pg_status check_lengths(const pg_mark *mark, pg_error *err)
{
    for (int i = 0; i < mark->bits; i++)
        if (!(fabs(length_of(mark, i) - 1) <= 1e-3))
            return pg_fail(err, PG_BAD_INPUT, "filter %d for %s has length %g, expected 1", i, mark->site[0].layer,
                           length_of(mark, i));
    return PG_OK;
}

static pg_status check_places(const pg_mark *mark, pg_error *err)
{
    pg_status status = PG_OK;
    bool *taken = NULL;
    const int weights = pg_mark_weights(mark);
    PG_TRY(pg_alloc((size_t)weights, sizeof *taken, &taken, err));
    for (size_t i = 0; i < place_count(mark); i++) {
        const int at = mark->places[i];
        if (at < 0 || at >= weights || taken[at])
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "the mark for %s: the place %d is not one of %d weights or stands twice",
                           mark->site[0].layer, at, weights));
        taken[at] = true;
    }
done:
    pg_free(taken);
    return status;
}

pg_status pg_mark_check_projection(const pg_mark *mark, const char *kind, bool bound, pg_error *err)
{
    const bool centred = strcmp(kind, pg_mark_kinds[PG_MARK_CENTRED]) == 0;
    switch (mark->form) {
    case PG_FORM_HALVES: return check_range(mark, centred ? -0.5 : 0, centred ? 0.5 : 1, err);
    case PG_FORM_WAVES: return check_lengths(mark, err);
    case PG_FORM_FILTERED: return bound ? PG_OK : pg_mark_check_hash(mark, err);
    case PG_FORM_PLACED: return check_places(mark, err);
    case PG_FORM_REBUILT: {
        const pg_status status = check_places(mark, err);
        return status == PG_OK ? check_pictures(mark, err) : status;
    }
    default: return PG_OK;
    }
}

pg_status pg_mark_name_layers(const pg_mark *mark, const pg_net_spec *spec, char text[PG_TEXT_MAX], pg_error *err)
{
    pg_status status = PG_OK;
    uint64_t chosen = 0, one;
    const uint64_t all = pg_arch_convolutions(spec->arch);
    for (int i = 0; i < mark->site_count; i++) {
        PG_TRY(pg_choice_read(mark->site[i].layer, spec, all, 0, &one, err));
        chosen |= one;
    }
    PG_TRY(pg_choice_write(spec, chosen, all, 0, text, err));
done:
    return status;
}

/* ---- in a model ---- */

const pg_layer *pg_mark_find(const char *layer, const pg_model *model)
{
    for (int i = 0; i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        if (l->conv >= 0 && strcmp(l->row.name, layer) == 0) return l;
    }
    return NULL;
}

static pg_status fit_site(const pg_mark_site *s, const pg_model *model, pg_error *err)
{
    const pg_layer *l = pg_mark_find(s->layer, model);
    if (!l)
        return pg_fail(err, PG_BAD_INPUT, "the evidence has a mark for %s, a layer that the %s does not have", s->layer,
                       model->spec.arch->name);
    if (l->row.kernel != s->kernel || l->in_channels != s->inputs)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s is for filters of %dx%dx%d, the model has %dx%dx%d", s->layer,
                       s->kernel, s->kernel, s->inputs, l->row.kernel, l->row.kernel, l->in_channels);
    if (s->outputs && l->out_channels != s->outputs)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s is for %d filters, the model has %d", s->layer, s->outputs,
                       l->out_channels);
    return PG_OK;
}

static pg_status fit_activations(const pg_mark *mark, const pg_model *model, pg_error *err)
{
    pg_layout layout;
    const pg_status status = pg_layout_plan(&model->spec, &layout, err);
    if (status != PG_OK) return status;
    const pg_layer *l = pg_mark_find_reader(mark->site[0].layer, &layout);
    if (!l || l->row.input == PG_IMAGES)
        return pg_fail(err, PG_BAD_INPUT, "the evidence has a mark for %s, a layer that the %s does not have",
                       mark->site[0].layer, model->spec.arch->name);
    if (pg_mark_values_into(l) != mark->pooled)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s reads %d values, the model has %d", mark->site[0].layer,
                       mark->pooled, pg_mark_values_into(l));
    if (model->spec.passports && !model->spec.public_affine)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s reads activations, which this network has only with its passports",
                       mark->site[0].layer);
    return PG_OK;
}

pg_status pg_mark_fit(const pg_mark *mark, const pg_model *model, pg_error *err)
{
    pg_status status = PG_OK;
    if (mark->form == PG_FORM_ACTIVATIONS) return fit_activations(mark, model, err);
    for (int i = 0; i < mark->site_count && status == PG_OK; i++) status = fit_site(&mark->site[i], model, err);
    return status;
}
