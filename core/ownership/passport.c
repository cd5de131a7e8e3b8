/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making passports and signatures; see passport.h. */
#include "core/ownership/passport.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/formats/number.h"

#include <string.h>

const char *const pg_passport_kinds[] = {"random", "image", "shuffle", NULL};

/* Pictures that one passport takes, pushed through the carrier at once. */
static int pictures_pushed(pg_passport_kind kind, int images)
{
    return kind == PG_PASSPORT_RANDOM ? 0 : kind == PG_PASSPORT_IMAGE ? 1 : images;
}

pg_status pg_passport_pictures(pg_passport_kind kind, int images, const pg_dataset *pictures, pg_error *err)
{
    const int wanted = pictures_pushed(kind, images);
    if (wanted == 0 || wanted <= pictures->count) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "images: a passport takes %d distinct images, but %s has %d", wanted, pictures->name,
                   pictures->count);
}

struct pg_passport_maker {
    pg_passport_source source;
    int batch;
    pg_net *net;
    pg_real *images;
};

pg_status pg_passport_maker_create(const pg_passport_source *source, pg_passport_maker **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_passport_maker *maker = NULL;
    PG_TRY(pg_alloc(1, sizeof *maker, &maker, err));
    maker->source = *source;
    if (source->kind != PG_PASSPORT_RANDOM) {
        const pg_dataset *pictures = source->pictures;
        maker->batch = pictures_pushed(source->kind, source->images);
        PG_TRY(pg_passport_pictures(source->kind, source->images, pictures, err));
        const pg_net_spec *spec = &source->carrier->spec;
        PG_TRY(pg_dataset_fits(pictures, spec->image_height, spec->image_width, pictures->classes, err));
        PG_TRY(pg_net_create(spec, maker->batch, true, PG_CONV_AUTO, &maker->net, err));
        if (source->carrier_evidence) PG_TRY(pg_passports_install(maker->net, source->carrier, source->carrier_evidence, err));
        PG_TRY(pg_alloc((size_t)maker->batch * (size_t)(pictures->height * pictures->width * 3), sizeof(pg_real),
                        &maker->images, err));
    }
    *out = maker;
    maker = NULL;
done:
    pg_passport_maker_destroy(&maker);
    return status;
}

void pg_passport_maker_destroy(pg_passport_maker **maker)
{
    if (!*maker) return;
    pg_net_destroy(&(*maker)->net);
    pg_free((*maker)->images);
    pg_free(*maker);
    *maker = NULL;
}

/* ---- random ---- */

static void draw_uniform(pg_evidence *evidence, pg_rng *rng)
{
    for (int i = 0; i < evidence->passport_count; i++) {
        pg_passport *p = &evidence->passports[i];
        const int count = p->height * p->width * p->inputs;
        for (int e = 0; e < count; e++) p->key[e] = (pg_real)(2 * pg_rng_uniform(rng) - 1);
        for (int e = 0; e < count; e++) p->skey[e] = (pg_real)(2 * pg_rng_uniform(rng) - 1);
    }
}

/* ---- from images ---- */

/* Draw n distinct indices below count, in random order. A repeated index is drawn again; this is cheap, because count is the
 * size of a test set. */
static void draw_distinct(uint32_t *index, int n, int count, pg_rng *rng)
{
    for (int i = 0; i < n; i++) {
        bool seen;
        do {
            index[i] = (uint32_t)pg_rng_below(rng, (uint64_t)count);
            seen = false;
            for (int j = 0; j < i; j++) seen |= index[j] == index[i];
        } while (seen);
    }
}

static pg_status push_images(pg_passport_maker *maker, pg_rng *rng, pg_error *err)
{
    const pg_passport_source *s = &maker->source;
    uint32_t *index = NULL;
    const pg_status status = pg_alloc((size_t)maker->batch, sizeof *index, &index, err);
    if (status != PG_OK) return status;
    draw_distinct(index, maker->batch, s->pictures->count, rng);
    pg_batch_fill(s->pictures, index, maker->batch, NULL, s->pixels, NULL, maker->images);
    pg_net_forward(maker->net, s->carrier, s->carrier_branch, s->carrier_mode, maker->images, maker->batch);
    pg_free(index);
    return PG_OK;
}

