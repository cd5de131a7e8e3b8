/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rewrites keep the function of a network: channel spaces, then the logits before and after, for every architecture, norm and
 * kind of branch. Rewrites that would change the logits are refused. Both builds run this; the bound of the double one is
 * 1e-9. */
#include "core/nets/rewrite.h"
#include "core/ownership/passport_rewrite.h"
#include "tests/unit/small_net.h"

#include <math.h>

static const double bound = sizeof(pg_real) == sizeof(double) ? 1e-9 : 2e-4; /* of a logit, relative to the largest */
static const unsigned all_parts = PG_REWRITE_PERMUTE | PG_REWRITE_SCALE | PG_REWRITE_FLIP;
enum { LOGITS = SMALL_BATCH * SMALL_CLASSES };

SET_UP
{
    pg_compute_start(1);
}

/* Most layers have two or more groups. */
static pg_net_spec wide_spec(const char *arch, pg_norm_kind norm, const char *scheme)
{
    pg_net_spec spec = small_spec(arch, norm, scheme, "default");
    spec.width = 0.125;
    if (strstr(arch, "imagenet")) spec.image_height = spec.image_width = 64;
    return spec;
}

/* ---- spaces ---- */

static pg_spaces spaces_of(const char *arch, pg_layout *layout)
{
    pg_spaces spaces;
    const pg_net_spec spec = pg_net_spec_plain(pg_arch_find(arch), PG_NORM_BN, 10);
    OK(pg_layout_plan(&spec, layout, &err));
    pg_spaces_find(layout, &spaces);
    return spaces;
}

static int count_layers(const pg_layout *layout, const pg_spaces *spaces, int space,
                        bool (*relates)(const pg_layout *, const pg_spaces *, int, int))
{
    int count = 0;
    for (int i = 0; i < layout->layer_count; i++) count += relates(layout, spaces, i, space);
    return count;
}

TEST(alexnet_has_a_space_per_convolution)
{
    pg_layout layout;
    const pg_spaces spaces = spaces_of("alexnet", &layout);
    const int channels[] = {64, 192, 384, 256, 256};
    assert_int_equal(spaces.count, 5);
    for (int s = 0; s < 5; s++) {
        assert_int_equal(spaces.channels[s], channels[s]);
        assert_int_equal(count_layers(&layout, &spaces, s, pg_layer_makes), 1);
        assert_int_equal(count_layers(&layout, &spaces, s, pg_layer_reads), 1);
    }
    assert_int_equal(spaces.in[0], PG_FIXED);
    assert_int_equal(spaces.in[layout.layer_count - 1], 4);
    assert_int_equal(spaces.out[layout.layer_count - 1], PG_FIXED);
}

/* One space for each stage, which stem, second convolutions and shortcut write, and one inside each block. */
TEST(additions_join_the_channels_of_a_resnet_stage)
{
    pg_layout layout;
    const pg_spaces spaces = spaces_of("resnet18", &layout);
    const int channels[] = {64, 64, 64, 128, 128, 128, 256, 256, 256, 512, 512, 512};
    const int makers[] = {3, 1, 1, 1, 3, 1, 1, 3, 1, 1, 3, 1}; /* stem, block, block; block, stage, block; ... */
    assert_int_equal(spaces.count, 12);
    for (int s = 0; s < 12; s++) {
        assert_int_equal(spaces.channels[s], channels[s]);
        assert_int_equal(count_layers(&layout, &spaces, s, pg_layer_makes), makers[s]);
    }
    for (int i = 0; i < layout.layer_count; i++)
        if (layout.layers[i].row.kind == PG_ROW_ADD) {
            assert_int_equal(spaces.out[i], spaces.out[layout.layers[i].row.input]);
            assert_int_equal(spaces.out[i], spaces.out[layout.layers[i].row.other]);
        }
}

/* ---- functions that stay ---- */

static void forward(small_net *s, pg_model *model, pg_branch branch, pg_real *logits)
{
    if (branch == PG_PRIVATE) pg_net_refresh_passports(s->net, model);
    memcpy(logits, pg_net_forward(s->net, model, branch, PG_EVAL, s->images, SMALL_BATCH), LOGITS * sizeof *logits);
}

static double largest(const pg_real *a, const pg_real *b)
{
    double most = 0;
    for (int i = 0; i < LOGITS; i++) most = fmax(most, fabs((double)a[i] - (b ? (double)b[i] : 0)));
    return most;
}

