/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Twins, found by the cosines of effective filters; see twins.h. */
#include "core/nets/twins.h"

#include "core/base/memory.h"
#include "core/compute/blas.h"

#include <math.h>

static const double alike = 0.999;

/* The effective filters of a space, one column for each channel. For every producer a column holds the weights times the factor
 * that norm and gamma apply, and then the constant that they add. Channels are twins if their columns have the same
 * direction. */
typedef struct finder {
    pg_model *model;
    pg_spaces spaces;
    int space, channels, block, rows;
    pg_real *matrix, *products; /* [rows, channels], [channels, channels] */
    double *norm, *square;      /* [channels]: norms of the columns; norms of the weights of one layer */
} finder;

static bool makes(const finder *f, int layer)
{
    return pg_layer_makes(&f->model->layout, &f->spaces, layer, f->space);
}

static bool reads(const finder *f, int layer)
{
    return pg_layer_reads(&f->model->layout, &f->spaces, layer, f->space);
}

/* ---- effective filters ---- */

static double parameter(const pg_model *model, ptrdiff_t offset, int channel, double absent)
{
    return offset < 0 ? absent : (double)model->params[offset + channel];
}

/* The mean square norm of the filters with which a channel is normalised. */
static double block_square(const finder *f, int channel)
{
    double sum = 0;
    for (int k = 0; k < f->block; k++) sum += f->square[channel - channel % f->block + k];
    return sum / f->block;
}

/* The activation of a channel is relu(factor * w . x + added), apart from a part that all channels of a space share. */
static void effect(const finder *f, const pg_layer *l, int channel, double *factor, double *added)
{
    const pg_model *m = f->model;
    const pg_affine *a = &l->affine[PG_PUBLIC];
    *factor = 1;
    *added = 0;
    if (l->row.kind == PG_ROW_DENSE) *added = parameter(m, l->bias, channel, 0);
    if (l->row.kind == PG_ROW_DENSE || (l->affine[PG_PRIVATE].from_passport && a->gamma < 0)) return;
    *factor = parameter(m, a->gamma, channel, 1);
    *added = parameter(m, a->beta, channel, 0);
    if (l->norm == PG_NORM_BN) {
        *factor /= sqrt((double)m->buffers[a->var + channel] + PG_NORM_EPS);
        *added -= *factor * (double)m->buffers[a->mean + channel];
    } else if (l->norm != PG_NORM_NONE) {
        const double square = block_square(f, channel);
        *factor = square > 0 ? *factor / sqrt(square) : 0;
    }
}

/* Write the rows of one producer. Returns the row after them. */
static int add_producer(finder *f, int layer, int row)
{
    const pg_layer *l = &f->model->layers[layer];
    const pg_filters s = pg_layer_filters(l);
    const pg_real *w = f->model->params + l->weight;
    pg_real *to = f->matrix + (ptrdiff_t)row * f->channels;
    for (int c = 0; c < f->channels; c++) f->square[c] = 0;
    for (int t = 0; t < s.taps; t++)
        for (int i = 0; i < s.inputs; i++)
            for (int c = 0; c < f->channels; c++, to++) {
                *to = w[t * s.tap_step + i * s.input_step + c * s.output_step];
                f->square[c] += (double)*to * (double)*to;
            }
    for (int c = 0; c < f->channels; c++) {
        double factor, added;
        effect(f, l, c, &factor, &added);
        for (int r = 0; r < s.taps * s.inputs; r++) f->matrix[(ptrdiff_t)(row + r) * f->channels + c] *= (pg_real)factor;
        to[c] = (pg_real)added;
    }
    return row + s.taps * s.inputs + 1;
}

static void fill(finder *f)
{
    int rows = 0;
    for (int i = 0; i < f->model->layer_count; i++)
        if (makes(f, i)) rows = add_producer(f, i, rows);
    pg_gemm(true, false, f->channels, f->channels, rows, f->matrix, f->channels, f->matrix, f->channels, false, f->products,
            f->channels);
    for (int c = 0; c < f->channels; c++) f->norm[c] = sqrt((double)f->products[(ptrdiff_t)c * f->channels + c]);
}

