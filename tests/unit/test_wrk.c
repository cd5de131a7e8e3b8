/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WRK: copies that cross the boundary, and a last layer that turns away from the old one. */
#include "tests/unit/forgery.h"

static double dot(const subject *victim, const pg_model *model)
{
    const pg_model *m = victim->model;
    const ptrdiff_t at = m->layers[m->layer_count - 1].weight, end = m->layers[m->layer_count - 1].bias;
    double sum = 0;
    for (ptrdiff_t i = 0; i < end - at; i++) sum += (double)m->params[at + i] * (double)model->params[at + i];
    return sum;
}

/* <W, W of the stolen network> at the end, and the share of copies that crossed the boundary. */
static double turned(const char *yaml, const subject *victim, double *moved)
{
    raid r;
    pg_outcome o;
    open_forgery(&r, "wrk", yaml, victim);
    assert_true(next(&r, &o));
    assert_false(o.evidence || next(&r, &o));
    *moved = measure(&o, "copies_moved");
    const double product = dot(victim, o.model);
    finish(&r);
    return product;
}

/* The product of both last layers is smaller with the penalty than without it, and steps move copies across the boundary. */
TEST(the_new_last_layer_turns_away_from_the_old_one)
{
    subject victim = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    double moved, none;
    const double with = turned("{share: 50, batch: 20, epochs: 4, lr: 0.01, alpha: 10}", &victim, &moved);
    const double without = turned("{share: 50, batch: 20, epochs: 4, lr: 0.01, alpha: 0, steps: 0}", &victim, &none);
    if (!(with < without)) fail_msg("%g with the penalty, %g without", with, without);
    if (!(moved >= 60)) fail_msg("%g %% of the copies crossed the boundary", moved);
    assert_true(none < moved);
    subject_destroy(&victim);
}

TEST(wrk_depends_on_the_seed_and_not_on_threads)
{
    const char *yaml = "{share: 50, epochs: 1, batch: 10, steps: 2, labels: hard}";
    subject victim = victim_of("v1", PG_NORM_BN);
    char first[PG_SHA256_HEX], hex[PG_SHA256_HEX];
    hash_outcomes("wrk", yaml, &victim, 1, first);
    pg_compute_start(2);
    hash_outcomes("wrk", yaml, &victim, 1, hex);
    pg_compute_start(1);
    assert_string_equal(hex, first);
    hash_outcomes("wrk", yaml, &victim, 2, hex);
    assert_string_not_equal(hex, first);
    subject_destroy(&victim);
}

TEST(wrk_is_refused_before_it_starts)
{
    raid r;
    subject victim = victim_of("adi", PG_NORM_BN);
    prepare(&r, "wrk", "{share: 5, batch: 10}", &victim);
    FAILS(r.attack->check(r.options, &r.view, &err), PG_BAD_INPUT, "do not fill one batch of 10");
    finish(&r);
    subject_destroy(&victim);
}
