/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schemes and attacks of a grid file; see design.h. */
#include "experiments/grid/design_internal.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/data/triggers.h"
#include "core/ownership/passport.h"
#include "experiments/grid/data_entry.h"
#include "experiments/grid/design_source.h"

#include <stdio.h>
#include <string.h>

/* Keys that an entry may have besides its options. */
static const char *const scheme_keys[] = {"scheme", "train", "model", "map", "evidence", NULL};
static const char *const attack_keys[] = {"attack", "schemes", "after", "keep", NULL};
static const char *const chain_keys[] = {"chain", "schemes", NULL};
static const char *const stage_keys[] = {"attack", NULL};

/* Look up the other data set that the options of an entry ask for: a known one, or pictures that the grid's data names. */
static void find_other(pg_design_reader *r, const pg_node *map, pg_other_data other, pg_data_choice *choice, pg_input *facts)
{
    const pg_node *named = other.name ? pg_node_find(map, other.key) : NULL;
    pg_data_options wanted = {.train = other.train, .test = other.test};
    if (!other.name) return;
    snprintf(wanted.name, sizeof wanted.name, "%s", other.name);
    for (int i = 0; i < r->design->data_count && !wanted.pictures.path[0]; i++)
        if (strcmp(r->design->data[i].choice.name, other.name) == 0) wanted.pictures = r->design->data[i].choice.pictures;
    if (pg_data_entry_check(&wanted, named ? named : map, NULL, r->problems))
        (void)pg_design_find_data(r, named ? named : map, &wanted, choice, facts);
}

/* ---- schemes ---- */

/* Copy the name under key to out; "", with a problem, if it is not one of known. A name that YAML reads as nothing (null) is a
 * text here. */
static void kind_of(pg_design_reader *r, const pg_node *map, const char *key, const char *const *known, char out[PG_TEXT_MAX])
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
static void read_secrets(pg_design_reader *r, const pg_option *table, const pg_node *map, void *values)
{
    for (; table->key; table++) {
        char *text = (char *)values + table->offset, bytes[PG_SIGNATURE_BYTES], path[PG_TEXT_MAX];
        size_t count = 0;
        pg_error err;
        if (!table->secret) continue;
        const pg_node *node = pg_node_find(map, table->key);
        if (strncmp(text, "sha256:", 7) == 0)
            pg_problems_add(r->problems, node,
                            "this is the commitment of a secret, not the secret; set it with --set KEY=file:PATH");
        if (strncmp(text, "file:", 5) != 0) continue;
        snprintf(path, sizeof path, "%s", text + 5);
        if (!pg_design_place(r, node, path)) continue;
        if (pg_file_head(path, bytes, sizeof bytes, &count, &err) != PG_OK)
            pg_problems_add(r->problems, node, "%s", err.message);
        else if (count < 1 || count > PG_SIGNATURE_BYTES)
            pg_problems_add(r->problems, node, "%s: expected a file of 1 to %d bytes, found %zu", path, PG_SIGNATURE_BYTES,
                            count);
        else
            for (size_t i = 0, at = (size_t)sprintf(text, "hex:"); i < count; i++)
                at += (size_t)sprintf(text + at, "%02x", (unsigned char)bytes[i]);
    }
}

/* Pin folders to their present content, so that a changed folder makes another task. */
static void pin_folders(pg_design_reader *r, const pg_option *table, const pg_node *map, void *values)
{
    for (; table->key; table++) {
        char *text = (char *)values + table->offset;
        pg_error err;
        if (!table->folder || strcmp(text, table->fallback) == 0) continue;
        const pg_node *node = pg_node_find(map, table->key);
        if (!pg_design_place(r, node, text)) continue;
        if (pg_triggers_pin(text, text, PG_TEXT_MAX, &err) != PG_OK) pg_problems_add(r->problems, node, "%s", err.message);
    }
}

