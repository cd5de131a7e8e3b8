/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forward and backward passes: passports, branches, threads, modes, and frozen layers. */
#include "tests/unit/small_net.h"

#include <math.h>
#include <stdlib.h>

SET_UP
{
    pg_compute_start(1);
}

/* ---- the affine of a passport ---- */

/* The mean over output positions of a passport convolved with filter k, straight from the definition. */
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

/* Both branches at once against two whole passes, for two steps with another pass between them. */
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

/* The layers are wide enough that every kernel's work is cut into several parts. */
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

/* A net for evaluation needs less memory than a training net and gives the same bits. The logits of an image do not depend on
 * the rest of its batch. */
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
    for (int scheme = 0; scheme < SCHEMES; scheme++) {
        const pg_net_spec spec = odd_spec(PG_NORM_BN, all_schemes[scheme], "two three");
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

/* Gradients of affines, passports and images stay the same, for fewer multiply-adds. */
TEST(kept_weights_cost_no_gradient)
{
    static const char *const schemes[] = {"v1", "v2", "pan"};
    for (int i = 0; i < 3; i++) {
        small_net s[2];
        const pg_net_spec spec = small_spec("resnet9", PG_NORM_BN, schemes[i], "default");
        for (int kept = 0; kept < 2; kept++) {
            open_small(&s[kept], &spec, PG_CONV_AUTO);
            pg_net_train_from(s[kept].net, PG_IMAGES);
            if (kept) pg_net_keep_weights(s[kept].net, true);
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

/* Additions with a negative first summand a, and with a negative second one, inferred from the results y = max(0, a + b). */
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
        /* The summand that the previous row does not add in its own pass: an identity, or the second convolution. */
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

/* Without it, four second convolutions and three shortcuts enter an addition without ReLU; the first block's shortcut is the
 * identity. */
TEST(relu_before_add_is_an_option_of_residual_nets)
{
    int first, second;
    count_negative(true, &first, &second);
    assert_true(first == 0 && second == 0);
    count_negative(false, &first, &second);
    assert_true(first == 4 && second == 3);
}
