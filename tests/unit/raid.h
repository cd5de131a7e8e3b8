/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks at work: victims, what an attacker may see of them, and outcomes one after the other. */
#ifndef PG_TESTS_RAID_H
#define PG_TESTS_RAID_H

#include "attacks/attack.h"
#include "core/nets/state.h"
#include "core/ownership/verify.h"
#include "tests/unit/subject.h"

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

/* ---- an attack at work ---- */

typedef struct raid {
    const pg_attack *attack;
    void *state, *options;
    pg_attack_view view;
    double progress;
    bool over;
} raid;

/* What an attacker of this victim may see; V1's passports come with the network. */
static inline pg_attack_view view_of(const subject *victim)
{
    return (pg_attack_view){.model = victim->model,
                            .evidence = victim->spec.public_affine ? NULL : victim->evidence,
                            .train = &data.train,
                            .pictures = &data.test,
                            .seed = {.grid = 1, .task = "attack"}};
}

static inline void begin(raid *r, const char *name, const char *yaml, const pg_attack_view *view)
{
    *r = (raid){.attack = pg_attack_find(name), .view = *view};
    r->options = read_options(r->attack->options, r->attack->options_size, yaml);
    OK(pg_alloc(1, r->attack->state_size, &r->state, &err));
}

/* The next outcome; false at the end. Progress never falls. */
static inline bool next(raid *r, pg_outcome *outcome)
{
    pg_attack_state what = PG_ATTACK_WORKING;
    if (r->over) return false;
    while (what < PG_ATTACK_OUTCOME) {
        *outcome = (pg_outcome){0};
        OK(r->attack->step(r->state, &what, outcome, &err));
        const double progress = pg_attack_progress(r->attack, r->state);
        assert_true(progress >= r->progress && progress <= 1);
        r->progress = progress;
    }
    r->over = what == PG_ATTACK_LAST;
    return true;
}

static inline void finish(raid *r)
{
    if (r->attack->finish) r->attack->finish(r->state);
    pg_free(r->state);
    pg_free(r->options);
}

static inline void open_raid(raid *r, const char *name, const char *yaml, const pg_attack_view *view)
{
    begin(r, name, yaml, view);
    if (r->attack->start) OK(r->attack->start(r->state, r->options, &r->view, &err));
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
