/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layouts: the shapes of a spec's layers and the offsets of their parameters; see layout.h. */
#include "core/nets/layout.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    OUTPUTS_MAX = 1 << 28,  /* the most elements that a layer makes of an image */
    WEIGHTS_MAX = INT32_MAX /* of all layers, so that an int counts those of any */
};

/* ---- specs ---- */

typedef bool choose(const pg_row *convolution);

static bool is_whole(const pg_row *r)
{
    return r->groups == 1;
}

static bool by_default(const pg_row *r)
{
    return r->passport;
}

/* The convolutions that are chosen, as bits. */
static uint64_t mask_of(const pg_arch *arch, choose *chosen)
{
    pg_row rows[PG_ROWS_MAX];
    const int n = pg_arch_rows(arch, true, rows);
    uint64_t mask = 0;
    for (int i = 0, conv = 0; i < n; i++)
        if (rows[i].kind == PG_ROW_CONV) mask |= (uint64_t)chosen(&rows[i]) << conv++;
    return mask;
}

uint64_t pg_arch_convolutions(const pg_arch *arch)
{
    return mask_of(arch, is_whole);
}

uint64_t pg_arch_possible_passports(const pg_arch *arch)
{
    return mask_of(arch, pg_row_takes_passport);
}

uint64_t pg_arch_default_passports(const pg_arch *arch)
{
    return mask_of(arch, by_default);
}

static bool same_row(const pg_row *a, const pg_row *b)
{
    const bool named = a->kind == PG_ROW_CONV || a->kind == PG_ROW_DENSE || a->kind == PG_ROW_NORM;
    return a->kind == b->kind && (!named || strcmp(a->name, b->name) == 0) && a->input == b->input && a->other == b->other &&
           (a->channels == 0) == (b->channels == 0) && a->kernel == b->kernel && a->stride == b->stride && a->pad == b->pad &&
           a->groups == b->groups && a->relu == b->relu && a->bare == b->bare && a->rate == b->rate;
}

