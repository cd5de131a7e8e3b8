/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading evidence in a model; see reading.h. */
#include "core/ownership/reading.h"

#include "core/base/memory.h"
#include "core/data/batch.h"
#include "core/ownership/mark.h"

struct pg_reading {
    const pg_model *model;
    pg_model *shown; /* with the passport layers; NULL for a mark */
    pg_net *net;
    double *means; /* [classes,values] of activations; NULL for other evidence */
    int classes;
};

static pg_status show(pg_reading *reading, const pg_evidence *evidence, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net_spec spec;
    PG_TRY(pg_evidence_fit(evidence, &reading->model->spec, &spec, err));
    PG_TRY(pg_model_create(&spec, &reading->shown, err));
    PG_TRY(pg_model_copy(reading->model, reading->shown, err));
    PG_TRY(pg_net_create(&spec, 1, false, PG_CONV_AUTO, &reading->net, err));
done:
    return status;
}

enum { PICTURES = 64 }; /* run at a time */

/* Add the values that enter a layer for one batch to the sums of their classes. */
static void add_values(const pg_real *values, int size, const int32_t *labels, int n, double *sums)
{
    for (int i = 0; i < n; i++)
        for (int t = 0; t < size; t++) sums[(ptrdiff_t)labels[i] * size + t] += (double)values[(ptrdiff_t)i * size + t];
}

/* Pictures of the evidence: run all through the network and sum by class. */
static pg_status sum_activations(pg_model *model, const pg_evidence *e, double *sums, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    pg_real *images = NULL;
    const pg_dataset *t = &e->triggers;
    const int layer = (int)(pg_mark_find_reader(e->mark.site[0].layer, &model->layout) - (&model->layout)->layers);
    uint32_t order[PICTURES];
    PG_TRY(pg_net_create(&model->spec, PICTURES, true, PG_CONV_AUTO, &net, err));
    PG_TRY(pg_alloc((size_t)PICTURES * (size_t)(t->height * t->width * 3), sizeof *images, &images, err));
    for (int first = 0; first < t->count; first += PICTURES) {
        const int n = t->count - first < PICTURES ? t->count - first : PICTURES;
        for (int i = 0; i < n; i++) order[i] = (uint32_t)(first + i);
        pg_batch_fill(t, order, n, NULL, (pg_pixels)e->mark.pixels, NULL, images);
        pg_net_forward(net, model, PG_PUBLIC, PG_EVAL, images, n);
        add_values(pg_net_input(net, layer), e->mark.pooled, t->labels + first, n, sums);
    }
done:
    pg_net_destroy(&net);
    pg_free(images);
    return status;
}

static pg_status find_means(pg_reading *reading, const pg_evidence *e, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *model = NULL;
    const pg_dataset *t = &e->triggers;
    const pg_net_spec *s = &reading->model->spec;
    const size_t values = (size_t)e->mark.pooled, classes = (size_t)t->classes;
    reading->classes = t->classes;
    PG_TRY(pg_mark_fit(&e->mark, reading->model, err));
    PG_TRY(pg_dataset_fits(t, s->image_height, s->image_width, s->classes, err));
    PG_TRY(pg_model_clone(reading->model, &model, err)); /* because a forward pass could change it */
    PG_TRY(pg_alloc(values * classes, sizeof *reading->means, &reading->means, err));
    PG_TRY(sum_activations(model, e, reading->means, err));
    for (size_t k = 0; k < classes; k++) {
        int count = 0;
        for (int i = 0; i < t->count; i++) count += t->labels[i] == (int32_t)k;
        for (size_t v = 0; v < values && count; v++) reading->means[k * values + v] /= count;
    }
done:
    pg_model_destroy(&model);
    return status;
}

pg_status pg_reading_open(const pg_model *model, const pg_evidence *like, pg_reading **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_reading *reading = NULL;
    PG_TRY(pg_alloc(1, sizeof *reading, &reading, err));
    reading->model = model;
    if (like->passport_count) PG_TRY(show(reading, like, err));
    if (like->mark.form == PG_FORM_ACTIVATIONS) PG_TRY(find_means(reading, like, err));
    *out = reading;
    reading = NULL;
done:
    pg_reading_close(&reading);
    return status;
}

