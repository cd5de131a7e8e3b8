/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Computing gains and scales from the paired channels; see align.h. */
#include "core/ownership/align_internal.h"

#include <math.h>
#include <string.h>

static const double related = 0.5; /* smallest absolute cosine between a filter and one that was made from it */

/* Products and squared norms of the paired channels of a layer, indexed by channel of the original. */
static void compare_pairs(pg_aligner *a, int layer, pg_view by)
{
    const int space = pg_align_space_of(a, layer, by), *from = a->rewrite->from[space];
    const int ours = a->rewrite->spaces.channels[space], theirs = a->given.channels[space],
              rows = pg_align_gather(a, layer, by);
    for (int o = 0; o < ours; o++) a->dot[o] = a->our_square[o] = a->their_square[o] = 0;
    for (int r = 0; r < rows; r++) {
        const pg_real *x = a->ours + (ptrdiff_t)r * ours, *y = a->theirs + (ptrdiff_t)r * theirs;
        for (int o = 0; o < ours; o++) {
            const double u = (double)x[o], v = (double)y[from[o]];
            a->dot[o] += u * v;
            a->our_square[o] += u * u;
            a->their_square[o] += v * v;
        }
    }
}

static double cosine(double dot, double ours, double theirs)
{
    return ours > 0 && theirs > 0 ? dot / sqrt(ours * theirs) : 0;
}

/* The factor by which the original's vector u is larger than the accused network's v. If they are related, it is |u|^2 / |uv|,
 * because noise in v does not change the product; otherwise |u| / |v|. If that is not a positive number, it is 1. */
static double ratio(double dot, double ours, double theirs)
{
    const double r = fabs(cosine(dot, ours, theirs)) > related ? ours / fabs(dot) : sqrt(ours / theirs);
    return r > 0 && isfinite(r) ? r : 1;
}

static pg_gain_rule rule_of(const pg_aligner *a, int layer)
{
    return pg_layer_gain_rule(&a->accused->layers[layer], a->deployed);
}

/* Product of the learned gammas of a pair; 0 if one of the networks has none. */
static double gamma_product(const pg_aligner *a, int layer, int channel)
{
    const ptrdiff_t ours = a->original->layers[layer].affine[PG_PUBLIC].gamma;
    const ptrdiff_t theirs = a->accused->layers[layer].affine[PG_PUBLIC].gamma;
    const int partner = a->rewrite->from[pg_align_space_of(a, layer, PG_BY_OUTPUT)][channel];
    if (ours < 0 || theirs < 0) return 0;
    return (double)a->original->params[ours + channel] * (double)a->accused->params[theirs + partner];
}

/* The gain of a block of filters restores their norm, and their sign if the norm hides it. If the filters are related, the sign
 * is that of their cosine; otherwise it is that of gamma, which a flip turns as well. Taking the sign of the cosine for
 * unrelated filters would make them agree with the original, and with the bits that are embedded in it. */
static double gain_of(const pg_aligner *a, int layer, int first, int block)
{
    double dot = 0, ours = 0, theirs = 0, gammas = 0;
    for (int o = first; o < first + block; o++) {
        dot += a->dot[o];
        ours += a->our_square[o];
        theirs += a->their_square[o];
        gammas += gamma_product(a, layer, o);
    }
    const double likeness = cosine(dot, ours, theirs), told = fabs(likeness) > related || gammas == 0 ? likeness : gammas;
    const double sign = told < 0 && pg_align_flips(a, layer) ? -1 : 1;
    return sign * ratio(dot, ours, theirs);
}

static void read_gains(pg_aligner *a, int layer)
{
    const int space = pg_align_space_of(a, layer, PG_BY_OUTPUT), block = pg_space_block(&a->original->layout, &a->given, space);
    double *gain = a->rewrite->gain[layer];
    if (!a->known[space] || !pg_align_comparable(a, layer, PG_BY_OUTPUT)) return;
    compare_pairs(a, layer, PG_BY_OUTPUT);
    for (int o = 0; o < a->rewrite->spaces.channels[space]; o++)
        gain[o] = o % block ? gain[o - 1] : gain_of(a, layer, o, block);
    if (rule_of(a, layer) == PG_GAIN_SCALE)
        for (int o = 0; o < a->rewrite->spaces.channels[space]; o++) gain[o] = copysign(a->rewrite->scale[space][o], gain[o]);
    a->gains_known[layer] = true;
}

static void add_scale(pg_aligner *a, int channel, double scale)
{
    a->log_sum[channel] += log(scale);
    a->log_count[channel]++;
}

/* gamma^2 + beta^2 of a learned public affine after the gain is applied; 0 if there is none. */
static double affine_square(const pg_model *model, int layer, int channel, double gain)
{
    const pg_affine *affine = &model->layers[layer].affine[PG_PUBLIC];
    if (model->layers[layer].row.kind != PG_ROW_CONV || affine->gamma < 0) return 0;
    const double left = model->layers[layer].norm == PG_NORM_NONE ? gain : 1; /* the part of the gain that gamma must undo */
    const double gamma = (double)model->params[affine->gamma + channel] / left;
    const double beta = (double)model->params[affine->beta + channel];
    return gamma * gamma + beta * beta;
}

