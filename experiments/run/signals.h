/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals that ask the run to stop: SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, and SIGXCPU (the limit of processor time). */
#ifndef PG_RUN_SIGNALS_H
#define PG_RUN_SIGNALS_H

/* From now on, remember the latest of these signals instead of ending the process. A second SIGINT ends it at once. A signal
 * that the parent process ignores (nohup: SIGHUP; a background command of a shell: SIGINT) stays ignored, except SIGUSR1. */
void pg_signals_catch(void);

/* The remembered signal; 0 if none came. */
int pg_signals_caught(void);

/* End the process this many seconds after the first signal, even if it has not saved. 0, the default: never. */
void pg_signals_grace(int seconds);

/* End the process after `seconds` with this exit code and a line to stderr, unless this function is called again before.
 * seconds 0: no limit. Time in which the process is stopped does not count. */
void pg_limit_seconds(int seconds, int exit_code, const char *line);

#endif
