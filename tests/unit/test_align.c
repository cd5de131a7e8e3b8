/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alignment recovers rewritten networks with their signatures, also with noise, other wirings, surplus channels and images.
 * Independent networks do not align. */
#include "core/ownership/align.h"
#include "core/ownership/correlations.h"
#include "tests/unit/small_net.h"

#include <math.h>

static const unsigned all_parts = PG_REWRITE_PERMUTE | PG_REWRITE_SCALE | PG_REWRITE_FLIP;
static const char *const archs[] = {"alexnet", "resnet9", "resnet18"};

SET_UP
{
    pg_compute_start(1);
}

/* Most layers have two or more groups. */
static pg_net_spec wide_spec(const char *arch, pg_norm_kind norm, const char *scheme)
{
    pg_net_spec spec = small_spec(arch, norm, scheme, "default");
    spec.width = 0.125;
    return spec;
}

/* An original, and a thief's copy of it, rewritten. */
typedef struct theft {
    small_net owner;
    pg_rewrite *rewrite;
    pg_model *stolen;
    pg_alignment alignment;
} theft;

static void add_noise(pg_model *model, double level)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 5, .task = "noise"}, "weights", 0);
    for (int i = 0; i < model->layer_count; i++) {
        if (model->layers[i].weight < 0) continue;
        const pg_filters f = pg_layer_filters(&model->layers[i]);
        const int count = f.taps * f.inputs * f.outputs;
        pg_real *w = model->params + model->layers[i].weight;
        double square = 0;
        for (int e = 0; e < count; e++) square += (double)w[e] * (double)w[e];
        for (int e = 0; e < count; e++) w[e] += (pg_real)(level * sqrt(square / count) * pg_rng_normal(&rng));
    }
}

static void steal(theft *t, const pg_net_spec *spec, double noise)
{
    pg_model *copy = NULL;
    pg_rng rng;
    *t = (theft){0};
    open_small(&t->owner, spec, PG_CONV_AUTO);
    pg_rng_open(&rng, (pg_seed){.grid = 5, .task = spec->arch->name}, "rewrite", 0);
    OK(pg_model_clone(t->owner.model, &copy, &err));
    add_noise(copy, noise);
    OK(pg_model_create(spec, &t->stolen, &err));
    OK(pg_rewrite_create(&copy->layout, &t->rewrite, &err));
    pg_rewrite_draw(copy, pg_net_spec_deployed(spec), all_parts, &rng, t->rewrite);
    OK(pg_model_rewrite(copy, t->rewrite, t->stolen, &err));
    pg_model_destroy(&copy);
}

static void align_to_owner(theft *t)
{
    OK(pg_align(t->owner.model, t->stolen, NULL, 0, &t->alignment, &err));
}

static void end(theft *t)
{
    pg_alignment_clear(&t->alignment);
    pg_rewrite_destroy(&t->rewrite);
    pg_model_destroy(&t->stolen);
    close_small(&t->owner);
}

/* The number of channels of the original that are paired with the copy of another channel. */
static int wrong_pairs(const theft *t)
{
    int wrong = 0;
    for (int s = 0; s < t->rewrite->spaces.count; s++)
        for (int o = 0; o < t->rewrite->spaces.channels[s]; o++)
            wrong += t->rewrite->from[s][t->alignment.rewrite->from[s][o]] != o;
    return wrong;
}

/* Largest difference of parameters and running statistics, relative to the largest of the same tensor. */
static double difference(const pg_model *a, const pg_model *b)
{
    double worst = 0;
    pg_tensor tensors[PG_ROWS_MAX * 8];
    pg_layout_tensors(&a->layout, tensors);
    for (int i = 0; i < a->tensor_count; i++) {
        const pg_tensor *t = &tensors[i];
        const pg_real *x = (t->buffer ? a->buffers : a->params) + t->offset,
                      *y = (t->buffer ? b->buffers : b->params) + t->offset;
        double most = 0, off = 0;
        for (size_t e = 0; e < t->count; e++) {
            most = fmax(most, fabs((double)x[e]));
            off = fmax(off, fabs((double)x[e] - (double)y[e]));
        }
        worst = fmax(worst, off / most);
    }
    return worst;
}

