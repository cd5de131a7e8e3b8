/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks and trigger sets: projections, regulariser, embedding, thresholds. Filtered marks are in test_watermark_filtered.c. */
#include "core/compute/kernels.h"
#include "core/ownership/threshold.h"
#include "tests/unit/watermark.h"

#include <gsl/gsl_statistics.h>

/* ---- projections ---- */

/* Each filter has as many ones as its kind demands, and no two filters share a position. */
static void assert_sparse(const pg_mark *m, bool diff)
{
    const int taps = m->site[0].kernel * m->site[0].kernel * m->site[0].inputs;
    int used = 0;
    for (int i = 0; i < m->bits; i++) {
        int plus = 0, minus = 0;
        for (int t = 0; t < taps; t++) {
            plus += *filter_tap(m, t, i) == 1;
            minus += *filter_tap(m, t, i) == -1;
            assert_true(*filter_tap(m, t, i) == 0 || fabs((double)*filter_tap(m, t, i)) == 1);
        }
        assert_int_equal(plus, 1);
        assert_int_equal(minus, diff);
    }
    for (int t = 0; t < taps; t++) {
        int here = 0;
        for (int i = 0; i < m->bits; i++) here += *filter_tap(m, t, i) != 0;
        assert_in_range(here, 0, 1);
        used += here;
    }
    assert_int_equal(used, m->bits * (1 + diff));
}

TEST(projections_follow_from_their_seed)
{
    owner o = owner_wire("uchida", "{bits: 72, projection: diff}");
    o.evidence = key_of(&o, o.seed);
    assert_string_equal(o.evidence->kind, "diff");
    assert_string_equal(o.evidence->mark.site[0].layer, "features.4");
    assert_sparse(&o.evidence->mark, true);
    owner_destroy(&o);
    o = owner_wire("uchida", "{bits: 144, projection: direct, layer: features.5}");
    o.evidence = key_of(&o, o.seed);
    assert_string_equal(o.evidence->mark.site[0].layer, "features.5");
    assert_sparse(&o.evidence->mark, false);
    owner_destroy(&o);

    o = owner_wire("uchida", "{bits: 300}");
    o.evidence = key_of(&o, o.seed);
    enum { ENTRIES = 300 * 144 };
    double values[ENTRIES], ones = 0;
    for (int i = 0; i < ENTRIES; i++) values[i] = (double)o.evidence->mark.projection[i];
    for (int i = 0; i < 300; i++) ones += o.evidence->mark.b[i] > 0;
    assert_true(fabs(gsl_stats_mean(values, 1, ENTRIES)) < 4 / sqrt(ENTRIES));
    assert_true(fabs(gsl_stats_variance(values, 1, ENTRIES) - 1) < 4 * sqrt(2.0 / ENTRIES));
    assert_true(fabs(ones - 150) < 4 * sqrt(75));
    owner_destroy(&o);
    o = owner_wire("uchida", "{bits: 16, message: ones}");
    o.evidence = key_of(&o, o.seed);
    for (int i = 0; i < 16; i++) assert_int_equal(o.evidence->mark.b[i], 1);
    owner_destroy(&o);
}

/* The fault is found when the network is wired. */
TEST(a_mark_that_cannot_be_is_refused_before_training)
{
    owner o = owner_wire("uchida", "{}");
    pg_mark mark;
    FAILS(pg_mark_create(&o.spec, "features.9", 8, PG_MARK_GAUSSIAN, &mark, &err), PG_BAD_INPUT,
          "has no convolution 'features.9'");
    FAILS(pg_mark_create(&o.spec, "classifier", 8, PG_MARK_GAUSSIAN, &mark, &err), PG_BAD_INPUT, "has no convolution");
    FAILS(pg_mark_create(&o.spec, "default", 145, PG_MARK_DIRECT, &mark, &err), PG_BAD_INPUT, "145 direct ones do not fit");
    FAILS(pg_mark_create(&o.spec, "default", 73, PG_MARK_DIFF, &mark, &err), PG_BAD_INPUT, "filters have 144 weights");
    owner_destroy(&o);
    o = owner_create("uchida", "{bits: 8}");
    o.spec.width = 0.25;
    pg_model *wide = NULL;
    pg_finding f;
    OK(pg_model_create(&o.spec, &wide, &err));
    const pg_judge_setup setup = {.model = wide, .test = &data.test, .options = &verify_options};
    FAILS(pg_verify(&setup, o.evidence, &f, &err), PG_BAD_INPUT, "the mark for features.4 is for filters of 3x3x16");
    snprintf(o.evidence->mark.site[0].layer, sizeof o.evidence->mark.site[0].layer,
             "default"); /* a choice in a grid, not a layer's name */
    FAILS(pg_verify(&setup, o.evidence, &f, &err), PG_BAD_INPUT, "the evidence has a mark for default");
    pg_model_destroy(&wide);
    owner_destroy(&o);
}

