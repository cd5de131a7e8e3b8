/* What people see of a run while it lasts: a live line on a terminal, lines with the time otherwise, and the same lines in a
 * log file. */
#ifndef PG_EXPERIMENTS_MONITOR_H
#define PG_EXPERIMENTS_MONITOR_H

#include "experiments/dispatch.h"

#include <stdio.h>
#include <time.h>

typedef struct pg_monitor {
    FILE *stream; /* stderr; NULL: silent */
    FILE *log;
    bool live; /* stream is a terminal, and has a live line */
    bool drawn;
    bool burst;                                          /* more events follow at once: the log is flushed after them */
    time_t second;                                       /* of the latest event */
    char stamp[32];                                      /* the same in words */
    double started, shown, last_images, last_time, rate; /* seconds; images per second, smoothed */
    double images;                                       /* processed in this run */
    double running_cost;                                 /* of the tasks at work, the part that is done */
} pg_monitor;

/* log_path NULL: no log. The log is added to. */
PG_CHECKED pg_status pg_monitor_start(pg_monitor *monitor, FILE *stream, const char *log_path, pg_error *err);

/* An event; urgent ones are shown on a terminal too. An unwritable log is an error. */
PG_CHECKED pg_status pg_monitor_event(pg_monitor *monitor, bool urgent, pg_error *err, const char *format, ...) PG_PRINTF(4, 5);

/* What was logged in a burst. */
PG_CHECKED pg_status pg_monitor_flush(pg_monitor *monitor, pg_error *err);

/* Draw the live line again, a few times a second at most. */
void pg_monitor_draw(pg_monitor *monitor, const pg_dispatch *dispatch);

void pg_monitor_finish(pg_monitor *monitor);

#endif
