/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making, drawing, checking and applying rewrites; see rewrite.h. */
#include "core/nets/rewrite.h"

#include "core/base/memory.h"

#include <math.h>

/* ---- making ---- */

static pg_status allocate_ones(int count, double **out, pg_error *err)
{
    const pg_status status = pg_alloc((size_t)count, sizeof **out, out, err);
    for (int i = 0; status == PG_OK && i < count; i++) (*out)[i] = 1;
    return status;
}

/* Does the layer multiply the channels of its space by factors? */
static bool scales_channels(const pg_layout *layout, const pg_spaces *spaces, int layer)
{
    return layout->layers[layer].row.kind == PG_ROW_NORM || pg_layer_makes(layout, spaces, layer, spaces->out[layer]);
}

pg_status pg_rewrite_create(const pg_layout *made, pg_rewrite **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_rewrite *r = NULL;
    PG_TRY(pg_alloc(1, sizeof *r, &r, err));
    pg_spaces_find(made, &r->spaces);
    for (int s = 0; s < r->spaces.count; s++) {
        PG_TRY(pg_alloc((size_t)r->spaces.channels[s], sizeof **r->from, &r->from[s], err));
        for (int o = 0; o < r->spaces.channels[s]; o++) r->from[s][o] = o;
        PG_TRY(allocate_ones(r->spaces.channels[s], &r->scale[s], err));
    }
    for (int i = 0; i < made->layer_count; i++)
        if (r->spaces.out[i] >= 0 && scales_channels(made, &r->spaces, i))
            PG_TRY(allocate_ones(made->layers[i].out_channels, &r->gain[i], err));
    *out = r;
    r = NULL;
done:
    pg_rewrite_destroy(&r);
    return status;
}

void pg_rewrite_destroy(pg_rewrite **rewrite)
{
    if (!*rewrite) return;
    for (int i = 0; i < PG_ROWS_MAX; i++) {
        pg_free((*rewrite)->from[i]);
        pg_free((*rewrite)->scale[i]);
        pg_free((*rewrite)->gain[i]);
    }
    pg_free(*rewrite);
    *rewrite = NULL;
}

/* ---- what is allowed ---- */

static bool learns_gamma(const pg_layer *layer)
{
    return layer->affine[PG_PUBLIC].gamma >= 0;
}

pg_gain_rule pg_layer_gain_rule(const pg_layer *layer, pg_branch kept)
{
    const bool follows = layer->norm == PG_NORM_BN || layer->norm == PG_NORM_NONE;
    if (layer->row.kind == PG_ROW_DENSE) return PG_GAIN_SCALE;
    if (layer->row.kind == PG_ROW_NORM) return follows ? PG_GAIN_SCALE : PG_GAIN_ONE;
    if (kept != PG_PUBLIC && layer->affine[PG_PRIVATE].from_passport)
        return layer->norm == PG_NORM_BN ? PG_GAIN_SCALE : PG_GAIN_ONE;
    switch (layer->norm) {
    case PG_NORM_BN: return PG_GAIN_ANY;
    case PG_NORM_GN: return PG_GAIN_SIGN;
    case PG_NORM_IN: return learns_gamma(layer) ? PG_GAIN_SIGN : PG_GAIN_ONE;
    case PG_NORM_NONE: break;
    }
    return learns_gamma(layer) ? PG_GAIN_ANY : PG_GAIN_SCALE;
}

static pg_gain_rule rule_of(const pg_model *model, int layer, pg_branch kept)
{
    return pg_layer_gain_rule(&model->layers[layer], kept);
}

/* The smallest gain of a filter that batch norm can undo. A smaller one would need a negative variance. */
static double least_gain(const pg_model *model, const pg_layer *layer, int channel)
{
    double least = 0;
    for (int b = 0; b < 2; b++) {
        const ptrdiff_t var = layer->affine[b].var;
        if (var >= 0) least = fmax(least, sqrt(PG_NORM_EPS / ((double)model->buffers[var + channel] + PG_NORM_EPS)));
    }
    return least;
}

/* ---- drawing ---- */

static double draw_magnitude(pg_rng *rng)
{
    return exp(log(4) * (2 * pg_rng_uniform(rng) - 1));
}

