/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A periodic thread; see ticker.h. */
#include "experiments/run/ticker.h"

#include <signal.h>
#include <time.h>

/* Wait for the next tick; false at the end. */
static bool await(pg_ticker *ticker)
{
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    next.tv_sec += ticker->seconds;
    return sem_clockwait(&ticker->end, CLOCK_MONOTONIC, &next) != 0;
}

static void *run(void *context)
{
    pg_ticker *ticker = context;
    while (await(ticker) && ticker->tick(ticker->context)) {
    }
    return NULL;
}

pg_status pg_ticker_start(pg_ticker *ticker, int seconds, pg_tick *tick, void *context, pg_error *err)
{
    sigset_t all, before;
    *ticker = (pg_ticker){.seconds = seconds, .tick = tick, .context = context};
    sem_init(&ticker->end, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&ticker->thread, NULL, run, ticker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed) return PG_OK;
    ticker->tick = NULL;
    return pg_fail(err, PG_NO_MEMORY, "cannot start a thread");
}

void pg_ticker_stop(pg_ticker *ticker)
{
    if (!ticker->tick) return;
    sem_post(&ticker->end);
    pthread_join(ticker->thread, NULL);
    sem_destroy(&ticker->end);
    ticker->tick = NULL;
}
