/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threads by OpenMP; see parallel.h. */
#include "core/compute/parallel.h"

#include "core/base/clock.h"
#include "core/compute/blas.h"

#include <omp.h>

#include <string.h>

static int threads = 1;
static pg_tally *tally;

void pg_compute_start(int count)
{
    pg_blas_start();
    threads = count < 1 ? 1 : count;
    omp_set_dynamic(0);
}

int pg_compute_threads(void)
{
    return threads;
}

int pg_compute_thread(void)
{
    return omp_get_thread_num();
}

/* ---- tally ---- */

enum { WIDEST = 16 };
const int pg_tally_threads[PG_TALLY_WIDTHS] = {2, 4, 8, WIDEST};

void pg_parallel_tally(pg_tally *of)
{
    tally = of;
}

/* Give a part of so many seconds to the one of `count` threads that is free first. */
static void take(double *worked, int count, double seconds)
{
    int first = 0;
    for (int i = 1; i < count; i++)
        if (worked[i] < worked[first]) first = i;
    worked[first] += seconds;
}

static double longest(const double *worked, int count)
{
    double most = 0;
    for (int i = 0; i < count; i++)
        if (worked[i] > most) most = worked[i];
    return most;
}

static void run_and_tally(int parts, void (*body)(void *context, int part), void *context)
{
    double worked[PG_TALLY_WIDTHS][WIDEST];
    pg_tally *of = tally;
    memset(worked, 0, sizeof worked);
    tally = NULL; /* calls inside run on the calling thread */
    for (int part = 0; part < parts; part++) {
        const double start = pg_thread_seconds();
        body(context, part);
        const double seconds = pg_thread_seconds() - start;
        of->seconds += seconds;
        for (int w = 0; w < PG_TALLY_WIDTHS; w++) take(worked[w], pg_tally_threads[w], seconds);
    }
    for (int w = 0; w < PG_TALLY_WIDTHS; w++) of->spread[w] += longest(worked[w], pg_tally_threads[w]);
    of->calls++;
    tally = of;
}

void pg_parallel(int parts, void (*body)(void *context, int part), void *context)
{
    if (tally && parts > 1) {
        run_and_tally(parts, body, context);
        return;
    }
    if (threads == 1 || parts < 2 || omp_in_parallel()) {
        for (int part = 0; part < parts; part++) body(context, part);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int part = 0; part < parts; part++) body(context, part);
}
