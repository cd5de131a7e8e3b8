/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models as files; see state.h. */
#include "core/nets/state.h"

#include "core/base/memory.h"
#include "core/nets/state_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- writing ---- */

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
    pg_spec_notes own;
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
        if (ends_with(t->name, ".running_var")) { /* PyTorch expects a count of batches; this program ignores it */
            snprintf(tracked[i], sizeof tracked[i], "%.*s.num_batches_tracked", (int)(strlen(t->name) - strlen(".running_var")),
                     t->name);
            arrays[count++] = (pg_array){.name = tracked[i], .dtype = PG_I64, .data = &zero};
        }
    }
    pg_spec_describe(&model->spec, &own);
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

/* ---- reading ---- */

pg_status pg_state_open(const char *path, pg_safetensors **out, pg_error *err)
{
    static const char *const wrappers[] = {"module", "_orig_mod", NULL}; /* of DataParallel and similar; of torch.compile */
    pg_status status = pg_safetensors_open(path, out, err);
    if (status == PG_OK) status = pg_safetensors_drop_parts(*out, wrappers, err);
    if (status != PG_OK) pg_safetensors_close(out);
    return status;
}

/* The name to read: the first, unless the file has only the second. */
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

/* Is the name that of the layer with one of these endings? */
static bool is_of_layer(const char *name, const char *layer, const char *const *endings)
{
    const size_t n = strlen(layer);
    if (strncmp(name, layer, n) != 0 || name[n] != '.') return false;
    for (; *endings; endings++)
        if (strcmp(name + n + 1, *endings) == 0) return true;
    return false;
}

const char *const pg_state_evidence[] = {
    "key",        "skey", "key_private", "skey_private", "sign_loss.b", "sign_loss_private.b", "b",
    "projection", "mark", "mark_filter", "mark_site",    "mark_places", "mark_pixels",         NULL};

/* Does the network, or evidence beside it, have a tensor of this name? */
static bool is_used(const pg_layout *layout, const pg_tensor *tensors, const char *name)
{
    for (int i = 0; i < layout->tensor_count; i++)
        if (strcmp(tensors[i].name, name) == 0 || strcmp(tensors[i].alias, name) == 0) return true;
    for (int i = 0; i < layout->layer_count; i++)
        if (layout->layers[i].conv >= 0 && is_of_layer(name, layout->layers[i].row.name, pg_state_evidence)) return true;
    return strcmp(name, "triggers.images") == 0 || strcmp(name, "triggers.labels") == 0;
}

/* Refuse unused floating-point tensors: the file has layers that the network lacks, so it holds another network. Other types
 * cannot hold weights: ignore counters, and note the rest as an assumption. */
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
    if (others) pg_spec_assume(facts, "%zu tensors that hold no weights do not matter (the first is '%.80s')", others, other);
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
    pg_status status = pg_spec_find(file, path, hints, &spec, facts, err);
    if (status != PG_OK) return status;
    status = pg_layout_plan(&spec, layout, err);
    if (status != PG_OK) return pg_error_context(err, "%s", path), status;
    if (!hints || !hints->params_max || layout->param_count <= hints->params_max) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s: the network has %zu parameters, more than the %zu that are allowed here", path,
                   layout->param_count, hints->params_max);
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
