/* Models: shapes and the block of parameters planned from a spec; see model.h. */
#include "core/nets/model.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const norm_names[] = {"bn", "gn", "in", "none"};

const char *pg_norm_kind_name(pg_norm_kind kind)
{
    return norm_names[kind];
}

pg_status pg_norm_kind_parse(const char *name, pg_norm_kind *kind, pg_error *err)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(name, norm_names[i]) == 0) {
            *kind = (pg_norm_kind)i;
            return PG_OK;
        }
    return pg_fail(err, PG_BAD_INPUT, "unknown norm '%s' (known: bn, gn, in, none)", name);
}

uint64_t pg_arch_default_passports(const pg_arch *arch)
{
    pg_row rows[PG_ROWS_MAX];
    const int n = arch->rows(true, rows);
    uint64_t mask = 0;
    for (int i = 0, conv = 0; i < n; i++)
        if (rows[i].kind == PG_ROW_CONV) mask |= (uint64_t)rows[i].passport << conv++;
    return mask;
}

pg_net_spec pg_net_spec_plain(const pg_arch *arch, pg_norm_kind norm, int classes)
{
    return (pg_net_spec){.arch = arch,
                         .norm = norm,
                         .width = 1,
                         .classes = classes,
                         .image_height = arch->image,
                         .image_width = arch->image,
                         .relu_before_add = true,
                         .public_affine = true};
}

pg_net_spec pg_net_spec_public(const pg_net_spec *spec)
{
    pg_net_spec public = *spec;
    public.public_affine = true;
    public.private_affine = public.own_norm = public.perceptron = false;
    return public;
}

pg_branch pg_net_spec_deployed(const pg_net_spec *spec)
{
    return spec->public_affine ? PG_PUBLIC : PG_PRIVATE;
}

/* ---- shapes ---- */

static int widened(const pg_net_spec *spec, int channels)
{
    const int wide = (int)lround(channels * spec->width / 16.0) * 16;
    return wide < 16 ? 16 : wide;
}

static int extent(int in, int kernel, int stride, int pad)
{
    return in + 2 * pad < kernel ? 0 : (in + 2 * pad - kernel) / stride + 1;
}

static pg_status shape_layer(const pg_net_spec *spec, const pg_layer *layers, pg_layer *layer, pg_error *err)
{
    const pg_row *row = &layer->row;
    const pg_layer *in = row->input == PG_IMAGES ? NULL : &layers[row->input];
    layer->in_height = in ? in->out_height : spec->image_height;
    layer->in_width = in ? in->out_width : spec->image_width;
    layer->in_channels = in ? in->out_channels : 3;
    layer->out_channels = layer->in_channels;
    layer->out_height = layer->in_height;
    layer->out_width = layer->in_width;
    switch (row->kind) {
    case PG_ROW_CONV: layer->out_channels = widened(spec, row->channels); /* fall through */
    case PG_ROW_MAXPOOL:
        layer->out_height = extent(layer->in_height, row->kernel, row->stride, row->pad);
        layer->out_width = extent(layer->in_width, row->kernel, row->stride, row->pad);
        break;
    case PG_ROW_AVGPOOL: layer->out_height = layer->out_width = row->kernel; break;
    case PG_ROW_ADD: break;
    case PG_ROW_DENSE:
        layer->out_height = layer->out_width = 1;
        layer->out_channels = row->channels ? widened(spec, row->channels) : spec->classes;
        break;
    }
    if (layer->out_height < 1 || layer->out_width < 1)
        return pg_fail(err, PG_BAD_INPUT, "images of %dx%d are too small for %s", spec->image_height, spec->image_width,
                       spec->arch->name);
    return PG_OK;
}

/* ---- tensors: called twice, first to count, then to fill ---- */

typedef struct plan {
    pg_model *model;
    int layer;
    bool fill;
    int tensors;
    size_t params, buffers;
} plan;

