/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The number of tasks in a grid, computed from its file before any task exists. */
#ifndef PG_GRID_GRID_SIZE_H
#define PG_GRID_GRID_SIZE_H

#include "core/formats/problems.h"

/* Most tasks of one grid. Each takes about a kilobyte of memory. */
enum { PG_TASKS_MAX = 1000000 };

/* False, with a problem that shows the product, if a grid has more than PG_TASKS_MAX tasks. Ignores all other faults of the
 * file. Does not count unreadable entries, thresholds, and plain networks that several tasks share. */
bool pg_grid_size_check(const pg_node *root, pg_problems *problems);

#endif
