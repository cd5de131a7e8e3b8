/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An arena hands out consecutive parts of one block of elements. Without a block it only counts: the code that places the parts
 * runs twice, first to learn the size of the block and then to get the addresses. */
#ifndef PG_COMPUTE_ARENA_H
#define PG_COMPUTE_ARENA_H

#include "core/base/real.h"

#include <stddef.h>

typedef struct pg_arena {
    pg_real *base; /* NULL: count only */
    size_t used;   /* elements handed out */
} pg_arena;

/* Room for count elements, or NULL if the arena only counts. Parts are multiples of 16 elements, so they begin at a cache line
 * if the block does. */
static inline pg_real *pg_arena_take(pg_arena *arena, size_t count)
{
    pg_real *at = arena->base ? arena->base + arena->used : NULL;
    arena->used += (count + 15) / 16 * 16;
    return at;
}

#endif
