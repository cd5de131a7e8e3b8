/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frontier stitching: pictures near the border between classes, made with a trained network by one sign-gradient step. Half of
 * them, the true adversaries, are then misread; the others, false ones, are still read right. The marked network answers all of
 * them with their true classes.
 *
 * An unmarked network does so for many of them too. So the published test expects a half, not one of the classes, and even that
 * is little for another unmarked network: claims on independent networks show how often it accepts one. */
#include "core/ownership/picture_loss.h"
#include "core/ownership/trigger_scheme.h"

#include "core/base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct frontier_options {
    pg_trigger_options common;
    double epsilon;
    int candidates;
} frontier_options;

static const pg_option options[] = {
    PG_REAL(frontier_options, epsilon, "0.1", 0.0039, 1, NULL,
            "length of the step, of pixels between 0 and 1 (0.01 to 0.25 in the toolkit of Lukas et al.); rounded to levels"),
    PG_INT(
        frontier_options, candidates, "100", 1, 1000, NULL,
        "training images tried for each trigger, if there are so many (10 in that toolkit); a network that answers nearly all "
        "images alike, as untrained ones do, may have too few near its borders, and is refused"),
    PG_TRIGGER_OPTIONS(frontier_options, common, "images in the trigger set, half of them true adversaries", "2"),
    PG_SCHEME_START(frontier_options, common.start, "pretrained"),
    PG_TRIGGER_PERTURBATION(frontier_options, common),
    {0},
};

enum { CHUNK = 100 };

static bool frontier_wants_pretrained(const void *values)
{
    (void)values;
    return true;
}

static const char *frontier_kind(const void *values)
{
    (void)values;
    return "frontier";
}

static pg_status frontier_check(const void *values, const pg_keygen *in, pg_error *err)
{
    return pg_trigger_check(values, in, &in->data->train, -1, -1, err);
}

static size_t image_size(const pg_dataset *t)
{
    return (size_t)(t->height * t->width * 3);
}

/* Step every candidate; before [count] and after [count]: is it read right? */
static pg_status step_all(const frontier_options *o, const pg_keygen *in, pg_dataset *t, bool *before, bool *after,
                          pg_error *err)
{
    pg_picture_loss loss;
    const int levels = (int)lround(255 * o->epsilon);
    const pg_status status = pg_picture_loss_open(&in->pretrained->spec, CHUNK, &loss, err);
    for (int from = 0; from < t->count && status == PG_OK; from += CHUNK) {
        const int n = t->count - from < CHUNK ? t->count - from : CHUNK;
        pg_picture_loss_show(&loss, in->pretrained, t, from, n, in->pixels, NULL, before + from);
        pg_picture_loss_step(&loss, in->pretrained, t, from, n, levels);
        pg_picture_loss_show(&loss, in->pretrained, t, from, n, in->pixels, NULL, after + from);
    }
    pg_picture_loss_close(&loss);
    return status;
}

/* Keep, in place, the first half of `count` that were read right and no longer are, and the first others that still are. */
static int keep_halves(pg_dataset *t, const bool *before, const bool *after, int count)
{
    const int wanted[2] = {count - count / 2, count / 2}; /* true and false adversaries */
    int found[2] = {0}, kept = 0;
    for (int i = 0; i < t->count; i++) {
        const int kind = after[i];
        if (!before[i] || found[kind] == wanted[kind]) continue;
        found[kind]++;
        memmove(t->images + (size_t)kept * image_size(t), t->images + (size_t)i * image_size(t), image_size(t));
        t->labels[kept++] = t->labels[i];
    }
    return kept;
}

static pg_status frontier_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    pg_status status = PG_OK;
    const frontier_options *o = values;
    pg_dataset *t = &evidence->triggers;
    bool *right = NULL;
    const int count = o->common.trigger_count, train = in->data->train.count;
    const int tried = (long)count * o->candidates < train ? count * o->candidates : train;
    PG_TRY(pg_triggers_take(&in->data->train, -1, -1, tried, in->seed, t, err));
    PG_TRY(pg_alloc(2 * (size_t)tried, sizeof *right, &right, err));
    PG_TRY(step_all(o, in, t, right, right + tried, err));
    t->count = keep_halves(t, right, right + tried, count);
    if (t->count < count)
        PG_TRY(
            pg_fail(err, PG_BAD_INPUT,
                    "epsilon, candidates: only %d of %d triggers were found among %d images: the network has too few near its "
                    "borders",
                    t->count, count, tried));
    snprintf(t->source, sizeof t->source, "%d pictures of %s near the frontier", count, in->data->train.name);
done:
    pg_free(right);
    return status;
}

const pg_scheme pg_scheme_frontier = {
    .name = "frontier",
    .summary = "pictures near the border between classes, answered with their true classes",
    .source = "Le Merrer, Perez, Tredan, Neural Computing and Applications 2020; defaults of Lukas et al., IEEE S&P 2022",
    .differs = "triggers are appended to every batch; steps are whole levels of 8-bit pixels",
    .unbound = "a trained network chooses its pictures, and their labels are the true classes",
    PG_TRIGGER_MEMBERS,
    .options_size = sizeof(frontier_options),
    .alone = {"trigger_count", "1"},
    .match = 0.5,
    .wants_pretrained = frontier_wants_pretrained,
    .check = frontier_check,
    .recognise = pg_trigger_recognise,
    .kind = frontier_kind,
    .keygen = frontier_keygen,
    .trigger_passes = pg_trigger_passes,
    .before = pg_trigger_before,
    .triggers_apart = pg_trigger_apart,
    .scratch = pg_trigger_scratch,
};
