/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of data sets; see data_entry.h. */
#include "experiments/grid/data_entry.h"

#include "core/data/readers.h"
#include "core/formats/yaml.h"

#include <string.h>

enum { NAME_LONGEST = 48 };

const pg_option *pg_picture_table(void)
{
    return pg_options_find(pg_data_table, "path");
}

/* Labels and file names contain the name. */
static bool is_plain(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return name[0] && name[0] != '.' && strspn(name, letters) == strlen(name) && strlen(name) <= NAME_LONGEST;
}

/* A data set of the program's own takes no keys for pictures. */
static bool check_known(const pg_data_options *o, const pg_node *name, const pg_node *entry, pg_problems *problems)
{
    if (!pg_data_kind_find(o->name)) {
        pg_problems_choice(problems, name, pg_data_kind_names());
        return false;
    }
    for (const pg_node *n = entry ? entry->first : NULL; n; n = n->next)
        if (pg_options_find(pg_picture_table(), n->key) && strcmp(n->key, "path") != 0) {
            pg_problems_add(problems, n, "has no effect without `path`");
            return false;
        }
    return true;
}

bool pg_data_entry_check(const pg_data_options *o, const pg_node *name, const pg_node *entry, pg_problems *problems)
{
    const pg_data_kind *kind = pg_data_kind_find(o->name);
    if (!o->pictures.path[0]) return check_known(o, name, entry, problems);
    if (kind && kind != &pg_data_kind_folder)
        pg_problems_add(problems, name, "passgrid knows a data set of this name: choose another one, or omit `path`");
    else if (!is_plain(o->name))
        pg_problems_add(problems, name, "expected at most %d letters, digits, '.', '_' and '-' for a folder's name",
                        NAME_LONGEST);
    else
        return true;
    return false;
}

static pg_status read_map(const pg_node *map, pg_data_options *out, pg_problems *problems, pg_error *err)
{
    static const char *const keys[] = {"name", NULL};
    const pg_option *const tables[] = {pg_picture_table(), NULL};
    char found[PG_NODE_SHORT];
    if (map->kind != PG_MAP) {
        pg_problems_add(problems, map, "expected {name: NAME, path: DIR}, got %s", pg_node_describe(map, found));
        return pg_problems_status(problems, "--data", err);
    }
    const pg_node *name = pg_node_get(map, "name");
    if (name) pg_option_read(pg_options_find(pg_data_table, "name"), name, out, problems);
    pg_options_take(pg_picture_table(), map, out, problems);
    pg_options_unknown(tables, keys, map, problems);
    if (!problems->count) (void)pg_data_entry_check(out, name ? name : map, map, problems);
    return pg_problems_status(problems, "--data", err);
}

pg_status pg_data_entry_read(const char *word, pg_data_options *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    pg_problems problems;
    problems.count = 0;
    PG_TRY(pg_options_defaults(pg_data_table, out, err));
    snprintf(out->name, sizeof out->name, "%s", word[0] == '{' ? "folder" : word);
    if (word[0] != '{') goto done;
    PG_TRY(pg_yaml_parse_text(word, "--data", &tree, err));
    PG_TRY(read_map(tree->root, out, &problems, err));
done:
    pg_tree_destroy(&tree);
    return status;
}
