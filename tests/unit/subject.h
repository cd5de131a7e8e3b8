/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of ownership, training and attacks: the smallest AlexNet (64 signature bits), generated images, and a
 * subject, which is a network with its evidence. Every random number follows from the subject's name. */
#ifndef PG_TESTS_SUBJECT_H
#define PG_TESTS_SUBJECT_H

#include "core/base/memory.h"
#include "core/compute/parallel.h"
#include "core/data/dataset.h"
#include "core/formats/yaml.h"
#include "core/ownership/passport_scheme.h"
#include "core/train/trainer.h"
#include "experiments/grid/inputs.h"
#include "experiments/grid/task.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>

/* NAME or NAME.NUMBER in the test's folder; valid until the fourth call after it. */
static inline const char *test_path(const char *name, int number)
{
    char file[256];
    snprintf(file, sizeof file, number < 0 ? "%s" : "%s.%d", name, number);
    return path_of(file);
}

/* Options as a grid would read them from a YAML map, with the problems that it has. Released by pg_free. */
static inline void *try_options(const pg_option *table, size_t size, const char *yaml, pg_problems *problems)
{
    pg_tree *tree = NULL;
    void *options = NULL;
    OK(pg_alloc(1, size, &options, &err));
    OK(pg_options_defaults(table, options, &err));
    OK(pg_yaml_parse_text(yaml, "test", &tree, &err));
    pg_options_read(table, tree->root, options, problems);
    pg_tree_destroy(&tree);
    return options;
}

static inline void *read_options(const pg_option *table, size_t size, const char *yaml)
{
    static pg_problems problems;
    problems.count = 0;
    void *options = try_options(table, size, yaml, &problems);
    if (problems.count) fail_msg("%s", problems.lines[0]);
    return options;
}

static inline pg_data test_data(int train, int test)
{
    pg_data whole = {0}, part = {0};
    OK(pg_data_load("synthetic", NULL, &whole, &err));
    OK(pg_dataset_subset(&whole.train, train, &part.train, &err));
    OK(pg_dataset_subset(&whole.test, test, &part.test, &err));
    pg_data_clear(&whole);
    return part;
}

/* A task's choice of that data, as a grid plans it. */
static inline pg_data_choice planned_data(int train, int test)
{
    pg_data_choice choice = {.name = "synthetic", .train = train, .test = test};
    pg_input input;
    OK(pg_input_find(choice.name, &choice.pictures, NULL, &input, &err));
    memcpy(choice.sha256, input.sha256, sizeof choice.sha256);
    return choice;
}

/* A network of one scheme with its evidence, not trained. */
typedef struct subject {
    const pg_scheme *scheme;
    pg_passport_options options; /* of the scheme; unused by plain */
    pg_net_spec spec;
    pg_model *model;
    pg_evidence *evidence; /* NULL for plain */
    pg_seed seed;
} subject;

/* A wired spec and the scheme's options: passports of the given kind, made by a carrier with random weights. */
static inline subject subject_wire(const char *scheme, pg_norm_kind norm, pg_passport_kind kind)
{
    subject s = {.scheme = pg_scheme_find(scheme), .seed = {.grid = 1, .task = scheme}};
    s.spec = pg_net_spec_plain(pg_arch_find("alexnet"), norm, 10);
    s.spec.width = 0.0625;
    OK(pg_options_defaults(s.scheme->options, &s.options, &err));
    s.options.passport = (int)kind;
    s.options.carrier = 1;
    s.options.trigger_count = 5;
    OK(pg_scheme_wire(s.scheme, &s.options, &s.spec, &err));
    return s;
}

/* Evidence and initial weights for a wired subject. */
static inline void subject_fill(subject *s, const pg_data *data)
{
    const pg_keygen in = {.scheme = s->scheme, .spec = &s->spec, .seed = s->seed, .data = data, .pixels = PG_PIXELS_IMAGENET};
    OK(pg_scheme_keygen(&s->options, &in, &s->evidence, &err));
    OK(pg_model_create(&s->spec, &s->model, &err));
    pg_model_initialise(s->model, s->seed, "weights");
}

static inline subject subject_create(const char *scheme, pg_norm_kind norm, pg_passport_kind kind, const pg_data *data)
{
    subject s = subject_wire(scheme, norm, kind);
    subject_fill(&s, data);
    return s;
}

static inline void subject_destroy(subject *s)
{
    pg_model_destroy(&s->model);
    pg_evidence_destroy(&s->evidence);
}

static inline pg_train_options test_training(int epochs, int batch)
{
    pg_train_options o;
    OK(pg_options_defaults(pg_train_table, &o, &err));
    o.epochs = epochs;
    o.batch = batch;
    return o;
}

static inline pg_trainer *subject_trainer(const subject *s, const pg_data *data, const pg_train_options *options)
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

static inline void subject_train(const subject *s, const pg_data *data, const pg_train_options *options)
{
    pg_trainer *trainer = subject_trainer(s, data, options);
    while (!pg_trainer_done(trainer)) OK(pg_trainer_step(trainer, &err));
    pg_trainer_destroy(&trainer);
}

#endif
