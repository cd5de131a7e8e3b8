/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Aligned memory; see memory.h. */
#include "core/base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_long live;

pg_status pg_alloc(size_t count, size_t size, void *out, pg_error *err)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - PG_ALIGN)
        return pg_fail(err, PG_NO_MEMORY, "%zu elements of %zu bytes do not fit in memory", count, size);
    bytes = (bytes / PG_ALIGN + 1) * PG_ALIGN;
    void *block = aligned_alloc(PG_ALIGN, bytes);
    if (!block) return pg_fail(err, PG_NO_MEMORY, "out of memory (%zu bytes)", bytes);
    memset(block, 0, bytes);
    atomic_fetch_add(&live, 1);
    memcpy(out, &block, sizeof block);
    return PG_OK;
}

pg_status pg_grow(void *items, int count, size_t size, pg_error *err)
{
    void *old, *more = NULL;
    if (count & (count - 1)) return PG_OK;
    const pg_status status = pg_alloc(count ? 2 * (size_t)count : 1, size, &more, err);
    if (status != PG_OK) return status;
    memcpy(&old, items, sizeof old);
    if (count) memcpy(more, old, (size_t)count * size);
    memcpy(items, &more, sizeof more);
    pg_free(old);
    return PG_OK;
}

void pg_free(void *block)
{
    if (!block) return;
    atomic_fetch_sub(&live, 1);
    free(block);
}

pg_status pg_strdup(const char *text, char **out, pg_error *err)
{
    const size_t bytes = strlen(text) + 1;
    pg_status status = pg_alloc(bytes, 1, out, err);
    if (status == PG_OK) memcpy(*out, text, bytes);
    return status;
}

long pg_memory_live(void)
{
    return atomic_load(&live);
}
