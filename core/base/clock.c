/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time; see clock.h. */
#include "core/base/clock.h"

#include <math.h>
#include <sched.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double pg_now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double pg_thread_seconds(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double pg_listened(pg_listening *l, double now, double most)
{
    if (l->looked > 0) l->seconds += fmin(now - l->looked, most);
    l->looked = now;
    return l->seconds;
}

/* Most answers come within some tenths of a millisecond, so the first polls follow each other without a sleep. */
enum { YIELDS = 500 };

void pg_idle_sleep(int *idle)
{
    const int round = *idle < YIELDS + 25 ? (*idle)++ : *idle;
    if (round < YIELDS)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = 200000L * (round - YIELDS + 1)}, NULL);
}
