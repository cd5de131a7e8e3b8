/* The books of a run: what happened to each task, written where it must be. Shared by the master and by a process that works
 * alone. */
#ifndef PG_RUN_RUN_BOOK_H
#define PG_RUN_RUN_BOOK_H

#include "experiments/grid/estimate.h"
#include "experiments/run/run.h"

typedef struct pg_book {
    const pg_grid *grid;
    const pg_run_options *options;
    pg_dispatch *dispatch;
    pg_monitor monitor;
    double *seconds; /* by task: its time in this run */
    int *rank;       /* by task: the rank that ran it; -1: none in this run */
    bool *part;      /* by task: an earlier run or a lost rank did some of its work, so `seconds` does not measure its cost */
    pg_tracked *tracked; /* by task: its progress */
    bool opened;         /* something ran, so the log is open */
    pg_timed timed;      /* before and in this run */
    bool interrupted;
    pg_status fault; /* what ends the run early: PG_IO_FAULT, PG_NO_MEMORY; PG_INTERRUPTED with a reason of its own */
    pg_error fault_error;
    pg_run_result result;
} pg_book;

PG_CHECKED pg_status pg_book_open(pg_book *book, const pg_grid *grid, const pg_run_options *options, pg_error *err);
void pg_book_close(pg_book *book);

/* May another task start? */
bool pg_book_going(const pg_book *book);

/* See whether a signal or the deadline has come. */
void pg_book_watch(pg_book *book);

/* Take the task that comes next; -1 if there is none now. Tasks that could save nothing before the deadline are left; when no
 * others are (and none is at work), the run is interrupted. */
int pg_book_next(pg_book *book, bool others_at_work);

/* A task starts on a rank; it came to an end there, with a status and its message. Failures to write the books are kept as
 * faults. */
void pg_book_start(pg_book *book, int task, int rank);
void pg_book_end(pg_book *book, int task, pg_status status, const char *message, double seconds);

/* Note a progress report of the rank that runs a task; show the progress. */
void pg_book_progress(pg_book *book, int task, const pg_task_progress *progress);
void pg_book_show(pg_book *book);

/* A rank is lost, at work on a task (-1: on none); the task goes back to the ready ones; the run ends early, resumable;
 * something about a task for the log. */
void pg_book_lost(pg_book *book, int rank, const char *host, int task, const char *why);
void pg_book_return(pg_book *book, int task);
void pg_book_stop(pg_book *book, const char *why);
void pg_book_note(pg_book *book, int task, const char *text);

/* The log as it is now: after a burst of events, see monitor.h. */
void pg_book_flush(pg_book *book);

/* What the run comes to: see pg_run_grid. Writes timings.csv if something ran. */
PG_CHECKED pg_status pg_book_finish(pg_book *book, pg_error *err);

#endif
