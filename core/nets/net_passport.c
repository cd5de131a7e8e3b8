/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passports in a net: gamma and beta are products of the weights with window means. Forward and backward; see net_internal.h.
 */
#include "core/nets/net_internal.h"

#include <string.h>

static const pg_real leak = (pg_real)0.01; /* slope of PAN's leaky ReLU */

static int cell_of_passport(const pg_net *net, int i)
{
    return (int)(pg_layout_passport_layer(&net->layout, i) - net->layout.layers);
}

static int window(const pg_layer *l)
{
    return l->row.kernel * l->row.kernel * l->in_channels;
}

void pg_net_set_passport(pg_net *net, int i, const pg_real *scale_means, const pg_real *bias_means)
{
    const int at = cell_of_passport(net, i);
    const size_t bytes = (size_t)window(&net->layout.layers[at]) * sizeof(pg_real);
    memcpy(net->cells[at].scale_means, scale_means, bytes);
    memcpy(net->cells[at].bias_means, bias_means, bytes);
}

/* PAN's perceptron: out [O] = F2 leaky(F1 in), F1 [O/4,O], F2 [O,O/4]. */
static void perceptron_forward(const pg_layer *l, const pg_model *m, const pg_real *in, pg_real *hidden, pg_real *out)
{
    const int k = l->out_channels, quarter = pg_layer_hidden(l);
    pg_dense_forward((pg_dense){k, quarter}, 1, in, m->params + l->affine[PG_PRIVATE].fc1, NULL, hidden);
    for (int i = 0; i < quarter; i++) hidden[i] = hidden[i] > 0 ? hidden[i] : leak * hidden[i];
    pg_dense_forward((pg_dense){quarter, k}, 1, hidden, m->params + l->affine[PG_PRIVATE].fc2, NULL, out);
}

/* Add d loss / d in to din, given dout = d loss / d out. */
static void perceptron_backward(pg_net *net, const pg_layer *l, const pg_model *m, const pg_real *in, const pg_real *hidden,
                                const pg_real *dout, pg_real *din)
{
    const int k = l->out_channels, quarter = pg_layer_hidden(l);
    pg_real *back = net->affine_scratch, *dhidden = net->affine_scratch + k;
    pg_real *const grads = net->gradients;
    pg_dense_backward((pg_dense){quarter, k}, 1, hidden, m->params + l->affine[PG_PRIVATE].fc2, dout,
                      grads + l->affine[PG_PRIVATE].fc2, NULL, dhidden, false);
    for (int i = 0; i < quarter; i++) dhidden[i] = hidden[i] > 0 ? dhidden[i] : leak * dhidden[i];
    pg_dense_backward((pg_dense){k, quarter}, 1, in, m->params + l->affine[PG_PRIVATE].fc1, dhidden,
                      grads + l->affine[PG_PRIVATE].fc1, NULL, back, false);
    pg_accumulate((size_t)k, back, din);
}

void pg_passport_forward(pg_net_cell *c, const pg_layer *l, const pg_model *m)
{
    pg_matvec_pair(window(l), l->out_channels, m->params + l->weight, c->scale_means, c->bias_means, c->gamma, c->beta);
    if (l->affine[PG_PRIVATE].fc1 >= 0) {
        perceptron_forward(l, m, c->gamma, c->hidden[0], c->fc_out[0]);
        perceptron_forward(l, m, c->beta, c->hidden[1], c->fc_out[1]);
    }
    pg_real *const clear[] = {c->dgamma, c->dbeta, c->dscale, c->dbias};
    for (int i = 0; i < 4; i++) pg_zero((size_t)l->out_channels, clear[i]);
}

void pg_passport_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_layer *l = &m->layers[i];
    pg_net_cell *c = &net->cells[i];
    if (l->affine[PG_PRIVATE].fc1 >= 0) {
        perceptron_backward(net, l, m, c->gamma, c->hidden[0], c->dscale, c->dgamma);
        perceptron_backward(net, l, m, c->beta, c->hidden[1], c->dbias, c->dbeta);
    }
    if (!net->weights_stay)
        pg_outer_add_pair(window(l), l->out_channels, c->scale_means, c->bias_means, c->dgamma, c->dbeta,
                          net->gradients + l->weight);
}

void pg_net_refresh_passports(pg_net *net, const pg_model *model)
{
    for (int i = 0; i < model->layer_count; i++)
        if (model->layers[i].passport >= 0) pg_passport_forward(&net->cells[i], &model->layers[i], model);
}

const pg_real *pg_net_gamma(const pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].gamma;
}

const pg_real *pg_net_scale(const pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].scale[PG_PRIVATE];
}

const pg_real *pg_net_bias(const pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].bias[PG_PRIVATE];
}

pg_real *pg_net_gamma_gradient(pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].dgamma;
}

pg_real *pg_net_beta_gradient(pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].dbeta;
}

void pg_passport_means(const pg_layer *layer, const pg_real *image, pg_real *means)
{
    const int r = layer->row.kernel, stride = layer->row.stride, pad = layer->row.pad, channels = layer->in_channels;
    const double positions = (double)layer->out_height * layer->out_width;
    for (int i = 0; i < r; i++)
        for (int j = 0; j < r; j++)
            for (int c = 0; c < channels; c++) {
                double sum = 0;
                for (int oy = 0; oy < layer->out_height; oy++) {
                    const int y = oy * stride + i - pad;
                    if (y < 0 || y >= layer->in_height) continue;
                    for (int ox = 0; ox < layer->out_width; ox++) {
                        const int x = ox * stride + j - pad;
                        if (x >= 0 && x < layer->in_width) sum += (double)image[(y * layer->in_width + x) * channels + c];
                    }
                }
                means[(i * r + j) * channels + c] = (pg_real)(sum / positions);
            }
}

void pg_passport_means_backward(const pg_layer *layer, const pg_real *dmeans, pg_real *dimage)
{
    const int r = layer->row.kernel, stride = layer->row.stride, pad = layer->row.pad, channels = layer->in_channels;
    const pg_real share = (pg_real)(1 / ((double)layer->out_height * layer->out_width));
    pg_zero((size_t)(layer->in_height * layer->in_width * channels), dimage);
    for (int i = 0; i < r; i++)
        for (int j = 0; j < r; j++)
            for (int oy = 0; oy < layer->out_height; oy++) {
                const int y = oy * stride + i - pad;
                if (y < 0 || y >= layer->in_height) continue;
                for (int ox = 0; ox < layer->out_width; ox++) {
                    const int x = ox * stride + j - pad;
                    if (x < 0 || x >= layer->in_width) continue;
                    const pg_real *from = dmeans + (i * r + j) * channels;
                    pg_real *to = dimage + (y * layer->in_width + x) * channels;
                    for (int c = 0; c < channels; c++) to[c] += share * from[c];
                }
            }
}
