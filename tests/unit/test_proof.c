/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Proofs by bound evidence. The agreement of fresh secrets is binomial on any network, however its weights depend on each
 * other. Pieces of free evidence that repeat each other do not multiply a lucky guess. */
#include "core/ownership/align.h"
#include "core/ownership/binding.h"
#include "core/ownership/distinct.h"
#include "core/ownership/mark.h"
#include "core/ownership/permutation.h"
#include "core/ownership/verify.h"
#include "tests/unit/subject.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

enum { SECRETS = 10000 };

/* The p-value of Pearson's chi-square test of counts [n + 1] against a binomial (n, q). Cells with an expectation below five
 * are merged. */
static double chi_square(const int *counts, int total, int n, double q)
{
    double square = 0, expected = 0, seen = 0;
    int cells = 0;
    for (int k = 0; k <= n; k++) {
        expected += total * gsl_ran_binomial_pdf((unsigned)k, q, (unsigned)n);
        seen += counts[k];
        double rest = 0;
        for (int j = k + 1; j <= n; j++) rest += total * gsl_ran_binomial_pdf((unsigned)j, q, (unsigned)n);
        if (expected < 5 || (rest < 5 && k < n)) continue;
        square += pow(seen - expected, 2) / expected;
        cells++;
        expected = seen = 0;
    }
    return gsl_cdf_chisq_Q(square, cells - 1);
}

static void next_secret(pg_evidence *e, int i)
{
    pg_secret_from_seed((pg_seed){.grid = (uint64_t)i, .task = "fresh secrets"}, &e->binding.secret);
    OK(pg_evidence_bind(e, &err));
}

/* Count how many of the secrets agree in each number of bits; counts [bits + 1]. */
static void count_agreements(const pg_model *model, pg_evidence *e, int *counts)
{
    pg_reading *reading = NULL;
    int8_t signs[PG_MARK_BITS_MAX];
    e->binding = pg_binding_for(&model->spec, PG_PIXELS_CIFAR);
    OK(pg_reading_open(model, e, &reading, &err));
    for (int i = 0; i < SECRETS; i++) {
        next_secret(e, i);
        OK(pg_reading_signs(reading, e, signs, &err));
        counts[pg_signs_agree(e, signs)]++;
    }
    pg_reading_close(&reading);
}

static subject plain_subject(void)
{
    pg_data data = test_data(20, 10);
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_data_clear(&data);
    return s;
}

/* The filters of every convolution. */
static void each_filter(pg_model *model, void (*change)(pg_real *weight, int output))
{
    for (int i = 0; i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        if (l->conv < 0) continue;
        const int k = l->out_channels, count = l->row.kernel * l->row.kernel * l->in_channels * k;
        for (int w = 0; w < count; w++) change(&model->params[l->weight + w], w % k);
    }
}

static void keep_as_drawn(pg_real *weight, int output)
{
    (void)weight;
    (void)output;
}

static void make_positive(pg_real *weight, int output)
{
    (void)output;
    *weight = (pg_real)fabs((double)*weight);
}

static void repeat_first(pg_real *weight, int output)
{
    *weight = weight[-output];
}

TEST(signatures_of_fresh_secrets_agree_like_coins_on_any_network)
{
    void (*const changes[])(pg_real *, int) = {keep_as_drawn, make_positive, repeat_first};
    for (int c = 0; c < 3; c++) {
        subject s = plain_subject();
        int counts[PG_MARK_BITS_MAX + 1] = {0};
        each_filter(s.model, changes[c]);
        count_agreements(s.model, s.evidence, counts);
        const double p = chi_square(counts, SECRETS, pg_evidence_bits(s.evidence), 0.5);
        if (p < 1e-3) fail_msg("network %d: chi-square p %.3g", c, p);
        subject_destroy(&s);
    }
}

/* Alignment gives the network the channels of a stranger's original, and the result is still independent of the secrets. */
TEST(signatures_of_fresh_secrets_agree_like_coins_on_an_aligned_network)
{
    subject s = plain_subject();
    pg_model *original = NULL;
    pg_alignment alignment;
    int counts[PG_MARK_BITS_MAX + 1] = {0};
    OK(pg_model_clone(s.model, &original, &err));
    pg_model_initialise(original, (pg_seed){.grid = 6, .task = "stranger"}, "weights");
    OK(pg_align(original, s.model, NULL, 0, &alignment, &err));
    assert_true(memcmp(alignment.model->params, s.model->params, s.model->param_count * sizeof *s.model->params) != 0);
    count_agreements(alignment.model, s.evidence, counts);
    assert_true(chi_square(counts, SECRETS, pg_evidence_bits(s.evidence), 0.5) > 1e-3);
    pg_alignment_clear(&alignment);
    pg_model_destroy(&original);
    subject_destroy(&s);
}

