/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Margin-based watermark: training images with random wrong labels. Before each step, sign-gradient steps move those of the
 * batch to where the network likes their labels least, so that it learns the labels of their whole neighbourhood. */
#include "core/ownership/binding.h"
#include "core/ownership/trigger_scheme.h"

#include "core/compute/kernels.h"

#include <stddef.h>

typedef struct margin_options {
    pg_trigger_options common;
    int steps;
    double weight;
    pg_binding_options binding;
} margin_options;

static const pg_option options[] = {
    PG_INT(margin_options, steps, "5", 1, 1000, NULL, "sign-gradient steps of one level of 255 before each training step"),
    PG_REAL(margin_options, weight, "0.1", 0, 1000, NULL, "weight of a trigger's loss beside that of an image of the data"),
    PG_TRIGGER_OPTIONS(margin_options, common, "images in the trigger set", "25"),
    PG_SCHEME_START(margin_options, common.start, "scratch"),
    PG_BINDING_OPTIONS(margin_options, binding),
    PG_TRIGGER_PERTURBATION(margin_options, common),
    {0},
};

static const char *margin_kind(const void *values)
{
    (void)values;
    return "margin";
}

static pg_status margin_check(const void *values, const pg_keygen *in, pg_error *err)
{
    return pg_trigger_check(values, in, &in->data->train, -1, -1, err);
}

/* Every label is wrong; those of bound evidence are replaced by labels that may be right. */
static pg_status margin_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const margin_options *o = values;
    pg_dataset *t = &evidence->triggers;
    pg_rng rng;
    const pg_status status = pg_triggers_take(&in->data->train, -1, -1, o->common.trigger_count, in->seed, t, err);
    if (status != PG_OK) return status;
    pg_rng_open(&rng, in->seed, "trigger labels", 0);
    for (int i = 0; i < t->count; i++)
        t->labels[i] = (t->labels[i] + 1 + (int32_t)pg_rng_below(&rng, (uint64_t)(t->classes - 1))) % t->classes;
    return PG_OK;
}

static int margin_passes(const void *values)
{
    return ((const margin_options *)values)->steps + pg_trigger_passes(values);
}

static void margin_before(const void *values, const pg_step *step)
{
    pg_trigger_ascend(step, ((const margin_options *)values)->steps);
    pg_trigger_before(values, step);
}

/* Weigh the triggers' part of the mean over the batch. */
static double margin_between(const void *values, const pg_step *step)
{
    const double weight = ((const margin_options *)values)->weight,
                 share = (double)step->triggers / (step->count + step->triggers);
    const int classes = step->model->spec.classes;
    if (pg_trigger_apart(values)) return 0;
    const ptrdiff_t first = (ptrdiff_t)step->count * classes;
    for (ptrdiff_t i = first; i < first + (ptrdiff_t)step->triggers * classes; i++) step->dlogits[i] *= (pg_real)weight;
    return (weight - 1) * share *
           pg_cross_entropy(step->triggers, classes, step->logits + first, step->labels + step->count, 0, NULL, NULL);
}

const pg_scheme pg_scheme_margin = {
    .name = "margin",
    .summary = "training images with wrong labels, which the network also learns for images near them",
    .source = "Kim, Lee, Lee, Son, Hwang, ICML 2023 (margin-based neural network watermarking)",
    .differs = "the triggers come from the training set, which also has them with their true labels; the steps see running "
               "statistics",
    PG_TRIGGER_MEMBERS,
    .options_size = sizeof(margin_options),
    .bound = {{"bound", "true"}},
    .binding = offsetof(margin_options, binding),
    .check = margin_check,
    .recognise = pg_trigger_recognise,
    .kind = margin_kind,
    .keygen = margin_keygen,
    .trigger_passes = margin_passes,
    .before = margin_before,
    .triggers_apart = pg_trigger_apart,
    .between = margin_between,
    .scratch = pg_trigger_scratch,
};
