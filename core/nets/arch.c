/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding networks; see arch.h. */
#include "core/nets/arch.h"

#include "core/base/registry.h"

PG_REGISTRY_FIND(pg_arch, pg_archs, pg_arch_find)
PG_REGISTRY_NAMES(pg_archs, pg_arch_names)
