/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accuracy; see accuracy.h. */
#include "core/ownership/accuracy.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/compute/kernels.h"

struct pg_trunk {
    pg_model *model;
    const pg_dataset *data;
    pg_pixels pixels;
    int batch, kept; /* images per batch; images whose activations are kept, in whole batches */
    pg_net *net;
    pg_real *images, *activations; /* one batch; [kept, pg_net_trunk_size] */
};

pg_status pg_filter_images(const pg_filter *filter, const pg_dataset *images, pg_dataset *out, pg_error *err)
{
    pg_status status = pg_dataset_subset(images, 0, out, err);
    if (status == PG_OK) status = filter->apply(filter->context, out, err);
    if (status != PG_OK) pg_dataset_clear(out);
    return status;
}

static pg_status open_net(pg_trunk *t, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_net_spec *spec = &t->model->spec;
    const pg_dataset *data = t->data;
    if (data->count < 1) return pg_fail(err, PG_BAD_INPUT, "%s: no images on which to measure accuracy", data->name);
    PG_TRY(pg_dataset_fits(data, spec->image_height, spec->image_width, spec->classes, err));
    PG_TRY(pg_model_check_finite(t->model, err));
    t->batch = pg_min(t->batch, data->count);
    PG_TRY(pg_net_create(spec, t->batch, false, PG_CONV_AUTO, &t->net, err));
    PG_TRY(pg_alloc((size_t)t->batch * (size_t)(data->height * data->width * 3), sizeof *t->images, &t->images, err));
done:
    return status;
}

static void close_net(pg_trunk *t)
{
    pg_net_destroy(&t->net);
    pg_free(t->images);
    pg_free(t->activations);
}

/* Logits of images at .. at+n-1, from kept activations or from the pixels. */
static const pg_real *logits_of(pg_trunk *t, pg_branch branch, int at, int n)
{
    if (at < t->kept) {
        const pg_real *from = t->activations + (size_t)at * pg_net_trunk_size(t->net);
        return pg_net_forward_from_trunk(t->net, t->model, branch, from, n);
    }
    pg_batch_range(t->data, at, n, t->pixels, t->images);
    return pg_net_forward(t->net, t->model, branch, PG_EVAL, t->images, n);
}

/* Class with the largest logit; of equal logits the first. */
static int32_t answer_of(const pg_real *logits, int classes)
{
    int32_t best = 0;
    if (!pg_all_finite((size_t)classes, logits)) return -1;
    for (int c = 1; c < classes; c++) best = logits[c] > logits[best] ? c : best;
    return best;
}

static int count_undefined(const pg_real *logits, int n, int classes)
{
    int count = 0;
    for (int i = 0; i < n; i++) count += !pg_all_finite((size_t)classes, logits + (ptrdiff_t)i * classes);
    return count;
}

/* answers [count] may be NULL. */
static pg_accuracy measure(pg_trunk *t, pg_branch branch, int32_t *answers)
{
    long correct = 0;
    double batch_sum = 0;
    int batches = 0, undefined = 0;
    const int classes = t->model->spec.classes;
    for (int at = 0; at < t->data->count; at += t->batch, batches++) {
        const int n = pg_min(t->batch, t->data->count - at);
        int hits = 0;
        const pg_real *logits = logits_of(t, branch, at, n);
        pg_cross_entropy(n, classes, logits, t->data->labels + at, 0, NULL, &hits);
        undefined += count_undefined(logits, n, classes);
        for (int i = 0; i < n && answers; i++) answers[at + i] = answer_of(logits + (ptrdiff_t)i * classes, classes);
        correct += hits;
        batch_sum += (double)hits / n;
    }
    return (pg_accuracy){.present = true,
                         .exact = 100.0 * (double)correct / t->data->count,
                         .batch_mean = 100 * batch_sum / batches,
                         .undefined = undefined};
}

pg_status pg_measure_answers(pg_model *model, pg_branch branch, const pg_evidence *evidence, const pg_dataset *data,
                             pg_pixels pixels, int batch, pg_accuracy *out, int32_t *answers, pg_error *err)
{
    pg_status status = PG_OK;
    pg_trunk t = {.model = model, .data = data, .pixels = pixels, .batch = batch}; /* keeps nothing */
    PG_TRY(open_net(&t, err));
    if (branch == PG_PRIVATE) PG_TRY(pg_passports_install(t.net, model, evidence, err));
    *out = measure(&t, branch, answers);
    if (out->undefined && branch == PG_PUBLIC)
        PG_TRY(pg_fail(err, PG_FAILED, "%s: the network's logits for %d of %d images are not finite numbers", data->name,
                       out->undefined, data->count));
done:
    close_net(&t);
    return status;
}

pg_status pg_measure_accuracy(pg_model *model, pg_branch branch, const pg_evidence *evidence, const pg_dataset *data,
                              pg_pixels pixels, int batch, pg_accuracy *out, pg_error *err)
{
    return pg_measure_answers(model, branch, evidence, data, pixels, batch, out, NULL, err);
}

/* Run the layers below the first passport for as many whole batches as fit in memory, and keep their activations. */
static pg_status keep(pg_trunk *t, size_t bytes, pg_error *err)
{
    const size_t image = pg_net_trunk_size(t->net), fit = bytes / sizeof(pg_real) / image;
    const int batches = fit < (size_t)t->data->count ? (int)fit / t->batch : (t->data->count + t->batch - 1) / t->batch;
    const int kept = pg_min(batches * t->batch, t->data->count);
    const pg_status status = pg_alloc((size_t)kept * image, sizeof *t->activations, &t->activations, err);
    if (status != PG_OK) return status;
    for (int at = 0; at < kept; at += t->batch) {
        const int n = pg_min(t->batch, kept - at);
        pg_batch_range(t->data, at, n, t->pixels, t->images);
        pg_net_trunk_forward(t->net, t->model, t->images, n, t->activations + (size_t)at * image);
    }
    t->kept = kept;
    return PG_OK;
}

pg_status pg_trunk_create(pg_model *model, const pg_dataset *data, pg_pixels pixels, int batch, size_t bytes, pg_trunk **out,
                          pg_error *err)
{
    pg_status status = PG_OK;
    pg_trunk *t = NULL;
    PG_TRY(pg_alloc(1, sizeof *t, &t, err));
    *t = (pg_trunk){.model = model, .data = data, .pixels = pixels, .batch = batch};
    PG_TRY(open_net(t, err));
    PG_TRY(keep(t, bytes, err));
    *out = t;
    t = NULL;
done:
    pg_trunk_destroy(&t);
    return status;
}

void pg_trunk_destroy(pg_trunk **trunk)
{
    if (!*trunk) return;
    close_net(*trunk);
    pg_free(*trunk);
    *trunk = NULL;
}

pg_status pg_trunk_accuracy(pg_trunk *trunk, const pg_evidence *evidence, pg_accuracy *out, pg_error *err)
{
    const pg_status status = pg_passports_install(trunk->net, trunk->model, evidence, err);
    if (status == PG_OK) *out = measure(trunk, PG_PRIVATE, NULL);
    return status;
}
