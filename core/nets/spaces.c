/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Channel spaces, found by joining the operands of additions; see spaces.h. */
#include "core/nets/spaces.h"

/* The first row that produces the channels of a row's output; PG_IMAGES for the images. */
static int origin(const int *joined, int row)
{
    while (row >= 0 && joined[row] != row) row = joined[row];
    return row;
}

/* The images stay the first, and so the origin, of whatever is joined to them. */
static void join(int *joined, int a, int b)
{
    const int first = a < b ? a : b, second = a < b ? b : a;
    if (second >= 0) joined[second] = first;
}

static bool has_weights(const pg_layer *layer)
{
    return layer->row.kind == PG_ROW_CONV || layer->row.kind == PG_ROW_DENSE;
}

bool pg_layer_is_depthwise(const pg_layer *layer)
{
    return layer->depth < layer->in_channels && layer->depth == 1 && layer->in_channels == layer->out_channels;
}

/* Join what a row reads and writes, as far as they must be reordered together. Nobody may reorder the channels of other groups
 * than single channels: like those of the images they stay as they are. */
static void join_row(const pg_layer *l, int i, int *joined)
{
    const bool passes = !has_weights(l) || pg_layer_is_depthwise(l), grouped = !passes && l->depth < l->in_channels;
    joined[i] = passes ? l->row.input : grouped ? PG_IMAGES : i;
    if (grouped) join(joined, origin(joined, l->row.input), PG_IMAGES);
    if (l->row.kind == PG_ROW_ADD) join(joined, origin(joined, l->row.input), origin(joined, l->row.other));
}

void pg_spaces_find(const pg_layout *layout, pg_spaces *out)
{
    int joined[PG_ROWS_MAX];
    const int last = layout->layer_count - 1;
    for (int i = 0; i <= last; i++) join_row(&layout->layers[i], i, joined);
    *out = (pg_spaces){.count = 0};
    for (int i = 0; i <= last; i++) {
        const int from = origin(joined, i), input = layout->layers[i].row.input;
        if (from == i && i < last) out->channels[out->count] = layout->layers[i].out_channels;
        out->out[i] = from < 0 || i == last ? PG_FIXED : from == i ? out->count++ : out->out[from];
        out->in[i] = input < 0 ? PG_FIXED : out->out[input];
    }
}

bool pg_layer_makes(const pg_layout *layout, const pg_spaces *spaces, int layer, int space)
{
    return has_weights(&layout->layers[layer]) && spaces->out[layer] == space;
}

bool pg_layer_reads(const pg_layout *layout, const pg_spaces *spaces, int layer, int space)
{
    const pg_layer *l = &layout->layers[layer];
    return has_weights(l) && !pg_layer_is_depthwise(l) && spaces->in[layer] == space;
}

int pg_space_block(const pg_layout *layout, const pg_spaces *spaces, int space)
{
    for (int i = 0; i < layout->layer_count; i++)
        if (layout->layers[i].norm == PG_NORM_GN && spaces->out[i] == space) return PG_NORM_GROUP;
    return 1;
}

pg_filters pg_layer_filters(const pg_layer *layer)
{
    const int inputs = layer->depth, outputs = layer->out_channels;
    if (layer->row.kind == PG_ROW_CONV)
        return (pg_filters){.taps = layer->row.kernel * layer->row.kernel,
                            .inputs = inputs,
                            .outputs = outputs,
                            .tap_step = (ptrdiff_t)inputs * outputs,
                            .input_step = outputs,
                            .output_step = 1};
    const int pixels = layer->in_height * layer->in_width;
    return (pg_filters){.taps = pixels,
                        .inputs = inputs,
                        .outputs = outputs,
                        .tap_step = inputs,
                        .input_step = 1,
                        .output_step = (ptrdiff_t)pixels * inputs};
}
