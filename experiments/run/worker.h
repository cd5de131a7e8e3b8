/* A worker: asks the master for tasks and runs them, until it is told to end or the master is gone. */
#ifndef PG_RUN_WORKER_H
#define PG_RUN_WORKER_H

#include "experiments/run/team.h"
#include "experiments/work/perform.h"

/* Not collective. perform runs a task: pg_perform, or something like it. at->stop, report, note and context are set here. An
 * error means that messages no longer get through or that the master is lost: its process has ended, or, where that cannot be
 * seen, it was silent for `silence` seconds. The task at work was saved before. */
PG_CHECKED pg_status pg_worker_loop(pg_team *team, pg_workplace *at, pg_performer *perform, double silence, pg_error *err);

#endif
