/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A grid: the tasks of a design, each once, parents before children.
 *
 * For every data set, network and seed: each scheme is trained, and each attack runs on each trained model that it applies to.
 * If a scheme's passports come from a trained plain network, that network's task is a parent: the plain scheme with the grid's
 * `train` section, which is added if the grid does not list it. With `null_models`, plain networks of other seeds give the
 * threshold of each scheme's evidence; they are added if the grid does not have them. With `independent`, each piece of
 * evidence (the owner's, and that of every attack that hands on what it forged) claims plain networks that nobody of the grid
 * trained. Owners, attackers and null models use lower seeds.
 *
 * A network that was trained elsewhere is one task for all seeds, on each data set that fits it. So are its threshold and each
 * attack on it that uses no random numbers. */
#ifndef PG_GRID_GRID_H
#define PG_GRID_GRID_H

#include "experiments/grid/design.h"
#include "experiments/grid/labels.h"

typedef struct pg_grid_task {
    char key[PG_SHA256_HEX], name[PG_TASK_NAME_MAX];
    char *text, *public_text; /* see task.h */
    bool keep;                /* as in the task */
    char *about;              /* description of the files of a network trained elsewhere; NULL for others */
    int parents[3 + PG_NULL_MODELS_MAX], parent_count; /* indices of earlier tasks */
    double cost;                                       /* multiply-adds, roughly */
    double unsaved; /* longest part of the cost during which nothing can be saved: judging an outcome */
} pg_grid_task;

typedef struct pg_grid {
    pg_grid_options options;
    int count, room;
    pg_grid_task *tasks;
    char *resolved;         /* the design as a grid file */
    char *idle;             /* the attacks that apply to no scheme of the grid: "attacks.1 (prune), ..."; empty: none */
    double rank_bytes;      /* memory of a rank, roughly: the most of any scheme in any place */
    int *index, index_room; /* open addressing by key: index into tasks plus 1, 0 for empty */
} pg_grid;

/* As pg_design_read. */
PG_CHECKED pg_status pg_grid_read(const char *path, const char *const *sets, int set_count, const char *data_directory,
                                  pg_grid **out, pg_problems *problems, pg_error *err);
void pg_grid_destroy(pg_grid **grid);

/* Reduce the grid to one of its tasks, which loses its parents. */
void pg_grid_keep(pg_grid *grid, int task);

/* Index of the task with that key; -1 if there is none. */
int pg_grid_find(const pg_grid *grid, const char *key);

#endif
