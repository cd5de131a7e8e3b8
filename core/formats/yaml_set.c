/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Assignments to a tree, KEY=VALUE, from the command line; see yaml.h. */
#include "core/base/memory.h"
#include "core/formats/number.h"
#include "core/formats/yaml_internal.h"

#include <stdio.h>
#include <string.h>

/* Trim blanks, in place. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    for (size_t n = strlen(text); n > 0 && strchr(" \t", text[n - 1]); n--) text[n - 1] = 0;
    return text;
}

/* Split "a.b.c" in place at its dots, and trim blanks around each key. */
static pg_status split_path(char *path, const char *source, char *steps[PG_NODE_DEPTH], int *count, pg_error *err)
{
    *count = 0;
    for (char *step = path; step;) {
        char *dot = strchr(step, '.');
        if (dot) *dot++ = 0;
        step = trimmed(step);
        if (step[0] == 0) return pg_fail(err, PG_BAD_INPUT, "%s: expected KEY=VALUE, but a key is empty", source);
        if (*count == PG_NODE_DEPTH - 1)
            return pg_fail(err, PG_BAD_INPUT, "%s: nested deeper than %d levels", source, PG_NODE_DEPTH);
        steps[(*count)++] = step;
        step = dot;
    }
    return PG_OK;
}

/* The child that a step names; *out is NULL if it is a key that a map does not have yet. */
static pg_status take_step(const pg_node *node, const char *step, const char *source, pg_node **out, pg_error *err)
{
    char path[PG_NODE_PATH], found[PG_NODE_SHORT];
    long long index = 0;
    *out = NULL;
    if (pg_node_is_null(node)) return PG_OK;
    if (node->kind == PG_MAP) {
        *out = pg_node_find(node, step);
        if (!*out && node->count == PG_NODE_KEYS)
            return pg_fail(err, PG_BAD_INPUT, "%s: more than %d keys in one map", source, PG_NODE_KEYS);
        return PG_OK;
    }
    pg_node_path(node, path);
    if (node->kind == PG_SCALAR)
        return pg_fail(err, PG_BAD_INPUT, "%s: %s: expected a map or a list, got %s", source, path,
                       pg_node_describe(node, found));
    if (!pg_number_int(step, &index) || index < 0 || (size_t)index >= node->count)
        return pg_fail(err, PG_BAD_INPUT, "%s: %s: expected an index below %zu, got '%s'", source, path, node->count, step);
    *out = pg_node_at(node, (size_t)index);
    return PG_OK;
}

/* Add value below node at steps[0].steps[1]. ..., and the maps on the way. Links the chain to node when it is complete. */
static pg_status create_steps(pg_tree *tree, pg_node *node, char *const *steps, int count, pg_node *value, pg_error *err)
{
    for (int i = count - 1; i >= 0; i--) {
        pg_node *map = NULL;
        pg_status status = pg_tree_text(tree, steps[i], strlen(steps[i]), &value->key, err);
        if (status == PG_OK && i > 0) status = pg_node_add(tree, NULL, NULL, PG_MAP, NULL, &map, err);
        if (status != PG_OK) return status;
        if (i == 0) break;
        map->source = value->source;
        pg_node_link(map, value);
        value = map;
    }
    if (node->kind != PG_MAP) pg_node_replace(node, &(pg_node){.kind = PG_MAP, .text = "", .source = value->source});
    pg_node_link(node, value);
    return PG_OK;
}

static pg_status assign(pg_tree *tree, char *const *steps, int count, pg_node *value, pg_error *err)
{
    pg_node *node = tree->root;
    for (int i = 0; i < count; i++) {
        pg_node *next = NULL;
        const pg_status status = take_step(node, steps[i], value->source, &next, err);
        if (status != PG_OK) return status;
        if (!next) return create_steps(tree, node, steps + i, count - i, value, err);
        node = next;
    }
    pg_node_replace(node, value);
    return PG_OK;
}

pg_status pg_yaml_set(pg_tree *tree, const char *assignment, pg_error *err)
{
    enum { SHOWN = 120 };
    pg_status status = PG_OK;
    char *path = NULL, *steps[PG_NODE_DEPTH], source[SHOWN + 16];
    const char *kept = NULL;
    int count = 0;
    pg_node *value = NULL;
    const char *equals = strchr(assignment, '=');
    if (strlen(assignment) > SHOWN)
        snprintf(source, sizeof source, "--set %.*s...", SHOWN, assignment);
    else
        snprintf(source, sizeof source, "--set %s", assignment);
    PG_TRY(pg_yaml_check(assignment, strlen(assignment), source, false, err));
    if (!equals)
        return pg_fail(err, PG_BAD_INPUT, "%s: expected KEY=VALUE, such as train.epochs=2 or networks.0.width=0.5", source);
    PG_TRY(pg_strdup(assignment, &path, err));
    path[equals - assignment] = 0;
    PG_TRY(split_path(path, source, steps, &count, err));
    PG_TRY(pg_tree_text(tree, source, strlen(source), &kept, err));
    if (equals[1 + strspn(equals + 1, " \t")] == 0)
        PG_TRY(pg_node_add(tree, NULL, NULL, PG_SCALAR, NULL, &value, err));
    else
        PG_TRY(pg_yaml_read(tree, equals + 1, strlen(equals + 1), kept, false, count + 1, &value, err));
    value->source = kept;
    PG_TRY(assign(tree, steps, count, value, err));
done:
    pg_free(path);
    return status;
}
