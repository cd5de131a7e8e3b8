/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Detection, p-values and null evidence, for an owner and for 200 strangers. */
#include "tests/unit/claims.h"

#include <gsl/gsl_cdf.h>

/* ---- detection ---- */

TEST(detection_is_the_mean_over_layers)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    impose_agreement(s.model, s.evidence, (const int[]){24, 8, 16});
    const pg_finding f = verify(s.model, s.evidence, NULL);
    assert_int_equal(f.bits, BITS);
    assert_int_equal(f.agree, 48);
    assert_close(f.null_probability, 0.5, 0);
    assert_close(f.layer_detection[0], 75, 0);
    assert_close(f.layer_detection[1], 50, 0);
    assert_close(f.layer_detection[2], 100, 0);
    assert_close(f.detection, 75, 1e-15);                     /* mean over layers, not over bits */
    assert_close(f.p_coin, 713250450657109 * 0x1p-64, 1e-10); /* sum of C(64, k), k = 48 .. 64 */
    assert_true(isnan(f.detection_stored) && f.agree_stored == -1);
    assert_true(f.private_branch.present && !f.public_branch.present);
    subject_destroy(&s);
}

TEST(a_gamma_of_zero_agrees_with_neither_bit)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    impose_gammas(s.model, s.evidence, (const double[BITS]){0});
    const pg_finding f = verify(s.model, s.evidence, NULL);
    assert_int_equal(f.agree, 0);
    assert_close(f.detection, 0, 0);
    assert_close(f.p_value, 1, 0);
    subject_destroy(&s);
}

/* The test stores the passports' own gammas and then negates them. */
TEST(the_stored_scale_is_judged_beside_the_passport)
{
    subject v1 = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data), copy = v1;
    copy.spec.public_affine = true;
    OK(pg_model_create(&copy.spec, &copy.model, &err));
    OK(pg_model_copy(v1.model, copy.model, &err));
    OK(pg_passports_store(v1.model, v1.evidence, copy.model, &err));
    const pg_finding own = verify(v1.model, v1.evidence, NULL), stored = verify(copy.model, v1.evidence, NULL);
    assert_int_equal(stored.agree, own.agree);
    assert_int_equal(stored.agree_stored, own.agree);
    assert_close(stored.detection_stored, own.detection, 0);
    assert_close(stored.public_branch.exact, stored.private_branch.exact, 0);
    for (int i = 0; i < PASSPORTS; i++) {
        const pg_layer *l = pg_model_passport_layer(copy.model, i);
        for (int o = 0; o < l->out_channels; o++) copy.model->params[l->affine[PG_PUBLIC].gamma + o] *= -1;
    }
    assert_int_equal(verify(copy.model, v1.evidence, NULL).agree_stored, BITS - own.agree);
    FAILS(pg_passports_store(v1.model, v1.evidence, v1.model, &err), PG_BAD_INPUT, "no public affine");
    pg_model_destroy(&copy.model);
    subject_destroy(&v1);
}

/* ---- p-values ---- */

/* k agreeing bits are the fewest whose binomial tail is at most p. */
static void assert_threshold(subject *s, int k, double p)
{
    impose_total(s->model, s->evidence, k);
    pg_finding f = verify(s->model, s->evidence, NULL);
    assert_int_equal(f.agree, k);
    assert_true(f.p_coin <= p * (1 + 1e-12) && f.p_value >= f.p_coin && f.p_value <= f.p_coin);
    impose_total(s->model, s->evidence, k - 1);
    f = verify(s->model, s->evidence, NULL);
    assert_true(f.p_coin > p);
}

static const double levels[] = {0.05, 1e-3, 1e-6, 0x1p-64};

