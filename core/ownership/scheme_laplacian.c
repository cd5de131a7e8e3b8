/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fixed weights of a Laplace distribution: before training, secret weights get values whose sign against a secret sequence is
 * their bit, and training does not change them. Source: Tondi, Costanzo, Barni, 2022; the authors' code and WatDNN's
 * laplacian_dis.py: 256 bits of 50 weights each, in one to eight of the last convolutions. */
#include "core/ownership/mark.h"
#include "core/ownership/scheme.h"

typedef struct laplacian_options {
    char layers[PG_TEXT_MAX];
    int bits, spread, start;
    double scale;
} laplacian_options;

static const pg_option options[] = {
    PG_MARK_LAYERS(laplacian_options, "last 3"),
    PG_INT(laplacian_options, bits, "256", 1, PG_MARK_BITS_MAX, NULL, "length of the mark"),
    PG_INT(laplacian_options, spread, "50", 1, PG_MARK_POOLED_MAX, "weights", "number of weights that carry each bit"),
    PG_REAL(laplacian_options, scale, "1", PG_ABOVE_ZERO, 1000, NULL,
            "deviation of the fixed weights, in units of that of the layer's first random weights"),
    PG_SCHEME_START(laplacian_options, start, "scratch"),
    {0},
};

static pg_status laplacian_mark(const laplacian_options *o, const pg_net_spec *spec, pg_mark *out, pg_error *err)
{
    return pg_mark_create_listed(spec, o->layers, o->bits, PG_MARK_PLACED, o->spread, out, err);
}

/* Refuses, before any training, a network that the mark does not fit. */
static pg_status laplacian_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    pg_mark mark;
    const pg_status status = laplacian_mark(values, spec, &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static const char *laplacian_kind(const void *values)
{
    (void)values;
    return pg_mark_kinds[PG_MARK_PLACED];
}

static pg_status laplacian_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    laplacian_options *o = values;
    const pg_mark *mark = &evidence->mark;
    const pg_status status = pg_mark_fits(mark, PG_MARK_PLACED, err);
    if (status != PG_OK) return status;
    o->bits = mark->bits;
    o->spread = mark->pooled;
    return pg_mark_name_layers(mark, spec, o->layers, err);
}

static pg_status laplacian_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const pg_status status = laplacian_mark(values, in->spec, &evidence->mark, err);
    return status == PG_OK ? pg_mark_draw_key(&evidence->mark, PG_MARK_PLACED, in->seed, err) : status;
}

static void laplacian_hold(const void *values, const pg_evidence *evidence, pg_model *model)
{
    pg_mark_place(&evidence->mark, model, ((const laplacian_options *)values)->scale);
}

const pg_scheme pg_scheme_laplacian = {
    .name = "laplacian",
    .summary = "bits in secret weights that are set before training and fixed throughout",
    .source = "Tondi, Costanzo, Barni, 2022",
    .differs = "the deviation of the fixed weights is relative to that of the layer's first weights, also in a trained network",
    .unbound = "values of a Laplace distribution are real numbers, which every machine would have to derive alike",
    .group = PG_WHITE_BOX,
    .holds = PG_HOLDS_MARK | PG_HOLDS_FORM,
    .options = options,
    .options_size = sizeof(laplacian_options),
    .embed = {"start", "pretrained"},
    .wire = laplacian_wire,
    .recognise = laplacian_recognise,
    .kind = laplacian_kind,
    .keygen = laplacian_keygen,
    .hold = laplacian_hold,
};
