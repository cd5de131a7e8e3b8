/* SPDX-License-Identifier: GPL-3.0-or-later */
/* State dicts under other names; see state_import.h. */
#include "core/nets/state_import.h"

#include "core/base/memory.h"
#include "core/formats/yaml.h"
#include "core/nets/arch_file.h"
#include "core/nets/state_internal.h"

#include <stdio.h>
#include <string.h>

const pg_option pg_import_table[] = {
    PG_TEXT(pg_import_options, network, NULL, "network: a name that `passgrid list networks` shows, or a network file"),
    PG_CHOICE(pg_import_options, norm, "bn", pg_norm_names, "normalisation: batch, group, instance, none"),
    PG_REAL(pg_import_options, width, "1", PG_ABOVE_ZERO, 16, NULL, "factor of the channels of every layer"),
    PG_INT(pg_import_options, image, "0", 0, 4096, "pixels", "side of the images; 0: that for which the network is made"),
    PG_BOOL(pg_import_options, relu_before_add, "true",
            "residual networks in C: the last convolution of a block has its own ReLU"),
    {0},
};

enum { NAME_MAX_BYTES = 512 };

typedef struct importer {
    const pg_safetensors *file;
    const pg_node *map;   /* tensors; NULL: no name changes */
    const pg_node *where; /* of the problems */
    pg_problems *problems;
    char (*names)[NAME_MAX_BYTES]; /* [tensors of the file]: ours */
    bool *used;                    /* [tensors of the file] */
} importer;

/* ---- names ---- */

static bool fits(const char *name, const char *key)
{
    const size_t n = strlen(key);
    return strncmp(name, key, n) == 0 && (name[n] == 0 || name[n] == '.');
}

static void rename_all(importer *m)
{
    for (size_t i = 0; i < pg_safetensors_count(m->file); i++) {
        const char *name = pg_safetensors_at(m->file, i)->name;
        const pg_node *best = NULL;
        for (const pg_node *n = m->map ? m->map->first : NULL; n; n = n->next)
            if (fits(name, n->key) && (!best || strlen(n->key) > strlen(best->key))) best = n;
        snprintf(m->names[i], NAME_MAX_BYTES, "%s%s", best ? best->text : name, best ? name + strlen(best->key) : "");
    }
}

/* Report an entry that is no text or renames nothing. */
static void check_map(importer *m)
{
    char found[PG_NODE_SHORT];
    if (m->map && m->map->kind != PG_MAP) {
        pg_problems_add(m->problems, m->map, "expected a map of names, got %s", pg_node_describe(m->map, found));
        return;
    }
    for (const pg_node *n = m->map ? m->map->first : NULL; n; n = n->next) {
        bool renames = false;
        for (size_t i = 0; i < pg_safetensors_count(m->file); i++) renames |= fits(pg_safetensors_at(m->file, i)->name, n->key);
        if (n->kind != PG_SCALAR || !n->text[0])
            pg_problems_add(m->problems, n, "expected the name of a tensor or layer, got %s", pg_node_describe(n, found));
        else if (!renames)
            pg_problems_add(m->problems, n, "the state dict has no tensor of this name");
    }
}

/* The tensor of the file that has our name; NULL if there is none. */
static const pg_array *find(importer *m, const char *name)
{
    const pg_array *found = NULL;
    for (size_t i = 0; name[0] && i < pg_safetensors_count(m->file); i++) {
        if (strcmp(m->names[i], name) != 0) continue;
        if (found)
            pg_problems_add(m->problems, m->where, "'%.80s' and '%.80s' both become '%.80s'", found->name,
                            pg_safetensors_at(m->file, i)->name, name);
        found = pg_safetensors_at(m->file, i);
        m->used[i] = true;
    }
    return found;
}

/* ---- values ---- */

static const char *shape_text(int dims, const size_t *shape, char out[96])
{
    size_t used = 1;
    snprintf(out, 96, "[");
    for (int d = 0; d < dims && used < 90; d++)
        used += (size_t)snprintf(out + used, 96 - used, "%s%zu", d ? "," : "", shape[d]);
    if (used < 95) snprintf(out + used, 96 - used, "]");
    return out;
}

