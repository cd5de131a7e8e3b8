/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Victims for forgers, the views that forgers have of them, and how their forgeries are judged. */
#ifndef PG_TESTS_FORGERY_H
#define PG_TESTS_FORGERY_H

#include "core/compute/kernels.h"
#include "core/ownership/verify.h"
#include "tests/unit/raid.h"

enum { IMAGES = 20, BATCH = 8, NULLS = 5 };
static const pg_verify_options verify = {.level = 1e-3, .tolerance = 5, .nulls = NULLS, .batch = BATCH};
static pg_data data;
static pg_dataset fresh; /* images that are not in data.train */

SET_UP
{
    pg_compute_start(1);
    pg_data whole = {0};
    data = test_data(40, IMAGES);
    OK(pg_data_load("synthetic", NULL, &whole, &err));
    OK(pg_dataset_subset(&whole.test, 15, &fresh, &err));
    pg_data_clear(&whole);
}

TEAR_DOWN
{
    pg_data_clear(&data);
    pg_dataset_clear(&fresh);
}

typedef struct site {
    const char *arch, *scheme, *layers;
    pg_norm_kind norm;
} site;

/* A network of that architecture with evidence drawn at random. */
static inline subject subject_at(const site *at)
{
    subject s = subject_wire(at->scheme, at->norm, PG_PASSPORT_RANDOM);
    s.spec.arch = pg_arch_find(at->arch);
    snprintf(s.options.layers, sizeof s.options.layers, "%s", at->layers);
    OK(pg_scheme_wire(s.scheme, &s.options, &s.spec, &err));
    subject_fill(&s, &data);
    return s;
}

/* Passports under the first layer, in the middle of a block, at its shortcut: each cuts the network elsewhere. */
static const site sites[] = {
    {"alexnet", "v1", "default", PG_NORM_BN},
    {"alexnet", "v2", "features.4 features.6", PG_NORM_GN},
    {"alexnet", "v1", "features.0", PG_NORM_IN},
    {"alexnet", "pan", "features.2", PG_NORM_BN},
    {"resnet9", "v1", "default", PG_NORM_BN},
    {"resnet9", "v2", "layer4.0.convbn_2", PG_NORM_GN},
    {"resnet9", "v3", "layer3.0.shortcut", PG_NORM_NONE},
};
enum { SITES = sizeof sites / sizeof *sites };

/* ---- an attack at work ---- */

/* The network as its user runs it: its affines are learned parameters. */
static inline pg_model *running_of(const subject *victim)
{
    pg_model *running = NULL;
    pg_net_spec spec = victim->spec;
    spec.public_affine = true;
    spec.private_affine = spec.own_norm = spec.perceptron = false;
    OK(pg_model_create(&spec, &running, &err));
    OK(pg_model_copy(victim->model, running, &err));
    if (spec.passports && !victim->spec.public_affine) OK(pg_passports_store(victim->model, victim->evidence, running, &err));
    return running;
}

/* The raid up to its start, with the view that the attack declares. */
static inline void prepare(raid *r, const char *name, const char *yaml, const subject *victim)
{
    pg_model *running = running_of(victim), *shape = NULL;
    pg_oracle *answers = NULL;
    const unsigned sees = pg_attack_find(name)->sees;
    if (sees & PG_SEES_ANSWERS) OK(pg_model_create(&victim->spec, &shape, &err));
    if (sees & PG_SEES_ANSWERS) OK(pg_oracle_open(running, PG_PIXELS_IMAGENET, &answers, &err));
    const pg_attack_view view = {
        .model = shape ? shape : victim->model,
        .answers = answers,
        .scheme = victim->scheme,
        .running = sees & PG_SEES_AFFINE ? running : NULL,
        .evidence =
            sees & PG_SEES_EVIDENCE || (sees & PG_SEES_DISTRIBUTED && !victim->spec.public_affine) ? victim->evidence : NULL,
        .train = sees & PG_SEES_TRAIN ? &data.train : NULL,
        .fresh = sees & PG_SEES_FRESH ? &fresh : NULL,
        .pictures = &data.test,
        .seed = {.grid = 1, .task = "forgery"}};
    begin(r, name, yaml, &view);
    r->running = running;
    r->shape = shape;
    r->answers = answers;
}

static inline void open_forgery(raid *r, const char *name, const char *yaml, const subject *victim)
{
    prepare(r, name, yaml, victim);
    OK(r->attack->start(r->state, r->options, &r->view, &err));
}

/* SHA-256 over every outcome. */
static inline void hash_outcomes(const char *name, const char *yaml, const subject *victim, uint64_t seed,
                                 char hex[PG_SHA256_HEX])
{
    pg_hash hash;
    raid r;
    pg_outcome o;
    pg_hash_start(&hash);
    prepare(&r, name, yaml, victim);
    r.view.seed.grid = seed;
    OK(r.attack->start(r.state, r.options, &r.view, &err));
    while (next(&r, &o)) {
        char commitment[PG_SHA256_HEX];
        if (o.evidence) pg_evidence_commitment(o.evidence, commitment);
        if (o.evidence) pg_hash_add_text(&hash, commitment);
        if (o.model) pg_hash_add(&hash, o.model->params, o.model->param_count * sizeof *o.model->params);
        if (o.model) pg_hash_add(&hash, o.model->buffers, o.model->buffer_count * sizeof *o.model->buffers);
        if (o.shown) pg_hash_add(&hash, o.shown->buffers, o.shown->buffer_count * sizeof *o.shown->buffers);
    }
    finish(&r);
    pg_hash_finish_hex(&hash, hex);
}

