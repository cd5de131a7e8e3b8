/* Networks: sizes, passports' affines against the convolution they stand for, both branches at once, threads, modes,
 * frozen layers, ImageNet-size forms, width, chosen layers, copies between wirings. */
#include "tests/unit/small_net.h"

#include <math.h>

SET_UP
{
    pg_compute_start(1);
}

static size_t bytes_of(size_t count)
{
    return count * sizeof(pg_real);
}

/* ---- sizes ---- */

static pg_net_spec full_spec(const char *arch, const char *scheme, const char *layers)
{
    const pg_net_spec small = small_spec(arch, PG_NORM_BN, scheme, layers);
    pg_net_spec spec = pg_net_spec_plain(small.arch, PG_NORM_BN, 10);
    spec.passports = small.passports;
    spec.public_affine = small.public_affine;
    spec.private_affine = small.private_affine;
    return spec;
}

/* Parameters of the reference's networks: 10 classes, batch norm; 1000 classes at ImageNet size, where ResNet-18 is the usual
 * one and AlexNet has norms in place of 1152 convolution biases. */
TEST(parameter_counts_are_those_of_the_reference)
{
    static const struct {
        const char *arch, *scheme;
        int classes;
        size_t parameters;
    } cases[] = {
        {"alexnet", "plain", 10, 2493386},
        {"alexnet", "v1", 10, 2491594},
        {"resnet18", "plain", 10, 11173962},
        {"resnet9", "plain", 10, 4903242},
        {"resnet18-imagenet", "plain", 1000, 11689512},
        {"alexnet-imagenet", "plain", 1000, 61100840 - 1152 + 2 * 1152},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pg_model *model = NULL;
        pg_net_spec spec = full_spec(cases[i].arch, cases[i].scheme, "default");
        spec.classes = cases[i].classes;
        OK(pg_model_create(&spec, &model, &err));
        assert_int_equal(pg_model_parameters(model), cases[i].parameters);
        pg_model_destroy(&model);
    }
}

TEST(signatures_have_a_bit_a_channel)
{
    static const struct {
        const char *arch, *layers;
        int bits;
    } cases[] = {
        {"alexnet", "default", 896}, {"alexnet", "all", 1152},     {"resnet18", "default", 2560},
        {"resnet18", "all", 4800},   {"resnet9", "default", 1536}, {"alexnet", "features.5 features.2", 256 + 192},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pg_evidence *evidence = NULL;
        const pg_net_spec spec = full_spec(cases[i].arch, "v1", cases[i].layers);
        OK(pg_evidence_create(&spec, "v1", "random", &evidence, &err));
        assert_int_equal(pg_evidence_bits(evidence), cases[i].bits);
        pg_evidence_destroy(&evidence);
    }
}

/* Channels at a width: rounded to whole groups of 16, never none. */
TEST(a_width_gives_whole_groups_of_channels)
{
    static const struct {
        double width;
        int channels[5];
    } cases[] = {{2, {128, 384, 768, 512, 512}},
                 {0.25, {16, 48, 96, 64, 64}},
                 {0.1, {16, 16, 32, 32, 32}},
                 {0.001, {16, 16, 16, 16, 16}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pg_model *model = NULL;
        pg_net_spec spec = small_spec("alexnet", PG_NORM_GN, "plain", "");
        spec.width = cases[i].width;
        OK(pg_model_create(&spec, &model, &err));
        for (int l = 0; l < model->layer_count; l++)
            if (model->layers[l].conv >= 0)
                assert_int_equal(model->layers[l].out_channels, cases[i].channels[model->layers[l].conv]);
        assert_int_equal(pg_model_classifier(model)->out_channels, SMALL_CLASSES);
        pg_model_destroy(&model);
    }
}

static void check_refused(const pg_net_spec *spec, const char *message)
{
    pg_model *model = NULL;
    assert_int_equal(pg_model_create(spec, &model, &err), PG_BAD_INPUT);
    if (!strstr(err.message, message)) fail_msg("'%s' does not say '%s'", err.message, message);
    assert_null(model);
}

TEST(a_spec_that_cannot_be_is_refused)
{
    const pg_net_spec good = small_spec("alexnet", PG_NORM_BN, "v1", "default");
    static const double widths[] = {0, -1, 16.5, NAN, INFINITY};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        pg_net_spec spec = good;
        spec.width = widths[i];
        check_refused(&spec, "width: expected a number in (0, 16]");
    }
    pg_net_spec spec = good;
    spec.classes = 1;
    check_refused(&spec, "classes: expected 2 to 1000000, got 1");
    spec = good;
    spec.passports = UINT64_C(1) << 5;
    check_refused(&spec, "alexnet has only 5 convolutions");
    spec = good;
    spec.private_affine = false;
    check_refused(&spec, "public or a private branch");
    spec = good;
    spec.image_width = 1 << 30;
    check_refused(&spec, "images: expected sides of 1 to 4096 pixels, got 16x1073741824");
    spec = good;
    spec.image_height = 7;
    check_refused(&spec, "images of 7x24 are too small for alexnet");
    spec = good;
    spec.arch = pg_arch_find("alexnet-imagenet");
    spec.image_height = spec.image_width = 62;
    check_refused(&spec, "too small for alexnet-imagenet");
    pg_net *net = NULL;
    assert_int_equal(pg_net_create(&good, 0, true, PG_CONV_AUTO, &net, &err), PG_BAD_INPUT);
    assert_null(pg_arch_find("alexnet2"));
    pg_norm_kind kind;
    assert_int_equal(pg_norm_kind_parse("ln", &kind, &err), PG_BAD_INPUT);
}

