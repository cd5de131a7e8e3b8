/* One run at a time in a directory. The file run.guard names the leading process, and a thread of that process renews the
 * file's time every few seconds, however busy the other threads are. A new run takes over a guard at once if its process has
 * ended. If it cannot see that process (another host or name space), it takes the guard over once nobody has renewed it for 45
 * seconds. Only rank 0 takes or releases the guard. */
#ifndef PG_RUN_RUN_LOCK_H
#define PG_RUN_RUN_LOCK_H

#include "core/base/file.h"
#include "experiments/run/ticker.h"

#include <stdatomic.h>

typedef struct pg_guard {
    char path[PG_PATH_MAX], text[512]; /* text: content of our guard; empty: not taken */
    char before[160];                  /* the former owner, as text; empty: none */
    pg_ticker keeper;                  /* renews the guard */
    atomic_bool lost;
} pg_guard;

/* PG_BAD_INPUT, naming the process, if another run works in the directory, or if run.guard is a symbolic link. May take a
 * minute. */
PG_CHECKED pg_status pg_guard_take(pg_guard *guard, const char *directory, pg_error *err);

/* False once another run has taken it. */
bool pg_guard_held(const pg_guard *guard);

/* Nothing happens if it was not taken. PG_IO_FAULT if its file cannot be removed: the next run takes it over. */
PG_CHECKED pg_status pg_guard_release(pg_guard *guard, pg_error *err);

/* Has a run left or put a guard there? */
bool pg_guard_there(const char *directory);

#endif
