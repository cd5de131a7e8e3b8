/* Time; see clock.h. */
#include "experiments/clock.h"

#include <time.h>

double pg_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void pg_idle_sleep(int *idle)
{
    const long microseconds = *idle < 25 ? 200 * (*idle + 1) : 5000;
    ++*idle;
    nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000}, NULL);
}
