/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Perceptrons that read marks; see extractor.h. */
#include "core/ownership/extractor.h"

#include "core/ownership/mark.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Iterates over the values that a perceptron reads: the mean filters of a model's sites. At every site the channels are in the
 * model's order, or in a random one. */
typedef struct inputs {
    const pg_mark *mark;
    const pg_model *model;
    const pg_layer *layer;
    int site, tap;
    bool shuffled;
    pg_rng rng;
    uint32_t order[PG_CHANNELS_MAX];
} inputs;

static void open_site(inputs *in, int site)
{
    in->site = site;
    in->tap = 0;
    in->layer = pg_mark_find(in->mark->site[site].layer, in->model);
    if (in->shuffled) pg_rng_permutation(&in->rng, in->order, (uint32_t)in->layer->in_channels);
}

static void open_inputs(inputs *in, const pg_mark *mark, const pg_model *model, const pg_rng *shuffle)
{
    in->mark = mark;
    in->model = model;
    in->shuffled = shuffle != NULL;
    if (shuffle) in->rng = *shuffle;
    open_site(in, 0);
}

static double next_input(inputs *in)
{
    if (in->tap == pg_mark_taps(in->layer)) open_site(in, in->site + 1);
    const int channels = in->layer->in_channels, tap = in->tap++, c = tap % channels;
    return pg_mark_mean_tap(in->model, in->layer, in->shuffled ? tap - c + (int)in->order[c] : tap);
}

/* ---- one pass ---- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* The other rows of the projection, [bits,pooled]. */
static pg_real *outputs_of(const pg_mark *mark)
{
    return mark->projection + (ptrdiff_t)pg_mark_width(mark) * mark->pooled;
}

/* Hidden units [pooled] and z [bits]. */
static void forward(const pg_mark *mark, const pg_model *model, const pg_rng *shuffle, double *hidden, double *z)
{
    inputs in;
    const int width = pg_mark_width(mark), h = mark->pooled;
    const pg_real *u = mark->projection, *v = outputs_of(mark);
    open_inputs(&in, mark, model, shuffle);
    memset(hidden, 0, (size_t)h * sizeof *hidden);
    for (int i = 0; i < width; i++, u += h) {
        const double w = next_input(&in);
        for (int k = 0; k < h; k++) hidden[k] += w * (double)u[k];
    }
    for (int k = 0; k < h; k++) hidden[k] = sigmoid(hidden[k]);
    for (int j = 0; j < mark->bits; j++, v += h) {
        z[j] = 0;
        for (int k = 0; k < h; k++) z[j] += hidden[k] * (double)v[k];
    }
}

/* The gradient with regard to the hidden units' pre-activations [pooled], of a loss with the gradient slope [bits] at z. */
static void backward(const pg_mark *mark, const double *hidden, const double *slope, double *sums)
{
    const int h = mark->pooled;
    const pg_real *v = outputs_of(mark);
    memset(sums, 0, (size_t)h * sizeof *sums);
    for (int j = 0; j < mark->bits; j++, v += h)
        for (int k = 0; k < h; k++) sums[k] += slope[j] * (double)v[k];
    for (int k = 0; k < h; k++) sums[k] *= hidden[k] * (1 - hidden[k]);
}

/* ---- reading and embedding ---- */

void pg_extractor_read(const pg_mark *mark, const pg_model *model, double *z)
{
    double hidden[PG_MARK_POOLED_MAX];
    forward(mark, model, NULL, hidden, z);
}

void pg_extractor_carry_back(const pg_mark *mark, const pg_model *model, double strength, const double *slope,
                             pg_real *gradients)
{
    double hidden[PG_MARK_POOLED_MAX], sums[PG_MARK_POOLED_MAX], z[PG_MARK_BITS_MAX];
    const pg_real *u = mark->projection;
    forward(mark, model, NULL, hidden, z);
    backward(mark, hidden, slope, sums);
    for (int site = 0; site < mark->site_count; site++) {
        const pg_layer *l = pg_mark_find(mark->site[site].layer, model);
        const int outputs = l->out_channels;
        pg_real *g = gradients + l->weight;
        for (int j = 0; j < pg_mark_taps(l); j++, u += mark->pooled, g += outputs) {
            double each = 0;
            for (int k = 0; k < mark->pooled; k++) each += sums[k] * (double)u[k];
            for (int o = 0; o < outputs; o++) g[o] += (pg_real)(strength * each / outputs);
        }
    }
}

/* ---- learning ---- */

void pg_extractor_learn(pg_mark *mark, const pg_model *model, const int8_t *b, double rate, const pg_rng *shuffle)
{
    double hidden[PG_MARK_POOLED_MAX], sums[PG_MARK_POOLED_MAX], slope[PG_MARK_BITS_MAX];
    const int width = pg_mark_width(mark), h = mark->pooled;
    pg_real *u = mark->projection, *v = outputs_of(mark);
    inputs in;
    forward(mark, model, shuffle, hidden, slope);
    for (int j = 0; j < mark->bits; j++) slope[j] = sigmoid(slope[j]) - (b[j] > 0);
    backward(mark, hidden, slope, sums);
    for (int j = 0; j < mark->bits; j++, v += h)
        for (int k = 0; k < h; k++) v[k] -= (pg_real)(rate * slope[j] * hidden[k]);
    open_inputs(&in, mark, model, shuffle);
    for (int i = 0; i < width; i++, u += h) {
        const double w = next_input(&in);
        for (int k = 0; k < h; k++) u[k] -= (pg_real)(rate * sums[k] * w);
    }
}
