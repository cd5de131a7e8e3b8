/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks in evidence files; see mark_file.h. */
#include "core/ownership/mark_file.h"

#include "core/base/memory.h"
#include "core/ownership/mark.h"

#include <stdio.h>
#include <string.h>

enum { TENSOR_NAME = PG_NAME_MAX + 32, NUMBERS = 4 };
enum { VALUES_MAX = PG_MARK_VALUES_MAX };

/* ---- writing ---- */

struct pg_mark_sheet {
    const pg_mark *mark;
    pg_array *arrays;
    size_t *count, names;
    char name[PG_MARK_ARRAYS_MAX][TENSOR_NAME];
    int32_t numbers[PG_MARK_SITES_MAX][NUMBERS], pixels;
    pg_real *values, *next;
};

static pg_array *put(pg_mark_sheet *s, int site, const char *suffix, int dims, const size_t *shape, const void *data)
{
    char *name = s->name[s->names++];
    pg_array *a = &s->arrays[(*s->count)++];
    snprintf(name, TENSOR_NAME, "%s.%s", s->mark->site[site].layer, suffix);
    *a = (pg_array){.name = name, .dtype = PG_REAL_DTYPE, .dims = dims, .data = data};
    memcpy(a->shape, shape, (size_t)dims * sizeof *shape);
    return a;
}

/* Write filters of one site in the state dict's order, [bits,C,R,R]; x is their part of the projection. Returns the next. */
static const pg_real *put_bank(pg_mark_sheet *s, int site, const pg_real *x)
{
    const pg_mark_site *at = &s->mark->site[site];
    const int taps = at->kernel * at->kernel, bits = s->mark->bits;
    const size_t side = (size_t)at->kernel, shape[] = {(size_t)bits, (size_t)at->inputs, side, side};
    put(s, site, "projection", 4, shape, s->next);
    for (int i = 0; i < bits; i++)
        for (int c = 0; c < at->inputs; c++)
            for (int t = 0; t < taps; t++) *s->next++ = x[(ptrdiff_t)(t * at->inputs + c) * bits + i];
    return x + (ptrdiff_t)taps * at->inputs * bits;
}

static void put_numbers(pg_mark_sheet *s, int site)
{
    const pg_mark *m = s->mark;
    const pg_mark_site *at = &m->site[site];
    const int32_t numbers[NUMBERS] = {m->rounds ? m->rounds : m->pooled, at->outputs, at->inputs, at->kernel};
    const size_t count = NUMBERS;
    memcpy(s->numbers[site], numbers, sizeof numbers);
    put(s, site, m->rounds ? "mark_filter" : "mark_site", 1, &count, s->numbers[site])->dtype = PG_I32;
}

/* The array of the projection of a mark that is not read by a bank. */
static const char *matrix_of(const pg_mark *m)
{
    return m->form == PG_FORM_EXTRACTOR ? "mark_extractor" : m->form == PG_FORM_REBUILT ? "mark_rebuilt" : "projection";
}

static void put_pixels(pg_mark_sheet *s)
{
    const size_t one = 1;
    s->pixels = s->mark->pixels;
    put(s, 0, "mark_pixels", 1, &one, &s->pixels)->dtype = PG_I32;
}

static void put_all(pg_mark_sheet *s)
{
    const pg_mark *m = s->mark;
    const size_t bits = (size_t)m->bits;
    size_t shape[2];
    pg_mark_shape(m, shape);
    const pg_real *x = m->projection;
    for (int i = 0; i < m->site_count; i++) {
        if (pg_mark_is_bank(m))
            x = put_bank(s, i, x);
        else
            put_numbers(s, i);
    }
    if (pg_mark_width(m) && !pg_mark_is_bank(m)) put(s, 0, matrix_of(m), 2, shape, m->projection);
    if (m->form == PG_FORM_ACTIVATIONS) put_pixels(s);
    pg_mark_place_shape(m, shape);
    if (shape[0]) put(s, 0, "mark_places", 2, shape, m->places)->dtype = PG_I32;
    put(s, 0, "mark", 1, &bits, s->next);
    for (int i = 0; i < m->bits; i++) *s->next++ = m->b[i];
}

pg_status pg_mark_sheet_create(const pg_mark *mark, pg_array *arrays, size_t *count, pg_mark_sheet **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_mark_sheet *s = NULL;
    const size_t values = (size_t)mark->bits * (size_t)((pg_mark_is_bank(mark) ? pg_mark_width(mark) : 0) + 1);
    PG_TRY(pg_alloc(1, sizeof *s, &s, err));
    PG_TRY(pg_alloc(values, sizeof *s->values, &s->values, err));
    s->mark = mark;
    s->arrays = arrays;
    s->count = count;
    s->next = s->values;
    put_all(s);
    *out = s;
    s = NULL;
done:
    pg_mark_sheet_destroy(&s);
    return status;
}

