/* One run at a time in a directory: the file run.guard names the process that leads it, and a thread of that process renews the
 * file's time every few seconds, whatever it computes. A guard whose process has ended is taken over at once. Where the process
 * cannot be seen (another host or name space), a guard is taken over if nobody renews it for 45 seconds. Only rank 0 takes or
 * releases it. */
#ifndef PG_RUN_GUARD_H
#define PG_RUN_GUARD_H

#include "core/base/file.h"
#include "experiments/run/ticker.h"

#include <stdatomic.h>

typedef struct pg_guard {
    char path[PG_PATH_MAX], text[512]; /* text: what this process wrote into it; empty: not taken */
    char before[160];                  /* whose guard was taken over, in words; empty: nobody's */
    pg_ticker keeper;                  /* renews it, until the end */
    atomic_bool lost;
} pg_guard;

/* PG_BAD_INPUT, naming the process, if another run is at work in the directory, or run.guard is a symbolic link. May wait for a
 * minute to find that out. */
PG_CHECKED pg_status pg_guard_take(pg_guard *guard, const char *directory, pg_error *err);

/* False once another run has taken it. */
bool pg_guard_held(const pg_guard *guard);

/* Nothing happens if it was not taken. PG_IO_FAULT if its file cannot be removed: the next run takes it over. */
PG_CHECKED pg_status pg_guard_release(pg_guard *guard, pg_error *err);

/* Has a run left or put a guard there? */
bool pg_guard_there(const char *directory);

#endif
