/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge's command: owner and forger side by side, as text and JSON; commitments. */
#include "tests/unit/hearing.h"

TEST(a_report_shows_the_verdict_and_its_numbers)
{
    assert_judged("--model model --evidence owner --evidence forger" SOLD);
    assert_true(says("model model: alexnet, bn, width 0.0625, 10 classes"));
    assert_true(says("100 test images of generated patterns, not real data, pixels as for imagenet (assumed: "));
    assert_true(says("proof 80 bits, level 0.001, tolerance 5 points, 50 nulls of each kind from seed 0, batches of 128"));
    assert_true(says(" % (--distributed)"));
    const char *owner = strstr(out, "\nowner\n"), *forger = strstr(out, "\nforger\n");
    assert_true(owner && forger && owner < forger);
    const char *agrees = strstr(out, " agrees\n"), *fails = strstr(out, "not significant");
    assert_true(agrees && agrees > owner && agrees < forger);
    assert_true(fails && fails > forger);
    assert_null(strstr(agrees + 1, " agrees\n"));
    assert_true(says("proof                     none: free evidence can agree and never proves"));
}

/* The null that decides is printed before the fair coin. */
TEST(the_verdict_comes_before_its_grounds)
{
    static const char *const lines[] = {"\nowner\n",
                                        "  verdict ",
                                        "  p-value ",
                                        "  agreeing ",
                                        "50 fresh draws: ",
                                        "a fair coin: ",
                                        "  accuracy with evidence ",
                                        "  claims ",
                                        "  commitment ",
                                        "  null, "};
    assert_judged("--model model --evidence owner" SOLD);
    const char *at = out;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        at = strstr(at, lines[i]);
        if (!at) fail_msg("'%s' is missing or too early in %s", lines[i], out);
    }
    assert_judged("--model model --evidence owner --nulls 2" SOLD);
    assert_true(says("needed against 2 fresh draws: not even all ")); /* one bit more than the null says cannot be shown */
}

/* Even if both round to the same digits. The level is so low that no accuracy beats guessing, so the verdict does not depend on
 * it. */
TEST(a_p_value_above_the_level_is_shown_above_it)
{
    char words[256];
    json_t *root = verdicts("--model model --evidence owner --json" SOLD);
    const double p = number(claim_of(root, 0), "p_value");
    for (int above = 0; above < 2; above++) {
        snprintf(words, sizeof words, "--model model --evidence owner --level %.10g" SOLD, above ? p * 0.999999 : p * 1.000001);
        assert_judged(words);
        assert_true(says(above ? "not significant: above " : ", significant: at most "));
    }
    json_decref(root);
}

/* The output has no passport, no signature and no trigger. */
TEST(json_describes_the_claim_and_reveals_no_secret)
{
    static const char *const keys[] = {"evidence",
                                       "scheme",
                                       "kind",
                                       "commitment",
                                       "commitment_opened",
                                       "useless",
                                       "significant",
                                       "decidable",
                                       "works",
                                       "enough",
                                       "enough_to_prove",
                                       "accuracy_public",
                                       "accuracy_with_passport",
                                       "bits",
                                       "agreeing",
                                       "detection",
                                       "p_coin",
                                       "nulls",
                                       "null_mean",
                                       "p_value",
                                       "null_deviation",
                                       "detection_stored",
                                       "proves",
                                       "agrees",
                                       "bound",
                                       "seed_refused",
                                       "unstamped",
                                       "original",
                                       "proof_bits",
                                       "reason",
                                       "repeated",
                                       "null_kind",
                                       "permuted_p_value",
                                       "same_as",
                                       "statement",
                                       "verdict",
                                       "detection_by_layer",
                                       "trigger_public",
                                       "trigger_private",
                                       "trigger_p_value",
                                       "threshold",
                                       "null_threshold",
                                       "triggers",
                                       "triggers_agreeing",
                                       "null_probability",
                                       "refused"};
    enum { KEYS = sizeof keys / sizeof *keys };
    json_t *root = verdicts("--model model --evidence owner --evidence forger --json" SOLD);
    assert_int_equal(json_array_size(json_object_get(root, "claims")), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "test_images")), 100);
    for (size_t i = 0; i < 2; i++) {
        const json_t *claim = claim_of(root, i);
        const double bits = number(claim, "bits");
        assert_int_equal(json_object_size(claim), KEYS);
        for (int k = 0; k < KEYS; k++) assert_non_null(json_object_get(claim, keys[k]));
        assert_text(claim, "evidence", i ? "forger" : "owner");
        assert_text(claim, "scheme", "v1");
        assert_text(claim, "kind", "random");
        assert_text(claim, "verdict", i ? "neither" : "agrees");
        if (i) assert_text(claim, "reason", "not significant");
        assert_int_equal(json_is_true(json_object_get(claim, "agrees")), i == 0);
        assert_true(json_is_false(json_object_get(claim, "proves")) && json_is_null(json_object_get(claim, "proof_bits")));
        assert_true(json_is_null(json_object_get(claim, "accuracy_public")));
        assert_true(json_is_null(json_object_get(claim, "detection_stored")));
        assert_true(json_is_null(json_object_get(claim, "trigger_p_value")));
        assert_true(bits > 0 && number(claim, "triggers") == 0 && number(claim, "null_probability") == 0.5);
        assert_true(fabs(pg_binomial_tail((int)number(claim, "agreeing"), (int)bits, 0.5) - number(claim, "p_coin")) < 1e-15);
        assert_int_equal(number(claim, "nulls"), 50);
        assert_true(number(claim, "enough") > number(claim, "threshold") - 1);
        assert_int_equal(number(claim, "p_value") <= 1e-3, i == 0);
        assert_true(json_object_size(json_object_get(claim, "detection_by_layer")) == 5);
    }
    assert_false(says("Zq"));
    json_decref(root);
}

