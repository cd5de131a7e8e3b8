/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradients of every kernel on its own. */
#include "core/compute/conv.h"
#include "core/compute/norm.h"
#include "tests/unit/differences.h"

static pg_real *block(size_t n, bool random)
{
    pg_real *values;
    OK(pg_alloc(n, sizeof *values, &values, &err));
    if (random) fill_uniform(&rng, values, n, -1, 1);
    return values;
}

static double dot(const pg_real *a, const pg_real *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

typedef struct conv_case {
    pg_conv conv;
    size_t outputs;
    pg_real *x, *w, *y, *dy, *scratch;
} conv_case;

enum { IMAGES = 3 };

static double conv_objective(void *context)
{
    const conv_case *c = context;
    pg_conv_forward(&c->conv, IMAGES, c->x, c->w, c->y, c->scratch);
    return dot(c->y, c->dy, c->outputs);
}

static void check_conv(const pg_conv_shape *s, pg_conv_choice choice)
{
    conv_case c;
    OK(pg_conv_plan(&c.conv, s, choice, &err));
    const size_t inputs = (size_t)(IMAGES * s->height * s->width * s->channels),
                 weights = (size_t)(s->kernel * s->kernel * (s->channels / s->groups) * s->filters);
    c.outputs = (size_t)(IMAGES * c.conv.out_height * c.conv.out_width * s->filters);
    c.x = block(inputs, true);
    c.w = block(weights, true);
    c.y = block(c.outputs, false);
    c.dy = block(c.outputs, true);
    c.scratch = block(pg_conv_scratch(&c.conv, IMAGES), false);
    pg_real *dx = block(inputs, false), *dw = block(weights, false);
    pg_conv_backward(&c.conv, IMAGES, c.x, c.w, &(pg_conv_grads){.dy = c.dy, .dx = dx, .dw = dw}, c.scratch);
    check_gradient("convolution: images", conv_objective, &c, c.x, dx, inputs);
    check_gradient("convolution: weights", conv_objective, &c, c.w, dw, weights);
    pg_real *const blocks[] = {c.x, c.w, c.y, c.dy, c.scratch, dx, dw};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) pg_free(blocks[i]);
}

TEST(gradients_of_convolutions_match_differences)
{
    static const pg_conv_shape shapes[] = {
        {7, 5, 3, 16, 3, 1, 1, 1},    {7, 5, 16, 16, 3, 1, 1, 1},  {6, 9, 16, 16, 5, 1, 2, 1},
        {7, 8, 5, 16, 3, 2, 1, 1},    {7, 5, 16, 16, 1, 1, 0, 1},  {7, 8, 16, 16, 1, 2, 0, 1},
        {15, 19, 3, 16, 11, 4, 2, 1}, {7, 5, 16, 16, 3, 1, 1, 16}, {7, 8, 6, 12, 3, 2, 1, 3}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int choice = PG_CONV_AUTO; choice <= PG_CONV_WINOGRAD; choice++) check_conv(&shapes[i], (pg_conv_choice)choice);
}

typedef struct norm_case {
    pg_norm norm;
    size_t count;
    bool affine;
    pg_real *x, *y, *dy, *gamma, *beta, *plus, *mean, *inv_std, *scratch;
    uint8_t *decisions;
} norm_case;

static pg_norm_pass norm_pass_of(const norm_case *c)
{
    return (pg_norm_pass){.n = IMAGES,
                          .x = c->x,
                          .mean = c->mean,
                          .inv_std = c->inv_std,
                          .gamma = c->affine ? c->gamma : NULL,
                          .beta = c->affine ? c->beta : NULL,
                          .plus = c->plus,
                          .y = c->y,
                          .decisions = c->decisions,
                          .scratch = c->scratch};
}

static double norm_objective(void *context)
{
    const norm_case *c = context;
    pg_norm_statistics(&c->norm, IMAGES, c->x, c->mean, c->inv_std, NULL, c->scratch);
    const pg_norm_pass pass = norm_pass_of(c);
    pg_norm_apply(&c->norm, &pass);
    return dot(c->y, c->dy, c->count);
}

/* Backward must add dx to what is there. */
static void check_added(norm_case *c, const pg_real *dx)
{
    pg_real *sum = block(c->count, true), *start = block(c->count, false);
    memcpy(start, sum, c->count * sizeof *sum);
    const pg_norm_pass pass = norm_pass_of(c);
    pg_norm_backward(&c->norm, &pass, &(pg_norm_grads){.dy = c->dy, .dx = sum, .add = true});
    for (size_t i = 0; i < c->count; i++) assert_true(fabs((double)(sum[i] - start[i] - dx[i])) < 1e-13);
    pg_free(sum);
    pg_free(start);
}

