/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The events of a run, one JSON object a line: events.jsonl. experiments/README.md lists the members.
 *
 * Lines are only appended. A process that is killed may leave a torn last line; the next run cuts it off. */
#ifndef PG_RUN_EVENTS_H
#define PG_RUN_EVENTS_H

#include "core/base/status.h"
#include "experiments/work/progress.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum pg_event_kind {
    PG_EVENT_BEGIN,    /* a run began to work */
    PG_EVENT_START,    /* a rank starts a task */
    PG_EVENT_EPOCH,    /* it has judged an epoch */
    PG_EVENT_SAVED,    /* it has saved a checkpoint */
    PG_EVENT_PROGRESS, /* it works, and nothing else has happened for a while */
    PG_EVENT_DONE,     /* the end of a task: it is done */
    PG_EVENT_FAILED,   /* it failed */
    PG_EVENT_SKIP,     /* it is skipped, because one above it failed */
    PG_EVENT_STOP,     /* it was interrupted */
    PG_EVENT_AGAIN,    /* its rank was lost: it is ready again */
    PG_EVENT_LOST,     /* a rank was lost */
    PG_EVENT_NOTE,
    PG_EVENT_END, /* the run ended by itself */
    PG_EVENTS
} pg_event_kind;

typedef struct pg_event_traits {
    const char *name;
    bool quiet;  /* in events.jsonl alone, not in the log */
    bool urgent; /* a terminal shows it */
} pg_event_traits;
extern const pg_event_traits pg_events[PG_EVENTS];

typedef struct pg_event_counts {
    int tasks, done, failed, skipped, left; /* of the grid; left: the others */
    int workers;
    long long process; /* of rank 0 */
} pg_event_counts;

typedef struct pg_event {
    pg_event_kind kind;
    const char *task, *key;           /* NULL: about the run */
    const char *text, *host;          /* a message; NULL: none */
    int rank;                         /* -1: none */
    double seconds;                   /* that the task took; of progress: that are left to it; 0: unknown */
    double run_left;                  /* seconds until the run is complete; 0: unknown */
    double rate;                      /* images per second of the task since its line before; 0: unknown */
    const pg_task_progress *progress; /* NULL: none. DONE: its memory alone */
    const pg_event_counts *counts;    /* BEGIN and END */
} pg_event;

/* Open a file to which lines are appended, and cut off what a killed process left after the last line. Refuses a link. */
PG_CHECKED pg_status pg_events_open(const char *path, FILE **out, pg_error *err);

/* Print an event at a time ("2026-11-28T01:44:39Z"). */
void pg_event_print(const pg_event *event, const char *time, FILE *stream);

#endif
