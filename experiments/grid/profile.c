/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles; see profile.h. */
#include "experiments/grid/profile.h"

#include <string.h>

/* Override the entries of `map` by those of `over`, which keep their positions in the file. */
static pg_status merge(pg_tree *tree, pg_node *map, const pg_node *over, pg_error *err)
{
    pg_status status = PG_OK;
    for (const pg_node *entry = over->first; entry; entry = entry->next) {
        pg_node *there = pg_node_find(map, entry->key), *copy = NULL;
        if (there && there->kind == PG_MAP && entry->kind == PG_MAP) {
            PG_TRY(merge(tree, there, entry, err));
            continue;
        }
        PG_TRY(pg_node_copy(tree, entry, &copy, err));
        if (!there) {
            pg_node_link(map, copy);
            continue;
        }
        pg_node_replace(there, copy);
        there->key_line = entry->key_line;
        there->key_column = entry->key_column;
    }
done:
    return status;
}

/* Check every profile, used or not: it must be a map of top-level keys. */
static void check(const pg_node *profiles, const char *const *known, pg_problems *problems)
{
    char found[PG_NODE_SHORT];
    if (profiles->kind != PG_MAP) {
        pg_problems_add(problems, profiles, "expected a map of profiles, got %s", pg_node_describe(profiles, found));
        return;
    }
    for (const pg_node *profile = profiles->first; profile; profile = profile->next) {
        if (profile->kind != PG_MAP)
            pg_problems_add(problems, profile, "expected a map, got %s", pg_node_describe(profile, found));
        for (const pg_node *entry = profile->kind == PG_MAP ? profile->first : NULL; entry; entry = entry->next) {
            int k = 0;
            while (known[k] && strcmp(known[k], entry->key) != 0) k++;
            if (!known[k]) pg_problems_unknown(problems, entry, known);
        }
    }
}

static void complain_of_choice(const pg_node *choice, const pg_node *profiles, pg_problems *problems)
{
    enum { NAMES_MAX = 64 };
    const char *names[NAMES_MAX + 1] = {NULL};
    const pg_node *profile = profiles && profiles->kind == PG_MAP ? profiles->first : NULL;
    if (!profile) {
        pg_problems_add(problems, choice, "this configuration has no profiles");
        return;
    }
    for (int i = 0; profile && i < NAMES_MAX; profile = profile->next) names[i++] = profile->key;
    pg_problems_choice(problems, choice, names);
}

pg_status pg_profile_apply(pg_tree *tree, const char *const *known, pg_problems *problems, pg_error *err)
{
    if (!tree->root || tree->root->kind != PG_MAP) return PG_OK;
    const pg_node *profiles = pg_node_get(tree->root, "profiles"), *choice = pg_node_get(tree->root, "profile");
    if (profiles) check(profiles, known, problems);
    if (!choice || pg_node_is_null(choice)) return PG_OK;
    const pg_node *profile = choice->kind == PG_SCALAR ? pg_node_find(profiles, choice->text) : NULL;
    if (profile && profile->kind == PG_MAP) return merge(tree, tree->root, profile, err);
    if (!profile) complain_of_choice(choice, profiles, problems);
    return PG_OK;
}