/* In digits that a person can read. */
TEST(json_has_every_option_a_verdict_depends_on)
{
    json_t *root =
        verdicts("--model model --evidence owner --json --level 0.0123 --tolerance 4.7 --nulls 7 --batch 33 --seed 5 "
                 "--pixels cifar --accuracy 61.3" HEARING);
    assert_true(number(root, "level") == 0.0123 && number(root, "tolerance") == 4.7 && number(root, "nulls") == 7);
    assert_true(number(root, "batch") == 33 && number(root, "seed") == 5 && number(root, "accuracy_deployed") == 61.3);
    assert_text(root, "accuracy_from", "--accuracy");
    assert_text(root, "pixels", "cifar");
    assert_text(root, "pixels_from", "--pixels");
    assert_text(root, "assumed", "");
    assert_true(json_is_null(json_object_get(root, "distributed")));
    assert_true(says("\"level\": 0.0123,") && says("\"tolerance\": 4.7,"));
    json_decref(root);
    root = verdicts("--model model --evidence owner --json" SOLD);
    assert_text(root, "accuracy_from", "--distributed");
    assert_text(root, "distributed", "owner");
    assert_text(root, "distributed_commitment", json_string_value(json_object_get(claim_of(root, 0), "commitment")));
    json_decref(root);
}

/* The bar is the accuracy with the passport that is distributed with the model, or a known accuracy. Without either, nothing is
 * decided. Otherwise a passport that gives the claimed signature but makes the model guess would be its own measure. */
TEST(a_model_that_needs_passports_is_held_to_a_bar)
{
    assert_judged("--model model --evidence owner --evidence matching" HEARING);
    assert_false(says(" agrees\n"));
    assert_true(says("not decidable") && says("--accuracy X") && says("--distributed FILE"));
    static const char *const words[] = {"--model model --evidence matching --json" SOLD,
                                        "--model model --evidence matching --json --accuracy 90" HEARING};
    for (int i = 0; i < 2; i++) {
        json_t *root = verdicts(words[i]);
        assert_true(number(claim_of(root, 0), "p_value") <= 1e-3);
        assert_text(claim_of(root, 0), "reason", "the network does not work with this evidence");
        json_decref(root);
    }
    assert_judged("--model model --evidence owner --accuracy 100 --tolerance 1" HEARING);
    assert_true(says("the network does not work with this evidence"));
    assert_judged(
        "--model model --evidence owner --accuracy 100" SOLD); /* a known accuracy, and one with the owner's passports */
    assert_true(says("100.00 % (--accuracy)") && says("needed: 95.00 %"));
    assert_judged("--model model --evidence matching --accuracy 10" HEARING);
    assert_true(says("the network is useless (no better than guessing)"));
}

