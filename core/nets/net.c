/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forward and backward over a model's layers; see net.h.
 *
 * A layer's input is shared if no passport comes before it: it is the same in both branches. When both branches run at once, a
 * buffer that is shared exists once, and any other has two parts: the public images, then the private ones. A convolution
 * processes both parts in one call, a normalisation one after the other. If the input of a normalisation is shared and its
 * output is not, the gradient dz of the pre-activation is summed over the parts before the convolution's backward runs once. */
#include "core/nets/net_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- parts ---- */

static int parts_of(const pg_net *net, bool shared)
{
    return shared || net->branch != PG_BOTH ? 1 : 2;
}

static pg_branch branch_of(const pg_net *net, int part)
{
    return net->branch == PG_BOTH ? (pg_branch)part : net->branch;
}

static int images_of(const pg_net *net, bool shared)
{
    return net->images_n * parts_of(net, shared);
}

/* First element of a part in an array of `size` elements per image. */
static size_t part_at(const pg_net *net, bool shared, int part, size_t size)
{
    return shared ? 0 : (size_t)part * (size_t)net->images_n * size;
}

static pg_net_cell *cell_at(pg_net *net, int row)
{
    return row == PG_IMAGES ? &net->image_cell : &net->cells[row];
}

/* ---- forward ---- */

/* First statistic of a part. Parts with a shared input have the same ones, except running statistics. */
static size_t statistics_at(const pg_net *net, const pg_net_cell *c, int part)
{
    return c->input_shared && !c->norm.fixed ? 0 : (size_t)part * pg_norm_sets(&c->norm, net->images_n);
}

static void move_statistics(pg_model *m, const pg_affine *affine, const pg_net_cell *c, int n, const pg_real *batch_mean)
{
    const double count = (double)n * c->norm.pixels, unbias = count > 1 ? count / (count - 1) : 1;
    for (int k = 0; k < c->norm.channels; k++) {
        pg_real *mean = &m->buffers[affine->mean + k], *var = &m->buffers[affine->var + k];
        *mean = (pg_real)(0.9 * (double)*mean + 0.1 * (double)batch_mean[k]);
        *var = (pg_real)(0.9 * (double)*var + 0.1 * unbias * (double)c->variance[k]);
    }
}

static void use_running(const pg_model *m, const pg_affine *affine, const pg_net_cell *c, pg_real *mean, pg_real *inv_std)
{
    for (int k = 0; k < c->norm.channels; k++) {
        mean[k] = m->buffers[affine->mean + k];
        inv_std[k] = (pg_real)(1 / sqrt((double)m->buffers[affine->var + k] + (double)c->norm.eps));
    }
}

static void choose_affine(const pg_net *net, pg_net_cell *c, const pg_layer *l, const pg_model *m, pg_branch branch)
{
    const pg_affine *a = &l->affine[branch];
    if (a->from_passport) {
        if (net->training) pg_passport_forward(c, l, m);
        c->scale[branch] = a->fc1 >= 0 ? c->fc_out[0] : c->gamma;
        c->bias[branch] = a->fc1 >= 0 ? c->fc_out[1] : c->beta;
    } else {
        c->scale[branch] = a->gamma >= 0 ? m->params + a->gamma : NULL;
        c->bias[branch] = a->beta >= 0 ? m->params + a->beta : NULL;
    }
}

static const pg_real *input_of(const pg_net *net, int row)
{
    if (row == PG_IMAGES) return net->images;
    const pg_net_cell *c = &net->cells[row];
    return net->trunk && c->output_shared ? net->trunk + c->trunk * (size_t)net->images_n : c->y;
}

static const pg_real *input_part(const pg_net *net, int row, int part)
{
    if (row == PG_IMAGES) return net->images;
    const pg_net_cell *c = &net->cells[row];
    return input_of(net, row) + part_at(net, c->output_shared, part, c->out_size);
}

/* The cell that has the output of a convolution block: itself, or the pool or addition fused into it. */
static const pg_net_cell *result_of(const pg_net_cell *c)
{
    return c->fused ? c->fused : c;
}

