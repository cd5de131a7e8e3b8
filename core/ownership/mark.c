/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A mark as an object: its form, sizes and memory, and its layers in a model; see mark.h. */
#include "core/ownership/mark.h"

#include "core/base/memory.h"
#include "core/nets/choice.h"
#include "core/ownership/autoencoder.h"

#include <stdio.h>
#include <string.h>

const char *const pg_mark_kinds[] = {"gaussian", "direct",    "diff",   "signs",       "filtered",  "uniform", "centred",
                                     "waves",    "residuals", "placed", "activations", "extractor", "rebuilt", NULL};

const pg_mark_form pg_mark_forms[] = {
    [PG_MARK_GAUSSIAN] = PG_FORM_SIGNS,
    [PG_MARK_DIRECT] = PG_FORM_SIGNS,
    [PG_MARK_DIFF] = PG_FORM_SIGNS,
    [PG_MARK_SIGNS] = PG_FORM_SIGNS,
    [PG_MARK_FILTERED] = PG_FORM_FILTERED,
    [PG_MARK_UNIFORM] = PG_FORM_HALVES,
    [PG_MARK_CENTRED] = PG_FORM_HALVES,
    [PG_MARK_WAVES] = PG_FORM_WAVES,
    [PG_MARK_RESIDUALS] = PG_FORM_RESIDUALS,
    [PG_MARK_PLACED] = PG_FORM_PLACED,
    [PG_MARK_ACTIVATIONS] = PG_FORM_ACTIVATIONS,
    [PG_MARK_EXTRACTOR] = PG_FORM_EXTRACTOR,
    [PG_MARK_REBUILT] = PG_FORM_REBUILT,
};

pg_mark_form pg_mark_form_of(const char *kind)
{
    for (int k = 0; pg_mark_kinds[k]; k++)
        if (strcmp(pg_mark_kinds[k], kind) == 0) return pg_mark_forms[k];
    return PG_FORM_SIGNS;
}

/* ---- sizes and memory ---- */

bool pg_mark_is_bank(const pg_mark *mark)
{
    return mark->form <= PG_FORM_WAVES;
}

int pg_mark_width(const pg_mark *mark)
{
    int width = 0;
    if (!pg_mark_is_bank(mark) && mark->form != PG_FORM_EXTRACTOR) return mark->form == PG_FORM_RESIDUALS ? 0 : mark->pooled;
    for (int i = 0; i < mark->site_count; i++) {
        const pg_mark_site *s = &mark->site[i];
        width += s->kernel * s->kernel * s->inputs;
    }
    return width;
}

void pg_mark_shape(const pg_mark *mark, size_t shape[2])
{
    const size_t width = (size_t)pg_mark_width(mark), bits = (size_t)mark->bits;
    const bool extractor = mark->form == PG_FORM_EXTRACTOR;
    shape[0] = extractor ? width + bits : width;
    shape[1] = extractor ? (size_t)mark->pooled : bits;
    if (mark->form != PG_FORM_REBUILT) return;
    shape[0] = 2 * (size_t)mark->pooled + bits / PG_CODER_PIXELS;
    shape[1] = PG_CODER_PIXELS;
}

void pg_mark_place_shape(const pg_mark *mark, size_t shape[2])
{
    const bool rebuilt = mark->form == PG_FORM_REBUILT;
    shape[0] = rebuilt || mark->form == PG_FORM_PLACED ? (size_t)mark->pooled : 0;
    shape[1] = rebuilt ? PG_CODER_PIXELS : (size_t)mark->bits;
}

void pg_mark_names(const pg_mark *mark, char names[PG_MARK_NAMES_MAX])
{
    size_t used = 0;
    names[0] = 0;
    for (int i = 0; i < mark->site_count; i++)
        used += (size_t)snprintf(names + used, PG_MARK_NAMES_MAX - used, "%s%s", i ? " " : "", mark->site[i].layer);
}

int pg_mark_ones(pg_mark_kind kind)
{
    return kind == PG_MARK_DIRECT ? 1 : kind == PG_MARK_DIFF ? 2 : 0;
}

int pg_mark_weights(const pg_mark *mark)
{
    int weights = 0;
    for (int i = 0; i < mark->site_count; i++) {
        const pg_mark_site *s = &mark->site[i];
        weights += s->kernel * s->kernel * s->inputs * s->outputs;
    }
    return weights;
}

size_t pg_mark_values(const pg_mark *mark)
{
    size_t shape[2];
    pg_mark_shape(mark, shape);
    return shape[0] * shape[1];
}

size_t pg_mark_place_count(const pg_mark *mark)
{
    size_t shape[2];
    pg_mark_place_shape(mark, shape);
    return shape[0] * shape[1];
}

