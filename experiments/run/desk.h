/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of a task's progress that the rank knows and the task does not: its checkpoint and the memory of the process. */
#ifndef PG_RUN_DESK_H
#define PG_RUN_DESK_H

#include "experiments/work/progress.h"

/* A task begins; it reports; a checkpoint holds what it reported last; it has ended. */
void pg_desk_begin(pg_task_progress *progress);
void pg_desk_report(pg_task_progress *progress, const pg_task_progress *report);
void pg_desk_saved(pg_task_progress *progress);
void pg_desk_end(pg_task_progress *progress);

#endif
