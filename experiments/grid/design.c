/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grid files; see design.h. One pass finds all problems of a file. */
#include "experiments/grid/design_internal.h"

#include "core/base/memory.h"
#include "core/formats/yaml.h"
#include "experiments/grid/duplicates.h"
#include "experiments/grid/grid_size.h"
#include "experiments/grid/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const sections[] = {"data",        "networks", "train",    "schemes", "attacks",
                                       "independent", "verify",   "profiles", "profile", NULL};

/* ---- lists of maps ---- */

typedef struct visitor {
    pg_design_reader *r;
    pg_map_reader read;
} visitor;

static pg_status visit(void *context, const pg_node *map, pg_error *err)
{
    const visitor *v = context;
    return v->read(v->r, map, err);
}

pg_status pg_design_read_expanded(pg_design_reader *r, const pg_option *table, const char *const *more, const pg_node *map,
                                  pg_map_reader read, pg_error *err)
{
    const int before = r->problems->count;
    pg_options_check(table, more, map, r->problems);
    const size_t most = r->problems->count > before ? 1 : r->most;
    return pg_options_each(table, map, most, visit, &(visitor){r, read}, err);
}

pg_status pg_design_read_kinds(pg_design_reader *r, const char *key, const pg_node *map, pg_map_reader read, pg_error *err)
{
    const pg_option kind[] = {{.key = key, .type = PG_OPT_TEXT}, {0}};
    const pg_node *names = pg_node_find(map, key);
    if (names && names->kind == PG_LIST) pg_options_repeats(kind, names, r->problems);
    return pg_options_each(kind, map, names ? names->count + 1 : 1, visit, &(visitor){r, read}, err);
}

static bool may_be_missing(const char *section)
{
    return strcmp(section, "attacks") == 0 || strcmp(section, "independent") == 0;
}

/* Call read for every map of a section, which is a list of maps or, if single is allowed, one map. */
static pg_status read_section(pg_design_reader *r, const char *key, bool single, pg_map_reader read, pg_error *err)
{
    const pg_node *root = r->design->tree->root, *section = pg_node_get(root, key);
    char found[PG_NODE_SHORT];
    const char *expected = single ? "a map or a list of maps" : "a list of maps";
    pg_status status = PG_OK;
    if (!section) {
        if (!may_be_missing(key)) pg_problems_missing(r->problems, root, key, expected);
        return PG_OK;
    }
    r->entry = section;
    if (single && section->kind == PG_MAP) return read(r, section, err);
    if (section->kind == PG_LIST && section->count == 0 && may_be_missing(key)) return PG_OK;
    if (section->kind != PG_LIST || section->count == 0) {
        pg_problems_add(r->problems, section, "expected %s, got %s", expected, pg_node_describe(section, found));
        return PG_OK;
    }
    for (const pg_node *item = section->first; item && status == PG_OK; item = item->next) {
        r->entry = item;
        if (item->kind == PG_MAP)
            status = read(r, item, err);
        else
            pg_problems_add(r->problems, item, "expected a map, got %s", pg_node_describe(item, found));
    }
    return status;
}

/* The file in which a node stands, such as the one that the shell opened as /dev/stdin; empty for --set. */
static const char *file_of(const pg_node *node, char opened[PG_PATH_MAX])
{
    if (!node->line) return "";
    return strncmp(node->source, "/dev/", 5) == 0 && realpath(node->source, opened) ? opened : node->source;
}

bool pg_design_place(pg_design_reader *r, const pg_node *node, char path[PG_TEXT_MAX])
{
    char opened[PG_PATH_MAX], folder[PG_PATH_MAX] = ".", whole[PG_PATH_MAX], made[PG_PATH_MAX + PG_TEXT_MAX];
    const char *file = file_of(node, opened), *slash = strrchr(file, '/');
    if (!path[0] || path[0] == '/') return true;
    if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(slash + 1 - file), file);
    if (!realpath(folder, whole)) snprintf(whole, sizeof whole, "%s", folder);
    const int length = snprintf(made, sizeof made, "%s/%s", whole, path);
    if (length >= PG_TEXT_MAX) {
        pg_problems_add(r->problems, node, "%s: path too long", made);
        return false;
    }
    memcpy(path, made, (size_t)length + 1);
    return true;
}

