/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory of a net, planned once from its layout; see net_internal.h. */
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/compute/arena.h"
#include "core/nets/net_internal.h"
#include "core/nets/net_parts.h"

#include <string.h>

/* Buffers share a slot if they are in use at different steps of the schedule. `until` is the last step that uses a slot. */
enum { SLOTS_MAX = 2 * PG_ROWS_MAX };
typedef struct slots {
    int count;
    struct slot {
        size_t size;
        int until;
        pg_real *at;
    } list[SLOTS_MAX];
    int owner[SLOTS_MAX];
} slots;

/* Take a slot for the steps from .. until: the smallest free one that is large enough, else the largest free one, else a new
 * one. Grows the slot to size. */
static int slot_take(slots *s, size_t size, int from, int until)
{
    int best = -1;
    for (int i = 0; i < s->count; i++) {
        if (s->list[i].until >= from) continue;
        if (best < 0 || (s->list[best].size < size ? s->list[i].size > s->list[best].size
                                                   : s->list[i].size >= size && s->list[i].size < s->list[best].size))
            best = i;
    }
    if (best < 0) best = s->count++;
    if (s->list[best].size < size) s->list[best].size = size;
    s->list[best].until = until;
    return best;
}

static size_t layer_size(const pg_layer *l)
{
    return (size_t)l->out_height * (size_t)l->out_width * (size_t)l->out_channels;
}

/* Images in a full buffer: twice the batch if the net trains two branches and they do not share the buffer. */
static size_t images_max(const pg_net *net, bool shared)
{
    return (size_t)net->batch * (size_t)(shared ? 1 : net->branches_max);
}

/* The last row that reads the output of a row; the row itself if none does. */
static int last_reader(const pg_layout *layout, int row)
{
    int last = row;
    for (int i = row + 1; i < layout->layer_count; i++) {
        const pg_row *r = &layout->layers[i].row;
        if (r->input == row || (r->kind == PG_ROW_ADD && r->other == row)) last = i;
    }
    return last;
}

/* When training, a convolution keeps its pre-activation z in a separate buffer; if a pool or an addition is fused into it, it
 * stores no output of its own. */
static void plan_outputs(pg_net *net, slots *s)
{
    const pg_layout *layout = &net->layout;
    for (int i = 0; i < layout->layer_count; i++) {
        const int until = net->training ? layout->layer_count : last_reader(layout, i);
        const bool none = net->training && layout->layers[i].row.kind == PG_ROW_CONV && net->cells[i].fused;
        const size_t size = layer_size(&layout->layers[i]) * images_max(net, net->cells[i].output_shared);
        s->owner[i] = slot_take(s, none ? 0 : size, i, until);
    }
}

/* Backward runs from the last layer to the first: the step of layer i is layer_count - i. A convolution with a fused addition
 * uses the gradient buffer of the addition, one step longer. */
static void plan_gradients(pg_net *net, slots *s)
{
    const pg_layout *layout = &net->layout;
    for (int i = layout->layer_count - 1; i >= 0; i--) {
        const pg_net_cell *c = &net->cells[i];
        const bool lent = layout->layers[i].row.kind == PG_ROW_ADD && c->fused;
        const int from = layout->layer_count - last_reader(layout, i), until = layout->layer_count - i + lent;
        const size_t size = layer_size(&layout->layers[i]) * images_max(net, c->output_shared);
        s->owner[i] = slot_take(s, c->norm.residual ? 0 : size, from, until);
    }
}

static void place_slots(slots *s, pg_arena *a)
{
    for (int i = 0; i < s->count; i++) s->list[i].at = pg_arena_take(a, s->list[i].size);
}

static void place_passport(pg_net_cell *c, const pg_layer *l, pg_arena *a)
{
    const size_t k = (size_t)l->out_channels, window = (size_t)(l->row.kernel * l->row.kernel * l->in_channels);
    c->scale_means = pg_arena_take(a, window);
    c->bias_means = pg_arena_take(a, window);
    c->gamma = pg_arena_take(a, k);
    c->beta = pg_arena_take(a, k);
    c->dgamma = pg_arena_take(a, k);
    c->dbeta = pg_arena_take(a, k);
    c->dscale = c->dgamma;
    c->dbias = c->dbeta;
    if (l->affine[PG_PRIVATE].fc1 < 0) return;
    for (int i = 0; i < 2; i++) {
        c->hidden[i] = pg_arena_take(a, (size_t)pg_layer_hidden(l));
        c->fc_out[i] = pg_arena_take(a, k);
    }
    c->dscale = pg_arena_take(a, k);
    c->dbias = pg_arena_take(a, k);
}

