/* A worker: asks the master for tasks and runs them, until it is told to end. */
#ifndef PG_EXPERIMENTS_WORKER_H
#define PG_EXPERIMENTS_WORKER_H

#include "experiments/task.h"
#include "experiments/team.h"

/* Not collective. at->stop, report and context are set here. An error means that messages no longer get through. */
PG_CHECKED pg_status pg_worker_loop(pg_team *team, pg_workplace *at, pg_error *err);

/* Sleep a little longer after each round in which nothing happened, 0.2 to 5 ms; idle is set to 0 when something did. */
void pg_idle_sleep(int *idle);

#endif