void pg_mark_sheet_destroy(pg_mark_sheet **sheet)
{
    if (!*sheet) return;
    pg_free((*sheet)->values);
    pg_free(*sheet);
    *sheet = NULL;
}

/* ---- reading ---- */

static pg_status add_site(const char *path, const char *layer, pg_mark *m, pg_error *err)
{
    for (int i = 0; i < m->site_count; i++)
        if (strcmp(m->site[i].layer, layer) == 0) return PG_OK;
    if (m->site_count == PG_MARK_SITES_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: a mark in more than %d layers", path, PG_MARK_SITES_MAX);
    pg_mark_site *site = &m->site[m->site_count++];
    *site = (pg_mark_site){0};
    snprintf(site->layer, PG_NAME_MAX, "%s", layer);
    return PG_OK;
}

static void sort_sites(pg_mark *m)
{
    const char *layers[PG_MARK_SITES_MAX];
    pg_mark_site given[PG_MARK_SITES_MAX];
    int places[PG_MARK_SITES_MAX];
    memcpy(given, m->site, (size_t)m->site_count * sizeof *given);
    for (int i = 0; i < m->site_count; i++) layers[i] = given[i].layer;
    if (!pg_file_layer_places(layers, m->site_count, places)) return;
    for (int i = 0; i < m->site_count; i++) {
        int before = 0;
        for (int k = 0; k < m->site_count; k++) before += places[k] < places[i];
        m->site[before] = given[i];
    }
}

/* Find the sites, in the order of the network, and count the arrays of the mark. */
static pg_status find_sites(const pg_safetensors *file, const char *path, pg_mark *m, int *arrays, pg_error *err)
{
    pg_status status = PG_OK;
    int marks = 0;
    *arrays = 0;
    for (size_t i = 0; i < pg_safetensors_count(file); i++) {
        const char *name = pg_safetensors_at(file, i)->name;
        char layer[PG_NAME_MAX];
        const bool bits = pg_file_layer_of(name, "mark", layer),
                   beside = pg_file_layer_of(name, "mark_places", layer) || pg_file_layer_of(name, "mark_pixels", layer);
        const bool site = pg_file_layer_of(name, "projection", layer) || pg_file_layer_of(name, "mark_filter", layer) ||
                          pg_file_layer_of(name, "mark_site", layer) || pg_file_layer_of(name, "mark_extractor", layer) ||
                          pg_file_layer_of(name, "mark_rebuilt", layer);
        *arrays += bits || beside || site;
        marks += bits;
        if (marks > 1) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: more than one mark", path));
        if (site) PG_TRY(add_site(path, layer, m, err));
    }
    sort_sites(m);
done:
    return status;
}

/* Refuse arrays that the reader did not use; otherwise the claimant would believe that they count. */
static pg_status check_count(const char *path, const pg_mark *m, int arrays, pg_error *err)
{
    const bool one = m->form == PG_FORM_FILTERED || m->form == PG_FORM_EXTRACTOR,
               two = m->form == PG_FORM_PLACED || m->form == PG_FORM_ACTIVATIONS || m->form == PG_FORM_REBUILT;
    const int beside = 1 + one + 2 * two;
    if (arrays == m->site_count + beside) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s: the mark for %s has %d tensors, expected %d", path, m->site[0].layer, arrays,
                   m->site_count + beside);
}

static const char *name_of(const pg_mark *m, int site, const char *suffix, char out[TENSOR_NAME])
{
    snprintf(out, TENSOR_NAME, "%s.%s", m->site[site].layer, suffix);
    return out;
}

/* Read the sizes of a bank from the filters [bits,C,R,R] of its sites. */
static pg_status read_bank_sizes(const pg_safetensors *file, const char *path, pg_mark *m, pg_error *err)
{
    pg_status status = PG_OK;
    size_t values = 0;
    for (int i = 0; i < m->site_count; i++) {
        char name[TENSOR_NAME];
        const pg_array *x = NULL;
        PG_TRY(pg_safetensors_get(file, name_of(m, i, "projection", name), 4, NULL, &x, err));
        values += x->count;
        if (x->shape[0] < 1 || x->shape[0] > PG_MARK_BITS_MAX || x->shape[2] != x->shape[3] || x->count == 0 ||
            x->count > VALUES_MAX || values > VALUES_MAX || (i && x->shape[0] != (size_t)m->bits))
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected 1 to %d filters [bits,C,R,R], as many in every layer",
                           path, name, PG_MARK_BITS_MAX));
        m->bits = (int)x->shape[0];
        m->site[i].inputs = (int)x->shape[1];
        m->site[i].kernel = (int)x->shape[2];
    }
