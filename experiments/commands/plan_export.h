/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The unfinished tasks of a grid as a graph for other engines, for `passgrid plan --export`. */
#ifndef PG_COMMANDS_PLAN_EXPORT_H
#define PG_COMMANDS_PLAN_EXPORT_H

#include "experiments/commands/named_grid.h"
#include "experiments/run/dispatch.h"

/* JSONL: one object for each task. MAKE: a makefile. SLURM_ARRAY: a bash script that submits job arrays, one level of the graph
 * after the other. */
typedef enum pg_export { PG_EXPORT_JSONL, PG_EXPORT_MAKE, PG_EXPORT_SLURM_ARRAY } pg_export;
extern const char *const pg_export_names[]; /* in their order, ended by NULL */

/* Print the graph to stdout. Every task is a `passgrid task` command with absolute paths; dispatch has the estimated seconds.
 * Tasks that are done are left out. PG_BAD_INPUT if an argument cannot stand in that format. */
PG_CHECKED pg_status pg_plan_export(pg_export format, const pg_grid_arguments *a, const pg_named_grid *named,
                                    const pg_dispatch *dispatch, pg_error *err);

/* Print the words that name this grid to stdout, for a shell: CONFIG --out DIR --set ..., without the
 * values that were set, since one may be a secret. */
void pg_plan_print_grid(const pg_grid_arguments *a);

#endif