/* The rival's claim changes nothing, whether it is refused or not. */
TEST(a_verdict_depends_on_no_rival)
{
    json_t *alone = verdicts("--model model --evidence owner --json" SOLD),
           *beside = verdicts("--model model --evidence forger --evidence owner --evidence matching --json" SOLD);
    assert_true(json_equal(claim_of(alone, 0), claim_of(beside, 1)));
    assert_text(claim_of(beside, 1), "verdict", "agrees");
    json_decref(alone);
    json_decref(beside);
}

TEST(the_exit_code_is_the_verdict_only_on_request)
{
    assert_int_equal(judge("--model model --evidence owner --exit-code" SOLD), 10);
    assert_int_equal(judge("--model model --evidence owner --evidence forger --exit-code" SOLD), 11);
    assert_true(says("not significant"));
    assert_string_equal(complaint, "");
    assert_int_equal(judge("--model model --evidence owner --exit-code --json" HEARING), 11); /* not decidable */
    assert_int_equal(judge("--model model --evidence owner --evidence forger" SOLD), 0);
    assert_int_equal(judge("--model model --evidence nowhere --exit-code" SOLD), 3);
}

/* File names with control characters or bytes that are not UTF-8. */
TEST(unprintable_names_are_shown_by_their_bytes)
{
    bring_files();
    assert_int_equal(rename("forger", "\033[1m\xff"), 0);
    assert_judged("--model model --evidence \033[1m\xff" SOLD);
    assert_true(says("\n\\x1b[1m\\xff\n"));
    json_t *root = verdicts("--model model --evidence \033[1m\xff --json" SOLD);
    assert_text(claim_of(root, 0), "evidence", "\\x1b[1m\\xff");
    json_decref(root);
    assert_int_equal(rename("\033[1m\xff", "forger"), 0);
}

/* The judge uses what the model file says. An option overrides it, and a line says so. A value that neither gives is reported
 * as assumed. */
TEST(options_override_what_the_file_says)
{
    pg_model *model = NULL;
    const pg_metadata notes[] = {{"pixels", "cifar"}, {"data", "synthetic"}, {"data_sha256", "00"}},
                      strange = {"pixels", "rgb"};
    bring_files();
    OK(pg_model_load("model", NULL, &model, NULL, &err));
    OK(pg_model_save(model, notes, 3, "telling", &err));
    OK(pg_model_save(model, &strange, 1, "strange", &err));
    pg_model_destroy(&model);
    json_t *told = verdicts("--model telling --evidence owner --distributed owner --test 50 --json"),
           *given =
               verdicts("--model model --evidence owner --distributed owner --test 50 --json --data synthetic --pixels cifar"),
           *other = verdicts("--model telling --evidence owner --distributed owner --test 50 --json --pixels imagenet");
    assert_text(told, "pixels_from", "the model file");
    assert_text(told, "notes", "synthetic here is not the one that the network was trained on: another checksum");
    assert_true(json_equal(claim_of(told, 0), claim_of(given, 0)));
    assert_text(other, "pixels", "imagenet");
    assert_non_null(strstr(json_string_value(json_object_get(other, "notes")), "the model file says pixels cifar"));
    json_decref(told);
    json_decref(given);
    json_decref(other);
    assert_judged("--model telling --evidence owner --distributed owner --test 50 --pixels imagenet");
    assert_true(says("pixels as for imagenet (--pixels)") && says("note: the model file says pixels cifar"));
    assert_refused("--model strange --evidence owner" SOLD, 2, "strange: unknown pixels 'rgb'");
    assert_refused("--model telling --evidence owner --norm gn" SOLD, 2, "--norm gn: contradicts telling, which says bn");
}

/* Other users may write to that directory. */
TEST(the_data_directory_moves_no_p_value)
{
    assert_judged("--model model --evidence owner --nulls 11" SOLD);
    assert_int_equal(access(shared_path("nulls"), F_OK), -1);
}

TEST(neither_order_nor_threads_matter)
{
    json_t *root = verdicts("--model model --evidence owner --evidence forger --json" SOLD),
           *other = verdicts("--model model --evidence forger --evidence owner --json --threads 2" SOLD);
    for (size_t i = 0; i < 2; i++) assert_true(json_equal(claim_of(root, i), claim_of(other, 1 - i)));
    json_decref(root);
    json_decref(other);
}