TEST(chance_agreement_follows_the_binomial)
{
    static const int of_64[] = {40, 45, 51, 64}, of_896[] = {474, 495, 520, 584};
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    for (int i = 0; i < 4; i++) assert_threshold(&s, of_64[i], levels[i]);
    subject_destroy(&s);
    s = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_RANDOM);
    s.spec.width = 1;
    const pg_keygen in = {.scheme = s.scheme, .spec = &s.spec, .seed = s.seed, .data = &data};
    OK(pg_scheme_keygen(&s.options, &in, &s.evidence, &err));
    OK(pg_model_create(&s.spec, &s.model, &err));
    assert_int_equal(pg_evidence_bits(s.evidence), 896);
    assert_threshold(&s, of_896[1], levels[1]);
    assert_threshold(&s, of_896[3], levels[3]);
    subject_destroy(&s);
}

/* The model answers 3 to every picture, and k of the 100 triggers are labelled 3. Only bound labels are independent of the
 * answers. */
TEST(bound_trigger_sets_are_judged_against_guessing_alone)
{
    static const int classes[] = {10, 100}, fewest[2][4] = {{16, 21, 28, 46}, {4, 6, 9, 20}};
    for (int q = 0; q < 2; q++) {
        subject s = subject_wire("plain", PG_NORM_BN, PG_PASSPORT_RANDOM);
        pg_evidence evidence = {.scheme = "v3", .kind = "generated", .binding.bound = true};
        s.spec.classes = classes[q];
        OK(pg_model_create(&s.spec, &s.model, &err));
        s.model->params[pg_model_classifier(s.model)->bias + 3] = 1;
        OK(pg_dataset_allocate(&evidence.triggers, 100, 32, 32, &err));
        evidence.triggers.classes = classes[q];
        for (int i = 0; i < 4; i++)
            for (int less = 0; less < 2; less++) {
                const int k = fewest[q][i] - less;
                for (int t = 0; t < 100; t++) evidence.triggers.labels[t] = t < k ? 3 : 4;
                const pg_finding f = verify(s.model, &evidence, NULL);
                assert_true(f.trigger_count == 100 && f.bits == 0 && !f.trigger[PG_PRIVATE].present);
                assert_int_equal(f.significant, f.trigger_p <= judge.level); /* triggers alone are a claim of their own */
                assert_true(f.ruling == PG_USELESS && !f.agrees); /* labels of a network that always gives the same answer */
                assert_true(f.agree == k && f.trigger_agree == k);
                assert_close(f.null_probability, 1.0 / classes[q], 0);
                assert_close(f.trigger[PG_PUBLIC].exact, k, 1e-12);
                assert_true(less ? f.trigger_p > levels[i] : f.trigger_p <= levels[i]);
            }
        pg_dataset_clear(&evidence.triggers);
        subject_destroy(&s);
    }
}

/* Null evidence; number i agrees with the signature in agree[i] bits. */
static pg_nulls nulls_of(const pg_evidence *evidence, int count, const int *agree)
{
    pg_nulls nulls = {.count = count, .bits = BITS};
    OK(pg_alloc((size_t)count * BITS, 1, &nulls.signs[0], &err));
    nulls.kinds = 1;
    nulls.kind[0] = "random";
    for (int n = 0; n < count; n++)
        for (int i = 0, at = 0; i < PASSPORTS; i++)
            for (int o = 0; o < evidence->passports[i].outputs; o++, at++)
                nulls.signs[0][n * BITS + at] =
                    (int8_t)(at < agree[n] ? evidence->passports[i].b[o] : -evidence->passports[i].b[o]);
    return nulls;
}

/* P[X >= k] term by term. */
static double binomial_sum(int k, int n, double q)
{
    double sum = 0;
    for (int i = k; i <= n; i++)
        sum += exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) + i * log(q) + (n - i) * log(1 - q));
    return sum;
}

