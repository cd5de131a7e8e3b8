/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model of the speed on more threads; see bench_scaling.h. */
#include "experiments/commands/bench_scaling.h"

#include "core/base/clock.h"
#include "core/compute/parallel.h"

#include <math.h>
#include <stdio.h>

static void nothing(void *context, int part)
{
    (void)context;
    (void)part;
}

/* Seconds of a call whose two parts are empty, on two threads; the best of many. */
static double meeting(void)
{
    double best = INFINITY;
    pg_compute_start(2);
    for (int i = 0; i < 2000; i++) {
        const double start = pg_now();
        pg_parallel(2, nothing, NULL);
        best = fmin(best, pg_now() - start);
    }
    pg_compute_start(1);
    return best;
}

/* Bytes of a training step. Forward, every layer reads its input and writes its output. Backward, it reads its input and the
 * gradient of its output, and writes the gradient of its input. Weights are read twice; their gradients and momenta are read
 * and written. */
static double bytes_of_step(const pg_model *model, int batch)
{
    double values = 0;
    for (int i = 0; i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        const double in = (double)l->in_height * l->in_width * l->in_channels;
        const double out = (double)l->out_height * l->out_width * l->out_channels;
        values += batch * (3 * in + 2 * out);
    }
    return sizeof(pg_real) * (values + 7.0 * (double)pg_model_parameters(model));
}

static void print_line(const pg_bench *b, int threads, double seconds, double one, double bytes)
{
    printf("threads_%d: %.2f images/s, %.0f %% of as many times one thread, %.1f GB/s\n", threads, b->batch / seconds,
           100 * one / (threads * seconds), 1e-9 * bytes / seconds);
}

pg_status pg_bench_scaling(pg_bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tally tally = {0};
    const double meet = meeting(), bytes = bytes_of_step(b->model, b->batch);
    b->tally = &tally;
    PG_TRY(pg_bench_training(b, err));
    const double one = b->processor_seconds, serial = one - tally.seconds / b->steps, calls = (double)tally.calls / b->steps;
    printf("meetings_per_step: %.0f\nseconds_per_meeting: %.2e\nserial_share: %.4f\nbytes_per_step: %.0f\n", calls, meet,
           serial / one, bytes);
    print_line(b, 1, one, one, bytes);
    for (int w = 0; w < PG_TALLY_WIDTHS; w++)
        print_line(b, pg_tally_threads[w], serial + tally.spread[w] / b->steps + calls * meet * log2(pg_tally_threads[w]), one,
                   bytes);
done:
    return status;
}