static uint8_t *decisions_part(const pg_net *net, const pg_net_cell *c, int part)
{
    uint8_t *decisions = c->fused ? c->fused->decisions : NULL;
    return decisions ? decisions + part_at(net, c->output_shared, part, c->fused->out_size) : NULL;
}

/* The operands of a part's normalisation. */
static pg_norm_pass norm_pass(const pg_net *net, const pg_net_cell *c, int part, const pg_real *z)
{
    const pg_branch branch = branch_of(net, part);
    const size_t statistics = statistics_at(net, c, part);
    return (pg_norm_pass){.n = net->images_n,
                          .x = z + part_at(net, c->input_shared, part, c->out_size),
                          .mean = c->mean + statistics,
                          .inv_std = c->inv_std + statistics,
                          .gamma = c->scale[branch],
                          .beta = c->bias[branch],
                          .plus = c->norm.residual ? input_part(net, c->plus, part) : NULL,
                          .y = c->y + part_at(net, c->output_shared, part, result_of(c)->out_size),
                          .decisions = decisions_part(net, c, part),
                          .scratch = net->scratch};
}

static void norm_forward(const pg_net *net, pg_net_cell *c, const pg_layer *l, pg_model *m, int part, const pg_real *z)
{
    const pg_branch branch = branch_of(net, part);
    const pg_affine *a = &l->affine[branch];
    const bool batch_norm = c->norm.kind == PG_NORM_BN;
    const int n = net->images_n;
    pg_real *mean = c->mean + statistics_at(net, c, part), *inv_std = c->inv_std + statistics_at(net, c, part);
    if (c->norm.fixed)
        use_running(m, a, c, mean, inv_std);
    else if (part == 0 || !c->input_shared)
        pg_norm_statistics(&c->norm, n, z + part_at(net, c->input_shared, part, c->out_size), mean, inv_std,
                           batch_norm ? c->variance : NULL, net->scratch);
    if (batch_norm && net->mode == PG_TRAIN) move_statistics(m, a, c, n, mean);
    if (part > 0 && c->output_shared) return;
    choose_affine(net, c, l, m, branch);
    const pg_norm_pass pass = norm_pass(net, c, part, z);
    pg_norm_apply(&c->norm, &pass);
}

static void parts_forward(const pg_net *net, pg_net_cell *c, const pg_layer *l, pg_model *m, const pg_real *z)
{
    c->norm.fixed = c->norm.kind == PG_NORM_BN && net->mode == PG_EVAL;
    for (int part = 0; part < parts_of(net, false); part++) norm_forward(net, c, l, m, part, z);
}

static void conv_forward(const pg_net *net, pg_net_cell *c, const pg_layer *l, pg_model *m)
{
    const bool known = net->trunk && c->trunk_size;
    if (!known)
        pg_conv_forward(&c->conv, images_of(net, c->input_shared), input_of(net, l->row.input), m->params + l->weight, c->z,
                        net->scratch);
    parts_forward(net, c, l, m, known ? net->trunk + c->trunk * (size_t)net->images_n : c->z);
}

static void add_forward(const pg_net *net, const pg_net_cell *c, const pg_row *r)
{
    const size_t count = c->out_size * (size_t)net->images_n;
    void (*const add)(size_t, const pg_real *, const pg_real *, pg_real *) = r->relu ? pg_add_relu : pg_add;
    for (int part = 0; part < parts_of(net, c->output_shared); part++)
        add(count, input_part(net, r->input, part), input_part(net, r->other, part), c->y + (size_t)part * count);
}

/* Does dropout set values to zero in this pass? */
static bool drops(const pg_net *net)
{
    return net->training && net->mode == PG_TRAIN;
}

static pg_real kept_scale(const pg_row *r)
{
    return (pg_real)(1 / (1 - r->rate));
}

/* A value passes with probability 1 - rate, multiplied so that its expectation stays. Source: Srivastava, Hinton, Krizhevsky,
 * Sutskever, Salakhutdinov, "Dropout", JMLR 2014. */
