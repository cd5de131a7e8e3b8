/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Aligned memory.
 *
 * Blocks are aligned to 64 bytes, a cache line, which also suits BLIS. Sizes are multiplied with an overflow check. The caller
 * frees every block with pg_free; pg_memory_live() counts the blocks in use, so that tests find leaks. */
#ifndef PG_BASE_MEMORY_H
#define PG_BASE_MEMORY_H

#include "core/base/status.h"

#include <stddef.h>

enum { PG_ALIGN = 64 };

/* Zeroed block of count * size bytes (count 0 gives a valid block of no elements). *out is unset on failure. */
PG_CHECKED pg_status pg_alloc(size_t count, size_t size, void *out, pg_error *err);

/* Make room for one more element in *items, an array of count elements that only this function grows. Its capacity is a power
 * of two; unused elements are zero. */
PG_CHECKED pg_status pg_grow(void *items, int count, size_t size, pg_error *err);

/* Release a block; NULL is allowed. */
void pg_free(void *block);

/* Copy a string; the caller frees *out with pg_free. */
PG_CHECKED pg_status pg_strdup(const char *text, char **out, pg_error *err);

/* Number of blocks allocated and not yet freed, by all threads. */
long pg_memory_live(void);

#endif