/* A small network, a rewrite of it, and the rewritten network with its passports. */
typedef struct rewritten {
    small_net s;
    pg_rewrite *rewrite;
    pg_model *model;
} rewritten;

static void apply(rewritten *w)
{
    OK(pg_model_rewrite(w->s.model, w->rewrite, w->model, &err));
    if (!w->s.evidence) return;
    OK(pg_passports_rewrite(w->s.evidence, &w->model->layout, w->rewrite, &err));
    OK(pg_passports_install(w->s.net, w->model, w->s.evidence, &err));
}

static void begin(rewritten *w, const pg_net_spec *spec)
{
    open_small(&w->s, spec, PG_CONV_AUTO);
    OK(pg_rewrite_create(&w->s.model->layout, &w->rewrite, &err));
    OK(pg_model_create(spec, &w->model, &err));
}

static void end(rewritten *w)
{
    pg_rewrite_destroy(&w->rewrite);
    pg_model_destroy(&w->model);
    close_small(&w->s);
}

/* Largest change of a logit, relative to the largest logit, when the drawn rewrite is applied. */
static double change(const pg_net_spec *spec, pg_branch branch, unsigned parts, uint64_t epoch)
{
    rewritten w;
    pg_real before[LOGITS], after[LOGITS];
    pg_rng rng;
    begin(&w, spec);
    pg_rng_open(&rng, (pg_seed){.grid = 3, .task = spec->arch->name}, "rewrite", epoch);
    forward(&w.s, w.s.model, branch, before);
    pg_rewrite_draw(w.s.model, branch, parts, &rng, w.rewrite);
    OK(pg_rewrite_check(w.s.model, branch, w.rewrite, &err));
    apply(&w);
    forward(&w.s, w.model, branch, after);
    assert_true(largest(before, NULL) > 0);
    const double found = largest(before, after) / largest(before, NULL);
    const bool same = memcmp(w.model->params, w.s.model->params, w.model->param_count * sizeof *w.model->params) == 0;
    if (same && parts & PG_REWRITE_PERMUTE) fail_msg("%s: the weights did not change", spec->arch->name);
    end(&w);
    return found;
}

static void keeps(const pg_net_spec *spec, pg_branch branch, const char *what)
{
    const unsigned parts[] = {PG_REWRITE_PERMUTE, PG_REWRITE_SCALE, PG_REWRITE_FLIP, all_parts};
    for (int i = 0; i < 4; i++) {
        const double found = change(spec, branch, parts[i], (uint64_t)i);
        if (!(found <= bound))
            fail_msg("%s, %s, %s, parts %u: logits changed by %g", spec->arch->name, pg_norm_kind_name(spec->norm), what,
                     parts[i], found);
    }
}

TEST(plain_networks_of_every_norm_keep_their_logits)
{
    static const char *const archs[] = {"alexnet", "resnet9", "resnet18", "alexnet-imagenet"};
    for (int a = 0; a < 4; a++)
        for (int norm = 0; norm < NORMS; norm++) {
            const pg_net_spec spec = wide_spec(archs[a], (pg_norm_kind)norm, "plain");
            keeps(&spec, PG_PUBLIC, "plain");
        }
}

TEST(networks_with_convolutions_in_groups_keep_their_logits)
{
    for (int norm = 0; norm < NORMS; norm++) {
        const pg_net_spec plain = grouped_spec((pg_norm_kind)norm, "plain", "default"),
                          passports = grouped_spec((pg_norm_kind)norm, "v2", "default");
        keeps(&plain, PG_PUBLIC, "plain");
        keeps(&passports, PG_PUBLIC, "v2");
        keeps(&passports, PG_PRIVATE, "v2");
    }
}

/* A depthwise convolution passes the channels of its input on. Nobody may reorder those around other groups. */
TEST(depthwise_convolutions_join_spaces_and_other_groups_end_them)
{
    const pg_net_spec spec = grouped_spec(PG_NORM_BN, "plain", "default");
    pg_layout layout;
    pg_spaces s;
    OK(pg_layout_plan(&spec, &layout, &err));
    pg_spaces_find(&layout, &s);
    static const int out[] = {0, 0, -1, -1, -1, -1, -1, -1, -1, 1, 1, -1};
    for (int i = 0; i < layout.layer_count; i++) assert_int_equal(s.out[i], out[i]);
    assert_int_equal(s.count, 2);
    assert_true(pg_layer_makes(&layout, &s, 1, 0) && !pg_layer_reads(&layout, &s, 1, 0));
}