/* ---- merging ---- */

static bool are_twins(const finder *f, int a, int b)
{
    return (double)f->products[(ptrdiff_t)a * f->channels + b] > alike * f->norm[a] * f->norm[b];
}

/* Pair every channel of the block at b with a different twin in the block at a. False if a channel has no twin there. */
static bool pair_blocks(const finder *f, int a, int b, int *twin)
{
    bool taken[PG_NORM_GROUP] = {false};
    for (int k = 0; k < f->block; k++) {
        twin[k] = -1;
        for (int j = 0; j < f->block && twin[k] < 0; j++)
            if (!taken[j] && are_twins(f, a + j, b + k)) twin[k] = j;
        if (twin[k] < 0) return false;
        taken[twin[k]] = true;
    }
    return true;
}

/* Add the weights that read channel b to those that read its twin a. */
static void merge(finder *f, int a, int b)
{
    const double ratio = f->norm[b] / f->norm[a];
    for (int layer = 0; layer < f->model->layer_count; layer++) {
        if (!reads(f, layer)) continue;
        const pg_filters s = pg_layer_filters(&f->model->layers[layer]);
        pg_real *w = f->model->params + f->model->layers[layer].weight;
        for (int t = 0; t < s.taps; t++)
            for (int o = 0; o < s.outputs; o++) {
                pg_real *at = w + t * s.tap_step + o * s.output_step;
                at[a * s.input_step] += (pg_real)(ratio * (double)at[b * s.input_step]);
                at[b * s.input_step] = 0;
            }
    }
}

static void merge_block(finder *f, int b)
{
    int twin[PG_NORM_GROUP];
    for (int a = 0; a < b; a += f->block)
        if (pair_blocks(f, a, b, twin)) {
            for (int k = 0; k < f->block; k++) merge(f, a + twin[k], b + k);
            return;
        }
}

static pg_status merge_space(finder *f, pg_error *err)
{
    pg_status status = PG_OK;
    size_t rows = 0;
    f->channels = f->spaces.channels[f->space];
    f->block = pg_space_block(&f->model->layout, &f->spaces, f->space);
    for (int i = 0; i < f->model->layer_count; i++) {
        const pg_filters s = pg_layer_filters(&f->model->layers[i]);
        if (makes(f, i)) rows += (size_t)s.taps * (size_t)s.inputs + 1;
    }
    const size_t channels = (size_t)f->channels;
    PG_TRY(pg_alloc(rows * channels, sizeof *f->matrix, &f->matrix, err));
    PG_TRY(pg_alloc(channels * channels, sizeof *f->products, &f->products, err));
    PG_TRY(pg_alloc(channels, sizeof *f->norm, &f->norm, err));
    PG_TRY(pg_alloc(channels, sizeof *f->square, &f->square, err));
    fill(f);
    for (int b = f->block; b < f->channels; b += f->block) merge_block(f, b);
done:
    pg_free(f->matrix);
    pg_free(f->products);
    pg_free(f->norm);
    pg_free(f->square);
    return status;
}

pg_status pg_model_merge_twins(pg_model *model, pg_error *err)
{
    pg_status status = PG_OK;
    pg_spaces spaces;
    pg_spaces_find(&model->layout, &spaces);
    for (int s = 0; status == PG_OK && s < spaces.count; s++)
        status = merge_space(&(finder){.model = model, .spaces = spaces, .space = s}, err);
    return status;
}

static bool is_read(const pg_model *model, int layer, int channel)
{
    const pg_filters s = pg_layer_filters(&model->layers[layer]);
    const pg_real *w = model->params + model->layers[layer].weight + channel * s.input_step;
    for (int t = 0; t < s.taps; t++)
        for (int o = 0; o < s.outputs; o++)
            if (w[t * s.tap_step + o * s.output_step] != 0) return true;
    return false;
}

bool pg_channel_is_dead(const pg_model *model, const pg_spaces *spaces, int space, int channel)
{
    for (int i = 0; i < model->layer_count; i++)
        if (pg_layer_reads(&model->layout, spaces, i, space) && is_read(model, i, channel)) return false;
    return true;
}
