/* Forward and backward over a model's layers; see net.h.
 *
 * A layer's `shared` input is one that no passport precedes: it is the same in both branches. Its convolution and statistics
 * then serve both, and the gradient dz of its pre-activation is summed over the branches before the convolution's backward runs
 * once. */
#include "core/nets/net_inside.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- forward ---- */

static void move_statistics(pg_model *m, const pg_affine *affine, const pg_cell *c, int n)
{
    const double count = (double)n * c->norm.pixels, unbias = count > 1 ? count / (count - 1) : 1;
    for (int k = 0; k < c->norm.channels; k++) {
        pg_real *mean = &m->buffers[affine->mean + k], *var = &m->buffers[affine->var + k];
        *mean = (pg_real)(0.9 * (double)*mean + 0.1 * (double)c->mean[k]);
        *var = (pg_real)(0.9 * (double)*var + 0.1 * unbias * (double)c->variance[k]);
    }
}

static void use_running(const pg_model *m, const pg_affine *affine, pg_cell *c)
{
    for (int k = 0; k < c->norm.channels; k++) {
        c->mean[k] = m->buffers[affine->mean + k];
        c->inv_std[k] = (pg_real)(1 / sqrt((double)m->buffers[affine->var + k] + (double)c->norm.eps));
    }
}

static void choose_affine(const pg_net *net, pg_cell *c, const pg_layer *l, const pg_model *m, pg_branch branch)
{
    const pg_affine *a = &l->affine[branch];
    if (a->from_passport) {
        if (net->training) pg_passport_forward(c, l, m);
        c->scale = a->fc1 >= 0 ? c->fc_out[0] : c->gamma;
        c->bias = a->fc1 >= 0 ? c->fc_out[1] : c->beta;
    } else {
        c->scale = a->gamma >= 0 ? m->params + a->gamma : NULL;
        c->bias = a->beta >= 0 ? m->params + a->beta : NULL;
    }
}

static const pg_real *input_of(const pg_net *net, int row)
{
    if (row == PG_IMAGES) return net->images;
    const pg_cell *c = &net->cells[row];
    return net->trunk && c->output_shared ? net->trunk + c->trunk * (size_t)net->images_n : c->y;
}

static void conv_forward(pg_net *net, pg_cell *c, const pg_layer *l, pg_model *m, pg_branch branch, const pg_real *x, int n,
                         bool reuse)
{
    const pg_affine *a = &l->affine[branch];
    const bool batch_norm = c->norm.kind == PG_NORM_BN, running = batch_norm && net->mode == PG_EVAL;
    c->norm.fixed = running;
    const bool known = net->trunk && c->trunk_size;
    const pg_real *z = known ? net->trunk + c->trunk * (size_t)n : c->z;
    reuse = reuse && c->input_shared;
    if (!reuse && !known) pg_conv_forward(&c->conv, n, x, m->params + l->weight, c->z, net->scratch);
    if (running)
        use_running(m, a, c);
    else if (!reuse)
        pg_norm_statistics(&c->norm, n, z, c->mean, c->inv_std, batch_norm ? c->variance : NULL, net->scratch);
    if (batch_norm && net->mode == PG_TRAIN) move_statistics(m, a, c, n);
    if (reuse && c->output_shared) return;
    choose_affine(net, c, l, m, branch);
    pg_norm_apply(&c->norm, n, z, c->mean, c->inv_std, c->scale, c->bias, c->norm.residual ? input_of(net, c->plus) : NULL,
                  c->y, c->folded ? c->folded->which : NULL, net->scratch);
}

static void layer_forward(pg_net *net, int i, pg_model *m, pg_branch branch, int n, bool reuse)
{
    const pg_layer *l = &m->layers[i];
    pg_cell *c = &net->cells[i];
    const pg_real *x = input_of(net, l->row.input);
    const size_t count = c->out_size * (size_t)n;
    if (l->row.kind == PG_ROW_CONV) {
        conv_forward(net, c, l, m, branch, x, n, reuse);
        return;
    }
    if (c->folded || (reuse && c->output_shared)) return;
    switch (l->row.kind) {
    case PG_ROW_MAXPOOL: pg_maxpool_forward(&c->pool, n, x, c->y, c->which); break;
    case PG_ROW_AVGPOOL: pg_avgpool_forward(&c->pool, n, x, c->y); break;
    case PG_ROW_ADD: pg_add_relu(count, x, input_of(net, l->row.other), c->y); break;
    case PG_ROW_DENSE:
        pg_dense_forward(n, (int)c->in_size, l->out_channels, x, m->params + l->weight, m->params + l->bias, c->y);
        if (l->row.relu) pg_relu(count, c->y);
        break;
    case PG_ROW_CONV: break;
    }
}