void pg_reading_close(pg_reading **reading)
{
    if (!*reading) return;
    pg_net_destroy(&(*reading)->net);
    pg_model_destroy(&(*reading)->shown);
    pg_free((*reading)->means);
    pg_free(*reading);
    *reading = NULL;
}

pg_model *pg_reading_model(pg_reading *reading)
{
    return reading->shown;
}

static void signs_of_gamma(const pg_net *net, const pg_evidence *evidence, int8_t *signs)
{
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_real *gamma = pg_net_gamma(net, i);
        for (int o = 0; o < evidence->passports[i].outputs; o++) *signs++ = (int8_t)((gamma[o] > 0) - (gamma[o] < 0));
    }
}

static pg_status signs_of_mark(const pg_reading *reading, const pg_mark *mark, int8_t *signs, pg_error *err)
{
    double projected[PG_MARK_BITS_MAX];
    const pg_status status = pg_mark_fit(mark, reading->model, err);
    if (status != PG_OK) return status;
    if (reading->means)
        pg_mark_read_means(mark, reading->classes, reading->means, projected);
    else
        pg_mark_project(mark, reading->model, projected);
    for (int i = 0; i < mark->bits; i++) signs[i] = (int8_t)((projected[i] > 0) - (projected[i] < 0));
    return PG_OK;
}

pg_status pg_reading_signs(pg_reading *reading, const pg_evidence *evidence, int8_t *signs, pg_error *err)
{
    if (!reading->net) return signs_of_mark(reading, &evidence->mark, signs, err);
    const pg_status status = pg_passports_install(reading->net, reading->shown, evidence, err);
    if (status == PG_OK) signs_of_gamma(reading->net, evidence, signs);
    return status;
}

/* The means are laid out as the values that enter the layer, whose last index is the channel. channels may be NULL: the same.
 */
static void reorder_means(const pg_reading *from, const pg_layer *layer, const int *channels, double *means)
{
    const int c = layer->in_channels;
    const ptrdiff_t rows = (ptrdiff_t)from->classes * layer->in_height * layer->in_width;
    for (ptrdiff_t r = 0; r < rows; r++)
        for (int o = 0; o < c; o++) means[r * c + o] = from->means[r * c + (channels ? channels[o] : o)];
}

void pg_reading_reorder(const pg_reading *from, const pg_mark *mark, const pg_rewrite *order, pg_model *other, pg_reading *out)
{
    for (int i = 0; i < mark->site_count; i++) {
        const pg_layer *layer = pg_mark_find_reader(mark->site[i].layer, &from->model->layout);
        const int at = (int)(layer - (&from->model->layout)->layers);
        const int space = order->spaces.in[at];
        if (from->means)
            reorder_means(from, layer, space == PG_FIXED ? NULL : order->from[space], out->means);
        else
            pg_layer_rewrite(from->model, order, at, other);
    }
}

int pg_signs_agree(const pg_evidence *evidence, const int8_t *signs)
{
    int agree = 0;
    if (pg_evidence_claim(evidence) == PG_CLAIM_MARK)
        for (int i = 0; i < evidence->mark.bits; i++) agree += evidence->mark.b[i] == signs[i];
    for (int l = 0; l < evidence->passport_count; l++)
        for (int o = 0; o < evidence->passports[l].outputs; o++) agree += evidence->passports[l].b[o] == *signs++;
    return agree;
}

pg_status pg_agreement_with(const pg_model *model, const pg_evidence *evidence, const pg_evidence *owner, int *agree,
                            pg_error *err)
{
    pg_status status = PG_OK;
    pg_reading *reading = NULL;
    int8_t *signs = NULL;
    *agree = 0;
    if (pg_evidence_bits(evidence) != pg_evidence_bits(owner))
        return pg_fail(err, PG_BAD_INPUT, "the evidence has %d bits, the other evidence %d", pg_evidence_bits(evidence),
                       pg_evidence_bits(owner));
    PG_TRY(pg_alloc((size_t)pg_evidence_bits(evidence), 1, &signs, err));
    PG_TRY(pg_reading_open(model, evidence, &reading, err));
    PG_TRY(pg_reading_signs(reading, evidence, signs, err));
    *agree = pg_signs_agree(owner, signs);
done:
    pg_reading_close(&reading);
    pg_free(signs);
    return status;
}
