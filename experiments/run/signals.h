/* Being told to stop: SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, and SIGXCPU (a limit of processor time). */
#ifndef PG_RUN_SIGNALS_H
#define PG_RUN_SIGNALS_H

/* From now on the first of these signals is remembered; a second SIGINT ends the process at once. One that the parent ignores
 * (nohup: SIGHUP; a background command of a shell: SIGINT) stays ignored, except SIGUSR1. */
void pg_signals_catch(void);

/* The signal that came, 0 if none. */
int pg_signals_caught(void);

/* Seconds from a signal to the end of the process, however far it is: what is not saved by then is lost. 0, as at first: for
 * ever. */
void pg_signals_grace(int seconds);

/* End the process with that exit code and one line to stderr unless this is called again in time; seconds 0: no limit. Time in
 * which the process was stopped does not count. */
void pg_limit_seconds(int seconds, int exit_code, const char *line);

#endif
