/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small networks for tests: a model wired by its scheme, evidence, a training net and a batch, all from one random stream. */
#ifndef PG_TESTS_SMALL_NET_H
#define PG_TESTS_SMALL_NET_H

#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/compute/parallel.h"
#include "core/nets/arch_file.h"
#include "core/nets/net.h"
#include "core/ownership/passport_scheme.h"
#include "tests/unit/test.h"

static const char *const all_schemes[] = {"plain", "v1", "v2", "v3", "pan"};
enum { SCHEMES = 5, NORMS = 4, SMALL_BATCH = 2, SMALL_CLASSES = 5 };

typedef struct small_net {
    pg_net_spec spec;
    pg_model *model;
    pg_net *net;
    pg_evidence *evidence; /* NULL without a private branch */
    pg_real *images;       /* [SMALL_BATCH,height,width,3] */
    int32_t labels[SMALL_BATCH];
} small_net;

/* A network for images that are not square, with 16 or 32 channels in each layer. `layers` is the option of that name. */
static inline pg_net_spec small_spec(const char *arch, pg_norm_kind norm, const char *scheme, const char *layers)
{
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find(arch), norm, SMALL_CLASSES);
    pg_passport_options options = {.alpha = 0.1};
    snprintf(options.layers, sizeof options.layers, "%s", layers);
    spec.width = 0.0625;
    spec.image_height = 16;
    spec.image_width = 24;
    OK(pg_scheme_wire(pg_scheme_find(scheme), &options, &spec, &err));
    return spec;
}

/* A network of a file in tests/networks. */
static inline pg_net_spec file_spec(const char *file, pg_norm_kind norm, const char *scheme, const char *layers)
{
    const pg_arch *arch = NULL;
    pg_passport_options options = {.alpha = 0.1};
    pg_problems problems = {0};
    OK(pg_arch_read(source_path(file), &arch, &problems, &err));
    pg_net_spec spec = pg_net_spec_plain(arch, norm, SMALL_CLASSES);
    snprintf(options.layers, sizeof options.layers, "%s", layers);
    spec.image_height = 20;
    OK(pg_scheme_wire(pg_scheme_find(scheme), &options, &spec, &err));
    return spec;
}

/* Every kind of row, with few and odd channels; convolutions in groups. */
static inline pg_net_spec odd_spec(pg_norm_kind norm, const char *scheme, const char *layers)
{
    return file_spec("tests/networks/odd.yaml", norm, scheme, layers);
}

static inline pg_net_spec grouped_spec(pg_norm_kind norm, const char *scheme, const char *layers)
{
    return file_spec("tests/networks/grouped.yaml", norm, scheme, layers);
}

static inline void fill_uniform(pg_rng *rng, pg_real *values, size_t count, double low, double high)
{
    for (size_t i = 0; i < count; i++) values[i] = (pg_real)(low + (high - low) * pg_rng_uniform(rng));
}

/* Initial weights. Affines and running statistics differ from zero and one, which would hide a missing factor. */
static inline void fill_model(pg_model *model)
{
    pg_rng rng;
    pg_model_initialise(model, (pg_seed){.grid = 7, .task = "small"}, "initial");
    pg_rng_open(&rng, (pg_seed){.grid = 7, .task = "small"}, "vectors", 0);
    for (int i = 0; i < model->tensor_count; i++) {
        const pg_tensor *t = &model->tensors[i];
        pg_real *values = (t->buffer ? model->buffers : model->params) + t->offset;
        for (size_t e = 0; t->rank == 1 && e < t->count; e++) values[e] += (pg_real)(0.6 * pg_rng_uniform(&rng) - 0.3);
    }
}

/* Passports whose mean is not zero, so that gamma and beta are not small. */
static inline void fill_evidence(pg_evidence *evidence)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 7, .task = "small"}, "evidence", 0);
    for (int i = 0; i < evidence->passport_count; i++) {
        pg_passport *p = &evidence->passports[i];
        const size_t count = (size_t)p->height * (size_t)p->width * (size_t)p->inputs;
        fill_uniform(&rng, p->key, count, -0.5, 1.5);
        fill_uniform(&rng, p->skey, count, -0.5, 1.5);
    }
    OK(pg_signature_draw(evidence, "", &rng, &err));
}