static void check_layers(const char *arch, const char *layers, uint64_t expected, const char *message)
{
    pg_passport_options options = {.alpha = 0.1};
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find(arch), PG_NORM_BN, 10);
    snprintf(options.layers, sizeof options.layers, "%s", layers);
    const pg_status status = pg_passport_layers(&options, &spec, &err);
    assert_int_equal(status, message ? PG_BAD_INPUT : PG_OK);
    if (message) assert_string_equal(err.message, message);
    if (!message) assert_int_equal(spec.passports, expected);
}

TEST(layers_have_the_names_of_the_reference)
{
    check_layers("alexnet", "default", 0x1c, NULL);
    check_layers("alexnet", "all", 0x1f, NULL);
    check_layers("alexnet", " features.6  features.0 ", 0x11, NULL);
    check_layers("resnet9", "layer4.0.shortcut", UINT64_C(1) << 11, NULL);
    check_layers("resnet18", "all", (UINT64_C(1) << 20) - 1, NULL);
    check_layers("alexnet", "first 1", 0x01, NULL);
    check_layers("alexnet", "first 4", 0x0f, NULL);
    check_layers("alexnet", "last 3", 0x1c, NULL);
    check_layers("alexnet", "last 5", 0x1f, NULL);
    check_layers("resnet18", "first 18", (UINT64_C(1) << 18) - 1, NULL);
    check_layers("resnet18", "last 5", UINT64_C(0x1f) << 15, NULL);
    check_layers("resnet18", "last 6", UINT64_C(0x3f) << 14, NULL);
    static const char *const outside[] = {"first 0", "first 6",  "last -1",  "last 6",
                                          "first ",  "last 2.5", "first  1", "last 1 "};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        char message[128];
        snprintf(message, sizeof message, "layers: expected first or last 1 to 5 of the convolutions of alexnet, got '%s'",
                 outside[i]);
        check_layers("alexnet", outside[i], 0, message);
    }
    check_layers("alexnet", "first", 0, "layers: alexnet has no convolution 'first'");
    check_layers("alexnet", "features.4 features.7", 0, "layers: alexnet has no convolution 'features.7'");
    check_layers("alexnet", "features.4,features.5", 0, "layers: alexnet has no convolution 'features.4,features.5'");
    check_layers("resnet9", "layer1.0.shortcut", 0, "layers: resnet9 has no convolution 'layer1.0.shortcut'");
    check_layers("alexnet", "classifier", 0, "layers: alexnet has no convolution 'classifier'");
    check_layers("alexnet", "", 0, "layers: no passport layer is named");
    check_layers("alexnet", " ", 0, "layers: no passport layer is named");
}

/* ---- initial weights ---- */

