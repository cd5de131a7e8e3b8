/* The journal of a run: records what happens to each task, in the dispatch, the log, the failures and timings.csv. Shared by
 * the master and by a process that works alone. */
#ifndef PG_RUN_JOURNAL_H
#define PG_RUN_JOURNAL_H

#include "experiments/grid/estimate.h"
#include "experiments/run/run.h"

typedef struct pg_journal {
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
} pg_journal;

PG_CHECKED pg_status pg_journal_open(pg_journal *journal, const pg_grid *grid, const pg_run_options *options, pg_error *err);
void pg_journal_close(pg_journal *journal);

/* May another task start? */
bool pg_journal_going(const pg_journal *journal);

/* See whether a signal or the deadline has come. */
void pg_journal_watch(pg_journal *journal);

/* Take the next task; -1 if there is none now. Leaves tasks that could save nothing before the deadline. If only those are left
 * and no task is at work, the run is interrupted. */
int pg_journal_next(pg_journal *journal, bool others_at_work);

/* Note that a task starts on a rank, and that it ended there with a status and its message. Keeps failures to write as faults.
 */
void pg_journal_start(pg_journal *journal, int task, int rank);
void pg_journal_end(pg_journal *journal, int task, pg_status status, const char *message, double seconds);

/* Note a progress report of the rank that runs a task; show the progress. */
void pg_journal_progress(pg_journal *journal, int task, const pg_task_progress *progress);
void pg_journal_show(pg_journal *journal);

/* Note a lost rank and its task (-1: none); make a task ready again; end the run early, resumable; log a text about a task. */
void pg_journal_lost(pg_journal *journal, int rank, const char *host, int task, const char *why);
void pg_journal_return(pg_journal *journal, int task);
void pg_journal_stop(pg_journal *journal, const char *why);
void pg_journal_note(pg_journal *journal, int task, const char *text);

/* Flush the log after a burst of events; see monitor.h. */
void pg_journal_flush(pg_journal *journal);

/* Return the result of the run (see pg_run_grid). Writes timings.csv if a task ran. */
PG_CHECKED pg_status pg_journal_finish(pg_journal *journal, pg_error *err);

#endif
