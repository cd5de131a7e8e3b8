/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can the tasks of a design run? Checks, before any training, everything that follows from the file and the shapes of its data.
 * Calls the functions that the tasks call too: pg_train_check, pg_verify_check, and `check` of schemes and attacks.
 *
 * Only a running task can find out about:
 *   - files that change after the plan: a data set or a trigger folder with another checksum, a parent's model or evidence that
 *     is missing or damaged;
 *   - numbers: a loss, a gradient or a weight that is not finite, a mean filter of zeros, weights without eigenvalues;
 *   - the machine: memory, disk, time, signals. */
#ifndef PG_GRID_FEASIBLE_H
#define PG_GRID_FEASIBLE_H

#include "experiments/grid/design.h"

/* Check one scheme of the design, and the attacks on it, on one data set. layout is that of the network that the scheme wired.
 */
PG_CHECKED pg_status pg_feasible_check(const pg_design *design, const pg_design_data *data, const pg_design_scheme *scheme,
                                       const pg_layout *layout, pg_problems *problems, pg_error *err);

/* Check the plain network, if other tasks of the design start from it. */
PG_CHECKED pg_status pg_feasible_check_plain(const pg_design *design, const pg_design_data *data, const pg_layout *layout,
                                             pg_problems *problems, pg_error *err);

#endif
