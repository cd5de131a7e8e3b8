/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schemes, by group, in the order of `passgrid list schemes`. A new scheme takes a line here. */
#include "core/ownership/scheme.h"

#include "core/base/registry.h"

#define SCHEMES(X)                                                                                                             \
    X(pg_scheme, plain)                                                                                                        \
    X(pg_scheme, v1)                                                                                                           \
    X(pg_scheme, v2)                                                                                                           \
    X(pg_scheme, v3)                                                                                                           \
    X(pg_scheme, pan)                                                                                                          \
    X(pg_scheme, uchida)                                                                                                       \
    X(pg_scheme, neuralmark)                                                                                                   \
    X(pg_scheme, greedy)                                                                                                       \
    X(pg_scheme, deepmarks)                                                                                                    \
    X(pg_scheme, stdm)                                                                                                         \
    X(pg_scheme, laplacian)                                                                                                    \
    X(pg_scheme, deepsigns)                                                                                                    \
    X(pg_scheme, riga)                                                                                                         \
    X(pg_scheme, hufunet)                                                                                                      \
    X(pg_scheme, adi)                                                                                                          \
    X(pg_scheme, zhang)                                                                                                        \
    X(pg_scheme, frontier)                                                                                                     \
    X(pg_scheme, ewe)                                                                                                          \
    X(pg_scheme, margin)                                                                                                       \
    X(pg_scheme, deepsigns_black)                                                                                              \
    X(pg_scheme, blackmarks)

PG_REGISTRY(pg_scheme, pg_schemes, SCHEMES)
