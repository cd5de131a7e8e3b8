/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entries of a grid that describe the same tasks. */
#ifndef PG_GRID_DUPLICATES_H
#define PG_GRID_DUPLICATES_H

#include "experiments/grid/design.h"

/* Report every data set, network, scheme and attack of the design whose values equal those of an earlier one, however they are
 * spelled. Attack entries are duplicates only if they apply to a common scheme. */
PG_CHECKED pg_status pg_duplicates_check(const pg_design *design, pg_problems *problems, pg_error *err);

#endif