TEST(initial_weights_have_the_distribution_of_the_reference)
{
    pg_net_spec spec = small_spec("alexnet", PG_NORM_NONE, "pan", "features.4");
    pg_model *a = NULL, *b = NULL;
    spec.width = 0.5;
    OK(pg_model_create(&spec, &a, &err));
    OK(pg_model_create(&spec, &b, &err));
    pg_model_initialise(a, (pg_seed){.grid = 1, .task = "t"}, "initial");
    pg_model_initialise(b, (pg_seed){.grid = 1, .task = "t"}, "initial");
    assert_memory_equal(a->params, b->params, a->param_count * sizeof *a->params);
    pg_model_initialise(b, (pg_seed){.grid = 1, .task = "t"}, "carrier");
    for (int i = 0; i < a->tensor_count; i++) {
        const pg_tensor *t = &a->tensors[i];
        const pg_layer *l = &a->layers[t->layer];
        const pg_real *values = a->params + t->offset;
        double squares = 0, largest = 0;
        if (strstr(t->name, ".scale") || strcmp(t->name, "features.4.bias") == 0) continue;
        assert_memory_not_equal(values, b->params + t->offset, t->count * sizeof *values);
        for (size_t e = 0; e < t->count; e++) {
            squares += (double)values[e] * (double)values[e];
            largest = fmax(largest, fabs((double)values[e]));
        }
        if (t->order == PG_ORDER_CONV) { /* normal: the sample's variance is within 5 of its own deviations */
            const double variance = 2.0 / (t->shape[0] * t->shape[2] * t->shape[3]), n = (double)t->count;
            assert_true(fabs(squares / n / variance - 1) < 5 * sqrt(2 / n));
        } else { /* uniform, and near its bound somewhere */
            const int fan_in = t->rank == 2   ? t->shape[1]
                               : l->conv >= 0 ? l->in_channels * l->row.kernel * l->row.kernel
                                              : l->in_height * l->in_width * l->in_channels;
            const double bound = 1 / sqrt(fan_in);
            assert_true(largest <= bound && largest > 0.5 * bound);
        }
    }
    pg_model_destroy(&a);
    pg_model_destroy(&b);
}

/* ---- the affine of a passport ---- */

/* Mean over output positions of the convolution of a passport by filter k: the definition, term by term. */
static double convolve_then_mean(const pg_layer *l, const pg_real *w, const pg_real *image, int k)
{
    double total = 0;
    for (int oy = 0; oy < l->out_height; oy++)
        for (int ox = 0; ox < l->out_width; ox++)
            for (int i = 0; i < l->row.kernel; i++)
                for (int j = 0; j < l->row.kernel; j++) {
                    const int y = oy * l->row.stride + i - l->row.pad, x = ox * l->row.stride + j - l->row.pad;
                    if (y < 0 || y >= l->in_height || x < 0 || x >= l->in_width) continue;
                    const pg_real *pixel = image + (y * l->in_width + x) * l->in_channels;
                    const pg_real *tap = w + (i * l->row.kernel + j) * l->in_channels * l->out_channels;
                    for (int c = 0; c < l->in_channels; c++) total += (double)pixel[c] * (double)tap[c * l->out_channels + k];
                }
    return total / (l->out_height * l->out_width);
}

static void check_passport_affine(const char *arch, int height, int width)
{
    small_net s;
    pg_net_spec spec = small_spec(arch, PG_NORM_BN, "v1", "all");
    spec.image_height = height;
    spec.image_width = width;
    open_small(&s, &spec, PG_CONV_DIRECT);
    pg_net_forward(s.net, s.model, PG_PRIVATE, PG_EVAL, s.images, 1);
    for (int p = 0; p < s.model->passport_count; p++) {
        const pg_layer *l = pg_model_passport_layer(s.model, p);
        const pg_real *w = s.model->params + l->weight;
        for (int k = 0; k < l->out_channels; k++) {
            const double gamma = convolve_then_mean(l, w, s.evidence->passports[p].skey, k),
                         beta = convolve_then_mean(l, w, s.evidence->passports[p].key, k);
            assert_true(fabs((double)pg_net_gamma(s.net, p)[k] - gamma) < 2e-6);
            assert_true(fabs((double)pg_net_scale(s.net, p)[k] - gamma) < 2e-6);
            assert_true(fabs((double)pg_net_bias(s.net, p)[k] - beta) < 2e-6);
        }
    }
    close_small(&s);
}