static void make_half_zero(pg_real *weight, int output)
{
    if (output % 2) *weight = 0;
}

TEST(gammas_of_zero_agree_with_neither_bit)
{
    subject s = plain_subject();
    int counts[PG_MARK_BITS_MAX + 1] = {0};
    const int bits = pg_evidence_bits(s.evidence);
    each_filter(s.model, make_half_zero);
    count_agreements(s.model, s.evidence, counts);
    for (int k = bits / 2 + 1; k <= bits; k++) assert_int_equal(counts[k], 0);
    assert_true(chi_square(counts, SECRETS, bits / 2, 0.5) > 1e-3);
    subject_destroy(&s);
}

/* Evidence of a mark of 40 bits that has no secret yet. rounds 0: Uchida's mark. */
static pg_evidence *mark_of(const pg_net_spec *wired, int rounds)
{
    pg_evidence *e = NULL;
    pg_net_spec spec = *wired;
    spec.passports = 0;
    OK(pg_evidence_create(&spec, rounds ? "neuralmark" : "uchida", rounds ? "filtered" : "signs", &e, &err));
    if (rounds)
        OK(pg_mark_create_filtered(&spec, "default", 40, rounds, 24, &e->mark, &err));
    else
        OK(pg_mark_create(&spec, "default", 40, PG_MARK_SIGNS, &e->mark, &err));
    return e;
}

TEST(marks_of_fresh_secrets_agree_like_coins_on_any_network)
{
    void (*const changes[])(pg_real *, int) = {keep_as_drawn, make_positive, repeat_first};
    for (int c = 0; c < 6; c++) {
        subject s = plain_subject();
        int counts[PG_MARK_BITS_MAX + 1] = {0};
        each_filter(s.model, changes[c / 2]);
        pg_evidence *e = mark_of(&s.spec, c % 2 ? 2 : 0);
        count_agreements(s.model, e, counts);
        const double p = chi_square(counts, SECRETS, 40, 0.5);
        if (p < 1e-3) fail_msg("network %d, %s: chi-square p %.3g", c / 2, e->kind, p);
        pg_evidence_destroy(&e);
        subject_destroy(&s);
    }
}

static void make_zero(pg_real *weight, int output)
{
    (void)output;
    *weight = 0;
}

/* A reading of exactly zero agrees with neither bit, so p-values are never too small. The tests above cover gammas of zero. */
TEST(no_level_is_exceeded_where_readings_are_zero)
{
    void (*const changes[])(pg_real *, int) = {make_half_zero, make_zero};
    static const double levels[] = {0.5, 0.1, 0.01, 1e-3};
    for (int c = 0; c < 4; c++) {
        subject s = plain_subject();
        int counts[PG_MARK_BITS_MAX + 1] = {0};
        each_filter(s.model, changes[c / 2]);
        pg_evidence *e = mark_of(&s.spec, c % 2 ? 2 : 0);
        count_agreements(s.model, e, counts);
        for (int l = 0; l < 4; l++) {
            int significant = 0;
            for (int k = 0; k <= 40; k++)
                if (pg_binomial_tail(k, 40, 0.5) <= levels[l]) significant += counts[k];
            if (pg_binomial_tail(significant, SECRETS, levels[l]) < 1e-4)
                fail_msg("network %d, %s: %d of %d at level %g", c / 2, e->kind, significant, SECRETS, levels[l]);
        }
        pg_evidence_destroy(&e);
        subject_destroy(&s);
    }
}

TEST(labels_of_fresh_secrets_agree_like_guesses_with_a_constant_network)
{
    enum { PICTURES = 20, CLASSES = 10 };
    int counts[PICTURES + 1] = {0};
    pg_evidence *e = NULL;
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, CLASSES);
    OK(pg_evidence_create(&spec, "adi", "generated", &e, &err));
    OK(pg_dataset_allocate(&e->triggers, PICTURES, 8, 8, &err));
    e->triggers.classes = CLASSES;
    for (int i = 0; i < SECRETS; i++) {
        int agree = 0;
        next_secret(e, i);
        for (int t = 0; t < PICTURES; t++) agree += e->triggers.labels[t] == 3;
        counts[agree]++;
    }
    assert_true(chi_square(counts, SECRETS, PICTURES, 1.0 / CLASSES) > 1e-3);
    pg_evidence_destroy(&e);
}

