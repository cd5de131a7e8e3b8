/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models: the values of a layout's parameters, their start, copies and state-dict order; see model.h. */
#include "core/nets/model.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"

#include <math.h>
#include <string.h>

/* ---- create and destroy ---- */

static void set_ones(pg_real *block, ptrdiff_t offset, int count)
{
    if (offset >= 0)
        for (int i = 0; i < count; i++) block[offset + i] = 1;
}

static void set_start_values(pg_model *model)
{
    for (int i = 0; i < model->layer_count; i++)
        for (int b = 0; b < 2; b++) {
            const pg_layer *layer = &model->layers[i];
            set_ones(model->params, layer->affine[b].gamma, layer->out_channels);
            set_ones(model->buffers, layer->affine[b].var, layer->out_channels);
        }
}

pg_status pg_model_create(const pg_net_spec *spec, pg_model **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *model = NULL;
    PG_TRY(pg_alloc(1, sizeof *model, &model, err));
    PG_TRY(pg_layout_plan(spec, &model->layout, err));
    PG_TRY(pg_alloc((size_t)model->tensor_count, sizeof *model->tensors, &model->tensors, err));
    PG_TRY(pg_alloc(model->param_count, sizeof *model->params, &model->params, err));
    PG_TRY(pg_alloc(model->buffer_count, sizeof *model->buffers, &model->buffers, err));
    pg_layout_tensors(&model->layout, model->tensors);
    set_start_values(model);
    *out = model;
    model = NULL;
done:
    pg_model_destroy(&model);
    return status;
}

void pg_model_destroy(pg_model **model)
{
    if (!*model) return;
    pg_free((*model)->tensors);
    pg_free((*model)->params);
    pg_free((*model)->buffers);
    pg_free(*model);
    *model = NULL;
}

pg_status pg_model_clone(const pg_model *model, pg_model **out, pg_error *err)
{
    const pg_status status = pg_model_create(&model->spec, out, err);
    if (status != PG_OK) return status;
    memcpy((*out)->params, model->params, model->param_count * sizeof *model->params);
    memcpy((*out)->buffers, model->buffers, model->buffer_count * sizeof *model->buffers);
    return PG_OK;
}

/* ---- initial weights ---- */

static void fill_uniform(pg_real *values, size_t count, double bound, pg_rng *rng)
{
    for (size_t i = 0; i < count; i++) values[i] = (pg_real)(bound * (2 * pg_rng_uniform(rng) - 1));
}

static void initialise_dense(pg_model *model, const pg_layer *layer, pg_rng *rng)
{
    const size_t in = (size_t)layer->in_height * (size_t)layer->in_width * (size_t)layer->in_channels;
    const double bound = 1 / sqrt((double)in);
    fill_uniform(model->params + layer->weight, in * (size_t)layer->out_channels, bound, rng);
    fill_uniform(model->params + layer->bias, (size_t)layer->out_channels, bound, rng);
}

static void initialise_conv(pg_model *model, const pg_layer *layer, pg_rng *rng)
{
    const int r = layer->row.kernel, k = layer->out_channels;
    const size_t fan_in = (size_t)(r * r) * (size_t)layer->depth;
    const double deviation = sqrt(2.0 / ((double)k * r * r));
    for (size_t i = 0; i < fan_in * (size_t)k; i++)
        model->params[layer->weight + (ptrdiff_t)i] = (pg_real)(deviation * pg_rng_normal(rng));
    if (layer->bias >= 0) fill_uniform(model->params + layer->bias, (size_t)k, 1 / sqrt((double)fan_in), rng);
    const pg_affine *private = &layer->affine[PG_PRIVATE];
    if (private->fc1 >= 0) {
        const int quarter = pg_layer_hidden(layer);
        fill_uniform(model->params + private->fc1, (size_t)quarter * (size_t)k, 1 / sqrt((double)k), rng);
        fill_uniform(model->params + private->fc2, (size_t)quarter * (size_t)k, 1 / sqrt((double)quarter), rng);
    }
}

