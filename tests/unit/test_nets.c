/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks: sizes, names, initial weights, and copies between wirings. */
#include "tests/unit/small_net.h"

#include <math.h>
#include <stdlib.h>

SET_UP
{
    pg_compute_start(1);
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

/* For 10 classes with batch norm, and at ImageNet size for 1000 classes. There ResNet-18 is the usual one, and AlexNet has
 * norms in place of 1152 biases of convolutions. */
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

/* Groups of 16, and at least one. */
TEST(a_width_is_rounded_to_whole_groups_of_channels)
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
    check_layers("alexnet", "", 0, "layers: the option names no layer");
    check_layers("alexnet", " ", 0, "layers: the option names no layer");
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
        if (t->order == PG_ORDER_CONV) { /* normal: the variance of the sample is within 5 of its own deviations */
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

/* Copy the model into the wiring of spec, and compare the logits of both, branch by branch. */
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
        pg_net_spec stored = spec; /* what a thief fine-tunes: the passports' affine as learned values */
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

/* A copy under another wiring gives the same answers in the public branch. */
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