static void copy_channel(pg_real *to, int to_channel, const pg_real *from, int from_channel, int pixels, int channels)
{
    for (int p = 0; p < pixels; p++) to[p * channels + to_channel] = from[p * channels + from_channel];
}

/* One passport from the activations of n images: channel k comes from image k mod n, from a channel of it drawn without
 * replacement; a single image, and any at the network's input, is taken whole. used is [n * channels]. */
static void select_channels(pg_real *passport, const pg_real *activations, int n, int pixels, int channels, bool *used,
                            pg_rng *rng)
{
    const size_t image = (size_t)pixels * (size_t)channels;
    if (n == 1 || channels == 3) {
        memcpy(passport, activations + pg_rng_below(rng, (uint64_t)n) * image, image * sizeof *passport);
        return;
    }
    memset(used, 0, (size_t)n * (size_t)channels * sizeof *used);
    for (int k = 0; k < channels; k++) {
        const int m = k % n;
        int c;
        do c = (int)pg_rng_below(rng, (uint64_t)channels);
        while (used[m * channels + c]);
        used[m * channels + c] = true;
        copy_channel(passport, k, activations + (size_t)m * image, c, pixels, channels);
    }
}

static int carrier_layer(const pg_model *carrier, const pg_passport *p)
{
    for (int i = 0; i < carrier->layer_count; i++) {
        const pg_layer *l = &carrier->layers[i];
        if (strcmp(l->row.name, p->layer) == 0 && l->in_channels == p->inputs && l->in_height == p->height &&
            l->in_width == p->width)
            return i;
    }
    return -1;
}

/* Push one batch of images and take the given key (0: key, 1: skey) of every passport from it. */
static pg_status draw_key(pg_passport_maker *maker, pg_evidence *evidence, int which, pg_rng *rng, pg_error *err)
{
    pg_status status = push_images(maker, rng, err);
    for (int i = 0; i < evidence->passport_count && status == PG_OK; i++) {
        const pg_passport *p = &evidence->passports[i];
        const int layer = carrier_layer(maker->source.carrier, p);
        if (layer < 0)
            return pg_fail(err, PG_BAD_INPUT, "%s: the network that makes passports has no such layer of %d channels at %dx%d",
                           p->layer, p->inputs, p->height, p->width);
        bool *used = NULL;
        status = pg_alloc((size_t)maker->batch * (size_t)p->inputs, sizeof *used, &used, err);
        if (status != PG_OK) break;
        select_channels(which ? p->skey : p->key, pg_net_input(maker->net, layer), maker->batch, p->height * p->width,
                        p->inputs, used, rng);
        pg_free(used);
    }
    return status;
}

pg_status pg_passports_draw(pg_passport_maker *maker, pg_evidence *evidence, pg_rng *rng, pg_error *err)
{
    if (maker->source.kind == PG_PASSPORT_RANDOM) {
        draw_uniform(evidence, rng);
        return PG_OK;
    }
    const pg_status status = draw_key(maker, evidence, 0, rng, err);
    return status == PG_OK ? draw_key(maker, evidence, 1, rng, err) : status;
}

/* ---- signatures ---- */

/* Bytes of a text: the pairs of digits of "hex:...", or the characters of any other text. Returns their number; -1 if a digit
 * is wrong or there are too many. */
static int signature_bytes(const char *text, unsigned char out[PG_SIGNATURE_BYTES])
{
    const bool hex = strncmp(text, "hex:", 4) == 0;
    const size_t width = hex ? 2 : 1, length = strlen(text += hex ? 4 : 0);
    if (length % width || length / width > PG_SIGNATURE_BYTES) return -1;
    if (hex && strspn(text, "0123456789abcdefABCDEF") != length) return -1;
    for (size_t i = 0; i < length; i += width) {
        uint64_t byte = (unsigned char)text[i];
        if (hex) (void)pg_number_hex((const char[]){text[i], text[i + 1], 0}, &byte);
        out[i / width] = (unsigned char)byte;
    }
    return (int)(length / width);
}

