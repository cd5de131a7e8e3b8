/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kinds of figures, in the order in which they are written. A new kind takes a line here. */
#include "core/base/registry.h"
#include "experiments/report/scene.h"

#define KINDS(X)                                                                                                               \
    X(pg_figure_kind, response)                                                                                                \
    X(pg_figure_kind, learning)                                                                                                \
    X(pg_figure_kind, curve)                                                                                                   \
    X(pg_figure_kind, gamma)                                                                                                   \
    X(pg_figure_kind, forged)                                                                                                  \
    X(pg_figure_kind, dissimilarity)                                                                                           \
    X(pg_figure_kind, roc)

PG_REGISTRY(pg_figure_kind, pg_figure_kinds, KINDS)