static pg_status read_tensor(importer *m, pg_model *model, const pg_tensor *t, pg_real *values, pg_error *err)
{
    char want[96], have[96];
    size_t shape[4];
    const pg_array *array = find(m, t->name);
    if (!array) array = find(m, t->alias);
    for (int d = 0; d < t->rank; d++) shape[d] = (size_t)t->shape[d];
    shape_text(t->rank, shape, want);
    if (!array) {
        pg_problems_add(m->problems, m->where, "missing: '%s' %s", t->name, want);
        return PG_OK;
    }
    if (array->dims != t->rank || memcmp(array->shape, shape, (size_t)t->rank * sizeof *shape) != 0) {
        pg_problems_add(m->problems, m->where, "another shape: '%.80s' is %s, and '%s' is %s", array->name,
                        shape_text(array->dims, array->shape, have), t->name, want);
        return PG_OK;
    }
    const pg_status status = pg_safetensors_read_real(m->file, array->name, values, t->count, err);
    if (status == PG_OK) pg_tensor_import(model, t, values);
    return status;
}

/* A norm after the convolution subtracts its mean, and so undoes a bias that is added to both. */
static pg_status take_bias(importer *m, pg_model *model, const pg_layer *l, pg_real *values, pg_error *err)
{
    char name[TENSOR_NAME];
    const pg_affine *a = &l->affine[PG_PUBLIC];
    if (l->row.kind != PG_ROW_CONV || a->mean < 0) return PG_OK;
    snprintf(name, sizeof name, "%s.conv.bias", l->row.name);
    const pg_array *bias = find(m, name);
    if (!bias) return PG_OK;
    const pg_status status = pg_safetensors_read_real(m->file, bias->name, values, (size_t)l->out_channels, err);
    for (int k = 0; status == PG_OK && k < l->out_channels; k++) model->buffers[a->mean + k] -= values[k];
    return status;
}

static void check_left_over(importer *m)
{
    static const char counter[] = "num_batches_tracked";
    for (size_t i = 0; i < pg_safetensors_count(m->file); i++) {
        char shape[96];
        const pg_array *a = pg_safetensors_at(m->file, i);
        const size_t n = strlen(a->name), end = strlen(counter);
        if (m->used[i] || (n >= end && strcmp(a->name + n - end, counter) == 0)) continue;
        pg_problems_add(m->problems, m->where, "left over: '%.80s' %s%s%.80s%s", a->name, shape_text(a->dims, a->shape, shape),
                        strcmp(a->name, m->names[i]) ? ", which becomes '" : "",
                        strcmp(a->name, m->names[i]) ? m->names[i] : "", strcmp(a->name, m->names[i]) ? "'" : "");
    }
}

static pg_status read_tensors(importer *m, pg_model *model, pg_error *err)
{
    pg_status status = PG_OK;
    pg_real *values = NULL;
    PG_TRY(pg_alloc(model->param_count + model->buffer_count, sizeof *values, &values, err));
    for (int i = 0; i < model->tensor_count; i++) PG_TRY(read_tensor(m, model, &model->tensors[i], values, err));
    for (int i = 0; i < model->layer_count; i++) PG_TRY(take_bias(m, model, &model->layers[i], values, err));
    check_left_over(m);
done:
    pg_free(values);
    return status;
}

/* ---- the network ---- */

/* As many classes as the state dict's last layer has outputs. */
static int classes_of(importer *m, const pg_arch *arch)
{
    pg_row rows[PG_ROWS_MAX];
    char name[TENSOR_NAME];
    const int n = pg_arch_rows(arch, true, rows);
    snprintf(name, sizeof name, "%s.weight", rows[n - 1].name);
    const pg_array *last = find(m, name);
    return last && last->dims == 2 && last->shape[0] <= PG_CLASSES_MAX ? (int)last->shape[0] : 2;
}

static pg_status find_network(const pg_node *root, const char *mapping, const pg_import_options *o, const pg_arch **out,
                              pg_problems *problems, pg_error *err)
{
    char path[PG_PATH_MAX];
    const char *slash = strrchr(mapping, '/');
    const int folder = o->network[0] == '/' || !slash ? 0 : (int)(slash + 1 - mapping);
    if (pg_arch_names_file(o->network)) {
        snprintf(path, sizeof path, "%.*s%s", folder, mapping, o->network);
        return pg_arch_read(path, out, problems, err);
    }
    *out = pg_arch_find(o->network);
    if (!*out) pg_problems_choice(problems, pg_node_find(root, "network"), pg_arch_names());
    return PG_OK;
}