TEST(passports_give_the_means_over_their_windows)
{
    check_passport_affine("alexnet", 16, 24);
    check_passport_affine("resnet9", 16, 24);
    check_passport_affine("alexnet-imagenet", 63, 95);
    check_passport_affine("resnet18-imagenet", 33, 41);
}

TEST(gamma_follows_the_weights_without_a_forward_pass)
{
    small_net s;
    const pg_net_spec spec = small_spec("alexnet", PG_NORM_BN, "pan", "default");
    open_small(&s, &spec, PG_CONV_DIRECT);
    pg_net_refresh_passports(s.net, s.model);
    const pg_layer *l = pg_model_passport_layer(s.model, 1);
    const double before = (double)pg_net_gamma(s.net, 1)[3];
    assert_true(before != 0);
    const int weights = l->row.kernel * l->row.kernel * l->in_channels * l->out_channels;
    for (int i = 0; i < weights; i++) s.model->params[l->weight + i] *= 2;
    pg_net_refresh_passports(s.net, s.model);
    assert_true((double)pg_net_gamma(s.net, 1)[3] == 2 * before);
    close_small(&s);
}

/* ---- both branches at once ---- */

static void assert_gradients_near(const small_net *a, const small_net *b, double tolerance)
{
    for (int i = 0; i < a->model->tensor_count; i++) {
        const pg_tensor *t = &a->model->tensors[i];
        const pg_real *x = pg_net_gradients(a->net) + t->offset, *y = pg_net_gradients(b->net) + t->offset;
        double apart = 0, norm = 0;
        if (t->buffer) continue;
        for (size_t e = 0; e < t->count; e++) {
            apart += ((double)x[e] - (double)y[e]) * ((double)x[e] - (double)y[e]);
            norm += (double)y[e] * (double)y[e];
        }
        if (!(norm > 0 && sqrt(apart) <= tolerance * sqrt(norm)))
            fail_msg("%s: gradients differ by %g of %g", t->name, sqrt(apart), sqrt(norm));
    }
}

/* Both branches at once against two whole passes, over two steps with another pass between. */
static void check_both_branches(const pg_net_spec *spec)
{
    small_net at_once, in_turn;
    pg_real logits[2][2 * SMALL_BATCH * SMALL_CLASSES] = {{0}};
    open_small(&at_once, spec, PG_CONV_AUTO);
    open_small(&in_turn, spec, PG_CONV_AUTO);
    for (int step = 0; step < 2; step++) {
        const double one = run_small(&at_once, PG_TRAIN, true, true, logits[0]),
                     two = run_small(&in_turn, PG_TRAIN, false, true, logits[1]);
        assert_true(one == two);
        assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
        assert_memory_equal(at_once.model->buffers, in_turn.model->buffers, in_turn.model->buffer_count * sizeof(pg_real));
        run_small(&at_once, PG_EVAL, true, false, logits[0]);
        run_small(&in_turn, PG_EVAL, false, false, logits[1]);
        assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
    }
    assert_gradients_near(&at_once, &in_turn, 1e-5);
    close_small(&at_once);
    close_small(&in_turn);
}

TEST(both_branches_at_once_equal_one_after_the_other)
{
    static const char *const both[] = {"v2", "v3", "pan"};
    static const struct {
        const char *arch, *layers;
    } cases[] = {{"alexnet", "default"},
                 {"alexnet", "all"},
                 {"alexnet", "features.6"},
                 {"resnet9", "default"},
                 {"resnet9", "all"},
                 {"resnet9", "layer2.0.shortcut"},
                 {"resnet9", "layer2.0.convbn_2"},
                 {"resnet9", "layer1.0.convbnrelu_1 layer4.0.shortcut"},
                 {"resnet18", "default"}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int scheme = 0; scheme < 3; scheme++)
            for (int norm = 0; norm < NORMS; norm++) {
                const pg_net_spec spec = small_spec(cases[c].arch, (pg_norm_kind)norm, both[scheme], cases[c].layers);
                check_both_branches(&spec);
            }
}

/* ---- threads ---- */