static void check_norm(pg_norm_kind kind, bool relu, bool affine, bool residual)
{
    enum { PIXELS = 70, CHANNELS = 96 };
    norm_case c = {.norm = {.kind = kind,
                            .pixels = PIXELS,
                            .channels = CHANNELS,
                            .groups = 6,
                            .eps = (pg_real)1e-5,
                            .relu = relu,
                            .residual = residual},
                   .count = IMAGES * PIXELS * CHANNELS,
                   .affine = affine};
    c.x = block(c.count, true);
    for (size_t i = 0; i < c.count; i++) c.x[i] += (pg_real)0.7; /* a mean */
    c.y = block(c.count, false);
    c.plus = block(c.count, true);
    OK(pg_alloc(c.count, 1, &c.decisions, &err));
    c.dy = block(c.count, true);
    c.gamma = block(CHANNELS, true);
    c.beta = block(CHANNELS, true);
    c.mean = block(pg_norm_sets(&c.norm, IMAGES), false);
    c.inv_std = block(pg_norm_sets(&c.norm, IMAGES), false);
    c.scratch = block(pg_norm_scratch(&c.norm, IMAGES), false);
    pg_real *dx = block(c.count, false), *dgamma = block(CHANNELS, false), *dbeta = block(CHANNELS, false);
    norm_objective(&c);
    const pg_norm_pass pass = norm_pass_of(&c);
    pg_norm_backward(&c.norm, &pass, &(pg_norm_grads){.dy = c.dy, .dgamma = dgamma, .dbeta = dbeta, .dx = dx});
    check_added(&c, dx);
    check_gradient("norm: input", norm_objective, &c, c.x, dx, c.count);
    if (affine) {
        check_gradient("norm: gamma", norm_objective, &c, c.gamma, dgamma, CHANNELS);
        check_gradient("norm: beta", norm_objective, &c, c.beta, dbeta, CHANNELS);
    }
    pg_real *const blocks[] = {c.x, c.y, c.plus, c.dy, c.gamma, c.beta, c.mean, c.inv_std, c.scratch, dx, dgamma, dbeta};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) pg_free(blocks[i]);
    pg_free(c.decisions);
}

TEST(gradients_of_norms_match_differences)
{
    for (int kind = 0; kind < NORMS; kind++)
        for (int bits = 0; bits < 8; bits++) check_norm((pg_norm_kind)kind, bits & 1, bits & 2, bits & 4);
}

typedef struct pool_case {
    pg_pool pool;
    bool max;
    size_t inputs, outputs;
    pg_real *x, *y, *dy;
    uint8_t *argmax;
} pool_case;

static double pool_objective(void *context)
{
    const pool_case *c = context;
    if (c->max)
        pg_maxpool_forward(&c->pool, IMAGES, c->x, c->y, c->argmax);
    else
        pg_avgpool_forward(&c->pool, IMAGES, c->x, c->y);
    return dot(c->y, c->dy, c->outputs);
}

static void pool_backward(const pool_case *c, pg_real *dx, bool add)
{
    if (c->max)
        pg_maxpool_backward(&c->pool, IMAGES, c->argmax, c->dy, dx, add);
    else
        pg_avgpool_backward(&c->pool, IMAGES, c->dy, dx, add);
}

static void check_pool(const pg_pool *pool, bool max)
{
    pool_case c = {.pool = *pool, .max = max};
    c.inputs = (size_t)(IMAGES * pool->height * pool->width * pool->channels);
    c.outputs = (size_t)(IMAGES * pool->out_height * pool->out_width * pool->channels);
    c.x = block(c.inputs, true);
    c.y = block(c.outputs, false);
    c.dy = block(c.outputs, true);
    OK(pg_alloc(c.outputs, 1, &c.argmax, &err));
    pg_real *dx = block(c.inputs, true), *twice = block(c.inputs, false);
    pool_objective(&c);
    pool_backward(&c, dx, false);
    memcpy(twice, dx, c.inputs * sizeof *dx);
    pool_backward(&c, twice, true);
    for (size_t i = 0; i < c.inputs; i++) assert_true(fabs((double)(twice[i] - 2 * dx[i])) < 1e-13);
    check_gradient(max ? "max pool" : "average pool", pool_objective, &c, c.x, dx, c.inputs);
    pg_real *const blocks[] = {c.x, c.y, c.dy, dx, twice};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) pg_free(blocks[i]);
    pg_free(c.argmax);
}