static pg_status read_one_scheme(pg_design_reader *r, const pg_node *map, pg_error *err)
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
    if (scheme->other_data) find_other(r, map, scheme->other_data(made->options), &made->other, &made->other_facts);
    const pg_node *train = pg_node_get(map, "train");
    if (train) pg_options_read(pg_train_table, train, &made->train, r->problems);
    PG_TRY(pg_design_read_source(r, map, made, err));
done:
    return status;
}

static pg_status read_named_scheme(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    char name[PG_TEXT_MAX];
    kind_of(r, map, "scheme", pg_scheme_names(), name);
    const pg_scheme *scheme = name[0] ? pg_scheme_find(name) : NULL;
    const pg_node *bound = scheme && scheme->unbound ? pg_node_get(map, "bound") : NULL;
    if (bound) pg_problems_add(r->problems, bound, "%s cannot be bound: %s", name, scheme->unbound);
    if (scheme) return pg_design_read_expanded(r, scheme->options, scheme_keys, map, read_one_scheme, err);
    const pg_node *node = pg_node_find(map, "scheme");
    if (node) pg_problems_choice(r->problems, node, pg_scheme_names());
    return PG_OK;
}

pg_status pg_design_read_scheme(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    return pg_design_read_kinds(r, "scheme", map, read_named_scheme, err);
}

/* ---- attacks ---- */

/* Read the schemes to which an attack is restricted: `schemes: [v1, v2]`. */
static void read_restriction(pg_design_reader *r, const pg_node *list, pg_design_attack *attack)
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
static void read_after(pg_design_reader *r, const pg_node *node, pg_design_attack *attack)
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
        if (a->attack != after || a->after || a->stage || a->chained >= 0) continue;
        attack->after = after;
        shared |= !a->schemes || (a->schemes & attack->schemes);
    }
    if (!attack->after)
        pg_problems_add(r->problems, node, "no earlier attack is a %s", after->name);
    else if (!shared)
        pg_problems_add(r->problems, node, "no earlier %s applies to any scheme that this attack applies to", after->name);
}

/* Find the network that an attack's options name; they have its name from then on. */
static pg_status find_network(pg_design_reader *r, const pg_node *map, pg_design_attack *made, pg_error *err)
{
    char *name = pg_attack_network(made->attack, made->options);
    const pg_node *node = name ? pg_node_find(map, made->attack->network) : NULL;
    if (!name) return PG_OK;
    memcpy(made->network, name, sizeof made->network);
    const pg_status status = pg_design_find_arch(r, node ? node : map, made->network, &made->arch, err);
    if (made->arch) snprintf(name, PG_TEXT_MAX, "%s", made->arch->name);
    return status;
}

/* Add an attack with the options of one map, and what an entry says about it, in the same map or that of its chain. */
static pg_status add_attack(pg_design_reader *r, const pg_node *map, const pg_node *entry, pg_error *err)
{
    const pg_attack *attack = pg_attack_find(pg_node_get(map, "attack")->text);
    pg_attack_options common;
    pg_design *d = r->design;
    pg_status status = pg_grow(&d->attacks, d->attack_count, sizeof *d->attacks, err);
    if (status != PG_OK) return status;
    pg_design_attack *made = &d->attacks[d->attack_count++];
    *made = (pg_design_attack){.attack = attack, .node = r->entry, .chained = -1};
    PG_TRY(pg_alloc(1, attack->options_size, &made->options, err));
    PG_TRY(pg_options_defaults(attack->options, made->options, err));
    PG_TRY(pg_preset_apply(r->preset.preset, attack->presets, attack->options, made->options, err));
    pg_options_take(attack->options, map, made->options, r->problems);
    PG_TRY(pg_options_defaults(pg_attack_table, &common, err));
    pg_options_take(pg_attack_table, entry, &common, r->problems);
    made->keep = common.keep;
    read_restriction(r, pg_node_get(entry, "schemes"), made);
    read_after(r, pg_node_get(entry, "after"), made);
    if (attack->other_data) find_other(r, map, attack->other_data(made->options), &made->other, &made->other_facts);
    PG_TRY(find_network(r, map, made, err));
done:
    return status;
}

