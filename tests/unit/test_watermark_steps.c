/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What trigger schemes do within a training step: entangle, ascend, perturb. Gradients are compared with differences in the
 * double build; the best of several steps counts, because at a long one a ReLU may switch and at a short one rounding shows. */
#include "core/compute/kernels.h"
#include "core/ownership/entangle.h"
#include "core/ownership/trigger_scheme.h"
#include "tests/unit/watermark.h"

/* ---- the soft nearest neighbour loss ---- */

enum { POINTS = 7, VALUES = 5, ROWS = 9 };
static const int rows[POINTS] = {8, 0, 1, 3, 4, 6, 7};
static const bool second[POINTS] = {false, true, false, true, true, false, false};

static double entangled(const pg_real *x, double weight, pg_real *dx)
{
    pg_real work[POINTS * (POINTS + 1)];
    return pg_entanglement(POINTS, VALUES, x, rows, second, 0.7, weight, work, dx);
}

static void draw(pg_real *x, size_t count, const char *purpose)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){5, "steps"}, purpose, 0);
    for (size_t i = 0; i < count; i++) x[i] = (pg_real)pg_rng_normal(&rng);
}

/* Straight from the definition. */
static double defined(const pg_real *x)
{
    double loss = 0;
    for (int i = 0; i < POINTS; i++) {
        double same = 0, all = 0;
        for (int j = 0; j < POINTS; j++) {
            double ab = 0, aa = 0, bb = 0;
            for (int k = 0; k < VALUES; k++) {
                const double a = (double)x[rows[i] * VALUES + k], b = (double)x[rows[j] * VALUES + k];
                ab += a * b;
                aa += a * a;
                bb += b * b;
            }
            const double e = j == i ? 0 : exp(-(1 - ab / sqrt(aa * bb)) / 0.7);
            all += e;
            if (second[i] == second[j]) same += e;
        }
        loss -= log(1e-5 + same / (1e-5 + all)) / POINTS;
    }
    return loss;
}

TEST(entanglement_follows_its_definition)
{
    pg_real x[ROWS * VALUES], dx[ROWS * VALUES], unused[ROWS * VALUES];
    draw(x, ROWS * VALUES, "points");
    const double loss = entangled(x, -3, dx);
    assert_close(loss, defined(x), in_double ? 1e-9 : 1e-5);
    if (!in_double) skip("differences need doubles");
    for (int p = 0; p < POINTS; p++)
        for (int k = 0; k < VALUES; k++) {
            pg_real *value = &x[rows[p] * VALUES + k];
            const pg_real saved = *value, h = (pg_real)1e-5;
            *value = saved + h;
            const double above = entangled(x, 0, unused);
            *value = saved - h;
            const double slope = -3 * (above - entangled(x, 0, unused)) / (2 * (double)h);
            *value = saved;
            assert_true(fabs(slope - (double)dx[rows[p] * VALUES + k]) <= 1e-7);
        }
}

/* Points of both groups in one place are as entangled as can be, and points of each in a place of their own not at all. */
TEST(entanglement_is_high_where_groups_mix)
{
    pg_real mixed[ROWS * VALUES], apart[ROWS * VALUES] = {0}, dx[ROWS * VALUES];
    for (int i = 0; i < ROWS * VALUES; i++) mixed[i] = 1;
    for (int p = 0; p < POINTS; p++) apart[rows[p] * VALUES + second[p]] = 1;
    assert_true(entangled(mixed, 0, dx) > entangled(apart, 0, dx) + 0.3);
}

/* ---- a step of a scheme ---- */

enum { DATA = 6, TRIGGERS = 4, ALL = DATA + TRIGGERS, IMAGE = 32 * 32 * 3 };

typedef struct scene {
    owner o;
    pg_net *net;
    pg_real images[ALL * IMAGE], begun[ALL * IMAGE], dlogits[ALL * 10], *scratch;
    int32_t labels[ALL];
    pg_step step;
} scene;

