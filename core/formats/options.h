/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Option tables: the only truth about the keys of a map in a configuration.
 *
 * Parsing, defaults, ranges, error texts, help and the canonical text that names a task all come from one table per struct:
 *
 *   typedef struct prune { double rate; int scope; } prune;
 *   static const pg_option prune_options[] = {
 *       PG_REAL(prune, rate, "0.5", 0, 1, NULL, "share of weights that become zero"),
 *       PG_CHOICE(prune, scope, "global", scopes, "what is ranked together"),
 *       {0},
 *   };
 */
#ifndef PG_FORMATS_OPTIONS_H
#define PG_FORMATS_OPTIONS_H

#include "core/formats/parameters.h"
#include "core/formats/problems.h"

#include <float.h>
#include <stddef.h>
#include <stdio.h>

enum { PG_TEXT_MAX = 256 };

/* A lower bound that means "more than zero"; ranges are closed otherwise. */
#define PG_ABOVE_ZERO DBL_MIN

typedef enum pg_option_type {
    PG_OPT_INT,    /* int */
    PG_OPT_REAL,   /* double */
    PG_OPT_BOOL,   /* bool: true or false */
    PG_OPT_TEXT,   /* char[PG_TEXT_MAX], without control characters */
    PG_OPT_CHOICE, /* int: index into choices */
    PG_OPT_INTS,   /* pg_ints: a list in YAML, even of one */
    PG_OPT_REALS,  /* pg_reals, likewise */
} pg_option_type;

/* A list holds no value twice. */
typedef struct pg_ints {
    int count;
    int values[PG_LIST_MAX];
} pg_ints;

typedef struct pg_reals {
    int count;
    double values[PG_LIST_MAX];
} pg_reals;

typedef struct pg_option {
    const char *key;
    pg_option_type type;
    size_t offset;        /* of the member in the struct */
    const char *fallback; /* default: YAML text, for PG_OPT_TEXT the text itself; NULL: must be given (zero until then) */
    double low, high;     /* closed range of numbers, of each one in lists; both 0: any; -INFINITY and INFINITY are allowed */
    const char *const *choices; /* PG_OPT_CHOICE, ends with NULL */
    const char *unit;           /* for help; NULL if none */
    const char *help;           /* one line, lower case */
    bool folder; /* PG_OPT_TEXT: a default, or a folder pinned to its content ("PATH sha256:HEX"); the key depends on the hash
                    only */
    bool secret; /* PG_OPT_TEXT that only the owner may know: written as its SHA-256 unless revealed */
    bool later;  /* was added to the table in a later version: records and keys omit its default, so that earlier ones stay
                    valid; no list */
} pg_option;

/* Rows of a table: the member of a struct of type T, whose name is the key and whose type is the row's; then the default, the
 * closed range and the unit of numbers, the choices, and the help. PG_NUMBER and PG_OPTION name a key of their own. */
#define PG_OPTION(key_, T, member_, kind_, C, fallback_, help_)                                                                \
    .key = key_, .type = PG_OPT_##kind_,                                                                                       \
    .offset = _Generic(((T *)0)->member_, C                                                                                    \
                       : offsetof(T, member_)),                                                                                \
    .fallback = fallback_, .help = help_
#define PG_NUMBER(key, T, member, kind, C, fallback, low_, high_, unit_, help)                                                 \
    {                                                                                                                          \
        PG_OPTION(key, T, member, kind, C, fallback, help), .low = low_, .high = high_, .unit = unit_                          \
    }
