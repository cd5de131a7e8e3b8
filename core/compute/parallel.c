/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threads by OpenMP; see parallel.h. */
#include "core/compute/parallel.h"

#include "core/compute/blas.h"

#include <omp.h>

static int threads = 1;

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

void pg_parallel(int parts, void (*body)(void *context, int part), void *context)
{
    if (threads == 1 || parts < 2 || omp_in_parallel()) {
        for (int part = 0; part < parts; part++) body(context, part);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int part = 0; part < parts; part++) body(context, part);
}