TEST(p_values_follow_the_spread_of_the_nulls)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    impose_total(s.model, s.evidence, BITS);
    /* 50, 56.25, 62.5 and 68.75 %: mean 59.375, deviation 8.069. The spread decides: Student's t with 3 degrees of freedom. */
    pg_nulls nulls = nulls_of(s.evidence, 4, (const int[]){32, 36, 40, 44});
    pg_finding f = verify(s.model, s.evidence, &nulls);
    const double deviation = sqrt(195.3125 / 3), t = (100 - 59.375) / (deviation * sqrt(1.25)), u = t / sqrt(3);
    assert_int_equal(f.nulls, 4);
    assert_close(f.null_mean, 59.375, 1e-14);
    assert_close(f.null_deviation, deviation, 1e-14);
    assert_close(f.p_value, 0.5 - (atan(u) + u / (1 + u * u)) / M_PI, 1e-9);
    assert_close(f.p_coin, 0x1p-64, 1e-12);
    assert_false(f.significant);
    pg_nulls_clear(&nulls);

    /* If all nulls agree equally, the p-value is the binomial tail at their mean, here 9/16. */
    nulls = nulls_of(s.evidence, 3, (const int[]){36, 36, 36});
    impose_total(s.model, s.evidence, 50);
    f = verify(s.model, s.evidence, &nulls);
    assert_close(f.p_value, binomial_sum(50, BITS, 0.5625), 1e-9);
    impose_total(s.model, s.evidence, 36);
    f = verify(s.model, s.evidence, &nulls);
    assert_true(f.p_value >= 0.5);
    pg_nulls_clear(&nulls);

    /* A mean below one half does not help the claimant. */
    nulls = nulls_of(s.evidence, 3, (const int[]){20, 20, 20});
    impose_total(s.model, s.evidence, 50);
    f = verify(s.model, s.evidence, &nulls);
    assert_close(f.p_value, binomial_sum(50, BITS, 0.5), 1e-9);
    nulls.bits = BITS - 1;
    FAILS(pg_finding_weigh(s.evidence, &nulls, &f, &err), PG_BAD_INPUT, "null evidence has 63 bits, the signature 64");
    pg_nulls_clear(&nulls);
    subject_destroy(&s);
}

/* ---- null evidence ---- */

/* The number of different draws of a kind, among count. */
static int differing_pairs(const int8_t *signs, int count)
{
    int differing = 0;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++) differing += memcmp(signs + k * BITS, signs + i * BITS, BITS) != 0;
    return differing;
}

