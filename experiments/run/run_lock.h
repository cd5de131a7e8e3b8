/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The run lock: one run at a time in a directory. The file run.lock names the process of rank 0. A process that runs a single
 * task claims only that: checkpoints/KEY.lock is the same kind of file. A run and claims exclude each other. A thread of that
 * process renews the file's time every 5 seconds, however busy the other threads are. A new run takes over a lock at once if
 * its process has ended. If that process is invisible (on another host or in another name space), the new run takes the lock
 * over once nobody has renewed it for 45 seconds. Only rank 0 takes or releases the lock. */
#ifndef PG_RUN_RUN_LOCK_H
#define PG_RUN_RUN_LOCK_H

#include "core/base/file.h"
#include "experiments/run/ticker.h"

#include <stdatomic.h>

typedef struct pg_run_lock {
    char path[PG_PATH_MAX], text[512]; /* text: content of our file; empty: the lock is not taken */
    char before[160];                  /* the former owner, as text; empty: none */
    const char *work;                  /* what its owner does, for messages: "another run" */
    pg_ticker keeper;                  /* renews the lock */
    atomic_bool lost;
} pg_run_lock;

/* Take the lock of a directory. PG_BAD_INPUT if another run has it or a task of the directory is claimed (the message names the
 * process), or if run.lock is a symbolic link. Removes the claims of processes that have ended. May take a minute. */
PG_CHECKED pg_status pg_run_lock_take(pg_run_lock *lock, const char *directory, pg_error *err);

/* Claim one task. PG_INTERRUPTED if another process has claimed it or a run is at work in the directory: the caller may try
 * again later. PG_BAD_INPUT if the file is a symbolic link. May take a minute. */
PG_CHECKED pg_status pg_run_lock_claim(pg_run_lock *lock, const char *directory, const char *key, pg_error *err);

/* False once another run has taken the lock over. */
bool pg_run_lock_held(const pg_run_lock *lock);

/* Release the lock; does nothing if it was not taken. PG_IO_FAULT if the file cannot be removed; the next run will take the
 * lock over. */
PG_CHECKED pg_status pg_run_lock_release(pg_run_lock *lock, pg_error *err);

/* Does the directory have a run.lock, of a run at work or of one that was killed? */
bool pg_run_lock_there(const char *directory);

/* Is the run that has the lock at work? *id is its process, 0 if unknown. An invisible process counts as at work if it renewed
 * the lock less than 45 seconds ago. Never waits. */
bool pg_run_lock_look(const char *directory, long long *id);

#endif