pg_status pg_signature_check(const pg_evidence *evidence, const char *text, pg_error *err)
{
    unsigned char bytes[PG_SIGNATURE_BYTES];
    const int bits = 8 * signature_bytes(text, bytes);
    if (bits < 0)
        return pg_fail(err, PG_BAD_INPUT, "signature: expected at most %d bytes, as text or as hex: and two digits each",
                       PG_SIGNATURE_BYTES);
    for (int i = 0; i < evidence->passport_count; i++)
        if (bits > evidence->passports[i].outputs)
            return pg_fail(err, PG_BAD_INPUT, "signature: %d bytes need %d bits, %s carries %d", bits / 8, bits,
                           evidence->passports[i].layer, evidence->passports[i].outputs);
    return PG_OK;
}

pg_status pg_signature_draw(pg_evidence *evidence, const char *text, pg_rng *rng, pg_error *err)
{
    unsigned char bytes[PG_SIGNATURE_BYTES];
    const pg_status status = pg_signature_check(evidence, text, err);
    if (status != PG_OK) return status;
    const int bits = 8 * signature_bytes(text, bytes);
    for (int i = 0; i < evidence->passport_count; i++) {
        pg_passport *p = &evidence->passports[i];
        for (int o = 0; o < p->outputs; o++) {
            const bool one = o < bits ? bytes[o / 8] >> (7 - o % 8) & 1 : pg_rng_below(rng, 2) == 1;
            p->b[o] = one ? 1 : -1;
        }
    }
    return PG_OK;
}

/* ---- passports in a model ---- */

/* Call use(context, layer, index, scale means, bias means) for each passport of the evidence in the model's layers. */
typedef void use_means(void *context, const pg_layer *layer, int i, const pg_real *scale, const pg_real *bias);

static pg_status each_passport(const pg_model *model, const pg_evidence *evidence, use_means *use, void *context, pg_error *err)
{
    pg_status status = PG_OK;
    pg_real *means[2] = {NULL, NULL};
    if (model->passport_count != evidence->passport_count)
        return pg_fail(err, PG_BAD_INPUT, "evidence has %d passports, the network %d passport layers", evidence->passport_count,
                       model->passport_count);
    for (int i = 0; i < evidence->passport_count && status == PG_OK; i++) {
        const pg_layer *l = pg_model_passport_layer(model, i);
        const pg_passport *p = &evidence->passports[i];
        const size_t window = (size_t)(l->row.kernel * l->row.kernel * l->in_channels);
        if (p->height != l->in_height || p->width != l->in_width || p->inputs != l->in_channels ||
            p->outputs != l->out_channels)
            status = pg_fail(err, PG_BAD_INPUT, "the passport for %s has another size than its layer", p->layer);
        for (int k = 0; k < 2 && status == PG_OK; k++) {
            status = pg_alloc(window, sizeof **means, &means[k], err);
            if (status == PG_OK) pg_passport_means(l, k ? p->key : p->skey, means[k]);
        }
        if (status == PG_OK) use(context, l, i, means[0], means[1]);
        for (int k = 0; k < 2; k++) {
            pg_free(means[k]);
            means[k] = NULL;
        }
    }
    return status;
}

static void install(void *net, const pg_layer *layer, int i, const pg_real *scale, const pg_real *bias)
{
    (void)layer;
    pg_net_set_passport(net, i, scale, bias);
}

pg_status pg_passports_install(pg_net *net, const pg_model *model, const pg_evidence *evidence, pg_error *err)
{
    const pg_status status = each_passport(model, evidence, install, net, err);
    if (status == PG_OK) pg_net_refresh_passports(net, model);
    return status;
}

typedef struct transfer {
    const pg_model *from;
    pg_model *to;
} transfer;

static void store(void *context, const pg_layer *layer, int i, const pg_real *scale, const pg_real *bias)
{
    const transfer *t = context;
    const pg_affine *a = &pg_model_passport_layer(t->to, i)->affine[PG_PUBLIC];
    const int window = layer->row.kernel * layer->row.kernel * layer->in_channels;
    pg_matvec_pair(window, layer->out_channels, t->from->params + layer->weight, scale, bias, t->to->params + a->gamma,
                   t->to->params + a->beta);
}

pg_status pg_passports_store(const pg_model *model, const pg_evidence *evidence, pg_model *to, pg_error *err)
{
    if (!to->spec.public_affine || to->passport_count != model->passport_count)
        return pg_fail(err, PG_BAD_INPUT, "the target model has no public affine for the gamma and beta of the passports");
    return each_passport(model, evidence, store, &(transfer){.from = model, .to = to}, err);
}
