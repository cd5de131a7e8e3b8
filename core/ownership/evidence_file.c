/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Evidence as safetensors files, under the names of the reference's state dict; see evidence.h. */
#include "core/ownership/evidence.h"

#include "core/base/memory.h"
#include "core/data/triggers.h"
#include "core/formats/number.h"
#include "core/nets/state.h"
#include "core/ownership/mark.h"
#include "core/ownership/mark_file.h"
#include "core/ownership/scheme.h"

#include <stdio.h>
#include <string.h>

enum { TENSOR_NAME = PG_NAME_MAX + 32, NAMES = 4 };
enum { VALUES_MAX = 1 << 26 }; /* of all keys of a file */

/* Tensors of one layer: key, skey, b and the second name of b. Passports that are distributed with the network have one set of
 * names, those of a private branch another. */
static const char *const names_distributed[NAMES] = {"key", "skey", "b", "sign_loss.b"};
static const char *const names_private[NAMES] = {"key_private", "skey_private", "b", "sign_loss_private.b"};

static const char *const *names_of(const char *scheme)
{
    const pg_scheme *known = pg_scheme_find(scheme);
    return known && known->distributed ? names_distributed : names_private;
}

/* Scheme of a file that does not name one: the first scheme of the list whose passports have these names; "" if there is none.
 * */
static const char *scheme_of(bool private)
{
    for (int i = 0; pg_schemes[i]; i++)
        if (pg_schemes[i]->holds & PG_HOLDS_PASSPORTS && pg_schemes[i]->distributed == !private) return pg_schemes[i]->name;
    return "";
}

/* [pixels,channels] to [channels,pixels], or back. */
static void transpose(const pg_real *from, pg_real *to, int rows, int columns)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
}

/* ---- writing ---- */

typedef struct sheet {
    pg_array *arrays;
    size_t count;
    char (*names)[TENSOR_NAME];
    pg_real *values, *next;
} sheet;

static void put(sheet *s, const char *layer, const char *suffix, int dims, const size_t *shape, const pg_real *data)
{
    snprintf(s->names[s->count], TENSOR_NAME, "%s.%s", layer, suffix);
    pg_array *a = &s->arrays[s->count];
    *a = (pg_array){.name = s->names[s->count], .dtype = PG_REAL_DTYPE, .dims = dims, .data = data};
    memcpy(a->shape, shape, (size_t)dims * sizeof *shape);
    s->count++;
}

static void put_passport(sheet *s, const pg_passport *p, const char *const *names)
{
    const int pixels = p->height * p->width;
    const size_t shape[] = {1, (size_t)p->inputs, (size_t)p->height, (size_t)p->width}, bits = (size_t)p->outputs;
    for (int k = 0; k < 2; k++) {
        transpose(k ? p->skey : p->key, s->next, pixels, p->inputs);
        put(s, p->layer, names[k], 4, shape, s->next);
        s->next += pixels * p->inputs;
    }
    for (int o = 0; o < p->outputs; o++) s->next[o] = p->b[o];
    put(s, p->layer, names[2], 1, &bits, s->next);
    put(s, p->layer, names[3], 1, &bits, s->next);
    s->next += p->outputs;
}

static void put_triggers(sheet *s, const pg_dataset *t)
{
    const size_t n = (size_t)t->count;
    s->arrays[s->count++] = (pg_array){.name = "triggers.images",
                                       .dtype = PG_U8,
                                       .dims = 4,
                                       .shape = {n, (size_t)t->height, (size_t)t->width, 3},
                                       .data = t->images};
    s->arrays[s->count++] = (pg_array){.name = "triggers.labels", .dtype = PG_I32, .dims = 1, .shape = {n}, .data = t->labels};
}

enum { NOTES_MAX = 16 };

/* Texts that metadata points to. */
typedef struct numbers {
    char trigger_classes[16], classes[16], secret[PG_SECRET_HEX];
} numbers;

