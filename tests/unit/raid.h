/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An attack that a test carries out, one outcome after the other. */
#ifndef PG_TESTS_RAID_H
#define PG_TESTS_RAID_H

#include "attacks/attack.h"
#include "tests/unit/subject.h"

typedef struct raid {
    const pg_attack *attack;
    void *state, *options;
    pg_attack_view view;
    /* NULL, or what the view shows: the model of view.running, the shape of the victim and its answers; destroyed by finish */
    pg_model *running, *shape;
    pg_oracle *answers;
    double progress;
    bool over;
} raid;

/* Prepares everything up to the attack's start. */
static inline void begin(raid *r, const char *name, const char *yaml, const pg_attack_view *view)
{
    *r = (raid){.attack = pg_attack_find(name), .view = *view};
    r->options = read_options(r->attack->options, r->attack->options_size, yaml);
    const char *network = pg_attack_network(r->attack, r->options);
    if (network) r->view.arch = pg_arch_find(network);
    OK(pg_alloc(1, r->attack->state_size, &r->state, &err));
}

static inline void open_raid(raid *r, const char *name, const char *yaml, const pg_attack_view *view)
{
    begin(r, name, yaml, view);
    if (r->attack->start) OK(r->attack->start(r->state, r->options, &r->view, &err));
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
    pg_model_destroy(&r->running);
    pg_model_destroy(&r->shape);
    pg_oracle_close(&r->answers);
}

static inline double measure(const pg_outcome *o, const char *name)
{
    for (int i = 0; i < PG_MEASURES_MAX && o->measures[i].name; i++)
        if (strcmp(o->measures[i].name, name) == 0) return o->measures[i].value;
    fail_msg("no measure %s", name);
    return NAN;
}

#endif
