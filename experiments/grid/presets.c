/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Presets; see presets.h. head22 is the current public DeepIPR code; its values are the defaults in the option tables.
 * neurips19 is that code in September 2019, the version nearest to the paper. Both train for 200 epochs by SGD with batch 64,
 * momentum 0.9 and a learning rate of 0.01, a tenth of it after epochs 100 and 150. fast is ours: neurips19 in a tenth of the
 * epochs, with a one-cycle learning rate and label smoothing. */
#include "experiments/grid/presets.h"

#include <string.h>

const char *const pg_presets[] = {"head22", "neurips19", "fast", NULL};

const char *const pg_preset_summaries[] = {
    "the current public DeepIPR code: 200 epochs, weight decay 1e-4, ImageNet pixel statistics",
    "the DeepIPR code of September 2019: weight decay 5e-4, CIFAR pixel statistics, other defaults of attacks",
    "our own: neurips19 in 20 epochs, with a one-cycle learning rate and label smoothing",
};

/* Index of the preset on which each one builds; the first builds on the option tables. */
static const int bases[] = {-1, 0, 1};

const pg_preset_default pg_preset_train[] = {
    {"neurips19", "weight_decay", "5e-4"},
    {"neurips19", "pixels", "cifar"},
    {"fast", "epochs", "20"},
    {"fast", "lr", "0.05"},
    {"fast", "schedule", "one-cycle"},
    {"fast", "warmup", "0.25"},
    {"fast", "label_smoothing", "0.1"},
    {0},
};

pg_status pg_preset_apply(int preset, const pg_preset_default *changes, const pg_option *table, void *values, pg_error *err)
{
    pg_status status = PG_OK;
    if (preset < 0 || !changes) return PG_OK;
    PG_TRY(pg_preset_apply(bases[preset], changes, table, values, err));
    for (const pg_preset_default *c = changes; c->preset; c++)
        if (strcmp(c->preset, pg_presets[preset]) == 0) PG_TRY(pg_options_set(table, c->key, c->value, values, err));
done:
    return status;
}