static void comes_back(const pg_net_spec *spec)
{
    theft t;
    steal(&t, spec, 0);
    align_to_owner(&t);
    const double off = difference(t.owner.model, t.alignment.model);
    if (wrong_pairs(&t) || !(off < 1e-4) || !(t.alignment.similarity > 0.9999))
        fail_msg("%s, %s: %d wrong pairs, tensors off by %g, similarity %g", spec->arch->name, pg_norm_kind_name(spec->norm),
                 wrong_pairs(&t), off, t.alignment.similarity);
    assert_true(t.alignment.rival < 0.5);
    end(&t);
}

TEST(rewritten_networks_of_every_norm_come_back_whole)
{
    for (int a = 0; a < 3; a++)
        for (int norm = 0; norm < NORMS; norm++) {
            const pg_net_spec spec = wide_spec(archs[a], (pg_norm_kind)norm, "plain");
            comes_back(&spec);
        }
}

TEST(depthwise_convolutions_come_back_whole)
{
    for (int norm = 0; norm < NORMS; norm++) {
        const pg_net_spec spec = wide_spec("mobilenet", (pg_norm_kind)norm, "plain");
        comes_back(&spec);
    }
}

TEST(hidden_dense_layers_are_aligned_too)
{
    theft t;
    pg_net_spec spec = wide_spec("alexnet-imagenet", PG_NORM_BN, "plain");
    spec.width = 0.0625;
    spec.image_height = spec.image_width = 64;
    steal(&t, &spec, 0);
    align_to_owner(&t);
    assert_int_equal(wrong_pairs(&t), 0);
    assert_true(difference(t.owner.model, t.alignment.model) < 1e-4);
    end(&t);
}

/* If these scales were not undone before weights are compared, one channel would outweigh all others. */
TEST(scales_over_sixteen_orders_of_magnitude_are_read_off)
{
    for (int a = 0; a < 2; a++) {
        theft t;
        pg_rng rng;
        const pg_net_spec spec = wide_spec(archs[a], PG_NORM_BN, "plain");
        steal(&t, &spec, 0);
        pg_rng_open(&rng, (pg_seed){.grid = 5, .task = "orders"}, "scales", 0);
        for (int s = 0; s < t.rewrite->spaces.count; s++)
            for (int o = 0; o < t.rewrite->spaces.channels[s]; o++)
                t.rewrite->scale[s][o] = pow(10, 16 * pg_rng_uniform(&rng) - 8);
        OK(pg_model_rewrite(t.owner.model, t.rewrite, t.stolen, &err));
        align_to_owner(&t);
        assert_int_equal(wrong_pairs(&t), 0);
        assert_true(difference(t.owner.model, t.alignment.model) < 1e-4);
        end(&t);
    }
}

TEST(a_network_of_zeros_is_aligned_with_a_similarity_of_zero)
{
    theft t;
    const pg_net_spec spec = wide_spec("resnet9", PG_NORM_GN, "plain");
    steal(&t, &spec, 0);
    memset(t.stolen->params, 0, t.stolen->param_count * sizeof *t.stolen->params);
    align_to_owner(&t);
    assert_true(t.alignment.similarity == 0);
    assert_true(pg_all_finite(t.alignment.model->param_count, t.alignment.model->params));
    end(&t);
}

/* ---- signatures ---- */

/* The number of bits that a network agrees with. Before the theft the owner's network agrees with all of them. */
static int agreeing(theft *t, const pg_model *model)
{
    int agree = 0;
    OK(pg_passports_install(t->owner.net, model, t->owner.evidence, &err));
    for (int i = 0; i < t->owner.evidence->passport_count; i++)
        for (int o = 0; o < t->owner.evidence->passports[i].outputs; o++)
            agree += (pg_net_gamma(t->owner.net, i)[o] > 0) == (t->owner.evidence->passports[i].b[o] > 0);
    return agree;
}

