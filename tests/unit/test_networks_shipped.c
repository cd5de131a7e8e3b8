/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shipped networks against an independent forward pass: plain sums in double over the state dict, in PyTorch's order, along
 * the structure that the papers give. */
#include "core/nets/arch_file.h"
#include "core/nets/shipped.h"
#include "tests/unit/small_net.h"

#include <math.h>

/* ---- layers, on images [C,H,W] ---- */

typedef struct image {
    int channels, height, width;
    double *v;
} image;

static const pg_model *model;

static image create(int channels, int height, int width)
{
    image x = {channels, height, width, NULL};
    OK(pg_alloc((size_t)(channels * height * width), sizeof *x.v, &x.v, &err));
    return x;
}

/* A tensor of the state dict by its name; the caller frees it. */
static pg_real *tensor(const char *layer, const char *suffix)
{
    char name[128];
    pg_real *values = NULL;
    snprintf(name, sizeof name, "%s.%s", layer, suffix);
    for (int i = 0; i < model->tensor_count && !values; i++) {
        if (strcmp(model->tensors[i].name, name) != 0) continue;
        OK(pg_alloc(model->tensors[i].count, sizeof *values, &values, &err));
        pg_tensor_export(model, &model->tensors[i], values);
    }
    if (!values) fail_msg("no tensor %s", name);
    return values;
}

static int filters_of(const char *layer)
{
    for (int i = 0; i < model->layer_count; i++)
        if (strcmp(model->layers[i].row.name, layer) == 0) return model->layers[i].out_channels;
    fail_msg("no layer %s", layer);
    return 0;
}

/* y += the plane x through one tap of weight w. */
static void add_tap(const double *x, int height, int width, double w, int up, int left, int stride, image y, double *plane)
{
    for (int oy = 0; oy < y.height; oy++)
        for (int ox = 0; ox < y.width; ox++) {
            const int row = oy * stride + up, column = ox * stride + left;
            if (row >= 0 && row < height && column >= 0 && column < width)
                plane[oy * y.width + ox] += w * x[row * width + column];
        }
}

static image convolve(image x, const char *layer, int kernel, int stride, int pad)
{
    image y = create(filters_of(layer), (x.height + 2 * pad - kernel) / stride + 1, (x.width + 2 * pad - kernel) / stride + 1);
    pg_real *w = tensor(layer, "conv.weight"), *at = w;
    for (int o = 0; o < y.channels; o++)
        for (int i = 0; i < x.channels; i++)
            for (int tap = 0; tap < kernel * kernel; tap++)
                add_tap(x.v + i * x.height * x.width, x.height, x.width, (double)*at++, tap / kernel - pad, tap % kernel - pad,
                        stride, y, y.v + o * y.height * y.width);
    pg_free(w);
    return y;
}

/* Batch norm with the running statistics, in place. */
static void normalise(image x, const char *layer)
{
    pg_real *gamma = tensor(layer, "bn.weight"), *beta = tensor(layer, "bn.bias"), *mean = tensor(layer, "bn.running_mean"),
            *var = tensor(layer, "bn.running_var");
    const int pixels = x.height * x.width;
    for (int i = 0; i < x.channels * pixels; i++) {
        const int c = i / pixels;
        x.v[i] = (x.v[i] - (double)mean[c]) / sqrt((double)var[c] + 1e-5) * (double)gamma[c] + (double)beta[c];
    }
    pg_free(gamma);
    pg_free(beta);
    pg_free(mean);
    pg_free(var);
}

static void rectify(image x)
{
    for (int i = 0; i < x.channels * x.height * x.width; i++) x.v[i] = fmax(0, x.v[i]);
}

/* Each channel with a filter of 3 x 3 of its own, then norm and ReLU. */
static image depthwise(image x, const char *layer, int stride)
{
    const image y = create(x.channels, (x.height - 1) / stride + 1, (x.width - 1) / stride + 1);
    pg_real *w = tensor(layer, "conv.weight");
    for (int c = 0; c < x.channels; c++)
        for (int tap = 0; tap < 9; tap++)
            add_tap(x.v + c * x.height * x.width, x.height, x.width, (double)w[c * 9 + tap], tap / 3 - 1, tap % 3 - 1, stride,
                    y, y.v + c * y.height * y.width);
    pg_free(w);
    normalise(y, layer);
    rectify(y);
    return y;
}

