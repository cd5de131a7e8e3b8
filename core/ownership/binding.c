/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bound evidence; see binding.h. */
#include "core/ownership/binding.h"

#include "core/base/memory.h"
#include "core/data/batch.h"
#include "core/ownership/mark.h"

#include <stdio.h>
#include <string.h>

/* ---- K ---- */

static void add_bytes(pg_hash *hash, const void *bytes, size_t count)
{
    pg_hash_add_u64(hash, count);
    pg_hash_add(hash, bytes, count);
}

static void add_text(pg_hash *hash, const char *text)
{
    add_bytes(hash, text, strlen(text));
}

static void add_int(pg_hash *hash, int value)
{
    pg_hash_add_u64(hash, sizeof(uint64_t));
    pg_hash_add_u64(hash, (uint64_t)value);
}

static void add_ints(pg_hash *hash, int count, const int *values)
{
    for (int i = 0; i < count; i++) add_int(hash, values[i]);
}

/* The kind says whether fields follow those of a bank, and the names say how many. */
static void add_mark_sizes(pg_hash *hash, const pg_mark *m)
{
    char names[PG_MARK_NAMES_MAX];
    pg_mark_names(m, names);
    add_text(hash, names);
    add_int(hash, m->bits);
    if (!m->bits) add_ints(hash, 2, (const int[]){0, 0}); /* of no mark */
    for (int i = 0; i < m->site_count; i++) add_ints(hash, 2, (const int[]){m->site[i].kernel, m->site[i].inputs});
    if (pg_mark_is_bank(m)) return;
    add_ints(hash, 2, (const int[]){m->rounds, m->pooled});
    for (int i = 0; i < m->site_count; i++) add_int(hash, m->site[i].outputs);
}

static void add_sizes(pg_hash *hash, const pg_evidence *e)
{
    const pg_dataset *t = &e->triggers;
    add_int(hash, e->passport_count);
    for (int i = 0; i < e->passport_count; i++) {
        const pg_passport *p = &e->passports[i];
        add_text(hash, p->layer);
        add_ints(hash, 4, (const int[]){p->height, p->width, p->inputs, p->outputs});
    }
    add_mark_sizes(hash, &e->mark);
    add_int(hash, t->count);
    if (t->count) add_ints(hash, 3, (const int[]){t->height, t->width, t->classes});
}

/* Are the pictures a choice of the claimant, so that only their labels follow from the secret? */
static bool has_chosen_pictures(const pg_evidence *e)
{
    return pg_evidence_claim(e) == PG_CLAIM_TRIGGERS && strcmp(e->kind, "generated") != 0;
}

static size_t picture_bytes(const pg_dataset *t)
{
    return (size_t)t->count * (size_t)t->height * (size_t)t->width * 3;
}

void pg_binding_key(const pg_evidence *e, unsigned char key[PG_SHA256_BYTES])
{
    const pg_binding *b = &e->binding;
    pg_hash hash;
    pg_hash_start(&hash);
    add_text(&hash, "passgrid bound evidence 1");
    add_text(&hash, e->scheme);
    add_text(&hash, e->kind);
    add_text(&hash, b->statement);
    add_int(&hash, b->from_seed);
    add_text(&hash, b->network);
    add_int(&hash, b->classes);
    add_text(&hash, b->pixels);
    add_int(&hash, b->relu_before_add);
    add_sizes(&hash, e);
    if (has_chosen_pictures(e)) add_bytes(&hash, e->triggers.images, picture_bytes(&e->triggers));
    pg_hash_add(&hash, b->secret.bytes, sizeof b->secret.bytes);
    pg_hash_finish(&hash, key);
}

/* ---- streams ---- */

typedef struct stream {
    const unsigned char *key; /* [PG_SHA256_BYTES] */
    const char *purpose, *layer;
    uint64_t next; /* block */
    unsigned char block[PG_SHA256_BYTES];
    size_t used; /* bytes of the block */
} stream;

static stream stream_open(const unsigned char *key, const char *purpose, const char *layer)
{
    return (stream){.key = key, .purpose = purpose, .layer = layer, .used = PG_SHA256_BYTES};
}

static unsigned stream_byte(stream *s)
{
    if (s->used == PG_SHA256_BYTES) {
        pg_hash hash;
        pg_hash_start(&hash);
        pg_hash_add(&hash, s->key, PG_SHA256_BYTES);
        pg_hash_add_text(&hash, s->purpose);
        pg_hash_add_text(&hash, s->layer);
        pg_hash_add_u64(&hash, s->next++);
        pg_hash_finish(&hash, s->block);
        s->used = 0;
    }
    return s->block[s->used++];
}

