/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signatures and the sign loss that embeds them. */
#include "tests/unit/claims.h"

/* ---- signatures ---- */

static pg_evidence *signed_by(const char *text, uint64_t seed)
{
    subject s = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_RANDOM);
    pg_evidence *evidence = NULL;
    pg_rng rng;
    OK(pg_evidence_create(&s.spec, "v1", "random", &evidence, &err));
    pg_rng_open(&rng, (pg_seed){.grid = seed, .task = "signature"}, "signature", 0);
    OK(pg_signature_draw(evidence, text, &rng, &err));
    return evidence;
}

/* "A" is 01000001, most significant bit first. A one is +1 and a zero -1. Every layer starts at the beginning of the text. */
TEST(a_text_is_signed_in_every_layer)
{
    static const int8_t bits[] = {-1, 1, -1, -1, -1, -1, -1, 1};
    pg_evidence *evidence = signed_by("A", 1), *two = signed_by("zA", 1);
    assert_int_equal(evidence->passport_count, PASSPORTS);
    assert_int_equal(pg_evidence_bits(evidence), BITS);
    for (int i = 0; i < PASSPORTS; i++) {
        const pg_passport *p = &evidence->passports[i];
        assert_memory_equal(p->b, bits, sizeof bits);
        assert_memory_equal(two->passports[i].b + 8, bits, sizeof bits);
        for (int o = 8; o < p->outputs; o++) assert_true(p->b[o] == 1 || p->b[o] == -1);
    }
    assert_memory_not_equal(evidence->passports[1].b + 8, evidence->passports[2].b + 8, 8);
    pg_evidence_destroy(&evidence);
    pg_evidence_destroy(&two);
}

/* Malformed digits and too many bytes are refused. */
TEST(a_signature_may_be_given_as_bytes)
{
    pg_evidence *text = signed_by("zA", 1), *digits = signed_by("hex:7A41", 1);
    pg_rng rng;
    for (int i = 0; i < PASSPORTS; i++)
        assert_memory_equal(text->passports[i].b, digits->passports[i].b, (size_t)text->passports[i].outputs);
    static const char *const bad[] = {"hex:hello", "hex:7A4", "hex:7A 4", "hex:0x41"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(pg_signature_draw(text, bad[i], &rng, &err), PG_BAD_INPUT, "signature: expected at most 120 bytes");
    char many[PG_SIGNATURE_BYTES + 2];
    memset(many, 'a', sizeof many);
    many[PG_SIGNATURE_BYTES + 1] = 0;
    FAILS(pg_signature_draw(text, many, &rng, &err), PG_BAD_INPUT, "signature: expected at most 120 bytes");
    pg_evidence_destroy(&text);
    pg_evidence_destroy(&digits);
}

TEST(a_signature_too_long_for_a_layer_is_refused)
{
    pg_evidence *evidence = signed_by("ab", 1);
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "signature"}, "signature", 0);
    FAILS(pg_signature_draw(evidence, "abc", &rng, &err), PG_BAD_INPUT, "3 bytes need 24 bits, features.5 carries 16");
    pg_evidence_destroy(&evidence);
}

/* Each sign comes about half of the time. */
TEST(a_random_signature_follows_from_its_seed)
{
    enum { DRAWS = 100 };
    int sum = 0, changed = 0;
    pg_evidence *first = signed_by("", 0);
    for (int i = 0; i < DRAWS; i++) {
        pg_evidence *again = signed_by("", 0), *other = signed_by("", (uint64_t)i + 1);
        for (int l = 0; l < PASSPORTS; l++) {
            const pg_passport *p = &other->passports[l];
            assert_memory_equal(again->passports[l].b, first->passports[l].b, (size_t)p->outputs);
            for (int o = 0; o < p->outputs; o++) {
                sum += p->b[o];
                changed += p->b[o] != first->passports[l].b[o];
            }
        }
        pg_evidence_destroy(&again);
        pg_evidence_destroy(&other);
    }
    assert_in_range(abs(sum), 0, 4 * 80); /* 4 standard deviations of sqrt(6400) */
    assert_in_range(changed, 3200 - 160, 3200 + 160);
    pg_evidence_destroy(&first);
}

/* ---- sign loss ---- */

/* Computed by hand from alpha max(0, 0.1 - b gamma) + 1e-5 gamma^2, alpha 0.1. */
static const struct sign_case {
    int8_t b;
    double gamma, loss, gradient;
} sign_cases[] = {
    {1, 0.05, 0.005000025, -0.099999},
    {-1, 0.05, 0.015000025, 0.100001},
    {1, 0.3, 9e-7, 6e-6},
    {-1, -0.3, 9e-7, -6e-6},
    {1, -0.2, 0.0300004, -0.100004},
    {-1, 0, 0.01, 0.1},
    {1, 2, 4e-5, 4e-5},
    {-1, -0.0625, 0.0037500390625, 0.09999875},
};
enum { CASES = sizeof sign_cases / sizeof *sign_cases };

static pg_net *net_with_sign_cases(subject *s)
{
    pg_net *net = NULL;
    double gamma[BITS];
    for (int i = 0, at = 0; i < PASSPORTS; i++)
        for (int o = 0; o < s->evidence->passports[i].outputs; o++, at++) {
            gamma[at] = sign_cases[at % CASES].gamma;
            s->evidence->passports[i].b[o] = sign_cases[at % CASES].b;
        }
    impose_gammas(s->model, s->evidence, gamma);
    OK(pg_net_create(&s->spec, 1, true, PG_CONV_AUTO, &net, &err));
    OK(pg_passports_install(net, s->model, s->evidence, &err));
    return net;
}

TEST(the_sign_loss_follows_its_definition)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_net *net = net_with_sign_cases(&s);
    double expected = 0;
    for (int i = 0; i < PASSPORTS; i++)
        memset(pg_net_gamma_gradient(net, i), 0, (size_t)s.evidence->passports[i].outputs * sizeof(pg_real));
    for (int at = 0; at < BITS; at++) expected += sign_cases[at % CASES].loss;
    assert_close(pg_sign_loss(0.1, s.evidence, net), expected, 1e-6);
    assert_close(pg_sign_loss(0.1, s.evidence, net), expected, 1e-6); /* once more, because gradients are added */
    for (int i = 0, at = 0; i < PASSPORTS; i++)
        for (int o = 0; o < s.evidence->passports[i].outputs; o++, at++)
            assert_close((double)pg_net_gamma_gradient(net, i)[o], 2 * sign_cases[at % CASES].gradient, 1e-6);
    pg_net_destroy(&net);
    subject_destroy(&s);
}

/* The other schemes keep the decay of gamma. */
TEST(without_alpha_v1_has_no_sign_loss)
{
    static const char *const names[] = {"v1", "v2", "v3"};
    double decay = 0;
    for (int at = 0; at < BITS; at++) decay += 1e-5 * sign_cases[at % CASES].gamma * sign_cases[at % CASES].gamma;
    for (int i = 0; i < 3; i++) {
        subject s = subject_create(names[i], PG_NORM_GN, PG_PASSPORT_RANDOM, &data);
        pg_net *net = net_with_sign_cases(&s);
        s.options.alpha = 0;
        const double loss = s.scheme->regulariser(&s.options, s.evidence, s.model, net);
        assert_close(loss, i == 0 ? 0 : decay, 1e-6);
        pg_net_destroy(&net);
        subject_destroy(&s);
    }
}
