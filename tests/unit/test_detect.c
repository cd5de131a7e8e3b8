/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Detecting a mark: networks that nobody marked, and one whose weights in one layer are spread wider. */
#include "tests/unit/forgery.h"

enum { TWINS = 4 };
static pg_model *twins[TWINS];

static pg_model *network(uint64_t seed)
{
    pg_model *model = NULL;
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    spec.width = 0.0625;
    OK(pg_model_create(&spec, &model, &err));
    pg_model_initialise(model, (pg_seed){.grid = seed, .task = "twin"}, "weights");
    return model;
}

/* The measures of the attack on a network; the twins have other seeds. */
static pg_outcome detect(const pg_model *suspect)
{
    raid r;
    pg_outcome o;
    for (int i = 0; i < TWINS; i++) twins[i] = network(100 + (uint64_t)i);
    const pg_attack_view view = {.model = suspect, .references = twins, .reference_count = TWINS, .pictures = &data.test};
    open_raid(&r, "detect", "{twins: 4}", &view);
    assert_true(next(&r, &o));
    assert_true(!o.model && !o.evidence && !next(&r, &o));
    finish(&r);
    for (int i = 0; i < TWINS; i++) pg_model_destroy(&twins[i]);
    return o;
}

/* The p-values are valid: few unmarked networks look marked. */
TEST(an_unmarked_network_is_like_its_twins)
{
    int alarms = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        pg_model *suspect = network(seed);
        const pg_outcome o = detect(suspect);
        alarms += measure(&o, "mark_p_value") <= 0.05;
        pg_model_destroy(&suspect);
    }
    assert_true(alarms <= 4); /* binomial at 0.05: more than four of twenty happen once in 400 */
}

TEST(a_layer_that_is_spread_wider_stands_out)
{
    pg_model *suspect = network(1);
    const pg_layer *l = &suspect->layers[4];
    assert_true(l->row.kind == PG_ROW_CONV);
    const int count = l->row.kernel * l->row.kernel * l->in_channels * l->out_channels;
    for (int i = 0; i < count; i++) suspect->params[l->weight + i] *= 2;
    const pg_outcome o = detect(suspect);
    assert_true(measure(&o, "mark_p_value") < 0.01);
    assert_true(measure(&o, "mark_layer") == 5);
    assert_true(measure(&o, "ks_distance") > 2 * measure(&o, "ks_of_twins"));
    assert_true(measure(&o, "ks_p_value") < 1e-6);
    pg_model_destroy(&suspect);
}

TEST(detection_sees_twins_and_no_evidence)
{
    assert_int_equal(pg_attack_find("detect")->sees, PG_SEES_REFERENCES);
}
