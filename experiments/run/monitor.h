/* What people see of a run while it lasts: a live line on a terminal; elsewhere lines with the time, for every event, and at
 * least every half minute for how far the run is. A log file gets the events. */
#ifndef PG_RUN_MONITOR_H
#define PG_RUN_MONITOR_H

#include "experiments/run/dispatch.h"
#include "experiments/run/ticker.h"
#include "experiments/work/progress.h"

#include <stdio.h>
#include <time.h>

/* How far a task has come in this run. */
typedef struct pg_tracked {
    pg_task_progress now, first; /* as last told; as first told, which is what earlier runs did */
    bool told;
} pg_tracked;

typedef struct pg_monitor {
    FILE *stream; /* stderr; NULL: silent */
    FILE *log;
    bool live; /* stream is a terminal, and has a live line */
    bool drawn;
    bool burst;            /* more events follow at once: the log is flushed after them */
    time_t second;         /* of the latest event */
    char stamp[32];        /* the same in words */
    double started, shown; /* seconds; shown: when how far the run is was last put in words */
    double last_time;      /* when the rates were last measured, and the sums then */
    double last_images, last_work;
    double images_rate, work_rate; /* a second, smoothed; work: multiply-adds */
    pg_ticker ticker;              /* prints `lines` where there is no live line */
    pthread_mutex_t lock;          /* of `lines` */
    char lines[4096];              /* how far the run is, in words */
} pg_monitor;

/* log_path NULL: no log. The log is added to. The monitor must stay where it is until pg_monitor_finish. */
PG_CHECKED pg_status pg_monitor_start(pg_monitor *monitor, FILE *stream, const char *log_path, pg_error *err);

/* An event; urgent ones are shown on a terminal too. An unwritable log is an error. */
PG_CHECKED pg_status pg_monitor_event(pg_monitor *monitor, bool urgent, pg_error *err, const char *format, ...) PG_PRINTF(4, 5);

/* What was logged in a burst. */
PG_CHECKED pg_status pg_monitor_flush(pg_monitor *monitor, pg_error *err);

/* Show how far the run is: on a terminal a few times a second at most; elsewhere at once the first time that a task runs, and
 * from then on about every half minute, also while this is not called. tracked [grid->count]. */
void pg_monitor_draw(pg_monitor *monitor, const pg_dispatch *dispatch, const pg_tracked *tracked);

void pg_monitor_finish(pg_monitor *monitor);

#endif
