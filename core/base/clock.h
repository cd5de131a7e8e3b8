/* Measuring time. */
#ifndef PG_BASE_CLOCK_H
#define PG_BASE_CLOCK_H

/* Seconds of a monotonic clock. */
double pg_now(void);

/* Time for which a process has listened to others. Between two polls at most `most` seconds count, so a process that was
 * stopped or busy does not mistake its own absence for their silence. Zero-initialise. */
typedef struct pg_listening {
    double seconds, looked; /* listened so far; pg_now() at the last poll */
} pg_listening;

/* Record a poll at time now. Returns the seconds listened so far. */
double pg_listened(pg_listening *listening, double now, double most);

/* Wait a little longer after each round in which nothing happened: at first only for other processes to run, later 0.2 to 5 ms.
 * idle is set to 0 when something did. */
void pg_idle_sleep(int *idle);

#endif
