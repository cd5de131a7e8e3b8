/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The smaller and the larger of two numbers. */
#ifndef PG_BASE_MINMAX_H
#define PG_BASE_MINMAX_H

#include <stddef.h>

static inline int pg_min(int a, int b)
{
    return a < b ? a : b;
}

static inline int pg_max(int a, int b)
{
    return a > b ? a : b;
}

static inline size_t pg_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t pg_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
