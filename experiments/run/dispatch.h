/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The states of a grid's tasks during a run, and the choice of the next task.
 *
 * A task is ready when its parents are done. The next task is the ready one with the longest remaining path: its own cost plus
 * that of the costliest chain of tasks below it. Ties go to the earlier task of the grid. Tasks below a failed one are skipped.
 * The caller owns the clock and the ranks. */
#ifndef PG_RUN_DISPATCH_H
#define PG_RUN_DISPATCH_H

#include "experiments/grid/grid.h"

typedef enum pg_work_state {
    PG_WORK_WAITING,
    PG_WORK_READY,
    PG_WORK_RUNNING,
    PG_WORK_DONE,
    PG_WORK_FAILED,
    PG_WORK_SKIPPED
} pg_work_state;

typedef struct pg_dispatch {
    const pg_grid *grid; /* borrowed */
    pg_work_state *state;
    int *blame;                   /* of a skipped task: the failed task above it */
    double *cost;                 /* of each task */
    double *remaining;            /* cost of the longest path from here to an end, this task included */
    int *missing;                 /* parents not done yet */
    int *child_start, *children;  /* of task i: children[child_start[i] .. child_start[i + 1]) */
    int *heap, heap_count;        /* the ready tasks; heap[0] is the next one */
    int *passed;                  /* work space of pg_dispatch_take_within */
    int counts[6];                /* tasks in each pg_work_state */
    double cost_total, cost_done; /* of tasks that are to run in this run */
} pg_dispatch;

/* done[i]: task i is done already. costs [grid->count] may have any unit; NULL: the grid's own, in multiply-adds. */
PG_CHECKED pg_status pg_dispatch_create(const pg_grid *grid, const bool *done, const double *costs, pg_dispatch **out,
                                        pg_error *err);
void pg_dispatch_destroy(pg_dispatch **dispatch);

/* Take the next ready task and mark it running; -1 if none is ready. */
int pg_dispatch_take(pg_dispatch *dispatch);
/* Take the next ready task that can first save its state after a cost of at most `budget`. */
int pg_dispatch_take_within(pg_dispatch *dispatch, double budget);
/* Mark a running task done; mark it failed and skip all tasks below it; make it ready again. */
void pg_dispatch_done(pg_dispatch *dispatch, int task);
void pg_dispatch_failed(pg_dispatch *dispatch, int task);
void pg_dispatch_return(pg_dispatch *dispatch, int task);

/* Is no task ready or running, so that no further one can start? */
bool pg_dispatch_over(const pg_dispatch *dispatch);

/* Cost of the longest path of tasks that are not done; total cost of those tasks. */
double pg_dispatch_critical(const pg_dispatch *dispatch);
double pg_dispatch_open(const pg_dispatch *dispatch);

#endif
