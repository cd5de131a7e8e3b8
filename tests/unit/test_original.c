/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading evidence through the claimant's original. Rewritten copies prove if there is a stamp. Forgers who bring a copy of the
 * accused network do not prove. Also unfit originals, and networks of other widths. */
#include "core/data/triggers.h"
#include "core/ownership/binding.h"
#include "core/ownership/original.h"
#include "tests/unit/subject.h"

static const unsigned all_parts = PG_REWRITE_PERMUTE | PG_REWRITE_SCALE | PG_REWRITE_FLIP;
static pg_verify_options strict;

SET_UP
{
    pg_compute_start(1);
    OK(pg_options_defaults(pg_verify_table, &strict, &err));
}

/* ---- networks and evidence ---- */

/* Bound evidence of 224 bits for the networks of a scheme; its secret follows from the number. */
static subject owner_of(const char *scheme, pg_norm_kind norm, int secret)
{
    pg_data data = test_data(20, 10);
    subject s = subject_wire(scheme, norm, PG_PASSPORT_RANDOM);
    s.spec.width = 0.25;
    subject_fill(&s, &data);
    s.evidence->binding = pg_binding_for(&s.spec, PG_PIXELS_IMAGENET);
    pg_secret_from_seed((pg_seed){.grid = (uint64_t)secret, .task = "original"}, &s.evidence->binding.secret);
    OK(pg_evidence_bind(s.evidence, &err));
    pg_data_clear(&data);
    return s;
}

static void signs_in(const pg_model *model, const pg_evidence *evidence, int8_t *signs)
{
    pg_reading *reading = NULL;
    OK(pg_reading_open(model, evidence, &reading, &err));
    OK(pg_reading_signs(reading, evidence, signs, &err));
    pg_reading_close(&reading);
}

static void negate_filter(pg_model *model, int layer, int filter)
{
    const pg_filters f = pg_layer_filters(&model->layers[layer]);
    for (int t = 0; t < f.taps; t++)
        for (int i = 0; i < f.inputs; i++) {
            pg_real *w = model->params + model->layers[layer].weight + t * f.tap_step + i * f.input_step + filter;
            *w = -*w;
        }
}

static int layer_of(const pg_model *model, const char *name)
{
    for (int i = 0; i < model->layer_count; i++)
        if (model->layers[i].weight >= 0 && strcmp(model->layers[i].row.name, name) == 0) return i;
    fail_msg("no layer %s", name);
    return -1;
}

/* Negate every filter whose gamma has the wrong sign, so that all bits agree. */
static void embed(pg_model *model, const pg_evidence *evidence)
{
    int8_t signs[1024], *next = signs;
    signs_in(model, evidence, signs);
    for (int i = 0; i < evidence->passport_count; i++)
        for (int o = 0; o < evidence->passports[i].outputs; o++)
            if (*next++ != evidence->passports[i].b[o]) negate_filter(model, layer_of(model, evidence->passports[i].layer), o);
}

/* A copy that a thief rewrote. */
static pg_model *rewritten(const pg_model *model)
{
    pg_rewrite *rewrite = NULL;
    pg_model *copy = NULL;
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 5, .task = "original"}, "rewrite", 0);
    OK(pg_rewrite_create(&model->layout, &rewrite, &err));
    pg_rewrite_draw(model, pg_net_spec_deployed(&model->spec), all_parts, &rng, rewrite);
    OK(pg_model_create(&model->spec, &copy, &err));
    OK(pg_model_rewrite(model, rewrite, copy, &err));
    pg_rewrite_destroy(&rewrite);
    return copy;
}

static pg_two_readings readings;

static pg_status judge_with(const pg_model *accused, const pg_evidence *evidence, const pg_model *original, bool stamped,
                            pg_finding *f)
{
    pg_judge *judge = NULL;
    const pg_judge_setup setup = {.model = accused, .options = &strict, .shown = 1};
    const pg_original o = {.model = original, .stamped_before = stamped};
    OK(pg_judge_create(&setup, &judge, &err));
    const pg_status status = pg_judge_claim_with_original(judge, evidence, &o, &readings, f, &err);
    pg_judge_destroy(&judge);
    return status;
}

static pg_finding judged(const pg_model *accused, const pg_evidence *evidence, const pg_model *original, bool stamped)
{
    pg_finding f;
    OK(judge_with(accused, evidence, original, stamped, &f));
    return f;
}

/* ---- owners ---- */

