/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Backward over a model's layers; see net.h. */
#include "core/nets/net_parts.h"

#include <float.h>
#include <string.h>

static bool wants_gradient(const pg_net *net, int row)
{
    return row >= net->train_from;
}

/* From the gradient dz of a convolution's pre-activation to those of its weights and its input. */
static void conv_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_layer *l = &m->layers[i];
    const pg_net_cell *c = &net->cells[i];
    const int in = l->row.input;
    const bool below = wants_gradient(net, in);
    pg_net_cell *source = cell_at(net, in);
    const pg_conv_grads grads = {.dy = c->dz,
                                 .dx = below ? source->dy : NULL,
                                 .add = source->dy_written,
                                 .dw = net->weights_stay ? NULL : net->gradients + l->weight};
    if (grads.dw || below)
        pg_conv_backward(&c->conv, images_of(net, c->input_shared), input_of(net, in), m->params + l->weight, &grads,
                         net->scratch);
    if (below) source->dy_written = true;
}

/* From the gradient of a part of y to those of the affine, the passport and the pre-activation. */
static void norm_backward(pg_net *net, int i, const pg_model *m, int part)
{
    const pg_layer *l = &m->layers[i];
    const pg_net_cell *c = &net->cells[i];
    const pg_affine *a = &l->affine[branch_of(net, part)];
    const bool convolves = l->row.kind == PG_ROW_CONV;
    pg_net_cell *source = cell_at(net, l->row.input);
    pg_real *dx = convolves ? c->dz : wants_gradient(net, l->row.input) ? source->dy : NULL;
    const pg_norm_pass pass = norm_pass(net, c, part, convolves ? c->z : input_of(net, l->row.input));
    const pg_norm_grads grads = {
        .dy = c->dy + part_at(net, c->output_shared, part, result_of(c)->out_size),
        .dgamma = a->from_passport ? c->dscale
                  : a->gamma >= 0  ? net->gradients + a->gamma
                                   : NULL,
        .dbeta = a->from_passport ? c->dbias
                 : a->beta >= 0   ? net->gradients + a->beta
                                  : NULL,
        .dx = dx ? dx + part_at(net, c->input_shared, part, c->out_size) : NULL,
        .add = (part > 0 && c->input_shared) || (!convolves && source->dy_written),
    };
    pg_norm_backward(&c->norm, &pass, &grads);
    if (a->from_passport) pg_passport_backward(net, i, m);
}

static void parts_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_row *r = &m->layers[i].row;
    for (int part = 0; part < parts_of(net, net->cells[i].output_shared); part++) norm_backward(net, i, m, part);
    if (r->kind == PG_ROW_NORM && wants_gradient(net, r->input)) cell_at(net, r->input)->dy_written = true;
}

/* Pass a gradient on, through a ReLU if there is one. */
static void pass_gradient(size_t count, bool relu, const pg_real *y, const pg_real *dy, pg_real *dx, bool add)
{
    if (relu)
        pg_relu_backward(count, y, dy, dx, add);
    else if (add)
        pg_accumulate(count, dy, dx);
    else
        memcpy(dx, dy, count * sizeof *dx);
}

/* The gradient of one operand of an addition. For a fused addition, the convolution has already computed it. */
static void summand_backward(pg_net *net, const pg_net_cell *sum, bool relu, int row)
{
    const size_t count = sum->out_size * (size_t)net->images_n;
    pg_net_cell *summand = cell_at(net, row);
    if (!wants_gradient(net, row) || summand == sum->fused) return;
    for (int part = 0; part < parts_of(net, sum->output_shared); part++) {
        const size_t at = (size_t)part * count;
        const bool add = summand->dy_written || (part > 0 && summand->output_shared);
        pass_gradient(count, relu, sum->y + at, sum->dy + at, summand->dy + (summand->output_shared ? 0 : at), add);
    }
    summand->dy_written = true;
}

static void dense_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_layer *l = &m->layers[i];
    pg_net_cell *c = &net->cells[i];
    const int in = l->row.input, n = images_of(net, c->output_shared);
    const bool below = wants_gradient(net, in);
    pg_real *grads = net->gradients, *dw = net->weights_stay ? NULL : grads + l->weight;
    if (l->row.relu) pg_relu_backward(c->out_size * (size_t)n, c->y, c->dy, c->dy, false);
    pg_dense_backward(dense_of(c), n, input_of(net, in), m->params + l->weight, c->dy, dw, dw ? grads + l->bias : NULL,
                      below ? cell_at(net, in)->dy : NULL, cell_at(net, in)->dy_written);
    if (below) cell_at(net, in)->dy_written = true;
}

static void pool_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_row *r = &m->layers[i].row;
    pg_net_cell *c = &net->cells[i];
    const int n = images_of(net, c->output_shared);
    if (!wants_gradient(net, r->input)) return;
    pg_net_cell *in = cell_at(net, r->input);
    if (r->kind == PG_ROW_MAXPOOL)
        pg_maxpool_backward(&c->pool, n, c->decisions, c->dy, in->dy, in->dy_written);
    else
        pg_avgpool_backward(&c->pool, n, c->dy, in->dy, in->dy_written);
    in->dy_written = true;
}

