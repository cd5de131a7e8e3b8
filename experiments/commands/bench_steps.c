/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Timed steps; see bench_steps.h. */
#include "experiments/commands/bench_steps.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/compute/parallel.h"
#include "core/ownership/accuracy.h"
#include "core/train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

enum { FAKE_PASSPORTS = 20 };

static const pg_seed seed = {.task = "bench"};

/* The scheme's defaults, changed so that an untrained network is enough. */
static pg_status scheme_defaults(pg_bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_scheme *s = b->scheme;
    PG_TRY(pg_alloc(1, s->options_size, &b->options, err));
    PG_TRY(pg_options_defaults(s->options, b->options, err));
    if (s->alone[0]) PG_TRY(pg_options_set(s->options, s->alone[0], s->alone[1], b->options, err));
done:
    return status;
}

pg_status pg_bench_prepare(pg_bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_data_load("synthetic", NULL, &b->data, err));
    b->spec = pg_net_spec_plain(b->arch, b->norm, b->data.train.classes);
    b->spec.width = b->width;
    b->spec.image_height = b->data.train.height;
    b->spec.image_width = b->data.train.width;
    PG_TRY(scheme_defaults(b, err));
    PG_TRY(pg_scheme_wire(b->scheme, b->options, &b->spec, err));
    PG_TRY(pg_model_create(&b->spec, &b->model, err));
    pg_model_initialise(b->model, seed, "weights");
    const pg_keygen in = {.scheme = b->scheme,
                          .spec = &b->spec,
                          .seed = seed,
                          .data = &b->data,
                          .pixels = PG_PIXELS_IMAGENET,
                          .pretrained = b->model};
    PG_TRY(pg_scheme_keygen(b->options, &in, &b->evidence, err));
done:
    return status;
}

static void await_turn(void)
{
    for (int c = 0; c != '\n' && c != EOF;) c = getchar();
}

static long minor_faults(void)
{
    struct rusage resources;
    getrusage(RUSAGE_SELF, &resources);
    return resources.ru_minflt;
}

/* Time the steps, after one that warms up. */
static pg_status time_steps(pg_bench *b, pg_status step(pg_bench *b, void *of, pg_error *err), void *of, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(step(b, of, err));
    if (b->turns) printf("ready:\n");
    fflush(stdout);
    b->fastest = INFINITY;
    const long before = minor_faults();
    const double begun = pg_thread_seconds();
    pg_parallel_tally(b->tally);
    for (int i = 0; i < b->steps; i++) {
        if (b->turns) await_turn();
        const double start = pg_now();
        PG_TRY(step(b, of, err));
        const double seconds = pg_now() - start;
        b->fastest = fmin(b->fastest, seconds);
        if (!b->each) continue;
        printf("seconds: %.6f\n", seconds);
        fflush(stdout);
    }
    b->minor_faults_per_step = (double)(minor_faults() - before) / b->steps;
    b->processor_seconds = (pg_thread_seconds() - begun) / b->steps;
done:
    pg_parallel_tally(NULL);
    return status;
}

static pg_status training_step(pg_bench *b, void *trainer, pg_error *err)
{
    (void)b;
    return pg_trainer_step(trainer, err);
}

pg_status pg_bench_training(pg_bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    pg_trainer *trainer = NULL;
    pg_train_options options;
    PG_TRY(pg_options_defaults(pg_train_table, &options, err));
    options.batch = b->batch;
    options.epochs = 1 << 20;
    const pg_job job = {.model = b->model,
                        .scheme = b->scheme,
                        .scheme_options = b->options,
                        .evidence = b->evidence,
                        .data = &b->data.train,
                        .options = &options,
                        .conv = b->conv,
                        .seed = seed};
    PG_TRY(pg_trainer_create(&job, &trainer, err));
    PG_TRY(time_steps(b, training_step, trainer, err));
done:
    pg_trainer_destroy(&trainer);
    return status;
}

typedef struct inference {
    pg_net *net;
    pg_real *images;
} inference;

static pg_status inference_step(pg_bench *b, void *of, pg_error *err)
{
    const inference *i = of;
    (void)err;
    (void)pg_net_forward(i->net, b->model, pg_net_spec_deployed(&b->spec), PG_EVAL, i->images, b->batch);
    return PG_OK;
}

pg_status pg_bench_inference(pg_bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    inference i = {.net = NULL};
    const size_t pixels = (size_t)b->batch * (size_t)(b->spec.image_height * b->spec.image_width * 3);
    PG_TRY(pg_net_create(&b->spec, b->batch, false, b->conv, &i.net, err));
    PG_TRY(pg_alloc(pixels, sizeof *i.images, &i.images, err));
    if (pg_net_spec_deployed(&b->spec) == PG_PRIVATE) PG_TRY(pg_passports_install(i.net, b->model, b->evidence, err));
    pg_batch_range(&b->data.train, 0, b->batch, PG_PIXELS_IMAGENET, i.images);
    PG_TRY(time_steps(b, inference_step, &i, err));
done:
    pg_net_destroy(&i.net);
    pg_free(i.images);
    return status;
}

/* As the attack works: run the layers below the passports once, then those above for every passport. */
static pg_status fake_step(pg_bench *b, void *test, pg_error *err)
{
    enum { BATCH = 128 };
    pg_status status = PG_OK;
    pg_trunk *trunk = NULL;
    pg_evidence *forged = NULL;
    pg_accuracy accuracy;
    PG_TRY(pg_trunk_create(b->model, test, PG_PIXELS_IMAGENET, BATCH, (size_t)1 << 30, &trunk, err));
    for (int i = 0; i < FAKE_PASSPORTS; i++) {
        pg_evidence_destroy(&forged);
        const pg_keygen in = {
            .scheme = b->scheme, .spec = &b->spec, .seed = {.grid = (uint64_t)i, .task = "fake"}, .data = &b->data};
        PG_TRY(pg_scheme_keygen(b->options, &in, &forged, err));
        PG_TRY(pg_trunk_accuracy(trunk, forged, &accuracy, err));
    }
done:
    pg_evidence_destroy(&forged);
    pg_trunk_destroy(&trunk);
    return status;
}

pg_status pg_bench_fakes(pg_bench *b, pg_error *err)
{
    pg_dataset test = b->data.train;
    if (!b->evidence || !b->evidence->passport_count)
        return pg_fail(err, PG_BAD_INPUT, "--mode passports: needs a scheme that has them, not '%s'", b->scheme->name);
    if (test.count < b->batch)
        return pg_fail(err, PG_BAD_INPUT, "--mode passports: expected a --batch of at most %d images", test.count);
    test.count = b->batch;
    return time_steps(b, fake_step, &test, err);
}

void pg_bench_clear(pg_bench *b)
{
    pg_model_destroy(&b->model);
    pg_evidence_destroy(&b->evidence);
    pg_data_clear(&b->data);
    pg_free(b->options);
}
