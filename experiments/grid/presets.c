/* Presets; see presets.h. head22 is the current public DeepIPR code, and the option tables hold its values; neurips19 is its
 * state of September 2019, the one nearest to the paper. Both train for 200 epochs by SGD at 0.01, momentum 0.9, batch 64, a
 * tenth after epochs 100 and 150. fast is ours, neurips19 in a tenth of the epochs: a rate that rises and falls once, softened
 * labels. */
#include "experiments/grid/presets.h"

#include <string.h>

const char *const pg_presets[] = {"head22", "neurips19", "fast", NULL};

const char *const pg_preset_summaries[] = {
    "the current public DeepIPR code: 200 epochs, weight decay 1e-4, ImageNet pixel statistics",
    "that code in September 2019: weight decay 5e-4, CIFAR pixel statistics, and other defaults of finetune, fake2 and fake3",
    "our own: neurips19 in 20 epochs, with a one-cycle learning rate and label smoothing",
};

typedef struct other_default {
    const char *map, *key, *value;
} other_default;

static const other_default head22[] = {{0}};
static const other_default neurips19[] = {
    {"train", "weight_decay", "5e-4"}, {"train", "pixels", "cifar"}, {"finetune", "crop", "true"},
    {"fake2", "init", "random"},       {"fake3", "alpha", "0"},      {0},
};
static const other_default fast[] = {
    {"train", "epochs", "20"},           {"train", "lr", "0.05"},
    {"train", "schedule", "one-cycle"},  {"train", "warmup", "0.25"},
    {"train", "label_smoothing", "0.1"}, {0},
};
static const struct {
    const other_default *base, *own;
} presets[] = {{head22, head22}, {head22, neurips19}, {neurips19, fast}};

static pg_status apply(const other_default *d, const char *map, const pg_option *table, void *values, pg_error *err)
{
    pg_status status = PG_OK;
    for (; d->map && status == PG_OK; d++)
        if (strcmp(d->map, map) == 0) status = pg_options_set(table, d->key, d->value, values, err);
    return status;
}

pg_status pg_preset_apply(int preset, const char *map, const pg_option *table, void *values, pg_error *err)
{
    const pg_status status = apply(presets[preset].base, map, table, values, err);
    return status == PG_OK ? apply(presets[preset].own, map, table, values, err) : status;
}
