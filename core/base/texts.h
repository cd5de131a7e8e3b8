/* A set of texts, each kept once: equal texts are one pointer, and each text has the number of its first appearance. */
#ifndef PG_BASE_TEXTS_H
#define PG_BASE_TEXTS_H

#include "core/base/status.h"

#include <stddef.h>

typedef struct pg_texts {
    int count;
    void *tree, *blocks; /* where texts are found, and where they are */
    size_t left;         /* bytes of the newest block */
} pg_texts;

/* Keep a copy of text, or find it. *kept stays valid until pg_texts_clear; *number counts from 0. Both may be NULL. A zeroed
 * set is empty. */
PG_CHECKED pg_status pg_texts_keep(pg_texts *texts, const char *text, const char **kept, int *number, pg_error *err);

/* The same for a text as pg_printable shows it: of a file, for readers. */
PG_CHECKED pg_status pg_texts_keep_printable(pg_texts *texts, const char *text, const char **kept, pg_error *err);

/* The same for a text made by printf. */
PG_CHECKED pg_status pg_texts_print(pg_texts *texts, const char **kept, int *number, pg_error *err, const char *format, ...)
    PG_PRINTF(5, 6);

/* Release every text. The set may be used again. */
void pg_texts_clear(pg_texts *texts);

#endif
