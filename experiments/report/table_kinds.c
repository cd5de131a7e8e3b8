/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kinds of tables, in the order in which they are printed. A new kind takes a line here. */
#include "core/base/registry.h"
#include "experiments/report/table_kind.h"

#define KINDS(X)                                                                                                               \
    X(pg_table_kind, attacked)                                                                                                 \
    X(pg_table_kind, forged)                                                                                                   \
    X(pg_table_kind, schemes)                                                                                                  \
    X(pg_table_kind, response)                                                                                                 \
    X(pg_table_kind, equilibrium)                                                                                              \
    X(pg_table_kind, removal)                                                                                                  \
    X(pg_table_kind, measures)                                                                                                 \
    X(pg_table_kind, ambiguity)                                                                                                \
    X(pg_table_kind, forgeries)                                                                                                \
    X(pg_table_kind, claims)                                                                                                   \
    X(pg_table_kind, settings)

PG_REGISTRY(pg_table_kind, pg_table_kinds, KINDS)