/* ---- training and verification ---- */

static pg_status read_train(pg_design_reader *r, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_node *map = pg_node_get(r->design->tree->root, "train");
    PG_TRY(pg_options_defaults(pg_preset_table, &r->preset, err));
    PG_TRY(pg_options_defaults(pg_train_table, &r->design->train, err));
    pg_options_take(pg_preset_table, map, &r->preset, r->problems);
    PG_TRY(pg_preset_apply(r->preset.preset, pg_preset_train, pg_train_table, &r->design->train, err));
    if (map && map->kind == PG_MAP) pg_options_take(pg_train_table, map, &r->design->train, r->problems);
    pg_options_unknown((const pg_option *const[]){pg_preset_table, pg_train_table, NULL}, NULL, map, r->problems);
done:
    return status;
}

static pg_status read_verify(pg_design_reader *r, pg_error *err)
{
    const pg_node *map = pg_node_get(r->design->tree->root, "verify");
    const pg_status status = pg_options_defaults(pg_verify_table, &r->design->verify, err);
    if (status != PG_OK) return status;
    pg_options_read(pg_verify_table, map, &r->design->verify, r->problems);
    if (r->design->verify.nulls == 1)
        pg_problems_add(r->problems, pg_node_find(map, "nulls"), "expected 0 or at least 2, because one draw has no deviation");
    return PG_OK;
}

/* ---- the whole grid ---- */

/* Does every entry of a scheme name a network that was trained elsewhere? */
static bool all_supplied(const pg_node *root)
{
    const pg_node *list = pg_node_find(root, "schemes"), *n = list && list->kind == PG_LIST ? list->first : NULL;
    for (; n; n = n->next)
        if (n->kind != PG_MAP || !pg_node_find(n, "model")) return false;
    return list && list->kind == PG_LIST && list->count;
}

static void check_null_models(pg_design_reader *r)
{
    if (r->design->grid.null_models && !r->design->verify.nulls)
        pg_problems_add(r->problems, pg_node_find(r->design->tree->root, "null_models"),
                        "null models need fresh evidence: set verify.nulls to at least 2");
}

/* Make the name of the grid from its file name, without folder and ending. */
static void default_name(const char *path, char out[PG_TEXT_MAX])
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    const char *dot = strrchr(base, '.');
    snprintf(out, PG_TEXT_MAX, "%.*s", (int)(dot && dot > base ? dot - base : (ptrdiff_t)strlen(base)), base);
}

static void check_name(pg_design_reader *r)
{
    const char *name = r->design->grid.name;
    if (strchr(name, '/') || name[0] == '.')
        pg_problems_add(r->problems, pg_node_find(r->design->tree->root, "name"),
                        "expected a name without '/' that does not begin with '.'");
}

static pg_status read_all(pg_design_reader *r, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_node *root = r->design->tree->root;
    char found[PG_NODE_SHORT];
    if (!root || root->kind != PG_MAP) {
        if (root) pg_problems_add(r->problems, root, "expected a map, got %s", pg_node_describe(root, found));
        return root ? PG_OK : pg_fail(err, PG_BAD_INPUT, "%s: empty", path);
    }
    PG_TRY(pg_options_defaults(pg_grid_table, &r->design->grid, err));
    pg_options_take(pg_grid_table, root, &r->design->grid, r->problems);
    check_name(r);
    if (!r->design->grid.name[0]) default_name(path, r->design->grid.name);
    r->most = pg_grid_size_check(root, r->problems) ? PG_TASKS_MAX : 1;
    PG_TRY(read_section(r, "data", true, pg_design_read_data, err));
    if (pg_node_find(root, "networks") || !all_supplied(root))
        PG_TRY(read_section(r, "networks", false, pg_design_read_network, err));
    PG_TRY(read_train(r, err));
    PG_TRY(read_section(r, "schemes", false, pg_design_read_scheme, err));
    PG_TRY(read_section(r, "attacks", false, pg_design_read_attack, err));
    PG_TRY(read_section(r, "independent", true, pg_design_read_independent, err));
    PG_TRY(read_verify(r, err));
    check_null_models(r);
    if (!r->problems->count) PG_TRY(pg_duplicates_check(r->design, r->problems, err));
    pg_options_unknown((const pg_option *const[]){pg_grid_table, NULL}, sections, root, r->problems);
done:
    return status;
}

