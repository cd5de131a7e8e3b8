/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pruning: which weights become zero, and which stay. */
#include "tests/unit/victims.h"

/* ---- pruning ---- */

/* Give parameter number i in scope the magnitude value(i), with alternating signs. */
static size_t set_parameters(pg_model *model, bool weights_only, double (*value)(size_t i))
{
    size_t count = 0;
    for (int t = 0; t < model->tensor_count; t++) {
        const pg_tensor *tensor = &model->tensors[t];
        if (tensor->buffer || (weights_only && tensor->order == PG_ORDER_FLAT)) continue;
        for (size_t e = 0; e < tensor->count; e++, count++)
            model->params[tensor->offset + (ptrdiff_t)e] = (pg_real)(value(count) * (count % 2 ? 1 : -1));
    }
    return count;
}

static size_t zeros(const pg_model *model, bool weights_only)
{
    size_t count = 0;
    for (int t = 0; t < model->tensor_count; t++) {
        const pg_tensor *tensor = &model->tensors[t];
        if (tensor->buffer || (weights_only && tensor->order == PG_ORDER_FLAT)) continue;
        for (size_t e = 0; e < tensor->count; e++) count += fabs((double)model->params[tensor->offset + (ptrdiff_t)e]) <= 0;
    }
    return count;
}

static double one_to_four(size_t i)
{
    return (double)(i % 4 + 1);
}

static double counting(size_t i)
{
    return (double)(i + 1);
}

/* The 50th percentile of 1, 2, 3, 4 is 2.5: half of the values become zero, whatever their signs. */
TEST(prune_removes_the_smallest_magnitudes)
{
    subject victim = victim_of("plain");
    const size_t count = set_parameters(victim.model, false, one_to_four);
    pg_model *model = victim.model;
    assert_int_equal(count % 4, 2); /* it ends with 1, 2: let the last be 3, so that as many are large as small */
    model->params[pg_model_classifier(model)->bias + 9] = 3;
    const pg_attack_view view = view_of(&victim);
    raid r;
    pg_outcome o;
    open_raid(&r, "prune", "{levels: [50]}", &view);
    assert_true(next(&r, &o));
    for (size_t i = 0; i < model->param_count; i++) {
        const double before = (double)model->params[i], after = (double)o.model->params[i];
        assert_true(fabs(before) > 2.5 ? after >= before && after <= before : fabs(after) <= 0);
    }
    assert_int_equal(zeros(o.model, false), count / 2);
    finish(&r);
    subject_destroy(&victim);
}

/* Of the magnitudes 1 .. n, level q zeroes those up to 1 + (n - 1) q / 100. */
TEST(prune_removes_up_to_the_interpolated_percentile)
{
    static const char *const scopes[] = {"{scope: all}", "{scope: weights}"};
    for (int scope = 0; scope < 2; scope++) {
        subject victim = victim_of("v2");
        pg_model *before = NULL;
        const size_t n = set_parameters(victim.model, scope == 1, counting);
        const pg_attack_view view = view_of(&victim);
        raid r;
        pg_outcome o;
        assert_true(n < 1 << 24); /* exact as float */
        OK(pg_model_clone(victim.model, &before, &err));
        open_raid(&r, "prune", scopes[scope], &view);
        for (int level = 0; level <= 100; level += 10) {
            assert_true(next(&r, &o));
            assert_string_equal(r.attack->axis, "level");
            assert_true(o.value >= level && o.value <= level);
            assert_int_equal(zeros(o.model, scope == 1), level ? (n - 1) * (size_t)level / 100 + 1 : 0);
            if (scope == 1)
                assert_int_equal(zeros(o.model, false) - zeros(o.model, true), zeros(before, false) - zeros(before, true));
            assert_true(same_statistics(o.model, before));
            if (level == 0) assert_true(same_parameters(o.model, before));
        }
        assert_false(next(&r, &o));
        assert_true(same_parameters(victim.model, before));
        finish(&r);
        pg_model_destroy(&before);
        subject_destroy(&victim);
    }
}

static size_t perceptron_weights(const pg_model *model)
{
    size_t count = 0;
    for (int t = 0; t < model->tensor_count; t++) count += of_perceptron(&model->tensors[t]) ? model->tensors[t].count : 0;
    return count;
}

/* PAN's perceptrons count for the percentile, but the owner keeps them. */
TEST(prune_keeps_the_perceptrons_of_the_owner)
{
    subject victim = victim_of("pan");
    const size_t n = set_parameters(victim.model, false, counting);
    const double median = 1 + (double)(n - 1) / 2;
    const pg_attack_view view = view_of(&victim);
    raid r;
    pg_outcome o;
    assert_true(perceptron_weights(victim.model) > 0);
    open_raid(&r, "prune", "{levels: [50]}", &view);
    assert_true(next(&r, &o));
    for (int i = 0; i < o.model->tensor_count; i++) {
        const pg_tensor *t = &o.model->tensors[i];
        for (size_t e = 0; !t->buffer && e < t->count; e++) {
            const pg_real before = victim.model->params[t->offset + (ptrdiff_t)e];
            const bool goes = !of_perceptron(t) && fabs((double)before) <= median;
            assert_true(o.model->params[t->offset + (ptrdiff_t)e] == (goes ? 0 : before));
        }
    }
    finish(&r);
    subject_destroy(&victim);
}

/* Each level starts from the victim. Once all of the network is pruned, no bit of any signature agrees. */
TEST(a_network_without_weights_carries_no_signature)
{
    for (int i = 0; i < SCHEMES; i++) {
        subject victim = victim_of(names[i]);
        const pg_attack_view view = view_of(&victim);
        pg_verify_options judge;
        pg_finding f;
        raid r;
        pg_outcome o;
        OK(pg_options_defaults(pg_verify_table, &judge, &err));
        open_raid(&r, "prune", "{levels: [100, 0]}", &view);
        assert_true(next(&r, &o));
        assert_int_equal(zeros(o.model, false), pg_model_parameters(o.model) - perceptron_weights(o.model));
        judge.nulls = 0;
        const pg_judge_setup setup = {.model = o.model, .test = &data.test, .options = &judge, .distributed = victim.evidence};
        OK(pg_verify(&setup, victim.evidence, &f, &err));
        assert_true(f.useless && f.ruling == PG_USELESS);
        assert_int_equal(f.agree, 0);
        assert_true(f.detection <= 0 && f.p_value >= 1);
        assert_true(next(&r, &o));
        assert_true(same_parameters(o.model, victim.model));
        finish(&r);
        subject_destroy(&victim);
    }
}