TEST(a_resnet_without_relu_before_additions_keeps_its_logits)
{
    pg_net_spec spec = wide_spec("resnet9", PG_NORM_BN, "plain");
    spec.relu_before_add = false;
    keeps(&spec, PG_PUBLIC, "plain");
}

TEST(public_branches_beside_passports_keep_their_logits)
{
    static const char *const schemes[] = {"v2", "pan"};
    for (int i = 0; i < 2; i++)
        for (int norm = 0; norm < NORMS; norm++) {
            const pg_net_spec spec = wide_spec(i ? "resnet9" : "alexnet", (pg_norm_kind)norm, schemes[i]);
            keeps(&spec, PG_PUBLIC, schemes[i]);
        }
}

TEST(private_branches_keep_their_logits_when_the_passports_follow)
{
    static const char *const schemes[] = {"v1", "v2", "pan"};
    for (int i = 0; i < 3; i++)
        for (int norm = 0; norm < NORMS; norm++) {
            const pg_net_spec spec = wide_spec(i == 1 ? "resnet9" : "alexnet", (pg_norm_kind)norm, schemes[i]);
            keeps(&spec, PG_PRIVATE, schemes[i]);
        }
}

TEST(both_branches_can_be_kept_at_once)
{
    pg_net_spec spec = wide_spec("alexnet", PG_NORM_BN, "v2");
    rewritten w;
    pg_rng rng;
    begin(&w, &spec);
    pg_rng_open(&rng, (pg_seed){.grid = 3, .task = "both"}, "rewrite", 0);
    pg_real before[2][LOGITS], after[2][LOGITS];
    for (int b = 0; b < 2; b++) forward(&w.s, w.s.model, (pg_branch)b, before[b]);
    pg_rewrite_draw(w.s.model, PG_BOTH, all_parts, &rng, w.rewrite);
    OK(pg_rewrite_check(w.s.model, PG_BOTH, w.rewrite, &err));
    apply(&w);
    for (int b = 0; b < 2; b++) {
        forward(&w.s, w.model, (pg_branch)b, after[b]);
        assert_true(largest(before[b], after[b]) <= bound * largest(before[b], NULL));
    }
    end(&w);
}

/* ---- what each rewrite does to the owner's passports ---- */

static int agreeing_bits(small_net *s, const pg_model *model, const pg_evidence *evidence)
{
    int agree = 0;
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_real *gamma = pg_net_gamma(s->net, i);
        for (int o = 0; o < pg_model_passport_layer(model, i)->out_channels; o++)
            agree += gamma[o] != 0 && (gamma[o] > 0) == (evidence->passports[i].b[o] > 0);
    }
    return agree;
}

/* The network's own signature: the signs of gamma. */
static void sign_as_gamma(small_net *s)
{
    for (int i = 0; i < s->evidence->passport_count; i++)
        for (int o = 0; o < s->evidence->passports[i].outputs; o++)
            s->evidence->passports[i].b[o] = pg_net_gamma(s->net, i)[o] > 0 ? 1 : -1;
}

TEST(the_signature_follows_the_rewritten_passports_and_leaves_the_owners)
{
    const pg_net_spec spec = wide_spec("alexnet", PG_NORM_BN, "v2");
    rewritten w;
    pg_rng rng;
    pg_evidence *owners = NULL;
    begin(&w, &spec);
    sign_as_gamma(&w.s);
    OK(pg_evidence_clone(w.s.evidence, &owners, &err));
    const int bits = pg_evidence_bits(owners);
    assert_int_equal(agreeing_bits(&w.s, w.s.model, owners), bits);
    pg_rng_open(&rng, (pg_seed){.grid = 3, .task = "signature"}, "rewrite", 0);
    pg_rewrite_draw(w.s.model, PG_PUBLIC, all_parts, &rng, w.rewrite);
    apply(&w);
    assert_int_equal(agreeing_bits(&w.s, w.model, w.s.evidence), bits);
    OK(pg_passports_install(w.s.net, w.model, owners, &err));
    assert_true(agreeing_bits(&w.s, w.model, owners) < bits * 3 / 4);
    pg_evidence_destroy(&owners);
    end(&w);
}

