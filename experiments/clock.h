/* Time as it passes. */
#ifndef PG_EXPERIMENTS_CLOCK_H
#define PG_EXPERIMENTS_CLOCK_H

/* Seconds of a clock that only goes forward. */
double pg_now(void);

/* Wait a little longer after each round in which nothing happened: at first only for other processes to run, later 0.2 to 5 ms.
 * idle is set to 0 when something did. */
void pg_idle_sleep(int *idle);

#endif
