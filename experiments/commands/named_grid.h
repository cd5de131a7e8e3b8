/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A grid named on the command line, and the directory of its run: the arguments that run, plan, why and table share. */
#ifndef PG_COMMANDS_NAMED_GRID_H
#define PG_COMMANDS_NAMED_GRID_H

#include "experiments/commands/cli.h"
#include "experiments/work/rundir.h"

typedef struct pg_grid_arguments {
    const char *config, *out, *data, *profile; /* the last three: NULL if not given */
    pg_cli_list sets;
} pg_grid_arguments;
/* Rows of pg_grid_arguments: `config` is a grid, or names a run. */
extern const pg_cli_row pg_grid_rows[], pg_run_rows[];

/* Read the grid and find the directory of its run. The caller destroys *grid. Problems of the configuration come with
 * PG_BAD_INPUT. */
PG_CHECKED pg_status pg_named_grid_read(const pg_grid_arguments *a, pg_grid **grid, char directory[PG_PATH_MAX],
                                        pg_problems *problems, pg_error *err);

/* Find the one task that has this name, or a key that begins with it. */
PG_CHECKED pg_status pg_named_task(const pg_grid *grid, const char *word, int *at, pg_error *err);

/* Print the problems, or without any the error. Returns the exit code. */
int pg_named_grid_complain(const char *command, pg_status status, const pg_problems *problems, const pg_error *err);

/* The same with the state of every task, for commands that only look. */
typedef struct pg_named_grid {
    pg_grid *grid;
    pg_task_state *states; /* by task */
    char directory[PG_PATH_MAX];
} pg_named_grid;

/* True: *out is ready and the caller ends it by pg_named_grid_close. False: messages have been printed, *code is the exit code.
 */
bool pg_named_grid_open(const char *command, const pg_grid_arguments *a, pg_named_grid *out, int *code);
void pg_named_grid_close(pg_named_grid *named);

/* True: *directory is that of a finished or begun run, which `config` names itself or by its grid. False: messages have been
 * printed, also if options of a grid stand beside a directory; *code is the exit code. Missing data sets are assumed. */
bool pg_named_run(const char *command, const pg_grid_arguments *a, char directory[PG_PATH_MAX], int *code);

#endif
