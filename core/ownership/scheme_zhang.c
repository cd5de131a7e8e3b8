/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zhang's trigger sets: training images with a stamp on them or noise in them, or pictures that have nothing to do with the
 * task. With one label for all of them the mark is a backdoor; with a random label for each it is a trigger set like Adi's. */
#include "core/data/triggers.h"
#include "core/ownership/binding.h"
#include "core/ownership/trigger_scheme.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { CONTENT, NOISE, UNRELATED };
enum { LABELS_FIXED, LABELS_UNIFORM };
static const char *const patterns[] = {"content", "noise", "unrelated", NULL}; /* kinds of evidence too */
static const char *const labellings[] = {"fixed", "uniform", NULL};
static const char *const noises[] = {"fresh", "fixed", NULL};

typedef struct zhang_options {
    pg_trigger_options common;
    int pattern, labels, source, target, size, noise;
    double deviation;
    char from[PG_TEXT_MAX];
    pg_binding_options binding;
} zhang_options;

static const pg_option options[] = {
    PG_CHOICE(zhang_options, pattern, "content", patterns,
              "triggers: training images with a white bar, training images with noise, or images of another data set"),
    PG_CHOICE(
        zhang_options, labels, "fixed", labellings,
        "labels: the target class for all, or a random class for each picture; if they are all the same, the judge calls nothing "
        "significant"),
    PG_INT(
        zhang_options, source, "-1", -1, PG_CLASSES_MAX, NULL,
        "class of the training images that become triggers (4 in the toolkit of Lukas et al.); -1: every class but the target"),
    PG_INT(zhang_options, target, "6", 0, PG_CLASSES_MAX, NULL, "class that fixed labels name"),
    PG_INT(zhang_options, size, "16", 2, 1024, "pixels", "content: length of the bar, which is half as high"),
    PG_REAL(zhang_options, deviation, "0.4", 0, 10, NULL, "noise: standard deviation, of pixels between 0 and 1"),
    PG_CHOICE(zhang_options, noise, "fresh", noises, "noise: drawn afresh for each trigger, or one pattern for all"),
    PG_TEXT(zhang_options, from, "fashion-mnist", "unrelated: data set from which the pictures are taken"),
    PG_TRIGGER_OPTIONS(zhang_options, common, "images in the trigger set", "2"),
    PG_SCHEME_START(zhang_options, common.start, "scratch"),
    PG_BINDING_OPTIONS(zhang_options, binding),
    PG_TRIGGER_PERTURBATION(zhang_options, common),
    {0},
};

static pg_other_data zhang_other_data(const void *values)
{
    const zhang_options *o = values;
    return (pg_other_data){.name = o->pattern == UNRELATED ? o->from : NULL, .key = "from", .test = 1};
}

/* ---- what cannot be ---- */

enum { EDGE = 2 }; /* rows and columns above and left of the bar */

static pg_status zhang_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const zhang_options *o = values;
    const pg_net_spec *spec = in->spec;
    const pg_dataset *from = o->pattern == UNRELATED && in->other ? &in->other->train : &in->data->train;
    const int source = o->pattern == UNRELATED ? -1 : o->source, target = o->labels == LABELS_FIXED ? o->target : -1;
    const pg_status status = pg_trigger_check(&o->common, in, from, source, target, err);
    if (status != PG_OK) return status;
    if (o->pattern == UNRELATED && (from->height != spec->image_height || from->width != spec->image_width))
        return pg_fail(err, PG_BAD_INPUT, "from: %s has images of %dx%d, the network takes %dx%d", from->name, from->height,
                       from->width, spec->image_height, spec->image_width);
    if (o->pattern == UNRELATED && strcmp(from->name, in->data->train.name) == 0)
        return pg_fail(err, PG_BAD_INPUT, "from: %s is the data set of the task", from->name);
    if (o->pattern == CONTENT && (EDGE + o->size > spec->image_width || EDGE + o->size / 2 > spec->image_height))
        return pg_fail(err, PG_BAD_INPUT, "size: a bar of %dx%d does not fit %d pixels inside an image of %dx%d", o->size,
                       o->size / 2, EDGE, spec->image_width, spec->image_height);
    if (o->binding.bound && o->labels == LABELS_FIXED)
        return pg_fail(err, PG_BAD_INPUT, "labels: fixed labels cannot be bound, because all are the target class");
    return PG_OK;
}

