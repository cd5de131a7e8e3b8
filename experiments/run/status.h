/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run does now or did last, from its events.jsonl and run.lock alone. Only reads, so it never disturbs the run. */
#ifndef PG_RUN_STATUS_H
#define PG_RUN_STATUS_H

#include "core/base/file.h"

#include <stdbool.h>
#include <time.h>

typedef enum pg_run_state {
    PG_RUN_STARTING, /* a process has the run lock and has not begun */
    PG_RUN_WORKING,
    PG_RUN_ENDED,
    PG_RUN_KILLED, /* it has neither ended nor a process */
    PG_RUN_STATES
} pg_run_state;
extern const char *const pg_run_state_names[PG_RUN_STATES];

/* A task that was started and has not ended. Unknown numbers are NaN, unknown times 0. */
typedef struct pg_running {
    char *name;
    int rank;
    time_t started, told; /* told: its latest line */
    int epoch, epochs;    /* judged; all; 0: it has none */
    double loss, accuracy, share, saved, rate, memory;
    double left; /* seconds, at the time of its latest line */
} pg_running;

typedef struct pg_trouble {
    time_t time;
    char kind[8], *text; /* "failed"; "TASK: message" */
} pg_trouble;

enum { PG_TROUBLES = 5 };

typedef struct pg_run_view {
    pg_run_state state;
    int tasks, done, failed, skipped, workers, lost; /* lost: ranks, of all that were */
    time_t begun, latest;                            /* of the latest run: its begin and its latest event */
    double left;                                     /* seconds from `told` until the run is complete; NaN: unknown */
    time_t told;
    double memory; /* largest of a task so far; NaN: unknown */
    long long process;
    char host[64];
    pg_running *running;
    int running_count;
    pg_trouble troubles[PG_TROUBLES]; /* the latest, in order */
    int trouble_count;
    FILE *file; /* at the first line that was not read */
    long long inode;
} pg_run_view;

/* Read what was written since the last call on this view; the first time it is zero. Skips a torn last line. PG_BAD_INPUT if no
 * run has begun in the directory. */
PG_CHECKED pg_status pg_run_view_read(pg_run_view *view, const char *directory, pg_error *err);
void pg_run_view_close(pg_run_view *view);

#endif
