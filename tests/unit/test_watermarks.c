/* Watermarks beside passports: Uchida's mark and Adi's trigger set, embedded, verified, overwritten and forged. Run in both
 * builds: the double one sees what rounding hides. */
#include "tests/unit/subject.h"

#include "attacks/attack.h"
#include "core/base/file.h"
#include "core/compute/kernels.h"
#include "core/formats/yaml.h"
#include "core/ownership/mark.h"
#include "core/ownership/threshold.h"
#include "core/ownership/verify.h"

#include <gsl/gsl_statistics.h>

static pg_data data;
static const pg_verify_options verify_options = {.level = 1e-3, .tolerance = 5, .nulls = 20, .batch = 64};
static const bool in_double = sizeof(pg_real) == sizeof(double);

SET_UP
{
    pg_compute_start(1);
    data = test_data(64, 40);
}

TEAR_DOWN
{
    pg_data_clear(&data);
}

/* ---- an owner: a scheme with the options of a YAML map, a small AlexNet, its evidence ---- */

typedef struct owner {
    const pg_scheme *scheme;
    void *options;
    pg_net_spec spec;
    pg_model *model;
    pg_evidence *evidence;
    pg_seed seed;
} owner;

static void read_options(const pg_option *table, size_t size, const char *yaml, void **options)
{
    static pg_problems problems;
    pg_tree *tree = NULL;
    problems.count = 0;
    OK(pg_alloc(1, size, options, &err));
    OK(pg_options_defaults(table, *options, &err));
    OK(pg_yaml_parse_text(yaml, "test", &tree, &err));
    pg_options_read(table, tree->root, *options, &problems);
    if (problems.count) fail_msg("%s", problems.lines[0]);
    pg_tree_destroy(&tree);
}

static owner owner_wire(const char *scheme, const char *yaml)
{
    owner o = {.scheme = pg_scheme_find(scheme), .seed = {.grid = 1, .task = "owner"}};
    o.spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    o.spec.width = 0.0625;
    read_options(o.scheme->options, o.scheme->options_size, yaml, &o.options);
    OK(o.scheme->wire(o.options, &o.spec, &err));
    return o;
}

static pg_evidence *key_of(const owner *o, pg_seed seed)
{
    pg_evidence *evidence = NULL;
    const pg_keygen in = {.scheme = o->scheme,
                          .spec = &o->spec,
                          .seed = seed,
                          .data = &data,
                          .pixels = PG_PIXELS_IMAGENET,
                          .pretrained = o->model};
    OK(o->scheme->keygen(o->options, &in, &evidence, &err));
    return evidence;
}

static owner owner_create(const char *scheme, const char *yaml)
{
    owner o = owner_wire(scheme, yaml);
    OK(pg_model_create(&o.spec, &o.model, &err));
    pg_model_initialise(o.model, o.seed, "weights");
    if (o.scheme->keygen) o.evidence = key_of(&o, o.seed);
    return o;
}

static void owner_destroy(owner *o)
{
    pg_free(o->options);
    pg_model_destroy(&o->model);
    pg_evidence_destroy(&o->evidence);
}

static pg_trainer *trainer_of(const owner *o, const pg_train_options *options)
{
    pg_trainer *trainer = NULL;
    const pg_job job = {.model = o->model,
                        .scheme = o->scheme,
                        .scheme_options = o->options,
                        .evidence = o->evidence,
                        .data = &data.train,
                        .options = options,
                        .seed = o->seed};
    OK(pg_trainer_create(&job, &trainer, &err));
    return trainer;
}

static void train(const owner *o, int epochs)
{
    pg_train_options options = test_training(epochs, 32);
    options.lr = 0.02;
    pg_trainer *trainer = trainer_of(o, &options);
    while (!pg_trainer_done(trainer)) OK(pg_trainer_step(trainer, &err));
    pg_trainer_destroy(&trainer);
}

/* Judged as in a grid: nulls of the claim's own kind where it has bits. */
static pg_finding judge(const pg_model *model, const pg_evidence *evidence)
{
    pg_finding f;
    const pg_judge_setup setup = {.model = model, .test = &data.test, .options = &verify_options};
    OK(pg_verify(&setup, evidence, &f, &err));
    return f;
}

static void assert_close(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fmax(1, fabs(expected)))) fail_msg("%.17g is not %.17g", found, expected);
}

/* ---- projections ---- */

