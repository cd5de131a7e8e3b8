/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees of nodes; see node.h. A tree's memory is a list of blocks, freed with the tree. */
#include "core/formats/node.h"

#include "core/base/memory.h"
#include "core/formats/number.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct pg_tree_block {
    struct pg_tree_block *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

enum { BLOCK_BYTES = 1 << 14 };

pg_status pg_tree_create(pg_tree **out, pg_error *err)
{
    return pg_alloc(1, sizeof **out, out, err);
}

void pg_tree_destroy(pg_tree **tree)
{
    if (!*tree) return;
    for (struct pg_tree_block *block = (*tree)->blocks, *next; block; block = next) {
        next = block->next;
        pg_free(block);
    }
    pg_free(*tree);
    *tree = NULL;
}

pg_status pg_tree_alloc(pg_tree *tree, size_t bytes, void *out, pg_error *err)
{
    if (bytes > SIZE_MAX / 2) return pg_fail(err, PG_NO_MEMORY, "%zu bytes do not fit in memory", bytes);
    const size_t need = (bytes / alignof(max_align_t) + 1) * alignof(max_align_t);
    struct pg_tree_block *block = tree->blocks;
    if (!block || block->size - block->used < need) {
        const size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
        const pg_status status = pg_alloc(1, sizeof *block + size, &block, err);
        if (status != PG_OK) return status;
        block->size = size;
        block->next = tree->blocks;
        tree->blocks = block;
    }
    void *const at = block->data + block->used;
    block->used += need;
    memcpy(out, &at, sizeof at);
    return PG_OK;
}

pg_status pg_tree_text(pg_tree *tree, const char *text, size_t length, const char **out, pg_error *err)
{
    char *copy = NULL;
    const pg_status status = pg_tree_alloc(tree, length + 1, &copy, err);
    if (status != PG_OK) return status;
    memcpy(copy, text, length);
    *out = copy;
    return PG_OK;
}

pg_node *pg_node_find(const pg_node *map, const char *key)
{
    if (!map || map->kind != PG_MAP) return NULL;
    for (pg_node *entry = map->first; entry; entry = entry->next)
        if (strcmp(entry->key, key) == 0) return entry;
    return NULL;
}

pg_node *pg_node_get(const pg_node *map, const char *key)
{
    pg_node *entry = pg_node_find(map, key);
    if (entry) entry->used = true;
    return entry;
}

pg_node *pg_node_at(const pg_node *parent, size_t i)
{
    pg_node *child = i < parent->count ? parent->first : NULL;
    while (child && i-- > 0) child = child->next;
    return child;
}

bool pg_node_is_null(const pg_node *node)
{
    if (node->kind != PG_SCALAR || node->quoted) return false;
    return node->text[0] == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

void pg_node_link(pg_node *parent, pg_node *child)
{
    child->parent = parent;
    child->index = parent->count++;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

pg_status pg_node_add(pg_tree *tree, pg_node *parent, const char *key, pg_node_kind kind, const char *text, pg_node **out,
                      pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *node = NULL;
    if (key && pg_node_find(parent, key)) return pg_fail(err, PG_BAD_INPUT, "duplicate key '%s'", key);
    PG_TRY(pg_tree_alloc(tree, sizeof *node, &node, err));
    node->kind = kind;
    node->source = parent ? parent->source : "";
    node->text = "";
    if (key) PG_TRY(pg_tree_text(tree, key, strlen(key), &node->key, err));
    if (text) PG_TRY(pg_tree_text(tree, text, strlen(text), &node->text, err));
    if (parent) pg_node_link(parent, node);
    if (out) *out = node;
done:
    return status;
}

pg_status pg_node_add_text(pg_tree *tree, pg_node *parent, const char *key, const char *text, pg_error *err)
{
    pg_node *node = NULL;
    const pg_status status = pg_node_add(tree, parent, key, PG_SCALAR, text, &node, err);
    if (status == PG_OK) node->quoted = true;
    return status;
}

pg_status pg_node_copy(pg_tree *tree, const pg_node *node, pg_node **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *copy = NULL;
    PG_TRY(pg_tree_alloc(tree, sizeof *copy, &copy, err));
    *copy = *node;
    copy->first = copy->last = copy->next = NULL;
    copy->count = 0;
    for (const pg_node *child = node->first; child; child = child->next) {
        pg_node *child_copy = NULL;
        PG_TRY(pg_node_copy(tree, child, &child_copy, err));
        pg_node_link(copy, child_copy);
    }
    *out = copy;
done:
    return status;
}

void pg_node_replace(pg_node *target, const pg_node *value)
{
    target->kind = value->kind;
    target->quoted = value->quoted;
    target->text = value->text;
    target->source = value->source;
    target->line = value->line;
    target->column = value->column;
    target->key_line = target->key_column = 0;
    target->first = value->first;
    target->last = value->last;
    target->count = value->count;
    for (pg_node *child = target->first; child; child = child->next) child->parent = target;
}

static const char *where(const char *source, int line, int column, char out[PG_NODE_PATH])
{
    if (line > 0)
        snprintf(out, PG_NODE_PATH, "%.*s:%d:%d", PG_NODE_PATH - 32, source, line, column);
    else
        snprintf(out, PG_NODE_PATH, "%s", source);
    return out;
}

const char *pg_node_where(const pg_node *node, char out[PG_NODE_PATH])
{
    return where(node->source, node->line, node->column, out);
}

const char *pg_node_where_key(const pg_node *node, char out[PG_NODE_PATH])
{
    return where(node->source, node->key_line, node->key_column, out);
}

const char *pg_node_path(const pg_node *node, char out[PG_NODE_PATH])
{
    const pg_node *chain[PG_NODE_DEPTH];
    int depth = 0;
    for (; node && node->parent && depth < PG_NODE_DEPTH; node = node->parent) chain[depth++] = node;
    size_t used = 0;
    out[0] = 0;
    while (depth-- > 0 && used < PG_NODE_PATH - 1) {
        const pg_node *step = chain[depth];
        const char *dot = used > 0 ? "." : "";
        if (step->key)
            snprintf(out + used, PG_NODE_PATH - used, "%s%s", dot, step->key);
        else
            snprintf(out + used, PG_NODE_PATH - used, "%s%zu", dot, step->index);
        used += strlen(out + used);
    }
    return out;
}

/* Write text to out in double quotes, cut after a whole character within `limit` bytes. Control characters become '?'. */
static void quote(const char *text, size_t limit, char *out)
{
    size_t length = strlen(text);
    const bool cut = length > limit;
    if (cut)
        for (length = limit; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;) length--;
    *out++ = '"';
    for (size_t i = 0; i < length; i++) *out++ = (unsigned char)text[i] < ' ' ? '?' : text[i];
    strcpy(out, cut ? "...\"" : "\"");
}

const char *pg_node_describe(const pg_node *node, char out[PG_NODE_SHORT])
{
    enum { LIMIT = PG_NODE_SHORT - 16 };
    double number;
    const bool numeric = node->kind == PG_SCALAR && strlen(node->text) < LIMIT && pg_number_real(node->text, &number);
    if (node->kind == PG_LIST)
        strcpy(out, node->count ? "a list" : "an empty list");
    else if (node->kind == PG_MAP)
        strcpy(out, "a map");
    else if (pg_node_is_null(node))
        strcpy(out, "nothing");
    else if (numeric && !node->quoted)
        strcpy(out, node->text);
    else {
        const char *prefix = numeric ? "quoted " : "";
        strcpy(out, prefix);
        quote(node->text, LIMIT, out + strlen(prefix));
    }
    return out;
}