/* A network, not trained, whose owner has evidence of a scheme with these options. */
static inline subject owner_of(const char *scheme, const char *yaml, uint64_t seed)
{
    subject s = {.scheme = pg_scheme_find(scheme), .seed = {.grid = seed, .task = scheme}};
    void *options = read_options(s.scheme->options, s.scheme->options_size, yaml);
    s.spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    s.spec.width = 0.0625;
    OK(pg_scheme_wire(s.scheme, options, &s.spec, &err));
    const pg_keygen in = {.scheme = s.scheme, .spec = &s.spec, .seed = s.seed, .data = &data, .pixels = PG_PIXELS_IMAGENET};
    OK(pg_scheme_keygen(options, &in, &s.evidence, &err));
    OK(pg_model_create(&s.spec, &s.model, &err));
    pg_model_initialise(s.model, s.seed, "weights");
    pg_free(options);
    return s;
}

/* Trained a little. Its signature is set to the signs that its passports give, whatever the training did. */
static inline subject victim_of(const char *scheme, pg_norm_kind norm)
{
    subject s = subject_create(scheme, norm, PG_PASSPORT_RANDOM, &data);
    pg_net *net = NULL;
    const pg_train_options training = test_training(2, 8);
    subject_train(&s, &data, &training);
    if (!s.evidence) return s;
    OK(pg_net_create(&s.spec, 1, false, PG_CONV_AUTO, &net, &err));
    OK(pg_passports_install(net, s.model, s.evidence, &err));
    for (int i = 0; i < s.evidence->passport_count; i++)
        for (int k = 0; k < s.evidence->passports[i].outputs; k++)
            s.evidence->passports[i].b[k] = pg_net_gamma(net, i)[k] > 0 ? 1 : -1;
    pg_net_destroy(&net);
    return s;
}

static inline pg_finding judge_alone(const pg_model *model, const pg_evidence *evidence)
{
    pg_finding f;
    const pg_verify_options coin = {.level = 1e-3, .tolerance = 5, .batch = BATCH};
    const pg_judge_setup setup = {.model = model, .test = &data.test, .options = &coin, .distributed = evidence};
    OK(pg_verify(&setup, evidence, &f, &err));
    return f;
}

/* Mean cross-entropy of the stolen network with these passports over the training set without augmentation. If alpha is
 * positive, the sign loss is added. */
static inline double training_loss(const subject *victim, const pg_evidence *forged, double alpha)
{
    const int n = data.train.count;
    pg_net *net = NULL;
    pg_real *images = NULL;
    OK(pg_alloc((size_t)n * 32 * 32 * 3, sizeof *images, &images, &err));
    OK(pg_net_create(&victim->spec, n, true, PG_CONV_AUTO, &net, &err));
    OK(pg_passports_install(net, victim->model, forged, &err));
    pg_batch_range(&data.train, 0, n, PG_PIXELS_IMAGENET, images);
    const pg_real *logits = pg_net_forward(net, victim->model, PG_PRIVATE, PG_EVAL, images, n);
    double loss = pg_cross_entropy(n, victim->spec.classes, logits, data.train.labels, 0, NULL, NULL);
    if (alpha > 0) loss += pg_sign_loss(alpha, forged, net);
    pg_free(images);
    pg_net_destroy(&net);
    return loss;
}

static inline const pg_real *gammas(const pg_model *m, int i)
{
    return m->params + pg_model_passport_layer(m, i)->affine[PG_PUBLIC].gamma;
}

static inline const pg_real *betas(const pg_model *m, int i)
{
    return m->params + pg_model_passport_layer(m, i)->affine[PG_PUBLIC].beta;
}

/* Everything but gamma, beta and statistics is the victim's. */
static inline void assert_weights_kept(const pg_model *a, const pg_model *b)
{
    for (int i = 0; i < a->layer_count; i++) {
        const pg_layer *l = &a->layers[i], *other = &b->layers[i];
        if (l->weight < 0) continue;
        const size_t count = (size_t)(l->row.kind == PG_ROW_CONV ? l->row.kernel * l->row.kernel : l->in_height * l->in_width) *
                             (size_t)l->in_channels * (size_t)l->out_channels;
        assert_memory_equal(a->params + l->weight, b->params + other->weight, count * sizeof *a->params);
    }
}

static inline void assert_statistics_kept(const pg_model *a, const pg_model *b)
{
    assert_int_equal(a->buffer_count, b->buffer_count);
    assert_memory_equal(a->buffers, b->buffers, a->buffer_count * sizeof *a->buffers);
}

#endif