static void check_threads(const pg_net_spec *spec)
{
    small_net one;
    pg_real logits[2][2 * SMALL_BATCH * SMALL_CLASSES] = {{0}};
    pg_compute_start(1);
    open_small(&one, spec, PG_CONV_AUTO);
    const double loss = run_small(&one, PG_TRAIN, true, true, logits[0]);
    for (int threads = 2; threads <= 3; threads++) {
        small_net many;
        pg_compute_start(threads);
        open_small(&many, spec, PG_CONV_AUTO);
        assert_true(run_small(&many, PG_TRAIN, true, true, logits[1]) == loss);
        assert_memory_equal(logits[1], logits[0], sizeof logits[0]);
        assert_memory_equal(pg_net_gradients(many.net), pg_net_gradients(one.net), bytes_of(one.model->param_count));
        assert_memory_equal(many.model->buffers, one.model->buffers, bytes_of(one.model->buffer_count));
        close_small(&many);
    }
    close_small(&one);
    pg_compute_start(1);
}

/* Wide enough that every kernel's work is cut into several parts. */
TEST(training_gives_the_same_bytes_on_any_number_of_threads)
{
    static const struct {
        const char *arch, *scheme;
        pg_norm_kind norm;
    } cases[] = {{"alexnet", "plain", PG_NORM_NONE}, {"alexnet", "v1", PG_NORM_IN}, {"alexnet", "v2", PG_NORM_GN},
                 {"alexnet", "pan", PG_NORM_BN},     {"resnet9", "v1", PG_NORM_BN}, {"resnet9", "v2", PG_NORM_GN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pg_net_spec spec = small_spec(cases[i].arch, cases[i].norm, cases[i].scheme, "default");
        spec.width = 0.5;
        spec.image_height = spec.image_width = 32;
        check_threads(&spec);
    }
}

/* ---- modes ---- */

static void check_modes(const pg_net_spec *spec)
{
    small_net s;
    pg_model *before = NULL;
    open_small(&s, spec, PG_CONV_AUTO);
    OK(pg_model_clone(s.model, &before, &err));
    run_small(&s, PG_EVAL, false, false, NULL);
    run_small(&s, PG_BATCH, true, true, NULL);
    assert_memory_equal(s.model->params, before->params, bytes_of(before->param_count));
    assert_memory_equal(s.model->buffers, before->buffers, bytes_of(before->buffer_count));
    run_small(&s, PG_TRAIN, true, true, NULL);
    assert_memory_equal(s.model->params, before->params, bytes_of(before->param_count));
    for (int i = 0; i < before->tensor_count; i++) {
        const pg_tensor *t = &before->tensors[i];
        if (t->buffer)
            for (size_t e = 0; e < t->count; e++)
                assert_true(s.model->buffers[t->offset + (ptrdiff_t)e] != before->buffers[t->offset + (ptrdiff_t)e]);
    }
    pg_model_destroy(&before);
    close_small(&s);
}

TEST(each_mode_uses_its_statistics)
{
    for (int scheme = 0; scheme < SCHEMES; scheme++)
        for (int norm = 0; norm < NORMS; norm++) {
            const pg_net_spec spec = small_spec("resnet9", (pg_norm_kind)norm, all_schemes[scheme], "default");
            check_modes(&spec);
        }
}

/* A net for evaluation keeps less memory and gives the same bits as a training net; an image's logits do not depend on the rest
 * of its batch. */
static void check_evaluation(const pg_net_spec *spec)
{
    small_net s;
    pg_net *net = NULL;
    const size_t count = (size_t)(SMALL_BATCH * spec->classes);
    pg_real logits[SMALL_BATCH * SMALL_CLASSES];
    open_small(&s, spec, PG_CONV_AUTO);
    OK(pg_net_create(spec, SMALL_BATCH, false, PG_CONV_AUTO, &net, &err));
    assert_true(pg_net_bytes(net) < pg_net_bytes(s.net));
    if (s.evidence) OK(pg_passports_install(net, s.model, s.evidence, &err));
    for (int b = PG_PUBLIC; b <= PG_PRIVATE; b++) {
        if (!has_branch(spec, (pg_branch)b)) continue;
        const size_t image = (size_t)(spec->image_height * spec->image_width * 3), last = SMALL_BATCH - 1;
        memcpy(logits, pg_net_forward(s.net, s.model, (pg_branch)b, PG_EVAL, s.images, SMALL_BATCH), sizeof logits);
        const pg_real *again = pg_net_forward(net, s.model, (pg_branch)b, PG_EVAL, s.images, SMALL_BATCH);
        assert_memory_equal(again, logits, count * sizeof *logits);
        const pg_real *alone = pg_net_forward(net, s.model, (pg_branch)b, PG_EVAL, s.images + last * image, 1);
        for (size_t c = 0; c < SMALL_CLASSES; c++) {
            const double together = (double)logits[last * SMALL_CLASSES + c];
            assert_true(isfinite(together) && fabs((double)alone[c] - together) <= 1e-4 * (1 + fabs(together)));
        }
    }
    pg_net_destroy(&net);
    close_small(&s);
}

TEST(evaluation_does_not_depend_on_the_batch)
{
    for (int a = 0; pg_archs[a]; a++)
        for (int scheme = 0; scheme < SCHEMES; scheme++)
            for (int norm = 0; norm < NORMS; norm++) {
                pg_net_spec spec = small_spec(pg_archs[a]->name, (pg_norm_kind)norm, all_schemes[scheme], "default");
                if (pg_archs[a]->image > 32) spec.image_height = spec.image_width = 67;
                check_evaluation(&spec);
            }
}

/* ---- frozen layers ---- */

static void check_train_from(const pg_net_spec *spec)
{
    small_net full;
    open_small(&full, spec, PG_CONV_AUTO);
    run_small(&full, PG_BATCH, true, true, NULL);
    for (int from = 1; from < full.model->layer_count; from++) {
        small_net part;
        open_small(&part, spec, PG_CONV_AUTO);
        pg_net_train_from(part.net, from);
        run_small(&part, PG_BATCH, true, true, NULL);
        for (int i = 0; i < full.model->tensor_count; i++) {
            const pg_tensor *t = &full.model->tensors[i];
            const pg_real *got = pg_net_gradients(part.net) + t->offset;
            if (t->buffer) continue;
            if (t->layer >= from) assert_memory_equal(got, pg_net_gradients(full.net) + t->offset, bytes_of(t->count));
            for (size_t e = 0; t->layer < from && e < t->count; e++) assert_true(got[e] == 0);
        }
        close_small(&part);
    }
    close_small(&full);
}

TEST(training_from_a_layer_on_leaves_the_rest)
{
    static const char *const archs[] = {"alexnet", "resnet9"}, *const schemes[] = {"plain", "v2", "pan"};
    for (int a = 0; a < 2; a++)
        for (int scheme = 0; scheme < 3; scheme++) {
            const pg_net_spec spec = small_spec(archs[a], PG_NORM_BN, schemes[scheme], "default");
            check_train_from(&spec);
        }
    const pg_net_spec spec = small_spec("resnet9", PG_NORM_GN, "v2", "layer2.0.convbn_2");
    check_train_from(&spec);
}

/* Weights that stay have no gradient; those of affines, passports and images are what they were, for fewer multiply-adds. */
TEST(kept_weights_cost_no_gradient)
{
    static const char *const schemes[] = {"v1", "v2", "pan"};
    for (int i = 0; i < 3; i++) {
        small_net s[2];
        const pg_net_spec spec = small_spec("resnet9", PG_NORM_BN, schemes[i], "default");
        for (int kept = 0; kept < 2; kept++) {
            open_small(&s[kept], &spec, PG_CONV_AUTO);
            pg_net_train_from(s[kept].net, PG_IMAGES);
            if (kept) pg_net_keep_weights(s[kept].net);
            run_small(&s[kept], PG_BATCH, true, true, NULL);
        }
        const pg_real *all = pg_net_gradients(s[0].net), *few = pg_net_gradients(s[1].net);
        for (int t = 0; t < s->model->tensor_count; t++) {
            const pg_tensor *tensor = &s->model->tensors[t];
            if (tensor->buffer) continue;
            const pg_layer *l = &s->model->layers[tensor->layer];
            const bool stays = tensor->offset == l->weight || tensor->offset == l->bias;
            for (size_t e = 0; e < tensor->count; e++)
                assert_true(few[tensor->offset + (ptrdiff_t)e] == (stays ? 0 : all[tensor->offset + (ptrdiff_t)e]));
        }
        for (int p = 0; p < s->model->passport_count; p++) {
            const size_t bytes = (size_t)pg_model_passport_layer(s->model, p)->out_channels * sizeof(pg_real);
            assert_memory_equal(pg_net_gamma_gradient(s[0].net, p), pg_net_gamma_gradient(s[1].net, p), bytes);
            assert_memory_equal(pg_net_beta_gradient(s[0].net, p), pg_net_beta_gradient(s[1].net, p), bytes);
        }
        assert_memory_equal(pg_net_image_gradient(s[0].net), pg_net_image_gradient(s[1].net),
                            SMALL_BATCH * 16 * 24 * 3 * sizeof(pg_real));
        assert_true(pg_net_training_macs(s[0].net, 1) == 3 * pg_model_macs(s->model));
        assert_true(pg_net_training_macs(s[1].net, 1) == 2 * pg_model_macs(s->model));
        pg_net_train_from(s[0].net, s->model->layer_count - 1);
        const double last = pg_layer_macs(pg_model_classifier(s->model));
        assert_true(pg_net_training_macs(s[0].net, 1) == pg_model_macs(s->model) + 2 * last);
        assert_true(pg_net_training_macs(s[0].net, 2) > pg_net_training_macs(s[0].net, 1) + 3 * last);
        for (int kept = 0; kept < 2; kept++) close_small(&s[kept]);
    }
}

/* ---- ReLU before addition ---- */

/* Additions with a negative first summand a, and with a negative second one, seen from their results y = max(0, a + b). */
static void count_negative(bool relu_before_add, int *first, int *second)
{
    small_net s;
    pg_net_spec spec = small_spec("resnet9", PG_NORM_BN, "plain", "");
    spec.relu_before_add = relu_before_add;
    *first = *second = 0;
    open_small(&s, &spec, PG_CONV_AUTO);
    pg_net_forward(s.net, s.model, PG_PUBLIC, PG_BATCH, s.images, SMALL_BATCH);
    for (int i = 0; i < s.model->layer_count; i++) {
        const pg_layer *l = &s.model->layers[i];
        if (l->row.kind != PG_ROW_ADD) continue;
        /* The summand that the row before does not add in its own pass: an identity, or the second convolution. */
        const bool identity = l->row.input == i - 1;
        const pg_real *a = pg_net_input(s.net, identity ? i - 2 : i), *y = pg_net_input(s.net, i + 1);
        const int count = SMALL_BATCH * l->out_height * l->out_width * l->out_channels;
        bool below_zero = false, below_a = false;
        for (int e = 0; e < count; e++) {
            below_zero |= a[e] < 0;
            below_a |= y[e] < a[e];
            assert_true(y[e] >= 0);
        }
        *first += identity ? below_a : below_zero;
        *second += !identity && below_a;
    }
    close_small(&s);
}

/* Without it, four second convolutions and three shortcuts (the first block's is the identity) go unrectified into an addition.
 */
TEST(relu_before_add_is_an_option_of_residual_nets)
{
    int first, second;
    count_negative(true, &first, &second);
    assert_true(first == 0 && second == 0);
    count_negative(false, &first, &second);
    assert_true(first == 4 && second == 3);
}

/* ---- copies between wirings ---- */

/* Logits of a model in evaluation; evidence only for the private branch. */
static void evaluate(pg_model *model, pg_branch branch, const small_net *s, pg_real logits[SMALL_BATCH * SMALL_CLASSES])
{
    pg_net *net = NULL;
    OK(pg_net_create(&model->spec, SMALL_BATCH, false, PG_CONV_DIRECT, &net, &err));
    if (branch == PG_PRIVATE) OK(pg_passports_install(net, model, s->evidence, &err));
    memcpy(logits, pg_net_forward(net, model, branch, PG_EVAL, s->images, SMALL_BATCH),
           SMALL_BATCH * SMALL_CLASSES * sizeof *logits);
    pg_net_destroy(&net);
}

/* A copy of the model with the wiring of spec, and its logits beside those of the model, branch by branch. */
static void check_copy(small_net *s, const pg_net_spec *spec, pg_branch from, pg_branch to, double tolerance)
{
    pg_model *copy = NULL;
    pg_real expected[SMALL_BATCH * SMALL_CLASSES], got[SMALL_BATCH * SMALL_CLASSES];
    OK(pg_model_create(spec, &copy, &err));
    OK(pg_model_copy(s->model, copy, &err));
    if (from == PG_PRIVATE && to == PG_PUBLIC) OK(pg_passports_store(s->model, s->evidence, copy, &err));
    evaluate(s->model, from, s, expected);
    evaluate(copy, to, s, got);
    for (int i = 0; i < SMALL_BATCH * SMALL_CLASSES; i++)
        if (!(fabs((double)(got[i] - expected[i])) <= tolerance))
            fail_msg("%s, passports %#llx, own norm %d: logit %d is %g in the copy, %g in the model",
                     pg_norm_kind_name(spec->norm), (unsigned long long)spec->passports, spec->own_norm, i, (double)got[i],
                     (double)expected[i]);
    pg_model_destroy(&copy);
}

static void check_copies(const char *scheme, pg_norm_kind norm)
{
    small_net s;
    const pg_net_spec spec = small_spec("resnet9", norm, scheme, "default"), plain = small_spec("resnet9", norm, "plain", "");
    open_small(&s, &spec, PG_CONV_DIRECT);
    if (spec.public_affine) {
        pg_net_spec public = spec;
        public.private_affine = public.own_norm = public.perceptron = false;
        check_copy(&s, &spec, PG_PUBLIC, PG_PUBLIC, 0);
        check_copy(&s, &public, PG_PUBLIC, PG_PUBLIC, 0);
        if (norm != PG_NORM_IN && norm != PG_NORM_NONE) check_copy(&s, &plain, PG_PUBLIC, PG_PUBLIC, 0);
    } else {
        pg_net_spec stored = spec; /* what a thief tunes: the passports' affine as learned values */
        stored.public_affine = true;
        check_copy(&s, &stored, PG_PRIVATE, PG_PUBLIC, 0);
    }
    check_copy(&s, &spec, PG_PRIVATE, PG_PRIVATE, 0);
    close_small(&s);
}

TEST(copies_take_what_fits)
{
    static const char *const schemes[] = {"v1", "v2", "pan"};
    for (int scheme = 0; scheme < 3; scheme++)
        for (int norm = 0; norm < NORMS; norm++) check_copies(schemes[scheme], (pg_norm_kind)norm);
}

/* A plain network put under other wirings works as before in the public branch. */
TEST(a_plain_network_works_under_every_wiring)
{
    small_net s;
    static const char *const schemes[] = {"v2", "pan"};
    for (int norm = 0; norm < NORMS; norm++)
        for (int scheme = 0; scheme < 2; scheme++) {
            const pg_net_spec plain = small_spec("alexnet", (pg_norm_kind)norm, "plain", ""),
                              wired = small_spec("alexnet", (pg_norm_kind)norm, schemes[scheme], "default");
            open_small(&s, &plain, PG_CONV_DIRECT);
            check_copy(&s, &wired, PG_PUBLIC, PG_PUBLIC, 0);
            close_small(&s);
        }
}

TEST(another_number_of_classes_needs_a_new_last_layer)
{
    small_net s;
    pg_model *other = NULL;
    pg_net_spec spec = small_spec("alexnet", PG_NORM_BN, "plain", "");
    open_small(&s, &spec, PG_CONV_DIRECT);
    spec.classes = SMALL_CLASSES + 1;
    OK(pg_model_create(&spec, &other, &err));
    OK(pg_model_copy(s.model, other, &err));
    pg_model_copy_classifier(s.model, other);
    const ptrdiff_t classifier = pg_model_classifier(other)->weight;
    assert_memory_equal(other->params, s.model->params, bytes_of((size_t)classifier));
    for (size_t i = (size_t)classifier; i < other->param_count; i++) assert_true(other->params[i] == 0);
    pg_model_destroy(&other);
    const pg_net_spec unlike[] = {small_spec("resnet9", PG_NORM_BN, "plain", ""),
                                  small_spec("alexnet", PG_NORM_GN, "plain", ""), [2] = spec};
    for (int i = 0; i < 3; i++) {
        pg_net_spec wide = unlike[i];
        wide.width = i == 2 ? 0.25 : wide.width;
        OK(pg_model_create(&wide, &other, &err));
        assert_int_equal(pg_model_copy(s.model, other, &err), PG_BAD_INPUT);
        pg_model_destroy(&other);
    }
    close_small(&s);
}
