/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Channel spaces, found by joining the operands of additions; see spaces.h. */
#include "core/nets/spaces.h"

/* The first row that produces the channels of a row's output; PG_IMAGES for the images. */
static int origin(const int *joined, int row)
{
    while (row >= 0 && joined[row] != row) row = joined[row];
    return row;
}

static void join(int *joined, int a, int b)
{
    if (a < b)
        joined[b] = a;
    else
        joined[a] = b;
}

static bool has_weights(const pg_layer *layer)
{
    return layer->row.kind == PG_ROW_CONV || layer->row.kind == PG_ROW_DENSE;
}

void pg_spaces_find(const pg_layout *layout, pg_spaces *out)
{
    int joined[PG_ROWS_MAX];
    const int last = layout->layer_count - 1;
    for (int i = 0; i <= last; i++) {
        const pg_row *row = &layout->layers[i].row;
        joined[i] = has_weights(&layout->layers[i]) ? i : row->input;
        if (row->kind == PG_ROW_ADD) join(joined, origin(joined, row->input), origin(joined, row->other));
    }
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
    return has_weights(&layout->layers[layer]) && spaces->in[layer] == space;
}

int pg_space_block(const pg_layout *layout, const pg_spaces *spaces, int space)
{
    for (int i = 0; i < layout->layer_count; i++)
        if (layout->layers[i].norm == PG_NORM_GN && spaces->out[i] == space) return PG_NORM_GROUP;
    return 1;
}

pg_filters pg_layer_filters(const pg_layer *layer)
{
    const int inputs = layer->in_channels, outputs = layer->out_channels;
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
