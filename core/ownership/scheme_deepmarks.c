/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DeepMarks: a fingerprint of zeros and ones, to which least squares pull what a matrix reads in the mean filter. Source: Chen,
 * Rouhani, Fu, Zhao, Koushanfar, ICMR 2019, in the form of the code of Lukas et al., IEEE S&P 2022, deepmarks.py: entries of
 * the matrix uniform in [0, 1), fingerprint {0, 1}, 100 bits. That code accepts where the readings correlate by more than 0.6
 * with those of the owner's network. With a positive matrix the readings of any two networks do, so the judge counts bits
 * instead: one is read where the reading is above 1/2. */
#include "core/ownership/mark.h"
#include "core/ownership/scheme.h"

#include <string.h>

static const char *const matrices[] = {"uniform", "centred", NULL};
static const pg_mark_kind kinds[] = {PG_MARK_UNIFORM, PG_MARK_CENTRED};

typedef struct deepmarks_options {
    char layers[PG_TEXT_MAX];
    int bits, matrix, start;
    double strength;
} deepmarks_options;

static const pg_option options[] = {
    PG_MARK_LAYERS(deepmarks_options, "default"),
    PG_INT(deepmarks_options, bits, "100", 1, PG_MARK_BITS_MAX, NULL, "length of the fingerprint"),
    PG_CHOICE(deepmarks_options, matrix, "uniform", matrices,
              "secret matrix: entries uniform in [0, 1) as published, or in [-1/2, 1/2)"),
    PG_REAL(deepmarks_options, strength, "0.1", 0, 1000, NULL,
            "weight of the regulariser; the published 10 makes training diverge in layers with many weights"),
    PG_SCHEME_START(deepmarks_options, start, "scratch"),
    {0},
};

/* Refuses, before any training, a network that the mark does not fit. */
static pg_status deepmarks_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    const deepmarks_options *o = values;
    pg_mark mark;
    const pg_status status = pg_mark_create(spec, o->layers, o->bits, kinds[o->matrix], &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static const char *deepmarks_kind(const void *values)
{
    return pg_mark_kinds[kinds[((const deepmarks_options *)values)->matrix]];
}

static pg_status deepmarks_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    deepmarks_options *o = values;
    const pg_status status = pg_mark_fits(&evidence->mark, PG_MARK_UNIFORM, err);
    if (status != PG_OK) return status;
    o->bits = evidence->mark.bits;
    for (int i = 0; matrices[i]; i++)
        if (strcmp(pg_mark_kinds[kinds[i]], evidence->kind) == 0) o->matrix = i;
    return pg_mark_name_layers(&evidence->mark, spec, o->layers, err);
}

static pg_status deepmarks_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const deepmarks_options *o = values;
    const pg_mark_kind kind = kinds[o->matrix];
    const pg_status status = pg_mark_create(in->spec, o->layers, o->bits, kind, &evidence->mark, err);
    return status == PG_OK ? pg_mark_draw_key(&evidence->mark, kind, in->seed, err) : status;
}

/* strength * sum_j (z_j - f_j)^2, with f_j = 1 for a bit +1 and 0 for -1. */
static double deepmarks_regulariser(const void *values, const pg_evidence *evidence, const pg_model *model, pg_net *net)
{
    const deepmarks_options *o = values;
    const pg_mark *mark = &evidence->mark;
    double slope[PG_MARK_BITS_MAX], loss = 0;
    pg_mark_read(mark, model, slope);
    for (int i = 0; i < mark->bits; i++) {
        const double miss = slope[i] - (mark->b[i] > 0);
        loss += miss * miss;
        slope[i] = 2 * miss;
    }
    pg_mark_carry_back(mark, model, o->strength, slope, pg_net_gradients(net));
    return o->strength * loss;
}

const pg_scheme pg_scheme_deepmarks = {
    .name = "deepmarks",
    .summary = "a fingerprint of zeros and ones in the weights of a layer, embedded by least squares",
    .source = "Chen, Rouhani, Fu, Zhao, Koushanfar, ICMR 2019",
    .differs =
        "random fingerprints in place of anti-collusion codes; the judge counts bits, where the published correlation of "
        "more than 0.6 accepts networks without any mark",
    .unbound = "its matrix is of real numbers; `uchida` with a matrix of signs can be bound",
    .group = PG_WHITE_BOX,
    .holds = PG_HOLDS_MARK | PG_HOLDS_FORM,
    .options = options,
    .options_size = sizeof(deepmarks_options),
    .embed = {"start", "pretrained"},
    .wire = deepmarks_wire,
    .recognise = deepmarks_recognise,
    .kind = deepmarks_kind,
    .keygen = deepmarks_keygen,
    .regulariser = deepmarks_regulariser,
};
