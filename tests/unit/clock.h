/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A clock that the test moves, so that no test waits for real time. seconds_ahead moves the system's clocks, pass_tick() lets a
 * ticker tick once, sleep() only counts, and alarm() only remembers. A program that includes this file runs these functions
 * instead of the C library's. It can have one ticker at a time. */
#ifndef PG_TESTS_CLOCK_H
#define PG_TESTS_CLOCK_H

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static time_t seconds_ahead;             /* of the real time */
static volatile unsigned alarm_seconds;  /* what the last alarm() asked for */
static unsigned slept;                   /* seconds of sleep() so far */
static void (*while_asleep)(void);       /* called in each sleep(): what other processes do meanwhile */
static atomic_int ticks_due, ticks_done; /* ticks that may pass; ticks after which the ticker waits again */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const long status = syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += seconds_ahead;
    return (int)status;
}

int sem_clockwait(sem_t *end, clockid_t clock, const struct timespec *until)
{
    (void)clock, (void)until;
    static bool ticking;
    if (ticking) ticks_done++;
    for (;; sched_yield()) {
        ticking = ticks_due > 0;
        if (!ticking && sem_trywait(end) == 0) return 0;
        if (!ticking) continue;
        ticks_due--;
        errno = ETIMEDOUT;
        return -1;
    }
}

unsigned alarm(unsigned seconds)
{
    const unsigned before = alarm_seconds;
    alarm_seconds = seconds;
    return before;
}

unsigned sleep(unsigned seconds)
{
    slept += seconds;
    if (while_asleep) while_asleep();
    return 0;
}

/* Let the ticker tick once more, and wait until its callback has returned. For the last tick of a ticker that ends itself, add
 * to ticks_due instead: stopping the ticker waits for it. */
static inline void pass_tick(void)
{
    const int done = ticks_done;
    ticks_due++;
    while (ticks_done == done) sched_yield();
}

#endif