static ptrdiff_t add_tensor(plan *p, bool buffer, const char *suffix, const char *alias, pg_tensor_order order, int rank,
                            const int *shape)
{
    size_t count = 1;
    for (int i = 0; i < rank; i++) count *= (size_t)shape[i];
    size_t *end = buffer ? &p->buffers : &p->params;
    const ptrdiff_t offset = (ptrdiff_t)*end;
    *end += (count + 15) / 16 * 16; /* 64-byte lines */
    if (p->fill) {
        const pg_layer *layer = &p->model->layers[p->layer];
        pg_tensor *t = &p->model->tensors[p->tensors];
        *t = (pg_tensor){.buffer = buffer, .order = order, .offset = offset, .count = count, .rank = rank, .layer = p->layer};
        snprintf(t->name, sizeof t->name, "%s.%s", layer->row.name, suffix);
        if (alias) snprintf(t->alias, sizeof t->alias, "%s.%s", layer->row.name, alias);
        memcpy(t->shape, shape, (size_t)rank * sizeof *shape);
        t->channels = layer->in_channels;
        t->pixels = layer->in_height * layer->in_width;
    }
    p->tensors++;
    return offset;
}

static void add_statistics(plan *p, pg_affine *affine, const char *norm, int channels)
{
    char name[32];
    snprintf(name, sizeof name, "%s.running_mean", norm);
    affine->mean = add_tensor(p, true, name, NULL, PG_ORDER_FLAT, 1, &channels);
    snprintf(name, sizeof name, "%s.running_var", norm);
    affine->var = add_tensor(p, true, name, NULL, PG_ORDER_FLAT, 1, &channels);
}

static void add_passport_layer(plan *p, pg_layer *layer)
{
    const pg_net_spec *spec = &p->model->spec;
    const int k = layer->out_channels, quarter = k / 4;
    pg_affine *public = &layer->affine[PG_PUBLIC], *private = &layer->affine[PG_PRIVATE];
    const bool own = spec->own_norm && spec->norm == PG_NORM_BN;
    private->from_passport = spec->private_affine;
    if (spec->public_affine) {
        public->gamma = add_tensor(p, false, "scale", NULL, PG_ORDER_FLAT, 1, &k);
        public->beta = add_tensor(p, false, "bias", NULL, PG_ORDER_FLAT, 1, &k);
    }
    if (spec->private_affine && spec->perceptron) {
        private->fc1 = add_tensor(p, false, "fc.0.weight", NULL, PG_ORDER_FLAT, 2, (int[]){quarter, k});
        private->fc2 = add_tensor(p, false, "fc.2.weight", NULL, PG_ORDER_FLAT, 2, (int[]){k, quarter});
    }
    if (spec->norm == PG_NORM_BN) {
        add_statistics(p, public, own ? "bn0" : "bn", k);
        if (own) {
            add_statistics(p, private, "bn1", k);
        } else {
            private->mean = public->mean;
            private->var = public->var;
        }
    }
}

static void add_conv(plan *p, pg_layer *layer)
{
    const pg_net_spec *spec = &p->model->spec;
    const int k = layer->out_channels, r = layer->row.kernel;
    const bool own = layer->passport >= 0;
    const int shape[] = {k, layer->in_channels, r, r};
    layer->weight = add_tensor(p, false, own ? "weight" : "conv.weight", own ? "conv.weight" : NULL, PG_ORDER_CONV, 4, shape);
    if (own) {
        add_passport_layer(p, layer);
        return;
    }
    pg_affine *affine = &layer->affine[PG_PUBLIC];
    if (spec->norm == PG_NORM_NONE) layer->bias = affine->beta = add_tensor(p, false, "conv.bias", NULL, PG_ORDER_FLAT, 1, &k);
    if (spec->norm == PG_NORM_BN || spec->norm == PG_NORM_GN) {
        affine->gamma = add_tensor(p, false, "bn.weight", NULL, PG_ORDER_FLAT, 1, &k);
        affine->beta = add_tensor(p, false, "bn.bias", NULL, PG_ORDER_FLAT, 1, &k);
    }
    if (spec->norm == PG_NORM_BN) add_statistics(p, affine, "bn", k);
    layer->affine[PG_PRIVATE] = *affine;
}

static void add_dense(plan *p, pg_layer *layer)
{
    const int in = layer->in_height * layer->in_width * layer->in_channels, out = layer->out_channels;
    layer->weight = add_tensor(p, false, "weight", NULL, PG_ORDER_DENSE, 2, (int[]){out, in});
    layer->bias = add_tensor(p, false, "bias", NULL, PG_ORDER_FLAT, 1, &out);
}

static void lay_out(plan *p)
{
    for (p->layer = 0; p->layer < p->model->layer_count; p->layer++) {
        pg_layer *layer = &p->model->layers[p->layer];
        layer->weight = layer->bias = -1;
        for (int b = 0; b < 2; b++)
            layer->affine[b] = (pg_affine){.gamma = -1, .beta = -1, .fc1 = -1, .fc2 = -1, .mean = -1, .var = -1};
        if (layer->row.kind == PG_ROW_CONV) add_conv(p, layer);
        if (layer->row.kind == PG_ROW_DENSE) add_dense(p, layer);
    }
}

