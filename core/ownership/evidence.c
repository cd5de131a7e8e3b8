/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Evidence as an object; see evidence.h. Files: evidence_file.c. */
#include "core/ownership/evidence.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/data/triggers.h"
#include "core/ownership/binding.h"
#include "core/ownership/mark.h"

#include <stdio.h>
#include <string.h>

static size_t key_size(const pg_passport *p)
{
    return (size_t)p->height * (size_t)p->width * (size_t)p->inputs;
}

pg_status pg_passport_allocate(pg_passport *p, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(key_size(p), sizeof *p->key, &p->key, err));
    PG_TRY(pg_alloc(key_size(p), sizeof *p->skey, &p->skey, err));
    PG_TRY(pg_alloc((size_t)p->outputs, sizeof *p->b, &p->b, err));
done:
    return status;
}

static pg_status start(const char *scheme, const char *kind, int count, pg_evidence **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *evidence = NULL;
    PG_TRY(pg_alloc(1, sizeof *evidence, &evidence, err));
    snprintf(evidence->scheme, sizeof evidence->scheme, "%s", scheme);
    snprintf(evidence->kind, sizeof evidence->kind, "%s", kind);
    PG_TRY(pg_alloc((size_t)count, sizeof *evidence->passports, &evidence->passports, err));
    evidence->passport_count = count;
    *out = evidence;
    evidence = NULL;
done:
    pg_evidence_destroy(&evidence);
    return status;
}

pg_status pg_evidence_create(const pg_net_spec *spec, const char *scheme, const char *kind, pg_evidence **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_layout layout;
    pg_evidence *evidence = NULL;
    PG_TRY(pg_layout_plan(spec, &layout, err));
    PG_TRY(start(scheme, kind, layout.passport_count, &evidence, err));
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_layer *l = pg_layout_passport_layer(&layout, i);
        pg_passport *p = &evidence->passports[i];
        *p = (pg_passport){.height = l->in_height, .width = l->in_width, .inputs = l->in_channels, .outputs = l->out_channels};
        snprintf(p->layer, sizeof p->layer, "%s", l->row.name);
        PG_TRY(pg_passport_allocate(p, err));
    }
    *out = evidence;
    evidence = NULL;
done:
    pg_evidence_destroy(&evidence);
    return status;
}

pg_status pg_evidence_clone(const pg_evidence *from, pg_evidence **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *evidence = NULL;
    PG_TRY(start(from->scheme, from->kind, from->passport_count, &evidence, err));
    for (int i = 0; i < from->passport_count; i++) {
        const pg_passport *s = &from->passports[i];
        pg_passport *p = &evidence->passports[i];
        *p = *s;
        p->key = p->skey = NULL;
        p->b = NULL;
        PG_TRY(pg_passport_allocate(p, err));
        memcpy(p->key, s->key, key_size(s) * sizeof *p->key);
        memcpy(p->skey, s->skey, key_size(s) * sizeof *p->skey);
        memcpy(p->b, s->b, (size_t)s->outputs);
    }
    evidence->binding = from->binding;
    PG_TRY(pg_mark_copy(&from->mark, &evidence->mark, err));
    if (from->triggers.count) PG_TRY(pg_dataset_subset(&from->triggers, 0, &evidence->triggers, err));
    *out = evidence;
    evidence = NULL;
done:
    pg_evidence_destroy(&evidence);
    return status;
}

void pg_evidence_destroy(pg_evidence **evidence)
{
    pg_evidence *e = *evidence;
    if (!e) return;
    for (int i = 0; i < e->passport_count && e->passports; i++) {
        pg_free(e->passports[i].key);
        pg_free(e->passports[i].skey);
        pg_free(e->passports[i].b);
    }
    pg_free(e->passports);
    pg_mark_clear(&e->mark);
    pg_dataset_clear(&e->triggers);
    pg_free(e);
    *evidence = NULL;
}

int pg_evidence_bits(const pg_evidence *evidence)
{
    int bits = evidence->passport_count ? 0 : evidence->mark.bits;
    for (int i = 0; i < evidence->passport_count; i++) bits += evidence->passports[i].outputs;
    return bits;
}

pg_claim pg_evidence_claim(const pg_evidence *evidence)
{
    if (!evidence->passport_count && evidence->mark.bits) return PG_CLAIM_MARK;
    return !evidence->passport_count && evidence->triggers.count ? PG_CLAIM_TRIGGERS : PG_CLAIM_PASSPORTS;
}

static bool same_pictures(const pg_dataset *a, const pg_dataset *b)
{
    const size_t count = (size_t)a->count, size = count * (size_t)a->height * (size_t)a->width * 3;
    return a->count == b->count && a->height == b->height && a->width == b->width && a->classes == b->classes &&
           memcmp(a->images, b->images, size) == 0 && memcmp(a->labels, b->labels, count * sizeof *a->labels) == 0;
}

