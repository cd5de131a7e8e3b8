/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A configuration as a tree of nodes; each node knows its position in the source.
 *
 * A node is a scalar (text), a list or a map. Callers may read the members of a node. A tree owns its nodes and texts and frees
 * them together. Children are a linked list: `for (pg_node *n = map->first; n; n = n->next)`. Keys of a map are unique and in
 * document order. */
#ifndef PG_FORMATS_NODE_H
#define PG_FORMATS_NODE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum pg_node_kind { PG_SCALAR, PG_LIST, PG_MAP } pg_node_kind;

typedef struct pg_node {
    pg_node_kind kind;
    bool quoted;              /* scalar: written in quotes, so a text and never a number */
    bool used;                /* entry of a map: a reader asked for it; an entry that stays unused is an unknown key */
    int line, column;         /* of the value, from 1; 0 if the source has no lines (--set, or made by the program) */
    int key_line, key_column; /* of the key, likewise */
    const char *source;       /* file, or "--set a.b=1" */
    const char *key;          /* entry of a map, else NULL */
    const char *text;         /* scalar: its text, else "" */
    size_t index;             /* place among its siblings, from 0 */
    size_t count;             /* children */
    struct pg_node *parent, *first, *last, *next;
} pg_node;

enum {
    PG_NODE_DEPTH = 64,  /* levels of a tree, the root being the first */
    PG_NODE_KEYS = 1024, /* keys of one map */
    PG_NODE_PATH = 256,  /* buffers for pg_node_path and pg_node_where */
    PG_NODE_SHORT = 64,  /* buffer for pg_node_describe */
};

typedef struct pg_tree {
    pg_node *root;
    struct pg_tree_block *blocks; /* the memory of everything in the tree */
} pg_tree;

/* Create a tree without nodes (root NULL); destroy a tree. */
PG_CHECKED pg_status pg_tree_create(pg_tree **out, pg_error *err);
void pg_tree_destroy(pg_tree **tree);

/* Zeroed memory that the tree owns. pg_tree_text: a copy of the first `length` bytes of text in such memory, ended by a zero
 * byte. */
PG_CHECKED pg_status pg_tree_alloc(pg_tree *tree, size_t bytes, void *out, pg_error *err);
PG_CHECKED pg_status pg_tree_text(pg_tree *tree, const char *text, size_t length, const char **out, pg_error *err);

/* Entry of a map by key, marked as used; NULL if there is none, or if map is NULL or no map. */
pg_node *pg_node_get(const pg_node *map, const char *key);
/* The same, without the mark. */
pg_node *pg_node_find(const pg_node *map, const char *key);
/* Child i of a list or map; NULL outside. */
pg_node *pg_node_at(const pg_node *parent, size_t i);

/* An unquoted scalar that is empty, ~ or null: `key:` with nothing after it. */
bool pg_node_is_null(const pg_node *node);

/* Add a child at the end of parent, which is a list (key NULL) or a map (key is copied; PG_BAD_INPUT if the map has it). With
 * parent NULL the node has no parent, as tree->root. text is copied; it is NULL for lists and maps. out may be NULL. */
PG_CHECKED pg_status pg_node_add(pg_tree *tree, pg_node *parent, const char *key, pg_node_kind kind, const char *text,
                                 pg_node **out, pg_error *err);
/* Add a text, which pg_yaml_emit quotes if it would read as something else. */
PG_CHECKED pg_status pg_node_add_text(pg_tree *tree, pg_node *parent, const char *key, const char *text, pg_error *err);

/* Copy node and all nodes below it, with keys, marks and positions. The copy is not linked to a parent but keeps node's parent
 * and index, so that its path stays the same. It shares the texts, so node must belong to this tree or to one that outlives it.
 */
PG_CHECKED pg_status pg_node_copy(pg_tree *tree, const pg_node *node, pg_node **out, pg_error *err);

/* Give target the value (kind, text, children, source) of a node without a parent; target keeps its key and place. */
void pg_node_replace(pg_node *target, const pg_node *value);
/* Make a node without a parent the last child of parent. */
void pg_node_link(pg_node *parent, pg_node *child);

/* Position of the value or of the key: "configs/x.yaml:14:7" or "--set a.b=1". Path: "attacks.0.rate", empty for the root. All
 * return out; long texts are cut. */
const char *pg_node_where(const pg_node *node, char out[PG_NODE_PATH]);
const char *pg_node_where_key(const pg_node *node, char out[PG_NODE_PATH]);
const char *pg_node_path(const pg_node *node, char out[PG_NODE_PATH]);

/* The value of a node, for messages: `1.5`, `"high"`, `quoted "1.5"`, `a list`, `nothing`. */
const char *pg_node_describe(const pg_node *node, char out[PG_NODE_SHORT]);

#endif