/* The keys that a profile may override: all top-level keys except profile and profiles. */
static const char *const *overridable(void)
{
    enum { KEYS_MAX = 32 };
    static const char *keys[KEYS_MAX + 1];
    int n = 0;
    for (const pg_option *o = pg_grid_table; o->key && n < KEYS_MAX; o++) keys[n++] = o->key;
    for (int i = 0; strncmp(sections[i], "profile", 7) != 0 && n < KEYS_MAX; i++) keys[n++] = sections[i];
    return keys;
}

/* Set `profile` at the root to the NAME of "--profile=NAME". */
static pg_status choose_profile(pg_tree *tree, const char *option, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *value, *there = pg_node_find(tree->root, "profile");
    PG_TRY(pg_node_add(tree, NULL, "profile", PG_SCALAR, strchr(option, '=') + 1, &value, err));
    PG_TRY(pg_tree_text(tree, option, strlen(option), &value->source, err));
    if (there)
        pg_node_replace(there, value);
    else if (tree->root && tree->root->kind == PG_MAP)
        pg_node_link(tree->root, value);
done:
    return status;
}

static bool is_profile(const char *set)
{
    return strncmp(set, "--profile=", 10) == 0;
}

/* Apply the profile that the file or an assignment chooses, then the assignments. Assignments to the profiles come first. */
static pg_status apply(pg_tree *tree, const char *const *sets, int set_count, pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < set_count; i++) {
        if (strncmp(sets[i] + strspn(sets[i], " \t"), "profile", 7) == 0) PG_TRY(pg_yaml_set(tree, sets[i], err));
        if (is_profile(sets[i])) PG_TRY(choose_profile(tree, sets[i], err));
    }
    PG_TRY(pg_profile_apply(tree, overridable(), problems, err));
    for (int i = 0; i < set_count; i++)
        if (!is_profile(sets[i])) PG_TRY(pg_yaml_set(tree, sets[i], err));
done:
    return status;
}

/* PG_BAD_INPUT if the file cannot be opened; PG_IO_FAULT if reading it fails. */
static pg_status read_file(const char *path, pg_tree **out, pg_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0 || access(path, R_OK) != 0) return pg_fail(err, PG_BAD_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode)) return pg_fail(err, PG_BAD_INPUT, "%s: not a regular file", path);
    if (info.st_size > PG_YAML_BYTES)
        return pg_fail(err, PG_BAD_INPUT, "%s: the file has more than %d bytes of YAML", path, PG_YAML_BYTES);
    return pg_yaml_parse_file(path, out, err);
}

pg_status pg_design_read(const char *path, const char *const *sets, int set_count, const char *data_directory, pg_design **out,
                         pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    pg_design *design = NULL;
    PG_TRY(pg_alloc(1, sizeof *design, &design, err));
    PG_TRY(read_file(path, &design->tree, err));
    PG_TRY(apply(design->tree, sets, set_count, problems, err));
    pg_design_reader r = {.design = design, .problems = problems, .data_directory = data_directory};
    PG_TRY(read_all(&r, path, err));
    PG_TRY(pg_problems_status(problems, path, err));
    *out = design;
    design = NULL;
done:
    pg_design_destroy(&design);
    return status;
}

bool pg_design_applies(const pg_design_attack *attack, const pg_scheme *scheme)
{
    int i = 0;
    while (pg_schemes[i] != scheme) i++;
    return attack->schemes >> i & 1;
}

void pg_design_destroy(pg_design **design)
{
    pg_design *d = *design;
    if (!d) return;
    for (int i = 0; i < d->scheme_count; i++) pg_free(d->schemes[i].options);
    for (int i = 0; i < d->attack_count; i++) pg_free(d->attacks[i].options);
    pg_free(d->data);
    pg_free(d->networks);
    pg_free(d->schemes);
    pg_free(d->attacks);
    pg_free(d->independent);
    pg_tree_destroy(&d->tree);
    pg_free(d);
    *design = NULL;
}