void pg_model_initialise(pg_model *model, pg_seed seed, const char *purpose)
{
    for (int i = 0; i < model->layer_count; i++) {
        pg_rng rng;
        pg_rng_open(&rng, seed, purpose, (uint64_t)i);
        if (model->layers[i].row.kind == PG_ROW_CONV) initialise_conv(model, &model->layers[i], &rng);
        if (model->layers[i].row.kind == PG_ROW_DENSE) initialise_dense(model, &model->layers[i], &rng);
    }
}

void pg_model_reset_classifier(pg_model *model, pg_seed seed)
{
    pg_rng rng;
    pg_rng_open(&rng, seed, "classifier", 0);
    initialise_dense(model, pg_model_classifier(model), &rng);
}

/* ---- copies between models ---- */

static void copy_part(const pg_real *from, ptrdiff_t source, pg_real *to, ptrdiff_t target, size_t count)
{
    if (source >= 0 && target >= 0) memcpy(to + target, from + source, count * sizeof *to);
}

static void copy_conv(const pg_model *from, const pg_layer *source, pg_model *to, const pg_layer *target)
{
    const size_t k = (size_t)source->out_channels, hidden = (size_t)pg_layer_hidden(source);
    const size_t weights = (size_t)(source->row.kernel * source->row.kernel * source->depth) * k;
    copy_part(from->params, source->weight, to->params, target->weight, weights);
    copy_part(from->params, source->bias, to->params, target->bias, k);
    for (int b = PG_PRIVATE; b >= PG_PUBLIC; b--) { /* public last: it stays if the target's branches share statistics */
        const pg_affine *s = &source->affine[b], *t = &target->affine[b];
        copy_part(from->params, s->gamma, to->params, t->gamma, k);
        copy_part(from->params, s->beta, to->params, t->beta, k);
        copy_part(from->params, s->fc1, to->params, t->fc1, hidden * k);
        copy_part(from->params, s->fc2, to->params, t->fc2, hidden * k);
        copy_part(from->buffers, s->mean, to->buffers, t->mean, k);
        copy_part(from->buffers, s->var, to->buffers, t->var, k);
    }
}

static void copy_dense(const pg_model *from, const pg_layer *source, pg_model *to, const pg_layer *target)
{
    const size_t in = (size_t)source->in_height * (size_t)source->in_width * (size_t)source->in_channels;
    const size_t other = (size_t)target->in_height * (size_t)target->in_width * (size_t)target->in_channels;
    if (source->out_channels != target->out_channels || in != other) return;
    copy_part(from->params, source->weight, to->params, target->weight, in * (size_t)source->out_channels);
    copy_part(from->params, source->bias, to->params, target->bias, (size_t)source->out_channels);
}

pg_status pg_model_copy(const pg_model *from, pg_model *to, pg_error *err)
{
    if (!pg_net_spec_alike(&from->spec, &to->spec) || from->spec.norm != to->spec.norm)
        return pg_fail(err, PG_BAD_INPUT, "a %s with %s does not fit a %s with %s", from->spec.arch->name,
                       pg_norm_kind_name(from->spec.norm), to->spec.arch->name, pg_norm_kind_name(to->spec.norm));
    for (int i = 0; i < from->layer_count; i++) {
        const pg_layer *s = &from->layers[i], *t = &to->layers[i];
        const bool classes = i == from->layer_count - 1 || s->out_channels == t->out_channels;
        if (s->in_channels != t->in_channels || !classes || s->in_height != t->in_height || s->in_width != t->in_width)
            return pg_fail(err, PG_BAD_INPUT, "%s: layer %s has another size", from->spec.arch->name, s->row.name);
        if (s->row.kind == PG_ROW_CONV || s->row.kind == PG_ROW_NORM) copy_conv(from, s, to, t);
        if (s->row.kind == PG_ROW_DENSE) copy_dense(from, s, to, t);
    }
    return PG_OK;
}

void pg_model_copy_private(const pg_model *from, pg_model *to)
{
    for (int i = 0; i < from->layer_count; i++) {
        const pg_layer *l = &from->layers[i];
        const pg_affine *private = &l->affine[PG_PRIVATE];
        const size_t k = (size_t)l->out_channels, hidden = (size_t)pg_layer_hidden(l);
        copy_part(from->params, private->fc1, to->params, private->fc1, hidden * k);
        copy_part(from->params, private->fc2, to->params, private->fc2, hidden * k);
        if (private->mean == l->affine[PG_PUBLIC].mean) continue;
        copy_part(from->buffers, private->mean, to->buffers, private->mean, k);
        copy_part(from->buffers, private->var, to->buffers, private->var, k);
    }
}

