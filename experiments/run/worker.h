/* A worker: asks the master for tasks and runs them, until the master tells it to end or is lost. */
#ifndef PG_RUN_WORKER_H
#define PG_RUN_WORKER_H

#include "experiments/run/comm.h"
#include "experiments/work/perform.h"

/* Not collective. perform runs a task, as pg_perform does. Sets at->stop, report, note and context. Fails, after saving the
 * current task, if messages no longer get through or the master is lost: its process has ended, or, if that process is
 * invisible, it was silent for `silence` seconds. */
PG_CHECKED pg_status pg_worker_loop(pg_comm *comm, pg_workplace *at, pg_performer *perform, double silence, pg_error *err);

#endif