bool pg_evidence_alike(const pg_evidence *a, const pg_evidence *b)
{
    bool same = a->passport_count == b->passport_count;
    for (int i = 0; i < a->passport_count && same; i++) same = strcmp(a->passports[i].layer, b->passports[i].layer) == 0;
    const pg_mark *m = &a->mark, *n = &b->mark;
    same = same && m->form == n->form && m->bits == n->bits && m->rounds == n->rounds && m->pooled == n->pooled;
    same = same && m->site_count == n->site_count && m->pixels == n->pixels;
    if (m->form == PG_FORM_ACTIVATIONS) same = same && same_pictures(&a->triggers, &b->triggers);
    if (m->form == PG_FORM_REBUILT)
        same = same && memcmp(m->projection, n->projection, pg_mark_values(m) * sizeof *m->projection) == 0;
    for (int i = 0; i < m->site_count && same; i++) same = strcmp(m->site[i].layer, n->site[i].layer) == 0;
    return same;
}

/* ---- guarantees of its makers ---- */

static pg_status check_bits(const char *layer, int count, const int8_t *b, pg_error *err)
{
    for (int i = 0; i < count; i++)
        if (b[i] != 1 && b[i] != -1) return pg_fail(err, PG_BAD_INPUT, "bit %d for %s is neither -1 nor +1", i, layer);
    return PG_OK;
}

static bool in_range(int value, int high)
{
    return value >= 1 && value <= high;
}

static pg_status check_passport(const pg_passport *p, pg_error *err)
{
    if (!p->layer[0] || !in_range(p->height, PG_SIDE_MAX) || !in_range(p->width, PG_SIDE_MAX) ||
        !in_range(p->inputs, PG_CHANNELS_MAX) || !in_range(p->outputs, PG_CHANNELS_MAX))
        return pg_fail(err, PG_BAD_INPUT, "the passport for '%s' has %d to %d channels at %dx%d", p->layer, p->inputs,
                       p->outputs, p->height, p->width);
    if (!pg_all_finite(key_size(p), p->key) || !pg_all_finite(key_size(p), p->skey))
        return pg_fail(err, PG_BAD_INPUT, "the passport for %s has values that are not finite", p->layer);
    return check_bits(p->layer, p->outputs, p->b, err);
}

/* The sizes of a site that the form of the mark needs; the others are 0. */
static bool site_sizes_fit(const pg_mark *m, const pg_mark_site *s)
{
    if (m->form == PG_FORM_ACTIVATIONS) return s->kernel == 0 && s->outputs == 0 && s->inputs == m->pooled;
    return in_range(s->kernel, PG_KERNEL_MAX) && in_range(s->inputs, PG_CHANNELS_MAX) &&
           (pg_mark_is_bank(m) ? s->outputs == 0 : in_range(s->outputs, PG_CHANNELS_MAX));
}

static pg_status check_site(const pg_mark *m, const pg_mark_site *s, pg_error *err)
{
    if (s->layer[0] && !strchr(s->layer, ' ') && in_range(m->bits, PG_MARK_BITS_MAX) && site_sizes_fit(m, s)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "the mark for '%s' has %d filters of %dx%dx%d for %d outputs", s->layer, m->bits,
                   s->kernel, s->kernel, s->inputs, s->outputs);
}

static pg_status check_sites(const pg_mark *m, pg_error *err)
{
    pg_status status = PG_OK;
    double weights = 0;
    for (int i = 0; i < m->site_count; i++) {
        const pg_mark_site *s = &m->site[i];
        PG_TRY(check_site(m, s, err));
        weights += (double)s->kernel * s->kernel * s->inputs * s->outputs;
        for (int j = 0; j < i; j++)
            if (strcmp(m->site[j].layer, s->layer) == 0) PG_TRY(pg_fail(err, PG_BAD_INPUT, "two marks for %s", s->layer));
    }
    if (!in_range(m->site_count, m->form == PG_FORM_ACTIVATIONS ? 1 : PG_MARK_SITES_MAX) || weights > INT32_MAX)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "the mark has %d layers of %.0f weights", m->site_count, weights));
done:
    return status;
}

static pg_status check_pool(const pg_mark *m, pg_error *err)
{
    const bool filtered = m->form == PG_FORM_FILTERED, active = m->form == PG_FORM_ACTIVATIONS;
    const int most = active ? PG_MARK_ACTIVATIONS_MAX : PG_MARK_POOLED_MAX;
    if ((filtered ? in_range(m->rounds, PG_MARK_ROUNDS_MAX) : m->rounds == 0) &&
        (pg_mark_is_bank(m) ? m->pooled == 0 : in_range(m->pooled, most)) &&
        (active ? m->pixels >= 0 && m->pixels <= PG_PIXELS_CIFAR : m->pixels == 0))
        return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "the mark for %s has %d rounds, %d values and pixels %d, which its form does not allow",
                   m->site[0].layer, m->rounds, m->pooled, m->pixels);
}