/* Scales from the weights that read the space. */
static void add_reader(pg_aligner *a, int layer)
{
    compare_pairs(a, layer, PG_BY_INPUT);
    for (int o = 0; o < a->original->layers[layer].in_channels; o++)
        add_scale(a, o, 1 / ratio(a->dot[o], a->our_square[o], a->their_square[o]));
}

/* Scales from the gains of a layer that writes the space, if its norm ties gains to scales. */
static void add_tied(pg_aligner *a, int layer)
{
    if (!pg_align_comparable(a, layer, PG_BY_OUTPUT)) return;
    compare_pairs(a, layer, PG_BY_OUTPUT);
    for (int o = 0; o < a->original->layers[layer].out_channels; o++)
        add_scale(a, o, ratio(a->dot[o], a->our_square[o], a->their_square[o]));
}

/* Scales from the affine of a layer that writes the space. */
static void add_affine(pg_aligner *a, int layer)
{
    const int *from = a->rewrite->from[pg_align_space_of(a, layer, PG_BY_OUTPUT)];
    if (a->original->layers[layer].norm == PG_NORM_NONE && !a->gains_known[layer]) return;
    for (int o = 0; o < a->original->layers[layer].out_channels; o++) {
        const double ours = affine_square(a->original, layer, o, 1);
        const double theirs = affine_square(a->accused, layer, from[o], a->rewrite->gain[layer][o]);
        if (ours > 0 && theirs > 0) add_scale(a, o, sqrt(ours / theirs));
    }
}

/* Does the layer pass channels of this space on? */
static bool passes_on(const pg_aligner *a, int layer, int space)
{
    const pg_layer *l = &a->original->layers[layer];
    return a->given.out[layer] == space && (l->row.kind == PG_ROW_NORM || pg_layer_is_depthwise(l));
}

/* The gains of a layer that passes channels on: their scales, if its norm ties both. Otherwise the gains of depthwise filters
 * restore the weights, which the scale of the input has divided. */
static void read_passing_gains(pg_aligner *a, int layer, int space)
{
    const int channels = a->rewrite->spaces.channels[space], block = pg_space_block(&a->original->layout, &a->given, space);
    const double *scale = a->rewrite->scale[space];
    double *gain = a->rewrite->gain[layer];
    if (rule_of(a, layer) == PG_GAIN_SCALE) memcpy(gain, scale, (size_t)channels * sizeof *gain);
    if (rule_of(a, layer) == PG_GAIN_SCALE || rule_of(a, layer) == PG_GAIN_ONE) return;
    compare_pairs(a, layer, PG_BY_OUTPUT);
    for (int o = 0; o < channels; o++) {
        const double restores = gain_of(a, layer, o - o % block, block);
        gain[o] = rule_of(a, layer) == PG_GAIN_SIGN ? copysign(1, restores) : restores * scale[o];
    }
}

/* The scale of a channel is the geometric mean of the scales that the layers around it give. Affines are used only in the first
 * round, when no layer that reads the space is aligned. */
static void read_scales(pg_aligner *a, int space)
{
    bool read = false, fixed = false;
    for (int o = 0; o < a->rewrite->spaces.channels[space]; o++) a->log_sum[o] = a->log_count[o] = 0;
    for (int i = 0; i < a->original->layer_count; i++) {
        if (!pg_align_reads(a, i, space) || !pg_align_comparable(a, i, PG_BY_INPUT)) continue;
        add_reader(a, i);
        read = true;
    }
    for (int i = 0; i < a->original->layer_count; i++) {
        fixed |= passes_on(a, i, space) && rule_of(a, i) == PG_GAIN_ONE;
        if (!pg_align_makes(a, i, space)) continue;
        if (rule_of(a, i) == PG_GAIN_SCALE) add_tied(a, i);
        if (rule_of(a, i) == PG_GAIN_ONE) fixed = true;
        if (!read) add_affine(a, i);
    }
    for (int o = 0; o < a->rewrite->spaces.channels[space]; o++)
        a->rewrite->scale[space][o] = fixed || a->log_count[o] == 0 ? 1 : exp(a->log_sum[o] / a->log_count[o]);
}

void pg_align_read_factors(pg_aligner *a, int space)
{
    for (int i = 0; i < a->original->layer_count; i++)
        if (pg_align_makes(a, i, space)) read_gains(a, i);
    read_scales(a, space);
    for (int i = 0; i < a->original->layer_count; i++)
        if (passes_on(a, i, space)) read_passing_gains(a, i, space);
    for (int i = 0; i < a->original->layer_count; i++)
        if (a->original->layers[i].weight >= 0 && a->rewrite->gain[i] &&
            (pg_align_makes(a, i, space) || pg_align_reads(a, i, space)))
            read_gains(a, i);
}
