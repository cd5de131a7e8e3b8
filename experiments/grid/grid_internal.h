/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that make a grid. */
#ifndef PG_GRID_GRID_INTERNAL_H
#define PG_GRID_GRID_INTERNAL_H

#include "experiments/grid/grid.h"
#include "experiments/grid/task.h"

/* Add a task unless the grid has it; *at is its index. A parent of -1 means none. Does not keep the task's options. */
PG_CHECKED pg_status pg_grid_add(pg_grid *grid, pg_task *task, const int *parents, int parent_count, double cost, int *at,
                                 pg_error *err);

#endif