/* Uniform in [0, n), without modulo bias. */
static uint32_t stream_below(stream *s, uint32_t n)
{
    const uint32_t fair = UINT32_MAX - UINT32_MAX % n;
    uint32_t value;
    do {
        value = 0;
        for (int i = 0; i < 4; i++) value = value << 8 | stream_byte(s);
    } while (value >= fair);
    return value % n;
}

/* ---- arrays ---- */

/* The i-th bit of a stream, least significant first, as -1 or +1. */
static int next_sign(stream *s, size_t i, unsigned *byte)
{
    if (i % 8 == 0) *byte = stream_byte(s);
    return *byte >> i % 8 & 1 ? 1 : -1;
}

static void derive_bits(stream s, int count, int8_t *b)
{
    unsigned byte = 0;
    for (int i = 0; i < count; i++) b[i] = (int8_t)next_sign(&s, (size_t)i, &byte);
}

static void derive_key(stream s, size_t count, pg_real *key)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned high = stream_byte(&s), u = high << 8 | stream_byte(&s);
        key[i] = (pg_real)((int)(2 * u + 1) - 65536) / 65536;
    }
}

static void derive_passport(const unsigned char *key, pg_passport *p)
{
    const size_t count = (size_t)p->height * (size_t)p->width * (size_t)p->inputs;
    derive_key(stream_open(key, "key", p->layer), count, p->key);
    derive_key(stream_open(key, "skey", p->layer), count, p->skey);
    derive_bits(stream_open(key, "signature", p->layer), p->outputs, p->b);
}

static void derive_mark(const unsigned char *key, pg_mark *m)
{
    const size_t count = (size_t)pg_mark_width(m) * (size_t)m->bits;
    char names[PG_MARK_NAMES_MAX];
    pg_mark_names(m, names);
    stream s = stream_open(key, "projection", names);
    unsigned byte = 0;
    for (size_t i = 0; i < count; i++) m->projection[i] = (pg_real)next_sign(&s, i, &byte);
    derive_bits(stream_open(key, "mark", names), m->bits, m->b);
}

enum { SQUARES = 4 };

static void derive_picture(stream *s, int height, int width, uint8_t *image)
{
    uint8_t colour[SQUARES][SQUARES][3];
    for (int i = 0; i < SQUARES * SQUARES * 3; i++) (&colour[0][0][0])[i] = (uint8_t)stream_byte(s);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            memcpy(image + (y * width + x) * 3, colour[y * SQUARES / height][x * SQUARES / width], 3);
}

static void derive_triggers(const unsigned char *key, bool pictures_too, pg_dataset *t)
{
    stream pictures = stream_open(key, "pictures", ""), labels = stream_open(key, "labels", "");
    const size_t size = (size_t)t->height * (size_t)t->width * 3;
    for (int i = 0; i < t->count; i++) {
        if (pictures_too) derive_picture(&pictures, t->height, t->width, t->images + (size_t)i * size);
        t->labels[i] = (int32_t)stream_below(&labels, (uint32_t)t->classes);
    }
}

/* ---- evidence ---- */

/* Can passports or a mark of this kind follow from a secret? Other kinds contain something chosen or learned. */
static pg_status check_kind(const char *kind, pg_error *err)
{
    static const char *const kinds[] = {"random", "signs", "filtered", "residuals",
                                        "generated"}; /* passports, marks, triggers */
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i]) == 0) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT,
                   "evidence of kind '%s' cannot be bound to a secret: only random passports, marks of signs, filtered marks, "
                   "residuals and generated triggers follow from one",
                   kind);
}

pg_status pg_evidence_bind(pg_evidence *evidence, pg_error *err)
{
    unsigned char key[PG_SHA256_BYTES];
    const pg_status status = has_chosen_pictures(evidence) ? PG_OK : check_kind(evidence->kind, err);
    if (status != PG_OK) return status;
    evidence->binding.bound = true;
    pg_binding_key(evidence, key);
    for (int i = 0; i < evidence->passport_count; i++) derive_passport(key, &evidence->passports[i]);
    if (evidence->mark.bits) derive_mark(key, &evidence->mark);
    derive_triggers(key, !has_chosen_pictures(evidence), &evidence->triggers);
    return PG_OK;
}

/* Do two arrays have the same bytes? For numbers this is equality, because no array here has a negative zero. */
static pg_status same(const void *a, const void *b, size_t bytes, const char *layer, const char *name, pg_error *err)
{
    if (memcmp(a, b, bytes) == 0) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s%s%s does not follow from the secret", layer, *layer ? "." : "", name);
}

