/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a process must have saved its tasks: what `run` and `task` share. */
#ifndef PG_COMMANDS_DEADLINE_H
#define PG_COMMANDS_DEADLINE_H

#include "experiments/commands/cli.h"

/* Most seconds from a signal to the end of a process that computes. Saving takes a few seconds; by default Slurm kills half a
 * minute after its SIGTERM. */
enum { PG_SAVING_SECONDS = 24 };

/* Row of the option --deadline of a struct, an int of seconds; 0: not given. */
#define PG_CLI_DEADLINE(type, field)                                                                                           \
    PG_CLI_INT(type, field, "deadline", "SECONDS", 1, 100000000,                                                               \
               "save every task and end within this time; start no task that could save nothing by then",                      \
               .fallback = "the end of the Slurm job, if SLURM_JOB_END_TIME is set")

/* The time of pg_now() by which everything must be saved, from --deadline or, without it (0), from Slurm's SLURM_JOB_END_TIME.
 * 0: no deadline. PG_BAD_INPUT if that variable is not a time to come. */
PG_CHECKED pg_status pg_deadline_find(int seconds, double *deadline, pg_error *err);

#endif
