/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML files, by libyaml, as trees of nodes with positions.
 *
 * The reader accepts a plain subset: one document of maps, lists and scalars in UTF-8. Duplicate keys, keys that are not
 * scalars, anchors, aliases, tags, directives, several documents, control characters, more than PG_NODE_DEPTH levels,
 * PG_NODE_KEYS keys in a map or PG_YAML_BYTES bytes are errors (PG_BAD_INPUT) of the form "file:line:column: ...". */
#ifndef PG_FORMATS_YAML_H
#define PG_FORMATS_YAML_H

#include "core/formats/node.h"

enum { PG_YAML_BYTES = 1 << 20 };

/* Read a file (see pg_file_read_text), or a text, with name in place of the path in positions. The root may be of any kind. */
PG_CHECKED pg_status pg_yaml_parse_file(const char *path, pg_tree **out, pg_error *err);
PG_CHECKED pg_status pg_yaml_parse_text(const char *text, const char *name, pg_tree **out, pg_error *err);

/* Apply "a.b.c=value": the value is YAML (nothing after '=' is null), a step into a list is an index that exists, missing keys
 * of maps are created, blanks around keys are dropped. Positions of new nodes read "--set a.b.c=value". A failure leaves the
 * tree unchanged. */
PG_CHECKED pg_status pg_yaml_set(pg_tree *tree, const char *assignment, pg_error *err);

typedef enum pg_yaml_style {
    PG_YAML_BLOCK, /* for files: one key per line, lists of scalars as [a, b], numbers as every YAML reads them (1.0e-05 for
                      1e-05); ends with a newline */
    PG_YAML_FLOW,  /* one line without a newline: {a: 1, b: [x, y]} */
} pg_yaml_style;

/* Write a node and everything below it, in order. Scalars are quoted only if a reader would otherwise take them for something
 * else. The same tree gives the same bytes; parsing them gives the same tree, apart from the spelling of numbers. The caller
 * frees *text with pg_free. */
PG_CHECKED pg_status pg_yaml_emit(const pg_node *node, pg_yaml_style style, char **text, pg_error *err);

#endif
