/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a grid takes on how many cores. */
#ifndef PG_COMMANDS_PLAN_SIMULATE_H
#define PG_COMMANDS_PLAN_SIMULATE_H

#include "experiments/commands/named_grid.h"

/* Print a row for each number of cores in `cores`, a list such as "64,256": the split into ranks and threads that ends first,
 * its time and idle share, and the number of allocations of the given length. seconds: [tasks] on ranks of the grid's
 * threads. PG_BAD_INPUT if `cores` is no such list. */
PG_CHECKED pg_status pg_plan_simulate(const pg_named_grid *named, const bool *done, const double *seconds, const char *cores,
                                      int allocation, pg_error *err);

#endif