TEST(gradients_of_pools_match_differences)
{
    static const pg_pool max[] = {{8, 6, 5, 2, 2, 0, 4, 3}, {7, 9, 5, 3, 2, 0, 3, 4}, {7, 8, 5, 3, 2, 1, 4, 4}};
    static const pg_pool average[] = {{4, 3, 5, 1, 0, 0, 1, 1}, {7, 9, 5, 6, 0, 0, 6, 6}, {2, 1, 5, 6, 0, 0, 6, 6}};
    for (int i = 0; i < 3; i++) {
        check_pool(&max[i], true);
        check_pool(&average[i], false);
    }
}

enum { INPUTS = 37, OUTPUTS = 11 };

typedef struct dense_case {
    pg_real *x, *w, *b, *y, *dy;
} dense_case;

static double dense_objective(void *context)
{
    const dense_case *c = context;
    pg_dense_forward((pg_dense){INPUTS, OUTPUTS}, IMAGES, c->x, c->w, c->b, c->y);
    return dot(c->y, c->dy, IMAGES * OUTPUTS);
}

TEST(gradients_of_the_dense_layer_match_differences)
{
    dense_case c = {.x = block(IMAGES * INPUTS, true),
                    .w = block(INPUTS * OUTPUTS, true),
                    .b = block(OUTPUTS, true),
                    .y = block(IMAGES * OUTPUTS, false),
                    .dy = block(IMAGES * OUTPUTS, true)};
    pg_real *dx = block(IMAGES * INPUTS, true), *dw = block(INPUTS * OUTPUTS, false), *db = block(OUTPUTS, false);
    pg_dense_backward((pg_dense){INPUTS, OUTPUTS}, IMAGES, c.x, c.w, c.dy, dw, db, dx, false);
    check_gradient("dense: input", dense_objective, &c, c.x, dx, IMAGES * INPUTS);
    check_gradient("dense: weights", dense_objective, &c, c.w, dw, INPUTS * OUTPUTS);
    check_gradient("dense: bias", dense_objective, &c, c.b, db, OUTPUTS);
    pg_real *const blocks[] = {c.x, c.w, c.b, c.y, c.dy, dx, dw, db};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) pg_free(blocks[i]);
}

/* The affine of a passport: c.x is two vectors of window means [2,INPUTS], c.w the weights [INPUTS,OUTPUTS]. */
static double passport_objective(void *context)
{
    const dense_case *c = context;
    pg_matvec_pair(INPUTS, OUTPUTS, c->w, c->x, c->x + INPUTS, c->y, c->y + OUTPUTS);
    return dot(c->y, c->dy, 2 * OUTPUTS);
}

TEST(gradients_of_the_passport_product_match_differences)
{
    dense_case c = {.x = block(2 * INPUTS, true),
                    .w = block(INPUTS * OUTPUTS, true),
                    .y = block(2 * OUTPUTS, false),
                    .dy = block(2 * OUTPUTS, true)};
    pg_real *da = block(2 * INPUTS, true), *dw = block(INPUTS * OUTPUTS, false);
    for (int i = 0; i < 2; i++) pg_matvec_backward(INPUTS, OUTPUTS, c.w, c.dy + i * OUTPUTS, da + i * INPUTS);
    pg_outer_add_pair(INPUTS, OUTPUTS, c.x, c.x + INPUTS, c.dy, c.dy + OUTPUTS, dw);
    check_gradient("passport: window means", passport_objective, &c, c.x, da, 2 * INPUTS);
    check_gradient("passport: weights", passport_objective, &c, c.w, dw, INPUTS * OUTPUTS);
    pg_real *const blocks[] = {c.x, c.w, c.y, c.dy, da, dw};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) pg_free(blocks[i]);
}

/* Window means of a passport, for attacks that change the passport itself. */
typedef struct means_case {
    const pg_layer *layer;
    int window;
    pg_real *image, *means, *dmeans;
} means_case;

static double means_objective(void *context)
{
    const means_case *c = context;
    pg_passport_means(c->layer, c->image, c->means);
    return dot(c->means, c->dmeans, (size_t)c->window);
}

