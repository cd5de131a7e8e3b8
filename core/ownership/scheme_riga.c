/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RIGA: a perceptron reads the bits from the mean filter, and is trained together with the network. It also learns to read
 * another message from filters without the mark; otherwise it would read the bits in every network. Source: Wang, Kerschbaum,
 * WWW 2021; the code of Bellafqira, Coatrieux (DICTION), watermark/riga.py: 100 hidden units, 256 bits, weight 0.01. */
#include "core/ownership/extractor.h"
#include "core/ownership/mark.h"
#include "core/ownership/scheme.h"

typedef struct riga_options {
    char layers[PG_TEXT_MAX];
    int bits, hidden, start;
    double strength, rate, contrast;
} riga_options;

static const pg_option options[] = {
    PG_MARK_LAYERS(riga_options, "default"),
    PG_INT(riga_options, bits, "256", 1, PG_MARK_BITS_MAX, NULL, "length of the mark"),
    PG_INT(riga_options, hidden, "100", 1, PG_MARK_POOLED_MAX, "units", "hidden units of the perceptron that reads the bits"),
    PG_REAL(riga_options, strength, "0.01", 0, 1000, NULL, "weight of the regulariser"),
    PG_REAL(riga_options, rate, "0.1", 0, 1000, NULL, "learning rate of the perceptron"),
    PG_REAL(riga_options, contrast, "1", 0, 1000, NULL,
            "relative weight of the other message, which the perceptron learns to read from filters without the mark"),
    PG_SCHEME_START(riga_options, start, "scratch"),
    {0},
};

static pg_status riga_mark(const riga_options *o, const pg_net_spec *spec, pg_mark *out, pg_error *err)
{
    return pg_mark_create_listed(spec, o->layers, o->bits, PG_MARK_EXTRACTOR, o->hidden, out, err);
}

/* Refuses, before any training, a network that the mark does not fit. */
static pg_status riga_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    pg_mark mark;
    const pg_status status = riga_mark(values, spec, &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static const char *riga_kind(const void *values)
{
    (void)values;
    return pg_mark_kinds[PG_MARK_EXTRACTOR];
}

static pg_status riga_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    riga_options *o = values;
    const pg_mark *mark = &evidence->mark;
    const pg_status status = pg_mark_fits(mark, PG_MARK_EXTRACTOR, err);
    if (status != PG_OK) return status;
    o->bits = mark->bits;
    o->hidden = mark->pooled;
    return pg_mark_name_layers(mark, spec, o->layers, err);
}

static pg_status riga_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const pg_status status = riga_mark(values, in->spec, &evidence->mark, err);
    return status == PG_OK ? pg_mark_draw_key(&evidence->mark, PG_MARK_EXTRACTOR, in->seed, err) : status;
}

static double riga_regulariser(const void *values, const pg_evidence *evidence, const pg_model *model, pg_net *net)
{
    return pg_mark_loss(&evidence->mark, model, ((const riga_options *)values)->strength, pg_net_gradients(net));
}

static void riga_learn(const void *values, const pg_model *model, pg_seed seed, long step, pg_evidence *evidence)
{
    const riga_options *o = values;
    pg_mark *mark = &evidence->mark;
    int8_t other[PG_MARK_BITS_MAX];
    pg_rng rng;
    pg_extractor_learn(mark, model, mark->b, o->rate, NULL);
    if (o->contrast == 0) return;
    pg_rng_open(&rng, seed, "other message", 0);
    for (int i = 0; i < mark->bits; i++) other[i] = pg_rng_below(&rng, 2) ? 1 : -1;
    pg_rng_open(&rng, seed, "other filters", (uint64_t)step);
    pg_extractor_learn(mark, model, other, o->rate * o->contrast, &rng);
}

const pg_scheme pg_scheme_riga = {
    .name = "riga",
    .summary = "bits that a perceptron reads from the mean filter, trained together with the network",
    .source = "Wang, Kerschbaum, WWW 2021 (RIGA)",
    .differs =
        "no detector keeps the weights inconspicuous; filters without the mark are those of the network with their channels "
        "in a random order, drawn anew for every step; the perceptron is trained by plain gradient descent",
    .unbound = "its perceptron is trained with the network",
    .group = PG_WHITE_BOX,
    .holds = PG_HOLDS_MARK | PG_HOLDS_FORM,
    .options = options,
    .options_size = sizeof(riga_options),
    .embed = {"start", "pretrained"},
    .wire = riga_wire,
    .recognise = riga_recognise,
    .kind = riga_kind,
    .keygen = riga_keygen,
    .regulariser = riga_regulariser,
    .learn = riga_learn,
};