/* A null draw is the signs of gamma under passports of each kind. The kind that the claimant names does not matter. */
TEST(nulls_follow_from_their_seed_on_any_number_of_threads)
{
    enum { COUNT = 10, KINDS = 3 };
    for (int scheme = 0; scheme < 2; scheme++) {
        subject s = subject_create(scheme ? "v1" : "v2", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
        pg_nulls nulls[3];
        for (int i = 0; i < 3; i++) {
            pg_compute_start(i + 1);
            OK(pg_nulls_draw(s.model, s.evidence, &data.test, PG_PIXELS_IMAGENET, COUNT, 1, &nulls[i], &err));
            assert_true(nulls[i].bits == BITS && nulls[i].count == COUNT && nulls[i].kinds == KINDS);
            for (int k = 0; k < KINDS; k++) {
                assert_string_equal(nulls[i].kind[k], pg_passport_kinds[k]);
                assert_memory_equal(nulls[i].signs[k], nulls[0].signs[k], COUNT * BITS);
            }
            strcpy(s.evidence->kind, i ? "image" : "handmade");
        }
        pg_compute_start(1);
        for (int k = 0; k < KINDS; k++) { /* similar images may give the same signs */
            const int differing = differing_pairs(nulls[0].signs[k], COUNT), pairs = COUNT * (COUNT - 1) / 2;
            assert_true(k == PG_PASSPORT_IMAGE ? differing > 0 : differing == pairs);
        }
        pg_nulls_clear(&nulls[1]);
        OK(pg_nulls_draw(s.model, s.evidence, &data.test, PG_PIXELS_IMAGENET, COUNT, 2, &nulls[1], &err));
        for (int k = 0; k < KINDS; k++) {
            assert_memory_not_equal(nulls[1].signs[k], nulls[0].signs[k], COUNT * BITS);
            for (int i = 0; i < COUNT * BITS; i++) assert_in_range(nulls[0].signs[k][i] + 1, 0, 2);
        }
        for (int i = 0; i < 3; i++) pg_nulls_clear(&nulls[i]);
        subject_destroy(&s);
    }
}

/* The claimant's own passports do not change the draw, whatever they do to the network. */
TEST(nothing_of_the_claimant_enters_the_draw)
{
    enum { COUNT = 4 };
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_nulls nulls[2];
    for (int i = 0; i < 2; i++) {
        OK(pg_nulls_draw(s.model, s.evidence, &data.test, PG_PIXELS_IMAGENET, COUNT, 1, &nulls[i], &err));
        pg_passport *p = &s.evidence->passports[0];
        for (int e = 0; e < p->height * p->width * p->inputs; e++) p->key[e] = p->skey[e] = 0; /* a dead layer */
    }
    for (int k = 0; k < nulls[0].kinds; k++) assert_memory_equal(nulls[0].signs[k], nulls[1].signs[k], COUNT * BITS);
    for (int i = 0; i < 2; i++) pg_nulls_clear(&nulls[i]);
    subject_destroy(&s);
}

TEST(the_least_favourable_kind_decides)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_nulls nulls = nulls_of(s.evidence, 4, (const int[]){30, 31, 32, 33}),
             wide = nulls_of(s.evidence, 4, (const int[]){32, 36, 40, 44});
    impose_total(s.model, s.evidence, 60);
    const pg_finding narrow = verify(s.model, s.evidence, &nulls), alone = verify(s.model, s.evidence, &wide);
    nulls.signs[1] = wide.signs[0];
    nulls.kind[1] = "shuffle";
    nulls.kinds = 2;
    const pg_finding both = verify(s.model, s.evidence, &nulls);
    assert_true(alone.p_value > narrow.p_value && both.p_value == alone.p_value);
    assert_string_equal(both.null_kind, "shuffle");
    assert_true(both.null_mean == alone.null_mean && both.enough == alone.enough);
    wide.signs[0] = NULL;
    pg_nulls_clear(&nulls);
    pg_nulls_clear(&wide);
    subject_destroy(&s);
}

