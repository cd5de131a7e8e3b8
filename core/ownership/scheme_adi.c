/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adi's trigger set: an ordinary network that answers secret pictures with secret labels. */
#include "core/ownership/binding.h"
#include "core/ownership/trigger_scheme.h"

#include <stddef.h>
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
    PG_SCHEME_START(adi_options, common.start, "scratch"),
    PG_BINDING_OPTIONS(adi_options, binding),
    PG_TRIGGER_PERTURBATION(adi_options, common),
    {0},
};

static const char *adi_kind(const void *values)
{
    return strcmp(((const adi_options *)values)->triggers, "generated") == 0 ? "generated" : "folder";
}

static pg_status adi_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const adi_options *o = values;
    pg_dataset triggers = {0};
    const pg_status status = pg_scheme_triggers(o->triggers, o->common.trigger_count, in, NULL, &triggers, err);
    pg_dataset_clear(&triggers);
    return status;
}

static pg_status adi_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const adi_options *o = values;
    return pg_scheme_triggers(o->triggers, o->common.trigger_count, in, &in->seed, &evidence->triggers, err);
}

const pg_scheme pg_scheme_adi = {
    .name = "adi",
    .summary = "a secret trigger set mixed into training",
    .source = "Adi, Baum, Cisse, Pinkas, Keshet, USENIX Security 2018",
    .differs = "the pictures are generated unless a folder of them is given",
    PG_TRIGGER_MEMBERS,
    .options_size = sizeof(adi_options),
    .bound = {{"bound", "true"}},
    .binding = offsetof(adi_options, binding),
    .check = adi_check,
    .recognise = pg_trigger_recognise,
    .kind = adi_kind,
    .keygen = adi_keygen,
    .trigger_passes = pg_trigger_passes,
    .before = pg_trigger_before,
    .triggers_apart = pg_trigger_apart,
    .scratch = pg_trigger_scratch,
};
