/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A design written back as a grid file; see design.h. */
#include "experiments/grid/design.h"

#include "core/formats/yaml.h"
#include "core/nets/arch_file.h"

#include <stdio.h>

static pg_status add_map(pg_tree *tree, pg_node *parent, const char *key, const pg_option *table, const void *values,
                         pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *map;
    PG_TRY(pg_node_add(tree, parent, key, PG_MAP, NULL, &map, err));
    PG_TRY(pg_options_write(table, values, PG_REVEAL_PLACES, tree, map, err));
done:
    return status;
}

static pg_status add_data(const pg_design *d, pg_tree *tree, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *list, *map;
    PG_TRY(pg_node_add(tree, tree->root, "data", PG_LIST, NULL, &list, err));
    for (int i = 0; i < d->data_count; i++) {
        const pg_data_choice *choice = &d->data[i].choice;
        pg_data_options options = {
            .half = choice->half, .train = choice->train, .test = choice->test, .pictures = choice->pictures};
        snprintf(options.name, sizeof options.name, "%s", choice->name);
        PG_TRY(pg_node_add(tree, list, NULL, PG_MAP, NULL, &map, err));
        PG_TRY(pg_options_write(pg_data_table, &options, choice->pictures.path[0] ? PG_REVEAL_PLACES : PG_REVEAL_CONTENT, tree,
                                map, err));
    }
done:
    return status;
}

/* Can a grid name the network? It cannot if only the file of a model has its rows; the reader then finds it there again. */
static bool can_name(const pg_network_options *o)
{
    return pg_arch_names_file(o->arch) || pg_arch_find(o->arch) == o->found;
}

static pg_status add_networks(const pg_design *d, pg_tree *tree, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *list = NULL;
    for (int i = 0; i < d->network_count; i++) {
        if (!can_name(&d->networks[i].options)) continue;
        if (!list) PG_TRY(pg_node_add(tree, tree->root, "networks", PG_LIST, NULL, &list, err));
        PG_TRY(add_map(tree, list, NULL, pg_network_table, &d->networks[i].options, err));
    }
done:
    return status;
}

static pg_status add_schemes(const pg_design *d, pg_tree *tree, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *list, *map;
    PG_TRY(pg_node_add(tree, tree->root, "schemes", PG_LIST, NULL, &list, err));
    for (int i = 0; i < d->scheme_count; i++) {
        const pg_design_scheme *s = &d->schemes[i];
        PG_TRY(pg_node_add(tree, list, NULL, PG_MAP, NULL, &map, err));
        PG_TRY(pg_node_add_text(tree, map, "scheme", s->scheme->name, err));
        if (s->supplied.model_sha256[0]) {
            PG_TRY(pg_options_write(pg_source_table, &s->supplied.files, PG_REVEAL_PLACES, tree, map, err));
            continue;
        }
        PG_TRY(pg_options_write(s->scheme->options, s->options, PG_REVEAL_PLACES, tree, map, err));
        PG_TRY(add_map(tree, map, "train", pg_train_table, &s->train, err));
    }
done:
    return status;
}

/* Write an attack's name and options to a map, or to a new one in the list of its chain. */
static pg_status add_attack(pg_tree *tree, pg_node *chain, const pg_design_attack *a, pg_node *map, pg_error *err)
{
    pg_status status = PG_OK;
    if (chain) PG_TRY(pg_node_add(tree, chain, NULL, PG_MAP, NULL, &map, err));
    PG_TRY(pg_node_add_text(tree, map, "attack", a->attack->name, err));
    PG_TRY(pg_options_write(a->attack->options, a->options, PG_REVEAL_PLACES, tree, map, err));
    if (a->arch)
        pg_node_replace(pg_node_find(map, a->attack->network),
                        &(pg_node){.kind = PG_SCALAR, .quoted = true, .source = "", .text = a->network});
done:
    return status;
}

static pg_status add_attacks(const pg_design *d, pg_tree *tree, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *list, *map, *names, *chain = NULL;
    if (!d->attack_count) return PG_OK;
    PG_TRY(pg_node_add(tree, tree->root, "attacks", PG_LIST, NULL, &list, err));
    for (int i = 0; i < d->attack_count; i++) {
        const pg_design_attack *a = &d->attacks[i];
        const bool chained = a->stage || a->chained >= 0;
        if (a->chained < 0) PG_TRY(pg_node_add(tree, list, NULL, PG_MAP, NULL, &map, err));
        if (chained && a->chained < 0) PG_TRY(pg_node_add(tree, map, "chain", PG_LIST, NULL, &chain, err));
        PG_TRY(add_attack(tree, chained ? chain : NULL, a, map, err));
        if (a->stage) continue;
        PG_TRY(pg_options_write(pg_attack_table, &(pg_attack_options){.keep = a->keep}, PG_REVEAL_PLACES, tree, map, err));
        if (a->after) PG_TRY(pg_node_add_text(tree, map, "after", a->after->name, err));
        if (a->all_schemes) continue;
        PG_TRY(pg_node_add(tree, map, "schemes", PG_LIST, NULL, &names, err));
        for (int k = 0; pg_schemes[k]; k++)
            if (a->schemes >> k & 1) PG_TRY(pg_node_add_text(tree, names, NULL, pg_schemes[k]->name, err));
    }
done:
    return status;
}

static pg_status add_independent(const pg_design *d, pg_tree *tree, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *list;
    if (!d->independent_count) return PG_OK;
    PG_TRY(pg_node_add(tree, tree->root, "independent", PG_LIST, NULL, &list, err));
    for (int i = 0; i < d->independent_count; i++)
        PG_TRY(add_map(tree, list, NULL, pg_independent_table, &d->independent[i].options, err));
done:
    return status;
}

pg_status pg_design_write(const pg_design *design, char **text, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    PG_TRY(pg_tree_create(&tree, err));
    PG_TRY(pg_node_add(tree, NULL, NULL, PG_MAP, NULL, &tree->root, err));
    PG_TRY(pg_options_write(pg_grid_table, &design->grid, PG_REVEAL_PLACES, tree, tree->root, err));
    PG_TRY(add_data(design, tree, err));
    PG_TRY(add_networks(design, tree, err));
    PG_TRY(add_map(tree, tree->root, "train", pg_train_table, &design->train, err));
    PG_TRY(add_schemes(design, tree, err));
    PG_TRY(add_attacks(design, tree, err));
    PG_TRY(add_independent(design, tree, err));
    PG_TRY(add_map(tree, tree->root, "verify", pg_verify_table, &design->verify, err));
    PG_TRY(pg_yaml_emit(tree->root, PG_YAML_BLOCK, text, err));
done:
    pg_tree_destroy(&tree);
    return status;
}
