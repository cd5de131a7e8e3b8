/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast a network would train on more threads than this machine has, for `passgrid bench --mode model`. */
#ifndef PG_COMMANDS_BENCH_SCALING_H
#define PG_COMMANDS_BENCH_SCALING_H

#include "experiments/commands/bench_steps.h"

/* Train on one thread, and print the parts of a step and the predicted steps on 2, 4, 8 and 16 threads. The prediction shares
 * the parts of pg_parallel's calls among the threads and leaves the rest serial. Every call costs as much as two threads need
 * here to meet (if there are two cores), once for each doubling of the threads. It assumes that each thread has the caches and
 * the memory bandwidth that one has here, and prints the bandwidth that this takes, from the bytes of the tensors that the
 * layers pass. */
PG_CHECKED pg_status pg_bench_scaling(pg_bench *b, pg_error *err);

#endif
