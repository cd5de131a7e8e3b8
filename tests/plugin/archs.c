/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The networks of the second program: one of the first one's, and the worked one. */
#include "core/nets/arch.h"

#include "core/base/registry.h"

#define ARCHS(X)                                                                                                               \
    X(pg_arch, resnet9)                                                                                                        \
    X(pg_arch, lenet)

PG_REGISTRY(pg_arch, pg_archs, ARCHS)
