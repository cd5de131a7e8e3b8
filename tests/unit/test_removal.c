/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removal by changed weights and continued training: what each attack changes, on networks so small that the arithmetic shows.
 */
#include "core/base/memory.h"
#include "tests/unit/forgery.h"

#include <math.h>
#include <stdlib.h>

/* The only outcome of an attack on a network. The caller finishes the raid. */
static const pg_model *after(raid *r, const char *name, const char *yaml, const subject *victim, pg_outcome *o)
{
    open_forgery(r, name, yaml, victim);
    assert_true(next(r, o));
    assert_false(o->evidence || o->shown);
    assert_non_null(o->model);
    return o->model;
}

static subject plain_network(void)
{
    return subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
}

/* Sum of squares of the differences of two networks' parameters. */
static double distance(const pg_model *a, const pg_model *b)
{
    double sum = 0;
    for (size_t i = 0; i < a->param_count; i++) sum += pow((double)a->params[i] - (double)b->params[i], 2);
    return sum;
}

/* A learning rate so small that no float changes. */
#define STILL "lr: 1e-30, weight_decay: 0, epochs: 1, batch: 8"

/* ---- what each attack does ---- */

/* At 60 % nine of sixteen channels are removed, at all positions; of single values exactly this share. They stay zero in
 * training.
 */
TEST(fine_pruning_silences_that_share_of_the_last_layers_inputs)
{
    static const char *const yamls[] = {"{epochs: 1, batch: 8, level: 60}", "{epochs: 1, batch: 8, level: 60, unit: values}"};
    subject victim = plain_network();
    for (int unit = 0; unit < 2; unit++) {
        raid r;
        pg_outcome o;
        const pg_model *m = after(&r, "fine-prune", yamls[unit], &victim, &o);
        const pg_layer *l = pg_model_classifier(m);
        const int values = l->in_height * l->in_width * l->in_channels, pixels = values / l->in_channels;
        int silent = 0;
        for (int i = 0; i < values; i++) {
            bool zero = true;
            for (int c = 0; c < m->spec.classes; c++) zero &= m->params[l->weight + c * values + i] == 0;
            silent += zero;
        }
        assert_int_equal(l->in_channels, 16);
        assert_int_equal(silent, unit == 0 ? 9 * pixels : (int)floor(0.6 * values));
        finish(&r);
    }
    subject_destroy(&victim);
}

/* The mean filter is subtracted; the noise has the deviation of the weights. */
TEST(shifted_weights_lose_their_mean_filter_or_gain_noise)
{
    subject victim = plain_network();
    raid r;
    pg_outcome o;
    const pg_model *m = after(&r, "shift-weights", "{shift: 1, noise: 0, " STILL "}", &victim, &o);
    const pg_layer *l = &victim.model->layers[0];
    const int rows = l->row.kernel * l->row.kernel * l->in_channels, filters = l->out_channels;
    for (int i = 0; i < rows; i++) {
        double mean = 0;
        for (int k = 0; k < filters; k++) mean += (double)m->params[l->weight + i * filters + k] / filters;
        assert_true(fabs(mean) < 1e-6);
    }
    finish(&r);
    m = after(&r, "shift-weights", "{shift: 0, noise: 2, " STILL "}", &victim, &o);
    double added = 0, had = 0;
    for (int i = 0; i < rows * filters; i++) {
        const double before = (double)victim.model->params[l->weight + i];
        added += pow((double)m->params[l->weight + i] - before, 2);
        had += before * before;
    }
    assert_true(fabs(sqrt(added / had) - 2) < 0.4);
    finish(&r);
    subject_destroy(&victim);
}

static int by_value(const void *a, const void *b)
{
    const pg_real x = *(const pg_real *)a, y = *(const pg_real *)b;
    return (x > y) - (x < y);
}

