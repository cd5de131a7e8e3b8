/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adi's trigger set: an ordinary network that answers secret pictures with secret labels. */
#include "core/data/triggers.h"
#include "core/ownership/binding.h"
#include "core/ownership/trigger_scheme.h"

#include <string.h>

typedef struct adi_options {
    pg_trigger_options common;
    char triggers[PG_TEXT_MAX];
    pg_binding_options binding;
} adi_options;

static const pg_option options[] = {
    PG_FOLDER(adi_options, triggers, "generated",
              "trigger set: generated abstract images, or a folder of images with labels.txt"),
    PG_TRIGGER_OPTIONS(adi_options, common, "images in a generated trigger set", "2"),
    PG_TRIGGER_START(adi_options, common, "scratch"),
    PG_BINDING_OPTIONS(adi_options, binding),
    {0},
};

/* seed NULL: of a generated set the shape alone. */
static pg_status adi_make_triggers(const adi_options *o, const pg_keygen *in, const pg_seed *seed, pg_dataset *out,
                                   pg_error *err)
{
    const pg_net_spec *spec = in->spec;
    const pg_status status = pg_triggers_make(o->triggers, o->common.trigger_count, spec->classes, seed, out, err);
    return status == PG_OK ? pg_dataset_fits(out, spec->image_height, spec->image_width, spec->classes, err) : status;
}

static const char *adi_kind(const adi_options *o)
{
    return strcmp(o->triggers, "generated") == 0 ? "generated" : "folder";
}

static pg_status adi_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const adi_options *o = values;
    pg_dataset triggers = {0};
    const pg_status status = adi_make_triggers(o, in, NULL, &triggers, err);
    pg_dataset_clear(&triggers);
    return status == PG_OK ? pg_binding_options_check(&o->binding, adi_kind(o), err) : status;
}

static pg_status adi_keygen(const void *values, const pg_keygen *in, pg_evidence **out, pg_error *err)
{
    const adi_options *o = values;
    pg_status status = PG_OK;
    pg_evidence *evidence = NULL;
    PG_TRY(pg_evidence_create(in->spec, in->scheme->name, adi_kind(o), &evidence, err));
    PG_TRY(adi_make_triggers(o, in, &in->seed, &evidence->triggers, err));
    PG_TRY(pg_binding_apply(&o->binding, in, evidence, err));
    *out = evidence;
    evidence = NULL;
done:
    pg_evidence_destroy(&evidence);
    return status;
}

const pg_scheme pg_scheme_adi = {
    .name = "adi",
    .summary = "a secret trigger set mixed into training",
    .source = "Adi, Baum, Cisse, Pinkas, Keshet, USENIX Security 2018",
    .differs = "the pictures are generated unless a folder of them is given",
    .group = PG_BLACK_BOX,
    .holds = PG_HOLDS_TRIGGERS,
    .options = options,
    .options_size = sizeof(adi_options),
    .bound = {{"bound", "true"}},
    .embed = {"start", "pretrained"},
    .wire = pg_trigger_wire,
    .wants_pretrained = pg_trigger_starts_pretrained,
    .starts_pretrained = pg_trigger_starts_pretrained,
    .check = adi_check,
    .recognise = pg_trigger_recognise,
    .keygen = adi_keygen,
    .triggers_per_batch = pg_trigger_per_batch,
    .triggers_in_order = pg_trigger_in_order,
};
