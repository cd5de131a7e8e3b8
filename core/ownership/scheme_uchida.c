/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Uchida's mark: bits embedded by a regulariser into the mean filter of one convolution of an otherwise ordinary network. */
#include "core/ownership/binding.h"
#include "core/ownership/mark.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_RANDOM, MESSAGE_ONES };
static const char *const projections[] = {"gaussian", "direct", "diff", "signs", NULL}; /* the first of pg_mark_kinds */
static const char *const messages[] = {"random", "ones", NULL};

typedef struct uchida_options {
    char layer[PG_TEXT_MAX], layers[PG_TEXT_MAX];
    int bits, projection, message, start;
    double strength;
    pg_binding_options binding;
} uchida_options;

static const pg_option options[] = {
    PG_TEXT(uchida_options, layer, "default",
            "marked convolution: default (the first that carries a passport by default) or a name"),
    {PG_OPTION("layers", uchida_options, layers, TEXT, char *, "",
               "marked convolutions, read as one, in place of `layer`: all, first N or last N in the network's order, or names "
               "separated by spaces; empty: that of `layer`"),
     .later = true},
    PG_INT(uchida_options, bits, "256", 1, PG_MARK_BITS_MAX, NULL, "length of the mark"),
    PG_CHOICE(uchida_options, projection, "gaussian", projections,
              "secret matrix: normal entries, a single 1 a row, a 1 and a -1 a row, or entries of -1 and 1"),
    PG_CHOICE(uchida_options, message, "random", messages, "embedded bits: random, or all ones as in the authors' code"),
    PG_REAL(uchida_options, strength, "0.01", 0, 1000, NULL, "weight of the regulariser"),
    PG_SCHEME_START(uchida_options, start, "scratch"),
    PG_BINDING_OPTIONS(uchida_options, binding),
    {0},
};

static const char *uchida_layers(const uchida_options *o)
{
    return o->layers[0] ? o->layers : o->layer;
}

/* Refuses, before any training, a network that the mark does not fit. */
static pg_status uchida_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    const uchida_options *o = values;
    pg_mark mark;
    const pg_status status = pg_mark_create(spec, uchida_layers(o), o->bits, (pg_mark_kind)o->projection, &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static pg_status uchida_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    uchida_options *o = values;
    const pg_status status = pg_mark_fits(&evidence->mark, PG_MARK_GAUSSIAN, err);
    if (status != PG_OK) return status;
    o->bits = evidence->mark.bits;
    for (int i = 0; projections[i]; i++)
        if (strcmp(projections[i], evidence->kind) == 0) o->projection = i;
    return pg_mark_name_layers(&evidence->mark, spec, o->layer, err);
}

static pg_status uchida_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const uchida_options *o = values;
    (void)in;
    return pg_binding_check_bits(&o->binding, o->bits, err);
}

static const char *uchida_kind(const void *values)
{
    return pg_mark_kinds[((const uchida_options *)values)->projection];
}

static pg_status uchida_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const uchida_options *o = values;
    pg_status status = PG_OK;
    PG_TRY(pg_mark_create(in->spec, uchida_layers(o), o->bits, (pg_mark_kind)o->projection, &evidence->mark, err));
    PG_TRY(pg_mark_draw_key(&evidence->mark, (pg_mark_kind)o->projection, in->seed, err));
    if (o->message == MESSAGE_ONES) memset(evidence->mark.b, 1, (size_t)o->bits);
done:
    return status;
}

static double uchida_regulariser(const void *values, const pg_evidence *evidence, const pg_model *model, pg_net *net)
{
    const uchida_options *o = values;
    return pg_mark_loss(&evidence->mark, model, o->strength, pg_net_gradients(net));
}

const pg_scheme pg_scheme_uchida = {
    .name = "uchida",
    .summary = "a mark of many bits in the weights of one layer, embedded by a regulariser",
    .source = "Uchida, Nagai, Sakazawa, Satoh, ICMR 2017",
    .differs = "the marked layer is that of the first passport, and a bound matrix has entries of -1 and 1",
    .group = PG_WHITE_BOX,
    .holds = PG_HOLDS_MARK,
    .options = options,
    .options_size = sizeof(uchida_options),
    .bound = {{"projection", "signs"}, {"bound", "true"}},
    .binding = offsetof(uchida_options, binding),
    .embed = {"start", "pretrained"},
    .wire = uchida_wire,
    .check = uchida_check,
    .recognise = uchida_recognise,
    .kind = uchida_kind,
    .keygen = uchida_keygen,
    .regulariser = uchida_regulariser,
};