/* ---- the regulariser ---- */

static const char *const kinds[] = {"{bits: 64, strength: 0.7, projection: gaussian}",
                                    "{bits: 64, strength: 0.7, projection: direct}",
                                    "{bits: 64, strength: 0.7, projection: diff}"};

/* strength * sum over the bits of the binary cross-entropy of sigmoid(X_j . w), straight from the definition. */
static double defined_loss(const owner *o, const pg_layer *l)
{
    const pg_mark *m = &o->evidence->mark;
    const int taps = m->site[0].kernel * m->site[0].kernel * m->site[0].inputs;
    double loss = 0;
    for (int i = 0; i < m->bits; i++) {
        double z = 0;
        for (int t = 0; t < taps; t++)
            for (int k = 0; k < l->out_channels; k++)
                z += (double)*filter_tap(m, t, i) * (double)o->model->params[l->weight + t * l->out_channels + k] /
                     l->out_channels;
        const double sigmoid = 1 / (1 + exp(-z));
        loss -= m->b[i] > 0 ? log(sigmoid) : log(1 - sigmoid);
    }
    return 0.7 * loss;
}

TEST(the_regulariser_follows_its_definition)
{
    for (int kind = 0; kind < 3; kind++) {
        owner o = owner_create("uchida", kinds[kind]);
        pg_net *net = NULL;
        OK(pg_net_create(&o.spec, 1, true, PG_CONV_AUTO, &net, &err));
        const pg_layer *l = pg_mark_find(o.evidence->mark.site[0].layer, o.model);
        for (int step = 0; step < 2; step++) { /* the second time on other weights: nothing is kept from the first */
            pg_net_zero_gradients(net);
            assert_close(o.scheme->regulariser(o.options, o.evidence, o.model, net), defined_loss(&o, l), 1e-12);
            const pg_real *g = pg_net_gradients(net);
            const size_t first = (size_t)l->weight, count = 144 * (size_t)l->out_channels;
            for (size_t i = 0; i < o.model->param_count; i++)
                if (i < first || i >= first + count) assert_true(g[i] == 0);
            for (size_t i = 0; i < count && in_double; i += 131) {
                pg_real *w = &o.model->params[first + i];
                const pg_real saved = *w, h = (pg_real)1e-4;
                *w = saved + h;
                const double above = defined_loss(&o, l);
                *w = saved - h;
                const double slope = (above - defined_loss(&o, l)) / (2 * (double)h);
                *w = saved;
                if (!(fabs(slope - (double)g[first + i]) <= 1e-6 * fmax(fabs(slope), 1e-3)))
                    fail_msg("kind %d, weight %zu: gradient %.12g, differences %.12g", kind, i, (double)g[first + i], slope);
            }
            for (size_t i = 0; i < count; i++) o.model->params[first + i] *= 20;
        }
        pg_net_destroy(&net);
        owner_destroy(&o);
    }
}

/* ---- the gradient that forgers of triggers follow ---- */

enum { PICTURES = 2 };

static double picture_loss(pg_net *net, pg_model *model, pg_mode mode, const pg_real *images, pg_real *dlogits)
{
    const int32_t labels[PICTURES] = {3, 8};
    const pg_real *logits = pg_net_forward(net, model, PG_PUBLIC, mode, images, PICTURES);
    return pg_cross_entropy(PICTURES, 10, logits, labels, 0, dlogits, NULL);
}

/* The gradients of the images and of every parameter, after forward passes with running statistics and with those of the batch.
 * The best of several steps counts: at a long one a ReLU may switch, and at a short one rounding shows. */