static pg_status read_one_attack(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    return add_attack(r, map, map, err);
}

/* The attack that an item of a chain names; NULL, with a problem, if there is none or nothing can follow it. */
static const pg_attack *find_stage(pg_design_reader *r, const pg_node *item)
{
    enum { ATTACKS_MAX = 128 };
    const char *names[ATTACKS_MAX + 1] = {NULL};
    const pg_node *node = item->kind == PG_MAP ? pg_node_get(item, "attack") : NULL;
    const pg_attack *attack = node && node->kind == PG_SCALAR ? pg_attack_find(node->text) : NULL;
    for (int i = 0, n = 0; pg_attacks[i] && n < ATTACKS_MAX; i++)
        if (pg_attacks[i]->remakes || !item->next) names[n++] = pg_attacks[i]->name;
    if (attack && (attack->remakes || !item->next)) return attack;
    if (node)
        pg_problems_choice(r->problems, node, names);
    else
        pg_problems_missing(r->problems, item, "attack", "a name");
    return NULL;
}

/* Read the attacks of a chain. It applies to the schemes to which all of them apply. */
static pg_status read_chain(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    pg_design *d = r->design;
    const pg_node *list = pg_node_get(map, "chain");
    char found[PG_NODE_SHORT];
    uint64_t schemes = UINT64_MAX;
    const pg_attack *reshaping = NULL;
    int before = -1;
    pg_options_check(pg_attack_table, chain_keys, map, r->problems);
    if (list->kind != PG_LIST || list->count < 2 || list->count > PG_STAGES_MAX + 1) {
        pg_problems_add(r->problems, list, "expected a list of 2 to %d attacks, got %s of %zu", PG_STAGES_MAX + 1,
                        pg_node_describe(list, found), list->count);
        return PG_OK;
    }
    for (const pg_node *item = list->first; item; item = item->next) {
        const pg_attack *attack = find_stage(r, item);
        if (!attack) return PG_OK;
        pg_options_check(attack->options, stage_keys, item, r->problems);
        const pg_status status = add_attack(r, item, map, err);
        if (status != PG_OK) return status;
        pg_design_attack *made = &d->attacks[d->attack_count - 1];
        made->chained = before;
        made->stage = item->next;
        made->schemes = schemes &= made->schemes;
        before = d->attack_count - 1;
        if (reshaping && attack->needs && !(attack->needs & ~(unsigned)(PG_HOLDS_PASSPORTS | PG_HOLDS_AFFINES)))
            pg_problems_add(r->problems, item, "%s needs passports, which have no place in the network that %s leaves",
                            attack->name, reshaping->name);
        if (attack->reshapes && attack->reshapes(made->options)) reshaping = attack;
    }
    if (!schemes) pg_problems_add(r->problems, list, "no scheme has all of these attacks");
    return PG_OK;
}

static pg_status read_named_attack(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    const pg_node *node = pg_node_get(map, "attack");
    const pg_attack *attack = node && node->kind == PG_SCALAR ? pg_attack_find(node->text) : NULL;
    const pg_node *chain = pg_node_find(map, "chain");
    if (node && chain) {
        pg_problems_add(r->problems, chain, "expected `chain` or `attack`, not both: write `attack` in the maps of the chain");
        return PG_OK;
    }
    if (chain) return read_chain(r, map, err);
    if (attack) return pg_design_read_expanded(r, attack->options, attack_keys, map, read_one_attack, err);
    if (node)
        pg_problems_choice(r->problems, node, pg_attack_names());
    else
        pg_problems_missing(r->problems, map, "attack", "a name");
    return PG_OK;
}

pg_status pg_design_read_attack(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    return pg_design_read_kinds(r, "attack", map, read_named_attack, err);
}