static pg_status check_sizes(const pg_net_spec *spec, pg_error *err)
{
    if (!(spec->width > 0) || spec->width > 16)
        return pg_fail(err, PG_BAD_INPUT, "width: expected a number in (0, 16], got %g", spec->width);
    if (spec->classes < 2 || spec->classes > PG_CLASSES_MAX)
        return pg_fail(err, PG_BAD_INPUT, "classes: expected 2 to %d, got %d", PG_CLASSES_MAX, spec->classes);
    if (spec->image_height < 1 || spec->image_height > 4096 || spec->image_width < 1 || spec->image_width > 4096)
        return pg_fail(err, PG_BAD_INPUT, "images: expected sides of 1 to 4096 pixels, got %dx%d", spec->image_height,
                       spec->image_width);
    return PG_OK;
}

static pg_status check_passports(const pg_net_spec *spec, int conv_count, pg_error *err)
{
    if (conv_count < 64 && spec->passports >> conv_count)
        return pg_fail(err, PG_BAD_INPUT, "%s has only %d convolutions to put a passport in", spec->arch->name, conv_count);
    if (spec->passports && !spec->public_affine && !spec->private_affine)
        return pg_fail(err, PG_BAD_INPUT, "passport layers need a public or a private branch");
    return PG_OK;
}

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

pg_status pg_model_plan(const pg_net_spec *spec, pg_model **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *model = NULL;
    pg_row rows[PG_ROWS_MAX];
    PG_TRY(check_sizes(spec, err));
    PG_TRY(pg_alloc(1, sizeof *model, &model, err));
    model->spec = *spec;
    model->layer_count = spec->arch->rows(spec->relu_before_add, rows);
    PG_TRY(pg_alloc((size_t)model->layer_count, sizeof *model->layers, &model->layers, err));
    for (int i = 0; i < model->layer_count; i++) {
        pg_layer *layer = &model->layers[i];
        layer->row = rows[i];
        layer->conv = rows[i].kind == PG_ROW_CONV ? model->conv_count++ : -1;
        layer->passport = layer->conv >= 0 && (spec->passports >> layer->conv & 1) ? model->passport_count++ : -1;
        PG_TRY(shape_layer(spec, model->layers, layer, err));
    }
    PG_TRY(check_passports(spec, model->conv_count, err));
    plan count = {.model = model}, fill = {.model = model, .fill = true};
    lay_out(&count);
    model->tensor_count = count.tensors;
    model->param_count = count.params;
    model->buffer_count = count.buffers;
    PG_TRY(pg_alloc((size_t)count.tensors, sizeof *model->tensors, &model->tensors, err));
    lay_out(&fill);
    *out = model;
    model = NULL;
done:
    pg_model_destroy(&model);
    return status;
}

pg_status pg_model_allocate(pg_model *model, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(model->param_count, sizeof *model->params, &model->params, err));
    PG_TRY(pg_alloc(model->buffer_count, sizeof *model->buffers, &model->buffers, err));
    set_start_values(model);
done:
    return status;
}

pg_status pg_model_create(const pg_net_spec *spec, pg_model **out, pg_error *err)
{
    pg_model *model = NULL;
    pg_status status = pg_model_plan(spec, &model, err);
    if (status == PG_OK) status = pg_model_allocate(model, err);
    if (status == PG_OK)
        *out = model;
    else
        pg_model_destroy(&model);
    return status;
}