static const pg_real *filter_tap(const pg_mark *m, int tap, int bit)
{
    return &m->projection[tap * m->bits + bit];
}

/* Each filter has the ones that its kind says, and no two filters share a position. */
static void assert_sparse(const pg_mark *m, bool diff)
{
    const int taps = m->kernel * m->kernel * m->inputs;
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
    assert_string_equal(o.evidence->mark.layer, "features.4");
    assert_sparse(&o.evidence->mark, true);
    owner_destroy(&o);
    o = owner_wire("uchida", "{bits: 144, projection: direct, layer: features.5}");
    o.evidence = key_of(&o, o.seed);
    assert_string_equal(o.evidence->mark.layer, "features.5");
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

/* What cannot be is said when the network is wired, before anything is trained. */
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
    snprintf(o.evidence->mark.layer, sizeof o.evidence->mark.layer, "default"); /* a choice in a grid, not a layer's name */
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
    const int taps = m->kernel * m->kernel * m->inputs;
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
        const pg_layer *l = pg_mark_find(&o.evidence->mark, o.model);
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

/* Of the images and of every parameter, after forwards with running statistics and with those of the batch. A difference is
 * taken at several steps and the best counts: at a long one a ReLU may switch, at a short one rounding is seen. */
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

/* From random weights and from a trained network: the mark is found whole, no bit of it before. */
TEST(an_embedded_mark_is_found_whole)
{
    static const char *const marks[] = {"{bits: 64, strength: 5}", "{bits: 64, strength: 20, projection: direct}",
                                        "{bits: 64, strength: 20, projection: diff, message: ones}",
                                        "{bits: 64, strength: 5, start: pretrained}"};
    owner plain = owner_create("plain", "{}");
    train(&plain, 4);
    for (int i = 0; i < 4; i++) {
        owner o = owner_create("uchida", marks[i]);
        const bool pretrained = o.scheme->starts_pretrained(o.options);
        assert_int_equal(pretrained, i == 3);
        assert_int_equal(o.scheme->wants_pretrained(o.options), i == 3);
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
        assert_true(after.stands && after.p_value <= verify_options.level);
        assert_int_equal(after.threshold, 45);
        assert_true(after.null_threshold > after.null_mean && after.detection > after.null_threshold);
        owner_destroy(&o);
    }
    owner_destroy(&plain);
}

TEST(trained_triggers_are_answered)
{
    static const char *const sets[] = {"{trigger_count: 12, triggers_per_batch: 12}",
                                       "{trigger_count: 12, triggers_per_batch: 12, order: shuffle}",
                                       "{trigger_count: 12, triggers_per_batch: 12, start: pretrained}"};
    owner plain = owner_create("plain", "{}");
    train(&plain, 4);
    for (int i = 0; i < 3; i++) {
        owner o = owner_create("adi", sets[i]);
        const bool pretrained = o.scheme->starts_pretrained(o.options);
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
        assert_close(f.p_value, pg_binomial_tail((int)lround(0.12 * f.detection), 12, 0.1), 1e-12);
        assert_int_equal(f.threshold, pg_binomial_threshold(12, 0.1, verify_options.level));
        assert_true(f.stands);
        owner_destroy(&o);
    }
    owner o = owner_wire("adi", "{triggers: /nowhere}");
    const pg_keygen in = {.scheme = o.scheme, .spec = &o.spec, .seed = o.seed, .data = &data};
    FAILS(o.scheme->keygen(o.options, &in, &o.evidence, &err), PG_IO_FAULT, "/nowhere");
    owner_destroy(&o);
    owner_destroy(&plain);
}

/* The smallest counts at which P[X >= k] is at most the level, and one less is not enough. */
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

/* Counts of ten, and counts that are all the same, as a threshold from null models; shares on its scale. */
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

/* ---- fresh keys ---- */

/* The share q at which n draws give k or more with probability p. */
static double share_at(int k, int n, double p)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        const double q = (low + high) / 2;
        *(pg_binomial_tail(k, n, q) < p ? &low : &high) = q;
    }
    return low;
}

/* Keys that were never embedded: the share accepted, with its exact (Clopper-Pearson) 95 % interval, stays at or below the
 * level. */
