/* The part of a grid file about networks that were trained elsewhere. */
#ifndef PG_GRID_DESIGN_SOURCE_H
#define PG_GRID_DESIGN_SOURCE_H

#include "experiments/grid/design.h"

/* Read the entry of a scheme that may name the files of a network instead of training options. The files determine everything
 * else: the scheme's options in `made`, and the grid's network, which is added if the grid lists none. Without files `made` is
 * trained in every network of the grid. */
PG_CHECKED pg_status pg_design_read_source(pg_design *design, const pg_node *map, pg_design_scheme *made, pg_problems *problems,
                                           pg_error *err);

#endif
