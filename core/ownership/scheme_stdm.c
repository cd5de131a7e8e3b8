/* SPDX-License-Identifier: GPL-3.0-or-later */
/* STDM: Uchida's mark with another read-out. A bit is +1 where sin(10 z) is positive, so readings that differ by a whole wave
 * carry the same bit, and few weights have to move far. Source: Li, Tondi, Barni, 2021, in the form of WatDNN's stdm.py:
 * filters of length 1, probability of a one 1 / (1 + exp(-10 sin(10 z))), weight 0.01. */
#include "core/ownership/mark.h"
#include "core/ownership/scheme.h"

#include <math.h>

typedef struct stdm_options {
    char layers[PG_TEXT_MAX];
    int bits, start;
    double steepness, strength;
} stdm_options;

static const pg_option options[] = {
    PG_MARK_LAYERS(stdm_options, "default"),
    PG_INT(stdm_options, bits, "256", 1, PG_MARK_BITS_MAX, NULL, "length of the mark"),
    PG_REAL(stdm_options, steepness, "10", PG_ABOVE_ZERO, 1000, NULL, "factor of the sine in the regulariser"),
    PG_REAL(stdm_options, strength, "0.01", 0, 1000, NULL, "weight of the regulariser"),
    PG_SCHEME_START(stdm_options, start, "scratch"),
    {0},
};

/* Refuses, before any training, a network that the mark does not fit. */
static pg_status stdm_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    const stdm_options *o = values;
    pg_mark mark;
    const pg_status status = pg_mark_create(spec, o->layers, o->bits, PG_MARK_WAVES, &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static const char *stdm_kind(const void *values)
{
    (void)values;
    return pg_mark_kinds[PG_MARK_WAVES];
}

static pg_status stdm_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    stdm_options *o = values;
    const pg_status status = pg_mark_fits(&evidence->mark, PG_MARK_WAVES, err);
    if (status != PG_OK) return status;
    o->bits = evidence->mark.bits;
    return pg_mark_name_layers(&evidence->mark, spec, o->layers, err);
}

static pg_status stdm_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const stdm_options *o = values;
    const pg_status status = pg_mark_create(in->spec, o->layers, o->bits, PG_MARK_WAVES, &evidence->mark, err);
    return status == PG_OK ? pg_mark_draw_key(&evidence->mark, PG_MARK_WAVES, in->seed, err) : status;
}

/* strength * sum_j log(1 + exp(-b_j steepness sin(10 z_j))). */
static double stdm_regulariser(const void *values, const pg_evidence *evidence, const pg_model *model, pg_net *net)
{
    const stdm_options *o = values;
    const pg_mark *mark = &evidence->mark;
    double slope[PG_MARK_BITS_MAX], loss = 0;
    pg_mark_read(mark, model, slope);
    for (int i = 0; i < mark->bits; i++) {
        const double agree = mark->b[i] * o->steepness * sin(PG_WAVES * slope[i]);
        loss += fmax(-agree, 0) + log1p(exp(-fabs(agree)));
        slope[i] = -mark->b[i] * o->steepness * PG_WAVES * cos(PG_WAVES * slope[i]) / (1 + exp(agree));
    }
    pg_mark_carry_back(mark, model, o->strength, slope, pg_net_gradients(net));
    return o->strength * loss;
}

const pg_scheme pg_scheme_stdm = {
    .name = "stdm",
    .summary = "a mark of many bits in the weights of a layer, read in waves; embedded by a regulariser",
    .source = "Li, Tondi, Barni, 2021 (spread transform dither modulation)",
    .differs = "the frequency of the wave is fixed at the published 10",
    .unbound = "filters of length 1 are of real numbers; `uchida` with a matrix of signs can be bound",
    .group = PG_WHITE_BOX,
    .holds = PG_HOLDS_MARK | PG_HOLDS_FORM,
    .options = options,
    .options_size = sizeof(stdm_options),
    .embed = {"start", "pretrained"},
    .wire = stdm_wire,
    .recognise = stdm_recognise,
    .kind = stdm_kind,
    .keygen = stdm_keygen,
    .regulariser = stdm_regulariser,
};