static void try_keys(const owner *unmarked, int keys, const char *scheme, const char *yaml)
{
    static const double levels[] = {0.05, 0.01, 1e-3};
    int accepted[3] = {0};
    owner o = owner_wire(scheme, yaml);
    pg_judge *keeper = NULL;
    pg_dataset few;
    OK(pg_dataset_subset(&data.test, 4, &few, &err)); /* accuracy is not what is tested */
    pg_verify_options options = verify_options;
    options.nulls = 50;
    const pg_judge_setup setup = {.model = unmarked->model, .test = &few, .options = &options};
    OK(pg_judge_create(&setup, &keeper, &err));
    for (int key = 0; key < keys; key++) {
        pg_finding f;
        pg_evidence *evidence = key_of(&o, (pg_seed){.grid = (uint64_t)key, .task = "fresh key"});
        OK(pg_judge_claim(keeper, evidence, &f, &err));
        for (int i = 0; i < 3; i++) accepted[i] += f.p_value <= levels[i];
        pg_evidence_destroy(&evidence);
    }
    for (int i = 0; i < 3; i++) {
        const int k = accepted[i];
        const double low = k ? share_at(k, keys, 0.025) : 0, high = k < keys ? share_at(k + 1, keys, 0.975) : 1;
        printf("%s %s, level %g: %d of %d keys accepted, %.2f %% [%.2f, %.2f]\n", scheme, yaml, levels[i], k, keys,
               100.0 * k / keys, 100 * low, 100 * high);
        assert_true(k <= levels[i] * keys);
    }
    pg_judge_destroy(&keeper);
    pg_dataset_clear(&few);
    owner_destroy(&o);
}

TEST(fresh_keys_are_found_as_often_as_their_level_says)
{
    if (in_double) skip("the float build suffices");
    owner plain = owner_create("plain", "{}");
    train(&plain, 3);
    try_keys(&plain, 1000, "uchida", "{bits: 64}");
    try_keys(&plain, 400, "uchida", "{bits: 64, projection: direct}");
    try_keys(&plain, 400, "uchida", "{bits: 64, projection: diff}");
    try_keys(&plain, 400, "adi", "{trigger_count: 10}"); /* 4, 5 or 6 right answers suffice: in truth 1.3, 0.16 and 0.015 % */
    owner_destroy(&plain);
}

/* ---- the same bytes ---- */

static void assert_same_file(const char *a, const char *b)
{
    char *text[2] = {NULL, NULL};
    size_t bytes[2] = {0, 0};
    OK(pg_file_read(a, &text[0], &bytes[0], &err));
    OK(pg_file_read(b, &text[1], &bytes[1], &err));
    assert_int_equal(bytes[0], bytes[1]);
    if (memcmp(text[0], text[1], bytes[0]) != 0) fail_msg("%s and %s differ", a, b);
    pg_free(text[0]);
    pg_free(text[1]);
}

/* Resumed after any step, in the middle of an epoch and of a sweep over the triggers too, a run ends in the same bytes; so does
 * one on more threads. */
TEST(training_resumes_after_any_step_to_the_same_bytes)
{
    enum { STEPS = 4 };
    static const char *const runs[][2] = {
        {"uchida", "{bits: 32}"}, {"adi", "{trigger_count: 5}"}, {"adi", "{trigger_count: 5, order: shuffle}"}};
    const pg_train_options options = test_training(2, 32);
    char weights[3][PG_SHA256_HEX];
    for (int r = 0; r < 3; r++) {
        owner o = owner_create(runs[r][0], runs[r][1]);
        pg_trainer *trainer = trainer_of(&o, &options);
        for (int k = 1; k <= STEPS; k++) {
            OK(pg_trainer_step(trainer, &err));
            OK(pg_trainer_save(trainer, test_path("step", k), &err));
        }
        pg_sha256(o.model->params, o.model->param_count * sizeof *o.model->params, weights[r]);
        pg_trainer_destroy(&trainer);
        owner_destroy(&o);
        for (int k = 0; k < STEPS; k++) {
            pg_compute_start(1 + k % 3);
            o = owner_create(runs[r][0], runs[r][1]);
            trainer = trainer_of(&o, &options);
            if (k) OK(pg_trainer_load(trainer, test_path("step", k), &err));
            while (!pg_trainer_done(trainer)) OK(pg_trainer_step(trainer, &err));
            OK(pg_trainer_save(trainer, test_path("resumed", k), &err));
            assert_same_file(test_path("resumed", k), test_path("step", STEPS));
            pg_trainer_destroy(&trainer);
            owner_destroy(&o);
        }
        pg_compute_start(1);
    }
    assert_string_not_equal(weights[1], weights[2]); /* the order of the triggers matters */
}

