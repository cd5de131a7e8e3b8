/* Entries of a grid that give the same tasks. */
#ifndef PG_GRID_TWINS_H
#define PG_GRID_TWINS_H

#include "experiments/grid/design.h"

/* Report every data set, network, scheme and attack of the design that is the same as one before it, whatever their spelling.
 * Two entries of an attack are the same only where they are used on one scheme. */
PG_CHECKED pg_status pg_twins_check(const pg_design *design, pg_problems *problems, pg_error *err);

#endif
