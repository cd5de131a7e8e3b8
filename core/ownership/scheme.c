/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding schemes; see scheme.h. */
#include "core/ownership/scheme.h"

#include "core/base/registry.h"

PG_REGISTRY_FIND(pg_scheme, pg_schemes, pg_scheme_find)
PG_REGISTRY_NAMES(pg_schemes, pg_scheme_names)

const pg_scheme *pg_scheme_holding(unsigned holds)
{
    for (int i = 0; pg_schemes[i]; i++)
        if (pg_schemes[i]->holds == holds) return pg_schemes[i];
    return NULL;
}