static void dropout_forward(const pg_net *net, const pg_net_cell *c, int i, const pg_row *r, const pg_real *x)
{
    const size_t count = c->out_size * (size_t)images_of(net, c->output_shared);
    if (!drops(net)) {
        memcpy(c->y, x, count * sizeof *x);
        return;
    }
    pg_rng rng;
    pg_rng_open(&rng, net->seed, "dropout", net->draw * PG_ROWS_MAX + (uint64_t)i);
    for (size_t e = 0; e < count; e++) c->decisions[e] = pg_rng_uniform(&rng) >= r->rate;
    pg_mask(count, c->decisions, kept_scale(r), x, c->y);
}

void pg_net_draw_dropout(pg_net *net, pg_seed seed, uint64_t step)
{
    net->seed = seed;
    net->draw = step;
}

static pg_dense dense_of(const pg_net_cell *c)
{
    return (pg_dense){.in = (int)c->in_size, .out = (int)c->out_size};
}

static void layer_forward(pg_net *net, int i, pg_model *m)
{
    const pg_layer *l = &m->layers[i];
    pg_net_cell *c = &net->cells[i];
    const pg_real *x = input_of(net, l->row.input);
    const int n = images_of(net, c->output_shared);
    if (l->row.kind != PG_ROW_CONV && c->fused) return;
    switch (l->row.kind) {
    case PG_ROW_CONV: conv_forward(net, c, l, m); break;
    case PG_ROW_NORM: parts_forward(net, c, l, m, x); break;
    case PG_ROW_DROPOUT: dropout_forward(net, c, i, &l->row, x); break;
    case PG_ROW_MAXPOOL: pg_maxpool_forward(&c->pool, n, x, c->y, c->decisions); break;
    case PG_ROW_AVGPOOL: pg_avgpool_forward(&c->pool, n, x, c->y); break;
    case PG_ROW_ADD: add_forward(net, c, &l->row); break;
    case PG_ROW_DENSE:
        pg_dense_forward(dense_of(c), n, x, m->params + l->weight, m->params + l->bias, c->y);
        if (l->row.relu) pg_relu(c->out_size * (size_t)n, c->y);
        break;
    }
}

static void begin(pg_net *net, pg_branch branch, pg_mode mode, const pg_real *images, const pg_real *trunk, int n)
{
    net->branch = branch;
    net->mode = mode;
    net->images = images;
    net->trunk = trunk;
    net->images_n = n;
}

const pg_real *pg_net_forward(pg_net *net, pg_model *model, pg_branch branch, pg_mode mode, const pg_real *images, int n)
{
    begin(net, branch, mode, images, NULL, n);
    for (int i = 0; i < model->layer_count; i++) layer_forward(net, i, model);
    return net->cells[model->layer_count - 1].y;
}

size_t pg_net_trunk_size(const pg_net *net)
{
    return net->trunk_size;
}

void pg_net_trunk_forward(pg_net *net, pg_model *model, const pg_real *images, int n, pg_real *trunk)
{
    begin(net, PG_PUBLIC, PG_EVAL, images, NULL, n);
    for (int i = 0; i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        const pg_net_cell *c = &net->cells[i];
        pg_real *kept = trunk + c->trunk * (size_t)n;
        if (c->output_shared) {
            layer_forward(net, i, model);
            memcpy(kept, c->y, c->trunk_size * (size_t)n * sizeof *kept);
        } else if (c->input_shared) {
            pg_conv_forward(&c->conv, n, input_of(net, l->row.input), model->params + l->weight, kept, net->scratch);
        }
    }
}

const pg_real *pg_net_forward_from_trunk(pg_net *net, pg_model *model, pg_branch branch, const pg_real *trunk, int n)
{
    begin(net, branch, PG_EVAL, NULL, trunk, n);
    for (int i = 0; i < model->layer_count; i++)
        if (!net->cells[i].output_shared) layer_forward(net, i, model);
    return net->cells[model->layer_count - 1].y;
}

const pg_real *pg_net_input(const pg_net *net, int layer)
{
    return input_of(net, net->layout.layers[layer].row.input);
}

/* ---- backward ---- */

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
