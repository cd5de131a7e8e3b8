/* Keys of a grid file; see grid_options.h. */
#include "experiments/grid/grid_options.h"

#include "experiments/grid/presets.h"

#include <stddef.h>

const char *const pg_norm_names[] = {"bn", "gn", "in", "none", NULL};

const pg_option pg_grid_table[] = {
    {.key = "name",
     .type = PG_OPT_TEXT,
     .offset = offsetof(pg_grid_options, name),
     .fallback = "",
     .help = "name of the grid and of its directory below results; empty: the name of the file"},
    {.key = "label",
     .type = PG_OPT_TEXT,
     .offset = offsetof(pg_grid_options, label),
     .fallback = "",
     .help = "printed beside every table; say here if the runs are smaller than the published ones"},
    {.key = "seeds",
     .type = PG_OPT_INTS,
     .offset = offsetof(pg_grid_options, seeds),
     .fallback = "[1]",
     .low = 0,
     .high = 2147483647,
     .help = "every seed is one replicate of the whole grid"},
    {.key = "null_models",
     .type = PG_OPT_INT,
     .offset = offsetof(pg_grid_options, null_models),
     .fallback = "0",
     .low = 0,
     .high = PG_NULL_MODELS_MAX,
     .help =
         "plain networks of other seeds (first the grid's own seeds) in which fresh evidence is read to find the threshold of "
         "every scheme; 0: none"},
    {.key = "threads",
     .type = PG_OPT_INT,
     .offset = offsetof(pg_grid_options, threads),
     .fallback = "0",
     .low = 0,
     .high = 1024,
     .help = "of each working rank; 0: the ranks of a host share the cores that they may use"},
    {.key = "checkpoint",
     .type = PG_OPT_REAL,
     .offset = offsetof(pg_grid_options, checkpoint),
     .fallback = "1",
     .low = 0,
     .high = 1440,
     .unit = "minutes",
     .help = "between checkpoints of a task; 0: after every epoch and after every outcome of an attack"},
    {0},
};

const pg_option pg_data_table[] = {
    {.key = "name",
     .type = PG_OPT_TEXT,
     .offset = offsetof(pg_data_options, name),
     .help = "data set, one of those that `passgrid data list` shows"},
    {.key = "train",
     .type = PG_OPT_INT,
     .offset = offsetof(pg_data_options, train),
     .fallback = "0",
     .low = 0,
     .high = 1e9,
     .unit = "images",
     .help = "training images, the same share of every class; 0: all"},
    {.key = "test",
     .type = PG_OPT_INT,
     .offset = offsetof(pg_data_options, test),
     .fallback = "0",
     .low = 0,
     .high = 1e9,
     .unit = "images",
     .help = "test images, likewise"},
    {0},
};

const pg_option pg_network_table[] = {
    {.key = "arch",
     .type = PG_OPT_TEXT,
     .offset = offsetof(pg_network_options, arch),
     .help = "network, one of those that `passgrid list networks` shows"},
    {.key = "norm",
     .type = PG_OPT_CHOICE,
     .offset = offsetof(pg_network_options, norm),
     .fallback = "bn",
     .choices = pg_norm_names,
     .help = "normalisation: batch, group, instance, none"},
    {.key = "width",
     .type = PG_OPT_REAL,
     .offset = offsetof(pg_network_options, width),
     .fallback = "1",
     .low = PG_ABOVE_ZERO,
     .high = 16,
     .help = "multiplies the channels of every layer, rounded to multiples of 16"},
    {.key = "relu_before_add",
     .type = PG_OPT_BOOL,
     .offset = offsetof(pg_network_options, relu_before_add),
     .fallback = "true",
     .help = "residual networks: a block's last convolution has its own ReLU, as in the reference's code"},
    {0},
};

const pg_option pg_source_table[] = {
    {.key = "model",
     .type = PG_OPT_TEXT,
     .offset = offsetof(pg_source_options, model),
     .fallback = "",
     .help = "safetensors file with a trained network of this scheme, to measure, judge and attack instead of training one"},
    {.key = "evidence",
     .type = PG_OPT_TEXT,
     .offset = offsetof(pg_source_options, evidence),
     .fallback = "",
     .help = "file with the owner's evidence, if the scheme has any; may be the same file"},
    {0},
};

const pg_option pg_attack_table[] = {
    {.key = "keep",
     .type = PG_OPT_BOOL,
     .offset = offsetof(pg_attack_options, keep),
     .fallback = "false",
     .help = "keep the attacked network and the forged evidence of every outcome as files; artefacts.csv lists them"},
    {0},
};

const pg_option pg_preset_table[] = {
    {.key = "preset",
     .type = PG_OPT_CHOICE,
     .offset = offsetof(pg_preset_options, preset),
     .fallback = "head22",
     .choices = pg_presets,
     .help =
         "settings to start from, for attacks too (neurips19: finetune crop true, fake2 init random, fake3 alpha 0); fast is "
         "ours, the others are published; the other keys override them"},
    {0},
};
