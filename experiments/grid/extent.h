/* How many tasks a grid stands for, from its file alone: before anything is multiplied out. */
#ifndef PG_GRID_EXTENT_H
#define PG_GRID_EXTENT_H

#include "core/formats/problems.h"

/* Tasks of one grid. A task takes about a kilobyte. */
enum { PG_TASKS_MAX = 1000000 };

/* False, and a problem with the product, where a grid multiplies out to more than PG_TASKS_MAX tasks. What is wrong with the
 * file otherwise is not looked at: an entry that cannot be read counts for nothing, plain networks that several tasks share,
 * and thresholds, are not counted. */
bool pg_extent_check(const pg_node *root, pg_problems *problems);

#endif