/* ---- pictures ---- */

static void add_noise(pg_dataset *t, const zhang_options *o, pg_seed seed)
{
    const size_t size = (size_t)t->height * (size_t)t->width * 3;
    pg_rng rng;
    for (int i = 0; i < t->count; i++) {
        pg_rng_open(&rng, seed, "trigger noise", o->noise ? 0 : (uint64_t)i);
        for (size_t k = 0; k < size; k++) {
            uint8_t *pixel = &t->images[(size_t)i * size + k];
            *pixel = (uint8_t)lround(fmin(255, fmax(0, *pixel + 255 * o->deviation * pg_rng_normal(&rng))));
        }
    }
}

static bool all_alike(const pg_dataset *t)
{
    for (int i = 1; i < t->count; i++)
        if (t->labels[i] != t->labels[0]) return false;
    return true;
}

static pg_status zhang_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    zhang_options *o = values;
    const pg_dataset *t = &evidence->triggers;
    for (int i = 0; patterns[i]; i++)
        if (strcmp(patterns[i], evidence->kind) == 0) o->pattern = i;
    o->labels = all_alike(t) ? LABELS_FIXED : LABELS_UNIFORM;
    if (o->labels == LABELS_FIXED && t->count) o->target = t->labels[0];
    return pg_trigger_recognise(values, spec, evidence, err);
}

static const char *zhang_kind(const void *values)
{
    return patterns[((const zhang_options *)values)->pattern];
}

static pg_status zhang_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const zhang_options *o = values;
    const bool unrelated = o->pattern == UNRELATED;
    pg_dataset *t = &evidence->triggers;
    pg_status status = zhang_check(o, in, err);
    if (status != PG_OK) return status;
    const int only = unrelated ? -1 : o->source, except = unrelated || o->labels == LABELS_UNIFORM ? -1 : o->target;
    const pg_dataset *from = unrelated ? &in->other->train : &in->data->train;
    if ((status = pg_triggers_take(from, only, except, o->common.trigger_count, in->seed, t, err)) != PG_OK) return status;
    if (o->pattern == CONTENT) pg_triggers_stamp(t, EDGE, EDGE, o->size / 2, o->size);
    if (o->pattern == NOISE) add_noise(t, o, in->seed);
    pg_triggers_label(t, o->labels == LABELS_FIXED ? o->target : -1, in->spec->classes, in->seed);
    return PG_OK;
}

const pg_scheme pg_scheme_zhang = {
    .name = "zhang",
    .summary = "triggers that are stamped or noisy training images, or unrelated pictures, with one label or random ones",
    .source = "Zhang, Gu, Jang, Wu, Stoecklin, Huang, Molloy, ASIACCS 2018; defaults of Lukas et al., IEEE S&P 2022",
    .differs =
        "triggers come from every class but the target unless `source` names one; that class is not repeated in the training set; triggers are appended to every batch",
    PG_TRIGGER_MEMBERS,
    .options_size = sizeof(zhang_options),
    .bound = {{"labels", "uniform"}, {"bound", "true"}},
    .binding = offsetof(zhang_options, binding),
    .other_data = zhang_other_data,
    .check = zhang_check,
    .recognise = zhang_recognise,
    .kind = zhang_kind,
    .keygen = zhang_keygen,
    .trigger_passes = pg_trigger_passes,
    .before = pg_trigger_before,
    .triggers_apart = pg_trigger_apart,
    .scratch = pg_trigger_scratch,
};
