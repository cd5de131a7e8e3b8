/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast a network would train on more threads than this machine has, for `passgrid bench --mode model`. */
#ifndef PG_COMMANDS_BENCH_SCALING_H
#define PG_COMMANDS_BENCH_SCALING_H

#include "experiments/commands/bench_steps.h"

/* Train on one thread, and print what the steps consist of and what they would be on 2, 4, 8 and 16. The calls of pg_parallel
 * are shared among the threads part by part, as they would be; the rest stays serial; every call costs as much again as two
 * threads need here to meet (when there are two cores), for each doubling of the threads. Threads are taken to have the caches
 * and the memory of one each: the bandwidth that this needs is printed too, from the bytes of the tensors that the layers
 * pass. */
PG_CHECKED pg_status pg_bench_scaling(pg_bench *b, pg_error *err);

#endif