static scene *scene_of(const char *scheme, const char *yaml)
{
    scene *s;
    pg_layout layout;
    OK(pg_alloc(1, sizeof *s, &s, &err));
    s->o = owner_create(scheme, yaml);
    OK(pg_net_create(&s->o.spec, ALL, true, PG_CONV_AUTO, &s->net, &err));
    OK(pg_layout_plan(&s->o.spec, &layout, &err));
    const size_t scratch = s->o.scheme->scratch ? s->o.scheme->scratch(s->o.options, &layout, DATA, TRIGGERS) : 0;
    OK(pg_alloc(scratch, sizeof *s->scratch, &s->scratch, &err));
    pg_batch_range(&data.train, 0, DATA, PG_PIXELS_CIFAR, s->images);
    pg_batch_range(&s->o.evidence->triggers, 0, TRIGGERS, PG_PIXELS_CIFAR, s->images + DATA * IMAGE);
    memcpy(s->begun, s->images, sizeof s->images);
    for (int i = 0; i < ALL; i++) s->labels[i] = i < DATA ? i % 3 + 5 : s->o.evidence->triggers.labels[i - DATA];
    s->step = (pg_step){.evidence = s->o.evidence,
                        .model = s->o.model,
                        .net = s->net,
                        .count = DATA,
                        .triggers = TRIGGERS,
                        .pixels = PG_PIXELS_CIFAR,
                        .images = s->images,
                        .labels = s->labels,
                        .dlogits = s->dlogits,
                        .scratch = s->scratch};
    return s;
}

static void scene_end(scene *s)
{
    pg_net_destroy(&s->net);
    pg_free(s->scratch);
    owner_destroy(&s->o);
    pg_free(s);
}

/* The loss of the batch with what the scheme adds; with backward, its gradient is in the net. */
static double whole_loss(scene *s, bool backward)
{
    s->step.logits = pg_net_forward(s->net, s->o.model, PG_PUBLIC, PG_EVAL, s->images, ALL);
    double loss = pg_cross_entropy(ALL, 10, s->step.logits, s->labels, 0, s->dlogits, NULL);
    loss += s->o.scheme->between(s->o.options, &s->step);
    if (backward) {
        pg_net_zero_gradients(s->net);
        pg_net_backward(s->net, s->o.model, s->dlogits);
    }
    return loss;
}

static double trigger_loss(scene *s)
{
    const pg_real *logits = pg_net_forward(s->net, s->o.model, PG_PUBLIC, PG_EVAL, s->images + DATA * IMAGE, TRIGGERS);
    return pg_cross_entropy(TRIGGERS, 10, logits, s->labels + DATA, 0, NULL, NULL);
}

static double loss_between(scene *s)
{
    return whole_loss(s, false);
}

/* Compare `gradient` of `loss` at 60 parameters. */
static void compare(scene *s, double (*loss)(scene *s), double weight, const pg_real *gradient)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){6, "steps"}, "parameters", 0);
    for (int k = 0; k < 60; k++) {
        const size_t at = (size_t)pg_rng_below(&rng, s->o.model->param_count);
        pg_real *w = &s->o.model->params[at];
        const pg_real saved = *w;
        double best = INFINITY;
        for (double h = 1e-4; h > 1e-8; h /= 10) {
            *w = saved + (pg_real)h;
            const double above = loss(s);
            *w = saved - (pg_real)h;
            best = fmin(best, fabs(weight * (above - loss(s)) / (2 * h) - (double)gradient[at]));
        }
        *w = saved;
        if (!(best <= 1e-6 * fmax(fabs((double)gradient[at]), 1e-3)))
            fail_msg("parameter %zu: %.12g misses by %.2g", at, (double)gradient[at], best);
    }
}

static pg_real *kept_gradients(const scene *s)
{
    pg_real *kept;
    OK(pg_alloc(s->o.model->param_count, sizeof *kept, &kept, &err));
    memcpy(kept, pg_net_gradients(s->net), s->o.model->param_count * sizeof *kept);
    return kept;
}

/* Through every hidden activation that it reads, whose gradient meets that of the cross-entropy on its way. */
TEST(gradients_of_entangled_activations_match_differences)
{
    if (!in_double) skip("differences need doubles");
    scene *s = scene_of("ewe", "{source: -1, trigger_count: 4, strength: 2, layers: 4}");
    whole_loss(s, true);
    pg_real *gradient = kept_gradients(s);
    assert_true(s->o.scheme->between(s->o.options, &s->step) < -0.1);
    pg_net_zero_gradients(s->net);
    whole_loss(s, true); /* takes what `between` has just left */
    compare(s, loss_between, 1, gradient);
    pg_free(gradient);
    scene_end(s);
}

