/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding attacks, and the functions that an attack may leave out; see attack.h. */
#include "attacks/attack.h"

#include "core/base/registry.h"

PG_REGISTRY_NAMES(pg_attacks, pg_attack_names)
static PG_REGISTRY_FIND(pg_attack, pg_attacks, find_present)

    const pg_attack *pg_attack_find(const char *name)
{
    const pg_attack *found = find_present(name);
    for (int i = 0; !found && pg_attacks[i]; i++) {
        const char *former = pg_attacks[i]->former_name;
        if (former && strcmp(former, name) == 0) found = pg_attacks[i];
    }
    return found;
}

char *pg_attack_network(const pg_attack *attack, void *options)
{
    const pg_option *option = attack->network ? pg_options_find(attack->options, attack->network) : NULL;
    char *name = option ? (char *)options + option->offset : NULL;
    return name && strcmp(name, option->fallback) != 0 ? name : NULL;
}

pg_attack_cost pg_attack_cost_of(const pg_attack *attack, const void *options, double train, int classes)
{
    const pg_option *table = attack->options;
    const pg_attack_costs *keys = &attack->costs;
    const double images = keys->images ? pg_option_amount(table, keys->images, options) : train,
                 share = keys->share ? pg_option_amount(table, keys->share, options) / 100 : 1, used = share * images,
                 epochs = keys->epochs ? pg_option_amount(table, keys->epochs, options) : 0,
                 shown = keys->shown ? keys->shown(options, used, classes) : 0;
    return (pg_attack_cost){.trained = epochs * (1 + pg_attack_references(attack, options)) * used + shown,
                            .outcomes = keys->outcomes ? pg_option_amount(table, keys->outcomes, options) : 1};
}

int pg_attack_references(const pg_attack *attack, const void *options)
{
    return attack->costs.networks ? (int)pg_option_amount(attack->options, attack->costs.networks, options) : 0;
}

double pg_attack_progress(const pg_attack *attack, const void *state)
{
    return attack->progress ? attack->progress(state) : 0;
}

pg_status pg_attack_evidence(const pg_net_spec *spec, unsigned holds, const char *kind, pg_evidence **out, pg_error *err)
{
    const pg_scheme *claimed = pg_scheme_holding(holds);
    return pg_evidence_create(spec, claimed ? claimed->name : "", kind, out, err);
}

pg_status pg_attack_passports(const pg_evidence *from, pg_evidence **out, pg_error *err)
{
    const pg_status status = pg_evidence_clone(from, out, err);
    if (status != PG_OK) return status;
    (*out)->binding = (pg_binding){0};
    pg_dataset_clear(&(*out)->triggers);
    return PG_OK;
}
