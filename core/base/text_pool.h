/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pool keeps each distinct text once: equal texts share one pointer, and texts are numbered in the order they were added. */
#ifndef PG_BASE_TEXT_POOL_H
#define PG_BASE_TEXT_POOL_H

#include "core/base/status.h"

#include <stdarg.h>
#include <stddef.h>

typedef struct pg_text_pool {
    int count, room;             /* texts; slots */
    struct pg_kept_text **slots; /* [room] index of the texts */
    void *blocks;                /* memory that holds them */
    size_t left;                 /* free bytes in the newest block */
} pg_text_pool;

/* Add a copy of text unless the pool already has one. *kept is the copy, valid until pg_text_pool_clear; *number is its number,
 * from 0. kept and number may be NULL. A zeroed pool is empty. */
PG_CHECKED pg_status pg_text_pool_keep(pg_text_pool *texts, const char *text, const char **kept, int *number, pg_error *err);

/* The same for a text from a file, escaped by pg_printable. */
PG_CHECKED pg_status pg_text_pool_keep_printable(pg_text_pool *texts, const char *text, const char **kept, pg_error *err);

/* The same for a formatted text. */
PG_CHECKED pg_status pg_text_pool_print(pg_text_pool *texts, const char **kept, int *number, pg_error *err, const char *format,
                                        ...) PG_PRINTF(5, 6);
PG_CHECKED pg_status pg_text_pool_vprint(pg_text_pool *texts, const char **kept, int *number, pg_error *err, const char *format,
                                         va_list arguments) PG_PRINTF(5, 0);
/* Memory beside the texts, from their blocks: aligned for pointers and numbers, not zeroed, released with the pool. out:
 * address of a pointer. */
PG_CHECKED pg_status pg_text_pool_take(pg_text_pool *texts, size_t bytes, void *out, pg_error *err);

/* Release every text. The pool may be used again. */
void pg_text_pool_clear(pg_text_pool *texts);

#endif
