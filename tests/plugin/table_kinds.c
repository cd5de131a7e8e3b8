/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of the second program: two of the first one's, and the worked one. */
#include "core/base/registry.h"
#include "experiments/report/table_kind.h"

#define KINDS(X)                                                                                                               \
    X(pg_table_kind, removal)                                                                                                  \
    X(pg_table_kind, ambiguity)                                                                                                \
    X(pg_table_kind, schemes)                                                                                                  \
    X(pg_table_kind, networks)

PG_REGISTRY(pg_table_kind, pg_table_kinds, KINDS)
