/* Can the tasks of a design run? What the file and the shapes of its data tell is asked before anything is trained, by the
 * functions that the tasks themselves call: pg_train_check, and check of the schemes and the attacks.
 *
 * What is left for a running task to find:
 *   - files that change between the plan and the task: a data set or a trigger folder whose checksum is another one, a parent's
 *     model or evidence that is missing or damaged;
 *   - numbers: a loss, a gradient or a weight that is not finite, a mean filter of zeros, weights without eigenvalues;
 *   - the machine: memory, disk, time, signals. */
#ifndef PG_GRID_FEASIBLE_H
#define PG_GRID_FEASIBLE_H

#include "experiments/grid/design.h"

/* Ask for one scheme of the design and the attacks on it, on one data set. model has the shape that the scheme wired. */
PG_CHECKED pg_status pg_feasible_check(const pg_design *design, const pg_design_data *data, const pg_design_scheme *scheme,
                                       const pg_model *model, pg_problems *problems, pg_error *err);

/* Ask for the plain network that other tasks of the design are made from, where there are such tasks. */
PG_CHECKED pg_status pg_feasible_check_plain(const pg_design *design, const pg_design_data *data, const pg_model *model,
                                             pg_problems *problems, pg_error *err);

#endif
