/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One rule for every claim, and one judge: what a ruling may depend on, and what it must not. */
#include "tests/unit/subject.h"

#include "core/formats/json_file.h"
#include "core/ownership/verify.h"

#include <unistd.h>

enum { IMAGES = 100 };
static pg_data data;

SET_UP
{
    pg_compute_start(1);
    data = test_data(200, IMAGES);
}

TEAR_DOWN
{
    pg_data_clear(&data);
}

/* ---- the rule ---- */

TEST(the_first_ground_that_fails_decides)
{
    for (int i = 0; i < 16; i++) {
        const bool useless = i & 1, significant = i & 2, decidable = i & 4, works = i & 8;
        const pg_ruling expected = useless        ? PG_USELESS
                                   : !significant ? PG_NOT_SIGNIFICANT
                                   : !decidable   ? PG_NOT_DECIDABLE
                                   : !works       ? PG_DOES_NOT_WORK
                                                  : PG_AGREES;
        assert_int_equal(pg_rule(useless, significant, decidable, works), expected);
    }
    assert_string_equal(pg_verdict_text(PG_PROVES), "proves");
    assert_string_equal(pg_verdict_text(PG_AGREES), "agrees");
    assert_string_equal(pg_verdict_text(PG_USELESS), "neither");
    for (int a = PG_PROVES; a <= PG_NO_EVIDENCE; a++)
        for (int b = PG_PROVES; b < a; b++) assert_string_not_equal(pg_ruling_text((pg_ruling)a), pg_ruling_text((pg_ruling)b));
}

/* P[X >= 20] for X binomial (100, 1/10) is 0.00198, P[X >= 21] is 0.00081. */
TEST(guessing_is_detected_by_the_binomial_tail)
{
    assert_false(pg_beats_guessing(20, 100, 10, 1e-3));
    assert_true(pg_beats_guessing(21, 100, 10, 1e-3));
    assert_true(pg_beats_guessing(20, 100, 10, 2e-3));
    assert_false(pg_beats_guessing(10, 10000, 10, 1e-3));
    assert_true(pg_beats_guessing(11, 10000, 10, 1e-3));
    assert_false(pg_beats_guessing(100, 0, 10, 1e-3));
    assert_true(pg_beats_guessing(4, 1000, 100, 1e-3));
}

/* A claim by passports of this accuracy on 1000 images of 10 classes; it is significant unless the test says otherwise. */
static pg_finding finding_of(double reference, double accuracy)
{
    return (pg_finding){.bits = 64,
                        .p_value = 1e-3,
                        .images = 1000,
                        .classes = 10,
                        .reference = reference,
                        .private_branch = {.present = true, .exact = accuracy}};
}

static pg_ruling ruling_of(pg_finding f)
{
    const pg_verify_options options = {.level = 1e-3, .tolerance = 5};
    pg_finding_decide(&f, &options);
    assert_int_equal(f.agrees, f.ruling == PG_AGREES);
    return f.ruling;
}

TEST(a_claim_stands_on_accuracy_and_significance)
{
    assert_int_equal(ruling_of(finding_of(75, 70)), PG_AGREES);
    assert_int_equal(ruling_of(finding_of(75.01, 70)), PG_DOES_NOT_WORK);
    for (int hits = 300; hits <= 1000; hits++) /* 5 points below, in whole images */
        assert_int_equal(ruling_of(finding_of(100.0 * hits / 1000, 100.0 * (hits - 50) / 1000)), PG_AGREES);
    assert_int_equal(ruling_of(finding_of(NAN, 70)), PG_NOT_DECIDABLE);
    assert_int_equal(ruling_of(finding_of(10, 70)), PG_USELESS);
    assert_int_equal(ruling_of(finding_of(14, 14)), PG_AGREES);
    assert_int_equal(ruling_of(finding_of(14, 10)), PG_DOES_NOT_WORK); /* within the tolerance, but no better than guessing */
    pg_finding f = finding_of(75, 70);
    f.p_value = 1.001e-3;
    assert_int_equal(ruling_of(f), PG_NOT_SIGNIFICANT);
    f.reference = NAN;
    assert_int_equal(ruling_of(f), PG_NOT_SIGNIFICANT);
    f.p_value = 0;
    f.bits = 0;
    assert_int_equal(ruling_of(f), PG_NO_EVIDENCE);
    f = finding_of(75, 70);
    f.private_branch.present = false;
    assert_int_equal(ruling_of(f), PG_DOES_NOT_WORK);
}