TEST(a_rewritten_copy_proves_through_a_stamped_original_for_one_bit)
{
    static const char *const schemes[] = {"v1", "v2", "pan"};
    for (int i = 0; i < 3; i++)
        for (int norm = 0; norm < 2; norm++) { /* bn, gn */
            subject s = owner_of(schemes[i], (pg_norm_kind)norm, 1);
            embed(s.model, s.evidence);
            pg_model *stolen = rewritten(s.model);
            const int bits = pg_evidence_bits(s.evidence);
            const pg_finding f = judged(stolen, s.evidence, s.model, true);
            assert_int_equal(f.ruling, PG_PROVES);
            assert_true(readings.by_alignment && f.two_looks);
            assert_true(readings.as_is.agree < bits * 2 / 3);
            assert_int_equal(f.agree, bits);
            assert_true(fabs(f.proof_bits - (bits - 1)) < 1e-9);
            assert_true(readings.similarity > 0.99 && readings.similarity > 2 * readings.rival);
            pg_model_destroy(&stolen);
            subject_destroy(&s);
        }
}

TEST(a_copy_that_was_not_rewritten_proves_as_it_is_and_pays_for_both_readings)
{
    subject s = owner_of("v2", PG_NORM_BN, 1);
    embed(s.model, s.evidence);
    const pg_finding f = judged(s.model, s.evidence, s.model, false);
    assert_int_equal(f.ruling, PG_PROVES);
    assert_false(readings.by_alignment);
    assert_true(fabs(f.proof_bits - (pg_evidence_bits(s.evidence) - 1)) < 1e-9);
    subject_destroy(&s);
}

/* The p-value of free evidence doubles, and the number that is enough grows accordingly. */
TEST(free_evidence_pays_by_a_doubled_p_value)
{
    subject s = owner_of("v2", PG_NORM_BN, 1);
    s.evidence->binding.bound = false;
    embed(s.model, s.evidence);
    pg_passport *p = &s.evidence->passports[0];
    for (int o = 0; o < p->outputs; o += 2) p->b[o] = (int8_t)-p->b[o];
    pg_model *stolen = rewritten(s.model);
    const pg_finding f = judged(stolen, s.evidence, s.model, true);
    const int bits = pg_evidence_bits(s.evidence);
    assert_true(fabs(readings.aligned.p_value / pg_binomial_tail(readings.aligned.agree, bits, 0.5) - 2) < 1e-9);
    assert_int_equal(readings.aligned.enough, pg_binomial_threshold(bits, 0.5, strict.level / 2));
    assert_false(f.proves);
    pg_model_destroy(&stolen);
    subject_destroy(&s);
}

TEST(without_an_older_stamp_nothing_proves_through_an_original)
{
    subject s = owner_of("v2", PG_NORM_BN, 1);
    embed(s.model, s.evidence);
    pg_model *stolen = rewritten(s.model);
    const pg_finding f = judged(stolen, s.evidence, s.model, false);
    assert_false(f.proves || readings.as_is.proves || readings.aligned.proves);
    assert_true(readings.by_alignment && f.unstamped);
    assert_true(readings.aligned.unstamped && readings.aligned.significant && readings.aligned.proof_bits > strict.proof);
    pg_model_destroy(&stolen);
    subject_destroy(&s);
}

/* ---- forgers ---- */

/* Reorder the filters of each passport layer so that as many signs agree as possible: each filter that disagrees changes places
 * with a later one of the other sign. */
static void permute_until_it_agrees(pg_model **model, const pg_evidence *evidence)
{
    int8_t signs[1024], *next = signs;
    for (int i = 0; i < evidence->passport_count; next += evidence->passports[i++].outputs) {
        const pg_passport *p = &evidence->passports[i];
        pg_rewrite *rewrite = NULL;
        pg_model *permuted = NULL;
        OK(pg_rewrite_create(&(*model)->layout, &rewrite, &err));
        OK(pg_model_create(&(*model)->spec, &permuted, &err));
        int *from = rewrite->from[rewrite->spaces.out[layer_of(*model, p->layer)]];
        signs_in(*model, evidence, signs);
        for (int o = 0; o < p->outputs; o++)
            for (int k = o + 1; k < p->outputs && next[o] != p->b[o]; k++) {
                if (next[k] != p->b[o]) continue;
                const int swap = from[o];
                from[o] = from[k];
                from[k] = swap;
                next[k] = next[o];
                next[o] = p->b[o];
            }
        OK(pg_model_rewrite(*model, rewrite, permuted, &err));
        pg_rewrite_destroy(&rewrite);
        pg_model_destroy(model);
        *model = permuted;
    }
}

/* A forger flips or permutes the channels of a stolen network until his own evidence agrees. Only the stamp, which cannot be
 * old enough, tells his original from an owner's. */