#define PG_INT(T, member, ...)   PG_NUMBER(#member, T, member, INT, int, __VA_ARGS__)
#define PG_REAL(T, member, ...)  PG_NUMBER(#member, T, member, REAL, double, __VA_ARGS__)
#define PG_INTS(T, member, ...)  PG_NUMBER(#member, T, member, INTS, pg_ints, __VA_ARGS__)
#define PG_REALS(T, member, ...) PG_NUMBER(#member, T, member, REALS, pg_reals, __VA_ARGS__)
#define PG_BOOL(T, member, fallback, help)                                                                                     \
    {                                                                                                                          \
        PG_OPTION(#member, T, member, BOOL, bool, fallback, help)                                                              \
    }
#define PG_CHOICE(T, member, fallback, choices_, help)                                                                         \
    {                                                                                                                          \
        PG_OPTION(#member, T, member, CHOICE, int, fallback, help), .choices = choices_                                        \
    }
#define PG_TEXT(T, member, fallback, help)                                                                                     \
    {                                                                                                                          \
        PG_OPTION(#member, T, member, TEXT, char *, fallback, help)                                                            \
    }
#define PG_FOLDER(T, member, fallback, help)                                                                                   \
    {                                                                                                                          \
        PG_OPTION(#member, T, member, TEXT, char *, fallback, help), .folder = true                                            \
    }
#define PG_SECRET(T, member, fallback, help)                                                                                   \
    {                                                                                                                          \
        PG_OPTION(#member, T, member, TEXT, char *, fallback, help), .secret = true                                            \
    }

/* Set every member that the table names to its default. PG_FAILED if a default does not fit its own option: a fault of the
 * table. */
PG_CHECKED pg_status pg_options_defaults(const pg_option *table, void *values, pg_error *err);

/* Set one option of the table, which must have it, from a text written like a default. PG_FAILED as above. */
PG_CHECKED pg_status pg_options_set(const pg_option *table, const char *key, const char *text, void *values, pg_error *err);

/* Read a map by a table. Members whose keys are in the map are set, the others keep their values (so call pg_options_defaults
 * before). Wrong types, values out of range, missing keys without default, and entries that neither the table nor an earlier
 * reader (pg_node_get) asked for become problems; their members keep their values. map NULL is an empty map. */
void pg_options_read(const pg_option *table, const pg_node *map, void *values, pg_problems *problems);

/* The same in two parts, for a map that several tables share: each table takes its own keys, then the unknown ones are
 * reported. tables and keys end with NULL. keys are further keys that the map may have, and may be NULL. */
void pg_options_take(const pg_option *table, const pg_node *map, void *values, pg_problems *problems);
void pg_options_unknown(const pg_option *const *tables, const char *const *keys, const pg_node *map, pg_problems *problems);

/* Value of a number, or length of a list. NaN if the table has no number or list of that key. */
double pg_option_amount(const pg_option *table, const char *key, const void *values);

/* Read one option of a struct from a node of any place; the same problems. */
void pg_option_read(const pg_option *option, const pg_node *node, void *values, pg_problems *problems);

/* Multiplying out a map: a list in place of the single value of an option is an axis and stands for one map per item. Entries
 * for list options and keys outside the table stay as they are. An empty list is no axis; reading reports it.
 *
 * count: the number of these maps. each: call visit for at most `most` of them, in an order in which the first axis of the
 * document changes slowest. A map is valid during its visit and shares positions, paths, texts and lists with the original.
 * Stops at the first status other than PG_OK. */
double pg_options_count(const pg_option *table, const pg_node *map);
typedef pg_status pg_options_visit(void *context, const pg_node *map, pg_error *err);
PG_CHECKED pg_status pg_options_each(const pg_option *table, const pg_node *map, size_t most, pg_options_visit *visit,
                                     void *context, pg_error *err);

/* Check a map before it is multiplied out: reports keys that are neither in the table nor in keys (ends with NULL), items of an
 * axis that do not fit their option, and items that an axis holds twice. */
void pg_options_check(const pg_option *table, const char *const *keys, const pg_node *map, pg_problems *problems);

/* Report every repeated value in a list of an option, because one result would count as several. Compares numbers by value: 50
 * and 50.0 are the same. */
void pg_options_repeats(const pg_option *option, const pg_node *list, pg_problems *problems);

/* Compare two structs of the table, for sorting. 0 if every option has the same value, or a folder with the same content. */
int pg_options_compare(const pg_option *table, const void *a, const void *b);

/* The reader of a written struct, from the least to the most trusted. */
typedef enum pg_reveal {
    PG_REVEAL_CONTENT, /* records and keys: "sha256:HEX" in place of folders and secrets */
    PG_REVEAL_PLACES,  /* the user's own configuration: folders with their paths */
    PG_REVEAL_ALL,     /* a worker: secrets too */
} pg_reveal;

/* Do records and keys omit this option, because it came later and has its default? */
bool pg_option_omitted(const pg_option *option, const void *values);

/* The value of one option of a struct. It may point into the struct and into *room. */
void pg_option_value(const pg_option *option, const void *values, pg_reveal reveal, pg_value_room *room, pg_value *out);

/* Write a struct as entries added to a map of tree: every option of the table in its order and canonical spelling. The same
 * values give the same bytes. */
PG_CHECKED pg_status pg_options_write(const pg_option *table, const void *values, pg_reveal reveal, pg_tree *tree, pg_node *map,
                                      pg_error *err);

/* Does a struct hold anything that PG_REVEAL_CONTENT hides? If not, every reader gets the same text. */
bool pg_options_hide(const pg_option *table, const void *values);

/* Entry of a table by key, or NULL. */
const pg_option *pg_options_find(const pg_option *table, const char *key);

/* Two lines per option: key, what it takes, default, unit; its help. */
void pg_options_help(const pg_option *table, FILE *stream);

#endif
