/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Watermarks: an owner whose scheme has the options of a YAML map. These tests run in both builds, because double shows what
 * rounding hides in float. */
#ifndef PG_TESTS_WATERMARK_H
#define PG_TESTS_WATERMARK_H

#include "core/ownership/mark.h"
#include "core/ownership/verify.h"
#include "tests/unit/subject.h"

static pg_data data, second_data; /* second_data: another data set, for schemes that take pictures from one */
static const pg_verify_options verify_options = {.level = 1e-3, .tolerance = 5, .nulls = 20, .batch = 64};
static const bool in_double = sizeof(pg_real) == sizeof(double);

SET_UP
{
    pg_compute_start(1);
    data = test_data(64, 40);
    second_data = test_data(200, 10);
    snprintf(second_data.train.name, sizeof second_data.train.name, "others");
}

TEAR_DOWN
{
    pg_data_clear(&data);
    pg_data_clear(&second_data);
}

/* ---- an owner: a scheme with the options of a YAML map, a small AlexNet, its evidence ---- */

typedef struct owner {
    const pg_scheme *scheme;
    void *options;
    pg_net_spec spec;
    pg_model *model;
    pg_evidence *evidence;
    pg_seed seed;
} owner;

static inline owner owner_wire(const char *scheme, const char *yaml)
{
    owner o = {.scheme = pg_scheme_find(scheme), .seed = {.grid = 1, .task = "owner"}};
    o.spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    o.spec.width = 0.0625;
    o.options = read_options(o.scheme->options, o.scheme->options_size, yaml);
    OK(pg_scheme_wire(o.scheme, o.options, &o.spec, &err));
    return o;
}

static inline pg_evidence *key_of(const owner *o, pg_seed seed)
{
    pg_evidence *evidence = NULL;
    const pg_keygen in = {.scheme = o->scheme,
                          .spec = &o->spec,
                          .seed = seed,
                          .data = &data,
                          .other = &second_data,
                          .pixels = PG_PIXELS_IMAGENET,
                          .pretrained = o->model};
    OK(pg_scheme_keygen(o->options, &in, &evidence, &err));
    return evidence;
}

static inline owner owner_create(const char *scheme, const char *yaml)
{
    owner o = owner_wire(scheme, yaml);
    OK(pg_model_create(&o.spec, &o.model, &err));
    pg_model_initialise(o.model, o.seed, "weights");
    o.evidence = key_of(&o, o.seed);
    return o;
}

static inline void owner_destroy(owner *o)
{
    pg_free(o->options);
    pg_model_destroy(&o->model);
    pg_evidence_destroy(&o->evidence);
}

static inline pg_trainer *trainer_of(const owner *o, const pg_train_options *options)
{
    pg_trainer *trainer = NULL;
    const pg_job job = {.model = o->model,
                        .scheme = o->scheme,
                        .scheme_options = o->options,
                        .evidence = o->evidence,
                        .data = &data.train,
                        .options = options,
                        .seed = o->seed};
    OK(pg_trainer_create(&job, &trainer, &err));
    return trainer;
}

/* Take over what the trainer made of evidence that is trained. */
static inline void take_learned(const owner *o, const pg_trainer *trainer)
{
    size_t shape[2];
    if (!o->scheme->learn) return;
    pg_mark_shape(&o->evidence->mark, shape);
    memcpy(o->evidence->mark.projection, pg_trainer_evidence(trainer)->mark.projection, shape[0] * shape[1] * sizeof(pg_real));
}

static inline void train(const owner *o, int epochs)
{
    pg_train_options options = test_training(epochs, 32);
    options.lr = 0.02;
    pg_trainer *trainer = trainer_of(o, &options);
    while (!pg_trainer_done(trainer)) OK(pg_trainer_step(trainer, &err));
    take_learned(o, trainer);
    pg_trainer_destroy(&trainer);
}

/* Judge as a grid does: a claim with bits is held against nulls of its own kind. */
static inline pg_finding judge(const pg_model *model, const pg_evidence *evidence)
{
    pg_finding f;
    const pg_judge_setup setup = {.model = model, .test = &data.test, .options = &verify_options};
    OK(pg_verify(&setup, evidence, &f, &err));
    return f;
}

static inline void assert_close(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fmax(1, fabs(expected)))) fail_msg("%.17g is not %.17g", found, expected);
}

static inline const pg_real *filter_tap(const pg_mark *m, int tap, int bit)
{
    return &m->projection[tap * m->bits + bit];
}

static inline void assert_same_commitment(const pg_evidence *a, const pg_evidence *b, bool same)
{
    char hex[2][PG_SHA256_HEX];
    pg_evidence_commitment(a, hex[0]);
    pg_evidence_commitment(b, hex[1]);
    assert_int_equal(strcmp(hex[0], hex[1]) == 0, same);
}

#endif
