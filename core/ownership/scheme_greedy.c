/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Greedy Residuals: every bit is the sign of the mean of the larger half of a row of weights. There is no secret matrix: the
 * key is the bits. Source: Liu, Weng, Zhu, ICML 2021; its code, models/residual.py and settings/resnet.json: the first
 * convolution, rows of 253, margin 0.1. There the bits are the SHA-256 of a signed text. */
#include "core/ownership/binding.h"
#include "core/ownership/mark.h"

#include <stddef.h>

typedef struct greedy_options {
    char layers[PG_TEXT_MAX];
    int bits, row, start;
    double margin, strength;
    pg_binding_options binding;
} greedy_options;

static const pg_option options[] = {
    PG_MARK_LAYERS(greedy_options, "first 1"),
    PG_INT(greedy_options, bits, "256", 1, PG_MARK_BITS_MAX, NULL, "length of the mark"),
    PG_INT(greedy_options, row, "253", 2, PG_MARK_POOLED_MAX, "weights",
           "length of the row of each bit, whose smaller half is left out"),
    PG_REAL(greedy_options, margin, "0.1", 0, 1000, NULL, "size that the mean of a row is trained to reach"),
    PG_REAL(greedy_options, strength, "0.01", 0, 1000, NULL, "weight of the regulariser"),
    PG_SCHEME_START(greedy_options, start, "scratch"),
    PG_BINDING_OPTIONS(greedy_options, binding),
    {0},
};

static pg_status greedy_mark(const greedy_options *o, const pg_net_spec *spec, pg_mark *out, pg_error *err)
{
    return pg_mark_create_listed(spec, o->layers, o->bits, PG_MARK_RESIDUALS, o->row, out, err);
}

/* Refuses, before any training, a network that the mark does not fit. */
static pg_status greedy_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    pg_mark mark;
    const pg_status status = greedy_mark(values, spec, &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static pg_status greedy_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    greedy_options *o = values;
    const pg_mark *mark = &evidence->mark;
    const pg_status status = pg_mark_fits(mark, PG_MARK_RESIDUALS, err);
    if (status != PG_OK) return status;
    o->bits = mark->bits;
    o->row = mark->pooled;
    return pg_mark_name_layers(mark, spec, o->layers, err);
}

static pg_status greedy_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const greedy_options *o = values;
    (void)in;
    return pg_binding_check_bits(&o->binding, o->bits, err);
}

static const char *greedy_kind(const void *values)
{
    (void)values;
    return pg_mark_kinds[PG_MARK_RESIDUALS];
}

static pg_status greedy_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const pg_status status = greedy_mark(values, in->spec, &evidence->mark, err);
    return status == PG_OK ? pg_mark_draw_key(&evidence->mark, PG_MARK_RESIDUALS, in->seed, err) : status;
}

/* strength * sum_j max(0, margin - b_j z_j). */
static double greedy_regulariser(const void *values, const pg_evidence *evidence, const pg_model *model, pg_net *net)
{
    const greedy_options *o = values;
    const pg_mark *mark = &evidence->mark;
    double slope[PG_MARK_BITS_MAX], loss = 0;
    pg_mark_read(mark, model, slope);
    for (int i = 0; i < mark->bits; i++) {
        const double b = mark->b[i], missing = o->margin - b * slope[i];
        loss += missing > 0 ? missing : 0;
        slope[i] = missing > 0 ? -b : 0;
    }
    pg_mark_carry_back(mark, model, o->strength, slope, pg_net_gradients(net));
    return o->strength * loss;
}

const pg_scheme pg_scheme_greedy = {
    .name = "greedy",
    .summary = "bits in the signs of the means of the larger weights of each row; the key is the bits alone",
    .source = "Liu, Weng, Zhu, ICML 2021",
    .differs =
        "bits are random, or follow from a secret, in place of a hash of an RSA signature; several layers are read as one list",
    .group = PG_WHITE_BOX,
    .holds = PG_HOLDS_MARK | PG_HOLDS_FORM,
    .options = options,
    .options_size = sizeof(greedy_options),
    .bound = {{"bound", "true"}},
    .binding = offsetof(greedy_options, binding),
    .embed = {"start", "pretrained"},
    .wire = greedy_wire,
    .check = greedy_check,
    .recognise = greedy_recognise,
    .kind = greedy_kind,
    .keygen = greedy_keygen,
    .regulariser = greedy_regulariser,
};
