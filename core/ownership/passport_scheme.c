/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Code that the passport schemes share; see passport_scheme.h. */
#include "core/ownership/passport_scheme.h"

#include "core/data/triggers.h"
#include "core/nets/choice.h"

#include <stddef.h>
#include <string.h>

static const char *const carriers[] = {"pretrained", "random", NULL};
static const char *const statistics[] = {"batch", "running", NULL};
static const char *const pictures[] = {"test", "triggers", NULL};

#define PASSPORT_OPTIONS                                                                                                       \
    PG_CHOICE(pg_passport_options, passport, "shuffle", pg_passport_kinds,                                                     \
              "source of the passports: uniform noise, one image, or channels shuffled from several images"),                  \
        PG_INT(pg_passport_options, images, "20", 1, 1000, NULL, "distinct images from which a shuffle passport is drawn"),    \
        PG_CHOICE(pg_passport_options, carrier, "pretrained", carriers,                                                        \
                  "plain network through which the passport images go: trained, or with random weights"),                      \
        PG_CHOICE(                                                                                                             \
            pg_passport_options, carrier_statistics, "batch", statistics,                                                      \
            "statistics of the carrier's batch norm: those of the passport images, as in the reference, or the running ones"), \
        PG_CHOICE(pg_passport_options, pictures, "test", pictures,                                                             \
                  "source of the passport images: the test set or the trigger set"),                                           \
        PG_REAL(pg_passport_options, alpha, "0.1", 0, 100, NULL, "weight of the hinge in the sign loss"),                      \
        PG_SECRET(                                                                                                             \
            pg_passport_options, signature, "",                                                                                \
            "text signed into every passport layer, 8 bits a character; file:PATH signs a file's bytes; the rest is random"),  \
        PG_TEXT(pg_passport_options, layers, "default",                                                                        \
                "passport layers: default, all, first N or last N convolutions in the network's order, or names separated by " \
                "spaces, such as \"features.4 features.6\""),                                                                  \
        PG_FOLDER(pg_passport_options, triggers, "generated",                                                                  \
                  "trigger set: generated abstract images, or a folder of images with labels.txt"),                            \
        PG_INT(pg_passport_options, trigger_count, "100", 1, PG_TRIGGERS_MAX, NULL, "images in a generated trigger set"),      \
        PG_BINDING_OPTIONS(pg_passport_options, binding)

const pg_option pg_passport_table[] = {PASSPORT_OPTIONS, {0}};
const pg_option pg_passport_trigger_table[] = {
    PASSPORT_OPTIONS,
    PG_INT(pg_passport_options, triggers_per_batch, "2", 0, 1000, NULL, "trigger images appended to every training batch"),
    {0},
};

/* ---- passport layers ---- */

pg_status pg_passport_layers(const pg_passport_options *options, pg_net_spec *spec, pg_error *err)
{
    return pg_choice_read(options->layers, spec, pg_arch_possible_passports(spec->arch), pg_arch_default_passports(spec->arch),
                          &spec->passports, err);
}

pg_status pg_passport_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    pg_passport_options *options = values;
    for (int i = 0; pg_passport_kinds[i]; i++)
        if (strcmp(pg_passport_kinds[i], evidence->kind) == 0) options->passport = i;
    if (evidence->triggers.count) options->trigger_count = evidence->triggers.count;
    return pg_choice_write(spec, spec->passports, pg_arch_possible_passports(spec->arch), pg_arch_default_passports(spec->arch),
                           options->layers, err);
}

pg_status pg_passport_two_branches(const void *options, pg_net_spec *spec, pg_error *err)
{
    spec->private_affine = true;
    return pg_passport_layers(options, spec, err);
}

bool pg_passport_wants_pretrained(const void *values)
{
    const pg_passport_options *options = values;
    return options->passport != PG_PASSPORT_RANDOM && options->carrier == 0;
}

/* ---- key generation ---- */

/* The carrier: the pretrained network, or a network with random weights. The reference uses random weights if it was given no
 * network (and then its AlexNet has no norm). */
static pg_status make_carrier(const pg_passport_options *options, const pg_keygen *in, pg_model **own, pg_model **carrier,
                              pg_error *err)
{
    if (options->carrier == 0) {
        *carrier = in->pretrained;
        return in->pretrained ? PG_OK : pg_fail(err, PG_BAD_INPUT, "passports from images need a pretrained plain network");
    }
    const pg_net_spec spec = pg_net_spec_unmarked(in->spec);
    const pg_status status = pg_model_create(&spec, own, err);
    if (status != PG_OK) return status;
    pg_model_initialise(*own, in->seed, "carrier");
    *carrier = *own;
    return PG_OK;
}

