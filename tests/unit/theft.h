/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small network, and a thief's rewritten copy of it, which is aligned to the original. */
#ifndef PG_TESTS_THEFT_H
#define PG_TESTS_THEFT_H

#include "core/ownership/align.h"
#include "core/ownership/correlations.h"
#include "tests/unit/small_net.h"

#include <math.h>

static const unsigned all_parts = PG_REWRITE_PERMUTE | PG_REWRITE_SCALE | PG_REWRITE_FLIP;
static const char *const archs[] = {"alexnet", "resnet9", "resnet18"};

/* Most layers have two or more groups. */
static inline pg_net_spec wide_spec(const char *arch, pg_norm_kind norm, const char *scheme)
{
    pg_net_spec spec = small_spec(arch, norm, scheme, "default");
    spec.width = 0.125;
    return spec;
}

/* An original, and a thief's copy of it, rewritten. */
typedef struct theft {
    small_net owner;
    pg_rewrite *rewrite;
    pg_model *stolen;
    pg_alignment alignment;
} theft;

static inline void add_noise(pg_model *model, double level)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 5, .task = "noise"}, "weights", 0);
    for (int i = 0; i < model->layer_count; i++) {
        if (model->layers[i].weight < 0) continue;
        const pg_filters f = pg_layer_filters(&model->layers[i]);
        const int count = f.taps * f.inputs * f.outputs;
        pg_real *w = model->params + model->layers[i].weight;
        double square = 0;
        for (int e = 0; e < count; e++) square += (double)w[e] * (double)w[e];
        for (int e = 0; e < count; e++) w[e] += (pg_real)(level * sqrt(square / count) * pg_rng_normal(&rng));
    }
}

static inline void steal(theft *t, const pg_net_spec *spec, double noise)
{
    pg_model *copy = NULL;
    pg_rng rng;
    *t = (theft){0};
    open_small(&t->owner, spec, PG_CONV_AUTO);
    pg_rng_open(&rng, (pg_seed){.grid = 5, .task = spec->arch->name}, "rewrite", 0);
    OK(pg_model_clone(t->owner.model, &copy, &err));
    add_noise(copy, noise);
    OK(pg_model_create(spec, &t->stolen, &err));
    OK(pg_rewrite_create(&copy->layout, &t->rewrite, &err));
    pg_rewrite_draw(copy, pg_net_spec_deployed(spec), all_parts, &rng, t->rewrite);
    OK(pg_model_rewrite(copy, t->rewrite, t->stolen, &err));
    pg_model_destroy(&copy);
}

static inline void align_to_owner(theft *t)
{
    OK(pg_align(t->owner.model, t->stolen, NULL, 0, &t->alignment, &err));
}

static inline void end(theft *t)
{
    pg_alignment_clear(&t->alignment);
    pg_rewrite_destroy(&t->rewrite);
    pg_model_destroy(&t->stolen);
    close_small(&t->owner);
}

/* The number of channels of the original that are paired with the copy of another channel. */
static inline int wrong_pairs(const theft *t)
{
    int wrong = 0;
    for (int s = 0; s < t->rewrite->spaces.count; s++)
        for (int o = 0; o < t->rewrite->spaces.channels[s]; o++)
            wrong += t->rewrite->from[s][t->alignment.rewrite->from[s][o]] != o;
    return wrong;
}

/* Largest difference of parameters and running statistics, relative to the largest of the same tensor. */
static inline double difference(const pg_model *a, const pg_model *b)
{
    double worst = 0;
    pg_tensor tensors[PG_ROWS_MAX * 8];
    pg_layout_tensors(&a->layout, tensors);
    for (int i = 0; i < a->tensor_count; i++) {
        const pg_tensor *t = &tensors[i];
        const pg_real *x = (t->buffer ? a->buffers : a->params) + t->offset,
                      *y = (t->buffer ? b->buffers : b->params) + t->offset;
        double most = 0, off = 0;
        for (size_t e = 0; e < t->count; e++) {
            most = fmax(most, fabs((double)x[e]));
            off = fmax(off, fabs((double)x[e] - (double)y[e]));
        }
        worst = fmax(worst, off / most);
    }
    return worst;
}

#endif
