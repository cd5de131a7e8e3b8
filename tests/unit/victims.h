/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Untrained victims of attacks, and what an attacker may see of them. */
#ifndef PG_TESTS_VICTIMS_H
#define PG_TESTS_VICTIMS_H

#include "core/nets/state.h"
#include "core/ownership/verify.h"
#include "tests/unit/raid.h"

static pg_data data;
static const char *const names[] = {"v1", "v2", "v3", "pan"};
enum { SCHEMES = sizeof names / sizeof *names };

SET_UP
{
    pg_compute_start(1);
    data = test_data(32, 24);
}

TEAR_DOWN
{
    pg_data_clear(&data);
}

static inline subject victim_of(const char *scheme)
{
    return subject_create(scheme, strcmp(scheme, "v2") == 0 ? PG_NORM_GN : PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
}

/* What an attacker of this victim may see; V1's passports come with the network. */
static inline pg_attack_view view_of(const subject *victim)
{
    return (pg_attack_view){.model = victim->model,
                            .evidence = victim->spec.public_affine ? NULL : victim->evidence,
                            .train = &data.train,
                            .pictures = &data.test,
                            .seed = {.grid = 1, .task = "attack"}};
}

static inline bool same_parameters(const pg_model *a, const pg_model *b)
{
    return memcmp(a->params, b->params, a->param_count * sizeof *a->params) == 0;
}

static inline bool same_statistics(const pg_model *a, const pg_model *b)
{
    return memcmp(a->buffers, b->buffers, a->buffer_count * sizeof *a->buffers) == 0;
}

static inline bool of_perceptron(const pg_tensor *t)
{
    return strstr(t->name, ".fc.") != NULL;
}

#endif
