/* Something that is done every few seconds by a thread of its own, whatever the others compute. */
#ifndef PG_RUN_TICKER_H
#define PG_RUN_TICKER_H

#include "core/base/status.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

/* Does it; false: never again. */
typedef bool pg_tick(void *context);

typedef struct pg_ticker {
    pthread_t thread;
    sem_t end;
    int seconds;
    pg_tick *tick; /* NULL: not started */
    void *context;
} pg_ticker;

/* The ticker must stay where it is until it is stopped. The first tick comes after that many seconds. The thread takes no
 * signals. PG_NO_MEMORY if there is no thread to be had. */
PG_CHECKED pg_status pg_ticker_start(pg_ticker *ticker, int seconds, pg_tick *tick, void *context, pg_error *err);

/* Nothing happens if it was not started, or was stopped before. */
void pg_ticker_stop(pg_ticker *ticker);

#endif