static pg_status same_passport(const pg_passport *a, const pg_passport *b, pg_error *err)
{
    pg_status status = PG_OK;
    const size_t bytes = (size_t)a->height * (size_t)a->width * (size_t)a->inputs * sizeof *a->key;
    PG_TRY(same(a->key, b->key, bytes, a->layer, "key", err));
    PG_TRY(same(a->skey, b->skey, bytes, a->layer, "skey", err));
    PG_TRY(same(a->b, b->b, (size_t)a->outputs, a->layer, "b", err));
done:
    return status;
}

static pg_status same_mark(const pg_mark *a, const pg_mark *b, pg_error *err)
{
    const size_t count = (size_t)pg_mark_width(a) * (size_t)a->bits;
    const char *layer = a->site[0].layer;
    const pg_status status = same(a->projection, b->projection, count * sizeof *a->projection, layer, "projection", err);
    return status == PG_OK ? same(a->b, b->b, (size_t)a->bits, layer, "mark", err) : status;
}

static pg_status same_triggers(const pg_dataset *a, const pg_dataset *b, pg_error *err)
{
    const pg_status status = same(a->images, b->images, picture_bytes(a), "", "triggers.images", err);
    return status == PG_OK ? same(a->labels, b->labels, (size_t)a->count * sizeof *a->labels, "", "triggers.labels", err)
                           : status;
}

pg_status pg_binding_check(const pg_evidence *evidence, pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *derived = NULL;
    if (!evidence->binding.bound) return PG_OK;
    PG_TRY(pg_evidence_clone(evidence, &derived, err));
    PG_TRY(pg_evidence_bind(derived, err));
    for (int i = 0; i < evidence->passport_count; i++)
        PG_TRY(same_passport(&evidence->passports[i], &derived->passports[i], err));
    if (evidence->mark.bits) PG_TRY(same_mark(&evidence->mark, &derived->mark, err));
    if (evidence->triggers.count) PG_TRY(same_triggers(&evidence->triggers, &derived->triggers, err));
done:
    pg_evidence_destroy(&derived);
    return status;
}

/* ---- options ---- */

pg_status pg_binding_add(const pg_secret *secret, const char *statement, pg_tree *tree, pg_node *map, pg_error *err)
{
    pg_status status = PG_OK;
    char line[PG_SECRET_LINE];
    pg_secret_to_line(secret, line);
    PG_TRY(pg_node_add(tree, map, "bound", PG_SCALAR, "true", NULL, err));
    PG_TRY(pg_node_add_text(tree, map, "secret", line, err));
    PG_TRY(pg_node_add_text(tree, map, "statement", statement, err));
done:
    return status;
}

pg_status pg_binding_options_check(const pg_binding_options *o, const char *kind, pg_error *err)
{
    pg_secret secret;
    if (!o->bound)
        return o->secret[0] || o->statement[0]
                   ? pg_fail(err, PG_BAD_INPUT, "secret, statement: only bound evidence has them (bound: true)")
                   : PG_OK;
    const pg_status status = kind ? check_kind(kind, err) : PG_OK;
    if (status != PG_OK || !o->secret[0]) return status;
    return pg_secret_parse(o->secret, &secret, err);
}

enum { BOUND_BITS_MIN = 128 };

pg_status pg_binding_check_bits(const pg_binding_options *o, int bits, pg_error *err)
{
    if (!o->bound || bits >= BOUND_BITS_MIN) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "bits: a bound mark needs at least %d", BOUND_BITS_MIN);
}

pg_binding pg_binding_for(const pg_net_spec *spec, pg_pixels pixels)
{
    pg_binding b = {.classes = spec->classes, .relu_before_add = spec->relu_before_add};
    snprintf(b.network, sizeof b.network, "%s", spec->arch->name);
    snprintf(b.pixels, sizeof b.pixels, "%s", pg_pixels_names[pixels]);
    return b;
}

pg_status pg_binding_apply(const pg_binding_options *o, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    pg_binding *b = &evidence->binding;
    if (!o->bound) return PG_OK;
    *b = (pg_binding){.from_seed = !o->secret[0], .classes = in->spec->classes, .relu_before_add = in->spec->relu_before_add};
    snprintf(b->statement, sizeof b->statement, "%s", o->statement);
    snprintf(b->network, sizeof b->network, "%s", in->spec->arch->name);
    snprintf(b->pixels, sizeof b->pixels, "%s", pg_pixels_names[in->pixels]);
    if (b->from_seed) {
        pg_secret_from_seed(in->seed, &b->secret);
        return pg_evidence_bind(evidence, err);
    }
    const pg_status status = pg_secret_parse(o->secret, &b->secret, err);
    return status == PG_OK ? pg_evidence_bind(evidence, err) : status;
}