/* Fill in the metadata of the file and return their number. */
static size_t describe(const pg_evidence *e, numbers *n, pg_metadata notes[NOTES_MAX])
{
    const pg_binding *b = &e->binding;
    size_t count = 0;
    snprintf(n->trigger_classes, sizeof n->trigger_classes, "%d", e->triggers.classes);
    snprintf(n->classes, sizeof n->classes, "%d", b->classes);
    pg_secret_to_hex(&b->secret, n->secret);
    const pg_metadata all[] = {{"format", "pt"}, {"scheme", e->scheme}, {"kind", e->kind}};
    const pg_metadata triggers[] = {{"trigger_classes", n->trigger_classes}, {"trigger_source", e->triggers.source}};
    const pg_metadata binding[] = {{"bound", b->from_seed ? "seed" : "secret"},
                                   {"secret", n->secret},
                                   {"statement", b->statement},
                                   {"network", b->network},
                                   {"classes", n->classes},
                                   {"pixels", b->pixels},
                                   {"relu_before_add", b->relu_before_add ? "true" : "false"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) notes[count++] = all[i];
    for (size_t i = 0; i < sizeof triggers / sizeof *triggers && e->triggers.count; i++) notes[count++] = triggers[i];
    for (size_t i = 0; i < sizeof binding / sizeof *binding && b->bound; i++) notes[count++] = binding[i];
    return count;
}

pg_status pg_evidence_save(const pg_evidence *evidence, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    sheet s = {0};
    pg_mark_sheet *mark = NULL;
    size_t total = 0;
    const size_t room = (size_t)evidence->passport_count * NAMES + PG_MARK_ARRAYS_MAX + 2;
    pg_metadata notes[NOTES_MAX];
    numbers texts;
    if ((status = pg_evidence_check(evidence, err)) != PG_OK) {
        pg_error_context(err, "%s", path);
        goto done;
    }
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_passport *p = &evidence->passports[i];
        total += 2 * (size_t)p->height * (size_t)p->width * (size_t)p->inputs + (size_t)p->outputs;
    }
    PG_TRY(pg_alloc(room, sizeof *s.arrays, &s.arrays, err));
    PG_TRY(pg_alloc(room, sizeof *s.names, &s.names, err));
    PG_TRY(pg_alloc(total, sizeof *s.values, &s.values, err));
    s.next = s.values;
    for (int i = 0; i < evidence->passport_count; i++) put_passport(&s, &evidence->passports[i], names_of(evidence->scheme));
    if (evidence->mark.bits) PG_TRY(pg_mark_sheet_create(&evidence->mark, s.arrays, &s.count, &mark, err));
    if (evidence->triggers.count) put_triggers(&s, &evidence->triggers);
    PG_TRY(pg_safetensors_write(path, s.arrays, s.count, notes, describe(evidence, &texts, notes), PG_FILE_SECRET, err));
done:
    pg_mark_sheet_destroy(&mark);
    pg_free(s.arrays);
    pg_free(s.names);
    pg_free(s.values);
    return status;
}

/* ---- reading ---- */

bool pg_file_layer_of(const char *name, const char *ending, char layer[PG_NAME_MAX])
{
    const size_t n = strlen(name), m = strlen(ending) + 1;
    if (n <= m || n - m >= PG_NAME_MAX || name[n - m] != '.' || strcmp(name + n - m + 1, ending) != 0) return false;
    memcpy(layer, name, n - m);
    layer[n - m] = 0;
    return true;
}

pg_status pg_file_bits(const pg_safetensors *file, const char *path, const char *name, int count, int8_t *b, pg_real *values,
                       pg_error *err)
{
    const pg_status status = pg_safetensors_read_real(file, name, values, (size_t)count, err);
    for (int o = 0; o < count && status == PG_OK; o++) {
        if (values[o] != 1 && values[o] != -1)
            return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': element %d is neither -1 nor +1", path, name, o);
        b[o] = (int8_t)values[o];
    }
    return status;
}

