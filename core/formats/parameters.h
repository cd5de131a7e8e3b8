/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters: options as values, with their keys.
 *
 * As text they are "epochs=2 mode=ftal steps=[1, 2] data=''". A text that would read as a number, as several words or as
 * another parameter is written in single quotes, within which a quote is doubled. */
#ifndef PG_FORMATS_PARAMETERS_H
#define PG_FORMATS_PARAMETERS_H

#include "core/base/text_pool.h"

#include <stdbool.h>

typedef enum pg_value_type {
    PG_VALUE_NONE, /* a key without a value */
    PG_VALUE_NUMBER,
    PG_VALUE_BOOL,
    PG_VALUE_TEXT,
    PG_VALUE_NUMBERS,
} pg_value_type;

typedef struct pg_value {
    pg_value_type type;
    int count; /* of numbers */
    union {
        double number;
        bool yes;
        const char *text;
        const double *numbers; /* [count] */
    };
} pg_value;

typedef struct pg_parameter {
    const char *key;
    const char *text; /* "key=value"; "key" without a value */
    pg_value value;
} pg_parameter;

/* A list of parameters. */
typedef struct pg_parameters {
    int number, count; /* number: its place in the pool; -1: in none */
    const char *text;  /* "key=value key=value" */
    pg_parameter items[];
} pg_parameters;

/* Keeps each distinct list once, so that equal lists have one address; lists, keys and values are valid until the pool is
 * cleared. A zeroed pool is empty. */
typedef struct pg_parameter_pool {
    pg_text_pool texts; /* may hold texts of the caller too */
    pg_text_pool lists; /* the lists as texts, with the same numbers */
    int count;
    pg_parameters **items; /* [count] */
} pg_parameter_pool;

/* The list without parameters, which needs no pool. */
extern const pg_parameters pg_no_parameters;

/* Compare two values, for sorting; 0: equal. */
int pg_value_compare(const pg_value *a, const pg_value *b);

/* Value of a key; NULL if the list has none. */
const pg_value *pg_parameters_find(const pg_parameters *list, const char *key);

/* Parameters while they are collected. Items may point into rooms, which hold values that exist nowhere else. */
enum { PG_PARAMETERS_MAX = 64, PG_LIST_MAX = 32, PG_HIDDEN_MAX = 80 };
typedef struct pg_value_room {
    char text[PG_HIDDEN_MAX];
    double numbers[PG_LIST_MAX];
} pg_value_room;
typedef struct pg_parameter_draft {
    int count; /* 0: empty; the other members need no value */
    pg_parameter items[PG_PARAMETERS_MAX];
    pg_value_room rooms[PG_PARAMETERS_MAX];
} pg_parameter_draft;

/* Add a parameter of type PG_VALUE_NONE, whose key must live as long as the draft. PG_BAD_INPUT if the draft is full or has
 * the key. */
PG_CHECKED pg_status pg_parameter_add(pg_parameter_draft *draft, const char *key, pg_value **value, pg_value_room **room,
                                      pg_error *err);

/* Copy a draft into a list of the pool. Keys and texts are shown by pg_printable. */
PG_CHECKED pg_status pg_parameters_keep(pg_parameter_pool *pool, const pg_parameter_draft *draft, const pg_parameters **out,
                                        pg_error *err);

/* Read parameters from text. A value without quotes may hold spaces: the next "key=" ends it. Double quotes are read too; a
 * backslash in them is dropped. */
PG_CHECKED pg_status pg_parameters_parse(pg_parameter_pool *pool, const char *text, const pg_parameters **out, pg_error *err);

void pg_parameter_pool_clear(pg_parameter_pool *pool);

#endif
