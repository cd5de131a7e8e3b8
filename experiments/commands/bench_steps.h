/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Timed steps of a network on synthetic images, for `passgrid bench`. They use the trainer and the net of the experiments. */
#ifndef PG_COMMANDS_BENCH_STEPS_H
#define PG_COMMANDS_BENCH_STEPS_H

#include "core/compute/conv.h"
#include "core/data/dataset.h"
#include "core/ownership/scheme.h"

typedef struct pg_bench {
    const pg_arch *arch;
    const pg_scheme *scheme;
    pg_norm_kind norm;
    double width;
    int batch, steps;
    pg_conv_choice conv;
    bool each;              /* print "seconds: S" after every step */
    struct pg_tally *tally; /* gets what pg_parallel does in the timed steps; NULL: not asked */
    bool turns;             /* print "ready:", then wait for a line of standard input before every step */
    /* made by pg_bench_prepare */
    void *options; /* the scheme's */
    pg_net_spec spec;
    pg_data data;
    pg_model *model;
    pg_evidence *evidence; /* NULL: the scheme has none */
    double fastest;        /* seconds of the fastest step of the last call */
    double minor_faults_per_step;
    double processor_seconds; /* of the calling thread, a step */
} pg_bench;

/* Make a model of the scheme with fresh weights, and its evidence. The caller ends b with pg_bench_clear, also after an error.
 */
PG_CHECKED pg_status pg_bench_prepare(pg_bench *b, pg_error *err);
void pg_bench_clear(pg_bench *b);

/* Time steps of training, of inference, and of trying 20 random passports on one batch. */
PG_CHECKED pg_status pg_bench_training(pg_bench *b, pg_error *err);
PG_CHECKED pg_status pg_bench_inference(pg_bench *b, pg_error *err);
PG_CHECKED pg_status pg_bench_fakes(pg_bench *b, pg_error *err);

#endif
