/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a grid can name; see catalogue.h. */
#include "experiments/commands/catalogue.h"

#include "attacks/attack.h"
#include "core/data/readers.h"
#include "core/nets/model.h"
#include "core/ownership/scheme.h"
#include "experiments/grid/presets.h"

#include <string.h>

static pg_named scheme_at(int i)
{
    const pg_scheme *s = pg_schemes[i];
    if (!s) return (pg_named){0};
    return (pg_named){.name = s->name,
                      .summary = s->summary,
                      .group = pg_scheme_groups[s->group].name,
                      .source = s->source,
                      .threat = pg_scheme_groups[s->group].threat,
                      .differs = s->differs,
                      .unbound = s->unbound,
                      .options = s->options};
}

static pg_named attack_at(int i)
{
    const pg_attack *a = pg_attacks[i];
    return a ? (pg_named){.name = a->name, .summary = a->summary, .source = a->source, .options = a->options} : (pg_named){0};
}

static pg_named network_at(int i)
{
    return pg_arch_at(i) ? (pg_named){.name = pg_arch_at(i)->name, .summary = pg_arch_at(i)->summary} : (pg_named){0};
}

static pg_named data_at(int i)
{
    return pg_data_kinds[i] ? (pg_named){.name = pg_data_kinds[i]->name, .summary = pg_data_kinds[i]->summary} : (pg_named){0};
}

static pg_named preset_at(int i)
{
    return pg_presets[i] ? (pg_named){.name = pg_presets[i], .summary = pg_preset_summaries[i]} : (pg_named){0};
}

const pg_catalogue pg_catalogues[] = {
    {"schemes", "scheme", "scheme", scheme_at},     {"attacks", "attack", "attack", attack_at},
    {"networks", "network", "network", network_at}, {"data", "data set", "data", data_at},
    {"presets", "preset", "preset", preset_at},     {0},
};

pg_named pg_catalogue_find(const pg_catalogue *list, const char *name)
{
    for (int i = 0; list->at(i).name; i++)
        if (strcmp(list->at(i).name, name) == 0) return list->at(i);
    return (pg_named){0};
}