static void sign_as_gamma(theft *t)
{
    OK(pg_passports_install(t->owner.net, t->owner.model, t->owner.evidence, &err));
    for (int i = 0; i < t->owner.evidence->passport_count; i++)
        for (int o = 0; o < t->owner.evidence->passports[i].outputs; o++)
            t->owner.evidence->passports[i].b[o] = pg_net_gamma(t->owner.net, i)[o] > 0 ? 1 : -1;
}

TEST(signatures_come_back_whole)
{
    static const char *const schemes[] = {"v1", "v2", "pan"};
    for (int i = 0; i < 3; i++)
        for (int norm = 0; norm < 2; norm++) { /* bn, gn */
            theft t;
            const pg_net_spec spec = wide_spec(i == 1 ? "resnet9" : "alexnet", (pg_norm_kind)norm, schemes[i]);
            steal(&t, &spec, 0);
            sign_as_gamma(&t);
            const int bits = pg_evidence_bits(t.owner.evidence);
            assert_true(agreeing(&t, t.stolen) < bits * 3 / 4);
            align_to_owner(&t);
            assert_int_equal(agreeing(&t, t.alignment.model), bits);
            end(&t);
        }
}

/* The thief removes the private branch; the original has it. */
TEST(a_public_copy_is_aligned_to_an_original_with_passports)
{
    theft t;
    pg_model *public = NULL;
    const pg_net_spec spec = wide_spec("resnet9", PG_NORM_BN, "v2"), plain = pg_net_spec_public(&spec);
    steal(&t, &spec, 0);
    OK(pg_model_create(&plain, &public, &err));
    OK(pg_model_copy(t.stolen, public, &err));
    OK(pg_align(t.owner.model, public, NULL, 0, &t.alignment, &err));
    assert_false(t.alignment.model->spec.private_affine);
    assert_int_equal(wrong_pairs(&t), 0);
    pg_model_destroy(&public);
    end(&t);
}

/* ---- noise, images ---- */

TEST(noise_on_the_weights_does_not_hide_the_pairs)
{
    for (int a = 0; a < 3; a++)
        for (int norm = 0; norm < NORMS; norm++) {
            theft t;
            const pg_net_spec spec = wide_spec(archs[a], (pg_norm_kind)norm, "plain");
            steal(&t, &spec, 0.1);
            align_to_owner(&t);
            assert_int_equal(wrong_pairs(&t), 0);
            assert_true(t.alignment.similarity > 0.99);
            end(&t);
        }
}

/* Noise as large as the weights: the cosine of a filter with its copy is 1 / sqrt(2). */
TEST(even_noise_as_large_as_the_weights_leaves_most_pairs)
{
    theft t;
    const pg_net_spec spec = wide_spec("alexnet", PG_NORM_BN, "plain");
    steal(&t, &spec, 1);
    align_to_owner(&t);
    assert_in_range(wrong_pairs(&t), 0, 4);
    assert_true(t.alignment.similarity > 0.6);
    assert_true(t.alignment.similarity > 2 * t.alignment.rival);
    end(&t);
}

TEST(activations_tell_the_pairs_by_themselves)
{
    theft t;
    pg_correlations *correlations = NULL;
    double score[32 * 32];
    const pg_net_spec spec = wide_spec("resnet9", PG_NORM_BN, "plain");
    steal(&t, &spec, 0);
    OK(pg_correlations_measure(t.owner.model, t.stolen, t.owner.images, SMALL_BATCH, &correlations, &err));
    for (int s = 0; s < t.rewrite->spaces.count; s++) {
        const int channels = t.rewrite->spaces.channels[s];
        if (channels > 32) continue;
        memset(score, 0, sizeof score);
        pg_correlations_add(correlations, s, score);
        for (int j = 0; j < channels; j++) {
            const double c = score[t.rewrite->from[s][j] * channels + j];
            if (c != 0 && !(c > 0.999)) fail_msg("space %d, channel %d: correlation %g with its copy", s, j, c);
        }
    }
    pg_correlations_destroy(&correlations);
    end(&t);
}

