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
     .help = "name of the grid, and of its directory below results; empty: that of the file"},
    {.key = "label",
     .type = PG_OPT_TEXT,
     .offset = offsetof(pg_grid_options, label),
     .fallback = "",
     .help = "said beside every table; must say so when the runs are smaller than the published ones"},
    {.key = "seeds",
     .type = PG_OPT_INTS,
     .offset = offsetof(pg_grid_options, seeds),
     .fallback = "[1]",
     .low = 0,
     .high = 2147483647,
     .help = "one replicate of everything for each"},
    {.key = "null_models",
     .type = PG_OPT_INT,
     .offset = offsetof(pg_grid_options, null_models),
     .fallback = "0",
     .low = 0,
     .high = PG_NULL_MODELS_MAX,
     .help =
         "plain networks of other seeds, those of the grid before further ones, that fresh evidence is read from to find the "
         "threshold of every scheme; 0: none"},
    {.key = "threads",
     .type = PG_OPT_INT,
     .offset = offsetof(pg_grid_options, threads),
     .fallback = "0",
     .low = 0,
     .high = 1024,
     .help = "of each rank that works; 0: the cores that it may use, shared among the ranks of a host"},
    {.key = "checkpoint",
     .type = PG_OPT_REAL,
     .offset = offsetof(pg_grid_options, checkpoint),
     .fallback = "1",
     .low = 0,
     .high = 1440,
     .unit = "minutes",
     .help = "between checkpoints of a task; 0: one after every epoch, and every outcome of an attack"},
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
     .help = "network, one of those that `passgrid list nets` shows"},
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
     .help = "a safetensors file with a trained network of this scheme, which is measured, judged and attacked instead of one "
             "that is trained here"},
    {.key = "evidence",
     .type = PG_OPT_TEXT,
     .offset = offsetof(pg_source_options, evidence),
     .fallback = "",
     .help = "the file with its owner's evidence, for every scheme that has some; may be the same file"},
    {0},
};

const pg_option pg_attack_table[] = {
    {.key = "keep",
     .type = PG_OPT_BOOL,
     .offset = offsetof(pg_attack_options, keep),
     .fallback = "false",
     .help = "keep the attacked network and the forged evidence of every outcome as files, which artefacts.csv lists"},
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
         "ours, the others are published; keys that are given change them"},
    {0},
};
