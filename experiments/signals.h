/* Being told to stop: SIGINT, SIGTERM, SIGUSR1. */
#ifndef PG_EXPERIMENTS_SIGNALS_H
#define PG_EXPERIMENTS_SIGNALS_H

/* From now on the first of these signals is remembered; a second SIGINT ends the process at once. */
void pg_signals_catch(void);

/* The signal that came, 0 if none. */
int pg_signals_caught(void);

#endif
