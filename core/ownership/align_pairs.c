/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pairing channels: the scores of all pairs in a space, and the assignment; see align.h. */
#include "core/base/assignment.h"
#include "core/compute/blas.h"
#include "core/nets/twins.h"
#include "core/ownership/align_internal.h"

#include <math.h>
#include <string.h>

/* ---- one side of a layer's weights ---- */

int pg_align_space_of(const pg_aligner *a, int layer, pg_view by)
{
    return by == PG_BY_OUTPUT ? a->rewrite->spaces.out[layer] : a->rewrite->spaces.in[layer];
}

bool pg_align_makes(const pg_aligner *a, int layer, int space)
{
    return !pg_layer_is_depthwise(&a->original->layers[layer]) && pg_layer_makes(&a->original->layout, &a->given, layer, space);
}

bool pg_align_reads(const pg_aligner *a, int layer, int space)
{
    return pg_layer_reads(&a->original->layout, &a->given, layer, space);
}

/* A depthwise filter has one input, whatever the order of the channels. */
static int other_space(const pg_aligner *a, int layer, pg_view by)
{
    if (pg_layer_is_depthwise(&a->original->layers[layer])) return PG_FIXED;
    return pg_align_space_of(a, layer, by == PG_BY_OUTPUT ? PG_BY_INPUT : PG_BY_OUTPUT);
}

bool pg_align_comparable(const pg_aligner *a, int layer, pg_view by)
{
    const pg_layer *ours = &a->original->layers[layer], *theirs = &a->accused->layers[layer];
    const int space = other_space(a, layer, by);
    if (pg_layer_filters(ours).taps != pg_layer_filters(theirs).taps) return false;
    if (by == PG_BY_OUTPUT) return space < 0 || a->known[space];
    return space < 0 ? ours->out_channels == theirs->out_channels : a->gains_known[layer];
}

bool pg_align_flips(const pg_aligner *a, int layer)
{
    const pg_layer *l = &a->accused->layers[layer];
    return l->row.kind == PG_ROW_CONV && (l->norm == PG_NORM_BN || l->norm == PG_NORM_GN || l->passport >= 0);
}

/* The channels on the other side of a layer: their indices in the model, and the factors of the weights on them. */
typedef struct others {
    int count;
    const int *from;                /* NULL: the identity */
    const double *factor, *divisor; /* NULL: ones */
} others;

static others others_of(const pg_aligner *a, int layer, pg_view by)
{
    const pg_layer *l = &a->original->layers[layer];
    const int space = other_space(a, layer, by);
    if (by == PG_BY_OUTPUT && space < 0) return (others){.count = l->depth};
    if (by == PG_BY_OUTPUT)
        return (others){.count = l->in_channels, .from = a->rewrite->from[space], .divisor = a->rewrite->scale[space]};
    if (space < 0) return (others){.count = l->out_channels};
    return (others){.count = l->out_channels, .from = a->rewrite->from[space], .factor = a->rewrite->gain[layer]};
}

/* matrix [taps * others, channels of the view]. Returns the number of rows. */
static int gather(const pg_model *model, int layer, pg_view by, others o, pg_real *matrix)
{
    const pg_filters f = pg_layer_filters(&model->layers[layer]);
    const bool outputs = by == PG_BY_OUTPUT;
    const int channels = outputs ? f.outputs : f.inputs;
    const ptrdiff_t step = outputs ? f.output_step : f.input_step, other_step = outputs ? f.input_step : f.output_step;
    for (int t = 0; t < f.taps; t++)
        for (int i = 0; i < o.count; i++) {
            const pg_real *w =
                model->params + model->layers[layer].weight + t * f.tap_step + (o.from ? o.from[i] : i) * other_step;
            const double factor = (o.factor ? o.factor[i] : 1) / (o.divisor ? o.divisor[i] : 1);
            for (int c = 0; c < channels; c++) *matrix++ = (pg_real)(factor * (double)w[c * step]);
        }
    return f.taps * o.count;
}

int pg_align_gather(const pg_aligner *a, int layer, pg_view by)
{
    const others o = others_of(a, layer, by);
    gather(a->original, layer, by, (others){.count = o.count}, a->ours);
    return gather(a->accused, layer, by, o, a->theirs);
}

/* ---- scores ---- */

/* Divide every column by its norm. A column whose norm is zero or infinite becomes zero. factor is the inverse norm, or 0. */
static void normalise(pg_real *matrix, int rows, int channels, double *factor)
{
    const pg_real *x = matrix;
    for (int c = 0; c < channels; c++) factor[c] = 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < channels; c++, x++) factor[c] += (double)*x * (double)*x;
    for (int c = 0; c < channels; c++) factor[c] = factor[c] > 0 && isfinite(factor[c]) ? 1 / sqrt(factor[c]) : 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < channels; c++, matrix++) *matrix = factor[c] > 0 ? (pg_real)(factor[c] * (double)*matrix) : 0;
}