static void assert_same_commitment(const pg_evidence *a, const pg_evidence *b, bool same)
{
    char hex[2][PG_SHA256_HEX];
    pg_evidence_commitment(a, hex[0]);
    pg_evidence_commitment(b, hex[1]);
    assert_int_equal(strcmp(hex[0], hex[1]) == 0, same);
}

TEST(a_key_is_read_back_and_follows_from_its_seed)
{
    static const char *const keys[][2] = {{"uchida", "{bits: 40}"}, {"adi", "{trigger_count: 3}"}};
    for (int i = 0; i < 2; i++) {
        owner o = owner_create(keys[i][0], keys[i][1]);
        pg_evidence *loaded = NULL, *clone = NULL, *other = key_of(&o, (pg_seed){2, "another"}), *again = key_of(&o, o.seed);
        OK(pg_evidence_save(o.evidence, test_path("key", i), &err));
        OK(pg_evidence_load(test_path("key", i), &loaded, &err));
        OK(pg_evidence_clone(loaded, &clone, &err));
        assert_string_equal(loaded->scheme, keys[i][0]);
        assert_string_equal(loaded->kind, o.evidence->kind);
        assert_true(pg_evidence_alike(loaded, o.evidence));
        assert_same_commitment(loaded, o.evidence, true);
        assert_same_commitment(clone, o.evidence, true);
        assert_same_commitment(again, o.evidence, true);
        assert_same_commitment(other, o.evidence, false);
        if (i == 0) {
            assert_memory_equal(loaded->mark.projection, o.evidence->mark.projection, 40 * 144 * sizeof(pg_real));
            clone->mark.b[7] = (int8_t)-clone->mark.b[7];
            assert_same_commitment(clone, o.evidence, false);
            clone->mark.b[7] = 0;
            FAILS(pg_evidence_save(clone, test_path("bad", 0), &err), PG_BAD_INPUT, "bit 7 for features.4 is neither -1 nor");
        }
        pg_evidence_destroy(&clone);
        pg_evidence_destroy(&loaded);
        pg_evidence_destroy(&other);
        pg_evidence_destroy(&again);
        owner_destroy(&o);
    }
}

/* ---- attacks ---- */

typedef struct raid {
    const pg_attack *attack;
    void *state, *options;
    pg_attack_view view;
    pg_outcome outcome;
    bool over;
} raid;

/* What the attack may see of this victim, and nothing else. */
static raid raid_open(const char *name, const char *yaml, const owner *victim, pg_model *running)
{
    raid r = {.attack = pg_attack_find(name)};
    const unsigned sees = r.attack->sees;
    r.view = (pg_attack_view){.model = victim->model,
                              .scheme = victim->scheme,
                              .running = sees & PG_SEES_AFFINE ? running : NULL,
                              .train = sees & PG_SEES_TRAIN ? &data.train : NULL,
                              .pictures = &data.test,
                              .pixels = PG_PIXELS_IMAGENET,
                              .seed = {.grid = 5, .task = "attacker"}};
    read_options(r.attack->options, r.attack->options_size, yaml, &r.options);
    OK(pg_alloc(1, r.attack->state_size, &r.state, &err));
    return r;
}

/* To the next outcome; false at the end. */
static bool raid_next(raid *r)
{
    pg_attack_state what = PG_ATTACK_WORKING;
    if (r->over) return false;
    while (what < PG_ATTACK_OUTCOME) {
        r->outcome = (pg_outcome){0};
        OK(r->attack->step(r->state, &what, &r->outcome, &err));
    }
    r->over = what == PG_ATTACK_LAST;
    return true;
}

static void raid_close(raid *r)
{
    r->attack->finish(r->state);
    pg_free(r->state);
    pg_free(r->options);
}

static double measure(const raid *r, const char *name)
{
    for (int i = 0; i < PG_MEASURES_MAX && r->outcome.measures[i].name; i++)
        if (strcmp(r->outcome.measures[i].name, name) == 0) return r->outcome.measures[i].value;
    fail_msg("the attack tells no %s", name);
    return NAN;
}