/* Shuffle `count` blocks of `size` items each (Fisher-Yates). */
static void shuffle(int *items, int count, int size, pg_rng *rng)
{
    for (int i = count - 1; i > 0; i--) {
        const int j = (int)pg_rng_below(rng, (uint64_t)i + 1);
        for (int k = 0; k < size; k++) {
            const int swap = items[i * size + k];
            items[i * size + k] = items[j * size + k];
            items[j * size + k] = swap;
        }
    }
}

/* A uniform permutation of whole blocks, and of the channels inside each. */
static void draw_permutation(int channels, int block, pg_rng *rng, int *from)
{
    shuffle(from, channels / block, block, rng);
    for (int o = 0; o < channels; o += block) shuffle(from + o, block, 1, rng);
}

/* Draw the scales of a space, unless one of its producers allows none. If gains of the producers are tied to the scales, a
 * scale is not below the smallest such gain. */
static void draw_scales(const pg_model *model, pg_branch kept, int space, pg_rng *rng, pg_rewrite *r)
{
    for (int i = 0; i < model->layer_count; i++)
        if (r->gain[i] && r->spaces.out[i] == space && rule_of(model, i, kept) == PG_GAIN_ONE) return;
    for (int o = 0; o < r->spaces.channels[space]; o++) {
        double *scale = &r->scale[space][o];
        *scale = draw_magnitude(rng);
        for (int i = 0; i < model->layer_count; i++)
            if (r->gain[i] && r->spaces.out[i] == space && rule_of(model, i, kept) == PG_GAIN_SCALE)
                *scale = fmax(*scale, least_gain(model, &model->layers[i], r->from[space][o]));
    }
}

static void draw_gains(const pg_model *model, pg_branch kept, unsigned parts, int layer, pg_rng *rng, pg_rewrite *r)
{
    const pg_layer *l = &model->layers[layer];
    const int space = r->spaces.out[layer], block = pg_space_block(&model->layout, &r->spaces, space);
    const pg_gain_rule rule = rule_of(model, layer, kept);
    double sign = 1;
    for (int o = 0; o < l->out_channels; o++) {
        double *gain = &r->gain[layer][o];
        if (rule == PG_GAIN_SCALE) *gain = r->scale[space][o];
        if (rule == PG_GAIN_SCALE || rule == PG_GAIN_ONE) continue;
        if (parts & PG_REWRITE_FLIP && o % block == 0) sign = pg_rng_below(rng, 2) ? 1 : -1;
        *gain = sign;
        if (parts & PG_REWRITE_SCALE && rule == PG_GAIN_ANY)
            *gain *= fmax(draw_magnitude(rng), least_gain(model, l, r->from[space][o]));
    }
}

void pg_rewrite_draw(const pg_model *model, pg_branch kept, unsigned parts, pg_rng *rng, pg_rewrite *r)
{
    for (int s = 0; s < r->spaces.count; s++) {
        const int block = pg_space_block(&model->layout, &r->spaces, s);
        if (parts & PG_REWRITE_PERMUTE) draw_permutation(r->spaces.channels[s], block, rng, r->from[s]);
        if (parts & PG_REWRITE_SCALE) draw_scales(model, kept, s, rng, r);
    }
    for (int i = 0; i < model->layer_count; i++)
        if (r->gain[i]) draw_gains(model, kept, parts, i, rng, r);
}

/* ---- checking ---- */

static bool same_wiring(const pg_net_spec *a, const pg_net_spec *b)
{
    return pg_net_spec_alike(a, b) && a->norm == b->norm && a->classes == b->classes && a->image_height == b->image_height &&
           a->image_width == b->image_width && a->passports == b->passports && a->public_affine == b->public_affine &&
           a->private_affine == b->private_affine && a->own_norm == b->own_norm && a->perceptron == b->perceptron;
}

static bool uses_once(const int *from, int channels, int given)
{
    for (int o = 0; o < channels; o++) {
        if (from[o] < 0 || from[o] >= given) return false;
        for (int k = 0; k < o; k++)
            if (from[k] == from[o]) return false;
    }
    return true;
}

