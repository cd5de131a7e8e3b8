/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NeuralMark: the bits of the mark are the hash of its own projection, and choose the weights of one convolution that carry
 * them. Source: Yao, Song, Jin, AAAI 2026, arXiv 2507.11137; its code, tools/ks_generator.py and tools/embed_loss.py, whose
 * loss is the mean over the bits. Its layers are the last convolution of AlexNet and layer3.0.convbn_2 of ResNet-18. */
#include "core/ownership/binding.h"
#include "core/ownership/mark.h"

#include <stddef.h>
#include <stdio.h>

typedef struct neuralmark_options {
    char layer[PG_TEXT_MAX], layers[PG_TEXT_MAX];
    int bits, pooled, rounds, start;
    double strength;
    pg_binding_options binding;
} neuralmark_options;

static const pg_option options[] = {
    PG_TEXT(neuralmark_options, layer, "default",
            "marked convolution: default (the first that carries a passport by default) or a name"),
    {PG_OPTION("layers", neuralmark_options, layers, TEXT, char *, "",
               "marked convolutions, read as one, in place of `layer`: all, first N or last N in the network's order, or names "
               "separated by spaces; empty: that of `layer`"),
     .later = true},
    PG_INT(neuralmark_options, bits, "256", 64, PG_MARK_BITS_MAX, NULL, "length of the mark"),
    PG_INT(neuralmark_options, pooled, "512", 1, PG_MARK_POOLED_MAX, "values",
           "averages of the chosen weights, by which the secret matrix is multiplied"),
    PG_INT(neuralmark_options, rounds, "4", 1, PG_MARK_ROUNDS_MAX, NULL,
           "rounds of the filter; each keeps the weights under the ones of the bits, about half"),
    PG_REAL(neuralmark_options, strength, "1", 0, 100000, NULL, "weight of the regulariser, a mean over the bits"),
    PG_SCHEME_START(neuralmark_options, start, "scratch"),
    PG_BINDING_OPTIONS(neuralmark_options, binding),
    {0},
};

static const char *neuralmark_layers(const neuralmark_options *o)
{
    return o->layers[0] ? o->layers : o->layer;
}

/* Refuses, before any training, a network that the mark does not fit. */
static pg_status neuralmark_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    const neuralmark_options *o = values;
    pg_mark mark;
    const pg_status status = pg_mark_create_filtered(spec, neuralmark_layers(o), o->bits, o->rounds, o->pooled, &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static pg_status neuralmark_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    neuralmark_options *o = values;
    const pg_mark *mark = &evidence->mark;
    const pg_status status = pg_mark_fits(mark, PG_MARK_FILTERED, err);
    if (status != PG_OK) return status;
    o->bits = mark->bits;
    o->pooled = mark->pooled;
    o->rounds = mark->rounds;
    return pg_mark_name_layers(mark, spec, o->layer, err);
}

static pg_status neuralmark_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const neuralmark_options *o = values;
    (void)in;
    return pg_binding_check_bits(&o->binding, o->bits, err);
}

static const char *neuralmark_kind(const void *values)
{
    (void)values;
    return pg_mark_kinds[PG_MARK_FILTERED];
}

static pg_status neuralmark_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const neuralmark_options *o = values;
    pg_status status = PG_OK;
    PG_TRY(pg_mark_create_filtered(in->spec, neuralmark_layers(o), o->bits, o->rounds, o->pooled, &evidence->mark, err));
    PG_TRY(pg_mark_draw_key(&evidence->mark, PG_MARK_FILTERED, in->seed, err));
done:
    return status;
}

static double neuralmark_regulariser(const void *values, const pg_evidence *evidence, const pg_model *model, pg_net *net)
{
    const neuralmark_options *o = values;
    const pg_mark *mark = &evidence->mark;
    return pg_mark_loss(mark, model, o->strength / mark->bits, pg_net_gradients(net));
}

const pg_scheme pg_scheme_neuralmark = {
    .name = "neuralmark",
    .summary = "a mark whose bits are the hash of its key and choose the weights that carry them",
    .source = "Yao, Song, Jin, AAAI 2026, arXiv 2507.11137",
    .differs = "the marked layer is that of the first passport; the bits of bound evidence follow from its secret",
    .group = PG_WHITE_BOX,
    .holds = PG_HOLDS_MARK | PG_HOLDS_FILTER,
    .options = options,
    .options_size = sizeof(neuralmark_options),
    .bound = {{"bound", "true"}},
    .binding = offsetof(neuralmark_options, binding),
    .embed = {"start", "pretrained"},
    .wire = neuralmark_wire,
    .check = neuralmark_check,
    .recognise = neuralmark_recognise,
    .kind = neuralmark_kind,
    .keygen = neuralmark_keygen,
    .regulariser = neuralmark_regulariser,
};