TEST(what_is_added_to_the_triggers_loss_has_its_gradient)
{
    static const char *const schemes[][2] = {{"margin", "{trigger_count: 4, weight: 0.3}"},
                                             {"blackmarks", "{trigger_count: 4, strength: 3, epsilon: 1}"}};
    if (!in_double) skip("differences need doubles");
    for (int i = 0; i < 2; i++) {
        scene *s = scene_of(schemes[i][0], schemes[i][1]);
        whole_loss(s, true);
        pg_real *gradient = kept_gradients(s);
        compare(s, loss_between, 1, gradient);
        pg_free(gradient);
        scene_end(s);
    }
}

/* The loss of the labels rises, pixels move by whole levels within the steps and their range, and the data stay. */
TEST(triggers_ascend_before_a_step)
{
    scene *s = scene_of("margin", "{trigger_count: 4, steps: 3}");
    const double before = trigger_loss(s);
    assert_int_equal(s->o.scheme->trigger_passes(s->o.options), 3);
    s->o.scheme->before(s->o.options, &s->step);
    assert_true(trigger_loss(s) > before);
    assert_memory_equal(s->images, s->begun, DATA * IMAGE * sizeof *s->images);
    int moved = 0;
    for (int i = DATA * IMAGE; i < ALL * IMAGE; i++) {
        const int c = i % 3;
        const double low = pg_pixel(PG_PIXELS_CIFAR, c, 0), high = pg_pixel(PG_PIXELS_CIFAR, c, 1), level = (high - low) / 255;
        const double levels = ((double)s->images[i] - (double)s->begun[i]) / level;
        assert_true(fabs(levels) < 3.01 && fabs(levels - round(levels)) < 0.01);
        assert_true((double)s->images[i] > low - 1e-6 && (double)s->images[i] < high + 1e-6);
        moved += fabs(levels) > 0.5;
    }
    assert_true(moved > TRIGGERS * IMAGE / 2);
    for (size_t i = 0; i < s->o.model->param_count; i++) assert_true(pg_net_gradients(s->net)[i] == 0);
    scene_end(s);
}

/* The weights are back, bit for bit, and the gradient is that of the weighted loss of the triggers at the moved weights. */
TEST(a_perturbation_leaves_the_gradient_of_the_moved_weights)
{
    scene *s = scene_of("zhang", "{labels: uniform, trigger_count: 4, perturbation: 0.02, perturbed_weight: 0.5}");
    pg_model *m = s->o.model;
    const size_t bytes = m->param_count * sizeof *m->params;
    pg_real *theta, *buffers;
    double moved = 0, all = 0;
    OK(pg_alloc(m->param_count, sizeof *theta, &theta, &err));
    OK(pg_alloc(m->buffer_count, sizeof *buffers, &buffers, &err));
    memcpy(theta, m->params, bytes);
    memcpy(buffers, m->buffers, m->buffer_count * sizeof *buffers);
    pg_trigger_pass(&s->step, 1);
    pg_real *first = kept_gradients(s);
    pg_net_zero_gradients(s->net);
    assert_true(s->o.scheme->triggers_apart(s->o.options));
    s->o.scheme->before(s->o.options, &s->step);
    assert_memory_equal(m->params, theta, bytes);
    assert_memory_equal(m->buffers, buffers, m->buffer_count * sizeof *buffers);
    pg_real *gradient = kept_gradients(s);
    const double before = trigger_loss(s);
    for (size_t i = 0; i < m->param_count; i++) {
        moved += (double)first[i] * (double)first[i];
        all += (double)theta[i] * (double)theta[i];
    }
    for (size_t i = 0; i < m->param_count; i++) m->params[i] += (pg_real)(0.02 * sqrt(all / moved) * (double)first[i]);
    assert_true(trigger_loss(s) > before);
    if (in_double) compare(s, trigger_loss, 0.5, gradient);
    pg_free(first);
    pg_free(gradient);
    pg_free(theta);
    pg_free(buffers);
    scene_end(s);
    owner plain = owner_create("zhang", "{trigger_count: 4}");
    assert_false(plain.scheme->triggers_apart(plain.options) || plain.scheme->trigger_passes(plain.options));
    owner_destroy(&plain);
}