/* ---- what is refused ---- */

/* The rewrite is refused for good reason: it would change the logits of the branch. */
static void changes(rewritten *w, pg_branch branch, const char *message)
{
    pg_real before[LOGITS], after[LOGITS];
    FAILS(pg_rewrite_check(w->s.model, branch, w->rewrite, &err), PG_BAD_INPUT, message);
    forward(&w->s, w->s.model, branch, before);
    apply(w);
    forward(&w->s, w->model, branch, after);
    assert_true(largest(before, after) > 1e-3 * largest(before, NULL));
    end(w);
}

static void begin_plain(rewritten *w, const char *scheme, pg_norm_kind norm)
{
    const pg_net_spec spec = wide_spec("alexnet", norm, scheme);
    begin(w, &spec);
}

TEST(flips_that_no_norm_takes_back_are_refused)
{
    rewritten w;
    begin_plain(&w, "plain", PG_NORM_NONE);
    w.rewrite->gain[2][5] = -1;
    changes(&w, PG_PUBLIC, "channel 5 of features.2");
    begin_plain(&w, "plain", PG_NORM_GN);
    w.rewrite->gain[2][5] = -1;
    changes(&w, PG_PUBLIC, "channel 5 of features.2");
    begin_plain(&w, "plain", PG_NORM_IN);
    w.rewrite->gain[2][5] = -1;
    changes(&w, PG_PUBLIC, "channel 5 of features.2");
}

TEST(one_flip_in_a_private_branch_is_refused)
{
    rewritten w;
    begin_plain(&w, "v1", PG_NORM_BN);
    for (int o = 0; o < 16; o++) w.rewrite->gain[4][o] = -1;
    changes(&w, PG_PRIVATE, "channel 0 of features.4");
}

TEST(permutations_across_groups_are_refused)
{
    rewritten w;
    begin_plain(&w, "plain", PG_NORM_GN);
    w.rewrite->from[1][3] = 19;
    w.rewrite->from[1][19] = 3;
    changes(&w, PG_PUBLIC, "mixes the groups");
}

TEST(rewrites_that_do_not_fit_are_refused)
{
    rewritten w;
    begin_plain(&w, "plain", PG_NORM_BN);
    w.rewrite->from[1][3] = 4;
    FAILS(pg_model_rewrite(w.s.model, w.rewrite, w.model, &err), PG_BAD_INPUT, "channels of space 1");
    w.rewrite->from[1][3] = 3;
    w.rewrite->scale[1][3] = -1;
    FAILS(pg_rewrite_check(w.s.model, PG_PUBLIC, w.rewrite, &err), PG_BAD_INPUT, "scale -1 of channel 3");
    w.rewrite->scale[1][3] = 1;
    pg_net_spec other = wide_spec("alexnet", PG_NORM_GN, "plain");
    pg_model *model = NULL;
    OK(pg_model_create(&other, &model, &err));
    FAILS(pg_model_rewrite(w.s.model, w.rewrite, model, &err), PG_BAD_INPUT, "different architectures, norms");
    pg_model_destroy(&model);
    end(&w);
}

/* A dead channel has no variance, so batch norm divides by its epsilon alone. */
TEST(gains_below_what_batch_norm_takes_back_are_refused_and_never_drawn)
{
    rewritten w;
    pg_rng rng;
    begin_plain(&w, "plain", PG_NORM_BN);
    pg_real *variance = w.s.model->buffers + w.s.model->layers[0].affine[PG_PUBLIC].var;
    for (int o = 0; o < 16; o++) variance[o] = o % 2 ? 0 : (pg_real)1e-5;
    w.rewrite->gain[0][1] = 0.5;
    FAILS(pg_rewrite_check(w.s.model, PG_PUBLIC, w.rewrite, &err), PG_BAD_INPUT, "gain 0.5");
    w.rewrite->gain[0][1] = 1;
    pg_rng_open(&rng, (pg_seed){.grid = 3, .task = "dead"}, "rewrite", 0);
    pg_rewrite_draw(w.s.model, PG_PUBLIC, all_parts, &rng, w.rewrite);
    OK(pg_rewrite_check(w.s.model, PG_PUBLIC, w.rewrite, &err));
    end(&w);
}