/* Convolution, norm and ReLU. */
static image block(image x, const char *layer, int kernel, int stride, int pad)
{
    const image y = convolve(x, layer, kernel, stride, pad);
    normalise(y, layer);
    rectify(y);
    return y;
}

/* Windows of size x size without overlap: their maximum or their mean. x is freed, as by the functions below. */
static image pool(image x, int size, bool maximum)
{
    const image y = create(x.channels, x.height / size, x.width / size);
    for (int i = 0; i < y.channels * y.height * y.width; i++) {
        const int plane = i / (y.height * y.width), row = i / y.width % y.height * size, column = i % y.width * size;
        double most = -INFINITY, sum = 0;
        for (int t = 0; t < size * size; t++) {
            const double v = x.v[(plane * x.height + row + t / size) * x.width + column + t % size];
            most = fmax(most, v);
            sum += v;
        }
        y.v[i] = maximum ? most : sum / (size * size);
    }
    pg_free(x.v);
    return y;
}

/* Maximum of windows of 3 x 3 at every second pixel. */
static image overlapping_pool(image x)
{
    const image y = create(x.channels, (x.height - 3) / 2 + 1, (x.width - 3) / 2 + 1);
    for (int i = 0; i < y.channels * y.height * y.width; i++) {
        const int plane = i / (y.height * y.width), row = i / y.width % y.height * 2, column = i % y.width * 2;
        y.v[i] = -INFINITY;
        for (int t = 0; t < 9; t++) y.v[i] = fmax(y.v[i], x.v[(plane * x.height + row + t / 3) * x.width + column + t % 3]);
    }
    pg_free(x.v);
    return y;
}

static image dense(image x, const char *layer, bool relu)
{
    const image y = create(filters_of(layer), 1, 1);
    const int inputs = x.channels * x.height * x.width;
    pg_real *w = tensor(layer, "weight"), *b = tensor(layer, "bias");
    for (int o = 0; o < y.channels; o++) {
        y.v[o] = (double)b[o];
        for (int i = 0; i < inputs; i++) y.v[o] += (double)w[o * inputs + i] * x.v[i];
    }
    if (relu) rectify(y);
    pg_free(w);
    pg_free(b);
    pg_free(x.v);
    return y;
}

static image next(image x, image y)
{
    pg_free(x.v);
    return y;
}

/* ---- networks ---- */

/* A list such as "64 M 128 M": filters of a convolution, or a pool. */
static image vgg(image x, const char *list)
{
    char name[32];
    int convolution = 0;
    for (; *list; list += strcspn(list, " ") + (list[strcspn(list, " ")] == ' ')) {
        snprintf(name, sizeof name, "features.%d", convolution);
        if (*list == 'M')
            x = pool(x, 2, true);
        else
            x = next(x, block(x, name, 3, 1, 1)), convolution++;
    }
    return dense(x, "classifier", false);
}

static image vgg11(image x)
{
    return vgg(x, "64 M 128 M 256 256 M 512 512 M 512 512 M");
}

static image vgg13(image x)
{
    return vgg(x, "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M");
}

static image vgg16(image x)
{
    return vgg(x, "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M");
}

static const char *part(const char *prefix, const char *name)
{
    static char text[2][64];
    static int turn;
    turn = !turn;
    snprintf(text[turn], sizeof text[turn], "%s.%s", prefix, name);
    return text[turn];
}

static void add(image x, image to)
{
    assert_int_equal(x.channels * x.height * x.width, to.channels * to.height * to.width);
    for (int i = 0; i < x.channels * x.height * x.width; i++) to.v[i] += x.v[i];
}