const pg_real *pg_net_forward(pg_net *net, pg_model *model, pg_branch branch, pg_mode mode, const pg_real *images, int n,
                              bool reuse)
{
    net->mode = mode;
    net->images = images;
    net->trunk = NULL;
    net->images_n = n;
    for (int i = 0; i < model->layer_count; i++) layer_forward(net, i, model, branch, n, reuse);
    if (!reuse) net->pictures.dy_written = false;
    for (int i = 0; i < model->layer_count; i++) {
        pg_cell *c = &net->cells[i];
        if (!(reuse && c->output_shared)) c->dy_written = false;
        if (!(reuse && c->input_shared)) c->dz_written = false;
    }
    return net->cells[model->layer_count - 1].y;
}

size_t pg_net_trunk_size(const pg_net *net)
{
    return net->trunk_size;
}

void pg_net_trunk_forward(pg_net *net, pg_model *model, const pg_real *images, int n, pg_real *trunk)
{
    net->mode = PG_EVAL;
    net->images = images;
    net->trunk = NULL;
    net->images_n = n;
    for (int i = 0; i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        const pg_cell *c = &net->cells[i];
        pg_real *kept = trunk + c->trunk * (size_t)n;
        if (c->output_shared) {
            layer_forward(net, i, model, PG_PUBLIC, n, false);
            memcpy(kept, c->y, c->trunk_size * (size_t)n * sizeof *kept);
        } else if (c->input_shared) {
            pg_conv_forward(&c->conv, n, input_of(net, l->row.input), model->params + l->weight, kept, net->scratch);
        }
    }
}

const pg_real *pg_net_forward_from_trunk(pg_net *net, pg_model *model, pg_branch branch, const pg_real *trunk, int n)
{
    net->mode = PG_EVAL;
    net->trunk = trunk;
    net->images_n = n;
    for (int i = 0; i < model->layer_count; i++)
        if (!net->cells[i].output_shared) layer_forward(net, i, model, branch, n, false);
    return net->cells[model->layer_count - 1].y;
}

const pg_real *pg_net_input(const pg_net *net, int layer)
{
    return input_of(net, net->shape->layers[layer].row.input);
}

/* ---- backward ---- */

static bool wants_gradient(const pg_net *net, int row)
{
    return row >= net->train_from;
}

static pg_cell *cell_at(pg_net *net, int row)
{
    return row == PG_IMAGES ? &net->pictures : &net->cells[row];
}

/* Gradient of a convolution's pre-activation dz to its weights and its input. */
static void conv_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_layer *l = &m->layers[i];
    pg_cell *c = &net->cells[i];
    const int in = l->row.input, n = net->images_n;
    const bool below = wants_gradient(net, in);
    pg_cell *source = cell_at(net, in);
    pg_real *dw = net->weights_stay ? NULL : net->shape->params + l->weight;
    if (dw || below)
        pg_conv_backward(&c->conv, n, input_of(net, in), m->params + l->weight, c->dz, below ? source->dy : NULL,
                         source->dy_written, dw, net->scratch);
    if (below) source->dy_written = true;
}

/* Gradient of y to the affine, the passport and the pre-activation. */
static void norm_backward(pg_net *net, int i, const pg_model *m, pg_branch branch)
{
    const pg_layer *l = &m->layers[i];
    pg_cell *c = &net->cells[i];
    const pg_affine *a = &l->affine[branch];
    pg_real *grads = net->shape->params;
    pg_real *dscale = a->from_passport ? c->dscale : a->gamma >= 0 ? grads + a->gamma : NULL;
    pg_real *dbias = a->from_passport ? c->dbias : a->beta >= 0 ? grads + a->beta : NULL;
    const bool add = c->dz != c->dy && c->dz_written;
    pg_norm_backward(&c->norm, net->images_n, c->z, c->mean, c->inv_std, c->scale, c->y, c->folded ? c->folded->which : NULL,
                     c->dy, dscale, dbias, c->dz, add, net->scratch);
    c->dz_written = true;
    if (a->from_passport) pg_passport_backward(net, i, m);
}

/* The gradient of an addition's summand; a convolution that does the addition too has it already. */
static void summand_backward(pg_net *net, const pg_cell *sum, int row, size_t count)
{
    pg_cell *summand = cell_at(net, row);
    if (!wants_gradient(net, row) || summand == sum->folded) return;
    pg_relu_backward(count, sum->y, sum->dy, summand->dy, summand->dy_written);
    summand->dy_written = true;
}

