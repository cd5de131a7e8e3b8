/* Models as files; see state.h. Names: README of the reference vectors in tests/golden. */
#include "core/nets/state.h"

#include "core/base/memory.h"
#include "core/formats/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENSOR_NAME = PG_NAME_MAX + 32, OWN_NOTES = 10 };

/* ---- writing ---- */

typedef struct spec_notes {
    char value[OWN_NOTES][64];
    pg_metadata pairs[OWN_NOTES];
    size_t count;
} spec_notes;

static void note(spec_notes *notes, const char *key, const char *format, ...) PG_PRINTF(3, 4);
static void note(spec_notes *notes, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(notes->value[notes->count], sizeof notes->value[0], format, args);
    va_end(args);
    notes->pairs[notes->count] = (pg_metadata){.key = key, .value = notes->value[notes->count]};
    notes->count++;
}

static void describe_spec(const pg_net_spec *spec, spec_notes *notes)
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
}

static pg_array array_of(const pg_tensor *t, const char *name, const void *data)
{
    pg_array array = {.name = name, .dtype = PG_REAL_DTYPE, .dims = t->rank, .data = data};
    for (int d = 0; d < t->rank; d++) array.shape[d] = (size_t)t->shape[d];
    return array;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

pg_status pg_model_save(const pg_model *model, const pg_metadata *notes, size_t note_count, const char *path, pg_error *err)
{
    static const int64_t zero = 0;
    pg_status status = PG_OK;
    pg_real *values = NULL;
    pg_array *arrays = NULL;
    pg_metadata *metadata = NULL;
    char(*tracked)[TENSOR_NAME] = NULL;
    spec_notes own;
    size_t count = 0, used = 0;
    const size_t tensors = (size_t)model->tensor_count;
    PG_TRY(pg_alloc(model->param_count + model->buffer_count, sizeof *values, &values, err));
    PG_TRY(pg_alloc(3 * tensors, sizeof *arrays, &arrays, err));
    PG_TRY(pg_alloc(tensors, sizeof *tracked, &tracked, err));
    PG_TRY(pg_alloc(OWN_NOTES + note_count, sizeof *metadata, &metadata, err));
    for (size_t i = 0; i < tensors; i++) {
        const pg_tensor *t = &model->tensors[i];
        pg_real *data = values + used;
        pg_tensor_export(model, t, data);
        used += t->count;
        arrays[count++] = array_of(t, t->name, data);
        if (t->alias[0]) arrays[count++] = array_of(t, t->alias, data);
        if (ends_with(t->name, ".running_var")) { /* PyTorch counts batches; nothing here reads the count */
            snprintf(tracked[i], sizeof tracked[i], "%.*s.num_batches_tracked", (int)(strlen(t->name) - strlen(".running_var")),
                     t->name);
            arrays[count++] = (pg_array){.name = tracked[i], .dtype = PG_I64, .data = &zero};
        }
    }
    describe_spec(&model->spec, &own);
    memcpy(metadata, own.pairs, own.count * sizeof *metadata);
    if (note_count) memcpy(metadata + own.count, notes, note_count * sizeof *metadata);
    PG_TRY(pg_safetensors_write(path, arrays, count, metadata, own.count + note_count, PG_FILE_PUBLIC, err));
done:
    pg_free(values);
    pg_free(arrays);
    pg_free(tracked);
    pg_free(metadata);
    return status;
}

/* ---- the spec of a file ---- */

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

static const pg_arch *arch_of(const pg_safetensors *file)
{
    if (pg_safetensors_find(file, "classifier.6.weight")) return pg_arch_find("alexnet-imagenet");
    if (pg_safetensors_find(file, "classifier.weight")) return pg_arch_find("alexnet");
    if (!pg_safetensors_find(file, "linear.weight")) return NULL;
    const pg_array *stem = find(file, "convbnrelu_1", "conv.weight");
    if (!stem) stem = find(file, "convbnrelu_1", "weight");
    if (stem && stem->dims == 4 && stem->shape[3] == 7) return pg_arch_find("resnet18-imagenet");
    const bool deep = find(file, "layer1.1.convbnrelu_1", "conv.weight") || find(file, "layer1.1.convbnrelu_1", "weight");
    return pg_arch_find(deep ? "resnet18" : "resnet9");
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

/* The norm that all layers which tell one have; else `fallback`, which may be NULL. */
static pg_status infer_norm(const pg_safetensors *file, const char *path, const pg_row *rows, int n,
                            const pg_norm_kind *fallback, pg_norm_kind *out, pg_error *err)
{
    const char *teller = NULL;
    for (int i = 0; i < n; i++) {
        pg_norm_kind norm;
        const char *name = rows[i].name;
        if (rows[i].kind != PG_ROW_CONV || !(find(file, name, "conv.weight") || find(file, name, "weight"))) continue;
        if (!norm_of(file, name, is_passport(file, name), &norm)) continue;
        if (teller && norm != *out)
            return pg_fail(err, PG_BAD_INPUT, "%s: by their tensors '%s' has norm %s and '%s' has %s", path, teller,
                           pg_norm_kind_name(*out), name, pg_norm_kind_name(norm));
        *out = norm;
        teller = name;
    }
    if (!teller && !fallback) return pg_fail(err, PG_BAD_INPUT, "%s: no layer tells the norm; give it by an option", path);
    if (!teller) *out = *fallback;
    return PG_OK;
}

/* Widths that give all layers their numbers of channels. */
typedef struct widths {
    double low, high;
} widths;

static void narrow(widths *w, const pg_row *row, size_t channels)
{
    const double low = channels > 16 ? ((double)channels - 8) / row->channels : 0,
                 high = ((double)channels + 8) / row->channels;
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

static void assume(pg_model_facts *facts, const char *format, ...) PG_PRINTF(2, 3);
static void assume(pg_model_facts *facts, const char *format, ...)
{
    va_list args;
    const size_t used = strlen(facts->assumed);
    const int parted = used ? snprintf(facts->assumed + used, sizeof facts->assumed - used, "; ") : 0;
    va_start(args, format);
    vsnprintf(facts->assumed + used + parted, sizeof facts->assumed - used - (size_t)parted, format, args);
    va_end(args);
}

/* Values that neither names nor shapes show: take the hints, else the defaults, which are noted as assumptions. */
static void take_hints(const pg_model_hints *hints, pg_net_spec *spec, pg_model_facts *facts)
{
    if (hints->relu_before_add)
        spec->relu_before_add = *hints->relu_before_add;
    else if (spec->arch->residual)
        assume(facts, "relu_before_add is %s", spec->relu_before_add ? "true" : "false");
    if (hints->image_height && hints->image_width) {
        spec->image_height = hints->image_height;
        spec->image_width = hints->image_width;
    } else {
        assume(facts, "images are %dx%d", spec->image_height, spec->image_width);
    }
}

static pg_status infer_spec(const pg_safetensors *file, const char *path, const pg_model_hints *hints, pg_net_spec *out,
                            pg_model_facts *facts, pg_error *err)
{
    const pg_arch *arch = arch_of(file);
    if (!arch)
        return pg_fail(err, PG_BAD_INPUT,
                       "%s: no classifier.weight, classifier.6.weight or linear.weight: not a network known here", path);
    pg_net_spec spec = pg_net_spec_plain(arch, PG_NORM_BN, 0);
    take_hints(hints, &spec, facts);
    spec.public_affine = false;
    pg_row rows[PG_ROWS_MAX];
    const int n = arch->rows(spec.relu_before_add, rows);
    const pg_status status = infer_norm(file, path, rows, n, hints->norm, &spec.norm, err);
    if (status != PG_OK) return status;
    widths width = {0, INFINITY};
    for (int i = 0, conv = 0; i < n; i++) {
        const char *name = rows[i].name;
        const pg_array *w = find(file, name, "conv.weight");
        if (!w) w = find(file, name, "weight");
        if (rows[i].kind == PG_ROW_DENSE && rows[i].channels && w && w->dims > 0) narrow(&width, &rows[i], w->shape[0]);
        if (rows[i].kind != PG_ROW_CONV) continue;
        const bool own = is_passport(file, name);
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
    if (!arch) return pg_fail(err, PG_BAD_INPUT, "%s: unknown architecture '%s'", path, v[0]);
    pg_net_spec spec = pg_net_spec_plain(arch, PG_NORM_BN, 0);
    const pg_status status = pg_norm_kind_parse(v[1], &spec.norm, err);
    if (status != PG_OK) return pg_error_context(err, "%s", path), status;
    (void)pg_number_real(v[2], &spec.width);
    (void)sscanf(v[3], "%d", &spec.classes);
    (void)sscanf(v[4], "%dx%d", &spec.image_height, &spec.image_width);
    spec.relu_before_add = strcmp(v[5], "true") == 0;
    spec.passports = strtoull(v[6], NULL, 16);
    spec.public_affine = strstr(v[7], "public") != NULL;
    spec.private_affine = strstr(v[7], "private") != NULL;
    spec.own_norm = v[8][0] == '1';
    spec.perceptron = v[8][0] != 0 && v[8][1] == '1';
    spec_notes again; /* what is not as it would be written now was not understood */
    describe_spec(&spec, &again);
    for (int i = 0; i < 9; i++)
        if (strcmp(v[i], again.value[i + 1]) != 0)
            return pg_fail(err, PG_BAD_INPUT, "%s: metadata '%s' cannot be read: '%s'", path, keys[i], v[i]);
    *out = spec;
    return PG_OK;
}

static pg_status find_spec(const pg_safetensors *file, const char *path, const pg_model_hints *hints, pg_net_spec *out,
                           pg_model_facts *facts, pg_error *err)
{
    static const pg_model_hints none = {.norm = NULL};
    if (pg_safetensors_metadata(file, "arch")) return written_spec(file, path, out, err);
    return infer_spec(file, path, hints ? hints : &none, out, facts, err);
}

/* ---- reading ---- */

pg_status pg_state_open(const char *path, pg_safetensors **out, pg_error *err)
{
    static const char *const wrappers[] = {"module", "_orig_mod", NULL}; /* DataParallel and its kin; torch.compile */
    pg_status status = pg_safetensors_open(path, out, err);
    if (status == PG_OK) status = pg_safetensors_drop_parts(*out, wrappers, err);
    if (status != PG_OK) pg_safetensors_close(out);
    return status;
}

/* The name to read: the first, unless only the second is there. */
static const char *name_in(const pg_safetensors *file, const pg_tensor *t)
{
    const bool second = t->alias[0] && !pg_safetensors_find(file, t->name) && pg_safetensors_find(file, t->alias);
    return second ? t->alias : t->name;
}

static pg_status check_shape(const pg_safetensors *file, const pg_tensor *t, const char *name, pg_error *err)
{
    size_t shape[4];
    const pg_array *array;
    for (int d = 0; d < t->rank; d++) shape[d] = (size_t)t->shape[d];
    return pg_safetensors_get(file, name, t->rank, shape, &array, err);
}

/* Is the array's name that of the layer with one of these endings? */
static bool is_of_layer(const char *name, const char *layer, const char *const *endings)
{
    const size_t n = strlen(layer);
    if (strncmp(name, layer, n) != 0 || name[n] != '.') return false;
    for (; *endings; endings++)
        if (strcmp(name + n + 1, *endings) == 0) return true;
    return false;
}

const char *const pg_state_evidence[] = {
    "key", "skey", "key_private", "skey_private", "sign_loss.b", "sign_loss_private.b", "b", "projection", "mark", NULL};

/* Is it a tensor of the network, or of evidence beside it? */
static bool is_used(const pg_layout *layout, const pg_tensor *tensors, const char *name)
{
    for (int i = 0; i < layout->tensor_count; i++)
        if (strcmp(tensors[i].name, name) == 0 || strcmp(tensors[i].alias, name) == 0) return true;
    for (int i = 0; i < layout->layer_count; i++)
        if (layout->layers[i].conv >= 0 && is_of_layer(name, layout->layers[i].row.name, pg_state_evidence)) return true;
    return strcmp(name, "triggers.images") == 0 || strcmp(name, "triggers.labels") == 0;
}

/* Refuse unused floating-point tensors: they are layers that the network lacks, so it is not the network of the file. Other
 * types cannot hold weights: ignores counters, and notes the rest as an assumption. */
static pg_status check_unused(const pg_safetensors *file, const char *path, const pg_layout *layout, const pg_tensor *tensors,
                              pg_model_facts *facts, pg_error *err)
{
    const char *unused = NULL, *other = NULL;
    size_t count = 0, others = 0;
    for (size_t i = 0; i < pg_safetensors_count(file); i++) {
        const pg_array *array = pg_safetensors_at(file, i);
        const bool counter = array->count == 1 && ends_with(array->name, ".num_batches_tracked");
        if (counter || is_used(layout, tensors, array->name)) continue;
        if (pg_dtype_is_real(array->dtype))
            unused = count++ ? unused : array->name;
        else
            other = others++ ? other : array->name;
    }
    if (count)
        return pg_fail(err, PG_BAD_INPUT,
                       "%s: the network %s has no tensor '%.200s': it is another network (such tensors: %zu)", path,
                       layout->spec.arch->name, unused, count);
    if (others) assume(facts, "%zu tensors that hold no weights do not matter (the first is '%.80s')", others, other);
    return PG_OK;
}

/* The file must have exactly the tensors of the network, in their shapes. */
static pg_status check_tensors(const pg_safetensors *file, const char *path, const pg_layout *layout, pg_model_facts *facts,
                               pg_error *err)
{
    pg_status status = PG_OK;
    pg_tensor *tensors = NULL;
    PG_TRY(pg_alloc((size_t)layout->tensor_count, sizeof *tensors, &tensors, err));
    pg_layout_tensors(layout, tensors);
    for (int i = 0; i < layout->tensor_count; i++) PG_TRY(check_shape(file, &tensors[i], name_in(file, &tensors[i]), err));
    PG_TRY(check_unused(file, path, layout, tensors, facts, err));
done:
    pg_free(tensors);
    return status;
}

static pg_status read_tensor(const pg_safetensors *file, const char *path, pg_model *model, const pg_tensor *t, pg_real *values,
                             pg_real *again, pg_error *err)
{
    pg_status status = PG_OK;
    const char *name = name_in(file, t);
    PG_TRY(pg_safetensors_read_real(file, name, values, t->count, err));
    if (t->alias[0] && name == t->name && pg_safetensors_find(file, t->alias)) {
        PG_TRY(check_shape(file, t, t->alias, err));
        PG_TRY(pg_safetensors_read_real(file, t->alias, again, t->count, err));
        if (memcmp(values, again, t->count * sizeof *values) != 0)
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: tensors '%s' and '%s' should be one and the same, but differ", path, t->name,
                           t->alias));
    }
    pg_tensor_import(model, t, values);
done:
    return status;
}

static pg_status read_tensors(const pg_safetensors *file, const char *path, pg_model *model, pg_error *err)
{
    pg_status status = PG_OK;
    pg_real *values = NULL, *again = NULL;
    size_t largest = 0;
    for (int i = 0; i < model->tensor_count; i++)
        if (model->tensors[i].count > largest) largest = model->tensors[i].count;
    PG_TRY(pg_alloc(largest, sizeof *values, &values, err));
    PG_TRY(pg_alloc(largest, sizeof *again, &again, err));
    for (int i = 0; i < model->tensor_count; i++)
        PG_TRY(read_tensor(file, path, model, &model->tensors[i], values, again, err));
    if (pg_model_check_finite(model, err) != PG_OK) {
        pg_error_context(err, "%s", path);
        status = PG_BAD_INPUT;
    }
done:
    pg_free(values);
    pg_free(again);
    return status;
}

static pg_status plan(const pg_safetensors *file, const char *path, const pg_model_hints *hints, pg_layout *layout,
                      pg_model_facts *facts, pg_error *err)
{
    pg_net_spec spec;
    pg_status status = find_spec(file, path, hints, &spec, facts, err);
    if (status != PG_OK) return status;
    status = pg_layout_plan(&spec, layout, err);
    if (status != PG_OK) pg_error_context(err, "%s", path);
    return status;
}

pg_status pg_model_load(const char *path, const pg_model_hints *hints, pg_model **out, pg_model_facts *facts, pg_error *err)
{
    pg_status status = PG_OK;
    pg_safetensors *file = NULL;
    pg_model *model = NULL;
    pg_layout layout;
    pg_model_facts told = {.pixels = ""};
    PG_TRY(pg_state_open(path, &file, err));
    PG_TRY(pg_safetensors_text(file, "pixels", "", told.pixels, sizeof told.pixels, err));
    PG_TRY(pg_safetensors_text(file, "data", "", told.data, sizeof told.data, err));
    PG_TRY(pg_safetensors_text(file, "data_sha256", "", told.data_sha256, sizeof told.data_sha256, err));
    PG_TRY(plan(file, path, hints, &layout, &told, err));
    PG_TRY(check_tensors(file, path, &layout, &told, err));
    PG_TRY(pg_model_create(&layout.spec, &model, err));
    PG_TRY(read_tensors(file, path, model, err));
    if (facts) *facts = told;
    *out = model;
    model = NULL;
done:
    pg_safetensors_close(&file);
    pg_model_destroy(&model);
    return status;
}
