/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data sets of the second program: one of the first one's, and the worked ones. */
#include "core/data/readers.h"

#include "core/base/registry.h"

#define KINDS(X)                                                                                                               \
    X(pg_data_kind, synthetic)                                                                                                 \
    X(pg_data_kind, bars)                                                                                                      \
    X(pg_data_kind, served)

PG_REGISTRY(pg_data_kind, pg_data_kinds, KINDS)