/* If a file has a signature under both names, both must have the same bits. */
static pg_status check_second_name(const pg_safetensors *file, const char *path, const char *name, const char *second,
                                   const pg_passport *p, pg_real *values, pg_error *err)
{
    if (!pg_safetensors_find(file, name) || !pg_safetensors_find(file, second)) return PG_OK;
    const pg_status status = pg_safetensors_read_real(file, second, values, (size_t)p->outputs, err);
    for (int o = 0; o < p->outputs && status == PG_OK; o++)
        if (values[o] != p->b[o])
            return pg_fail(err, PG_BAD_INPUT, "%s: tensors '%s' and '%s' should be one and the same, but differ", path, name,
                           second);
    return status;
}

static pg_status read_passport(const pg_safetensors *file, const char *path, const char *layer, bool private, pg_passport *p,
                               pg_error *err)
{
    pg_status status = PG_OK;
    pg_real *values = NULL;
    const char *const *names = private ? names_private : names_distributed;
    const pg_array *key = NULL, *b = NULL;
    char name[NAMES][TENSOR_NAME];
    for (int i = 0; i < NAMES; i++) snprintf(name[i], TENSOR_NAME, "%s.%s", layer, names[i]);
    PG_TRY(pg_safetensors_get(file, name[0], 4, NULL, &key, err));
    const char *bits = pg_safetensors_find(file, name[2]) ? name[2] : name[3];
    PG_TRY(pg_safetensors_get(file, bits, 1, NULL, &b, err));
    if (key->shape[0] != 1 || key->count == 0 || key->count > 1u << 24 || b->count == 0 || b->count > 1u << 16)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected one image [1,C,H,W]", path, name[0]));
    *p = (pg_passport){
        .inputs = (int)key->shape[1], .height = (int)key->shape[2], .width = (int)key->shape[3], .outputs = (int)b->count};
    snprintf(p->layer, sizeof p->layer, "%s", layer);
    PG_TRY(pg_passport_allocate(p, err));
    const size_t count = key->count;
    PG_TRY(pg_alloc(count > b->count ? count : b->count, sizeof *values, &values, err));
    for (int k = 0; k < 2; k++) {
        PG_TRY(pg_safetensors_get(file, name[k], 4, key->shape, &key, err));
        PG_TRY(pg_safetensors_read_real(file, name[k], values, count, err));
        transpose(values, k ? p->skey : p->key, p->inputs, p->height * p->width);
    }
    PG_TRY(pg_file_bits(file, path, bits, p->outputs, p->b, values, err));
    PG_TRY(check_second_name(file, path, name[2], name[3], p, values, err));
done:
    pg_free(values);
    return status;
}

static pg_status read_triggers(const pg_safetensors *file, const char *path, pg_dataset *t, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_array *images = NULL, *labels = NULL;
    if (!pg_safetensors_find(file, "triggers.images")) return PG_OK;
    PG_TRY(pg_safetensors_get(file, "triggers.images", 4, NULL, &images, err));
    PG_TRY(pg_safetensors_get(file, "triggers.labels", 1, &images->shape[0], &labels, err));
    if (images->shape[0] > PG_TRIGGERS_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: tensor 'triggers.images': %zu pictures, expected at most %d", path,
                       images->shape[0], PG_TRIGGERS_MAX);
    if (labels->dtype != PG_I32) return pg_fail(err, PG_BAD_INPUT, "%s: tensor 'triggers.labels': expected I32", path);
    const char *classes = pg_safetensors_metadata(file, "trigger_classes");
    long long known = 0;
    if (images->shape[3] != 3 || images->count == 0 || images->count > 1u << 28 || !classes ||
        !pg_number_int(classes, &known) || known < 2 || known > PG_CLASSES_MAX)
        return pg_fail(err, PG_BAD_INPUT,
                       "%s: tensor 'triggers.images': expected [n,H,W,3], and 2 to %d classes in metadata 'trigger_classes'",
                       path, PG_CLASSES_MAX);
    t->classes = (int)known;
    snprintf(t->name, sizeof t->name, "triggers");
    PG_TRY(pg_safetensors_text(file, "trigger_source", "", t->source, sizeof t->source, err));
    t->height = (int)images->shape[1];
    t->width = (int)images->shape[2];
    PG_TRY(pg_alloc(images->count, 1, &t->images, err));
    PG_TRY(pg_alloc(labels->count, sizeof *t->labels, &t->labels, err));
    PG_TRY(pg_safetensors_read_u8(file, "triggers.images", t->images, images->count, err));
    t->count = (int)images->shape[0];
    memcpy(t->labels, labels->data, labels->count * sizeof *t->labels);
done:
    return status;
}