static pg_status check_mark(const pg_mark *m, const char *kind, bool bound, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(check_sites(m, err));
    PG_TRY(check_pool(m, err));
    if (m->form != pg_mark_form_of(kind))
        PG_TRY(
            pg_fail(err, PG_BAD_INPUT, "the mark for %s has another form than marks of its kind '%s'", m->site[0].layer, kind));
    for (int k = 0; pg_mark_kinds[k]; k++)
        if (strcmp(pg_mark_kinds[k], kind) == 0) PG_TRY(pg_mark_fits(m, (pg_mark_kind)k, err));
    if (!pg_all_finite(pg_mark_values(m), m->projection))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "the projection for %s has values that are not finite", m->site[0].layer));
    PG_TRY(check_bits(m->site[0].layer, m->bits, m->b, err));
    PG_TRY(pg_mark_check_projection(m, kind, bound, err));
done:
    return status;
}

static pg_status check_triggers(const pg_dataset *t, pg_error *err)
{
    if (!in_range(t->count, PG_TRIGGERS_MAX) || !in_range(t->height, PG_SIDE_MAX) || !in_range(t->width, PG_SIDE_MAX))
        return pg_fail(err, PG_BAD_INPUT, "triggers: %d images of %dx%d", t->count, t->height, t->width);
    if (t->classes < 2 || t->classes > PG_CLASSES_MAX)
        return pg_fail(err, PG_BAD_INPUT, "triggers: expected 2 to %d classes, got %d", PG_CLASSES_MAX, t->classes);
    for (int i = 0; i < t->count; i++)
        if (t->labels[i] < 0 || t->labels[i] >= t->classes)
            return pg_fail(err, PG_BAD_INPUT, "triggers: label %d of image %d is not a class", t->labels[i], i);
    return PG_OK;
}

pg_status pg_evidence_check(const pg_evidence *e, pg_error *err)
{
    pg_status status = PG_OK;
    if (e->passport_count < 0 || e->passport_count > PG_PASSPORTS_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%d passports, expected at most %d", e->passport_count, PG_PASSPORTS_MAX);
    if (e->passport_count && e->mark.bits)
        return pg_fail(err, PG_BAD_INPUT, "a mark for %s beside passports: evidence makes one claim", e->mark.site[0].layer);
    if (!e->passport_count && !e->triggers.count && !e->mark.bits)
        return pg_fail(err, PG_BAD_INPUT, "no passport (LAYER.key or LAYER.key_private), mark or trigger set in it");
    for (int i = 0; i < e->passport_count; i++) {
        PG_TRY(check_passport(&e->passports[i], err));
        for (int j = 0; j < i; j++)
            if (strcmp(e->passports[i].layer, e->passports[j].layer) == 0)
                PG_TRY(pg_fail(err, PG_BAD_INPUT, "two passports for %s", e->passports[i].layer));
    }
    if (e->mark.bits) PG_TRY(check_mark(&e->mark, e->kind, e->binding.bound, err));
    if (e->triggers.count) PG_TRY(check_triggers(&e->triggers, err));
    if (e->mark.bits && e->mark.form == PG_FORM_ACTIVATIONS && !in_range(e->triggers.count, PG_MARK_PICTURES_MAX))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "the mark for %s reads activations of %d pictures, expected 1 to %d",
                       e->mark.site[0].layer, e->triggers.count, PG_MARK_PICTURES_MAX));
    PG_TRY(pg_binding_check(e, err));
done:
    return status;
}

/* ---- commitment ---- */

/* NHWC image as float32 in CHW order. */
static void hash_key(pg_hash *hash, const pg_passport *p, const pg_real *key)
{
    for (int c = 0; c < p->inputs; c++)
        for (int i = 0; i < p->height * p->width; i++) {
            const float value = (float)key[i * p->inputs + c];
            pg_hash_add(hash, &value, sizeof value);
        }
}