void pg_model_copy_classifier(const pg_model *from, pg_model *to)
{
    copy_dense(from, pg_model_classifier(from), to, pg_model_classifier(to));
}

/* ---- questions ---- */

const pg_layer *pg_model_passport_layer(const pg_model *model, int i)
{
    return pg_layout_passport_layer(&model->layout, i);
}

const pg_layer *pg_model_classifier(const pg_model *model)
{
    return pg_layout_classifier(&model->layout);
}

double pg_model_macs(const pg_model *model)
{
    return pg_layout_macs(&model->layout);
}

bool pg_model_of_perceptron(const pg_model *model, const pg_tensor *tensor)
{
    const pg_affine *private = &model->layers[tensor->layer].affine[PG_PRIVATE];
    return !tensor->buffer && (tensor->offset == private->fc1 || tensor->offset == private->fc2);
}

size_t pg_model_parameters(const pg_model *model)
{
    size_t total = 0;
    for (int i = 0; i < model->tensor_count; i++) total += model->tensors[i].buffer ? 0 : model->tensors[i].count;
    return total;
}

static bool is_variance(const pg_model *model, const pg_tensor *tensor)
{
    const pg_affine *a = model->layers[tensor->layer].affine;
    return tensor->buffer && (tensor->offset == a[PG_PUBLIC].var || tensor->offset == a[PG_PRIVATE].var);
}

pg_status pg_model_check_finite(const pg_model *model, pg_error *err)
{
    for (int i = 0; i < model->tensor_count; i++) {
        const pg_tensor *t = &model->tensors[i];
        const pg_real *values = (t->buffer ? model->buffers : model->params) + t->offset;
        if (!pg_all_finite(t->count, values))
            return pg_fail(err, PG_FAILED, "tensor '%s': a value is not a finite number", t->name);
        if (!is_variance(model, t)) continue;
        for (size_t e = 0; e < t->count; e++)
            if (values[e] < 0) return pg_fail(err, PG_FAILED, "tensor '%s': a variance is negative", t->name);
    }
    return PG_OK;
}

/* ---- state-dict order ---- */

/* Where element (a, b, c) of a tensor in state-dict order lies in memory. Convolution: a = output, b = input channel, c = tap.
 * Dense: a = output, b = channel, c = pixel. */
static ptrdiff_t inner(const pg_tensor *t, int a, int b, int c)
{
    if (t->order == PG_ORDER_CONV) return ((ptrdiff_t)c * t->shape[1] + b) * t->shape[0] + a;
    return ((ptrdiff_t)a * t->pixels + c) * t->channels + b;
}

static void walk(const pg_tensor *t, pg_real *block, pg_real *values, bool import)
{
    pg_real *data = block + t->offset;
    if (t->order == PG_ORDER_FLAT) {
        memcpy(import ? data : values, import ? values : data, t->count * sizeof *data);
        return;
    }
    const int middle = t->order == PG_ORDER_CONV ? t->shape[1] : t->channels;
    const int last = t->order == PG_ORDER_CONV ? t->shape[2] * t->shape[3] : t->pixels;
    pg_real *v = values;
    for (int a = 0; a < t->shape[0]; a++)
        for (int b = 0; b < middle; b++)
            for (int c = 0; c < last; c++, v++) {
                pg_real *d = &data[inner(t, a, b, c)];
                *(import ? d : v) = *(import ? v : d);
            }
}

void pg_tensor_export_from(const pg_tensor *tensor, const pg_real *block, pg_real *values)
{
    walk(tensor, (pg_real *)block, values, false);
}

void pg_tensor_export(const pg_model *model, const pg_tensor *tensor, pg_real *values)
{
    pg_tensor_export_from(tensor, tensor->buffer ? model->buffers : model->params, values);
}

void pg_tensor_import(pg_model *model, const pg_tensor *tensor, const pg_real *values)
{
    walk(tensor, tensor->buffer ? model->buffers : model->params, (pg_real *)values, true);
}
