/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alignment recovers rewritten networks with their signatures, also with noise, other wirings and images.
 * Independent networks do not align. */
#include "tests/unit/theft.h"

SET_UP
{
    pg_compute_start(1);
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
