/* Running a grid: in one process, or as the master of workers. */
#ifndef PG_RUN_RUN_H
#define PG_RUN_RUN_H

#include "experiments/run/comm.h"
#include "experiments/run/monitor.h"
#include "experiments/run/run_lock.h"
#include "experiments/work/rundir.h"

typedef struct pg_run_options {
    const char *directory, *data_directory; /* data_directory NULL: the default */
    FILE *stream;                           /* progress; NULL: none */
    pg_run_lock *lock;                      /* of the directory, if it was taken; NULL: none */
    double checkpoint_seconds;              /* see pg_workplace */
    double deadline;                        /* time of pg_now() by which everything must be saved; 0: none */
    double silence;                         /* seconds after which a worker that says nothing is lost */
} pg_run_options;

typedef struct pg_run_result {
    int done, ran, failed, skipped, left; /* tasks; left: not started, or interrupted */
    double seconds, busy, critical;       /* wall time; sum over tasks; longest path by measured times */
    char lost[256];                       /* ranks that were lost: "rank 2 on HOST, rank 3 on HOST"; long lists are cut */
} pg_run_result;

/* Run what is not done. PG_OK: everything is done; PG_FAILED: all that could run did, some failed; PG_INTERRUPTED: a signal
 * or the deadline came, or every worker was lost, and all state is saved; PG_IO_FAULT, PG_NO_MEMORY: stopped by the fault in
 * err. *result is set unless a fault keeps the journal from being closed. Rank 0 only; the workers must be in pg_worker_loop.
 */
PG_CHECKED pg_status pg_run_grid(const pg_grid *grid, pg_comm *comm, const pg_run_options *options, pg_run_result *result,
                                 pg_error *err);

#endif
