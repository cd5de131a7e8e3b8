/* A list of what is wrong with a configuration.
 *
 * Readers add a line for each problem and go on, so that the user sees up to 20 at once:
 *   configs/x.yaml:14:7: attacks.0.rate: expected a number in [0, 1], got "high"
 * Ignores repeated lines. Adding cannot fail and needs no heap. Zero-initialise; about 10 kB. */
#ifndef PG_FORMATS_PROBLEMS_H
#define PG_FORMATS_PROBLEMS_H

#include "core/formats/node.h"

#include <stdio.h>

enum { PG_PROBLEMS_MAX = 20, PG_PROBLEM_BYTES = 512 };

typedef struct pg_problems {
    int count;                                     /* all that were found */
    char lines[PG_PROBLEMS_MAX][PG_PROBLEM_BYTES]; /* the first of them; no newlines; long ones are cut */
} pg_problems;

/* A problem with a node's value, at its position: "where: path: " and the message. */
void pg_problems_add(pg_problems *problems, const pg_node *node, const char *format, ...) PG_PRINTF(3, 4);

/* A map lacks a key: "where: path.key: expected ..., got nothing". */
void pg_problems_missing(pg_problems *problems, const pg_node *map, const char *key, const char *expected);

/* An entry's key is not one of known (ends with NULL), of which the nearest is suggested. */
void pg_problems_unknown(pg_problems *problems, const pg_node *entry, const char *const *known);

/* A text is not one of known, which should say what a text names: "expected one of a, b; did you mean 'a'?" */
void pg_problems_choice(pg_problems *problems, const pg_node *node, const char *const *known);

/* PG_OK if there are none; else PG_BAD_INPUT and a message with the name of what was read, their number, and the first. */
PG_CHECKED pg_status pg_problems_status(const pg_problems *problems, const char *name, pg_error *err);

/* All lines kept, and how many more there are, to stream. */
void pg_problems_print(const pg_problems *problems, FILE *stream);

/* The one of known (ends with NULL) with the smallest edit distance to word, without regard to case; NULL if none is near. */
const char *pg_nearest(const char *word, const char *const *known);

/* "a, b, c" into out; returns out. Long ones are cut. */
const char *pg_join(const char *const *words, char *out, size_t bytes);

#endif
