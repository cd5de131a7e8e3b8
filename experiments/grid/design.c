/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grid files; see design.h. One pass finds all problems of a file. */
#include "experiments/grid/design.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/data/readers.h"
#include "core/data/triggers.h"
#include "core/formats/yaml.h"
#include "core/ownership/passport.h"
#include "experiments/grid/design_source.h"
#include "experiments/grid/duplicates.h"
#include "experiments/grid/grid_size.h"
#include "experiments/grid/presets.h"
#include "experiments/grid/profile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct reader {
    pg_design *design;
    pg_preset_options preset;
    pg_problems *problems;
    const char *data_directory;
    const pg_node *entry; /* of a section of the file */
    size_t most; /* most maps to read of one entry: 1 if the grid is too large, so that its other problems are still found */
} reader;

/* Keys that an entry may have besides its options. */
static const char *const no_more[] = {NULL};
static const char *const scheme_keys[] = {"scheme", "train", "model", "evidence", NULL};
static const char *const attack_keys[] = {"attack", "schemes", "after", "keep", NULL};

static const char *const sections[] = {"data",   "networks", "train",   "schemes", "attacks",
                                       "verify", "profiles", "profile", NULL};

/* ---- lists of maps ---- */

typedef pg_status (*map_reader)(reader *r, const pg_node *map, pg_error *err);

typedef struct visitor {
    reader *r;
    map_reader read;
} visitor;

static pg_status visit(void *context, const pg_node *map, pg_error *err)
{
    const visitor *v = context;
    return v->read(v->r, map, err);
}

/* Call read for each map that an entry stands for: a list under an option of table stands for one map for each of its values.
 * more: keys that are allowed besides those of table. If the entry has problems, reads only one map, to find further ones. */
static pg_status read_expanded(reader *r, const pg_option *table, const char *const *more, const pg_node *map, map_reader read,
                               pg_error *err)
{
    const int before = r->problems->count;
    pg_options_check(table, more, map, r->problems);
    const size_t most = r->problems->count > before ? 1 : r->most;
    return pg_options_each(table, map, most, visit, &(visitor){r, read}, err);
}

/* Call read for each scheme or attack that an entry names under key, as one name or a list of names. */
static pg_status read_kinds(reader *r, const char *key, const pg_node *map, map_reader read, pg_error *err)
{
    const pg_option kind[] = {{.key = key, .type = PG_OPT_TEXT}, {0}};
    const pg_node *names = pg_node_find(map, key);
    if (names && names->kind == PG_LIST) pg_options_repeats(kind, names, r->problems);
    return pg_options_each(kind, map, names ? names->count + 1 : 1, visit, &(visitor){r, read}, err);
}