/* Held against the null that decides, k suffice and k - 1 do not. If no number suffices, k is one more than there are. */
TEST(the_fewest_bits_that_suffice_are_reported)
{
    static const struct {
        double mean, deviation;
        int nulls, enough;
    } rows[] = {{50, 0, 0, 45}, {50, 0.001, 50, 45}, {62.5, 0.001, 50, 52}, {50, 20, 4, 65}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pg_finding f = finding_of(75, 70);
        f.nulls = rows[i].nulls;
        f.null_kinds = rows[i].nulls > 0;
        f.null[0] = (pg_null){.count = rows[i].nulls, .mean = rows[i].mean, .deviation = rows[i].deviation};
        const pg_verify_options options = {.level = 1e-3, .tolerance = 5};
        pg_finding_decide(&f, &options);
        assert_int_equal(f.threshold, 45);
        assert_int_equal(f.enough, rows[i].enough);
        assert_true(f.enough >= f.threshold);
    }
}

/* ---- one judge ---- */

static const pg_verify_options options = {.level = 1e-3, .tolerance = 5, .nulls = 12, .batch = 32};

static subject trained(const char *scheme, pg_passport_kind kind, const char *task)
{
    pg_train_options training = test_training(4, 20);
    training.lr = 0.05;
    subject s = subject_wire(scheme, PG_NORM_BN, kind);
    s.seed.task = task;
    subject_fill(&s, &data);
    subject_train(&s, &data, &training);
    return s;
}

static pg_judge_setup setup_of(const subject *s)
{
    return (pg_judge_setup){.model = s->model, .test = &data.test, .options = &options, .distributed = s->evidence};
}

static pg_finding found(const pg_judge_setup *setup, const pg_evidence *evidence)
{
    pg_finding f;
    OK(pg_verify(setup, evidence, &f, &err));
    return f;
}

static void assert_same(const pg_finding *a, const pg_finding *b)
{
    assert_int_equal(a->agree, b->agree);
    assert_int_equal(a->enough, b->enough);
    assert_int_equal(a->ruling, b->ruling);
    assert_true(a->p_value == b->p_value && a->null_mean == b->null_mean && a->null_deviation == b->null_deviation);
    assert_true(pg_finding_accuracy(a)->exact == pg_finding_accuracy(b)->exact);
}

/* Claims with the same passports and different signatures read the same nulls, and claims of one kind share them. */
TEST(nulls_depend_on_no_task_and_no_signature)
{
    for (int kind = PG_PASSPORT_RANDOM; kind <= PG_PASSPORT_SHUFFLE; kind++) {
        subject s = trained("v2", (pg_passport_kind)kind, "one"),
                other = subject_wire("v2", PG_NORM_BN, (pg_passport_kind)kind);
        const pg_judge_setup setup = setup_of(&s);
        pg_judge *judge = NULL;
        other.seed = (pg_seed){.grid = 7, .task = "another"};
        subject_fill(&other, &data);
        OK(pg_judge_create(&setup, &judge, &err));
        for (int turn = 0; turn < 4; turn++) {
            const pg_evidence *evidence = turn % 2 ? other.evidence : s.evidence;
            const pg_finding alone = found(&setup, evidence);
            pg_finding together;
            OK(pg_judge_claim(judge, evidence, &together, &err));
            assert_int_equal(alone.nulls, options.nulls);
            assert_same(&alone, &together);
        }
        pg_judge_setup seeded = setup;
        seeded.seed = 1;
        const pg_finding zero = found(&setup, s.evidence), one = found(&seeded, s.evidence);
        assert_true(zero.null_mean != one.null_mean || zero.null_deviation != one.null_deviation);
        pg_judge_destroy(&judge);
        subject_destroy(&s);
        subject_destroy(&other);
    }
}