done:
    return status;
}

/* Read the four numbers of each site; the first is the same at all. */
static pg_status read_numbers(const pg_safetensors *file, const char *path, const char *suffix, pg_mark *m, int *first,
                              pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < m->site_count; i++) {
        char name[TENSOR_NAME];
        int32_t four[NUMBERS];
        const pg_array *numbers = NULL;
        PG_TRY(pg_safetensors_get(file, name_of(m, i, suffix, name), 1, NULL, &numbers, err));
        if (numbers->dtype != PG_I32 || numbers->count != NUMBERS)
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected I32: %s, outputs, inputs, kernel", path, name,
                           strcmp(suffix, "mark_filter") == 0 ? "rounds" : "pooled"));
        memcpy(four, numbers->data, sizeof four);
        if (four[0] < 1 || four[0] > PG_MARK_ACTIVATIONS_MAX || (i && four[0] != *first))
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected 1 to %d as the first number, the same in every layer",
                           path, name, PG_MARK_ACTIVATIONS_MAX));
        *first = four[0];
        m->site[i].outputs = four[1];
        m->site[i].inputs = four[2];
        m->site[i].kernel = four[3];
    }
done:
    return status;
}

static bool has(const pg_safetensors *file, const pg_mark *m, const char *suffix)
{
    char name[TENSOR_NAME];
    return pg_safetensors_find(file, name_of(m, 0, suffix, name)) != NULL;
}

/* Read the sizes of a mark that is not read by a bank. */
static pg_status read_list_sizes(const pg_safetensors *file, const char *path, pg_mark *m, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_array *x = NULL;
    char name[TENSOR_NAME];
    const bool filtered = has(file, m, "mark_filter"), rebuilt = has(file, m, "mark_rebuilt");
    const bool placed = has(file, m, "mark_places") && !rebuilt;
    const bool active = has(file, m, "mark_pixels"), extractor = has(file, m, "mark_extractor");
    const bool flat = !filtered && !placed && !active; /* the number of bits is that of the mark */
    m->form = filtered    ? PG_FORM_FILTERED
              : placed    ? PG_FORM_PLACED
              : active    ? PG_FORM_ACTIVATIONS
              : extractor ? PG_FORM_EXTRACTOR
              : rebuilt   ? PG_FORM_REBUILT
                          : PG_FORM_RESIDUALS;
    PG_TRY(read_numbers(file, path, filtered ? "mark_filter" : "mark_site", m, filtered ? &m->rounds : &m->pooled, err));
    PG_TRY(pg_safetensors_get(file, name_of(m, 0, flat ? "mark" : "projection", name), flat ? 1 : 2, NULL, &x, err));
    const size_t bits = x->shape[flat ? 0 : 1], pooled = flat ? (size_t)m->pooled : x->shape[0];
    if (!x->count || x->count > VALUES_MAX || bits > PG_MARK_BITS_MAX || pooled > PG_MARK_ACTIVATIONS_MAX ||
        (m->pooled && pooled != (size_t)m->pooled))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected a projection of 1 to %d values and 1 to %d bits", path,
                       name, PG_MARK_ACTIVATIONS_MAX, PG_MARK_BITS_MAX));
    m->bits = (int)bits;
    m->pooled = (int)pooled;
done:
    return status;
}

/* Check that the file has the projection that the sizes of the mark ask for, before memory is allocated. */
static pg_status check_matrix(const pg_safetensors *file, const char *path, const pg_mark *m, pg_error *err)
{
    char name[TENSOR_NAME];
    const pg_array *x = NULL;
    size_t shape[2];
    for (const pg_mark_site *s = m->site; s < m->site + m->site_count; s++)
        if (s->kernel < 1 || s->kernel > PG_KERNEL_MAX || s->inputs < 1 || s->inputs > PG_CHANNELS_MAX)
            return pg_fail(err, PG_BAD_INPUT, "%s: the mark for %s reads filters of %dx%dx%d", path, s->layer, s->kernel,
                           s->kernel, s->inputs);
    pg_mark_shape(m, shape);
    const pg_status status = pg_safetensors_get(file, name_of(m, 0, matrix_of(m), name), 2, shape, &x, err);
    if (status != PG_OK || x->count <= VALUES_MAX) return status;
    return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': more than %d values", path, name, VALUES_MAX);
}

