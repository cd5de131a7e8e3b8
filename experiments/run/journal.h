/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal of a run: updates the dispatch, the log, events.jsonl, failed/ and timings.csv when something happens to a task.
 * The master uses it, and so does a process that works alone. */
#ifndef PG_RUN_JOURNAL_H
#define PG_RUN_JOURNAL_H

#include "experiments/grid/estimate.h"
#include "experiments/run/run.h"

typedef struct pg_journal {
    const pg_grid *grid;
    const pg_run_options *options;
    pg_dispatch *dispatch;
    pg_monitor monitor;
    double *seconds; /* by task: time spent on it in this run */
    int *rank;       /* by task: the rank that ran it; -1: none in this run */
    bool *part;      /* by task: an earlier run or a lost rank did some of its work, so `seconds` does not measure its cost */
    pg_tracked *tracked; /* by task: its progress */
    bool opened;         /* a task has started, so the log is open */
    int workers;         /* ranks that compute */
    pg_timed timed;      /* of earlier runs and this one */
    bool interrupted;
    pg_status fault; /* why the run ends early: PG_IO_FAULT, PG_NO_MEMORY, or PG_INTERRUPTED with a message of its own */
    pg_error fault_error;
    pg_run_result result;
} pg_journal;

/* workers: number of ranks that compute. */
PG_CHECKED pg_status pg_journal_open(pg_journal *journal, const pg_grid *grid, const pg_run_options *options, int workers,
                                     pg_error *err);
void pg_journal_close(pg_journal *journal);

/* May another task start? False once the run is to end. */
bool pg_journal_going(const pg_journal *journal);

/* Check for a signal, the deadline and the loss of the run lock. */
void pg_journal_watch(pg_journal *journal);

/* Take the next task; -1 if none can start now. Skips tasks that could not save anything before the deadline. If only such
 * tasks are left and no task is at work, the run is interrupted. */
int pg_journal_next(pg_journal *journal, bool others_at_work);

/* Note that a task starts on a rank; note that it ended there, with its status and message. If the journal cannot write,
 * `fault` keeps the error. */
void pg_journal_start(pg_journal *journal, int task, int rank);
void pg_journal_end(pg_journal *journal, int task, pg_status status, const char *message, double seconds);

/* Store a progress report about a task, and tell it in events.jsonl if it is news; show the progress of the run. */
void pg_journal_progress(pg_journal *journal, int task, const pg_task_progress *progress);
void pg_journal_show(pg_journal *journal);

/* Note a lost rank and its task (-1: none); make a task ready again; end the run early, so that it can be resumed; log a text
 * about a task. */
void pg_journal_lost(pg_journal *journal, int rank, const char *host, int task, const char *why);
void pg_journal_return(pg_journal *journal, int task);
void pg_journal_stop(pg_journal *journal, const char *why);
void pg_journal_note(pg_journal *journal, int task, const char *text);

/* Flush the files of events; see monitor.h. */
void pg_journal_flush(pg_journal *journal);

/* Set result, write timings.csv if a task ran, and return the status of the run (see pg_run_grid). */
PG_CHECKED pg_status pg_journal_finish(pg_journal *journal, pg_error *err);

#endif