void pg_model_destroy(pg_model **model)
{
    if (!*model) return;
    pg_free((*model)->layers);
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
    const size_t fan_in = (size_t)(r * r) * (size_t)layer->in_channels;
    const double deviation = sqrt(2.0 / ((double)k * r * r));
    for (size_t i = 0; i < fan_in * (size_t)k; i++)
        model->params[layer->weight + (ptrdiff_t)i] = (pg_real)(deviation * pg_rng_normal(rng));
    if (layer->bias >= 0) fill_uniform(model->params + layer->bias, (size_t)k, 1 / sqrt((double)fan_in), rng);
    const pg_affine *private = &layer->affine[PG_PRIVATE];
    if (private->fc1 >= 0) {
        const int quarter = k / 4;
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

/* ---- copies between wirings ---- */

static void copy_part(const pg_real *from, ptrdiff_t source, pg_real *to, ptrdiff_t target, size_t count)
{
    if (source >= 0 && target >= 0) memcpy(to + target, from + source, count * sizeof *to);
}

static void copy_conv(const pg_model *from, const pg_layer *source, pg_model *to, const pg_layer *target)
{
    const size_t k = (size_t)source->out_channels;
    const size_t weights = (size_t)(source->row.kernel * source->row.kernel * source->in_channels) * k;
    copy_part(from->params, source->weight, to->params, target->weight, weights);
    copy_part(from->params, source->bias, to->params, target->bias, k);
    for (int b = PG_PRIVATE; b >= PG_PUBLIC; b--) { /* where the target's branches share statistics, the public ones stay */
        const pg_affine *s = &source->affine[b], *t = &target->affine[b];
        copy_part(from->params, s->gamma, to->params, t->gamma, k);
        copy_part(from->params, s->beta, to->params, t->beta, k);
        copy_part(from->params, s->fc1, to->params, t->fc1, k / 4 * k);
        copy_part(from->params, s->fc2, to->params, t->fc2, k / 4 * k);
        copy_part(from->buffers, s->mean, to->buffers, t->mean, k);
        copy_part(from->buffers, s->var, to->buffers, t->var, k);
    }
}

static void copy_dense(const pg_model *from, const pg_layer *source, pg_model *to, const pg_layer *target)
{
    if (source->out_channels != target->out_channels) return;
    const size_t in = (size_t)source->in_height * (size_t)source->in_width * (size_t)source->in_channels;
    copy_part(from->params, source->weight, to->params, target->weight, in * (size_t)source->out_channels);
    copy_part(from->params, source->bias, to->params, target->bias, (size_t)source->out_channels);
}

pg_status pg_model_copy(const pg_model *from, pg_model *to, pg_error *err)
{
    if (from->spec.arch != to->spec.arch || from->spec.norm != to->spec.norm)
        return pg_fail(err, PG_BAD_INPUT, "a %s with %s does not fit a %s with %s", from->spec.arch->name,
                       pg_norm_kind_name(from->spec.norm), to->spec.arch->name, pg_norm_kind_name(to->spec.norm));
    for (int i = 0; i < from->layer_count; i++) {
        const pg_layer *s = &from->layers[i], *t = &to->layers[i];
        const bool classes = i == from->layer_count - 1 || s->out_channels == t->out_channels;
        if (s->in_channels != t->in_channels || !classes || s->in_height != t->in_height || s->in_width != t->in_width)
            return pg_fail(err, PG_BAD_INPUT, "%s: layer %s has another size", from->spec.arch->name, s->row.name);
        if (s->row.kind == PG_ROW_CONV) copy_conv(from, s, to, t);
        if (s->row.kind == PG_ROW_DENSE) copy_dense(from, s, to, t);
    }
    return PG_OK;
}

void pg_model_copy_private(const pg_model *from, pg_model *to)
{
    for (int i = 0; i < from->layer_count; i++) {
        const pg_layer *l = &from->layers[i];
        const pg_affine *private = &l->affine[PG_PRIVATE];
        const size_t k = (size_t)l->out_channels;
        copy_part(from->params, private->fc1, to->params, private->fc1, k / 4 * k);
        copy_part(from->params, private->fc2, to->params, private->fc2, k / 4 * k);
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
    for (int l = 0; l < model->layer_count; l++)
        if (model->layers[l].passport == i) return &model->layers[l];
    return NULL;
}

const pg_layer *pg_model_classifier(const pg_model *model)
{
    return &model->layers[model->layer_count - 1];
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

double pg_layer_macs(const pg_layer *l)
{
    const double in = (double)l->in_channels, out = (double)l->out_channels;
    if (l->row.kind == PG_ROW_CONV) return in * out * l->row.kernel * l->row.kernel * l->out_height * l->out_width;
    return l->row.kind == PG_ROW_DENSE ? in * l->in_height * l->in_width * out : 0;
}

double pg_model_macs(const pg_model *model)
{
    double total = 0;
    for (int i = 0; i < model->layer_count; i++) total += pg_layer_macs(&model->layers[i]);
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

/* Place of state-dict element (a, b, c) of a tensor in our order; conv: a = O, b = I, c = tap; dense: a = out, b = channel, c =
 * pixel. */
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
