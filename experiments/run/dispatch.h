/* Which task next: the states of a grid's tasks while it runs.
 *
 * Of the tasks whose parents are done, the one with the longest remaining path (its own cost and that of the costliest chain
 * below it) comes first; equal ones in the order of the grid. A task below a failed one is skipped. No clock, no ranks: the
 * caller owns those. */
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
    int *blame;                   /* of a skipped task: the failed one above it */
    double *cost;                 /* of each task */
    double *remaining;            /* cost of the longest path from here to an end, this task included */
    int *missing;                 /* parents not done yet */
    int *child_start, *children;  /* of task i: children[child_start[i] .. child_start[i + 1]) */
    int *heap, heap_count;        /* ready tasks, first first */
    int *passed;                  /* work space of pg_dispatch_take_within */
    int counts[6];                /* tasks in each pg_work_state */
    double cost_total, cost_done; /* of tasks that are to run in this run */
} pg_dispatch;

/* done[i]: task i needs no running. costs [grid->count], in any unit; NULL: the grid's, in multiply-adds. */
PG_CHECKED pg_status pg_dispatch_create(const pg_grid *grid, const bool *done, const double *costs, pg_dispatch **out,
                                        pg_error *err);
void pg_dispatch_destroy(pg_dispatch **dispatch);

/* Take the next ready task, which is then running; -1 if there is none now. */
int pg_dispatch_take(pg_dispatch *dispatch);
/* The next one that, once begun, can save something after no more than that cost. */
int pg_dispatch_take_within(pg_dispatch *dispatch, double budget);
/* A running task is done; failed, and all below it is skipped; goes back to the ready ones. */
void pg_dispatch_done(pg_dispatch *dispatch, int task);
void pg_dispatch_failed(pg_dispatch *dispatch, int task);
void pg_dispatch_return(pg_dispatch *dispatch, int task);

/* Nothing is ready or running: no call of take will give a task any more. */
bool pg_dispatch_over(const pg_dispatch *dispatch);

/* Cost of the longest path of tasks that are not done; their cost in all. */
double pg_dispatch_critical(const pg_dispatch *dispatch);
double pg_dispatch_open(const pg_dispatch *dispatch);

#endif
