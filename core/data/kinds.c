/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data sets, in the order of `passgrid list data`. A new data set takes a line here. */
#include "core/data/readers.h"

#include "core/base/registry.h"

#define KINDS(X)                                                                                                               \
    X(pg_data_kind, cifar10)                                                                                                   \
    X(pg_data_kind, fashion_mnist)                                                                                             \
    X(pg_data_kind, mnist)                                                                                                     \
    X(pg_data_kind, cifar100)                                                                                                  \
    X(pg_data_kind, caltech101)                                                                                                \
    X(pg_data_kind, caltech256)                                                                                                \
    X(pg_data_kind, folder)                                                                                                    \
    X(pg_data_kind, synthetic)

PG_REGISTRY(pg_data_kind, pg_data_kinds, KINDS)