static void dropout_backward(pg_net *net, int i, const pg_row *r)
{
    pg_net_cell *c = &net->cells[i], *in = cell_at(net, r->input);
    const size_t count = c->out_size * (size_t)images_of(net, c->output_shared);
    if (!wants_gradient(net, r->input)) return;
    if (drops(net)) pg_mask(count, c->decisions, kept_scale(r), c->dy, c->dy);
    pass_gradient(count, false, c->y, c->dy, in->dy, in->dy_written);
    in->dy_written = true;
}

static void layer_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_row *r = &m->layers[i].row;
    const pg_net_cell *c = &net->cells[i];
    switch (r->kind) {
    case PG_ROW_CONV:
        parts_backward(net, i, m);
        if (c->pull) pg_net_statistics_backward(net, &net->cells[i]);
        conv_backward(net, i, m);
        break;
    case PG_ROW_NORM: parts_backward(net, i, m); break;
    case PG_ROW_DROPOUT: dropout_backward(net, i, r); break;
    case PG_ROW_MAXPOOL:
    case PG_ROW_AVGPOOL:
        if (!c->fused) pool_backward(net, i, m);
        break;
    case PG_ROW_ADD:
        summand_backward(net, c, r->relu, r->input);
        summand_backward(net, c, r->relu, r->other);
        break;
    case PG_ROW_DENSE: dense_backward(net, i, m); break;
    }
}

/* Add what pg_net_add_output_gradient gave, once all readers of the output have given theirs. */
static void take_extra(const pg_net *net, pg_net_cell *c)
{
    if (c->extra) pg_accumulate(c->out_size * (size_t)images_of(net, c->output_shared), c->extra, c->dy);
    c->extra = NULL;
}

void pg_net_backward(pg_net *net, pg_model *model, const pg_real *dlogits)
{
    const int last = model->layer_count - 1;
    const pg_net_cell *top = &net->cells[last];
    net->image_cell.dy_written = false;
    for (int i = 0; i <= last; i++) net->cells[i].dy_written = false;
    memcpy(top->dy, dlogits, top->out_size * (size_t)images_of(net, top->output_shared) * sizeof *dlogits);
    for (int i = last; i >= 0 && i >= net->train_from; i--) {
        take_extra(net, &net->cells[i]);
        layer_backward(net, i, model);
    }
}

void pg_net_add_output_gradient(pg_net *net, int layer, const pg_real *gradient)
{
    net->cells[layer].extra = gradient;
}

pg_real *pg_net_gradients(pg_net *net)
{
    return net->gradients;
}

void pg_net_zero_gradients(pg_net *net)
{
    pg_zero(net->layout.param_count, net->gradients);
}

const pg_real *pg_net_image_gradient(const pg_net *net)
{
    return net->image_cell.dy;
}

void pg_net_train_from(pg_net *net, int layer)
{
    net->train_from = layer;
}

void pg_net_keep_weights(pg_net *net, bool keep)
{
    net->weights_stay = keep;
}

double pg_net_training_macs(const pg_net *net, int branches)
{
    const pg_layout *layout = &net->layout;
    double total = 0;
    for (int i = 0; i < layout->layer_count; i++) {
        const int runs = net->cells[i].input_shared ? 1 : branches, products = net->weights_stay ? 1 : 2;
        total += pg_layer_macs(&layout->layers[i]) * runs * (1 + (i >= net->train_from ? products : 0));
    }
    return total;
}

static size_t take_signs(size_t count, pg_real *y, const pg_real *from)
{
    size_t others = 0;
    for (size_t i = 0; i < count; i++) {
        if ((y[i] > 0) == (from[i] > 0)) continue;
        y[i] = from[i] > 0 ? (pg_real)FLT_MIN : 0;
        others++;
    }
    return others;
}

static size_t take_places(size_t count, uint8_t *decisions, const uint8_t *from)
{
    size_t others = 0;
    for (size_t i = 0; i < count; i++) others += decisions[i] != from[i];
    memcpy(decisions, from, count);
    return others;
}

size_t pg_net_take_decisions(pg_net *net, const pg_net *from, size_t *count)
{
    size_t others = 0;
    for (int i = 0; i < net->layout.layer_count; i++) {
        const pg_row *r = &net->layout.layers[i].row;
        pg_net_cell *c = &net->cells[i];
        const pg_net_cell *other = &from->cells[i];
        const bool fuses = r->kind == PG_ROW_CONV && c->fused;
        const size_t outputs = (fuses ? c->fused->out_size : c->out_size) * (size_t)images_of(net, c->output_shared);
        if (r->relu && !c->norm.residual) {
            others += take_signs(outputs, c->y, other->y);
            *count += outputs;
        }
        if (c->decisions) {
            others += take_places(outputs, c->decisions, other->decisions);
            *count += outputs;
        }
    }
    return others;
}
