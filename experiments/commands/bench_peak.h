/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this processor reaches on the threads of the rank, for `passgrid bench` and `passgrid doctor`. */
#ifndef PG_COMMANDS_BENCH_PEAK_H
#define PG_COMMANDS_BENCH_PEAK_H

#include "core/base/status.h"

/* GFLOPS of one large matrix product on all threads of the rank, best of steps. */
PG_CHECKED pg_status pg_product_speed(int steps, double *gflops, pg_error *err);

/* GFLOPS of fused multiply-adds that stay in registers, on all threads of the rank, best of steps; no product can be faster.
 * *bits is the width of the widest vectors that the processor has. */
double pg_fma_speed(int steps, int *bits);

#endif
