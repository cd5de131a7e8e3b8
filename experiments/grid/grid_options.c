/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of a grid file; see grid_options.h. */
#include "experiments/grid/grid_options.h"

#include "core/data/picture_list.h"
#include "experiments/grid/presets.h"

#include <stddef.h>

const pg_option pg_grid_table[] = {
    PG_TEXT(pg_grid_options, name, "", "name of the grid and of its directory below results; empty: the name of the file"),
    PG_TEXT(pg_grid_options, label, "", "printed beside every table; say here if the runs are smaller than the published ones"),
    PG_INTS(pg_grid_options, seeds, "[1]", 0, 2147483647, NULL, "each seed is one replicate of the whole grid"),
    PG_INT(pg_grid_options, null_models, "0", 0, PG_NULL_MODELS_MAX, NULL,
           "plain networks of other seeds, the grid's own first, from which fresh evidence is read to find the "
           "threshold of every scheme; 0: none"),
    PG_INT(pg_grid_options, threads, "0", 0, 1024, NULL,
           "threads of each worker; 0: the workers of a host share the cores that they may use"),
    PG_REAL(pg_grid_options, checkpoint, "1", 0, 1440, "minutes",
            "time between checkpoints of a task; 0: after every epoch and after every outcome of an attack"),
    {0},
};

const pg_option pg_data_table[] = {
    PG_TEXT(pg_data_options, name, NULL,
            "data set, one of those that `passgrid data list` shows; with path, a name of your choice, such as folder"),
    PG_CHOICE(pg_data_options, half, "all", pg_half_names,
              "part of the training set that the grid uses; the first half has the same share of every class"),
    PG_INT(pg_data_options, train, "0", 0, 1e9, "images", "training images, the same share of every class; 0: all"),
    PG_INT(pg_data_options, test, "0", 0, 1e9, "images", "test images, the same share of every class; 0: all"),
    {PG_OPTION("path", pg_data_options, pictures.path, TEXT, char *, "",
               "folder of your own pictures, PNG or JPEG: DIR/CLASS/..., or DIR/train/CLASS/... and DIR/test/CLASS/... "
               "(or DIR/val/CLASS/...)"),
     .later = true},
    {PG_OPTION("size", pg_data_options, pictures.size, INT, int, "32", "pictures of a folder: side of the images"), .low = 8,
     .high = PG_PICTURES_SIDE_MAX, .unit = "pixels", .later = true},
    {PG_OPTION("fit", pg_data_options, pictures.fit, CHOICE, int, "crop",
               "scale the shorter side to size and keep the centre; scale both sides; or refuse pictures of another size"),
     .choices = pg_fit_names, .later = true},
    {PG_OPTION("split", pg_data_options, pictures.split, REAL, double, "0.2",
               "share of each class that is for testing, if the folder has no test/"),
     .low = PG_ABOVE_ZERO, .high = 0.9, .later = true},
    {PG_OPTION("split_seed", pg_data_options, pictures.split_seed, INT, int, "1", "seed with which that share is drawn"),
     .low = 0, .high = 2147483647, .later = true},
    {0},
};

const pg_option pg_network_table[] = {
    PG_TEXT(
        pg_network_options, arch, NULL,
        "network, one of those that `passgrid list networks` shows, or a network file relative to the grid's folder: x.yaml"),
    PG_CHOICE(pg_network_options, norm, "bn", pg_norm_names, "normalisation: batch, group, instance, none"),
    PG_REAL(pg_network_options, width, "1", PG_ABOVE_ZERO, 16, NULL,
            "factor of the channels of every layer; a multiple of 16 channels stays one, other numbers become whole"),
    PG_BOOL(pg_network_options, relu_before_add, "true",
            "residual networks: the last convolution of a block has its own ReLU, as in the reference code"),
    {0},
};

static const char *const independent_halves[] = {"same", "other", NULL};

const pg_option pg_independent_table[] = {
    PG_TEXT(pg_independent_options, arch, "same",
            "network of the accused, as in networks; same: that of the claimant's network"),
    PG_CHOICE(pg_independent_options, half, "same", independent_halves,
              "training images: those of the grid, or as many of the other half of the training set (the grid's data then has "
              "half: first or second)"),
    PG_INT(pg_independent_options, networks, "1", 1, PG_NULL_MODELS_MAX, NULL,
           "number of such networks, each of a seed of its own; every claimant of the grid claims all of them"),
    {0},
};

const pg_option pg_source_table[] = {
    PG_TEXT(pg_source_options, model, "",
            "safetensors file of a trained network of this scheme; passgrid measures, judges and attacks it and trains none"),
    {PG_OPTION("map", pg_source_options, map, TEXT, char *, "",
               "mapping file of the names in model, if that is a state dict of other code; see `passgrid help import`"),
     .later = true},
    PG_TEXT(pg_source_options, evidence, "",
            "file of the owner's evidence, if the scheme has any; may be the same file as model"),
    {0},
};

const pg_option pg_attack_table[] = {
    PG_BOOL(pg_attack_options, keep, "false",
            "keep the attacked network and the forged evidence of every outcome as files; artefacts.csv lists them"),
    {0},
};

const pg_option pg_preset_table[] = {
    PG_CHOICE(pg_preset_options, preset, "head22", pg_presets,
              "default settings, for attacks too (passgrid help preset NAME); fast is ours, the "
              "others are published; the other keys override them"),
    {0},
};