/* Give every buffer its place. Runs twice: with an arena that only counts, and with the block. */
static void place(pg_net *net, const slots *outputs, const slots *gradients, pg_arena *a)
{
    const pg_layout *layout = &net->layout;
    size_t scratch = 0, channels = 0;
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_layer *l = &layout->layers[i];
        pg_net_cell *c = &net->cells[i];
        c->y = c->z = outputs->list[outputs->owner[i]].at;
        if (net->training) c->dy = c->dz = gradients->list[gradients->owner[i]].at;
        channels = pg_max_size(channels, (size_t)l->out_channels);
        if (l->row.kind != PG_ROW_CONV && l->row.kind != PG_ROW_NORM) continue;
        const bool convolves = l->row.kind == PG_ROW_CONV;
        const size_t inputs = images_max(net, c->input_shared), sets = pg_norm_sets(&c->norm, net->batch);
        if (net->training && convolves) c->z = pg_arena_take(a, c->out_size * inputs);
        c->mean = pg_arena_take(a, sets * (size_t)net->branches_max);
        c->inv_std = pg_arena_take(a, sets * (size_t)net->branches_max);
        c->variance = pg_arena_take(a, (size_t)l->out_channels);
        if (l->passport >= 0) place_passport(c, l, a);
        scratch = pg_max_size(scratch, pg_norm_scratch(&c->norm, net->batch));
        if (convolves) scratch = pg_max_size(scratch, pg_conv_scratch(&c->conv, (int)inputs));
    }
    for (int i = 0; i < layout->layer_count; i++) {
        pg_net_cell *c = &net->cells[i];
        if (layout->layers[i].row.kind != PG_ROW_CONV || !c->fused) continue;
        if (c->norm.residual && c->dz == c->dy) c->dz = c->fused->dy;
        c->y = c->fused->y;
        c->dy = c->fused->dy;
    }
    net->scratch = pg_arena_take(a, scratch);
    net->affine_scratch = pg_arena_take(a, 2 * channels);
    if (!net->training) return;
    net->image_cell.dy =
        pg_arena_take(a, (size_t)net->batch * (size_t)(layout->spec.image_height * layout->spec.image_width * 3));
}

static pg_status plan_cell(pg_net *net, int i, pg_conv_choice choice, pg_error *err)
{
    const pg_layer *l = &net->layout.layers[i];
    const pg_row *r = &l->row;
    pg_net_cell *c = &net->cells[i];
    c->input_shared = cell_at(net, r->input)->output_shared && (r->kind != PG_ROW_ADD || cell_at(net, r->other)->output_shared);
    c->output_shared = c->input_shared && l->passport < 0;
    c->in_size = (size_t)l->in_height * (size_t)l->in_width * (size_t)l->in_channels;
    c->out_size = layer_size(l);
    c->pool = (pg_pool){.height = l->in_height,
                        .width = l->in_width,
                        .channels = l->in_channels,
                        .kernel = r->kernel,
                        .stride = r->stride,
                        .pad = r->pad,
                        .out_height = l->out_height,
                        .out_width = l->out_width};
    c->norm = (pg_norm){.kind = l->norm,
                        .pixels = l->out_height * l->out_width,
                        .channels = l->out_channels,
                        .groups = l->out_channels / PG_NORM_GROUP,
                        .eps = (pg_real)1e-5,
                        .relu = r->relu};
    if (r->kind != PG_ROW_CONV) return PG_OK;
    const pg_conv_shape shape = {.height = l->in_height,
                                 .width = l->in_width,
                                 .channels = l->in_channels,
                                 .filters = l->out_channels,
                                 .kernel = r->kernel,
                                 .stride = r->stride,
                                 .pad = r->pad,
                                 .groups = l->in_channels / l->depth};
    return pg_conv_plan(&c->conv, &shape, choice, err);
}

static bool is_half_pool(const pg_layer *l)
{
    const pg_row *r = &l->row;
    return r->kind == PG_ROW_MAXPOOL && r->kernel == 2 && r->stride == 2 && r->pad == 0 && l->in_height % 2 == 0 &&
           l->in_width % 2 == 0;
}

/* Fuse a 2x2 max pool or an addition with a ReLU into the convolution block before it, if no other row reads that block: the
 * norm then makes both in one pass over the pixels. An addition must be shared between the branches if the block is, and
 * separate if not.
 */
static void plan_fusion(pg_net *net)
{
    const pg_layout *layout = &net->layout;
    for (int i = 1; i < layout->layer_count; i++) {
        const pg_row *r = &layout->layers[i].row;
        pg_net_cell *conv = &net->cells[i - 1], *c = &net->cells[i];
        const bool add = r->kind == PG_ROW_ADD && r->relu && c->output_shared == conv->output_shared;
        if (layout->layers[i - 1].row.kind != PG_ROW_CONV || last_reader(layout, i - 1) != i) continue;
        if (r->input != i - 1 && !(add && r->other == i - 1)) continue;
        if (!add && !is_half_pool(&layout->layers[i])) continue;
        conv->fused = c;
        c->fused = conv;
        conv->norm.residual = add;
        conv->plus = add && r->input == i - 1 ? r->other : r->input;
        if (!add) conv->norm.pool_width = layout->layers[i].in_width;
    }
}

