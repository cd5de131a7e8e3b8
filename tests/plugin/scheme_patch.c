/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worked scheme: pictures with a patch. The owner pastes a secret patch into a corner of ordinary pictures, gives each a
 * secret label, and mixes them into training; whoever knows pictures and labels recognises the network by its answers.
 * Source: Zhang, Gu, Jang, Wu, Stoecklin, Huang, Molloy, AsiaCCS 2018, watermarks of embedded content. There all patched
 * pictures have one label; here labels are drawn, because the judge holds answers against guessing. */
#include "core/base/memory.h"
#include "core/ownership/scheme.h"

#include <stdio.h>
#include <string.h>

typedef struct patch_options {
    int count, side, per_batch;
} patch_options;

static const pg_option options[] = {
    PG_INT(patch_options, count, "100", 1, 10000, NULL, "patched pictures"),
    PG_INT(patch_options, side, "6", 1, 32, "pixels", "side of the patch"),
    PG_INT(patch_options, per_batch, "2", 1, 1000, NULL, "patched pictures appended to every training batch"),
    {0},
};

static pg_status patch_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const patch_options *o = values;
    const pg_dataset *pictures = &in->data->test;
    if (pictures->count < o->count)
        return pg_fail(err, PG_BAD_INPUT, "count: expected at most the %d test images of %s, got %d", pictures->count,
                       pictures->name, o->count);
    return PG_OK;
}

/* Copy picture `from` to `to`, both [height,width,3], with the pattern [side,side,3] in the lower right corner. */
static void patch_picture(const pg_dataset *set, const uint8_t *from, const uint8_t *pattern, int side, uint8_t *to)
{
    const size_t row = (size_t)set->width * 3, part = (size_t)side * 3;
    memcpy(to, from, (size_t)set->height * row);
    for (int y = 0; y < side; y++)
        memcpy(to + (size_t)(set->height - side + y) * row + row - part, pattern + (size_t)y * part, part);
}

/* Test images are pictures of the data set's kind on which nothing is trained. */
static pg_status patch_triggers(const patch_options *o, const pg_keygen *in, pg_dataset *out, pg_error *err)
{
    enum { LARGEST = 32 * 32 * 3 };
    pg_status status = PG_OK;
    const pg_dataset *pictures = &in->data->test;
    const size_t image = (size_t)(pictures->height * pictures->width * 3);
    uint8_t pattern[LARGEST];
    uint32_t *order = NULL;
    pg_rng rng;
    PG_TRY(patch_check(o, in, err));
    PG_TRY(pg_alloc((size_t)pictures->count, sizeof *order, &order, err));
    PG_TRY(pg_dataset_allocate(out, o->count, pictures->height, pictures->width, err));
    pg_rng_open(&rng, in->seed, "patch", 0);
    for (int i = 0; i < o->side * o->side * 3; i++) pattern[i] = (uint8_t)pg_rng_below(&rng, 256);
    pg_rng_permutation(&rng, order, (size_t)pictures->count);
    out->classes = in->spec->classes;
    for (int i = 0; i < o->count; i++) {
        patch_picture(out, pictures->images + order[i] * image, pattern, o->side, out->images + (size_t)i * image);
        out->labels[i] = (int32_t)pg_rng_below(&rng, (uint64_t)out->classes);
    }
    snprintf(out->name, sizeof out->name, "triggers");
    snprintf(out->source, sizeof out->source, "%d pictures of %s with a patch", o->count, pictures->name);
    pg_dataset_hash(out);
done:
    pg_free(order);
    return status;
}

static const char *patch_kind(const void *values)
{
    (void)values;
    return "patched";
}

static pg_status patch_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    return patch_triggers(values, in, &evidence->triggers, err);
}

static int patch_per_batch(const void *values)
{
    return ((const patch_options *)values)->per_batch;
}

const pg_scheme pg_scheme_patch = {
    .name = "patch",
    .summary = "pictures with a secret patch and secret labels mixed into training",
    .source = "Zhang et al., AsiaCCS 2018 (embedded content)",
    .group = PG_BLACK_BOX,
    .holds = PG_HOLDS_TRIGGERS,
    .options = options,
    .options_size = sizeof(patch_options),
    .check = patch_check,
    .kind = patch_kind,
    .keygen = patch_keygen,
    .triggers_per_batch = patch_per_batch,
};
