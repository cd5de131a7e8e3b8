/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The spec of a model file; see state_internal.h. Names of tensors: README of the reference vectors in tests/golden. */
#include "core/base/file.h"
#include "core/nets/arch_file.h"
#include "core/nets/state_internal.h"

#include "core/formats/number.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- as metadata ---- */

static void note(pg_spec_notes *notes, const char *key, const char *format, ...) PG_PRINTF(3, 4);
static void note(pg_spec_notes *notes, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(notes->value[notes->count], sizeof notes->value[0], format, args);
    va_end(args);
    notes->pairs[notes->count] = (pg_metadata){.key = key, .value = notes->value[notes->count]};
    notes->count++;
}

void pg_spec_describe(const pg_net_spec *spec, pg_spec_notes *notes)
{
    char width[PG_NUMBER_MAX];
    notes->count = 0;
    note(notes, "format", "pt");
    note(notes, "arch", "%s", spec->arch->name);
    note(notes, "norm", "%s", pg_norm_kind_name(spec->norm));
    note(notes, "width", "%s", pg_number_text(spec->width, width));
    note(notes, "classes", "%d", spec->classes);
    note(notes, "image", "%dx%d", spec->image_height, spec->image_width);
    note(notes, "relu_before_add", "%s", spec->relu_before_add ? "true" : "false");
    note(notes, "passports", "%llx", (unsigned long long)spec->passports);
    note(notes, "branches", "%s%s", spec->public_affine ? "public" : "", spec->private_affine ? "+private" : "");
    note(notes, "pan", "%d%d", spec->own_norm, spec->perceptron);
    if (spec->arch->text) notes->pairs[notes->count++] = (pg_metadata){.key = "rows", .value = spec->arch->text};
}

/* ---- as names and shapes ---- */

void pg_spec_assume(pg_model_facts *facts, const char *format, ...)
{
    va_list args;
    const size_t used = strlen(facts->assumed);
    const int parted = used ? snprintf(facts->assumed + used, sizeof facts->assumed - used, "; ") : 0;
    va_start(args, format);
    vsnprintf(facts->assumed + used + parted, sizeof facts->assumed - used - (size_t)parted, format, args);
    va_end(args);
}

static const pg_array *find(const pg_safetensors *file, const char *layer, const char *suffix)
{
    char name[TENSOR_NAME];
    snprintf(name, sizeof name, "%s.%s", layer, suffix);
    return pg_safetensors_find(file, name);
}