/* The claims are of one kind and have as many bits, but in different layers. */
TEST(a_claim_is_held_against_nulls_of_its_own_layers)
{
    json_t *both = verdicts("--model plain --evidence features.5 --evidence features.6 --json" HEARING),
           *alone = verdicts("--model plain --evidence features.6 --json" HEARING);
    assert_true(json_equal(claim_of(both, 1), claim_of(alone, 0)));
    assert_true(json_is_number(json_object_get(claim_of(alone, 0), "accuracy_public")));
    json_decref(both);
    json_decref(alone);
}

TEST(a_trigger_set_is_a_claim)
{
    json_t *root = verdicts("--model v3 --evidence v3-owner --json --nulls 0 --level 0.5 --tolerance 100" HEARING);
    const json_t *claim = claim_of(root, 0);
    assert_true(number(claim, "trigger_public") >= 0 && number(claim, "trigger_private") >= 0);
    assert_true(number(claim, "trigger_p_value") > 0);
    assert_true(number(claim, "p_value") >= number(claim, "p_coin") && number(claim, "p_value") <= number(claim, "p_coin"));
    assert_text(claim, "reason", "the network is useless (no better than guessing)"); /* it was never trained */
    json_decref(root);
    assert_judged("--model v3 --evidence v3-owner --nulls 0" HEARING);
    assert_true(says("triggers, public branch") && says("% of 5") && says("accuracy as deployed"));
    assert_true(says("of 5 answered as labelled") && says("needed against a fair coin: "));
    assert_false(says("fresh draws"));
}

/* The report shows how many bits agree, of how many, and the probability of each. */
TEST(triggers_are_counted_as_bits_are)
{
    json_t *root = verdicts("--model plain --evidence adi-owner --json" HEARING);
    const json_t *claim = claim_of(root, 0);
    const int agreeing = (int)number(claim, "agreeing");
    assert_true(number(claim, "bits") == 0 && number(claim, "triggers") == 20);
    assert_true(number(claim, "triggers_agreeing") == agreeing);
    assert_true(fabs(number(claim, "null_probability") - 0.1) < 1e-15);
    assert_true(fabs(number(claim, "detection") - 5.0 * agreeing) < 1e-9);
    assert_true(fabs(pg_binomial_tail(agreeing, 20, 0.1) - number(claim, "p_value")) < 1e-15);
    json_decref(root);
    assert_judged("--model plain --evidence adi-owner" HEARING);
    assert_true(says("of 20 answered as labelled") && says("of 20 triggers; needed against guessing: 8"));
    assert_false(says("not asked"));
}

/* With the reason. */
TEST(triggers_that_cannot_be_classified_are_reported)
{
    assert_judged("--model plain --evidence adi-of-11" HEARING);
    assert_true(says("no evidence for this network") && says("not asked: they are labelled for 11 classes"));
    assert_judged("--model model --evidence adi-owner" HEARING);
    assert_true(says("no evidence for this network") &&
                says("not asked: the passports that the network runs with are not known"));
    assert_judged("--model model --evidence adi-owner" SOLD);
    assert_true(says("of 20 answered as labelled") && !says("not asked"));
}

TEST(a_commitment_is_checked)
{
    char hex[PG_SHA256_HEX], words[512];
    pg_evidence *evidence = NULL;
    bring_files();
    OK(pg_evidence_load("owner", &evidence, &err));
    pg_evidence_commitment(evidence, hex);
    pg_evidence_destroy(&evidence);
    snprintf(words, sizeof words, "--model model --evidence owner --commitment %s --evidence forger" HEARING, hex);
    assert_judged(words);
    assert_true(says(hex) && says("(opened)"));
    snprintf(words, sizeof words, "--model model --evidence forger --commitment %s" HEARING, hex);
    assert_refused(words, 2, "forger: does not open the commitment");
    hex[63] = 'G';
    snprintf(words, sizeof words, "--model model --evidence owner --commitment %s" HEARING, hex);
    assert_refused(words, 2, "expected 64 hexadecimal digits");
    assert_refused("--model model --commitment 00 --evidence owner" HEARING, 2, "comes after the --evidence");
    assert_refused("--model model --model other --evidence owner" HEARING, 2, "--model: given twice, \"model\" and \"other\"");
}