TEST(gradients_of_the_images_match_differences)
{
    if (!in_double) skip("needs doubles");
    static const char *const archs[] = {"alexnet", "resnet9"};
    static const pg_mode modes[] = {PG_EVAL, PG_BATCH};
    for (int c = 0; c < 8; c++) {
        const pg_mode mode = modes[c / 2 % 2];
        pg_net_spec spec = pg_net_spec_plain(pg_arch_find(archs[c % 2]), c < 4 ? PG_NORM_BN : PG_NORM_GN, 10);
        pg_model *model = NULL;
        pg_net *net = NULL;
        pg_rng rng;
        enum { COUNT = PICTURES * 32 * 32 * 3 };
        static pg_real images[COUNT], dlogits[PICTURES * 10];
        spec.width = 0.0625;
        OK(pg_model_create(&spec, &model, &err));
        OK(pg_net_create(&spec, PICTURES, true, PG_CONV_AUTO, &net, &err));
        pg_model_initialise(model, (pg_seed){4, "gradient"}, "weights");
        pg_rng_open(&rng, (pg_seed){4, "gradient"}, "images", (uint64_t)c);
        for (int i = 0; i < COUNT; i++) images[i] = (pg_real)pg_rng_normal(&rng);
        for (size_t i = 0; i < model->buffer_count; i++) model->buffers[i] += (pg_real)(0.5 * pg_rng_uniform(&rng));
        pg_net_train_from(net, PG_IMAGES);
        picture_loss(net, model, mode, images, dlogits);
        pg_net_backward(net, model, dlogits);
        for (int k = 0; k < 40; k++) {
            const bool picture = k < 20;
            const size_t at = (size_t)pg_rng_below(&rng, picture ? COUNT : model->param_count);
            pg_real *x = picture ? &images[at] : &model->params[at];
            const pg_real saved = *x;
            const double gradient = (double)(picture ? pg_net_image_gradient(net) : pg_net_gradients(net))[at];
            double best = INFINITY;
            for (double h = 1e-4; h > 1e-8; h /= 10) {
                *x = saved + (pg_real)h;
                const double above = picture_loss(net, model, mode, images, NULL);
                *x = saved - (pg_real)h;
                const double slope = (above - picture_loss(net, model, mode, images, NULL)) / (2 * h);
                best = fmin(best, fabs(slope - gradient));
            }
            *x = saved;
            if (!(best <= 1e-6 * fmax(fabs(gradient), 1e-3)))
                fail_msg("case %d, element %zu: %.12g misses by %.2g", c, at, gradient, best);
        }
        pg_net_destroy(&net);
        pg_model_destroy(&model);
    }
}

/* ---- embedding ---- */

/* From random weights and from a trained network. Before training the mark is not found. */
TEST(an_embedded_mark_is_found_whole)
{
    static const char *const marks[] = {"{bits: 64, strength: 5}", "{bits: 64, strength: 20, projection: direct}",
                                        "{bits: 64, strength: 20, projection: diff, message: ones}",
                                        "{bits: 64, strength: 5, start: pretrained}"};
    owner plain = owner_create("plain", "{}");
    train(&plain, 4);
    for (int i = 0; i < 4; i++) {
        owner o = owner_create("uchida", marks[i]);
        const bool pretrained = pg_scheme_starts_pretrained(o.scheme, o.options);
        assert_int_equal(pretrained, i == 3);
        assert_int_equal(pg_scheme_wants_pretrained(o.scheme, o.options), i == 3);
        if (pretrained) OK(pg_model_copy(plain.model, o.model, &err));
        const pg_finding before = judge(o.model, o.evidence);
        train(&o, 10);
        const pg_finding after = judge(o.model, o.evidence);
        assert_false(before.significant || judge(plain.model, o.evidence).significant);
        assert_int_equal(after.claim, PG_CLAIM_MARK);
        assert_int_equal(after.bits, 64);
        assert_int_equal(after.agree, 64);
        assert_close(after.p_coin, 0x1p-64, 1e-9);
        assert_int_equal(after.nulls, verify_options.nulls);
        assert_true(after.agrees && after.p_value <= verify_options.level);
        assert_int_equal(after.threshold, 45);
        assert_true(after.null_threshold > after.null_mean && after.detection > after.null_threshold);
        owner_destroy(&o);
    }
    owner_destroy(&plain);
}

