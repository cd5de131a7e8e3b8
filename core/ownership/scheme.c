/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all schemes share; see scheme.h. */
#include "core/ownership/scheme.h"

#include "core/base/registry.h"
#include "core/data/triggers.h"
#include "core/ownership/binding.h"
#include "core/ownership/mark.h"

#include <string.h>

const pg_scheme_group_text pg_scheme_groups[] = {
    [PG_CONTROL] = {"control", NULL},
    [PG_PASSPORTS] =
        {"passports",
         "the judge has the weights and the owner's passports; the thief has the network as deployed, may change it, "
         "and knows the method, not what the owner keeps secret"},
    [PG_WHITE_BOX] =
        {"white box",
         "the judge has the weights and the owner's key; the thief has the weights, may change them, and knows the "
         "method, not the key"},
    [PG_BLACK_BOX] =
        {"black box",
         "the judge has the network's answers and the owner's pictures; the thief has the weights, may change them, "
         "and knows the method, not the pictures"},
};

PG_REGISTRY_FIND(pg_scheme, pg_schemes, pg_scheme_find)
PG_REGISTRY_NAMES(pg_schemes, pg_scheme_names)

const pg_scheme *pg_scheme_holding(unsigned holds)
{
    for (int i = 0; pg_schemes[i]; i++)
        if (pg_schemes[i]->holds == holds) return pg_schemes[i];
    return NULL;
}

const char *const pg_scheme_starts[] = {"scratch", "pretrained", NULL};

pg_status pg_scheme_wire(const pg_scheme *scheme, const void *options, pg_net_spec *spec, pg_error *err)
{
    *spec = pg_net_spec_unmarked(spec);
    return scheme->wire ? scheme->wire(options, spec, err) : PG_OK;
}

bool pg_scheme_starts_pretrained(const pg_scheme *scheme, const void *options)
{
    pg_value_room room;
    pg_value value;
    if (!scheme->embed.key) return false;
    pg_option_value(pg_options_find(scheme->options, scheme->embed.key), options, PG_REVEAL_ALL, &room, &value);
    return strcmp(value.text, scheme->embed.text) == 0;
}

bool pg_scheme_wants_pretrained(const pg_scheme *scheme, const void *options)
{
    return pg_scheme_starts_pretrained(scheme, options) || (scheme->wants_pretrained && scheme->wants_pretrained(options));
}

/* NULL if the scheme's evidence cannot be bound. */
static const pg_binding_options *binding_of(const pg_scheme *scheme, const void *options)
{
    return scheme->bound[0].key ? (const pg_binding_options *)((const char *)options + scheme->binding) : NULL;
}

pg_status pg_scheme_check(const void *options, const pg_keygen *in, pg_error *err)
{
    const pg_scheme *s = in->scheme;
    const pg_binding_options *binding = binding_of(s, options);
    const pg_status status = s->check ? s->check(options, in, err) : PG_OK;
    return status == PG_OK && binding
               ? pg_binding_options_check(binding, s->holds == PG_HOLDS_TRIGGERS ? NULL : s->kind(options), err)
               : status;
}

pg_status pg_scheme_keygen(const void *options, const pg_keygen *in, pg_evidence **out, pg_error *err)
{
    const pg_scheme *s = in->scheme;
    const pg_binding_options *binding = binding_of(s, options);
    pg_status status = PG_OK;
    pg_evidence *evidence = NULL;
    if (!s->keygen) return PG_OK;
    PG_TRY(pg_evidence_create(in->spec, s->name, s->kind(options), &evidence, err));
    PG_TRY(s->keygen(options, in, evidence, err));
    if (binding) PG_TRY(pg_binding_apply(binding, in, evidence, err));
    PG_TRY(pg_mark_check_rows(&evidence->mark, err));
    *out = evidence;
    evidence = NULL;
done:
    pg_evidence_destroy(&evidence);
    return status;
}

pg_status pg_scheme_triggers(const char *source, int count, const pg_keygen *in, const pg_seed *seed, pg_dataset *out,
                             pg_error *err)
{
    const pg_net_spec *spec = in->spec;
    const pg_status status = pg_triggers_make(source, count, spec->image_height, spec->classes, seed, out, err);
    return status == PG_OK ? pg_dataset_fits(out, spec->image_height, spec->image_width, spec->classes, err) : status;
}
