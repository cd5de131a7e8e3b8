/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared parts of the files that implement yaml.h. */
#ifndef PG_FORMATS_YAML_INTERNAL_H
#define PG_FORMATS_YAML_INTERNAL_H

#include "core/formats/yaml.h"

#include <stdbool.h>
#include <stddef.h>

/* PG_BAD_INPUT unless text [bytes] is UTF-8 without control characters. Messages begin with the source and, if numbered, line
 * and column. */
PG_CHECKED pg_status pg_yaml_check(const char *text, size_t bytes, const char *source, bool numbered, pg_error *err);

/* Parse text into nodes in the tree's memory. *out is their root, which is not linked to the tree and counts as a node at the
 * given depth. source is borrowed as long as the tree; numbered: the user can find lines and columns in the source. */
PG_CHECKED pg_status pg_yaml_read(pg_tree *tree, const char *text, size_t bytes, const char *source, bool numbered, int depth,
                                  pg_node **out, pg_error *err);

#endif