static bool is_passport(const pg_safetensors *file, const char *layer)
{
    static const char *const signs[] = {"weight", "key", "key_private", "b", "scale"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (find(file, layer, signs[i])) return true;
    return false;
}

static bool has_weights(const pg_row *row)
{
    return row->kind == PG_ROW_CONV || row->kind == PG_ROW_DENSE;
}

/* Is the weight of a row in the file, with its kernel if it is a convolution? */
static bool has_row(const pg_safetensors *file, const pg_row *row)
{
    const pg_array *weight = find(file, row->name, "conv.weight");
    if (!weight || row->kind != PG_ROW_CONV) weight = find(file, row->name, "weight");
    return weight && (row->kind != PG_ROW_CONV || (weight->dims == 4 && weight->shape[3] == (size_t)row->kernel));
}

/* The number of the network's rows that the file has, minus those that it lacks; -PG_ROWS_MAX if it lacks the last. */
static int agreement(const pg_safetensors *file, const pg_arch *arch)
{
    pg_row rows[PG_ROWS_MAX];
    int found = 0;
    const int n = pg_arch_rows(arch, true, rows);
    if (!has_row(file, &rows[n - 1])) return -PG_ROWS_MAX;
    for (int i = 0; i < n; i++)
        if (has_weights(&rows[i])) found += has_row(file, &rows[i]) ? 1 : -1;
    return found;
}

/* The network with which the file agrees best; NULL if it has no network's last layer. */
static const pg_arch *arch_of(const pg_safetensors *file)
{
    const pg_arch *best = NULL;
    int most = -PG_ROWS_MAX;
    for (int i = 0; pg_arch_at(i); i++) {
        const int found = agreement(file, pg_arch_at(i));
        if (found > most) best = pg_arch_at(i);
        if (found > most) most = found;
    }
    return best;
}

static pg_status refuse_unknown(const char *path, pg_error *err)
{
    char known[512] = ""; /* weights of the last layers of all networks */
    for (int i = 0; pg_arch_at(i); i++) {
        pg_row rows[PG_ROWS_MAX];
        char name[TENSOR_NAME];
        const int n = pg_arch_rows(pg_arch_at(i), true, rows);
        const size_t used = strlen(known);
        snprintf(name, sizeof name, "%s.weight", rows[n - 1].name);
        if (!strstr(known, name)) snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", name);
    }
    return pg_fail(err, PG_BAD_INPUT, "%s: none of %s is in it: not a network known here", path, known);
}

static bool norm_of(const pg_safetensors *file, const char *layer, bool passport, pg_norm_kind *norm)
{
    if (find(file, layer, "bn.running_mean") || find(file, layer, "bn0.running_mean"))
        *norm = PG_NORM_BN;
    else if (passport)
        return false;
    else if (find(file, layer, "bn.weight"))
        *norm = PG_NORM_GN;
    else if (find(file, layer, "conv.bias"))
        *norm = PG_NORM_NONE;
    else
        *norm = PG_NORM_IN;
    return true;
}

/* The norm that the tensors show; if no layer shows one, the fallback, which may be NULL. */
static pg_status infer_norm(const pg_safetensors *file, const char *path, const pg_row *rows, int n,
                            const pg_norm_kind *fallback, pg_norm_kind *out, pg_error *err)
{
    const char *teller = NULL;
    for (int i = 0; i < n; i++) {
        pg_norm_kind norm;
        const char *name = rows[i].name;
        if (rows[i].kind != PG_ROW_CONV || rows[i].bare || !(find(file, name, "conv.weight") || find(file, name, "weight")))
            continue;
        if (!norm_of(file, name, is_passport(file, name), &norm)) continue;
        if (teller && norm != *out)
            return pg_fail(err, PG_BAD_INPUT, "%s: tensors show norm %s for '%s' and norm %s for '%s'", path,
                           pg_norm_kind_name(*out), teller, pg_norm_kind_name(norm), name);
        *out = norm;
        teller = name;
    }
    if (!teller && !fallback) return pg_fail(err, PG_BAD_INPUT, "%s: no layer shows the norm; give it by an option", path);
    if (!teller) *out = *fallback;
    return PG_OK;
}

/* The range of widths that give every layer its number of channels. */
typedef struct widths {
    double low, high;
} widths;

static void narrow(widths *w, const pg_row *row, size_t channels)
{
    const double unit = row->channels % 16 ? 1 : 16,
                 low = (double)channels > unit ? ((double)channels - unit / 2) / row->channels : 0,
                 high = ((double)channels + unit / 2) / row->channels;
    w->low = fmax(w->low, low);
    w->high = fmin(w->high, high);
}

static void infer_branches(const pg_safetensors *file, const char *layer, pg_net_spec *spec)
{
    spec->public_affine |= find(file, layer, "scale") != NULL;
    spec->private_affine = true;
    spec->own_norm |= find(file, layer, "bn0.running_mean") != NULL;
    spec->perceptron |= find(file, layer, "fc.0.weight") != NULL;
}

/* Values that neither names nor shapes show: take the hints, or else the defaults, and note those as assumptions. */
static void take_hints(const pg_model_hints *hints, pg_net_spec *spec, pg_model_facts *facts)
{
    if (hints->relu_before_add)
        spec->relu_before_add = *hints->relu_before_add;
    else if (spec->arch->residual)
        pg_spec_assume(facts, "relu_before_add is %s", spec->relu_before_add ? "true" : "false");
    if (hints->image_height && hints->image_width) {
        spec->image_height = hints->image_height;
        spec->image_width = hints->image_width;
    } else {
        pg_spec_assume(facts, "images are %dx%d", spec->image_height, spec->image_width);
    }
}

static pg_status infer_spec(const pg_safetensors *file, const char *path, const pg_model_hints *hints, pg_net_spec *out,
                            pg_model_facts *facts, pg_error *err)
{
    const pg_arch *arch = arch_of(file);
    if (!arch) return refuse_unknown(path, err);
    pg_net_spec spec = pg_net_spec_plain(arch, PG_NORM_BN, 0);
    take_hints(hints, &spec, facts);
    spec.public_affine = false;
    pg_row rows[PG_ROWS_MAX];
    const int n = pg_arch_rows(arch, spec.relu_before_add, rows);
    const pg_status status = infer_norm(file, path, rows, n, hints->norm, &spec.norm, err);
    if (status != PG_OK) return status;
    widths width = {0, INFINITY};
    for (int i = 0, conv = 0; i < n; i++) {
        const char *name = rows[i].name;
        const pg_array *w = find(file, name, "conv.weight");
        if (!w) w = find(file, name, "weight");
        if (rows[i].kind == PG_ROW_DENSE && rows[i].channels && w && w->dims > 0) narrow(&width, &rows[i], w->shape[0]);
        if (rows[i].kind != PG_ROW_CONV) continue;
        const bool own = !rows[i].bare && is_passport(file, name);
        if (!w || w->dims != 4)
            return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s.conv.weight' is missing or no convolution", path, name);
        narrow(&width, &rows[i], w->shape[0]);
        if (own) infer_branches(file, name, &spec);
        spec.passports |= (uint64_t)own << conv++;
    }
    if (!spec.passports) spec.public_affine = true;
    spec.width = (width.low + width.high) / 2;
    const pg_array *last = find(file, rows[n - 1].name, "weight");
    if (!last || last->dims != 2)
        return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s.weight' is missing or no matrix", path, rows[n - 1].name);
    spec.classes = last->shape[0] <= PG_CLASSES_MAX ? (int)last->shape[0] : 0;
    *out = spec;
    return PG_OK;
}

/* "32x32": height and width. */
static void read_size(const char *text, pg_net_spec *spec)
{
    char height[PG_NUMBER_MAX];
    const size_t length = strcspn(text, "x");
    snprintf(height, sizeof height, "%.*s", (int)length, text);
    (void)pg_number_within(height, INT_MIN, INT_MAX, &spec->image_height);
    if (text[length]) (void)pg_number_within(text + length + 1, INT_MIN, INT_MAX, &spec->image_width);
}

static pg_status written_spec(const pg_safetensors *file, const char *path, pg_net_spec *out, pg_error *err)
{
    static const char *const keys[] = {"arch",      "norm",     "width", "classes", "image", "relu_before_add",
                                       "passports", "branches", "pan"};
    const char *v[9];
    for (int i = 0; i < 9; i++) {
        v[i] = pg_safetensors_metadata(file, keys[i]);
        if (!v[i]) return pg_fail(err, PG_BAD_INPUT, "%s: metadata '%s' is missing", path, keys[i]);
    }
    const pg_arch *arch = pg_arch_find(v[0]);
    const char *text = pg_safetensors_metadata(file, "rows");
    if (text) {
        char where[PG_PATH_MAX];
        snprintf(where, sizeof where, "%s: metadata 'rows'", path);
        const pg_status read = pg_arch_parse(text, where, &arch, err);
        if (read != PG_OK) return read;
    }
    if (!arch) return pg_fail(err, PG_BAD_INPUT, "%s: unknown architecture '%s'", path, v[0]);
    pg_net_spec spec = pg_net_spec_plain(arch, PG_NORM_BN, 0);
    const pg_status status = pg_norm_kind_parse(v[1], &spec.norm, err);
    if (status != PG_OK) return pg_error_context(err, "%s", path), status;
    (void)pg_number_real(v[2], &spec.width);
    (void)pg_number_within(v[3], INT_MIN, INT_MAX, &spec.classes);
    read_size(v[4], &spec);
    spec.relu_before_add = strcmp(v[5], "true") == 0;
    (void)pg_number_hex(v[6], &spec.passports);
    spec.public_affine = strstr(v[7], "public") != NULL;
    spec.private_affine = strstr(v[7], "private") != NULL;
    spec.own_norm = v[8][0] == '1';
    spec.perceptron = v[8][0] != 0 && v[8][1] == '1';
    pg_spec_notes again; /* a value that would not be written the same way was misread */
    pg_spec_describe(&spec, &again);
    for (int i = 0; i < 9; i++)
        if (strcmp(v[i], again.value[i + 1]) != 0)
            return pg_fail(err, PG_BAD_INPUT, "%s: metadata '%s' cannot be read: '%s'", path, keys[i], v[i]);
    *out = spec;
    return PG_OK;
}

pg_status pg_spec_find(const pg_safetensors *file, const char *path, const pg_model_hints *hints, pg_net_spec *out,
                       pg_model_facts *facts, pg_error *err)
{
    static const pg_model_hints none = {.norm = NULL};
    if (pg_safetensors_metadata(file, "arch")) return written_spec(file, path, out, err);
    return infer_spec(file, path, hints ? hints : &none, out, facts, err);
}
