/* Time as it passes. */
#ifndef PG_BASE_CLOCK_H
#define PG_BASE_CLOCK_H

/* Seconds of a clock that only goes forward. */
double pg_now(void);

/* Time spent listening for others: of the time between two looks, only the first `most` seconds count. A process that was
 * stopped, or busy with a long step, so does not take its own absence for the silence of others. Start with zeros. */
typedef struct pg_listening {
    double seconds, looked; /* listened so far; pg_now() of the latest look */
} pg_listening;

/* Look at time now; seconds listened so far. */
double pg_listened(pg_listening *listening, double now, double most);

/* Wait a little longer after each round in which nothing happened: at first only for other processes to run, later 0.2 to 5 ms.
 * idle is set to 0 when something did. */
void pg_idle_sleep(int *idle);

#endif