/* Without weights there is no mark: at 100 % pruning detection is 0, even of a message of ones. */
TEST(a_network_without_weights_carries_no_mark)
{
    owner o = owner_create("uchida", "{bits: 64, message: ones, strength: 5}");
    train(&o, 10);
    raid r = raid_open("prune", "{levels: [0, 100]}", &o, NULL);
    OK(r.attack->start(r.state, r.options, &r.view, &err));
    assert_true(raid_next(&r));
    assert_close(judge(r.outcome.model, o.evidence).detection, 100, 0);
    assert_true(raid_next(&r));
    const pg_finding f = judge(r.outcome.model, o.evidence);
    assert_close(f.detection, 0, 0);
    assert_false(f.stands);
    raid_close(&r);
    owner_destroy(&o);
}

/* Forged from the weights alone, and believed as the genuine mark is, which stays as it was. */
TEST(a_counterfeit_mark_is_believed_and_the_genuine_one_stays)
{
    static const char *const methods[] = {"{bits: 64, method: iterative, rate: 0.02}",
                                          "{bits: 64, method: closed-form, margin: 0.75}", "{bits: 64, method: free}"};
    owner o = owner_create("uchida", "{bits: 64, strength: 5}");
    train(&o, 10);
    for (int i = 0; i < 3; i++) {
        char first[PG_SHA256_HEX], second[PG_SHA256_HEX];
        for (int run = 0; run < 2; run++) {
            raid r = raid_open("counterfeit-uchida", methods[i], &o, NULL);
            assert_int_equal(r.attack->sees, 0);
            OK(r.attack->start(r.state, r.options, &r.view, &err));
            assert_true(raid_next(&r));
            const pg_evidence *forged = r.outcome.evidence;
            pg_evidence_commitment(forged, run ? second : first);
            const pg_finding f = judge(o.model, forged);
            assert_null(r.outcome.model);
            assert_true(f.agree == 64 && f.stands);
            int matched;
            OK(pg_agreement_with(o.model, forged, o.evidence, &matched, &err));
            assert_in_range(matched, 16, 48); /* the forger knows nothing of the owner's bits: 32 +- 4 standard deviations */
            assert_int_equal(measure(&r, "iterations") > 0, i == 0);
            assert_int_equal(measure(&r, "projection_change") > 0, i != 2);
            if (i == 2) assert_true(measure(&r, "projection_normality_p") > 1e-3);
            double reads[64];
            pg_mark_project(&forged->mark, o.model, pg_mark_find(&forged->mark, o.model), reads);
            for (int k = 0; k < 64 && i == 1; k++) assert_close(reads[k], 0.75 * forged->mark.b[k], in_double ? 1e-12 : 1e-5);
            assert_false(raid_next(&r));
            raid_close(&r);
        }
        assert_string_equal(first, second);
    }
    assert_true(judge(o.model, o.evidence).agree == 64);
    memset(o.model->params, 0, o.model->param_count * sizeof *o.model->params);
    raid r = raid_open("counterfeit-uchida", "{bits: 8}", &o, NULL);
    pg_attack_state what;
    OK(r.attack->start(r.state, r.options, &r.view, &err));
    FAILS(r.attack->step(r.state, &what, &r.outcome, &err), PG_BAD_INPUT, "the mean filter is zero");
    raid_close(&r);
    owner_destroy(&o);
}

/* Forged without a change to the model, free or with no pixel further than 8 levels from where it began; bounds hold, the same
 * seed gives the same triggers. */
TEST(counterfeit_triggers_need_no_change_of_the_model)
{
    static const char *const forgeries[] = {"{count: 12, start: generated}", "{count: 12, start: noise}",
                                            "{count: 12, start: pictures}", "{count: 12, start: noise, bound: 8, steps: 40}",
                                            "{count: 120, start: generated, steps: 3}"};
    owner o = owner_create("adi", "{trigger_count: 12, triggers_per_batch: 12}");
    train(&o, 10);
    for (int i = 0; i < 5; i++) {
        char first[PG_SHA256_HEX], second[PG_SHA256_HEX];
        for (int run = 0; run < 2; run++) {
            raid r = raid_open("counterfeit-triggers", forgeries[i], &o, NULL);
            assert_int_equal(r.attack->sees, 0);
            OK(r.attack->start(r.state, r.options, &r.view, &err));
            assert_true(raid_next(&r));
            const pg_evidence *forged = r.outcome.evidence;
            const pg_finding f = judge(o.model, forged);
            pg_evidence_commitment(forged, run ? second : first);
            assert_null(r.outcome.model);
            assert_int_equal(f.claim, PG_CLAIM_TRIGGERS);
            if (i < 3) assert_true(f.detection >= 100 && f.stands);
            if (i == 3) assert_true(measure(&r, "perturbation_largest") <= 8 && f.detection > 10);
            if (i == 4) assert_true(measure(&r, "perturbation_largest") <= 3 && f.trigger_count == 120);
            assert_true(measure(&r, "perturbation_mean") > 0 && measure(&r, "iterations") > 0);
            assert_close(r.outcome.images, forged->triggers.count * measure(&r, "iterations"), 0);
            assert_false(raid_next(&r));
            raid_close(&r);
        }
        assert_string_equal(first, second);
    }
    raid r = raid_open("counterfeit-triggers", "{count: 41, start: pictures}", &o, NULL);
    FAILS(r.attack->start(r.state, r.options, &r.view, &err), PG_BAD_INPUT, "41 triggers from the 40 pictures of synthetic");
    raid_close(&r);
    owner_destroy(&o);
}