static void dense_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_layer *l = &m->layers[i];
    pg_cell *c = &net->cells[i];
    const int in = l->row.input, n = net->images_n;
    const bool below = wants_gradient(net, in);
    pg_real *grads = net->shape->params, *dw = net->weights_stay ? NULL : grads + l->weight;
    if (l->row.relu) pg_relu_backward(c->out_size * (size_t)n, c->y, c->dy, c->dy, false);
    pg_dense_backward(n, (int)c->in_size, l->out_channels, input_of(net, in), m->params + l->weight, c->dy, dw,
                      dw ? grads + l->bias : NULL, below ? cell_at(net, in)->dy : NULL);
    if (below) cell_at(net, in)->dy_written = true;
}

static void pool_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_row *r = &m->layers[i].row;
    pg_cell *c = &net->cells[i];
    if (!wants_gradient(net, r->input)) return;
    pg_cell *in = cell_at(net, r->input);
    if (r->kind == PG_ROW_MAXPOOL)
        pg_maxpool_backward(&c->pool, net->images_n, c->which, c->dy, in->dy, in->dy_written);
    else
        pg_avgpool_backward(&c->pool, net->images_n, c->dy, in->dy, in->dy_written);
    in->dy_written = true;
}

static void layer_backward(pg_net *net, int i, const pg_model *m, pg_branch branch, bool more)
{
    const pg_row *r = &m->layers[i].row;
    pg_cell *c = &net->cells[i];
    const size_t count = c->out_size * (size_t)net->images_n;
    switch (r->kind) {
    case PG_ROW_CONV:
        norm_backward(net, i, m, branch);
        if (!(more && c->input_shared)) conv_backward(net, i, m);
        break;
    case PG_ROW_MAXPOOL:
    case PG_ROW_AVGPOOL:
        if (!c->folded) pool_backward(net, i, m);
        break;
    case PG_ROW_ADD:
        summand_backward(net, c, r->input, count);
        summand_backward(net, c, r->other, count);
        break;
    case PG_ROW_DENSE: dense_backward(net, i, m); break;
    }
}

void pg_net_backward(pg_net *net, pg_model *model, pg_branch branch, const pg_real *dlogits, bool more)
{
    const int last = model->layer_count - 1;
    pg_cell *top = &net->cells[last];
    memcpy(top->dy, dlogits, top->out_size * (size_t)net->images_n * sizeof *dlogits);
    for (int i = last; i >= 0 && i >= net->train_from; i--)
        if (!(more && net->cells[i].output_shared)) layer_backward(net, i, model, branch, more);
}

pg_real *pg_net_gradients(pg_net *net)
{
    return net->shape->params;
}

void pg_net_zero_gradients(pg_net *net)
{
    pg_zero(net->shape->param_count, net->shape->params);
}

const pg_real *pg_net_image_gradient(const pg_net *net)
{
    return net->pictures.dy;
}

void pg_net_train_from(pg_net *net, int layer)
{
    net->train_from = layer;
}

void pg_net_keep_weights(pg_net *net)
{
    net->weights_stay = true;
}

double pg_net_training_flops(const pg_net *net, int branches)
{
    const pg_model *m = net->shape;
    double total = 0;
    for (int i = 0; i < m->layer_count; i++) {
        const int runs = net->cells[i].input_shared ? 1 : branches, products = net->weights_stay ? 1 : 2;
        total += pg_layer_flops(&m->layers[i]) * runs * (1 + (i >= net->train_from ? products : 0));
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

static size_t take_places(size_t count, uint8_t *which, const uint8_t *from)
{
    size_t others = 0;
    for (size_t i = 0; i < count; i++) others += which[i] != from[i];
    memcpy(which, from, count);
    return others;
}

size_t pg_net_take_decisions(pg_net *net, const pg_net *from, size_t *count)
{
    size_t others = 0;
    for (int i = 0; i < net->shape->layer_count; i++) {
        const pg_row *r = &net->shape->layers[i].row;
        pg_cell *c = &net->cells[i];
        const pg_cell *other = &from->cells[i];
        const bool folds = r->kind == PG_ROW_CONV && c->folded;
        const size_t outputs = (folds ? c->folded->out_size : c->out_size) * (size_t)net->images_n;
        if ((r->relu && !c->norm.residual) || r->kind == PG_ROW_ADD) {
            others += take_signs(outputs, c->y, other->y);
            *count += outputs;
        }
        if (c->which) {
            others += take_places(outputs, c->which, other->which);
            *count += outputs;
        }
    }
    return others;
}