static image basic_block(image x, const char *prefix, int stride, bool projects)
{
    const image inner = block(x, part(prefix, "conv1"), 3, stride, 1), y = convolve(inner, part(prefix, "conv2"), 3, 1, 1);
    normalise(y, part(prefix, "conv2"));
    if (projects) x = next(x, convolve(x, part(prefix, "shortcut"), 1, stride, 0));
    if (projects) normalise(x, part(prefix, "shortcut"));
    add(x, y);
    rectify(y);
    pg_free(inner.v);
    return next(x, y);
}

static image resnet(image x, const int *blocks, int stages)
{
    char prefix[32];
    x = next(x, block(x, "conv1", 3, 1, 1));
    for (int s = 0; s < stages; s++)
        for (int b = 0; b < blocks[s]; b++) {
            const bool narrows = s > 0 && b == 0;
            snprintf(prefix, sizeof prefix, "layer%d.%d", s + 1, b);
            x = basic_block(x, prefix, narrows ? 2 : 1, narrows);
        }
    return dense(pool(x, x.height, false), "linear", false);
}

static image resnet20(image x)
{
    return resnet(x, (const int[]){3, 3, 3}, 3);
}

static image resnet32(image x)
{
    return resnet(x, (const int[]){5, 5, 5}, 3);
}

static image resnet56(image x)
{
    return resnet(x, (const int[]){9, 9, 9}, 3);
}

static image resnet34(image x)
{
    return resnet(x, (const int[]){3, 4, 6, 3}, 4);
}

/* The norm and the ReLU of a block come first; its shortcut branches off behind them if it is a convolution. */
static image wide_block(image x, const char *prefix, int stride, bool projects)
{
    const image before = create(x.channels, x.height, x.width);
    add(x, before);
    normalise(before, part(prefix, "bn1"));
    rectify(before);
    const image inner = block(before, part(prefix, "conv1"), 3, stride, 1), y = convolve(inner, part(prefix, "conv2"), 3, 1, 1);
    if (projects) x = next(x, convolve(before, part(prefix, "shortcut"), 1, stride, 0));
    add(x, y);
    pg_free(before.v);
    pg_free(inner.v);
    return next(x, y);
}

static image wide_resnet(image x, int blocks)
{
    char prefix[32];
    x = next(x, convolve(x, "conv1", 3, 1, 1));
    for (int s = 0; s < 3; s++)
        for (int b = 0; b < blocks; b++) {
            snprintf(prefix, sizeof prefix, "block%d.%d", s + 1, b);
            x = wide_block(x, prefix, s > 0 && b == 0 ? 2 : 1, b == 0);
        }
    normalise(x, "bn");
    rectify(x);
    return dense(pool(x, x.height, false), "fc", false);
}

static image wrn_16_4(image x)
{
    return wide_resnet(x, 2);
}

static image wrn_28_10(image x)
{
    return wide_resnet(x, 4);
}

static image mobilenet(image x)
{
    static const char strides[] = "1212121111121";
    char first[32], second[32];
    x = next(x, block(x, "conv1", 3, 1, 1));
    for (int i = 0; i < 13; i++) {
        snprintf(first, sizeof first, "layers.%d.conv1", i);
        snprintf(second, sizeof second, "layers.%d.conv2", i);
        x = next(x, depthwise(x, first, strides[i] - '0'));
        x = next(x, block(x, second, 1, 1, 0));
    }
    return dense(pool(x, x.height, false), "linear", false);
}

static image lenet5(image x)
{
    x = pool(next(x, block(x, "conv1", 5, 1, 0)), 2, false);
    x = pool(next(x, block(x, "conv2", 5, 1, 0)), 2, false);
    return dense(dense(dense(x, "fc1", true), "fc2", true), "fc3", false);
}