static pg_status draw_passports(const pg_passport_options *options, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *own = NULL;
    pg_passport_maker *maker = NULL;
    pg_passport_source source = {.kind = (pg_passport_kind)options->passport,
                                 .images = options->images,
                                 .carrier_branch = PG_PUBLIC,
                                 .carrier_mode = options->carrier_statistics == 0 ? PG_BATCH : PG_EVAL,
                                 .pictures = options->pictures == 0 ? &in->data->test : &evidence->triggers,
                                 .pixels = in->pixels};
    pg_rng rng;
    if (source.kind != PG_PASSPORT_RANDOM) PG_TRY(make_carrier(options, in, &own, &source.carrier, err));
    PG_TRY(pg_passport_maker_create(&source, &maker, err));
    pg_rng_open(&rng, in->seed, "passports", 0);
    PG_TRY(pg_passports_draw(maker, evidence, &rng, err));
    pg_rng_open(&rng, in->seed, "signature", 0);
    PG_TRY(pg_signature_draw(evidence, options->signature, &rng, err));
done:
    pg_passport_maker_destroy(&maker);
    pg_model_destroy(&own);
    return status;
}

static pg_status check_signature(const pg_passport_options *options, const pg_net_spec *spec, pg_error *err)
{
    pg_evidence *evidence = NULL;
    if (!options->signature[0]) return PG_OK;
    pg_status status = pg_evidence_create(spec, "", pg_passport_kinds[options->passport], &evidence, err); /* for its sizes */
    if (status == PG_OK) status = pg_signature_check(evidence, options->signature, err);
    pg_evidence_destroy(&evidence);
    return status;
}

static bool wants_triggers(const pg_passport_options *options, const pg_keygen *in)
{
    return options->pictures == 1 || in->scheme->holds & PG_HOLDS_TRIGGERS;
}

static pg_status check_binding(const pg_passport_options *options, const pg_keygen *in, pg_error *err)
{
    if (options->binding.bound && options->signature[0])
        return pg_fail(err, PG_BAD_INPUT,
                       "signature: that of bound evidence follows from the secret; put the text in statement");
    if (options->binding.bound && in->scheme->holds & PG_HOLDS_TRIGGERS && strcmp(options->triggers, "generated") != 0)
        return pg_fail(err, PG_BAD_INPUT, "triggers: those of bound evidence follow from the secret and cannot be a folder");
    return PG_OK;
}

pg_status pg_passport_check(const void *values, const pg_keygen *in, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_passport_options *options = values;
    pg_dataset triggers = {0};
    const pg_dataset *from = options->pictures == 0 ? &in->data->test : &triggers;
    if (wants_triggers(options, in))
        PG_TRY(pg_scheme_triggers(options->triggers, options->trigger_count, in, NULL, &triggers, err));
    PG_TRY(pg_passport_pictures((pg_passport_kind)options->passport, options->images, from, err));
    PG_TRY(check_signature(options, in->spec, err));
    PG_TRY(check_binding(options, in, err));
done:
    pg_dataset_clear(&triggers);
    return status;
}

const char *pg_passport_kind_of(const void *options)
{
    return pg_passport_kinds[((const pg_passport_options *)options)->passport];
}

pg_status pg_passport_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const pg_passport_options *options = values;
    pg_status status = PG_OK;
    if (wants_triggers(options, in))
        PG_TRY(pg_scheme_triggers(options->triggers, options->trigger_count, in, &in->seed, &evidence->triggers, err));
    PG_TRY(draw_passports(options, in, evidence, err));
    if (!(in->scheme->holds & PG_HOLDS_TRIGGERS)) pg_dataset_clear(&evidence->triggers);
done:
    return status;
}

/* ---- sign loss ---- */

double pg_sign_loss(double alpha, const pg_evidence *evidence, pg_net *net)
{
    const double margin = 0.1, decay = 1e-5;
    double total = 0;
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_passport *p = &evidence->passports[i];
        const pg_real *gamma = pg_net_gamma(net, i);
        pg_real *gradient = pg_net_gamma_gradient(net, i);
        for (int o = 0; o < p->outputs; o++) {
            const double g = (double)gamma[o], short_of = margin - p->b[o] * g;
            total += (short_of > 0 ? alpha * short_of : 0) + decay * g * g;
            gradient[o] += (pg_real)((short_of > 0 ? -alpha * p->b[o] : 0) + 2 * decay * g);
        }
    }
    return total;
}

double pg_passport_regulariser(const void *options, const pg_evidence *evidence, const pg_model *model, pg_net *net)
{
    (void)model;
    return pg_sign_loss(((const pg_passport_options *)options)->alpha, evidence, net);
}

double pg_passport_regulariser_v1(const void *options, const pg_evidence *evidence, const pg_model *model, pg_net *net)
{
    const pg_passport_options *o = options;
    return o->alpha > 0 ? pg_passport_regulariser(o, evidence, model, net) : 0;
}