TEST(images_are_used_where_both_networks_run)
{
    static const char *const schemes[] = {"plain", "v1"};
    for (int i = 0; i < 2; i++) {
        theft t;
        const pg_net_spec spec = wide_spec("alexnet", PG_NORM_GN, schemes[i]);
        steal(&t, &spec, 0.1);
        OK(pg_align(t.owner.model, t.stolen, t.owner.images, SMALL_BATCH, &t.alignment, &err));
        assert_int_equal(wrong_pairs(&t), 0);
        end(&t);
    }
}

/* ---- independent networks ---- */

TEST(an_independent_network_is_not_similar)
{
    for (int a = 0; a < 3; a++)
        for (int norm = 0; norm < 2; norm++) { /* bn, gn */
            theft t;
            const pg_net_spec spec = wide_spec(archs[a], (pg_norm_kind)norm, "plain");
            steal(&t, &spec, 0);
            pg_model_initialise(t.stolen, (pg_seed){.grid = 6, .task = "independent"}, "initial");
            align_to_owner(&t);
            if (!(t.alignment.similarity < 0.25) || !(t.alignment.similarity < t.alignment.rival))
                fail_msg("%s, %s: similarity %g, rival %g", archs[a], pg_norm_kind_name((pg_norm_kind)norm),
                         t.alignment.similarity, t.alignment.rival);
            end(&t);
        }
}

/* Gammas are positive in both networks, so nothing was flipped. Signs taken from weak cosines would lend the original's bits to
 * any network. */
TEST(unrelated_filters_get_the_sign_that_gamma_tells)
{
    theft t;
    const pg_net_spec spec = wide_spec("resnet9", PG_NORM_BN, "plain");
    steal(&t, &spec, 0);
    memcpy(t.stolen->params, t.owner.model->params, t.stolen->param_count * sizeof *t.stolen->params);
    pg_model_initialise(t.stolen, (pg_seed){.grid = 6, .task = "independent"}, "initial");
    align_to_owner(&t);
    int filters = 0, flipped = 0;
    for (int i = 1; i < t.stolen->layer_count; i++) /* filters of the first layer are short, so unrelated ones may be alike */
        for (int o = 0; t.alignment.rewrite->gain[i] && o < t.owner.model->layers[i].out_channels; o++, filters++)
            flipped += t.alignment.rewrite->gain[i][o] < 0;
    assert_true(filters > 100);
    assert_in_range(flipped, 0, filters / 20);
    end(&t);
}

/* ---- surplus channels ---- */

/* The content of each block of a widened space: a block of the original; a second copy of one, which shares its outgoing
 * weights; random filters that no layer reads; or one of two copies of random filters whose outgoing weights cancel. */
typedef enum kind { REAL, SPLIT, UNREAD, PLUS, MINUS } kind;

typedef struct widened {
    int channels;
    kind kind[1024];
    int source[1024];    /* channel of the original; of random filters, a number that copies share */
    bool is_split[1024]; /* by channel of the original */
} widened;

static widened spaces[PG_ROWS_MAX], fixed;

/* A number in (-1, 1) that follows from the key. */
static double noise(int a, int b, int c, int d)
{
    uint64_t z = (uint64_t)a * 0x9E3779B97F4A7C15 + (uint64_t)b * 0xC2B2AE3D27D4EB4F + (uint64_t)c * 0x165667B19E3779F9 +
                 (uint64_t)d * 0xD6E8FEB86659FD93;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return (double)((z ^ (z >> 31)) >> 11) / (double)(1ULL << 52) - 1;
}

static void plan_space(widened *w, int ours, int theirs)
{
    const int blocks = theirs / PG_NORM_GROUP, real = ours / PG_NORM_GROUP;
    *w = (widened){.channels = theirs};
    for (int b = 0; b < blocks; b++) {
        const int extra = b - real;
        kind k = extra < 0 ? REAL : extra % 4 == 0 ? SPLIT : extra % 4 == 1 ? UNREAD : extra % 4 == 2 ? PLUS : MINUS;
        if (k == PLUS && b == blocks - 1) k = UNREAD;
        for (int c = 0; c < PG_NORM_GROUP; c++) {
            const int channel = b * PG_NORM_GROUP + c, of = k == SPLIT ? extra % real * PG_NORM_GROUP + c : channel;
            w->kind[channel] = k;
            w->source[channel] = k == MINUS ? channel - PG_NORM_GROUP : of;
            if (k == SPLIT) w->is_split[of] = true;
        }
    }
}

