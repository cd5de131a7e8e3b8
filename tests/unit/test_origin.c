/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who was first: an owner and a thief who overwrote, each with an original that an authority stamped. */
#include "core/ownership/binding.h"
#include "core/ownership/mark.h"
#include "core/ownership/origin.h"
#include "tests/unit/test.h"

#include "core/base/memory.h"
#include "core/compute/parallel.h"

#include <math.h>

SET_UP
{
    pg_compute_start(1);
}

/* ---- the rule: pairs of one number each, with all that is measured ---- */

enum { OWNER, THIEF, THIRD, PEOPLE };
static pg_evidence secrets[PEOPLE];

/* Admitted pairs whose originals carry only their own evidence. Their stamps are one day apart. */
static void make_pairs(pg_pair *pairs)
{
    for (int i = 0; i < PEOPLE; i++) {
        static const pg_model original;
        secrets[i].binding.secret.bytes[0] = (unsigned char)i;
        pairs[i] = (pg_pair){.evidence = &secrets[i],
                             .original = &original,
                             .stamped = true,
                             .when = 1000 * (i + 1),
                             .similarity = 0.9,
                             .rival = 0.2};
        pairs[i].proves[i] = true;
    }
}

static void assert_origin(pg_pair *pairs, int count, int pair, pg_origin_reason reason)
{
    const pg_origin origin = pg_origin_decide(pairs, count);
    assert_int_equal(origin.pair, pair);
    assert_int_equal(origin.reason, reason);
}

TEST(the_original_that_carries_its_own_evidence_alone_is_first_whatever_the_dates)
{
    pg_pair pairs[PEOPLE];
    make_pairs(pairs);
    pairs[THIEF].proves[OWNER] = true;
    assert_origin(pairs, 2, OWNER, PG_ORIGIN_BY_CONTENT);
    pairs[THIEF].when = 1;
    assert_origin(pairs, 2, OWNER, PG_ORIGIN_BY_CONTENT);
    assert_int_equal(pairs[THIEF].standing, PG_STANDS_MIXED);
    assert_int_equal(pairs[OWNER].standing, PG_STANDS_FIRST);
}

TEST(the_date_decides_between_originals_that_carry_their_own_evidence_alone)
{
    pg_pair pairs[PEOPLE];
    make_pairs(pairs);
    assert_origin(pairs, 3, OWNER, PG_ORIGIN_BY_DATE);
    assert_int_equal(pairs[THIEF].standing, PG_STANDS_LATER);
    pairs[THIRD].when = 1;
    assert_origin(pairs, 3, THIRD, PG_ORIGIN_BY_DATE);
    pairs[OWNER].when = 1;
    assert_origin(pairs, 3, -1, PG_ORIGIN_UNKNOWN);
    assert_int_equal(pairs[OWNER].standing, PG_STANDS_TIED);
    assert_int_equal(pairs[THIRD].standing, PG_STANDS_TIED);
    assert_int_equal(pairs[THIEF].standing, PG_STANDS_LATER);
}

TEST(originals_that_carry_each_others_evidence_are_ranked_by_date)
{
    pg_pair pairs[PEOPLE];
    make_pairs(pairs);
    pairs[THIEF].proves[OWNER] = pairs[OWNER].proves[THIEF] = true;
    assert_origin(pairs, 2, OWNER, PG_ORIGIN_BY_DATE);
}

TEST(a_pair_that_misses_something_is_not_admitted)
{
    pg_pair pairs[PEOPLE];
    static const pg_standing standings[] = {PG_STANDS_WITHOUT_ORIGINAL, PG_STANDS_WITHOUT_STAMP, PG_STANDS_UNPROVED,
                                            PG_STANDS_UNRELATED, PG_STANDS_UNRELATED};
    for (int i = 0; i < 5; i++) {
        make_pairs(pairs);
        pairs[THIEF].when = 1;
        if (i == 0) pairs[THIEF].original = NULL;
        if (i == 1) pairs[THIEF].stamped = false;
        if (i == 2) pairs[THIEF].proves[THIEF] = false;
        if (i == 3) pairs[THIEF].similarity = 0.59;
        if (i == 4) pairs[THIEF].rival = 0.81;
        assert_origin(pairs, 2, OWNER, PG_ORIGIN_UNOPPOSED);
        assert_int_equal(pairs[THIEF].standing, standings[i]);
    }
}