/* ---- free evidence ---- */

TEST(filters_that_nearly_repeat_count_once)
{
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    pg_evidence *e = NULL, *distinct = NULL;
    pg_rng rng;
    int dropped = -1;
    spec.width = 0.0625;
    OK(pg_evidence_create(&spec, "uchida", "gaussian", &e, &err));
    OK(pg_mark_create(&spec, "default", 64, PG_MARK_GAUSSIAN, &e->mark, &err));
    pg_rng_open(&rng, (pg_seed){.task = "filters"}, "projection", 0);
    OK(pg_mark_draw(&e->mark, PG_MARK_GAUSSIAN, &rng, &err));
    for (int i = 0; i < 64; i++) e->mark.b[i] = i % 2 ? 1 : -1;
    OK(pg_evidence_distinct(e, NULL, &distinct, &dropped, &err));
    assert_int_equal(dropped, 0);
    assert_memory_equal(distinct->mark.b, e->mark.b, 64);
    pg_evidence_destroy(&distinct);

    const int taps = e->mark.site[0].kernel * e->mark.site[0].kernel * e->mark.site[0].inputs;
    for (int t = 0; t < taps; t++) /* filters 8 .. 63 are the first eight, scaled, negated and slightly changed */
        for (int i = 8; i < 64; i++)
            e->mark.projection[t * 64 + i] =
                (pg_real)(i % 3 ? -2 : 3) * e->mark.projection[t * 64 + i % 8] + (pg_real)(0.05 * pg_rng_normal(&rng));
    OK(pg_evidence_distinct(e, NULL, &distinct, &dropped, &err));
    assert_int_equal(dropped, 56);
    assert_int_equal(distinct->mark.bits, 8);
    for (int t = 0; t < taps; t++)
        assert_memory_equal(distinct->mark.projection + t * 8, e->mark.projection + t * 64, 8 * sizeof(pg_real));
    pg_evidence_destroy(&distinct);
    pg_evidence_destroy(&e);
}

/* ---- structure that networks share ---- */

/* Known beforehand of the mean filter: that it is nearly constant, its places in the kernel, or all of it. */
enum { CONSTANT, PLACES, WHOLE };

static void fill_template(int shares, int taps, int inputs, pg_rng *rng, double *out)
{
    for (int t = 0; t < taps; t++) {
        const double place = pg_rng_normal(rng);
        for (int c = 0; c < inputs; c++)
            out[t * inputs + c] = shares == CONSTANT ? 1 : shares == PLACES ? place : pg_rng_normal(rng);
    }
}

/* All filters of the layer are the template and noise. */
static void imprint_template(pg_model *model, const pg_layer *l, const double *template, double noise, pg_rng *rng)
{
    const int positions = l->row.kernel * l->row.kernel * l->in_channels, k = l->out_channels;
    for (int t = 0; t < positions; t++) {
        const double value = template[t] + noise * pg_rng_normal(rng);
        for (int o = 0; o < k; o++) model->params[l->weight + t * k + o] = (pg_real)value;
    }
}

/* Filters that lean to the template, each on the side of its bit. */
static pg_evidence *lean_to(const pg_net_spec *spec, const pg_layer *l, const double *template, double share, pg_rng *rng)
{
    pg_evidence *e = NULL;
    OK(pg_evidence_create(spec, "uchida", "gaussian", &e, &err));
    OK(pg_mark_create(spec, l->row.name, 128, PG_MARK_GAUSSIAN, &e->mark, &err));
    for (int i = 0; i < 128; i++) e->mark.b[i] = pg_rng_below(rng, 2) ? 1 : -1;
    for (int t = 0; t < l->row.kernel * l->row.kernel * l->in_channels; t++)
        for (int i = 0; i < 128; i++)
            e->mark.projection[t * 128 + i] = (pg_real)(share * e->mark.b[i] * template[t] + pg_rng_normal(rng));
    return e;
}