/* The numbers beyond those of a bank of one site follow where the kind or the names, which are hashed before, say so. */
static void hash_mark(pg_hash *hash, const pg_mark *mark)
{
    char names[PG_MARK_NAMES_MAX];
    pg_hash_add_u64(hash, (uint64_t)mark->bits);
    if (!mark->bits) return;
    pg_mark_names(mark, names);
    pg_hash_add_text(hash, names);
    for (int i = 0; i < mark->site_count; i++) {
        pg_hash_add_u64(hash, (uint64_t)mark->site[i].kernel);
        pg_hash_add_u64(hash, (uint64_t)mark->site[i].inputs);
    }
    if (!pg_mark_is_bank(mark)) {
        pg_hash_add_u64(hash, (uint64_t)mark->rounds);
        pg_hash_add_u64(hash, (uint64_t)mark->pooled);
        for (int i = 0; i < mark->site_count; i++) pg_hash_add_u64(hash, (uint64_t)mark->site[i].outputs);
    }
    if (mark->form == PG_FORM_ACTIVATIONS) pg_hash_add_u64(hash, (uint64_t)mark->pixels);
    for (size_t i = 0; i < pg_mark_values(mark); i++) {
        const float value = (float)mark->projection[i];
        pg_hash_add(hash, &value, sizeof value);
    }
    if (pg_mark_place_count(mark)) pg_hash_add(hash, mark->places, pg_mark_place_count(mark) * sizeof *mark->places);
    pg_hash_add(hash, mark->b, (size_t)mark->bits);
}

void pg_evidence_commitment(const pg_evidence *evidence, char hex[PG_SHA256_HEX])
{
    pg_hash hash;
    pg_hash_start(&hash);
    pg_hash_add_text(&hash, "passgrid evidence 2");
    pg_hash_add_text(&hash, evidence->scheme);
    pg_hash_add_text(&hash, evidence->kind);
    pg_hash_add_u64(&hash, (uint64_t)evidence->passport_count);
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_passport *p = &evidence->passports[i];
        pg_hash_add_text(&hash, p->layer);
        pg_hash_add_u64(&hash, (uint64_t)p->height);
        pg_hash_add_u64(&hash, (uint64_t)p->width);
        pg_hash_add_u64(&hash, (uint64_t)p->inputs);
        pg_hash_add_u64(&hash, (uint64_t)p->outputs);
        hash_key(&hash, p, p->key);
        hash_key(&hash, p, p->skey);
        pg_hash_add(&hash, p->b, (size_t)p->outputs);
    }
    hash_mark(&hash, &evidence->mark);
    const pg_dataset *t = &evidence->triggers;
    pg_hash_add_u64(&hash, (uint64_t)t->count);
    if (t->count) {
        pg_hash_add_u64(&hash, (uint64_t)t->height);
        pg_hash_add_u64(&hash, (uint64_t)t->width);
        pg_hash_add_u64(&hash, (uint64_t)t->classes);
        pg_hash_add(&hash, t->images, (size_t)t->count * (size_t)(t->height * t->width * 3));
        pg_hash_add(&hash, t->labels, (size_t)t->count * sizeof *t->labels);
    }
    if (evidence->binding.bound) {
        unsigned char key[PG_SHA256_BYTES];
        pg_binding_key(evidence, key);
        pg_hash_add(&hash, key, sizeof key);
    }
    pg_hash_finish_hex(&hash, hex);
}

/* ---- does it fit a model? ---- */

static pg_status find_layer(const pg_layout *layout, const pg_passport *p, const pg_layer **out, pg_error *err)
{
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_layer *l = &layout->layers[i];
        if (l->conv < 0 || strcmp(l->row.name, p->layer) != 0) continue;
        if (l->in_height != p->height || l->in_width != p->width || l->in_channels != p->inputs ||
            l->out_channels != p->outputs)
            return pg_fail(err, PG_BAD_INPUT,
                           "evidence for %s is for %d to %d channels at %dx%d, the model has %d to %d at %dx%d", p->layer,
                           p->inputs, p->outputs, p->height, p->width, l->in_channels, l->out_channels, l->in_height,
                           l->in_width);
        *out = l;
        return PG_OK;
    }
    return pg_fail(err, PG_BAD_INPUT, "the evidence has a passport for %s, a layer that the %s does not have", p->layer,
                   layout->spec.arch->name);
}

pg_status pg_evidence_fit(const pg_evidence *evidence, const pg_net_spec *model, pg_net_spec *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_layout layout;
    uint64_t mask = 0;
    int last = -1;
    PG_TRY(pg_layout_plan(model, &layout, err));
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_layer *l = NULL;
        PG_TRY(find_layer(&layout, &evidence->passports[i], &l, err));
        if (l->conv <= last) PG_TRY(pg_fail(err, PG_BAD_INPUT, "the evidence's passport for %s is out of order", l->row.name));
        last = l->conv;
        mask |= UINT64_C(1) << l->conv;
    }
    if (model->passports && mask != model->passports && !model->public_affine)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "the model needs passports in other layers than the evidence has"));
    *out = *model;
    out->passports = mask;
    out->private_affine = true;
done:
    return status;
}