static pg_status check_fit(const pg_model *model, const pg_rewrite *r, const pg_layout *made, pg_error *err)
{
    pg_spaces given, wanted;
    pg_spaces_find(&model->layout, &given);
    pg_spaces_find(made, &wanted);
    if (!same_wiring(&model->spec, &made->spec) || wanted.count != r->spaces.count)
        return pg_fail(err, PG_BAD_INPUT, "rewrite: the networks have different architectures, norms or passport layers");
    for (int s = 0; s < wanted.count; s++)
        if (wanted.channels[s] != r->spaces.channels[s] || !uses_once(r->from[s], wanted.channels[s], given.channels[s]))
            return pg_fail(err, PG_BAD_INPUT, "rewrite: the channels of space %d do not fit", s);
    for (int i = 0; i < made->layer_count; i++)
        if (made->spec.perceptron && made->layers[i].passport >= 0 &&
            made->layers[i].out_channels != model->layers[i].out_channels)
            return pg_fail(err, PG_BAD_INPUT, "rewrite: the perceptron of layer %s has another width",
                           made->layers[i].row.name);
    return PG_OK;
}

static bool keeps_blocks(const int *from, int channels, int block)
{
    for (int o = 0; o < channels; o++)
        if (from[o] / block != from[o - o % block] / block) return false;
    return true;
}

static bool allowed(pg_gain_rule rule, double gain, double scale, double of_block, double least)
{
    switch (rule) {
    case PG_GAIN_ANY: return isfinite(gain) && fabs(gain) >= least && gain != 0;
    case PG_GAIN_SIGN: return fabs(gain) == 1 && gain == of_block;
    case PG_GAIN_SCALE: return gain == scale && gain >= least;
    case PG_GAIN_ONE: return gain == 1 && scale == 1;
    }
    return false;
}

static pg_status check_layer(const pg_model *model, pg_branch kept, const pg_rewrite *r, int i, pg_error *err)
{
    const pg_layer *l = &model->layers[i];
    const int space = r->spaces.out[i], block = pg_space_block(&model->layout, &r->spaces, space);
    for (int o = 0; o < l->out_channels; o++) {
        const double scale = r->scale[space][o], gain = r->gain[i][o], least = least_gain(model, l, r->from[space][o]);
        const double slack = least * (1 - 1e-12);
        if (!(scale > 0) || !isfinite(scale) ||
            !allowed(rule_of(model, i, kept), gain, scale, r->gain[i][o - o % block], slack))
            return pg_fail(err, PG_BAD_INPUT, "rewrite: gain %g and scale %g of channel %d of %s change the function", gain,
                           scale, o, l->row.name);
    }
    if (!keeps_blocks(r->from[space], l->out_channels, block))
        return pg_fail(err, PG_BAD_INPUT, "rewrite: the permutation of %s mixes the groups of its norm", l->row.name);
    return PG_OK;
}

pg_status pg_rewrite_check(const pg_model *model, pg_branch kept, const pg_rewrite *rewrite, pg_error *err)
{
    pg_status status = check_fit(model, rewrite, &model->layout, err);
    for (int i = 0; status == PG_OK && i < model->layer_count; i++)
        if (rewrite->gain[i]) status = check_layer(model, kept, rewrite, i, err);
    return status;
}

/* ---- applying ---- */

/* The channels that a layer has on one side, in its space; the identity if the space is PG_FIXED. */
typedef struct side {
    const int *from;
    const double *factor;
} side;

static int given(side s, int channel)
{
    return s.from ? s.from[channel] : channel;
}

static double factor(side s, int channel)
{
    return s.factor ? s.factor[channel] : 1;
}

/* A depthwise filter reads the channel that it writes. */
static void rewrite_depthwise(const pg_model *model, int i, side channels, side gains, pg_model *made)
{
    const pg_filters f = pg_layer_filters(&model->layers[i]), g = pg_layer_filters(&made->layers[i]);
    for (int t = 0; t < g.taps; t++)
        for (int o = 0; o < g.outputs; o++)
            made->params[made->layers[i].weight + t * g.tap_step + o] =
                (pg_real)((double)model->params[model->layers[i].weight + t * f.tap_step + given(gains, o)] * factor(gains, o) /
                          factor(channels, o));
}

static void rewrite_weights(const pg_model *model, int i, side in, side out, pg_model *made)
{
    if (pg_layer_is_depthwise(&model->layers[i])) {
        rewrite_depthwise(model, i, in, out, made);
        return;
    }
    const pg_filters f = pg_layer_filters(&model->layers[i]), g = pg_layer_filters(&made->layers[i]);
    const pg_real *w = model->params + model->layers[i].weight;
    pg_real *to = made->params + made->layers[i].weight;
    for (int t = 0; t < g.taps; t++)
        for (int c = 0; c < g.inputs; c++) {
            const pg_real *at = w + t * f.tap_step + given(in, c) * f.input_step;
            for (int o = 0; o < g.outputs; o++)
                to[t * g.tap_step + c * g.input_step + o * g.output_step] =
                    (pg_real)((double)at[given(out, o) * f.output_step] * factor(out, o) / factor(in, c));
        }
}

