/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making marks of a network's shape, without keys; see mark.h. */
#include "core/ownership/mark.h"

#include "core/nets/choice.h"
#include "core/ownership/autoencoder.h"

#include <stdio.h>
#include <string.h>

/* ---- does a mark of this size fit its layers? ---- */

static pg_status fits_bank(const pg_mark *mark, pg_mark_kind kind, pg_error *err)
{
    const int positions = mark->bits * pg_mark_ones(kind);
    if (mark->bits <= PG_MARK_BITS_MAX && positions <= pg_mark_width(mark)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "bits: %d %s ones do not fit %s, whose filters have %d weights", mark->bits,
                   pg_mark_kinds[kind], mark->site[0].layer, pg_mark_width(mark));
}

static pg_status fits_list(const pg_mark *mark, pg_error *err)
{
    const int unit = mark->form == PG_FORM_RESIDUALS ? mark->pooled : 1, weights = pg_mark_weights(mark) / unit * unit;
    const long needed = (long)mark->bits * (mark->form == PG_FORM_PLACED ? mark->pooled : 1);
    if (mark->bits <= PG_MARK_BITS_MAX && needed <= weights) return PG_OK;
    char rows[48] = "";
    if (unit > 1) snprintf(rows, sizeof rows, " in whole rows of %d", unit);
    return pg_fail(err, PG_BAD_INPUT, "bits: %d bits need %ld weights, %s%s %d%s", mark->bits, needed, mark->site[0].layer,
                   mark->site_count > 1 ? " and the other layers have" : " has", weights, rows);
}

static pg_status fits_extractor(const pg_mark *mark, pg_error *err)
{
    if (mark->bits <= PG_MARK_BITS_MAX && pg_mark_values(mark) <= PG_MARK_VALUES_MAX) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT,
                   "layers, hidden: %d taps of %s and %d bits with %d hidden units make %zu values, expected at most %d",
                   pg_mark_width(mark), mark->site[0].layer, mark->bits, mark->pooled, pg_mark_values(mark),
                   PG_MARK_VALUES_MAX);
}

static pg_status fits_rebuilt(const pg_mark *mark, pg_error *err)
{
    const int needed = mark->pooled * PG_CODER_PIXELS, weights = pg_mark_weights(mark);
    if (mark->bits > PG_MARK_BITS_MAX || mark->bits % PG_CODER_PIXELS || mark->pooled > PG_CODER_CODES_MAX)
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s has %d codes and %d bits, expected at most %d and a multiple of %d",
                       mark->site[0].layer, mark->pooled, mark->bits, PG_CODER_CODES_MAX, PG_CODER_PIXELS);
    if (needed <= weights) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "codes: %d codes need %d weights, %s%s %d", mark->pooled, needed, mark->site[0].layer,
                   mark->site_count > 1 ? " and the other layers have" : " has", weights);
}

pg_status pg_mark_fits(const pg_mark *mark, pg_mark_kind kind, pg_error *err)
{
    if (mark->form != pg_mark_forms[kind])
        return pg_fail(err, PG_BAD_INPUT, "the mark for %s has another form than marks of the kind %s", mark->site[0].layer,
                       pg_mark_kinds[kind]);
    if (pg_mark_is_bank(mark)) return fits_bank(mark, kind, err);
    if (mark->form == PG_FORM_EXTRACTOR) return fits_extractor(mark, err);
    if (mark->form == PG_FORM_REBUILT) return fits_rebuilt(mark, err);
    const bool list = mark->form == PG_FORM_RESIDUALS || mark->form == PG_FORM_PLACED;
    return list ? fits_list(mark, err) : PG_OK;
}

/* ---- making ---- */

/* A mark of the chosen layers' shape, without arrays. */
static pg_status place(const pg_layout *layout, const char *layers, int bits, pg_mark_kind kind, pg_mark *out, pg_error *err)
{
    uint64_t chosen;
    const uint64_t passports = pg_arch_default_passports(layout->spec.arch);
    const pg_status status = pg_choice_read(layers, &layout->spec, pg_arch_convolutions(layout->spec.arch),
                                            passports & (~passports + 1), &chosen, err);
    if (status != PG_OK) return status;
    *out = (pg_mark){.form = pg_mark_forms[kind], .bits = bits};
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_layer *l = &layout->layers[i];
        if (l->conv < 0 || !(chosen >> l->conv & 1)) continue;
        if (out->site_count == PG_MARK_SITES_MAX)
            return pg_fail(err, PG_BAD_INPUT, "layers: a mark has at most %d layers", PG_MARK_SITES_MAX);
        pg_mark_site *site = &out->site[out->site_count++];
        *site = (pg_mark_site){
            .kernel = l->row.kernel, .inputs = l->in_channels, .outputs = pg_mark_is_bank(out) ? 0 : l->out_channels};
        snprintf(site->layer, sizeof site->layer, "%s", l->row.name);
    }
    return PG_OK;
}

