/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A grid file, read and checked: the data sets, networks, schemes and attacks that the grid crosses.
 *
 *   name: quick
 *   label: "reduced run"
 *   seeds: [1, 2]
 *   data: {name: cifar10, train: 20000, test: 2000}        # or a list of maps
 *   networks:
 *     - {arch: alexnet, norm: [bn, gn], width: 0.5}        # a list in place of a value: one network each
 *   train: {preset: head22, epochs: 8, lr: 0.05}
 *   schemes:
 *     - {scheme: plain}
 *     - {scheme: [v1, v2], passport: shuffle, train: {epochs: 12}}
 *     - {scheme: v1, model: mine.safetensors, evidence: mine.evidence.safetensors}  # trained elsewhere
 *   attacks:
 *     - {attack: prune}
 *     - {attack: fake1, repeats: 20, schemes: [v1]}
 *     - {attack: counterfeit-triggers}
 *     - {attack: finetune, after: counterfeit-triggers}    # does the forged evidence survive?
 *     - chain: [{attack: extract}, {attack: prune}]        # the second attacks the network that the first one makes
 *   independent: {arch: [same, resnet9], networks: 3}      # networks that nobody owns, claimed with all evidence
 *   verify: {level: 1e-6}
 *   profiles: {laptop: {train: {epochs: 2}}}               # other sizes of this grid: see profile.h
 *
 * Every key is in an option table: those of grid_options.h, of training, verification, schemes and attacks. */
#ifndef PG_GRID_DESIGN_H
#define PG_GRID_DESIGN_H

#include "experiments/grid/grid_options.h"
#include "experiments/grid/inputs.h"
#include "experiments/grid/task.h"

typedef struct pg_design_data {
    pg_data_choice choice;
    pg_input facts;
    const pg_node *node; /* its position in the file, for problems; likewise below */
} pg_design_data;

typedef struct pg_design_network {
    pg_network_options options;
    const pg_node *node;
} pg_design_network;

typedef struct pg_design_scheme {
    const pg_scheme *scheme;
    void *options;
    pg_train_options train;
    pg_data_choice other; /* name empty: none */
    pg_input other_facts;
    const pg_node *node;
    /* for a network that was trained elsewhere; for others supplied.model_sha256 is empty */
    pg_task_source supplied;
    int network;      /* index of its network; -1: the scheme is trained in every network of the grid */
    pg_input fits;    /* classes and image size that it takes */
    char data[64];    /* data set that it was trained on; empty: unknown */
    char about[1024]; /* description of its files */
} pg_design_scheme;

/* Is a scheme's network measured on this data set? */
bool pg_design_fits(const pg_design_scheme *scheme, const pg_design_data *data);

typedef struct pg_design_attack {
    const pg_attack *attack;
    void *options;
    pg_data_choice other; /* name empty: none */
    pg_input other_facts;
    const pg_arch *arch;       /* network that the options name; NULL: none */
    char network[PG_TEXT_MAX]; /* its name, or the absolute path of its file; the options have its name */
    bool all_schemes;
    bool keep;              /* keep its networks and evidence as files */
    uint64_t schemes;       /* bit i: applies to pg_schemes[i] */
    const pg_attack *after; /* follows every earlier entry of that attack; NULL: none */
    int chained;            /* attack of the design whose network this one attacks, earlier in its chain; -1: none */
    bool stage;             /* a later attack of its chain follows, so it is no entry of its own */
    const pg_node *node;
} pg_design_attack;

typedef struct pg_design_independent {
    pg_independent_options options;
    const pg_node *node;
} pg_design_independent;

typedef struct pg_design {
    pg_grid_options grid;
    int data_count, network_count, scheme_count, attack_count, independent_count;
    pg_design_data *data;
    pg_design_network *networks;
    pg_train_options train;
    pg_design_scheme *schemes;
    pg_design_attack *attacks;
    pg_design_independent *independent;
    pg_verify_options verify;
    pg_tree *tree;
} pg_design;

/* Read path and apply the assignments: "a.b=value", or "--profile=NAME", which chooses a profile. On PG_BAD_INPUT, problems has
 * what is wrong with the file; if it is empty, the message is in err. */
PG_CHECKED pg_status pg_design_read(const char *path, const char *const *sets, int set_count, const char *data_directory,
                                    pg_design **out, pg_problems *problems, pg_error *err);
void pg_design_destroy(pg_design **design);

/* Does this attack of the design apply to models of the scheme? */
bool pg_design_applies(const pg_design_attack *attack, const pg_scheme *scheme);

/* The design as a grid file with every default spelled out; reading it gives the same design. *text is freed by pg_free. */
PG_CHECKED pg_status pg_design_write(const pg_design *design, char **text, pg_error *err);

#endif
