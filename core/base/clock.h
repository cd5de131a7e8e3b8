/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measuring time. */
#ifndef PG_BASE_CLOCK_H
#define PG_BASE_CLOCK_H

/* Seconds of a monotonic clock. */
double pg_now(void);

/* Seconds of processor time of the calling thread. */
double pg_thread_seconds(void);

/* How long a process has listened to others. At most `most` seconds count between two polls, so a process that was stopped or
 * busy does not mistake its own pause for their silence. Zero-initialise. */
typedef struct pg_listening {
    double seconds, looked; /* listened so far; pg_now() at the last poll */
} pg_listening;

/* Record a poll at time now. Returns the seconds listened so far. */
double pg_listened(pg_listening *listening, double now, double most);

/* Sleep between two polls. *idle counts the polls in a row that found nothing; the caller sets it to 0 when one finds
 * something. The first 500 only yield the processor, the later ones sleep for 0.2 to 5 ms. */
void pg_idle_sleep(int *idle);

#endif
