/* One run at a time in a directory. The file run.lock names the leading process, and a thread of that process renews the
 * file's time every few seconds, however busy the other threads are. A new run takes over a lock at once if its process has
 * ended. If it cannot see that process (another host or name space), it takes the lock over once nobody has renewed it for 45
 * seconds. Only rank 0 takes or releases the lock. */
#ifndef PG_RUN_RUN_LOCK_H
#define PG_RUN_RUN_LOCK_H

#include "core/base/file.h"
#include "experiments/run/ticker.h"

#include <stdatomic.h>

typedef struct pg_run_lock {
    char path[PG_PATH_MAX], text[512]; /* text: content of our lock; empty: not taken */
    char before[160];                  /* the former owner, as text; empty: none */
    pg_ticker keeper;                  /* renews the lock */
    atomic_bool lost;
} pg_run_lock;

/* PG_BAD_INPUT, naming the process, if another run works in the directory, or if run.lock is a symbolic link. May take a
 * minute. */
PG_CHECKED pg_status pg_run_lock_take(pg_run_lock *lock, const char *directory, pg_error *err);

/* False once another run has taken it. */
bool pg_run_lock_held(const pg_run_lock *lock);

/* Nothing happens if it was not taken. PG_IO_FAULT if its file cannot be removed: the next run takes it over. */
PG_CHECKED pg_status pg_run_lock_release(pg_run_lock *lock, pg_error *err);

/* Has a run left or put a lock there? */
bool pg_run_lock_there(const char *directory);

#endif