static inline void close_small(small_net *s)
{
    pg_net_destroy(&s->net);
    pg_model_destroy(&s->model);
    pg_evidence_destroy(&s->evidence);
    pg_free(s->images);
    s->images = NULL;
}

static inline void open_small(small_net *s, const pg_net_spec *spec, pg_conv_choice conv)
{
    pg_rng rng;
    const size_t pixels = (size_t)spec->image_height * (size_t)spec->image_width * SMALL_BATCH;
    *s = (small_net){.spec = *spec};
    OK(pg_model_create(spec, &s->model, &err));
    OK(pg_net_create(spec, SMALL_BATCH, true, conv, &s->net, &err));
    OK(pg_alloc(3 * pixels, sizeof *s->images, &s->images, &err));
    fill_model(s->model);
    pg_rng_open(&rng, (pg_seed){.grid = 7, .task = "small"}, "images", 0);
    fill_uniform(&rng, s->images, 3 * pixels, -2, 2);
    for (int i = 0; i < SMALL_BATCH; i++) s->labels[i] = (int32_t)pg_rng_below(&rng, (uint64_t)spec->classes);
    if (!spec->passports || !spec->private_affine) return;
    OK(pg_evidence_create(spec, "v1", "random", &s->evidence, &err));
    fill_evidence(s->evidence);
    OK(pg_passports_install(s->net, s->model, s->evidence, &err));
}

static inline size_t bytes_of(size_t count)
{
    return count * sizeof(pg_real);
}

/* Does the network have this branch? */
static inline bool has_branch(const pg_net_spec *spec, pg_branch branch)
{
    return branch == PG_PRIVATE ? spec->passports && spec->private_affine : !spec->passports || spec->public_affine;
}

/* One forward pass, and a backward pass if wanted, of one branch or of both. Adds up the losses; see run_small. */
static inline void run_pass(small_net *s, pg_branch branch, pg_mode mode, bool backward, pg_real *logits, double *loss)
{
    const int first = branch == PG_PRIVATE ? PG_PRIVATE : PG_PUBLIC, last = branch == PG_PUBLIC ? PG_PUBLIC : PG_PRIVATE;
    const size_t count = (size_t)(SMALL_BATCH * s->spec.classes);
    pg_real dlogits[2 * SMALL_BATCH * SMALL_CLASSES];
    const pg_real *z = pg_net_forward(s->net, s->model, branch, mode, s->images, SMALL_BATCH);
    for (int b = first; b <= last; b++) {
        const size_t at = (size_t)(b - first) * count;
        if (logits) memcpy(logits + (size_t)b * count, z + at, count * sizeof *z);
        *loss += pg_cross_entropy(SMALL_BATCH, s->spec.classes, z + at, s->labels, 0, dlogits + at, NULL);
    }
    if (last == PG_PRIVATE) *loss += pg_sign_loss(0.1, s->evidence, s->net);
    if (backward) pg_net_backward(s->net, s->model, dlogits);
}

/* The cross-entropy of every branch and the sign loss, summed as in a training step. at_once: both branches in one pass, else
 * one after the other. backward: also add up the gradients. logits [2,SMALL_BATCH,classes] by branch, or NULL. */
static inline double run_small(small_net *s, pg_mode mode, bool at_once, bool backward, pg_real *logits)
{
    const bool public = has_branch(&s->spec, PG_PUBLIC), private = has_branch(&s->spec, PG_PRIVATE);
    double loss = 0;
    if (at_once && public && private) {
        run_pass(s, PG_BOTH, mode, backward, logits, &loss);
        return loss;
    }
    if (public) run_pass(s, PG_PUBLIC, mode, backward, logits, &loss);
    if (private) run_pass(s, PG_PRIVATE, mode, backward, logits, &loss);
    return loss;
}

#endif
