/* SPDX-License-Identifier: GPL-3.0-or-later */
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
    pg_run_lock *lock;                      /* lock of the directory, or claim of its one task; NULL: not taken */
    bool shared; /* other processes work in the directory: remove no remains of killed runs, log to the stream alone */
    double checkpoint_seconds; /* see pg_workplace */
    double deadline;           /* time of pg_now() by which everything must be saved; 0: none */
    double silence;            /* seconds after which a worker that sends nothing is lost */
} pg_run_options;

typedef struct pg_run_result {
    int done, ran, failed, skipped, left; /* numbers of tasks; left: not started, or interrupted */
    double seconds, busy, critical;       /* wall time; sum over tasks; longest path of measured times */
    char lost[256];                       /* lost ranks: "rank 2 on HOST, rank 3 on HOST"; a long list is cut */
} pg_run_result;

/* Run the tasks that are not done. PG_OK: every task is done. PG_FAILED: some tasks failed, all that could run ran.
 * PG_INTERRUPTED: a signal or the deadline came, or every worker was lost; the state is saved. PG_IO_FAULT, PG_NO_MEMORY: the
 * fault in err ended the run. *result is not set if the journal cannot be opened. Rank 0 only; the workers must be in
 * pg_worker_loop. */
PG_CHECKED pg_status pg_run_grid(const pg_grid *grid, pg_comm *comm, const pg_run_options *options, pg_run_result *result,
                                 pg_error *err);

#endif
