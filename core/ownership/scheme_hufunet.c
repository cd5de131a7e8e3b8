/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HufuNet: a small autoencoder is trained and cut in two. The encoder becomes weights of the network, at secret places, which
 * training does not change; the owner keeps the decoder. Together they rebuild secret pictures. Source: Lv, Li, Zhang, Chen,
 * Liang, IEEE TPAMI 2023; the authors' code, models/autoencoder.py and Union_type.py. */
#include "core/base/memory.h"
#include "core/data/triggers.h"
#include "core/ownership/autoencoder.h"
#include "core/ownership/mark.h"
#include "core/ownership/scheme.h"

typedef struct hufunet_options {
    char layers[PG_TEXT_MAX];
    int pictures, codes, images, sweeps, start;
} hufunet_options;

enum { PICTURES_MAX = PG_MARK_BITS_MAX / PG_CODER_PIXELS };

static const pg_option options[] = {
    PG_MARK_LAYERS(hufunet_options, "last 3"),
    PG_INT(hufunet_options, pictures, "16", 1, PICTURES_MAX, NULL,
           "secret pictures that are rebuilt; each has 64 pixels, and each pixel is a bit"),
    PG_INT(hufunet_options, codes, "32", 1, PG_CODER_CODES_MAX, NULL,
           "codes between encoder and decoder; each takes 64 weights of the network"),
    PG_INT(hufunet_options, images, "1000", 1, 100000, NULL, "training images for the autoencoder, at most all"),
    PG_INT(hufunet_options, sweeps, "20", 1, 10000, NULL, "passes over these images"),
    PG_SCHEME_START(hufunet_options, start, "scratch"),
    {0},
};

static pg_status hufunet_mark(const hufunet_options *o, const pg_net_spec *spec, pg_mark *out, pg_error *err)
{
    return pg_mark_create_listed(spec, o->layers, o->pictures * PG_CODER_PIXELS, PG_MARK_REBUILT, o->codes, out, err);
}

/* Refuses, before any training, a network that the mark does not fit. */
static pg_status hufunet_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    pg_mark mark;
    const pg_status status = hufunet_mark(values, spec, &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static int images_of(const hufunet_options *o, const pg_dataset *t)
{
    return o->images < t->count ? o->images : t->count;
}

static pg_status hufunet_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const hufunet_options *o = values;
    const pg_dataset *t = &in->data->train;
    if (o->pictures > images_of(o, t))
        return pg_fail(err, PG_BAD_INPUT, "pictures: expected at most the %d training images of %s, got %d", images_of(o, t),
                       t->name, o->pictures);
    if (t->height >= PG_CODER_SIDE && t->width >= PG_CODER_SIDE) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "pictures of %dx%d cannot be made of images of %dx%d", PG_CODER_SIDE, PG_CODER_SIDE,
                   t->height, t->width);
}

static const char *hufunet_kind(const void *values)
{
    (void)values;
    return pg_mark_kinds[PG_MARK_REBUILT];
}

static pg_status hufunet_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    hufunet_options *o = values;
    const pg_mark *mark = &evidence->mark;
    const pg_status status = pg_mark_fits(mark, PG_MARK_REBUILT, err);
    if (status != PG_OK) return status;
    o->pictures = mark->bits / PG_CODER_PIXELS;
    o->codes = mark->pooled;
    return pg_mark_name_layers(mark, spec, o->layers, err);
}

/* Train the autoencoder and keep the first pictures. */
static pg_status hufunet_train(const hufunet_options *o, const pg_keygen *in, pg_mark *mark, pg_error *err)
{
    pg_dataset chosen = {0};
    pg_real *pictures = NULL;
    pg_rng rng;
    pg_status status = PG_OK;
    const int images = images_of(o, &in->data->train);
    PG_TRY(pg_triggers_take(&in->data->train, -1, -1, images, in->seed, &chosen, err));
    PG_TRY(pg_alloc((size_t)images * PG_CODER_PIXELS, sizeof *pictures, &pictures, err));
    pg_coder_pictures(&chosen, images, pictures);
    pg_rng_open(&rng, in->seed, "autoencoder", 0);
    pg_coder_train(o->codes, pictures, images, o->sweeps, &rng, pg_mark_encoder(mark), pg_mark_decoder(mark));
    pg_mark_show(mark, pictures);
done:
    pg_free(pictures);
    pg_dataset_clear(&chosen);
    return status;
}

static pg_status hufunet_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(hufunet_mark(values, in->spec, &evidence->mark, err));
    PG_TRY(pg_mark_draw_key(&evidence->mark, PG_MARK_REBUILT, in->seed, err));
    PG_TRY(hufunet_train(values, in, &evidence->mark, err));
done:
    return status;
}

static void hufunet_hold(const void *values, const pg_evidence *evidence, pg_model *model)
{
    (void)values;
    pg_mark_place(&evidence->mark, model, 1);
}

const pg_scheme pg_scheme_hufunet = {
    .name = "hufunet",
    .summary = "the encoder of an autoencoder in secret weights; with the owner's decoder it rebuilds secret pictures",
    .source = "Lv, Li, Zhang, Chen, Liang, IEEE TPAMI 2023 (HufuNet)",
    .differs =
        "the autoencoder is dense and rebuilds grey training images of 8x8 pixels; the places of its weights are random; "
        "training does not change the encoder; the judge counts the pixels that are rebuilt on the right side of their mean",
    .unbound = "its autoencoder is trained",
    .group = PG_WHITE_BOX,
    .holds = PG_HOLDS_MARK | PG_HOLDS_FORM,
    .options = options,
    .options_size = sizeof(hufunet_options),
    .embed = {"start", "pretrained"},
    .wire = hufunet_wire,
    .check = hufunet_check,
    .recognise = hufunet_recognise,
    .kind = hufunet_kind,
    .keygen = hufunet_keygen,
    .hold = hufunet_hold,
};
