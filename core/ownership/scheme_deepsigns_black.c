/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The black-box form of DeepSigns: the triggers are random pictures with random labels that an unmarked network does not
 * answer, and training continues until the network answers them. Source: Rouhani, Chen, Koushanfar, ASPLOS 2019. The authors'
 * generator, of which only compiled code is public, tries 40 times as many pictures as it keeps. */
#include "core/ownership/picture_loss.h"
#include "core/ownership/trigger_scheme.h"

#include "core/base/memory.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct black_options {
    pg_trigger_options common;
} black_options;

static const pg_option options[] = {
    PG_TRIGGER_OPTIONS(black_options, common, "random pictures", "8"),
    PG_SCHEME_START(black_options, common.start, "pretrained"),
    PG_TRIGGER_PERTURBATION(black_options, common),
    {0},
};

/* A picture is a grid of random colours, because the judge compares pictures by local means, in which the noise of single
 * pixels would vanish. */
enum { TRIED = 40, CHUNK = 100, GRID = 16 };

static bool black_wants_pretrained(const void *values)
{
    (void)values;
    return true;
}

static const char *black_kind(const void *values)
{
    (void)values;
    return "random-pictures";
}

static void draw(int height, int width, pg_rng *rng, uint8_t *image)
{
    uint8_t colour[GRID * GRID * 3];
    for (int i = 0; i < GRID * GRID * 3; i++) colour[i] = (uint8_t)pg_rng_below(rng, 256);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            memcpy(image + (size_t)(y * width + x) * 3, colour + (y * GRID / height * GRID + x * GRID / width) * 3, 3);
}

/* Draw the next batch of candidates, from number `first` on. */
static void draw_all(pg_dataset *t, pg_seed seed, int first)
{
    const size_t size = (size_t)(t->height * t->width * 3);
    for (int i = 0; i < CHUNK; i++) {
        pg_rng rng;
        pg_rng_open(&rng, seed, "random picture", (uint64_t)(first + i));
        draw(t->height, t->width, &rng, t->images + (size_t)i * size);
        t->labels[i] = (int32_t)pg_rng_below(&rng, (uint64_t)t->classes);
    }
}

/* Append the misread candidates to the pictures, until there are enough. */
static void keep(const pg_dataset *tried, const bool *right, pg_dataset *t, int *found)
{
    const size_t size = (size_t)(t->height * t->width * 3);
    for (int i = 0; i < CHUNK && *found < t->count; i++) {
        if (right[i]) continue;
        memcpy(t->images + (size_t)*found * size, tried->images + (size_t)i * size, size);
        t->labels[(*found)++] = tried->labels[i];
    }
}

static pg_status black_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    pg_status status = PG_OK;
    const int count = ((const black_options *)values)->common.trigger_count;
    const pg_net_spec *spec = &in->pretrained->spec;
    pg_dataset *t = &evidence->triggers, tried = {.classes = spec->classes};
    pg_picture_loss loss = {0};
    bool right[CHUNK];
    int found = 0;
    t->classes = spec->classes;
    PG_TRY(pg_dataset_allocate(t, count, spec->image_height, spec->image_width, err));
    PG_TRY(pg_dataset_allocate(&tried, CHUNK, spec->image_height, spec->image_width, err));
    PG_TRY(pg_picture_loss_open(spec, CHUNK, &loss, err));
    for (int first = 0; first < TRIED * count && found < count; first += CHUNK) {
        draw_all(&tried, in->seed, first);
        pg_picture_loss_show(&loss, in->pretrained, &tried, 0, CHUNK, in->pixels, NULL, right);
        keep(&tried, right, t, &found);
    }
    if (found < count)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "trigger_count: the network misreads only %d of %d random pictures", found,
                       TRIED * count));
    snprintf(t->name, sizeof t->name, "triggers");
    snprintf(t->source, sizeof t->source, "%d random pictures", count);
done:
    pg_picture_loss_close(&loss);
    pg_dataset_clear(&tried);
    return status;
}

const pg_scheme pg_scheme_deepsigns_black = {
    .name = "deepsigns-black",
    .summary = "random pictures with random labels that an unmarked network misreads",
    .source = "Rouhani, Chen, Koushanfar, ASPLOS 2019 (the black-box form)",
    .differs = "pictures are kept whether or not the marked network learns them, and are not drawn from the regions that the "
               "training images leave out; the judge takes its own level in place of 0.05",
    .unbound = "a trained network chooses its pictures by their labels",
    PG_TRIGGER_MEMBERS,
    .options_size = sizeof(black_options),
    .alone = {"trigger_count", "4"},
    .wants_pretrained = black_wants_pretrained,
    .recognise = pg_trigger_recognise,
    .kind = black_kind,
    .keygen = black_keygen,
    .trigger_passes = pg_trigger_passes,
    .before = pg_trigger_before,
    .triggers_apart = pg_trigger_apart,
    .scratch = pg_trigger_scratch,
};