/* Midpoints of 2^2 - 1 gaps; the smallest and the largest value lie on points and stay. */
TEST(rounded_weights_have_few_values)
{
    subject victim = plain_network();
    raid r;
    pg_outcome o;
    const pg_model *m = after(&r, "round-weights", "{bits: 2, " STILL "}", &victim, &o);
    for (int i = 0; i < m->tensor_count; i++) {
        const pg_tensor *t = &m->tensors[i];
        int different = 1;
        if (t->buffer) continue;
        pg_real *values = m->params + t->offset;
        qsort(values, t->count, sizeof *values, by_value);
        for (size_t k = 1; k < t->count; k++) different += values[k] - values[k - 1] > (pg_real)1e-6;
        assert_true(different <= 5);
    }
    finish(&r);
    subject_destroy(&victim);
}

/* The heavy decay shrinks the weights; it ends after its epochs. */
TEST(a_heavy_decay_shrinks_the_weights)
{
    static const char *const yamls[] = {"{epochs: 2, batch: 8, heavy_epochs: 0}", "{epochs: 2, batch: 8, heavy_epochs: 1}",
                                        "{epochs: 2, batch: 8, heavy_epochs: 2}"};
    subject victim = plain_network();
    double norms[3];
    for (int i = 0; i < 3; i++) {
        raid r;
        pg_outcome o;
        const pg_model *m = after(&r, "regularise", yamls[i], &victim, &o);
        norms[i] = 0;
        for (size_t k = 0; k < m->param_count; k++) norms[i] += (double)m->params[k] * (double)m->params[k];
        finish(&r);
    }
    assert_true(norms[0] > norms[1] && norms[1] > norms[2]);
    raid r;
    prepare(&r, "regularise", "{epochs: 2, heavy_epochs: 3, batch: 8}", &victim);
    FAILS(r.attack->check(r.options, &r.view, &err), PG_BAD_INPUT, "heavy_epochs: expected at most the 2 epochs, got 3");
    finish(&r);
    subject_destroy(&victim);
}

/* Elastic weights stay nearer to where they began, the more so the stronger they are. */
TEST(elastic_weights_stay_near)
{
    static const char *const yamls[] = {"{epochs: 3, batch: 8, lr: 0.01, weight_decay: 0, crop: false}",
                                        "{epochs: 3, batch: 8, lr: 0.01, weight_decay: 0, crop: false, ewc: 3}",
                                        "{epochs: 3, batch: 8, lr: 0.01, weight_decay: 0, crop: false, ewc: 30}"};
    subject victim = plain_network();
    double moved[3];
    for (int i = 0; i < 3; i++) {
        raid r;
        pg_outcome o;
        moved[i] = distance(after(&r, "refit", yamls[i], &victim, &o), victim.model);
        assert_true(o.images == 3 * 8 + (i ? 8 : 0)); /* a fifth of 40 images, once more for what matters */
        finish(&r);
    }
    assert_true(moved[0] > moved[1] && moved[1] > moved[2]);
    subject_destroy(&victim);
}

/* Without an amount both forms are the same training; with one they differ. */
TEST(relabelling_blends_the_targets)
{
    static const char *const yamls[] = {"{epochs: 1, batch: 8, amount: 0}", "{epochs: 1, batch: 8, amount: 0, blend: noise}",
                                        "{epochs: 1, batch: 8}", "{epochs: 1, batch: 8, blend: noise}"};
    subject victim = plain_network();
    raid r[4];
    pg_outcome o[4];
    const pg_model *m[4];
    for (int i = 0; i < 4; i++) m[i] = after(&r[i], "relabel", yamls[i], &victim, &o[i]);
    assert_true(distance(m[0], m[1]) == 0);
    for (int i = 2; i < 4; i++) assert_true(distance(m[0], m[i]) > 0);
    assert_true(distance(m[2], m[3]) > 0);
    for (int i = 0; i < 4; i++) finish(&r[i]);
    subject_destroy(&victim);
}