/* Call read for every map of a section, which is a list of maps or, if single is allowed, one map. */
static pg_status read_section(reader *r, const char *key, bool single, map_reader read, pg_error *err)
{
    const pg_node *root = r->design->tree->root, *section = pg_node_get(root, key);
    char found[PG_NODE_SHORT];
    const char *expected = single ? "a map or a list of maps" : "a list of maps";
    pg_status status = PG_OK;
    if (!section) {
        if (strcmp(key, "attacks") != 0) pg_problems_missing(r->problems, root, key, expected);
        return PG_OK;
    }
    r->entry = section;
    if (single && section->kind == PG_MAP) return read(r, section, err);
    if (section->kind == PG_LIST && section->count == 0 && strcmp(key, "attacks") == 0) return PG_OK;
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

/* ---- data ---- */

/* Look up a data set; false, with a problem at node, if that fails. */
static bool find_data(reader *r, const pg_node *node, const char *name, int train, int test, pg_data_choice *choice,
                      pg_input *facts)
{
    pg_error fault;
    if (!pg_data_kind_find(name)) {
        pg_problems_choice(r->problems, node, pg_data_kind_names());
        return false;
    }
    if (pg_input_find(name, r->data_directory, facts, &fault) != PG_OK) {
        pg_problems_add(r->problems, node, "%s", fault.message);
        return false;
    }
    *choice = (pg_data_choice){.train = train < facts->train ? train : 0, .test = test < facts->test ? test : 0};
    snprintf(choice->name, sizeof choice->name, "%s", name);
    snprintf(choice->sha256, sizeof choice->sha256, "%s", facts->sha256);
    if (train > facts->train)
        pg_problems_add(r->problems, node, "the data set has only %d training images, not %d", facts->train, train);
    if (test > facts->test)
        pg_problems_add(r->problems, node, "the data set has only %d test images, not %d", facts->test, test);
    return true;
}

static pg_status read_one_data(reader *r, const pg_node *map, pg_error *err)
{
    pg_data_options options;
    pg_design *d = r->design;
    const pg_node *name = pg_node_find(map, "name");
    pg_status status = pg_options_defaults(pg_data_table, &options, err);
    if (status != PG_OK) return status;
    pg_options_read(pg_data_table, map, &options, r->problems);
    if (!options.name[0]) return PG_OK;
    status = pg_grow(&d->data, d->data_count, sizeof *d->data, err);
    if (status != PG_OK) return status;
    pg_design_data *data = &d->data[d->data_count];
    data->node = r->entry;
    d->data_count += find_data(r, name, options.name, options.train, options.test, &data->choice, &data->facts);
    return PG_OK;
}

static pg_status read_data(reader *r, const pg_node *map, pg_error *err)
{
    return read_expanded(r, pg_data_table, no_more, map, read_one_data, err);
}

/* ---- networks ---- */

static pg_status read_one_network(reader *r, const pg_node *map, pg_error *err)
{
    pg_network_options options;
    pg_design *d = r->design;
    pg_status status = pg_options_defaults(pg_network_table, &options, err);
    if (status != PG_OK) return status;
    pg_options_read(pg_network_table, map, &options, r->problems);
    if (!options.arch[0]) return PG_OK;
    const pg_arch *arch = pg_arch_find(options.arch);
    if (!arch) {
        pg_problems_choice(r->problems, pg_node_find(map, "arch"), pg_arch_names());
        return PG_OK;
    }
    if (!arch->residual && !options.relu_before_add)
        pg_problems_add(r->problems, pg_node_find(map, "relu_before_add"), "has no effect on %s, which has no residual blocks",
                        arch->name);
    status = pg_grow(&d->networks, d->network_count, sizeof *d->networks, err);
    if (status == PG_OK) d->networks[d->network_count++] = (pg_design_network){.options = options, .node = r->entry};
    return status;
}

static pg_status read_network(reader *r, const pg_node *map, pg_error *err)
{
    return read_expanded(r, pg_network_table, no_more, map, read_one_network, err);
}

/* ---- training and verification ---- */

static pg_status read_train(reader *r, pg_error *err)
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

static pg_status read_verify(reader *r, pg_error *err)
{
    const pg_node *map = pg_node_get(r->design->tree->root, "verify");
    const pg_status status = pg_options_defaults(pg_verify_table, &r->design->verify, err);
    if (status != PG_OK) return status;
    pg_options_read(pg_verify_table, map, &r->design->verify, r->problems);
    if (r->design->verify.nulls == 1)
        pg_problems_add(r->problems, pg_node_find(map, "nulls"), "expected 0 or at least 2, because one draw has no deviation");
    return PG_OK;
}

/* ---- schemes ---- */

/* Copy the name under key to out; "", with a problem, if it is not one of known. A name that YAML reads as nothing (null) is a
 * text here. */
static void kind_of(reader *r, const pg_node *map, const char *key, const char *const *known, char out[PG_TEXT_MAX])
{
    const pg_node *node = pg_node_get(map, key);
    out[0] = 0;
    if (!node) {
        pg_problems_missing(r->problems, map, key, "a name");
        return;
    }
    for (; node->kind == PG_SCALAR && *known; known++)
        if (strcmp(*known, node->text) == 0) {
            snprintf(out, PG_TEXT_MAX, "%s", node->text);
            return;
        }
}

/* Replace a secret file:PATH by the bytes of the file, hex:DIGITS. Refuses a commitment, as the config.yaml of a run has it,
 * because the secret cannot be computed from it. */
static void read_secrets(reader *r, const pg_option *table, const pg_node *map, void *values)
{
    for (; table->key; table++) {
        char *text = (char *)values + table->offset, bytes[PG_SIGNATURE_BYTES];
        size_t count = 0;
        pg_error err;
        if (!table->secret) continue;
        const pg_node *node = pg_node_find(map, table->key);
        if (strncmp(text, "sha256:", 7) == 0)
            pg_problems_add(r->problems, node,
                            "this is the commitment of a secret, not the secret; set it with --set KEY=file:PATH");
        if (strncmp(text, "file:", 5) != 0) continue;
        if (pg_file_head(text + 5, bytes, sizeof bytes, &count, &err) != PG_OK)
            pg_problems_add(r->problems, node, "%s", err.message);
        else if (count < 1 || count > PG_SIGNATURE_BYTES)
            pg_problems_add(r->problems, node, "%s: expected a file of 1 to %d bytes, found %zu", text + 5, PG_SIGNATURE_BYTES,
                            count);
        else
            for (size_t i = 0, at = (size_t)sprintf(text, "hex:"); i < count; i++)
                at += (size_t)sprintf(text + at, "%02x", (unsigned char)bytes[i]);
    }
}

/* Pin folders to their present content, so that a changed folder makes another task. */
static void pin_folders(reader *r, const pg_option *table, const pg_node *map, void *values)
{
    for (; table->key; table++) {
        char *text = (char *)values + table->offset;
        pg_error err;
        if (!table->folder || strcmp(text, table->fallback) == 0) continue;
        if (pg_triggers_pin(text, text, PG_TEXT_MAX, &err) != PG_OK)
            pg_problems_add(r->problems, pg_node_find(map, table->key), "%s", err.message);
    }
}

/* Does every entry of a scheme name a network that was trained elsewhere? */
static bool all_brought(const pg_node *root)
{
    const pg_node *list = pg_node_find(root, "schemes"), *n = list && list->kind == PG_LIST ? list->first : NULL;
    for (; n; n = n->next)
        if (n->kind != PG_MAP || !pg_node_find(n, "model")) return false;
    return list && list->kind == PG_LIST && list->count;
}

static pg_status read_one_scheme(reader *r, const pg_node *map, pg_error *err)
{
    const pg_scheme *scheme = pg_scheme_find(pg_node_get(map, "scheme")->text);
    pg_design *d = r->design;
    pg_status status = pg_grow(&d->schemes, d->scheme_count, sizeof *d->schemes, err);
    if (status != PG_OK) return status;
    pg_design_scheme *made = &d->schemes[d->scheme_count++];
    *made = (pg_design_scheme){.scheme = scheme, .train = d->train, .node = r->entry};
    PG_TRY(pg_alloc(1, scheme->options_size, &made->options, err));
    PG_TRY(pg_options_defaults(scheme->options, made->options, err));
    pg_options_take(scheme->options, map, made->options, r->problems);
    read_secrets(r, scheme->options, map, made->options);
    pin_folders(r, scheme->options, map, made->options);
    const pg_node *train = pg_node_get(map, "train");
    if (train) pg_options_read(pg_train_table, train, &made->train, r->problems);
    PG_TRY(pg_design_read_source(d, map, made, r->problems, err));
done:
    return status;
}

static pg_status read_named_scheme(reader *r, const pg_node *map, pg_error *err)
{
    char name[PG_TEXT_MAX];
    kind_of(r, map, "scheme", pg_scheme_names(), name);
    if (name[0]) return read_expanded(r, pg_scheme_find(name)->options, scheme_keys, map, read_one_scheme, err);
    const pg_node *node = pg_node_find(map, "scheme");
    if (node) pg_problems_choice(r->problems, node, pg_scheme_names());
    return PG_OK;
}

static pg_status read_scheme(reader *r, const pg_node *map, pg_error *err)
{
    return read_kinds(r, "scheme", map, read_named_scheme, err);
}

/* ---- attacks ---- */

/* Read the schemes to which an attack is restricted: `schemes: [v1, v2]`. */
static void read_restriction(reader *r, const pg_node *list, pg_design_attack *attack)
{
    char found[PG_NODE_SHORT];
    attack->all_schemes = !list;
    for (int at = 0; !list && pg_schemes[at]; at++)
        if (!attack->attack->needs || attack->attack->needs & pg_schemes[at]->holds) attack->schemes |= UINT64_C(1) << at;
    if (list && (list->kind != PG_LIST || !list->count)) {
        pg_problems_add(r->problems, list, "expected a list of at least one scheme, got %s", pg_node_describe(list, found));
        return;
    }
    for (const pg_node *item = list ? list->first : NULL; item; item = item->next) {
        int at = 0;
        while (pg_schemes[at] && strcmp(pg_schemes[at]->name, item->text) != 0) at++;
        if (!pg_schemes[at])
            pg_problems_choice(r->problems, item, pg_scheme_names());
        else if (attack->attack->needs && !(attack->attack->needs & pg_schemes[at]->holds))
            pg_problems_add(r->problems, item, "%s does not apply to the scheme %s", attack->attack->name, item->text);
        else
            attack->schemes |= UINT64_C(1) << at;
    }
}

/* Read the attack that this one follows: `after: counterfeit-triggers`. It must be listed earlier, apply to one of the same
 * schemes, and hand on its forged evidence. */
static void read_after(reader *r, const pg_node *node, pg_design_attack *attack)
{
    enum { ATTACKS_MAX = 128 };
    const char *names[ATTACKS_MAX + 1] = {NULL};
    bool shared = !attack->schemes; /* that has been reported */
    if (!node) return;
    const pg_attack *after = pg_attack_find(node->text);
    for (int i = 0, n = 0; pg_attacks[i] && n < ATTACKS_MAX; i++)
        if (pg_attacks[i]->hands_on) names[n++] = pg_attacks[i]->name;
    if (!after || !after->hands_on) {
        pg_problems_choice(r->problems, node, names);
        return;
    }
    for (const pg_design_attack *a = r->design->attacks; a != attack; a++) {
        if (a->attack != after || a->after) continue;
        attack->after = after;
        shared |= !a->schemes || (a->schemes & attack->schemes);
    }
    if (!attack->after)
        pg_problems_add(r->problems, node, "no earlier attack is a %s", after->name);
    else if (!shared)
        pg_problems_add(r->problems, node, "no earlier %s applies to any scheme that this attack applies to", after->name);
}

static pg_status read_one_attack(reader *r, const pg_node *map, pg_error *err)
{
    const pg_attack *attack = pg_attack_find(pg_node_get(map, "attack")->text);
    pg_attack_options common;
    pg_design *d = r->design;
    pg_status status = pg_grow(&d->attacks, d->attack_count, sizeof *d->attacks, err);
    if (status != PG_OK) return status;
    pg_design_attack *made = &d->attacks[d->attack_count++];
    *made = (pg_design_attack){.attack = attack, .node = r->entry};
    PG_TRY(pg_alloc(1, attack->options_size, &made->options, err));
    PG_TRY(pg_options_defaults(attack->options, made->options, err));
    PG_TRY(pg_preset_apply(r->preset.preset, attack->presets, attack->options, made->options, err));
    pg_options_take(attack->options, map, made->options, r->problems);
    PG_TRY(pg_options_defaults(pg_attack_table, &common, err));
    pg_options_take(pg_attack_table, map, &common, r->problems);
    made->keep = common.keep;
    read_restriction(r, pg_node_get(map, "schemes"), made);
    read_after(r, pg_node_get(map, "after"), made);
    const pg_other_data other = attack->other_data ? attack->other_data(made->options) : (pg_other_data){0};
    const pg_node *named = other.name ? pg_node_find(map, other.key) : NULL;
    if (other.name)
        (void)find_data(r, named ? named : map, other.name, other.train, other.test, &made->other, &made->other_facts);
done:
    return status;
}

static pg_status read_named_attack(reader *r, const pg_node *map, pg_error *err)
{
    const pg_node *node = pg_node_get(map, "attack");
    const pg_attack *attack = node && node->kind == PG_SCALAR ? pg_attack_find(node->text) : NULL;
    if (attack) return read_expanded(r, attack->options, attack_keys, map, read_one_attack, err);
    if (node)
        pg_problems_choice(r->problems, node, pg_attack_names());
    else
        pg_problems_missing(r->problems, map, "attack", "a name");
    return PG_OK;
}

static pg_status read_attack(reader *r, const pg_node *map, pg_error *err)
{
    return read_kinds(r, "attack", map, read_named_attack, err);
}

/* ---- the whole grid ---- */

static void check_null_models(reader *r)
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

static void check_name(reader *r)
{
    const char *name = r->design->grid.name;
    if (strchr(name, '/') || name[0] == '.')
        pg_problems_add(r->problems, pg_node_find(r->design->tree->root, "name"),
                        "expected a name without '/' that does not begin with '.'");
}

static pg_status read_all(reader *r, const char *path, pg_error *err)
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
    PG_TRY(read_section(r, "data", true, read_data, err));
    if (pg_node_find(root, "networks") || !all_brought(root)) PG_TRY(read_section(r, "networks", false, read_network, err));
    PG_TRY(read_train(r, err));
    PG_TRY(read_section(r, "schemes", false, read_scheme, err));
    PG_TRY(read_section(r, "attacks", false, read_attack, err));
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
    reader r = {.design = design, .problems = problems, .data_directory = data_directory};
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
    pg_tree_destroy(&d->tree);
    pg_free(d);
    *design = NULL;
}