/* AlexNet for large images ends in dense layers, which dropout does not change here. */
static image alexnet_imagenet(image x)
{
    static const int pools[] = {0, 2, 6};
    char name[32];
    for (int i = 0, at = 0; i < 7; i++) {
        if (i == 1 || i == 3) continue;
        snprintf(name, sizeof name, "features.%d", i);
        x = next(x, block(x, name, i == 0 ? 11 : i == 2 ? 5 : 3, i == 0 ? 4 : 1, i <= 2 ? 2 : 1));
        if (i == pools[at]) x = overlapping_pool(x), at++;
    }
    assert_int_equal(x.height, 6);
    return dense(dense(dense(x, "classifier.1", true), "classifier.4", true), "classifier.6", false);
}

/* parameters: at width 1 and 10 classes, as PyTorch counts them. */
typedef struct reference {
    const char *name;
    image (*run)(image x);
    double width;
    size_t parameters;
} reference;

static const reference references[] = {
    {"vgg11", vgg11, 0.25, 9228362},
    {"vgg13", vgg13, 0.25, 9413066},
    {"vgg16", vgg16, 0.25, 14724042},
    {"resnet20", resnet20, 1, 272474},
    {"resnet32", resnet32, 1, 466906},
    {"resnet34", resnet34, 0.25, 21282122},
    {"resnet56", resnet56, 1, 855770},
    {"wrn-16-4", wrn_16_4, 0.5, 2748890},
    {"wrn-28-10", wrn_28_10, 0.1, 36479194},
    {"mobilenet", mobilenet, 0.25, 3217226},
    {"lenet5", lenet5, 1, 62028},
    {"alexnet-imagenet", alexnet_imagenet, 0.125, 57045962},
};
enum { REFERENCES = sizeof references / sizeof *references };

/* ---- the comparison ---- */

static image chw(const pg_real *images, const pg_net_spec *spec)
{
    const image x = create(3, spec->image_height, spec->image_width);
    const int pixels = x.height * x.width;
    for (int i = 0; i < 3 * pixels; i++) x.v[i] = (double)images[i % pixels * 3 + i / pixels];
    return x;
}

static void check_logits(const reference *r)
{
    const double tolerance = sizeof(pg_real) == sizeof(double) ? 1e-6 : 1e-3;
    const pg_arch *arch = pg_arch_find(r->name);
    assert_non_null(arch);
    pg_net_spec spec = pg_net_spec_plain(arch, PG_NORM_BN, SMALL_CLASSES);
    small_net s;
    spec.width = r->width;
    open_small(&s, &spec, PG_CONV_AUTO);
    model = s.model;
    const pg_real *logits = pg_net_forward(s.net, s.model, PG_PUBLIC, PG_EVAL, s.images, SMALL_BATCH);
    const image y = r->run(chw(s.images, &spec));
    double largest = 0;
    for (int c = 0; c < SMALL_CLASSES; c++) largest = fmax(largest, fabs(y.v[c]));
    assert_true(largest > 0.01);
    for (int c = 0; c < SMALL_CLASSES; c++)
        if (!(fabs((double)logits[c] - y.v[c]) <= tolerance * largest))
            fail_msg("%s: logit %d is %.12g, the reference has %.12g", r->name, c, (double)logits[c], y.v[c]);
    pg_free(y.v);
    close_small(&s);
}

TEST(every_shipped_network_computes_what_its_paper_says)
{
    for (int i = 0; i < REFERENCES; i++) check_logits(&references[i]);
}

TEST(every_shipped_network_has_a_reference)
{
    int shipped = 0;
    while (pg_shipped_networks[shipped].name) shipped++;
    assert_int_equal(shipped, REFERENCES);
}

TEST(every_shipped_network_has_the_published_number_of_parameters)
{
    for (int i = 0; i < REFERENCES; i++) {
        const pg_net_spec spec = pg_net_spec_plain(pg_arch_find(references[i].name), PG_NORM_BN, 10);
        pg_layout layout;
        pg_tensor tensors[PG_ROWS_MAX * 8];
        size_t parameters = 0;
        OK(pg_layout_plan(&spec, &layout, &err));
        pg_layout_tensors(&layout, tensors);
        for (int t = 0; t < layout.tensor_count; t++) parameters += tensors[t].buffer ? 0 : tensors[t].count;
        assert_int_equal(parameters, references[i].parameters);
    }
}
