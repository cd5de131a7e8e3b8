/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker: runs tasks for the master until the master tells it to end or is lost. */
#ifndef PG_RUN_WORKER_H
#define PG_RUN_WORKER_H

#include "experiments/run/comm.h"
#include "experiments/work/perform.h"

/* Not collective. perform runs a task, as pg_perform does. Sets at->stop, report, note, saved and context. Fails, after it has
 * saved the current task, if messages cannot be sent or the master is lost: its process has ended, or that process is invisible
 * and has sent nothing for ten times `silence` seconds. */
PG_CHECKED pg_status pg_worker_loop(pg_comm *comm, pg_workplace *at, pg_performer *perform, double silence, pg_error *err);

#endif