/* A trunk holds the convolution outputs of passport layers with a shared input, and the shared outputs that later rows read. */
static void plan_trunk(pg_net *net)
{
    const pg_layout *layout = &net->layout;
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_row *r = &layout->layers[i].row;
        pg_net_cell *c = &net->cells[i];
        if (c->input_shared && !c->output_shared) c->trunk_size = c->out_size;
        if (c->input_shared) continue;
        const int inputs[] = {r->input, r->kind == PG_ROW_ADD ? r->other : PG_IMAGES};
        for (int k = 0; k < 2; k++) {
            pg_net_cell *in = inputs[k] == PG_IMAGES ? NULL : &net->cells[inputs[k]];
            if (in && in->output_shared) in->trunk_size = in->out_size;
        }
    }
    for (int i = 0; i < layout->layer_count; i++) {
        net->cells[i].trunk = net->trunk_size;
        net->trunk_size += net->cells[i].trunk_size;
    }
}

/* Pools record which input won, dropout records its mask. An addition fused into a convolution records the mask of the inner
 * ReLU. */
static bool has_decisions(const pg_net *net, int i)
{
    const pg_net_cell *conv = net->cells[i].fused;
    const pg_row_kind kind = net->layout.layers[i].row.kind;
    return kind == PG_ROW_MAXPOOL || kind == PG_ROW_DROPOUT || (kind == PG_ROW_ADD && conv && conv->norm.relu);
}

static size_t decision_count(const pg_net *net, int i)
{
    return net->cells[i].out_size * images_max(net, net->cells[i].output_shared);
}

static pg_status plan_decisions(pg_net *net, pg_error *err)
{
    const pg_layout *layout = &net->layout;
    size_t total = 0;
    for (int i = 0; i < layout->layer_count; i++)
        if (has_decisions(net, i)) total += decision_count(net, i);
    const pg_status status = pg_alloc(total, 1, &net->byte_block, err);
    if (status != PG_OK) return status;
    net->bytes += total;
    total = 0;
    for (int i = 0; i < layout->layer_count; i++)
        if (has_decisions(net, i)) {
            net->cells[i].decisions = net->byte_block + total;
            total += decision_count(net, i);
        }
    return PG_OK;
}

pg_status pg_net_create(const pg_net_spec *spec, int batch, bool training, pg_conv_choice choice, pg_net **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    slots *outputs = NULL, *gradients = NULL;
    if (batch < 1) return pg_fail(err, PG_BAD_INPUT, "batch: expected at least 1, got %d", batch);
    PG_TRY(pg_alloc(1, sizeof *net, &net, err));
    PG_TRY(pg_alloc(1, sizeof *outputs, &outputs, err));
    PG_TRY(pg_alloc(1, sizeof *gradients, &gradients, err));
    PG_TRY(pg_layout_plan(spec, &net->layout, err));
    if (training) PG_TRY(pg_alloc(net->layout.param_count, sizeof *net->gradients, &net->gradients, err));
    net->batch = batch;
    net->training = training;
    net->branches_max = training && spec->passports && spec->public_affine && spec->private_affine ? 2 : 1;
    net->image_cell.output_shared = true;
    PG_TRY(pg_alloc((size_t)net->layout.layer_count, sizeof *net->cells, &net->cells, err));
    for (int i = 0; i < net->layout.layer_count; i++) PG_TRY(plan_cell(net, i, choice, err));
    plan_fusion(net);
    plan_trunk(net);
    plan_outputs(net, outputs);
    if (training) plan_gradients(net, gradients);
    pg_arena a = {0};
    place(net, outputs, gradients, &a);
    for (int i = 0; i < outputs->count; i++) a.used += (outputs->list[i].size + 15) / 16 * 16;
    for (int i = 0; i < gradients->count; i++) a.used += (gradients->list[i].size + 15) / 16 * 16;
    PG_TRY(pg_alloc(a.used, sizeof(pg_real), &net->pool_block, err));
    net->bytes = (a.used + (training ? net->layout.param_count : 0)) * sizeof(pg_real);
    a = (pg_arena){.base = net->pool_block};
    place_slots(outputs, &a);
    place_slots(gradients, &a);
    place(net, outputs, gradients, &a);
    if (training) PG_TRY(plan_decisions(net, err));
    *out = net;
    net = NULL;
done:
    pg_free(outputs);
    pg_free(gradients);
    pg_net_destroy(&net);
    return status;
}

void pg_net_destroy(pg_net **net)
{
    if (!*net) return;
    pg_free((*net)->gradients);
    pg_free((*net)->cells);
    pg_free((*net)->pool_block);
    pg_free((*net)->byte_block);
    pg_free(*net);
    *net = NULL;
}

size_t pg_net_bytes(const pg_net *net)
{
    return net->bytes;
}
