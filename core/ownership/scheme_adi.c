/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adi's trigger set: an ordinary network that answers secret pictures with secret labels. */
#include "core/data/triggers.h"
#include "core/ownership/binding.h"

#include <stddef.h>
#include <string.h>

enum { START_SCRATCH, START_PRETRAINED };
enum { ORDER_CYCLE, ORDER_SHUFFLE };
static const char *const starts[] = {"scratch", "pretrained", NULL};
static const char *const orders[] = {"cycle", "shuffle", NULL};

typedef struct adi_options {
    char triggers[PG_TEXT_MAX];
    int trigger_count, triggers_per_batch, order, start;
    pg_binding_options binding;
} adi_options;

static const pg_option options[] = {
    PG_FOLDER(adi_options, triggers, "generated",
              "trigger set: generated abstract images, or a folder of images with labels.txt"),
    PG_INT(adi_options, trigger_count, "100", 1, PG_TRIGGERS_MAX, NULL, "images in a generated trigger set"),
    PG_INT(adi_options, triggers_per_batch, "2", 1, 1000, NULL, "trigger images appended to every training batch"),
    PG_CHOICE(adi_options, order, "cycle", orders,
              "order of the triggers: a fixed cycle from a random start, or shuffled anew in every sweep, as in the "
              "passport authors' version of this scheme"),
    PG_CHOICE(adi_options, start, "scratch", starts,
              "train with the triggers from random weights, or continue the training of a plain network with them"),
    PG_BINDING_OPTIONS(adi_options, binding),
    {0},
};

static pg_status adi_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    (void)values;
    (void)err;
    spec->passports = 0;
    spec->public_affine = true;
    return PG_OK;
}

static bool adi_starts_pretrained(const void *values)
{
    return ((const adi_options *)values)->start == START_PRETRAINED;
}

/* seed NULL: of a generated set the shape alone. */
static pg_status adi_make_triggers(const adi_options *o, const pg_keygen *in, const pg_seed *seed, pg_dataset *out,
                                   pg_error *err)
{
    const pg_net_spec *spec = in->spec;
    const pg_status status = pg_triggers_make(o->triggers, o->trigger_count, spec->classes, seed, out, err);
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

static pg_status adi_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    (void)spec;
    (void)err;
    ((adi_options *)values)->trigger_count = evidence->triggers.count;
    return PG_OK;
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

static int adi_triggers_per_batch(const void *values)
{
    return ((const adi_options *)values)->triggers_per_batch;
}

static bool adi_triggers_in_order(const void *values)
{
    return ((const adi_options *)values)->order == ORDER_CYCLE;
}

const pg_scheme pg_scheme_adi = {
    .name = "adi",
    .summary = "a secret trigger set mixed into training; black-box verification",
    .source = "Adi, Baum, Cisse, Pinkas, Keshet, USENIX Security 2018",
    .holds = PG_HOLDS_TRIGGERS,
    .options = options,
    .options_size = sizeof(adi_options),
    .bound = {{"bound", "true"}},
    .embed = {"start", "pretrained"},
    .wire = adi_wire,
    .wants_pretrained = adi_starts_pretrained,
    .starts_pretrained = adi_starts_pretrained,
    .check = adi_check,
    .recognise = adi_recognise,
    .keygen = adi_keygen,
    .triggers_per_batch = adi_triggers_per_batch,
    .triggers_in_order = adi_triggers_in_order,
};
