/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worked data set: a grey bar in noise. Its class is the height of the bar. */
#include "core/data/readers.h"

#include "core/base/random.h"

#include <string.h>

enum { CLASSES = 4, SIDE = 32, TRAIN = 320, TEST = 100 };

static void draw_bar(int class, uint64_t image, const char *split, uint8_t rgb[SIDE * SIDE * 3])
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "bars"}, split, image);
    for (int i = 0; i < SIDE * SIDE * 3; i++) rgb[i] = (uint8_t)pg_rng_below(&rng, 64);
    memset(rgb + (size_t) class * (SIDE / CLASSES) * SIDE * 3, 160, (SIDE / CLASSES) * SIDE * 3);
}

static pg_status bars_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    (void)directory;
    pg_dataset *split[] = {&out->train, &out->test};
    const pg_status status = pg_data_allocate(out, name, "generated bars", CLASSES, 32, TRAIN, TEST, err);
    for (int s = 0; s < 2 && status == PG_OK; s++)
        for (int i = 0; i < split[s]->count; i++) {
            split[s]->labels[i] = i % CLASSES;
            draw_bar(i % CLASSES, (uint64_t)i, s ? "test" : "train", split[s]->images + (size_t)i * SIDE * SIDE * 3);
        }
    return status;
}

const pg_data_kind pg_data_kind_bars = {
    .name = "bars",
    .summary = "a grey bar in noise, at one of 4 heights",
    .classes = CLASSES,
    .load = bars_load,
};