void pg_align_cosines(pg_aligner *a, int layer, pg_view by)
{
    const int space = pg_align_space_of(a, layer, by), rows = pg_align_gather(a, layer, by);
    const int ours = a->rewrite->spaces.channels[space], theirs = a->given.channels[space];
    normalise(a->ours, rows, ours, a->our_factor);
    normalise(a->theirs, rows, theirs, a->their_factor);
    pg_gemm(true, false, ours, theirs, rows, a->ours, ours, a->theirs, theirs, false, a->cosines, theirs);
}

static void add_cosines(pg_aligner *a, int layer, pg_view by)
{
    const int space = pg_align_space_of(a, layer, by);
    const size_t count = (size_t)a->rewrite->spaces.channels[space] * (size_t)a->given.channels[space];
    const bool absolute = by == PG_BY_OUTPUT && pg_align_flips(a, layer);
    if (!pg_align_comparable(a, layer, by)) return;
    pg_align_cosines(a, layer, by);
    for (size_t i = 0; i < count; i++) a->score[i] += absolute ? fabs((double)a->cosines[i]) : (double)a->cosines[i];
}

/* A channel that no layer reads is paired only if no other is left. */
static void avoid_dead(pg_aligner *a, int space)
{
    const int ours = a->rewrite->spaces.channels[space], theirs = a->given.channels[space];
    if (ours == theirs) return;
    for (int g = 0; g < theirs; g++) {
        if (!pg_channel_is_dead(a->accused, &a->given, space, g)) continue;
        for (int o = 0; o < ours; o++)
            a->score[(ptrdiff_t)o * theirs + g] -= 2 * PG_ROWS_MAX; /* smaller than every sum of cosines */
    }
}

static void fill_score(pg_aligner *a, int space)
{
    const size_t count = (size_t)a->rewrite->spaces.channels[space] * (size_t)a->given.channels[space];
    for (size_t i = 0; i < count; i++) a->score[i] = 0;
    for (int i = 0; i < a->original->layer_count; i++) {
        if (pg_align_makes(a, i, space)) add_cosines(a, i, PG_BY_OUTPUT);
        if (pg_align_reads(a, i, space)) add_cosines(a, i, PG_BY_INPUT);
    }
    if (a->activations) pg_correlations_add(a->activations, space, a->score);
    avoid_dead(a, space);
}

/* ---- pairs ---- */

/* Pair whole blocks of channels: first the channels inside every pair of blocks, a->inside [our blocks, their blocks, block],
 * then the blocks. */
static pg_status pair_blocks(pg_aligner *a, int ours, int theirs, int block, int *from, pg_error *err)
{
    pg_status status = PG_OK;
    double part[PG_NORM_GROUP * PG_NORM_GROUP];
    const int our_blocks = ours / block, their_blocks = theirs / block;
    for (int p = 0; p < our_blocks; p++)
        for (int q = 0; q < their_blocks; q++) {
            int *inside = a->inside + (ptrdiff_t)(p * their_blocks + q) * block;
            double sum = 0;
            for (int k = 0; k < block; k++)
                memcpy(part + k * block, a->score + (ptrdiff_t)(p * block + k) * theirs + q * block,
                       (size_t)block * sizeof *part);
            PG_TRY(pg_assign(block, block, part, inside, err));
            for (int k = 0; k < block; k++) sum += part[k * block + inside[k]];
            a->block_score[p * their_blocks + q] = sum;
        }
    PG_TRY(pg_assign(our_blocks, their_blocks, a->block_score, a->block_from, err));
    for (int o = 0; o < ours; o++) {
        const int p = o / block, q = a->block_from[p];
        from[o] = q * block + a->inside[(ptrdiff_t)(p * their_blocks + q) * block + o % block];
    }
done:
    return status;
}

pg_status pg_align_pair(pg_aligner *a, int space, bool *changed, pg_error *err)
{
    const int ours = a->rewrite->spaces.channels[space], theirs = a->given.channels[space];
    const int block = pg_space_block(&a->original->layout, &a->given, space);
    int *from = a->rewrite->from[space];
    fill_score(a, space);
    memcpy(a->before, from, (size_t)ours * sizeof *from);
    const pg_status status =
        block == 1 ? pg_assign(ours, theirs, a->score, from, err) : pair_blocks(a, ours, theirs, block, from, err);
    *changed |= !a->known[space] || memcmp(a->before, from, (size_t)ours * sizeof *from) != 0;
    a->known[space] = true;
    return status;
}