TEST(a_thief_alone_with_a_pair_is_not_first_if_the_owners_evidence_is_in_it)
{
    pg_pair pairs[PEOPLE];
    make_pairs(pairs);
    pairs[OWNER].original = NULL;
    pairs[THIEF].proves[OWNER] = true;
    assert_origin(pairs, 2, -1, PG_ORIGIN_UNKNOWN);
    assert_int_equal(pairs[THIEF].standing, PG_STANDS_MIXED);
    /* not even if it looks as if the owner's pair, which is not admitted, carries his evidence */
    make_pairs(pairs);
    pairs[OWNER].stamped = false;
    pairs[OWNER].proves[THIEF] = pairs[THIEF].proves[OWNER] = true;
    assert_origin(pairs, 2, -1, PG_ORIGIN_UNKNOWN);
}

TEST(equal_secrets_are_one_claimant)
{
    pg_pair pairs[PEOPLE];
    make_pairs(pairs);
    pairs[THIRD].evidence = pairs[OWNER].evidence;
    pairs[OWNER].proves[THIRD] = pairs[THIRD].proves[OWNER] = pairs[THIEF].proves[OWNER] = true;
    pairs[THIRD].original = NULL;
    assert_origin(pairs, 3, OWNER, PG_ORIGIN_BY_CONTENT);
}

/* A thief who has seen the owner's evidence shows it again, with an original of his own. */
TEST(of_one_claimants_originals_the_earliest_counts_in_whatever_order)
{
    pg_pair pairs[PEOPLE];
    make_pairs(pairs);
    pairs[OWNER].evidence = pairs[THIEF].evidence;
    pairs[OWNER].proves[THIEF] = pairs[THIEF].proves[OWNER] = true;
    pairs[OWNER].when = 3000;
    assert_origin(pairs, 2, THIEF, PG_ORIGIN_UNOPPOSED);
    assert_int_equal(pairs[OWNER].standing, PG_STANDS_LATER);
    pairs[OWNER].when = pairs[THIEF].when;
    assert_origin(pairs, 2, OWNER, PG_ORIGIN_UNOPPOSED);
    assert_int_equal(pairs[THIEF].standing, PG_STANDS_TIED);
}

/* He binds the owner's secret to a statement of his own, and overwrites the network with it. */
TEST(a_secret_under_another_statement_is_another_claimant)
{
    pg_pair pairs[PEOPLE];
    make_pairs(pairs);
    pg_evidence theirs = secrets[OWNER];
    strcpy(theirs.binding.statement, "the thief");
    pairs[THIEF].evidence = &theirs;
    pairs[THIEF].proves[OWNER] = true;
    pairs[THIEF].when = 1;
    assert_origin(pairs, 2, OWNER, PG_ORIGIN_BY_CONTENT);
    assert_int_equal(pairs[THIEF].standing, PG_STANDS_MIXED);
}

/* ---- the measurements ---- */

static pg_model *fresh_model(const char *seed)
{
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    pg_model *model = NULL;
    spec.width = 0.125;
    OK(pg_model_create(&spec, &model, &err));
    pg_model_initialise(model, (pg_seed){.grid = 1, .task = seed}, "weights");
    return model;
}

/* A bound mark of 128 bits in a layer. */
static pg_evidence *fresh_evidence(const pg_model *model, const char *layer, const char *name)
{
    pg_evidence *e = NULL;
    OK(pg_evidence_create(&model->spec, "uchida", pg_mark_kinds[PG_MARK_SIGNS], &e, &err));
    OK(pg_mark_create(&model->spec, layer, 128, PG_MARK_SIGNS, &e->mark, &err));
    e->binding = pg_binding_for(&model->spec, PG_PIXELS_CIFAR);
    e->binding.bound = true;
    pg_secret_from_seed((pg_seed){.grid = 1, .task = name}, &e->binding.secret);
    OK(pg_evidence_bind(e, &err));
    return e;
}