TEST(trained_triggers_are_recognised)
{
    static const char *const sets[] = {"{trigger_count: 12, triggers_per_batch: 12}",
                                       "{trigger_count: 12, triggers_per_batch: 12, order: shuffle}",
                                       "{trigger_count: 12, triggers_per_batch: 12, start: pretrained}"};
    owner plain = owner_create("plain", "{}");
    train(&plain, 4);
    for (int i = 0; i < 3; i++) {
        owner o = owner_create("adi", sets[i]);
        const bool pretrained = pg_scheme_starts_pretrained(o.scheme, o.options);
        assert_int_equal(pretrained, i == 2);
        assert_int_equal(o.scheme->triggers_in_order(o.options), i != 1);
        if (pretrained) OK(pg_model_copy(plain.model, o.model, &err));
        assert_false(judge(o.model, o.evidence).significant);
        train(&o, 10);
        const pg_finding f = judge(o.model, o.evidence);
        printf("%s: %.0f %% of the triggers, p %.2g\n", sets[i], f.detection, f.p_value);
        assert_int_equal(f.claim, PG_CLAIM_TRIGGERS);
        assert_true(f.trigger_count == 12 && f.bits == 0 && f.nulls == 0);
        assert_close(f.detection, f.trigger[PG_PUBLIC].exact, 0);
        assert_close(f.p_value, fmax(f.permuted_p, pg_binomial_tail((int)lround(0.12 * f.detection), 12, 0.1)), 1e-12);
        assert_int_equal(f.threshold, pg_binomial_threshold(12, 0.1, verify_options.level));
        assert_true(f.agrees);
        owner_destroy(&o);
    }
    owner o = owner_wire("adi", "{triggers: /nowhere}");
    const pg_keygen in = {.scheme = o.scheme, .spec = &o.spec, .seed = o.seed, .data = &data};
    FAILS(pg_scheme_keygen(o.options, &in, &o.evidence, &err), PG_IO_FAULT, "/nowhere");
    owner_destroy(&o);
    owner_destroy(&plain);
}

/* P[X >= k] is at most the level, and P[X >= k - 1] is not. */
TEST(thresholds_are_the_smallest_counts_that_suffice)
{
    static const struct {
        int n;
        double q;
        int least[4];
    } table[] = {{100, 0.1, {16, 21, 28, 46}},         {100, 0.01, {4, 6, 9, 20}},       {64, 0.5, {40, 45, 51, 64}},
                 {100, 0.5, {59, 66, 74, 93}},         {256, 0.5, {142, 154, 167, 200}}, {384, 0.5, {209, 223, 239, 280}},
                 {512, 0.5, {276, 292, 311, 358}},     {896, 0.5, {474, 495, 520, 584}}, {1536, 0.5, {801, 830, 862, 946}},
                 {2560, 0.5, {1323, 1359, 1401, 1510}}};
    static const double levels[] = {0.05, 1e-3, 1e-6, 0x1p-64};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (int k = 0; k < 4; k++)
            assert_int_equal(pg_binomial_threshold(table[i].n, table[i].q, levels[k] * (1 + 1e-9)), table[i].least[k]);
    assert_int_equal(pg_binomial_threshold(4, 0.5, 0.01), 5); /* none suffices */
}

/* Thresholds from counts of ten and from counts that are all equal; shares on the scale of the threshold. */
TEST(a_threshold_comes_from_null_models)
{
    static const double counts[] = {5, 7, 3, 6, 4}, same[] = {7, 7, 7};
    const pg_threshold t = pg_threshold_find(counts, 5, 10, 0.05);
    assert_true(fabs(t.mean - 5) < 1e-12 && fabs(t.deviation - sqrt(2)) < 1e-12);
    assert_true(fabs(t.count - (5 + 1.6448536269514722 * sqrt(2))) < 1e-9);
    assert_true(fabs(t.share - t.count / 10) < 1e-12);
    assert_true(fabs(pg_threshold_rescale(t.share, t.share) - 0.5) < 1e-12);
    assert_true(fabs(pg_threshold_rescale(0.6, 1) - 1) < 1e-12);
    assert_true(fabs(pg_threshold_rescale(0.6, 0.7) - 0.625) < 1e-12);
    assert_true(pg_threshold_rescale(0.6, 0.1) == 0);
    const pg_threshold flat = pg_threshold_find(same, 3, 10, 1e-6);
    assert_true(flat.deviation == 0 && flat.count == 7 && fabs(flat.share - 0.7) < 1e-12);
    assert_true(pg_threshold_find(counts, 5, 6, 1e-6).share > 1); /* nothing of this length is ever found */
    assert_true(pg_threshold_rescale(1.2, 1) == 0);
}
