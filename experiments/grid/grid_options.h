/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of a grid file, except those of schemes, attacks, training and verification. */
#ifndef PG_GRID_GRID_OPTIONS_H
#define PG_GRID_GRID_OPTIONS_H

#include "core/compute/norm.h"
#include "core/data/picture_set.h"
#include "core/formats/options.h"
#include "core/nets/arch.h"

enum { PG_NULL_MODELS_MAX = 32 };

typedef struct pg_grid_options {
    char name[PG_TEXT_MAX], label[PG_TEXT_MAX];
    pg_ints seeds;
    int null_models;
    int threads;
    double checkpoint; /* minutes; 0: every epoch */
} pg_grid_options;
extern const pg_option pg_grid_table[];

typedef struct pg_data_options {
    char name[PG_TEXT_MAX];
    int half; /* pg_half */
    int train, test;
    pg_picture_set pictures;
} pg_data_options;
extern const pg_option pg_data_table[];

typedef struct pg_network_options {
    char arch[PG_TEXT_MAX]; /* a name, or the absolute path of a network file */
    const pg_arch *found;   /* that network; no option */
    int norm;               /* a pg_norm_kind */
    double width;
    bool relu_before_add;
} pg_network_options;
extern const pg_option pg_network_table[];

/* Networks that independent developers trained: plain ones of seeds that no owner or attacker of the grid has. */
enum { PG_SAME_HALF, PG_OTHER_HALF };
typedef struct pg_independent_options {
    char arch[PG_TEXT_MAX]; /* "same": as the network for which the evidence was made */
    const pg_arch *found;   /* NULL: the same; no option */
    int half;               /* PG_SAME_HALF, PG_OTHER_HALF */
    int networks;
} pg_independent_options;
extern const pg_option pg_independent_table[];

/* The files of a scheme's network, if it was trained elsewhere. */
typedef struct pg_source_options {
    char model[PG_TEXT_MAX], map[PG_TEXT_MAX], evidence[PG_TEXT_MAX];
} pg_source_options;
extern const pg_option pg_source_table[];

/* The keys of every attack's entry besides the attack's own options. */
typedef struct pg_attack_options {
    bool keep;
} pg_attack_options;
extern const pg_option pg_attack_table[];

typedef struct pg_preset_options {
    int preset; /* index into pg_presets */
} pg_preset_options;
extern const pg_option pg_preset_table[];

#endif