bool pg_net_spec_alike(const pg_net_spec *a, const pg_net_spec *b)
{
    pg_row ours[PG_ROWS_MAX], theirs[PG_ROWS_MAX];
    const int n = pg_arch_rows(a->arch, a->relu_before_add, ours);
    bool same = n == pg_arch_rows(b->arch, b->relu_before_add, theirs);
    for (int i = 0; i < n && same; i++) same = same_row(&ours[i], &theirs[i]);
    return same;
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

pg_net_spec pg_net_spec_unmarked(const pg_net_spec *spec)
{
    pg_net_spec unmarked = pg_net_spec_public(spec);
    unmarked.passports = 0;
    return unmarked;
}

pg_branch pg_net_spec_deployed(const pg_net_spec *spec)
{
    return spec->public_affine ? PG_PUBLIC : PG_PRIVATE;
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
    if (spec->passports & ~pg_arch_possible_passports(spec->arch))
        return pg_fail(err, PG_BAD_INPUT, "a convolution of %s without norm or in groups cannot be a passport layer",
                       spec->arch->name);
    if (spec->passports && !spec->public_affine && !spec->private_affine)
        return pg_fail(err, PG_BAD_INPUT, "passport layers need a public or a private branch");
    return PG_OK;
}

/* ---- shapes ---- */

static int widened(const pg_net_spec *spec, int channels)
{
    const int unit = channels % 16 ? 1 : 16;
    const int wide = (int)lround(channels * spec->width / unit) * unit;
    return wide < unit ? unit : wide;
}

static int extent(int in, int kernel, int stride, int pad)
{
    return in + 2 * pad < kernel ? 0 : (in + 2 * pad - kernel) / stride + 1;
}

static double weights_of(const pg_layer *l)
{
    const double pairs = (double)l->depth * l->out_channels;
    if (l->row.kind == PG_ROW_CONV) return pairs * l->row.kernel * l->row.kernel;
    return l->row.kind == PG_ROW_DENSE ? pairs * l->in_height * l->in_width : 0;
}

/* The groups of a convolution divide its inputs and filters evenly. */
static pg_status split_channels(pg_layer *l, pg_error *err)
{
    const int groups = l->row.kind != PG_ROW_CONV ? 1 : l->row.groups ? l->row.groups : l->in_channels;
    if (l->in_channels % groups || l->out_channels % groups)
        return pg_fail(err, PG_BAD_INPUT, "%s: %d groups cannot divide %d input channels and %d filters evenly", l->row.name,
                       groups, l->in_channels, l->out_channels);
    l->depth = l->in_channels / groups;
    return PG_OK;
}

/* An addition needs two operands of one shape; group norm needs whole groups. */
static pg_status check_shape(const pg_net_spec *spec, const pg_layer *layers, const pg_layer *l, pg_error *err)
{
    const pg_row *row = &l->row;
    const pg_layer *other = row->kind == PG_ROW_ADD && row->other != PG_IMAGES ? &layers[row->other] : NULL;
    const int height = other ? other->out_height : spec->image_height, width = other ? other->out_width : spec->image_width;
    const int channels = other ? other->out_channels : 3;
    if (row->kind == PG_ROW_ADD && (height != l->in_height || width != l->in_width || channels != l->in_channels))
        return pg_fail(err, PG_BAD_INPUT, "%s: %dx%dx%d cannot be added to %dx%dx%d", row->name, l->in_height, l->in_width,
                       l->in_channels, height, width, channels);
    if (l->norm == PG_NORM_GN && l->out_channels % PG_NORM_GROUP)
        return pg_fail(err, PG_BAD_INPUT, "%s: group norm needs a multiple of %d channels, not %d", row->name, PG_NORM_GROUP,
                       l->out_channels);
    if ((double)l->out_height * l->out_width * l->out_channels > OUTPUTS_MAX ||
        (row->channels && l->out_channels > PG_CHANNELS_MAX))
        return pg_fail(err, PG_BAD_INPUT, "%s: an output of %dx%dx%d is too large", row->name, l->out_height, l->out_width,
                       l->out_channels);
    return PG_OK;
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
    layer->norm = row->kind == PG_ROW_NORM || (row->kind == PG_ROW_CONV && !row->bare) ? spec->norm : PG_NORM_NONE;
    switch (row->kind) {
    case PG_ROW_CONV: layer->out_channels = widened(spec, row->channels); /* fall through */
    case PG_ROW_MAXPOOL:
        layer->out_height = extent(layer->in_height, row->kernel, row->stride, row->pad);
        layer->out_width = extent(layer->in_width, row->kernel, row->stride, row->pad);
        break;
    case PG_ROW_AVGPOOL:
        layer->out_height = row->stride ? extent(layer->in_height, row->kernel, row->stride, 0) : row->kernel;
        layer->out_width = row->stride ? extent(layer->in_width, row->kernel, row->stride, 0) : row->kernel;
        break;
    case PG_ROW_ADD:
    case PG_ROW_NORM:
    case PG_ROW_DROPOUT: break;
    case PG_ROW_DENSE:
        layer->out_height = layer->out_width = 1;
        layer->out_channels = row->channels ? widened(spec, row->channels) : spec->classes;
        break;
    }
    if (layer->out_height < 1 || layer->out_width < 1)
        return pg_fail(err, PG_BAD_INPUT, "images of %dx%d are too small for %s", spec->image_height, spec->image_width,
                       spec->arch->name);
    const pg_status status = split_channels(layer, err);
    return status == PG_OK ? check_shape(spec, layers, layer, err) : status;
}

/* ---- tensors: one walk over the layers sets their offsets, and lists the tensors if there is a list ---- */

typedef struct walk {
    pg_layout *layout;
    pg_tensor *tensors; /* NULL: no list */
    int layer, count;
    size_t params, buffers; /* elements so far */
} walk;

static ptrdiff_t add_tensor(walk *w, bool buffer, const char *suffix, const char *alias, pg_tensor_order order, int rank,
                            const int *shape)
{
    size_t count = 1;
    for (int i = 0; i < rank; i++) count *= (size_t)shape[i];
    size_t *end = buffer ? &w->buffers : &w->params;
    const ptrdiff_t offset = (ptrdiff_t)*end;
    *end += (count + 15) / 16 * 16; /* 64-byte lines */
    if (w->tensors) {
        const pg_layer *layer = &w->layout->layers[w->layer];
        pg_tensor *t = &w->tensors[w->count];
        *t = (pg_tensor){.buffer = buffer, .order = order, .offset = offset, .count = count, .rank = rank, .layer = w->layer};
        snprintf(t->name, sizeof t->name, "%s.%s", layer->row.name, suffix);
        if (alias) snprintf(t->alias, sizeof t->alias, "%s.%s", layer->row.name, alias);
        memcpy(t->shape, shape, (size_t)rank * sizeof *shape);
        t->channels = layer->in_channels;
        t->pixels = layer->in_height * layer->in_width;
    }
    w->count++;
    return offset;
}

static void add_statistics(walk *w, pg_affine *affine, const char *norm, int channels)
{
    char name[32];
    snprintf(name, sizeof name, "%s.running_mean", norm);
    affine->mean = add_tensor(w, true, name, NULL, PG_ORDER_FLAT, 1, &channels);
    snprintf(name, sizeof name, "%s.running_var", norm);
    affine->var = add_tensor(w, true, name, NULL, PG_ORDER_FLAT, 1, &channels);
}

static void add_passport_layer(walk *w, pg_layer *layer)
{
    const pg_net_spec *spec = &w->layout->spec;
    const int k = layer->out_channels, quarter = pg_layer_hidden(layer);
    pg_affine *public = &layer->affine[PG_PUBLIC], *private = &layer->affine[PG_PRIVATE];
    const bool own = spec->own_norm && spec->norm == PG_NORM_BN;
    private->from_passport = spec->private_affine;
    if (spec->public_affine) {
        public->gamma = add_tensor(w, false, "scale", NULL, PG_ORDER_FLAT, 1, &k);
        public->beta = add_tensor(w, false, "bias", NULL, PG_ORDER_FLAT, 1, &k);
    }
    if (spec->private_affine && spec->perceptron) {
        private->fc1 = add_tensor(w, false, "fc.0.weight", NULL, PG_ORDER_FLAT, 2, (int[]){quarter, k});
        private->fc2 = add_tensor(w, false, "fc.2.weight", NULL, PG_ORDER_FLAT, 2, (int[]){k, quarter});
    }
    if (spec->norm == PG_NORM_BN) {
        add_statistics(w, public, own ? "bn0" : "bn", k);
        if (own) {
            add_statistics(w, private, "bn1", k);
        } else {
            private->mean = public->mean;
            private->var = public->var;
        }
    }
}

/* The affine and the statistics of a norm that both branches share. */
static void add_norm(walk *w, pg_layer *layer)
{
    const int k = layer->out_channels;
    pg_affine *affine = &layer->affine[PG_PUBLIC];
    if (layer->norm == PG_NORM_BN || layer->norm == PG_NORM_GN) {
        affine->gamma = add_tensor(w, false, "bn.weight", NULL, PG_ORDER_FLAT, 1, &k);
        affine->beta = add_tensor(w, false, "bn.bias", NULL, PG_ORDER_FLAT, 1, &k);
    }
    if (layer->norm == PG_NORM_BN) add_statistics(w, affine, "bn", k);
    layer->affine[PG_PRIVATE] = *affine;
}

static void add_conv(walk *w, pg_layer *layer)
{
    const int k = layer->out_channels, r = layer->row.kernel;
    const bool own = layer->passport >= 0;
    const int shape[] = {k, layer->depth, r, r};
    layer->weight = add_tensor(w, false, own ? "weight" : "conv.weight", own ? "conv.weight" : NULL, PG_ORDER_CONV, 4, shape);
    if (own) {
        add_passport_layer(w, layer);
        return;
    }
    if (layer->row.bare) return;
    if (layer->norm == PG_NORM_NONE)
        layer->bias = layer->affine[PG_PUBLIC].beta = add_tensor(w, false, "conv.bias", NULL, PG_ORDER_FLAT, 1, &k);
    add_norm(w, layer);
}

static void add_dense(walk *w, pg_layer *layer)
{
    const int in = layer->in_height * layer->in_width * layer->in_channels, out = layer->out_channels;
    layer->weight = add_tensor(w, false, "weight", NULL, PG_ORDER_DENSE, 2, (int[]){out, in});
    layer->bias = add_tensor(w, false, "bias", NULL, PG_ORDER_FLAT, 1, &out);
}

static walk walk_layers(pg_layout *layout, pg_tensor *tensors)
{
    walk w = {.layout = layout, .tensors = tensors};
    for (; w.layer < layout->layer_count; w.layer++) {
        pg_layer *layer = &layout->layers[w.layer];
        layer->weight = layer->bias = -1;
        for (int b = 0; b < 2; b++)
            layer->affine[b] = (pg_affine){.gamma = -1, .beta = -1, .fc1 = -1, .fc2 = -1, .mean = -1, .var = -1};
        if (layer->row.kind == PG_ROW_CONV) add_conv(&w, layer);
        if (layer->row.kind == PG_ROW_NORM) add_norm(&w, layer);
        if (layer->row.kind == PG_ROW_DENSE) add_dense(&w, layer);
    }
    return w;
}

void pg_layout_tensors(const pg_layout *layout, pg_tensor *tensors)
{
    pg_layout same = *layout; /* the walk sets its offsets again */
    walk_layers(&same, tensors);
}

pg_status pg_layout_plan(const pg_net_spec *spec, pg_layout *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_row rows[PG_ROWS_MAX];
    double weights = 0;
    *out = (pg_layout){.spec = *spec};
    PG_TRY(check_sizes(spec, err));
    const int count = pg_arch_rows(spec->arch, spec->relu_before_add, rows);
    for (int i = 0; i < count; i++) {
        pg_layer *layer = &out->layers[i];
        layer->row = rows[i];
        layer->conv = rows[i].kind == PG_ROW_CONV ? out->conv_count++ : -1;
        layer->passport = layer->conv >= 0 && (spec->passports >> layer->conv & 1) ? out->passport_count++ : -1;
        PG_TRY(shape_layer(spec, out->layers, layer, err));
        weights += weights_of(layer);
        if (weights > WEIGHTS_MAX)
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: %.0f weights up to here, expected at most %d", rows[i].name, weights,
                           WEIGHTS_MAX));
        out->layer_count++;
    }
    PG_TRY(check_passports(spec, out->conv_count, err));
    const walk w = walk_layers(out, NULL);
    out->tensor_count = w.count;
    out->param_count = w.params;
    out->buffer_count = w.buffers;
done:
    return status;
}

/* ---- questions ---- */

const pg_layer *pg_layout_passport_layer(const pg_layout *layout, int i)
{
    for (int l = 0; l < layout->layer_count; l++)
        if (layout->layers[l].passport == i) return &layout->layers[l];
    return NULL;
}

const pg_layer *pg_layout_classifier(const pg_layout *layout)
{
    return &layout->layers[layout->layer_count - 1];
}

int pg_layer_hidden(const pg_layer *layer)
{
    return layer->out_channels < 4 ? 1 : layer->out_channels / 4;
}

double pg_layer_macs(const pg_layer *layer)
{
    return weights_of(layer) * layer->out_height * layer->out_width;
}

double pg_layout_macs(const pg_layout *layout)
{
    double total = 0;
    for (int i = 0; i < layout->layer_count; i++) total += pg_layer_macs(&layout->layers[i]);
    return total;
}