/* Refuse a network of far more parameters than the file has values before it takes memory. Each tensor of the network fills
 * whole lines of 16, so the factor refuses none that fits. */
static pg_status check_room(importer *m, const pg_net_spec *spec, pg_error *err)
{
    pg_layout layout;
    size_t values = 0;
    const pg_status status = pg_layout_plan(spec, &layout, err);
    for (size_t i = 0; i < pg_safetensors_count(m->file); i++) values += pg_safetensors_at(m->file, i)->count;
    if (status != PG_OK || layout.param_count / 16 <= values) return status;
    return pg_fail(err, PG_BAD_INPUT, "%s of width %g has %zu parameters, but the state dict has %zu", spec->arch->name,
                   spec->width, layout.param_count, values);
}

static pg_status plan(importer *m, const pg_import_options *o, const pg_arch *arch, pg_model **out, pg_error *err)
{
    pg_net_spec spec = pg_net_spec_plain(arch, (pg_norm_kind)o->norm, classes_of(m, arch));
    spec.width = o->width;
    spec.relu_before_add = o->relu_before_add;
    if (o->image) spec.image_height = spec.image_width = o->image;
    const pg_status status = check_room(m, &spec, err);
    return status == PG_OK ? pg_model_create(&spec, out, err) : status;
}

pg_status pg_model_import(const char *path, const char *mapping, pg_model **out, pg_problems *problems, pg_error *err)
{
    static const char *const more[] = {"tensors", NULL};
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    pg_safetensors *file = NULL;
    pg_model *model = NULL;
    pg_import_options options;
    const pg_arch *arch = NULL;
    importer m = {.problems = problems};
    PG_TRY(pg_yaml_parse_file(mapping, &tree, err));
    if (!tree->root || tree->root->kind != PG_MAP)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: expected a map with network and tensors", mapping));
    PG_TRY(pg_options_defaults(pg_import_table, &options, err));
    pg_options_take(pg_import_table, tree->root, &options, problems);
    m.map = pg_node_get(tree->root, "tensors");
    pg_options_unknown((const pg_option *const[]){pg_import_table, NULL}, more, tree->root, problems);
    PG_TRY(pg_problems_status(problems, mapping, err));
    PG_TRY(find_network(tree->root, mapping, &options, &arch, problems, err));
    PG_TRY(pg_state_open(path, &file, err));
    m.file = file;
    m.where = m.map ? m.map : tree->root;
    check_map(&m);
    PG_TRY(pg_problems_status(problems, mapping, err));
    PG_TRY(pg_alloc(pg_safetensors_count(file), sizeof *m.names, &m.names, err));
    PG_TRY(pg_alloc(pg_safetensors_count(file), sizeof *m.used, &m.used, err));
    rename_all(&m);
    PG_TRY(plan(&m, &options, arch, &model, err));
    PG_TRY(read_tensors(&m, model, err));
    PG_TRY(pg_problems_status(problems, mapping, err));
    PG_TRY(pg_model_check_finite(model, err));
    *out = model;
    model = NULL;
done:
    pg_model_destroy(&model);
    pg_safetensors_close(&file);
    pg_tree_destroy(&tree);
    pg_free(m.names);
    pg_free(m.used);
    return status;
}

pg_status pg_model_open(const char *path, const char *mapping, const pg_model_hints *hints, pg_model **out,
                        pg_model_facts *facts, pg_error *err)
{
    pg_status status = PG_OK;
    pg_problems *problems = NULL;
    if (!mapping[0]) return pg_model_load(path, hints, out, facts, err);
    *facts = (pg_model_facts){.pixels = ""};
    PG_TRY(pg_alloc(1, sizeof *problems, &problems, err));
    status = pg_model_import(path, mapping, out, problems, err);
    if (status != PG_OK && problems->count) status = pg_problems_status(problems, mapping, err);
done:
    pg_free(problems);
    return status;
}