/* The cost has every step of every image that is moved: half of a batch of 8, three times. */
TEST(adversarial_training_counts_the_passes_that_move_images)
{
    subject victim = plain_network();
    raid r;
    pg_outcome o;
    const pg_model *m =
        after(&r, "adversarial-training", "{epochs: 2, batch: 8, share: 20, iterations: 3, labels: \"true\"}", &victim, &o);
    assert_true(o.images == 2 * (8 + 4 * 3));
    assert_true(distance(m, victim.model) > 0);
    finish(&r);
    subject_destroy(&victim);
}

/* Only gammas become zero: more of them at a higher threshold, and the same ones too; at 1 all of them. */
TEST(adversarial_neuron_pruning_silences_channels)
{
    subject victim = plain_network();
    raid r;
    pg_outcome o;
    double gone[3] = {0};
    bool *silent = NULL;
    const pg_model *v = victim.model;
    OK(pg_alloc(v->param_count, sizeof *silent, &silent, &err));
    open_forgery(&r, "anp", "{epochs: 2, batch: 8, share: 40, lr: 2, thresholds: [0.2, 0.9, 1]}", &victim);
    for (int i = 0; i < 3; i++) {
        assert_true(next(&r, &o));
        gone[i] = measure(&o, "channels_pruned");
        for (size_t k = 0; k < v->param_count; k++) {
            assert_true(o.model->params[k] == v->params[k] || o.model->params[k] == 0);
            assert_true(!silent[k] || o.model->params[k] == 0);
            silent[k] = o.model->params[k] != v->params[k];
        }
        assert_memory_equal(o.model->buffers, v->buffers, v->buffer_count * sizeof *v->buffers);
    }
    assert_true(o.images == 2 * 16 * 3); /* three passes for every image */
    for (int l = 0; l < v->layer_count; l++)
        for (int k = 0; v->layers[l].affine[PG_PUBLIC].gamma >= 0 && k < v->layers[l].out_channels; k++)
            assert_true(silent[v->layers[l].affine[PG_PUBLIC].gamma + k]);
    assert_true(gone[0] <= gone[1] && gone[1] < gone[2] && gone[2] == 100);
    pg_free(silent);
    finish(&r);
    subject_destroy(&victim);
}

/* ---- overwriting by another scheme ---- */

