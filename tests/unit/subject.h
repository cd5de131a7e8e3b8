/* What the tests of ownership, training and attacks share: the smallest AlexNet (64 signature bits), generated patterns, and a
 * victim, a network with its evidence. Everything is seeded by the subject's name. */
#ifndef PG_TESTS_SMALL_H
#define PG_TESTS_SMALL_H

#include "core/base/memory.h"
#include "core/compute/blas.h"
#include "core/data/dataset.h"
#include "core/ownership/passport_scheme.h"
#include "core/train/trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static pg_error err;

/* The call succeeds; otherwise its message is shown. */
#define OK(call)                                                                                                               \
    do {                                                                                                                       \
        if ((call) != PG_OK) fail_msg("%s: %s", #call, err.message);                                                           \
    } while (0)

/* The call fails with this status and one line that has this text in it. */
#define FAILS(call, expected, text)                                                                                            \
    do {                                                                                                                       \
        err = (pg_error){.message = ""};                                                                                       \
        assert_int_equal(call, expected);                                                                                      \
        if (!strstr(err.message, text)) fail_msg("'%s' is not in '%s'", text, err.message);                                    \
        assert_null(strchr(err.message, '\n'));                                                                                \
    } while (0)

static char small_folder[] = "/tmp/passgrid-small-XXXXXX";

/* NAME or NAME.NUMBER in the test's folder; valid until the call after the next. */
static inline const char *small_path(const char *name, int number)
{
    static char paths[2][256];
    static int turn;
    char *path = paths[turn ^= 1];
    snprintf(path, sizeof paths[0], number < 0 ? "%s/%s" : "%s/%s.%d", small_folder, name, number);
    return path;
}

static inline pg_data small_data(int train, int test)
{
    pg_data whole = {0}, part = {0};
    OK(pg_data_load("synthetic", NULL, &whole, &err));
    OK(pg_dataset_subset(&whole.train, train, &part.train, &err));
    OK(pg_dataset_subset(&whole.test, test, &part.test, &err));
    pg_data_clear(&whole);
    return part;
}

/* A network of one scheme with its evidence, not trained. */
typedef struct small_subject {
    const pg_scheme *scheme;
    pg_passport_options options; /* of the scheme; unused by plain */
    pg_net_spec spec;
    pg_model *model;
    pg_evidence *evidence; /* NULL for plain */
    pg_seed seed;
} small_subject;

/* A wired spec and the scheme's options: passports of the given kind, made by a carrier with random weights. */
static inline small_subject small_wire(const char *scheme, pg_norm_kind norm, pg_passport_kind kind)
{
    small_subject s = {.scheme = pg_scheme_find(scheme), .seed = {.grid = 1, .task = scheme}};
    s.spec = pg_net_spec_plain(pg_arch_find("alexnet"), norm, 10);
    s.spec.width = 0.0625;
    OK(pg_options_defaults(s.scheme->options, &s.options, &err));
    s.options.passport = (int)kind;
    s.options.carrier = 1;
    s.options.trigger_count = 5;
    OK(s.scheme->wire(&s.options, &s.spec, &err));
    return s;
}

static inline small_subject small_create(const char *scheme, pg_norm_kind norm, pg_passport_kind kind, const pg_data *data)
{
    small_subject s = small_wire(scheme, norm, kind);
    const pg_keygen in = {.spec = &s.spec, .seed = s.seed, .data = data, .pixels = PG_PIXELS_IMAGENET};
    if (s.scheme->keygen) OK(s.scheme->keygen(&s.options, &in, &s.evidence, &err));
    OK(pg_model_create(&s.spec, &s.model, &err));
    pg_model_initialise(s.model, s.seed, "weights");
    return s;
}

static inline void small_destroy(small_subject *s)
{
    pg_model_destroy(&s->model);
    pg_evidence_destroy(&s->evidence);
}

static inline pg_train_options small_training(int epochs, int batch)
{
    pg_train_options o;
    OK(pg_options_defaults(pg_train_table, &o, &err));
    o.epochs = epochs;
    o.batch = batch;
    return o;
}

static inline pg_trainer *small_trainer(const small_subject *s, const pg_data *data, const pg_train_options *options)
{
    pg_trainer *trainer = NULL;
    const pg_job job = {.model = s->model,
                        .scheme = s->scheme,
                        .scheme_options = &s->options,
                        .evidence = s->evidence,
                        .data = &data->train,
                        .options = options,
                        .seed = s->seed};
    OK(pg_trainer_create(&job, &trainer, &err));
    return trainer;
}

static inline void small_train(const small_subject *s, const pg_data *data, const pg_train_options *options)
{
    pg_trainer *trainer = small_trainer(s, data, options);
    while (!pg_trainer_done(trainer)) OK(pg_trainer_step(trainer, &err));
    pg_trainer_destroy(&trainer);
}

static inline int small_start(void **state)
{
    (void)state;
    pg_compute_start(1);
    return mkdtemp(small_folder) ? 0 : -1;
}

/* Nothing of the test's is left: neither files nor memory. */
static inline int small_end(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", small_folder);
    const long live = pg_memory_live();
    if (live) print_error("%ld blocks of memory were not released\n", live);
    return system(command) == 0 && live == 0 ? 0 : -1;
}

#endif