static int place_in(const pg_row *rows, int count, const char *layer)
{
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].name, layer) == 0) return i;
    return -1;
}

bool pg_file_layer_places(const char *const *layers, int count, int *places)
{
    for (int a = 0; pg_arch_at(a); a++) {
        pg_row rows[PG_ROWS_MAX];
        const int n = pg_arch_rows(pg_arch_at(a), true, rows);
        bool all = true;
        for (int i = 0; i < count; i++) {
            places[i] = place_in(rows, n, layers[i]);
            all &= places[i] >= 0;
        }
        if (all) return true;
    }
    return false;
}

static void sort_passports(pg_evidence *evidence)
{
    const char *layers[PG_PASSPORTS_MAX];
    int places[PG_PASSPORTS_MAX];
    for (int i = 0; i < evidence->passport_count; i++) layers[i] = evidence->passports[i].layer;
    if (!pg_file_layer_places(layers, evidence->passport_count, places)) return;
    for (int i = 1; i < evidence->passport_count; i++) {
        const pg_passport p = evidence->passports[i];
        const int place = places[i];
        int j = i;
        for (; j > 0 && places[j - 1] > place; j--) {
            evidence->passports[j] = evidence->passports[j - 1];
            places[j] = places[j - 1];
        }
        evidence->passports[j] = p;
        places[j] = place;
    }
}

static bool has_layer(const pg_evidence *e, const char *layer)
{
    bool found = false;
    for (int i = 0; i < e->mark.site_count; i++) found |= strcmp(e->mark.site[i].layer, layer) == 0;
    for (int i = 0; i < e->passport_count; i++) found |= strcmp(e->passports[i].layer, layer) == 0;
    return found;
}

/* Does the name's ending say evidence, although the tensor belongs to no passport or mark that was read? */
static bool is_stray(const pg_evidence *e, const char *name)
{
    char layer[PG_NAME_MAX];
    for (const char *const *ending = pg_state_evidence; *ending; ending++) {
        const size_t n = strlen(name), m = strlen(*ending);
        if (n > m && name[n - m - 1] == '.' && strcmp(name + n - m, *ending) == 0)
            return !pg_file_layer_of(name, *ending, layer) || !has_layer(e, layer);
    }
    return false;
}

/* Refuse evidence tensors that the reader did not use; otherwise the claimant would believe that they count. */
static pg_status check_unused(const pg_safetensors *file, const char *path, const pg_evidence *e, pg_error *err)
{
    for (size_t i = 0; i < pg_safetensors_count(file); i++) {
        const char *name = pg_safetensors_at(file, i)->name;
        if (is_stray(e, name))
            return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%.200s' belongs to neither a passport nor a mark", path, name);
    }
    return PG_OK;
}

/* A file of zeros takes no room on a disk and much in memory, so what it may take is checked before any of it is read. */
static pg_status check_keys(const pg_safetensors *file, const char *path, pg_error *err)
{
    size_t values = 0;
    char layer[PG_NAME_MAX];
    for (size_t i = 0; i < pg_safetensors_count(file); i++) {
        const pg_array *a = pg_safetensors_at(file, i);
        if (pg_file_layer_of(a->name, names_distributed[0], layer) || pg_file_layer_of(a->name, names_private[0], layer))
            values += a->count;
    }
    if (values <= VALUES_MAX) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s: passports of %zu values, expected at most %d", path, values, VALUES_MAX);
}