TEST(gradients_of_the_window_means_match_differences)
{
    pg_model *model = NULL;
    pg_net_spec spec = small_spec("resnet18-imagenet", PG_NORM_BN, "v1", "all"); /* every kernel size and stride */
    spec.image_height = 33;
    spec.image_width = 41;
    OK(pg_model_create(&spec, &model, &err));
    for (int i = 0; i < model->passport_count; i++) {
        means_case c = {.layer = pg_model_passport_layer(model, i)};
        const pg_layer *l = c.layer;
        const size_t image = (size_t)(l->in_height * l->in_width * l->in_channels);
        c.window = l->row.kernel * l->row.kernel * l->in_channels;
        c.image = block(image, true);
        c.means = block((size_t)c.window, false);
        c.dmeans = block((size_t)c.window, true);
        pg_real *dimage = block(image, true);
        pg_passport_means_backward(l, c.dmeans, dimage);
        check_gradient("window means", means_objective, &c, c.image, dimage, image);
        pg_real *const blocks[] = {c.image, c.means, c.dmeans, dimage};
        for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++) pg_free(blocks[k]);
    }
    pg_model_destroy(&model);
}

typedef struct relu_case {
    pg_real *a, *b, *y, *dy;
} relu_case;

static double add_relu_objective(void *context)
{
    const relu_case *c = context;
    pg_add_relu(OUTPUTS, c->a, c->b, c->y);
    return dot(c->y, c->dy, OUTPUTS);
}

TEST(gradients_of_the_residual_addition_match_differences)
{
    relu_case c = {block(OUTPUTS, true), block(OUTPUTS, true), block(OUTPUTS, false), block(OUTPUTS, true)};
    pg_real *d = block(OUTPUTS, true);
    add_relu_objective(&c);
    pg_relu_backward(OUTPUTS, c.y, c.dy, d, false);
    check_gradient("addition: first", add_relu_objective, &c, c.a, d, OUTPUTS);
    check_gradient("addition: second", add_relu_objective, &c, c.b, d, OUTPUTS);
    pg_real *const blocks[] = {c.a, c.b, c.y, c.dy, d};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) pg_free(blocks[i]);
}

typedef struct loss_case {
    pg_real *logits;
    double smoothing;
} loss_case;

static const int32_t loss_labels[IMAGES] = {4, 0, OUTPUTS - 1};

static double cross_entropy_objective(void *context)
{
    const loss_case *c = context;
    return pg_cross_entropy(IMAGES, OUTPUTS, c->logits, loss_labels, c->smoothing, NULL, NULL);
}

TEST(gradients_of_the_cross_entropy_match_differences)
{
    loss_case c = {.logits = block(IMAGES * OUTPUTS, true)};
    pg_real *dlogits = block(IMAGES * OUTPUTS, true);
    for (c.smoothing = 0; c.smoothing < 0.3; c.smoothing += 0.1) {
        pg_cross_entropy(IMAGES, OUTPUTS, c.logits, loss_labels, c.smoothing, dlogits, NULL);
        check_gradient("cross-entropy", cross_entropy_objective, &c, c.logits, dlogits, IMAGES * OUTPUTS);
    }
    pg_free(c.logits);
    pg_free(dlogits);
}

/* The sign loss is a function of the passport layers' weights. Its gradient with respect to gamma is checked as gradient . (d
 * gamma / d w); d gamma / d w is tested above. */
static double sign_objective(void *context)
{
    small_net *s = context;
    pg_net_refresh_passports(s->net, s->model);
    return pg_sign_loss(0.1, s->evidence, s->net);
}

TEST(gradients_of_the_sign_loss_match_differences)
{
    small_net s;
    const pg_net_spec spec = small_spec("alexnet", PG_NORM_BN, "v1", "all");
    open_small(&s, &spec, PG_CONV_DIRECT);
    for (int i = 0; i < s.model->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(s.model, i);
        const int window = l->row.kernel * l->row.kernel * l->in_channels;
        const size_t weights = (size_t)(window * l->out_channels);
        pg_real *means = block((size_t)window, false), *dw = block(weights, false), *none = block(weights, false);
        pg_passport_means(l, s.evidence->passports[i].skey, means);
        sign_objective(&s);
        pg_outer_add_pair(window, l->out_channels, means, none, pg_net_gamma_gradient(s.net, i), none, dw);
        check_gradient("sign loss", sign_objective, &s, s.model->params + l->weight, dw, weights);
        pg_free(means);
        pg_free(dw);
        pg_free(none);
    }
    close_small(&s);
}
