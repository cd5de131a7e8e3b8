/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The problems of a configuration.
 *
 * A reader adds a line for each problem and continues, so that the user sees up to 20 at once:
 *   configs/x.yaml:14:7: attacks.0.rate: expected a number in [0, 1], got "high"
 * Ignores repeated lines. Adding cannot fail and needs no heap. Zero-initialise; about 10 kB. */
#ifndef PG_FORMATS_PROBLEMS_H
#define PG_FORMATS_PROBLEMS_H

#include "core/formats/node.h"

#include <stdio.h>

enum { PG_PROBLEMS_MAX = 20, PG_PROBLEM_BYTES = 512 };

typedef struct pg_problems {
    int count;                                     /* of all problems found */
    char lines[PG_PROBLEMS_MAX][PG_PROBLEM_BYTES]; /* the first problems, without newlines; long lines are cut */
} pg_problems;

/* A problem with a node's value, at its position: "where: path: " and the message. */
void pg_problems_add(pg_problems *problems, const pg_node *node, const char *format, ...) PG_PRINTF(3, 4);

/* A problem "of: message" with a node's value, unless the node has the same message of something else, such as another network.
 */
void pg_problems_add_once(pg_problems *problems, const pg_node *node, const char *of, const char *message);

/* A map lacks a key: "where: path.key: expected ..., got nothing". */
void pg_problems_missing(pg_problems *problems, const pg_node *map, const char *key, const char *expected);

/* The key of an entry is not one of known (ended by NULL). Suggests the nearest one. */
void pg_problems_unknown(pg_problems *problems, const pg_node *entry, const char *const *known);

/* A text is not one of known (ended by NULL): "expected one of a, b, got "c", did you mean 'a'?" */
void pg_problems_choice(pg_problems *problems, const pg_node *node, const char *const *known);

/* Add the problems of another reader, such as that of a file that the configuration names. */
void pg_problems_join(pg_problems *problems, const pg_problems *more);

/* PG_OK if there are no problems; else PG_BAD_INPUT. The message is the only problem, or name, the number of problems and the
 * first one. */
PG_CHECKED pg_status pg_problems_status(const pg_problems *problems, const char *name, pg_error *err);

/* Print the kept lines and the number of further problems to stream. */
void pg_problems_print(const pg_problems *problems, FILE *stream);

/* The word of known (ended by NULL) with the smallest edit distance to word, ignoring case; NULL if none is near. */
const char *pg_nearest(const char *word, const char *const *known);

/* Join words (ended by NULL) to "a, b, c" in out [bytes]; a long list is cut. Returns out. */
const char *pg_join(const char *const *words, char *out, size_t bytes);

#endif