/* The share of an outgoing weight that channel c has, of the original or of random filters. All copies have the same key. */
static double outgoing(const widened *in, int c, int layer, int tap, int o, const pg_model *model, int source)
{
    const pg_filters f = pg_layer_filters(&model->layers[layer]);
    const double share = noise(layer, tap, o, in->source[c]);
    if (in->kind[c] == UNREAD) return 0;
    if (in->kind[c] == PLUS || in->kind[c] == MINUS) return in->kind[c] == PLUS ? share : -share;
    const double w = source < 0 ? 0.2 * noise(layer, tap, source, in->source[c])
                                : (double)model->params[model->layers[layer].weight + tap * f.tap_step +
                                                        in->source[c] * f.input_step + source * f.output_step];
    if (in->kind[c] == SPLIT) return share * w;
    return in->is_split[c] ? (1 - share) * w : w;
}

static void widen_layer(const pg_model *model, const widened *in, const widened *out, int layer, pg_model *wide)
{
    const pg_layer *l = &model->layers[layer], *m = &wide->layers[layer];
    const pg_filters g = pg_layer_filters(m);
    for (int t = 0; t < g.taps; t++)
        for (int i = 0; i < g.inputs; i++)
            for (int o = 0; o < g.outputs; o++) {
                const int random = out->kind[o] > SPLIT;
                const int key = out->source[o], source = random ? -1 - key : key;
                wide->params[m->weight + t * g.tap_step + i * g.input_step + o * g.output_step] =
                    (pg_real)outgoing(in, i, layer, t, key, model, source);
            }
    const ptrdiff_t from[] = {l->bias, l->affine[0].gamma, l->affine[0].beta, l->affine[0].mean, l->affine[0].var};
    const ptrdiff_t to[] = {m->bias, m->affine[0].gamma, m->affine[0].beta, m->affine[0].mean, m->affine[0].var};
    for (int v = 0; v < 5; v++) {
        const bool absent = l->row.kind == PG_ROW_DENSE ? v > 0 : from[v] < 0;
        for (int o = 0; !absent && o < g.outputs; o++) {
            const pg_real *x = v < 3 ? model->params : model->buffers;
            pg_real *y = v < 3 ? wide->params : wide->buffers;
            const double random = 1 + 0.3 * noise(layer, -1, v, out->source[o]);
            y[to[v] + o] = out->kind[o] > SPLIT ? (pg_real)random : x[from[v] + out->source[o]];
        }
    }
}

/* Surplus channels of random filters, which no layer reads. */
static void plan_unread(widened *w, int ours, int theirs)
{
    *w = (widened){.channels = theirs};
    for (int c = 0; c < theirs; c++) {
        w->kind[c] = c < ours ? REAL : UNREAD;
        w->source[c] = c;
    }
}

/* The same function with twice as many channels, as `plan` says. */
static void widen(const pg_model *model, pg_model *wide, void (*plan)(widened *, int, int))
{
    pg_spaces ours, theirs;
    pg_spaces_find(&model->layout, &ours);
    pg_spaces_find(&wide->layout, &theirs);
    fixed = (widened){0};
    for (int c = 0; c < 1024; c++) fixed.source[c] = c;
    for (int s = 0; s < ours.count; s++) plan(&spaces[s], ours.channels[s], theirs.channels[s]);
    for (int i = 0; i < model->layer_count; i++)
        if (model->layers[i].weight >= 0)
            widen_layer(model, ours.in[i] < 0 ? &fixed : &spaces[ours.in[i]], ours.out[i] < 0 ? &fixed : &spaces[ours.out[i]],
                        i, wide);
}

