/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress display of a run. A terminal shows one live line. Elsewhere every event is a line with its time, and a line at
 * least every half minute shows the progress. Two files receive the events: logs/run.log as text, and events.jsonl. */
#ifndef PG_RUN_MONITOR_H
#define PG_RUN_MONITOR_H

#include "experiments/run/dispatch.h"
#include "experiments/run/events.h"
#include "experiments/run/ticker.h"
#include "experiments/work/progress.h"

#include <stdio.h>
#include <time.h>

/* The progress of a task in this run. */
typedef struct pg_tracked {
    pg_task_progress now, first; /* latest report; first report: the work that earlier runs did */
    bool told;
    int judged; /* what the latest line about it in events.jsonl says */
    double saved, images;
    double from;             /* fraction with which the latest attempt began */
    double started, written; /* times: of that beginning, 0: not yet; of that line */
} pg_tracked;

typedef struct pg_monitor {
    FILE *stream;       /* stderr; NULL: silent */
    FILE *log, *events; /* NULL: not open */
    bool live;          /* stream is a terminal, and has a live line */
    bool drawn;
    bool burst;               /* events come in bursts: the caller flushes the files a few times a second */
    time_t second;            /* of the latest event */
    char stamp[32], utc[32];  /* that time as text: the local one; for events.jsonl */
    double synced;            /* time at which events.jsonl was synced */
    bool unflushed, unsynced; /* something was written to the files since they were flushed; to events.jsonl since then */
    double left;              /* seconds until the run is complete; 0: unknown */
    double started, shown;    /* seconds; shown: time of the last progress text */
    double last_time;         /* of the last measurement of the rates, and the sums at that time */
    double last_images, last_work;
    double images_rate, work_rate; /* per second, smoothed; work: multiply-adds */
    pg_ticker ticker;              /* prints `lines` if there is no live line */
    pthread_mutex_t lock;          /* of `lines` */
    char lines[4096];              /* the progress as text */
} pg_monitor;

/* The monitor must not move until pg_monitor_finish. */
void pg_monitor_start(pg_monitor *monitor, FILE *stream);

/* Append to the log and to events.jsonl of a directory from now on. */
PG_CHECKED pg_status pg_monitor_open(pg_monitor *monitor, const char *directory, pg_error *err);

/* Write an event to the open files and show it with this text; a terminal shows only urgent ones. Fails if a file cannot be
 * written. */
PG_CHECKED pg_status pg_monitor_event(pg_monitor *monitor, const pg_event *event, pg_error *err, const char *format, ...)
    PG_PRINTF(4, 5);

/* Flush the files, if events were written. Syncs events.jsonl every few seconds, and if `sync` is set. */
PG_CHECKED pg_status pg_monitor_flush(pg_monitor *monitor, bool sync, pg_error *err);

/* Show the progress: on a terminal at most a few times per second; elsewhere as soon as a task runs and then about every half
 * minute, even if nobody calls this function meanwhile. tracked [grid->count]. */
void pg_monitor_draw(pg_monitor *monitor, const pg_dispatch *dispatch, const pg_tracked *tracked);

void pg_monitor_finish(pg_monitor *monitor);

#endif