static pg_status read_one(const pg_safetensors *file, const char *path, const char *name, pg_evidence *e, bool *private,
                          pg_error *err)
{
    char layer[PG_NAME_MAX];
    const bool hidden = pg_file_layer_of(name, "key_private", layer);
    *private |= hidden;
    if (!hidden && !pg_file_layer_of(name, "key", layer)) return PG_OK;
    if (e->passport_count == PG_PASSPORTS_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: more than %d passports", path, PG_PASSPORTS_MAX);
    return read_passport(file, path, layer, hidden, &e->passports[e->passport_count++], err);
}

/* "true", or "false". */
static pg_status read_bool(const pg_safetensors *file, const char *path, const char *key, bool *out, pg_error *err)
{
    char text[8];
    const pg_status status = pg_safetensors_text(file, key, "", text, sizeof text, err);
    if (status != PG_OK) return status;
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0
               ? PG_OK
               : pg_fail(err, PG_BAD_INPUT, "%s: metadata '%s': expected true or false, got '%s'", path, key, text);
}

static pg_status read_binding(const pg_safetensors *file, const char *path, pg_binding *b, pg_error *err)
{
    pg_status status = PG_OK;
    char bound[8], secret[PG_SECRET_HEX], classes[16];
    long long number = 0;
    if (!pg_safetensors_metadata(file, "bound")) return PG_OK;
    PG_TRY(pg_safetensors_text(file, "bound", "", bound, sizeof bound, err));
    PG_TRY(pg_safetensors_text(file, "secret", "", secret, sizeof secret, err));
    PG_TRY(pg_safetensors_text(file, "statement", "", b->statement, sizeof b->statement, err));
    PG_TRY(pg_safetensors_text(file, "network", "", b->network, sizeof b->network, err));
    PG_TRY(pg_safetensors_text(file, "classes", "", classes, sizeof classes, err));
    PG_TRY(pg_safetensors_text(file, "pixels", "", b->pixels, sizeof b->pixels, err));
    PG_TRY(read_bool(file, path, "relu_before_add", &b->relu_before_add, err));
    b->bound = true;
    b->from_seed = strcmp(bound, "seed") == 0;
    if (!b->from_seed && strcmp(bound, "secret") != 0)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: metadata 'bound': expected secret or seed, got '%s'", path, bound));
    if (!pg_secret_from_hex(secret, &b->secret))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: metadata 'secret': expected %d hexadecimal digits in lower case", path,
                       2 * PG_SECRET_BYTES));
    if (!pg_number_int(classes, &number) || number < 2 || number > PG_CLASSES_MAX)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: metadata 'classes': expected 2 to %d, got '%s'", path, PG_CLASSES_MAX, classes));
    b->classes = (int)number;
done:
    return status;
}

static pg_status read_all(const pg_safetensors *file, const char *path, pg_evidence *e, pg_error *err)
{
    pg_status status = PG_OK;
    bool private = false;
    PG_TRY(check_keys(file, path, err));
    for (size_t i = 0; i < pg_safetensors_count(file); i++)
        PG_TRY(read_one(file, path, pg_safetensors_at(file, i)->name, e, &private, err));
    sort_passports(e);
    PG_TRY(pg_mark_load(file, path, &e->mark, err));
    PG_TRY(read_triggers(file, path, &e->triggers, err));
    PG_TRY(pg_safetensors_text(file, "scheme", scheme_of(private), e->scheme, sizeof e->scheme, err));
    PG_TRY(pg_safetensors_text(file, "kind", "shuffle", e->kind, sizeof e->kind, err));
    if (e->mark.bits && pg_mark_is_bank(&e->mark)) e->mark.form = pg_mark_form_of(e->kind);
    PG_TRY(read_binding(file, path, &e->binding, err));
    PG_TRY(check_unused(file, path, e, err));
    if ((status = pg_evidence_check(e, err)) != PG_OK) pg_error_context(err, "%s", path);
done:
    return status;
}

pg_status pg_evidence_load(const char *path, pg_evidence **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_safetensors *file = NULL;
    pg_evidence *evidence = NULL;
    PG_TRY(pg_state_open(path, &file, err));
    PG_TRY(pg_alloc(1, sizeof *evidence, &evidence, err));
    PG_TRY(pg_alloc(PG_PASSPORTS_MAX, sizeof *evidence->passports, &evidence->passports, err));
    PG_TRY(read_all(file, path, evidence, err));
    *out = evidence;
    evidence = NULL;
done:
    pg_safetensors_close(&file);
    pg_evidence_destroy(&evidence);
    return status;
}