/* A vector with an entry for each output channel, if both networks have it. */
static void rewrite_vector(const pg_real *w, ptrdiff_t at, side out, int channels, pg_real *to, ptrdiff_t target)
{
    if (at < 0 || target < 0) return;
    for (int o = 0; o < channels; o++) to[target + o] = (pg_real)((double)w[at + given(out, o)] * factor(out, o));
}

/* Running mean and variance follow the gain, so the normalised value changes its sign at most. */
static void rewrite_statistics(const pg_model *model, const pg_affine *a, side out, int channels, pg_model *made,
                               const pg_affine *to)
{
    rewrite_vector(model->buffers, a->mean, out, channels, made->buffers, to->mean);
    for (int o = 0; a->var >= 0 && o < channels; o++) {
        const double gain = factor(out, o), var = (double)model->buffers[a->var + given(out, o)];
        made->buffers[to->var + o] = (pg_real)fmax(0, gain * gain * (var + PG_NORM_EPS) - PG_NORM_EPS);
    }
}

/* PAN's perceptron reads the passport's gamma and beta, which are multiplied by the gain, and writes the affine in use, which
 * must be multiplied by the scale. */
static void rewrite_perceptron(const pg_model *model, const pg_affine *a, side gains, side scales, int channels, int hidden,
                               pg_model *made, const pg_affine *to)
{
    if (a->fc1 < 0) return;
    for (int o = 0; o < channels; o++)
        for (int h = 0; h < hidden; h++) {
            made->params[to->fc1 + h * channels + o] =
                (pg_real)((double)model->params[a->fc1 + h * channels + given(gains, o)] / factor(gains, o));
            made->params[to->fc2 + o * hidden + h] =
                (pg_real)((double)model->params[a->fc2 + given(scales, o) * hidden + h] * factor(scales, o));
        }
}

/* gamma undoes the part of the gain that the norm leaves: its sign, or all of it if there is no norm. */
static void rewrite_gamma(const pg_model *model, const pg_affine *a, bool normed, side gains, side scales, int channels,
                          pg_model *made, const pg_affine *to)
{
    for (int o = 0; a->gamma >= 0 && o < channels; o++) {
        const double gain = factor(gains, o), left = normed ? copysign(1, gain) : gain;
        made->params[to->gamma + o] = (pg_real)((double)model->params[a->gamma + given(gains, o)] * factor(scales, o) / left);
    }
}

void pg_layer_rewrite(const pg_model *model, const pg_rewrite *r, int i, pg_model *made)
{
    const pg_layer *l = &model->layers[i], *m = &made->layers[i];
    const int before = r->spaces.in[i], after = r->spaces.out[i], channels = m->out_channels;
    side in = {0}, gains = {0}, scales = {0};
    if (before >= 0) in = (side){r->from[before], r->scale[before]};
    if (after >= 0) {
        gains = (side){r->from[after], r->gain[i]};
        scales = (side){r->from[after], r->scale[after]};
    }
    if (l->weight >= 0) rewrite_weights(model, i, in, gains, made);
    if (l->row.kind == PG_ROW_DENSE) rewrite_vector(model->params, l->bias, scales, channels, made->params, m->bias);
    for (int b = 0; l->row.kind != PG_ROW_DENSE && b < 2; b++) {
        const pg_affine *a = &l->affine[b], *to = &m->affine[b];
        rewrite_gamma(model, a, l->norm != PG_NORM_NONE, gains, scales, channels, made, to);
        rewrite_vector(model->params, a->beta, scales, channels, made->params, to->beta);
        rewrite_statistics(model, a, gains, channels, made, to);
        rewrite_perceptron(model, a, gains, scales, channels, pg_layer_hidden(m), made, to);
    }
}

pg_status pg_model_rewrite(const pg_model *model, const pg_rewrite *rewrite, pg_model *out, pg_error *err)
{
    const pg_status status = check_fit(model, rewrite, &out->layout, err);
    for (int i = 0; status == PG_OK && i < model->layer_count; i++)
        if (model->layers[i].weight >= 0 || model->layers[i].row.kind == PG_ROW_NORM) pg_layer_rewrite(model, rewrite, i, out);
    return status;
}