/* Most of the bits agree, in a network that its claimant never saw, because he knows one that resembles it. */
static void assert_known_structure_says_nothing(pg_model *model, const pg_dataset *test, int layer, int shares, double noise)
{
    static double template[4096];
    static pg_finding finding;
    pg_judge *judge = NULL;
    pg_verify_options options;
    pg_rng rng;
    const pg_layer *l = &model->layers[layer];
    OK(pg_options_defaults(pg_verify_table, &options, &err));
    options.nulls = 20;
    pg_rng_open(&rng, (pg_seed){.task = "shared"}, "template", (uint64_t)(100 * layer + 10 * shares) + (uint64_t)(4 * noise));
    fill_template(shares, l->row.kernel * l->row.kernel, l->in_channels, &rng, template);
    imprint_template(model, l, template, noise, &rng);
    const pg_judge_setup setup = {.model = model, .test = test, .options = &options, .shown = 1};
    OK(pg_judge_create(&setup, &judge, &err));
    for (int i = 0; i < 2; i++) {
        pg_evidence *e = lean_to(&model->spec, l, template, i ? 0.4 : 0.1, &rng);
        OK(pg_judge_claim(judge, e, &finding, &err));
        if (finding.significant)
            fail_msg("%s, %d, noise %g: %d bits agree, p %g", l->row.name, shares, noise, finding.agree, finding.p_value);
        assert_true(finding.p_coin < 1e-3 || !i);
        pg_evidence_destroy(&e);
    }
    pg_judge_destroy(&judge);
}

/* Mean filters of networks that were trained on like images resemble each other: by their sign, by places in the kernel, and
 * in the layer that reads the images by everything. */
TEST(structure_that_networks_share_makes_no_mark_significant_at_full_width)
{
    static const struct {
        int layer, shares;
    } cases[] = {{0, CONSTANT}, {0, PLACES}, {0, WHOLE}, {2, CONSTANT}, {2, PLACES}};
    pg_data data = test_data(20, 4);
    pg_model *model = NULL;
    const pg_net_spec spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    OK(pg_model_create(&spec, &model, &err));
    pg_model_initialise(model, (pg_seed){.task = "shared"}, "weights");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (double noise = 0.25; noise <= 1; noise *= 4)
            assert_known_structure_says_nothing(model, &data.test, cases[c].layer, cases[c].shares, noise);
    pg_model_destroy(&model);
    pg_data_clear(&data);
}

TEST(pictures_that_nearly_repeat_or_are_test_images_count_once)
{
    pg_data data = test_data(20, 10);
    pg_evidence *e = NULL, *distinct = NULL;
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    const size_t size = 32 * 32 * 3;
    int dropped = -1;
    OK(pg_evidence_create(&spec, "adi", "generated", &e, &err));
    OK(pg_dataset_allocate(&e->triggers, 12, 32, 32, &err));
    e->triggers.classes = 10;
    pg_secret_from_seed((pg_seed){.task = "pictures"}, &e->binding.secret);
    OK(pg_evidence_bind(e, &err));
    e->binding.bound = false;
    OK(pg_evidence_distinct(e, &data.test, &distinct, &dropped, &err));
    assert_int_equal(dropped, 0);
    pg_evidence_destroy(&distinct);
    for (int i = 4; i < 10; i++) /* the first four again, four levels brighter */
        for (size_t p = 0; p < size; p++) {
            const int value = e->triggers.images[(size_t)(i % 4) * size + p] + 4;
            e->triggers.images[(size_t)i * size + p] = (uint8_t)(value > 255 ? 255 : value);
        }
    memcpy(e->triggers.images + 11 * size, data.test.images + 3 * size, size);
    OK(pg_evidence_distinct(e, &data.test, &distinct, &dropped, &err));
    assert_int_equal(dropped, 7);
    assert_int_equal(distinct->triggers.count, 5);
    assert_memory_equal(distinct->triggers.images + 4 * size, e->triggers.images + 10 * size, size);
    assert_int_equal(distinct->triggers.labels[4], e->triggers.labels[10]);
    pg_evidence_destroy(&distinct);
    pg_evidence_destroy(&e);
    pg_data_clear(&data);
}

static double permuted(int n, const int32_t *answers, const int32_t *labels)
{
    double p = 0;
    OK(pg_permuted_labels(n, answers, labels, 9999, 0, &p, &err));
    return p;
}

TEST(labels_of_one_class_mean_nothing_however_many_agree)
{
    int32_t answers[100], labels[100];
    for (int i = 0; i < 100; i++) {
        answers[i] = i < 97 ? 6 : i % 10;
        labels[i] = 6;
    }
    assert_true(permuted(100, answers, labels) == 1);
}

/* Exact: of the 6 orders of three labels one agrees everywhere, three in at least one place... */
TEST(permuted_labels_have_the_exact_distribution)
{
    const int32_t answers[] = {0, 1, 2}, all[] = {0, 1, 2}, one[] = {0, 2, 1}, none[] = {1, 2, 0};
    assert_true(fabs(permuted(3, answers, all) - 1.0 / 6) < 0.02);
    assert_true(fabs(permuted(3, answers, one) - 4.0 / 6) < 0.02);
    assert_true(permuted(3, answers, none) == 1);
}
