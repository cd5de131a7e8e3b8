/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding schemes; see scheme.h. */
#include "core/ownership/scheme.h"

#include "core/base/registry.h"

const pg_scheme_group_text pg_scheme_groups[] = {
    [PG_CONTROL] = {"control", NULL},
    [PG_PASSPORTS] = {"passports",
                      "the judge reads the weights with the owner's passports; the thief has the network as deployed"},
    [PG_WHITE_BOX] = {"white box", "the judge reads the weights; the thief may change them and knows the method, not the key"},
    [PG_BLACK_BOX] = {"black box",
                      "the judge asks the network; the thief may change it and knows the method, not the pictures"},
};

PG_REGISTRY_FIND(pg_scheme, pg_schemes, pg_scheme_find)
PG_REGISTRY_NAMES(pg_schemes, pg_scheme_names)

const pg_scheme *pg_scheme_holding(unsigned holds)
{
    for (int i = 0; pg_schemes[i]; i++)
        if (pg_schemes[i]->holds == holds) return pg_schemes[i];
    return NULL;
}