TEST(agreement_counts_the_passports_and_not_the_claim)
{
    subject s = subject_create("v2", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_evidence *forged = NULL;
    pg_rng rng;
    int own, other;
    impose_total(s.model, s.evidence, 50);
    OK(pg_agreement_with(s.model, s.evidence, s.evidence, &own, &err));
    assert_int_equal(own, 50);
    OK(pg_evidence_clone(s.evidence, &forged, &err));
    pg_rng_open(&rng, s.seed, "forged", 0);
    OK(pg_signature_draw(forged, "", &rng, &err)); /* the draw depends on the passports, not on the claimed signature */
    OK(pg_agreement_with(s.model, forged, s.evidence, &other, &err));
    assert_int_equal(other, 50);
    pg_evidence_destroy(&forged);
    subject_destroy(&s);
}

/* ---- an owner, and 200 who are none ---- */

/* A ResNet-9 with a passport in every convolution. In a small network with passports in few layers, a mark leaves one direction
 * per layer, and null agreement spreads too widely for the few bits. */
TEST(what_was_embedded_is_found)
{
    static const char *const names[] = {"v1", "v2", "v3"};
    pg_train_options options = test_training(6, 16);
    options.lr = 0.05;
    for (int i = 0; i < 3; i++) {
        subject s = subject_wire(names[i], PG_NORM_GN, PG_PASSPORT_RANDOM);
        pg_nulls nulls;
        s.spec.arch = pg_arch_find("resnet9");
        strcpy(s.options.layers, "all");
        OK(pg_scheme_wire(s.scheme, &s.options, &s.spec, &err));
        subject_fill(&s, &data);
        subject_train(&s, &data, &options);
        OK(pg_nulls_draw(s.model, s.evidence, &data.test, PG_PIXELS_IMAGENET, 20, 0, &nulls, &err));
        const pg_finding f = verify(s.model, s.evidence, &nulls);
        printf("%s: detection %.1f %%, null %.1f +- %.1f %%, p %.2g\n", names[i], f.detection, f.null_mean, f.null_deviation,
               f.p_value);
        assert_true(f.significant && f.p_value <= judge.level);
        pg_nulls_clear(&nulls);
        subject_destroy(&s);
    }
}

enum { KEYS = 200 };

/* Exact (Clopper-Pearson) 95 % interval of a share, in percent. */
static void print_share(const char *what, double level, int accepted)
{
    const double low = accepted ? gsl_cdf_beta_Pinv(0.025, accepted, KEYS - accepted + 1) : 0;
    const double high = accepted < KEYS ? gsl_cdf_beta_Pinv(0.975, accepted + 1, KEYS - accepted) : 1;
    printf("%s, level %g: %d of %d keys accepted, %.2f %% [%.2f, %.2f]\n", what, level, accepted, KEYS, 100.0 * accepted / KEYS,
           100 * low, 100 * high);
}

/* Fresh keys of a scheme's own key generation against a network that was never marked. The share that is accepted stays at or
 * below the level. */
static void try_keys(const subject *unmarked, const char *scheme, pg_passport_kind kind)
{
    static const double tried[] = {0.05, 0.01, 1e-3};
    subject s = subject_wire(scheme, unmarked->spec.norm, kind);
    pg_judge *keeper = NULL;
    pg_verify_options options = judge;
    options.nulls = 50;
    const pg_judge_setup setup = {.model = unmarked->model, .test = &data.test, .options = &options};
    OK(pg_judge_create(&setup, &keeper, &err));
    int accepted[3] = {0}, triggers = 0;
    double smallest = 1, largest = 0;
    s.options.carrier = 0;
    for (int key = 0; key < KEYS; key++) {
        const pg_keygen in = {.scheme = s.scheme,
                              .spec = &s.spec,
                              .seed = {.grid = (uint64_t)key, .task = "fresh key"},
                              .data = &data,
                              .pixels = PG_PIXELS_IMAGENET,
                              .pretrained = unmarked->model};
        OK(pg_scheme_keygen(&s.options, &in, &s.evidence, &err));
        pg_finding f;
        OK(pg_judge_claim(keeper, s.evidence, &f, &err));
        for (int i = 0; i < 3; i++) accepted[i] += f.p_value <= tried[i];
        triggers += f.trigger_count > 0 && f.trigger_p <= tried[0];
        smallest = fmin(smallest, f.p_value);
        largest = fmax(largest, f.p_value);
        pg_evidence_destroy(&s.evidence);
    }
    char what[64];
    snprintf(what, sizeof what, "%s, %s passports", scheme, pg_passport_kinds[kind]);
    for (int i = 0; i < 3; i++) {
        print_share(what, tried[i], accepted[i]);
        assert_true(accepted[i] <= tried[i] * KEYS);
    }
    assert_true(triggers <= tried[0] * KEYS);
    assert_true(smallest < 0.5 && largest > 0.5); /* the p-values do vary */
    pg_judge_destroy(&keeper);
}

TEST(fresh_keys_are_accepted_no_more_often_than_the_level)
{
    const pg_train_options options = test_training(3, 16);
    subject plain = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    subject_train(&plain, &data, &options);
    try_keys(&plain, "v1", PG_PASSPORT_SHUFFLE);
    try_keys(&plain, "v2", PG_PASSPORT_RANDOM);
    try_keys(&plain, "v3", PG_PASSPORT_IMAGE);
    subject_destroy(&plain);
}