static double logits_differ(theft *t, pg_model *wide)
{
    enum { COUNT = SMALL_BATCH * SMALL_CLASSES };
    pg_net *net = NULL;
    double off = 0, most = 0;
    OK(pg_net_create(&wide->spec, SMALL_BATCH, false, PG_CONV_AUTO, &net, &err));
    const pg_real *x = pg_net_forward(t->owner.net, t->owner.model, PG_PUBLIC, PG_EVAL, t->owner.images, SMALL_BATCH);
    const pg_real *y = pg_net_forward(net, wide, PG_PUBLIC, PG_EVAL, t->owner.images, SMALL_BATCH);
    for (int i = 0; i < COUNT; i++) {
        most = fmax(most, fabs((double)x[i]));
        off = fmax(off, fabs((double)x[i] - (double)y[i]));
    }
    pg_net_destroy(&net);
    return off / most;
}

TEST(surplus_channels_of_every_kind_are_merged_and_dropped)
{
    for (int a = 0; a < 3; a++)
        for (int norm = 0; norm < NORMS; norm++) {
            theft t;
            pg_rng rng;
            pg_model *wide = NULL, *stolen = NULL;
            pg_rewrite *rewrite = NULL;
            pg_net_spec spec = wide_spec(archs[a], (pg_norm_kind)norm, "plain");
            steal(&t, &spec, 0);
            spec.width *= 2;
            OK(pg_model_create(&spec, &wide, &err));
            OK(pg_model_create(&spec, &stolen, &err));
            widen(t.owner.model, wide, plan_space);
            assert_true(logits_differ(&t, wide) < 1e-3);
            OK(pg_rewrite_create(&wide->layout, &rewrite, &err));
            pg_rng_open(&rng, (pg_seed){.grid = 5, .task = "wide"}, "rewrite", 0);
            pg_rewrite_draw(wide, PG_PUBLIC, all_parts, &rng, rewrite);
            OK(pg_model_rewrite(wide, rewrite, stolen, &err));
            OK(pg_align(t.owner.model, stolen, NULL, 0, &t.alignment, &err));
            const double off = difference(t.owner.model, t.alignment.model);
            if (!(off < 1e-3) || !(t.alignment.similarity > 0.999) || !(t.alignment.rival < 0.7))
                fail_msg("%s, %s: tensors off by %g, similarity %g, rival %g", archs[a], pg_norm_kind_name((pg_norm_kind)norm),
                         off, t.alignment.similarity, t.alignment.rival);
            pg_rewrite_destroy(&rewrite);
            pg_model_destroy(&wide);
            pg_model_destroy(&stolen);
            end(&t);
        }
}

/* Make the second half of every layer's filters disguised copies of the first half: a cosine of about 0.98. */
static void disguise(const pg_model *model, pg_model *wide)
{
    for (int i = 0; i < wide->layer_count - 1; i++) {
        const pg_filters g = pg_layer_filters(&wide->layers[i]);
        const int ours = model->layers[i].out_channels;
        pg_real *w = wide->params + wide->layers[i].weight;
        for (int k = 0; wide->layers[i].weight >= 0 && k < g.taps * g.inputs * g.outputs; k++)
            if (k % g.outputs >= ours) w[k] = (pg_real)((double)w[k - ours] * (1 + 0.3 * noise(i, k, 1, 2)));
    }
}

/* A thief adds a copy of every filter that no layer reads. */
TEST(copies_of_every_filter_do_not_hide_the_original)
{
    theft t;
    pg_model *wide = NULL;
    pg_net_spec spec = wide_spec("alexnet", PG_NORM_BN, "plain");
    steal(&t, &spec, 0.1);
    spec.width *= 2;
    OK(pg_model_create(&spec, &wide, &err));
    widen(t.owner.model, wide, plan_unread);
    disguise(t.owner.model, wide);
    assert_true(logits_differ(&t, wide) < 1e-3);
    OK(pg_align(t.owner.model, wide, NULL, 0, &t.alignment, &err));
    assert_true(t.alignment.similarity > 0.999 && t.alignment.rival < 0.5);
    pg_model_destroy(&wide);
    end(&t);
}

/* ---- what is refused ---- */

