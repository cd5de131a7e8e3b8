/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schemes of the second program: two of the first one's, and the worked one. */
#include "core/ownership/scheme.h"

#include "core/base/registry.h"

#define SCHEMES(X)                                                                                                             \
    X(pg_scheme, plain)                                                                                                        \
    X(pg_scheme, v2)                                                                                                           \
    X(pg_scheme, patch)

PG_REGISTRY(pg_scheme, pg_schemes, SCHEMES)