static pg_status shape(const pg_layout *layout, const char *layers, int bits, pg_mark_kind kind, int pooled, pg_mark *out,
                       pg_error *err)
{
    const pg_status status = place(layout, layers, bits, kind, out, err);
    if (status != PG_OK) return status;
    out->pooled = pooled;
    return pg_mark_fits(out, kind, err);
}

enum { SPARE = 4 }; /* at least this many rows of weights, because fewer than half of the bits may be ones */

static pg_status shape_filtered(const pg_layout *layout, const char *layers, int bits, int rounds, int pooled, pg_mark *out,
                                pg_error *err)
{
    const pg_status status = shape(layout, layers, bits, PG_MARK_FILTERED, pooled, out, err);
    if (status != PG_OK) return status;
    const int weights = pg_mark_weights(out);
    out->rounds = rounds;
    if (weights >> rounds >= SPARE * pooled) return PG_OK;
    return pg_fail(
        err, PG_BAD_INPUT,
        "rounds, pooled: of the %d weights of %s about %d are left after %d round%s, expected at least %d for %d values",
        weights, out->site[0].layer, weights >> rounds, rounds, rounds == 1 ? "" : "s", SPARE * pooled, pooled);
}

pg_status pg_mark_check(const pg_model *model, const char *layers, int bits, pg_mark_kind kind, pg_error *err)
{
    pg_mark mark;
    return shape(&model->layout, layers, bits, kind, 0, &mark, err);
}

pg_status pg_mark_create_listed(const pg_net_spec *spec, const char *layers, int bits, pg_mark_kind kind, int pooled,
                                pg_mark *out, pg_error *err)
{
    pg_layout layout;
    *out = (pg_mark){0};
    pg_status status = pg_layout_plan(spec, &layout, err);
    if (status == PG_OK) status = shape(&layout, layers, bits, kind, pooled, out, err);
    if (status == PG_OK) status = pg_mark_allocate(out, err);
    return status;
}

pg_status pg_mark_create(const pg_net_spec *spec, const char *layers, int bits, pg_mark_kind kind, pg_mark *out, pg_error *err)
{
    return pg_mark_create_listed(spec, layers, bits, kind, 0, out, err);
}

pg_status pg_mark_create_filtered(const pg_net_spec *spec, const char *layers, int bits, int rounds, int pooled, pg_mark *out,
                                  pg_error *err)
{
    pg_layout layout;
    *out = (pg_mark){0};
    pg_status status = pg_layout_plan(spec, &layout, err);
    if (status == PG_OK) status = shape_filtered(&layout, layers, bits, rounds, pooled, out, err);
    if (status == PG_OK) status = pg_mark_allocate(out, err);
    return status;
}

static pg_status shape_activations(const pg_layout *layout, const char *layer, pg_mark *out, pg_error *err)
{
    const bool last = strcmp(layer, "default") == 0;
    const pg_layer *l = last ? pg_layout_classifier(layout) : pg_mark_find_reader(layer, layout);
    if (!l || l->row.input == PG_IMAGES)
        return pg_fail(err, PG_BAD_INPUT, "layer: %s has no layer '%s' that reads the output of another",
                       layout->spec.arch->name, layer);
    out->pooled = out->site[0].inputs = pg_mark_values_into(l);
    out->site_count = 1;
    snprintf(out->site[0].layer, PG_NAME_MAX, "%s", l->row.name);
    if (out->pooled <= PG_MARK_ACTIVATIONS_MAX) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "layer: %d values enter %s, expected at most %d", out->pooled, layer,
                   PG_MARK_ACTIVATIONS_MAX);
}

pg_status pg_mark_create_activations(const pg_net_spec *spec, const char *layer, int bits, pg_pixels pixels, pg_mark *out,
                                     pg_error *err)
{
    pg_layout layout;
    *out = (pg_mark){.form = PG_FORM_ACTIVATIONS, .bits = bits, .pixels = (int)pixels};
    pg_status status = pg_layout_plan(spec, &layout, err);
    if (status == PG_OK) status = shape_activations(&layout, layer, out, err);
    if (status == PG_OK) status = pg_mark_allocate(out, err);
    return status;
}