pg_status pg_mark_allocate(pg_mark *mark, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(pg_mark_values(mark), sizeof *mark->projection, &mark->projection, err));
    PG_TRY(pg_alloc(pg_mark_place_count(mark), sizeof *mark->places, &mark->places, err));
    PG_TRY(pg_alloc((size_t)mark->bits, sizeof *mark->b, &mark->b, err));
done:
    return status;
}

void pg_mark_clear(pg_mark *mark)
{
    pg_free(mark->projection);
    pg_free(mark->places);
    pg_free(mark->b);
    *mark = (pg_mark){0};
}

pg_status pg_mark_copy(const pg_mark *from, pg_mark *to, pg_error *err)
{
    *to = *from;
    to->projection = NULL;
    to->places = NULL;
    to->b = NULL;
    if (!from->bits) return PG_OK;
    const pg_status status = pg_mark_allocate(to, err);
    if (status != PG_OK) return status;
    memcpy(to->projection, from->projection, pg_mark_values(from) * sizeof *to->projection);
    if (pg_mark_place_count(from)) memcpy(to->places, from->places, pg_mark_place_count(from) * sizeof *to->places);
    memcpy(to->b, from->b, (size_t)from->bits);
    return PG_OK;
}

/* ---- in a model ---- */

int pg_mark_values_into(const pg_layer *layer)
{
    return layer->in_height * layer->in_width * layer->in_channels;
}

const pg_layer *pg_mark_find_reader(const char *layer, const pg_layout *layout)
{
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_layer *l = &layout->layers[i];
        if ((l->row.kind == PG_ROW_CONV || l->row.kind == PG_ROW_DENSE) && strcmp(l->row.name, layer) == 0) return l;
    }
    return NULL;
}

const pg_layer *pg_mark_find(const char *layer, const pg_model *model)
{
    for (int i = 0; i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        if (l->conv >= 0 && strcmp(l->row.name, layer) == 0) return l;
    }
    return NULL;
}

pg_status pg_mark_name_layers(const pg_mark *mark, const pg_net_spec *spec, char text[PG_TEXT_MAX], pg_error *err)
{
    pg_status status = PG_OK;
    uint64_t chosen = 0, one;
    const uint64_t all = pg_arch_convolutions(spec->arch);
    for (int i = 0; i < mark->site_count; i++) {
        PG_TRY(pg_choice_read(mark->site[i].layer, spec, all, 0, &one, err));
        chosen |= one;
    }
    PG_TRY(pg_choice_write(spec, chosen, all, 0, text, err));
done:
    return status;
}

static pg_status fit_site(const pg_mark_site *s, const pg_model *model, pg_error *err)
{
    const pg_layer *l = pg_mark_find(s->layer, model);
    if (!l)
        return pg_fail(err, PG_BAD_INPUT, "the evidence has a mark for %s, a layer that the %s does not have", s->layer,
                       model->spec.arch->name);
    if (l->depth != l->in_channels)
        return pg_fail(err, PG_BAD_INPUT, "%s is a convolution in groups, which holds no mark", s->layer);
    if (l->row.kernel != s->kernel || l->in_channels != s->inputs)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s is for filters of %dx%dx%d, the model has %dx%dx%d", s->layer,
                       s->kernel, s->kernel, s->inputs, l->row.kernel, l->row.kernel, l->in_channels);
    if (s->outputs && l->out_channels != s->outputs)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s is for %d filters, the model has %d", s->layer, s->outputs,
                       l->out_channels);
    return PG_OK;
}

static pg_status fit_activations(const pg_mark *mark, const pg_model *model, pg_error *err)
{
    pg_layout layout;
    const pg_status status = pg_layout_plan(&model->spec, &layout, err);
    if (status != PG_OK) return status;
    const pg_layer *l = pg_mark_find_reader(mark->site[0].layer, &layout);
    if (!l || l->row.input == PG_IMAGES)
        return pg_fail(err, PG_BAD_INPUT, "the evidence has a mark for %s, a layer that the %s does not have",
                       mark->site[0].layer, model->spec.arch->name);
    if (pg_mark_values_into(l) != mark->pooled)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s reads %d values, the model has %d", mark->site[0].layer,
                       mark->pooled, pg_mark_values_into(l));
    if (model->spec.passports && !model->spec.public_affine)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s reads activations, which this network has only with its passports",
                       mark->site[0].layer);
    return PG_OK;
}

pg_status pg_mark_fit(const pg_mark *mark, const pg_model *model, pg_error *err)
{
    pg_status status = PG_OK;
    if (mark->form == PG_FORM_ACTIVATIONS) return fit_activations(mark, model, err);
    for (int i = 0; i < mark->site_count && status == PG_OK; i++) status = fit_site(&mark->site[i], model, err);
    return status;
}
