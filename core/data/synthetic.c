/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A generated data set for tests and examples. Each class is a grating with its own direction, spacing and colour; each image
 * shifts and scales it and adds noise. A small network learns the classes in a few epochs. */
#include "core/data/readers.h"

#include "core/base/random.h"

#include <math.h>

enum { TRAIN = 2048, TEST = 512, CLASSES = 10 };

static void draw(uint8_t *image, int label, pg_rng *rng)
{
    const double angle = M_PI * label / CLASSES, spacing = 5 + label % 3 * 2, phase = 2 * M_PI * pg_rng_uniform(rng);
    const double strength = 40 + 40 * pg_rng_uniform(rng);
    for (int y = 0; y < 32; y++)
        for (int x = 0; x < 32; x++) {
            const double wave = sin(2 * M_PI * (x * cos(angle) + y * sin(angle)) / spacing + phase);
            for (int c = 0; c < 3; c++) {
                const double tint = cos(2 * M_PI * (label / (double)CLASSES + c / 3.0));
                const double value = 128 + strength * wave * (1 + 0.5 * tint) + 20 * tint + 25 * pg_rng_normal(rng);
                image[(y * 32 + x) * 3 + c] = (uint8_t)fmin(255, fmax(0, value));
            }
        }
}

static pg_status synthetic_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    (void)directory;
    const pg_status status = pg_data_allocate(out, name, "generated patterns, not real data", CLASSES, 32, TRAIN, TEST, err);
    if (status != PG_OK) return status;
    pg_dataset *split[] = {&out->train, &out->test};
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < split[s]->count; i++) {
            pg_rng rng;
            pg_rng_open(&rng, (pg_seed){.task = "synthetic"}, s ? "test" : "train", (uint64_t)i);
            split[s]->labels[i] = i % CLASSES;
            draw(split[s]->images + (size_t)i * 32 * 32 * 3, i % CLASSES, &rng);
        }
    return PG_OK;
}

const pg_data_kind pg_data_kind_synthetic = {
    .name = "synthetic",
    .summary = "generated patterns of 10 classes, for tests: not real data",
    .classes = 10,
    .load = synthetic_load,
};