TEST(a_forger_who_flips_a_copy_of_the_accused_network_does_not_prove)
{
    subject s = owner_of("v2", PG_NORM_BN, 1), forger = owner_of("v2", PG_NORM_BN, 2);
    pg_model *original = NULL;
    OK(pg_model_clone(s.model, &original, &err));
    embed(original, forger.evidence);
    assert_false(judged(s.model, forger.evidence, original, false).proves);
    assert_int_equal(readings.aligned.agree, readings.aligned.bits);
    assert_true(readings.similarity > 0.99);
    assert_true(judged(s.model, forger.evidence, original, true).proves);
    pg_model_destroy(&original);
    subject_destroy(&s);
    subject_destroy(&forger);
}

TEST(a_forger_who_permutes_a_copy_of_the_accused_network_does_not_prove)
{
    subject s = owner_of("v2", PG_NORM_BN, 1), forger = owner_of("v2", PG_NORM_BN, 2);
    pg_model *original = NULL;
    OK(pg_model_clone(s.model, &original, &err));
    permute_until_it_agrees(&original, forger.evidence);
    assert_false(judged(s.model, forger.evidence, original, false).proves);
    assert_true(readings.as_is.proof_bits < 20);
    assert_true(judged(s.model, forger.evidence, original, true).proves);
    pg_model_destroy(&original);
    subject_destroy(&s);
    subject_destroy(&forger);
}

/* ---- originals that are none ---- */

TEST(an_original_without_the_evidence_gives_no_second_reading)
{
    subject s = owner_of("v2", PG_NORM_BN, 1), other = owner_of("v2", PG_NORM_BN, 2);
    embed(s.model, s.evidence);
    const pg_finding f = judged(s.model, other.evidence, s.model, true);
    assert_false(f.proves || readings.by_alignment);
    assert_non_null(strstr(readings.aligned_fault, "the original does not carry this evidence"));
    subject_destroy(&s);
    subject_destroy(&other);
}

TEST(an_independent_network_does_not_derive_from_the_original)
{
    subject s = owner_of("v2", PG_NORM_BN, 1);
    pg_model *independent = NULL;
    embed(s.model, s.evidence);
    OK(pg_model_clone(s.model, &independent, &err));
    pg_model_initialise(independent, (pg_seed){.grid = 6, .task = "independent"}, "initial");
    const pg_finding f = judged(independent, s.evidence, s.model, true);
    assert_false(f.proves || f.significant);
    assert_non_null(strstr(readings.aligned_fault, "does not derive from the original"));
    assert_true(readings.similarity < 0.25);
    pg_model_destroy(&independent);
    subject_destroy(&s);
}

/* ---- other widths ---- */

/* The original is a part of the accused network, namely its first channels. */
TEST(a_wider_network_is_read_through_the_original_alone)
{
    subject s = owner_of("v2", PG_NORM_BN, 1);
    pg_model *wide = NULL;
    pg_rewrite *part = NULL;
    pg_finding f;
    pg_net_spec spec = s.spec;
    spec.width = 0.5;
    OK(pg_model_create(&spec, &wide, &err));
    pg_model_initialise(wide, s.seed, "wide");
    OK(pg_rewrite_create(&s.model->layout, &part, &err));
    OK(pg_model_rewrite(wide, part, s.model, &err));
    int8_t signs[1024], *next = signs;
    signs_in(s.model, s.evidence, signs);
    for (int i = 0; i < s.evidence->passport_count; i++)
        for (int o = 0; o < s.evidence->passports[i].outputs; o++)
            if (*next++ != s.evidence->passports[i].b[o])
                negate_filter(wide, layer_of(wide, s.evidence->passports[i].layer), o);
    embed(s.model, s.evidence);
    f = judged(wide, s.evidence, s.model, true);
    assert_true(f.proves && readings.by_alignment && readings.dropped > 100);
    assert_non_null(strstr(readings.as_is_fault, "features.4"));
    pg_model_initialise(wide, (pg_seed){.grid = 6, .task = "independent"}, "wide");
    assert_int_equal(judge_with(wide, s.evidence, s.model, true, &f), PG_BAD_INPUT);
    assert_non_null(strstr(err.message, "features.4"));
    assert_non_null(strstr(err.message, "does not derive from the original"));
    pg_rewrite_destroy(&part);
    pg_model_destroy(&wide);
    subject_destroy(&s);
}

/* ---- triggers ---- */

TEST(triggers_need_no_original_and_pay_nothing)
{
    subject s = owner_of("v2", PG_NORM_BN, 1);
    pg_evidence *triggers = NULL;
    pg_net_spec spec = s.spec;
    spec.passports = 0;
    OK(pg_evidence_create(&spec, "adi", "generated", &triggers, &err));
    OK(pg_triggers_generate(20, 32, 10, s.seed, &triggers->triggers, &err));
    const pg_finding f = judged(s.model, triggers, s.model, true);
    assert_false(f.two_looks || readings.by_alignment);
    assert_true(f.trigger_count == 20);
    pg_evidence_destroy(&triggers);
    subject_destroy(&s);
}