/* The bar is the network's accuracy as deployed. A rival's evidence, however good, changes no verdict. */
TEST(v1_is_not_decided_before_its_accuracy_is_known)
{
    subject s = trained("v1", PG_PASSPORT_RANDOM, "owner"), rival = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_RANDOM);
    rival.seed.task = "rival";
    subject_fill(&rival, &data);
    pg_judge_setup unknown = setup_of(&s), known = setup_of(&s), both = setup_of(&s);
    unknown.distributed = known.distributed = NULL;
    pg_finding f = found(&unknown, s.evidence);
    assert_false(f.decidable || f.agrees || f.deployed.present);
    assert_true(f.private_branch.present);
    const pg_finding distributed = found(&both, s.evidence);
    assert_true(distributed.decidable && distributed.works && distributed.reference == distributed.private_branch.exact);
    known.known_accuracy = distributed.reference;
    f = found(&known, s.evidence);
    assert_same(&f, &distributed); /* the distributed passports are the owner's, whoever claims */
    pg_judge *judge = NULL;
    pg_finding again;
    OK(pg_judge_create(&both, &judge, &err));
    OK(pg_judge_claim(judge, rival.evidence, &f, &err));
    assert_true(f.reference == distributed.reference);
    OK(pg_judge_claim(judge, s.evidence, &again, &err));
    assert_same(&again, &distributed);
    pg_judge_destroy(&judge);
    subject_destroy(&s);
    subject_destroy(&rival);
}

/* The network is useless whatever its signature says, with a passport or without. */
TEST(a_network_that_guesses_is_useless)
{
    static const char *const schemes[] = {"v1", "v2"};
    for (int i = 0; i < 2; i++) {
        subject s = trained(schemes[i], PG_PASSPORT_RANDOM, schemes[i]);
        const pg_layer *last = pg_model_classifier(s.model);
        const pg_judge_setup setup = setup_of(&s);
        pg_finding f = found(&setup, s.evidence);
        assert_false(f.useless);
        for (int c = 0; c < s.model->spec.classes; c++) s.model->params[last->bias + c] = c == 3 ? 1000 : 0;
        f = found(&setup, s.evidence);
        assert_true(f.useless && !f.agrees && f.ruling == PG_USELESS);
        subject_destroy(&s);
    }
}

/* The fewest images on which a network that is always right beats guessing; with fewer images, none does. */
TEST(few_images_decide_nothing)
{
    static const int classes[] = {2, 3, 10, 100, 1000};
    static const double levels[] = {0.5, 0.05, 1e-3, 1e-9, 1e-300};
    for (int c = 0; c < 5; c++)
        for (int l = 0; l < 5; l++) {
            const int needed = pg_images_needed(classes[c], levels[l]);
            assert_true(pg_beats_guessing(100, needed, classes[c], levels[l]));
            assert_false(needed > 1 && pg_beats_guessing(100, needed - 1, classes[c], levels[l]));
        }
    assert_int_equal(pg_images_needed(2, 1e-3), 10);
    assert_int_equal(pg_images_needed(1000, 1e-2), 1);
    assert_int_equal(pg_images_needed(1, 1e-3), 1);
    OK(pg_verify_check(&options, 2, 10, &err));
    FAILS(pg_verify_check(&options, 2, 9, &err), PG_BAD_INPUT,
          "9 test images cannot show that a network is better than guessing: 2 classes and level 0.001 need at least 10");
}

/* ---- numbers in JSON ---- */

TEST(numbers_are_shown_short_and_never_rounded_over_a_bound)
{
    static const char expected[] =
        "{\n  \"a\": 0.1,\n  \"b\": [\n    1,\n    39.7,\n    1e-24\n  ],\n  \"c\": {},\n  \"d\": null,\n"
        "  \"e\": \"x\\\"y\",\n  \"f\": []\n}\n";
    char path[256], *text = NULL;
    size_t bytes;
    snprintf(path, sizeof path, "%s", test_path("numbers", -1));
    json_t *root =
        json_pack("{s:f, s:[i, f, f], s:{}, s:n, s:s, s:[]}", "a", 0.1, "b", 1, 39.7, 1e-24, "c", "d", "e", "x\"y", "f");
    FILE *file = fopen(path, "w");
    assert_non_null(root);
    assert_non_null(file);
    pg_json_print(root, file);
    fclose(file);
    json_decref(root);
    OK(pg_file_read(path, &text, &bytes, &err));
    assert_string_equal(text, expected);
    pg_free(text);
}