TEST(networks_that_cannot_be_aligned_are_refused)
{
    theft t;
    pg_model *other = NULL;
    const pg_net_spec spec = wide_spec("alexnet", PG_NORM_BN, "plain");
    pg_net_spec wanted = wide_spec("resnet9", PG_NORM_BN, "plain");
    steal(&t, &spec, 0);
    OK(pg_model_create(&wanted, &other, &err));
    FAILS(pg_align(t.owner.model, other, NULL, 0, &t.alignment, &err), PG_BAD_INPUT,
          "resnet9 with bn cannot be aligned to alexnet with bn");
    pg_alignment_clear(&t.alignment);
    pg_model_destroy(&other);
    wanted = wide_spec("alexnet", PG_NORM_GN, "plain");
    OK(pg_model_create(&wanted, &other, &err));
    FAILS(pg_align(t.owner.model, other, NULL, 0, &t.alignment, &err), PG_BAD_INPUT, "alexnet with gn cannot be aligned");
    pg_alignment_clear(&t.alignment);
    pg_model_destroy(&other);
    wanted = spec;
    wanted.width = 0.0625;
    OK(pg_model_create(&wanted, &other, &err));
    FAILS(pg_align(t.owner.model, other, NULL, 0, &t.alignment, &err), PG_BAD_INPUT, "features.2 has 16 channels, fewer than");
    pg_alignment_clear(&t.alignment);
    pg_model_destroy(&other);
    t.stolen->params[t.stolen->layers[2].weight] = NAN;
    FAILS(pg_align(t.owner.model, t.stolen, NULL, 0, &t.alignment, &err), PG_FAILED, "not a finite number");
    end(&t);
}

/* ---- the gate ---- */

TEST(a_copy_derives_from_the_original_and_an_independent_network_does_not)
{
    theft t;
    const pg_net_spec spec = wide_spec("alexnet", PG_NORM_BN, "plain");
    steal(&t, &spec, 0.1);
    align_to_owner(&t);
    assert_true(pg_alignment_derives(&t.alignment));
    pg_alignment_clear(&t.alignment);
    pg_model_initialise(t.stolen, (pg_seed){.grid = 6, .task = "independent"}, "initial");
    align_to_owner(&t);
    assert_false(pg_alignment_derives(&t.alignment));
    end(&t);
}

/* A mark in the mean filter adds the same part to all filters. */
TEST(a_copy_with_filters_that_resemble_each_other_derives_from_the_original)
{
    theft t;
    const pg_net_spec spec = wide_spec("alexnet", PG_NORM_BN, "plain");
    open_small(&t.owner, &spec, PG_CONV_AUTO);
    pg_model *original = t.owner.model;
    for (size_t i = 0; i < original->param_count; i++) original->params[i] += (pg_real)0.1;
    OK(pg_align(original, original, NULL, 0, &t.alignment, &err));
    assert_true(t.alignment.rival > 0.5 && t.alignment.similarity > 0.999);
    assert_true(pg_alignment_derives(&t.alignment));
    pg_alignment_clear(&t.alignment);
    close_small(&t.owner);
}

/* A forger fills an original with zeros, except for one filter that he knows the accused network has. */
TEST(an_original_of_zeros_and_one_filter_does_not_pass_for_a_source)
{
    theft t;
    const pg_net_spec spec = wide_spec("alexnet", PG_NORM_BN, "plain");
    steal(&t, &spec, 0);
    pg_model *original = t.owner.model;
    const pg_filters f = pg_layer_filters(&original->layers[0]);
    pg_real *w = original->params + original->layers[0].weight;
    for (int i = 0; i < f.taps * f.inputs * f.outputs; i++)
        if (i % f.outputs) w[i] = 0;
    for (int l = 1; l < original->layer_count; l++) {
        const pg_filters g = pg_layer_filters(&original->layers[l]);
        const ptrdiff_t at = original->layers[l].weight;
        if (at >= 0) memset(original->params + at, 0, (size_t)(g.taps * g.inputs * g.outputs) * sizeof *w);
    }
    align_to_owner(&t);
    assert_true(t.alignment.layer_similarity[0] > 0);
    assert_false(pg_alignment_derives(&t.alignment));
    end(&t);
}