/* Convert filters [bits,C,R,R] of one site to their part [R,R,C,bits] of the projection, and return the next. */
static pg_real *turn_bank(const pg_real *values, const pg_mark_site *at, int bits, pg_real *x)
{
    const int taps = at->kernel * at->kernel;
    for (int i = 0; i < bits; i++)
        for (int c = 0; c < at->inputs; c++)
            for (int t = 0; t < taps; t++)
                x[(ptrdiff_t)(t * at->inputs + c) * bits + i] = values[(ptrdiff_t)(i * at->inputs + c) * taps + t];
    return x + (ptrdiff_t)taps * at->inputs * bits;
}

static pg_status read_bank(const pg_safetensors *file, pg_mark *m, pg_real *values, pg_error *err)
{
    pg_real *x = m->projection;
    for (int i = 0; i < m->site_count; i++) {
        char name[TENSOR_NAME];
        const pg_mark_site *at = &m->site[i];
        const size_t count = (size_t)at->kernel * (size_t)at->kernel * (size_t)at->inputs * (size_t)m->bits;
        const pg_status status = pg_safetensors_read_real(file, name_of(m, i, "projection", name), values, count, err);
        if (status != PG_OK) return status;
        x = turn_bank(values, at, m->bits, x);
    }
    return PG_OK;
}

static pg_status read_places(const pg_safetensors *file, const char *path, pg_mark *m, pg_error *err)
{
    char name[TENSOR_NAME];
    const pg_array *places = NULL;
    size_t shape[2];
    pg_mark_place_shape(m, shape);
    const pg_status status = pg_safetensors_get(file, name_of(m, 0, "mark_places", name), 2, shape, &places, err);
    if (status != PG_OK) return status;
    if (places->dtype != PG_I32) return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected I32", path, name);
    memcpy(m->places, places->data, places->count * sizeof *m->places);
    return PG_OK;
}

static pg_status read_pixels(const pg_safetensors *file, const char *path, pg_mark *m, pg_error *err)
{
    char name[TENSOR_NAME];
    const pg_array *pixels = NULL;
    const size_t one = 1;
    const pg_status status = pg_safetensors_get(file, name_of(m, 0, "mark_pixels", name), 1, &one, &pixels, err);
    int32_t value;
    if (status != PG_OK) return status;
    if (pixels->dtype != PG_I32) return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected I32", path, name);
    memcpy(&value, pixels->data, sizeof value);
    m->pixels = value;
    return PG_OK;
}

static pg_status read_values(const pg_safetensors *file, const char *path, pg_mark *m, pg_error *err)
{
    pg_status status = PG_OK;
    pg_real *values = NULL;
    char name[TENSOR_NAME];
    const pg_array *b = NULL;
    size_t shape[2];
    const size_t bits = (size_t)m->bits;
    if (m->form >= PG_FORM_EXTRACTOR) PG_TRY(check_matrix(file, path, m, err));
    pg_mark_shape(m, shape);
    const size_t count = shape[0] * shape[1];
    PG_TRY(pg_safetensors_get(file, name_of(m, 0, "mark", name), 1, &bits, &b, err));
    PG_TRY(pg_mark_allocate(m, err));
    PG_TRY(pg_alloc(count > bits ? count : bits, sizeof *values, &values, err));
    PG_TRY(pg_file_bits(file, path, name, m->bits, m->b, values, err));
    if (pg_mark_is_bank(m)) {
        PG_TRY(read_bank(file, m, values, err));
        goto done;
    }
    if (m->form != PG_FORM_RESIDUALS)
        PG_TRY(pg_safetensors_read_real(file, name_of(m, 0, matrix_of(m), name), m->projection, count, err));
    pg_mark_place_shape(m, shape);
    if (shape[0]) PG_TRY(read_places(file, path, m, err));
    if (m->form == PG_FORM_ACTIVATIONS) PG_TRY(read_pixels(file, path, m, err));
done:
    pg_free(values);
    return status;
}

pg_status pg_mark_load(const pg_safetensors *file, const char *path, pg_mark *out, pg_error *err)
{
    pg_status status = PG_OK;
    int arrays;
    PG_TRY(find_sites(file, path, out, &arrays, err));
    if (!out->site_count) goto done;
    const bool list = has(file, out, "mark_filter") || has(file, out, "mark_site");
    PG_TRY((list ? read_list_sizes : read_bank_sizes)(file, path, out, err));
    PG_TRY(read_values(file, path, out, err));
    PG_TRY(check_count(path, out, arrays, err));
done:
    return status;
}
