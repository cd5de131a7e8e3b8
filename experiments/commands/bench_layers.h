/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Per-layer speed of the convolutions, for `passgrid bench --mode layers`. */
#ifndef PG_COMMANDS_BENCH_LAYERS_H
#define PG_COMMANDS_BENCH_LAYERS_H

#include "core/compute/conv.h"
#include "core/nets/model.h"

/* Print a line for every convolution of the model at that batch, on the threads of the rank: its algorithm, the times of its
 * passes (best of steps), and its GFLOPS counted as those of a direct convolution, absolute and as a share of pg_product_speed.
 */
PG_CHECKED pg_status pg_bench_layers(const pg_model *model, int batch, int steps, pg_conv_choice choice, pg_error *err);

#endif
