/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the entries of a grid file for networks that were trained elsewhere. */
#ifndef PG_GRID_DESIGN_SOURCE_H
#define PG_GRID_DESIGN_SOURCE_H

#include "experiments/grid/design_internal.h"

/* Read an entry of a scheme, which may name the files of a network instead of training options. Then the files determine the
 * scheme's options in `made` and its network, which is added to the grid if the grid lists none. Without files `made` is
 * trained in every network of the grid. */
PG_CHECKED pg_status pg_design_read_source(pg_design_reader *r, const pg_node *map, pg_design_scheme *made, pg_error *err);

#endif
