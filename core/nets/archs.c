/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The networks, in the order of `passgrid list networks`. A new network takes a line here. */
#include "core/nets/arch.h"

#include "core/base/registry.h"

#define ARCHS(X)                                                                                                               \
    X(pg_arch, alexnet)                                                                                                        \
    X(pg_arch, resnet9)                                                                                                        \
    X(pg_arch, resnet18)                                                                                                       \
    X(pg_arch, resnet18_imagenet)

PG_REGISTRY(pg_arch, pg_archs, ARCHS)
