/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A thread that calls a function every few seconds, however busy the other threads are. */
#ifndef PG_RUN_TICKER_H
#define PG_RUN_TICKER_H

#include "core/base/status.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

/* Returns false if it must not be called again. */
typedef bool pg_tick(void *context);

typedef struct pg_ticker {
    pthread_t thread;
    sem_t end;
    int seconds;
    pg_tick *tick; /* NULL: not started */
    void *context;
} pg_ticker;

/* Call tick(context) every `seconds`, the first time after `seconds`. The ticker must not move until it is stopped. Its thread
 * blocks all signals. PG_NO_MEMORY if the system cannot start a thread. */
PG_CHECKED pg_status pg_ticker_start(pg_ticker *ticker, int seconds, pg_tick *tick, void *context, pg_error *err);

/* Does nothing for a ticker that was not started or is already stopped. */
void pg_ticker_stop(pg_ticker *ticker);

#endif