/* The thief's own evidence is embedded in a copy; the stolen model and the owner's key are untouched, and it is all seeded. */
TEST(overwriting_leaves_the_key_of_the_owner)
{
    static const char *const victims[][2] = {{"uchida", "{bits: 64, strength: 5}"},
                                             {"adi", "{trigger_count: 12, triggers_per_batch: 12}"},
                                             {"v1", "{passport: random}"},
                                             {"v2", "{passport: random}"},
                                             {"v3", "{passport: random, trigger_count: 12}"}};
    for (int i = 0; i < 5; i++) {
        owner o = owner_create(victims[i][0], victims[i][1]);
        pg_net_spec spec = o.spec;
        pg_model *running = NULL;
        char first[PG_SHA256_HEX], second[PG_SHA256_HEX];
        train(&o, 2);
        spec.public_affine = true;
        spec.private_affine = false;
        OK(pg_model_create(&spec, &running, &err));
        OK(pg_model_copy(o.model, running, &err));
        if (!o.spec.public_affine) OK(pg_passports_store(o.model, o.evidence, running, &err));
        for (int run = 0; run < 2; run++) {
            raid r =
                raid_open("overwrite", i ? "{epochs: 1, batch: 32, lr: 0.1}" : "{epochs: 4, batch: 32, lr: 0.1}", &o, running);
            assert_null(r.view.evidence);
            OK(r.attack->start(r.state, r.options, &r.view, &err));
            assert_true(raid_next(&r));
            const pg_outcome *out = &r.outcome;
            assert_true(out->images >= 64 && out->macs > out->images);
            assert_string_equal(out->evidence->scheme, victims[i][0]);
            assert_int_equal(pg_evidence_claim(out->evidence), pg_evidence_claim(o.evidence));
            assert_same_commitment(out->evidence, o.evidence, false);
            assert_memory_not_equal(out->model->params, o.model->params, o.model->param_count * sizeof *o.model->params);
            pg_sha256(out->model->params, o.model->param_count * sizeof *o.model->params, run ? second : first);
            if (i == 0 || i > 1) assert_true(judge(out->model, out->evidence).agree > judge(o.model, out->evidence).agree);
            assert_false(raid_next(&r));
            raid_close(&r);
        }
        assert_string_equal(first, second);
        pg_model_destroy(&running);
        owner_destroy(&o);
    }
}

/* An attack means something for the schemes whose evidence it is about. */
TEST(an_attack_fits_the_schemes_whose_evidence_it_is_about)
{
    static const struct {
        const char *attack, *scheme;
        bool fits;
    } pairs[] = {{"counterfeit-uchida", "uchida", true},
                 {"counterfeit-uchida", "adi", false},
                 {"counterfeit-uchida", "v3", false},
                 {"overwrite", "uchida", true},
                 {"overwrite", "adi", true},
                 {"overwrite", "v1", true},
                 {"counterfeit-triggers", "v3", true},
                 {"counterfeit-triggers", "v2", false},
                 {"overwrite", "plain", false},
                 {"fake1", "uchida", false},
                 {"fake1", "v2", true}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const pg_attack *attack = pg_attack_find(pairs[i].attack);
        assert_int_equal((attack->needs & pg_scheme_find(pairs[i].scheme)->holds) != 0, pairs[i].fits);
        assert_false(attack->sees & PG_SEES_EVIDENCE);
    }
}
