/* Aligned memory.
 *
 * Blocks are 64-byte aligned (a cache line, and what BLIS likes). Sizes are multiplied with an overflow check.
 * Every block is freed by pg_free; pg_memory_live() counts blocks in use, so a leak is a number. */
#ifndef PG_BASE_MEMORY_H
#define PG_BASE_MEMORY_H

#include "core/base/status.h"

#include <stddef.h>

enum { PG_ALIGN = 64 };

/* Zeroed block of count * size bytes (count 0 gives a valid block of no elements). *out is unset on failure. */
PG_CHECKED pg_status pg_alloc(size_t count, size_t size, void *out, pg_error *err);

/* Room for one more element in *items, an array of count of them that is always grown by this: it has room for a power of two.
 * Elements never used are zeroed. */
PG_CHECKED pg_status pg_grow(void *items, int count, size_t size, pg_error *err);

/* Release a block; NULL is allowed. */
void pg_free(void *block);

/* Copy of a string; released by pg_free. */
PG_CHECKED pg_status pg_strdup(const char *text, char **out, pg_error *err);

/* Blocks allocated and not freed, over all threads. */
long pg_memory_live(void);

#endif
