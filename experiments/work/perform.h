/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One task from its text to its record: the work of a worker. */
#ifndef PG_WORK_PERFORM_H
#define PG_WORK_PERFORM_H

#include "experiments/work/execute.h"

/* Run the task of a canonical text, hash the files that it made, write its record last. Does nothing if the record is there.
 * Status and message as pg_task_execute; also PG_BAD_INPUT if the file of a parent is missing or damaged, after removing the
 * parent's record so that the next run makes it again. */
PG_CHECKED pg_status pg_perform(const char *text, const pg_workplace *at, pg_error *err);
typedef pg_status pg_performer(const char *text, const pg_workplace *at, pg_error *err);

#endif
