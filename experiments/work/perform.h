/* One task from its text to its record in place: what a worker does. */
#ifndef PG_WORK_PERFORM_H
#define PG_WORK_PERFORM_H

#include "experiments/work/execute.h"

/* Run the task, hash what it made, write its record last. Nothing happens if the record is there. Status and message as
 * pg_task_execute; PG_BAD_INPUT too if what a parent made is missing or damaged, whose record is then removed. */
typedef pg_status pg_performer(const char *text, const pg_workplace *at, pg_error *err);
PG_CHECKED pg_performer pg_perform;

#endif