/* Embed a mark by gradient descent on its loss alone. */
static void imprint(pg_model *model, const pg_evidence *e)
{
    pg_real *gradient = NULL;
    OK(pg_alloc(model->param_count, sizeof *gradient, &gradient, &err));
    for (int step = 0; step < 100; step++) {
        memset(gradient, 0, model->param_count * sizeof *gradient);
        pg_mark_loss(&e->mark, model, 1, gradient);
        for (size_t i = 0; i < model->param_count; i++) model->params[i] -= (pg_real)0.2 * gradient[i];
    }
    pg_free(gradient);
}

/* The owner's original; the thief's, made from a copy of it; an unrelated one with the thief's mark. */
typedef struct dispute {
    pg_evidence *owner, *thief;
    pg_model *original, *overwritten, *unrelated;
} dispute;

static dispute open_dispute(void)
{
    dispute d = {.original = fresh_model("owner"), .unrelated = fresh_model("thief")};
    d.owner = fresh_evidence(d.original, "features.4", "owner");
    d.thief = fresh_evidence(d.original, "features.5", "thief");
    imprint(d.original, d.owner);
    OK(pg_model_clone(d.original, &d.overwritten, &err));
    imprint(d.overwritten, d.thief);
    imprint(d.unrelated, d.thief);
    return d;
}

static void close_dispute(dispute *d)
{
    pg_evidence_destroy(&d->owner);
    pg_evidence_destroy(&d->thief);
    pg_model_destroy(&d->original);
    pg_model_destroy(&d->overwritten);
    pg_model_destroy(&d->unrelated);
}

static void decide(const dispute *d, const pg_model *thiefs, pg_pair pairs[2], pg_origin *origin)
{
    static const pg_verify_options options = {.level = 1e-3, .tolerance = 5, .batch = 64, .proof = 80};
    const pg_judge_setup judge = {.model = d->overwritten, .pixels = PG_PIXELS_CIFAR, .options = &options, .shown = 2};
    pairs[OWNER] = (pg_pair){.evidence = d->owner, .original = d->original, .stamped = true, .when = 2, .similarity = NAN};
    pairs[THIEF] = (pg_pair){.evidence = d->thief, .original = thiefs, .stamped = true, .when = 1, .similarity = NAN};
    OK(pg_origin_find(&judge, pairs, 2, origin, &err));
}

TEST(a_thief_who_overwrote_carries_the_owners_evidence)
{
    dispute d = open_dispute();
    pg_pair pairs[2];
    pg_origin origin;
    decide(&d, d.overwritten, pairs, &origin);
    assert_int_equal(origin.pair, OWNER);
    assert_int_equal(origin.reason, PG_ORIGIN_BY_CONTENT);
    assert_true(pairs[OWNER].proves[OWNER] && !pairs[OWNER].proves[THIEF]);
    assert_true(pairs[THIEF].proves[OWNER] && pairs[THIEF].proves[THIEF]);
    assert_true(pairs[OWNER].similarity > 0.8 && pairs[THIEF].similarity > 0.99);
    close_dispute(&d);
}

TEST(an_old_secret_in_an_unrelated_original_does_not_count)
{
    dispute d = open_dispute();
    pg_pair pairs[2];
    pg_origin origin;
    decide(&d, d.unrelated, pairs, &origin);
    assert_int_equal(origin.pair, OWNER);
    assert_int_equal(origin.reason, PG_ORIGIN_UNOPPOSED);
    assert_int_equal(pairs[THIEF].standing, PG_STANDS_UNRELATED);
    assert_true(pairs[THIEF].proves[THIEF] && pairs[THIEF].similarity < 0.5);
    close_dispute(&d);
}

TEST(an_original_of_another_architecture_does_not_count)
{
    dispute d = open_dispute();
    pg_pair pairs[2];
    pg_origin origin;
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("resnet9"), PG_NORM_BN, 10);
    pg_model *other = NULL;
    spec.width = 0.0625;
    OK(pg_model_create(&spec, &other, &err));
    pg_model_initialise(other, (pg_seed){.grid = 1, .task = "other"}, "weights");
    decide(&d, other, pairs, &origin);
    assert_int_equal(origin.pair, OWNER);
    assert_int_equal(pairs[THIEF].standing, PG_STANDS_UNPROVED);
    pg_model_destroy(&other);
    close_dispute(&d);
}