/* The owner reads his own evidence in the network that the thief made, and the thief his. */
TEST(overwriting_by_another_scheme_leaves_both_readable)
{
    static const char *const victims[] = {"v1", "pan", "plain"};
    static const char *const schemes[] = {"uchida", "v1", "v3", "pan"};
    for (size_t v = 0; v < 3; v++)
        for (size_t s = 0; s < 4; s++) {
            subject victim = subject_create(victims[v], PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
            char yaml[96];
            raid r;
            pg_outcome o;
            snprintf(yaml, sizeof yaml, "{epochs: 1, batch: 20, thiefs_scheme: %s}", schemes[s]);
            open_forgery(&r, "overwrite", yaml, &victim);
            assert_true(next(&r, &o));
            assert_int_equal(o.model->spec.passports, victim.spec.passports);
            assert_string_equal(o.evidence->scheme, schemes[s]);
            assert_true(judge_alone(o.shown, o.evidence).bits > 0);
            if (victim.evidence) assert_true(judge_alone(o.model, victim.evidence).bits > 0);
            assert_int_equal(o.model->spec.perceptron, victim.spec.perceptron);
            finish(&r);
            subject_destroy(&victim);
        }
}

/* On another data set the network gets a last layer for its classes, which the judge's test images are of too. */
TEST(overwriting_on_other_data_has_a_new_last_layer)
{
    static const char *const victims[] = {"v1", "pan", "v2"};
    static const char *const yamls[] = {"{epochs: 1, batch: 20, data: other}",
                                        "{epochs: 1, batch: 20, data: other, thiefs_scheme: uchida, share: 50}",
                                        "{epochs: 1, batch: 20, data: other, thiefs_scheme: adi}"};
    pg_data other = {.train = data.train, .test = data.test};
    other.train.classes = other.test.classes = 12;
    for (int i = 0; i < 3; i++) {
        subject victim = subject_create(victims[i], PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
        raid r;
        pg_outcome o;
        prepare(&r, "overwrite", yamls[i], &victim);
        assert_string_equal(r.attack->other_data(r.options).name, "other");
        r.view.other = &other;
        OK(r.attack->check(r.options, &r.view, &err));
        OK(r.attack->start(r.state, r.options, &r.view, &err));
        assert_true(next(&r, &o));
        assert_ptr_equal(o.data, &other);
        assert_true(o.model->spec.classes == 12 && o.shown->spec.classes == 12);
        assert_true(i == 2 || o.images == (i == 1 ? 20 : 40)); /* triggers count too */
        assert_true(judge_alone(o.model, victim.evidence).bits > 0);
        finish(&r);
        subject_destroy(&victim);
    }
}

TEST(a_thief_overwrites_with_a_scheme_that_there_is)
{
    static const char *const names[] = {"none", "plain"};
    subject victim = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    for (int i = 0; i < 2; i++) {
        char yaml[96];
        raid r;
        snprintf(yaml, sizeof yaml, "{epochs: 1, batch: 20, thiefs_scheme: %s}", names[i]);
        prepare(&r, "overwrite", yaml, &victim);
        FAILS(r.attack->check(r.options, &r.view, &err), PG_BAD_INPUT, "thiefs_scheme: there is no scheme");
        finish(&r);
    }
    subject_destroy(&victim);
}

/* ---- all of them ---- */

static const char *const removers[][2] = {{"fine-prune", "{epochs: 1, batch: 8}"},
                                          {"regularise", "{epochs: 1, heavy_epochs: 1, batch: 8}"},
                                          {"relabel", "{epochs: 1, batch: 8, blend: noise}"},
                                          {"shift-weights", "{epochs: 1, batch: 8}"},
                                          {"round-weights", "{epochs: 1, batch: 8}"},
                                          {"refit", "{epochs: 1, batch: 8, ewc: 1}"},
                                          {"anp", "{epochs: 1, batch: 8, lr: 5, thresholds: [0.9]}"},
                                          {"nad", "{epochs: 1, teacher_epochs: 1, batch: 8}"},
                                          {"mcr", "{epochs: 1, end_epochs: 1, batch: 8, positions: [0.5]}"},
                                          {"adversarial-training", "{epochs: 1, batch: 8, iterations: 2}"}};
enum { REMOVERS = sizeof removers / sizeof *removers };

TEST(removal_depends_on_the_seed_and_not_on_threads)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    for (int i = 0; i < REMOVERS; i++) {
        char first[PG_SHA256_HEX], hex[PG_SHA256_HEX];
        hash_outcomes(removers[i][0], removers[i][1], &victim, 1, first);
        pg_compute_start(2);
        hash_outcomes(removers[i][0], removers[i][1], &victim, 1, hex);
        pg_compute_start(1);
        assert_string_equal(hex, first);
        hash_outcomes(removers[i][0], removers[i][1], &victim, 2, hex);
        assert_string_not_equal(hex, first);
    }
    subject_destroy(&victim);
}

/* Refuses a share that fills no batch, and other images of the same source if there are too few. */
TEST(removal_without_enough_images_is_refused)
{
    subject victim = plain_network();
    for (int i = 0; i < REMOVERS; i++) {
        raid r;
        prepare(&r, removers[i][0], "{share: 50, batch: 21, epochs: 9}", &victim);
        FAILS(r.attack->check(r.options, &r.view, &err), PG_BAD_INPUT, "do not fill one batch of 21");
        finish(&r);
        prepare(&r, removers[i][0], "{share: 50, batch: 8, epochs: 9, overlap: disjoint}", &victim);
        FAILS(r.attack->check(r.options, &r.view, &err), PG_BAD_INPUT,
              "share: 50 % of 40 images are 20, expected at least 1 and at most the 15 disjoint ones");
        finish(&r);
        assert_int_equal(r.attack->sees, PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED);
    }
    subject_destroy(&victim);
}
