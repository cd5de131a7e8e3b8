/* A grid named on the command line, and the directory of its run: what the commands share that look at both. */
#ifndef PG_COMMANDS_NAMED_GRID_H
#define PG_COMMANDS_NAMED_GRID_H

#include "experiments/work/rundir.h"

typedef struct pg_named_grid {
    pg_grid *grid;
    pg_task_state *states; /* by task */
    char directory[PG_PATH_MAX];
} pg_named_grid;

/* Read the arguments of a command: `words` of them, the last a configuration, and the options --out, --set, --profile, --data
 * and --help. True: *out is ready, to be ended by pg_named_grid_close, and the words begin at argv[optind]. False: help or a
 * message has been printed, and *code is the exit code. */
bool pg_named_grid_open(int argc, char **argv, int words, const char *usage, pg_named_grid *out, int *code);
void pg_named_grid_close(pg_named_grid *named);

#endif
