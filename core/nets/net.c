/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forward over a model's layers; see net.h. */
#include "core/nets/net_parts.h"

#include <math.h>
#include <string.h>

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
