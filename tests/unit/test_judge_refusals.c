/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge's command refuses files that do not fit, numbers that are not finite, and bad usage. */
#include "tests/unit/hearing.h"

TEST(files_that_do_not_fit_are_refused)
{
    assert_refused("--model plain --evidence v3-owner" HEARING, 2, "v3-owner: the evidence has a passport for layer4.0.conv");
    assert_refused("--model model --evidence features.5" HEARING, 2, "features.5: the model needs passports in other layers");
    assert_refused("--model owner --evidence owner" HEARING, 2, "owner: ");
    assert_refused("--model model --evidence model" HEARING, 2, "model: no passport");
    assert_refused("--model nowhere --evidence owner" HEARING, 3, "nowhere: No such file");
    assert_refused("--model model --evidence nowhere" HEARING, 3, "nowhere: No such file");
    assert_refused("--model model --evidence ." HEARING, 2, "not a regular file");
}

/* If one claimant's file cannot be used, its verdict says why, and the other claims have the verdicts that they have without
 * it. */
TEST(a_refused_claim_leaves_the_others_as_they_are)
{
    static const char *const unfit[] = {"v3-owner", "model", "plain", ".", "cut"},
                             *const orders[] = {"--model model --evidence %s --evidence owner --evidence forger --json" SOLD,
                                                "--model model --evidence owner --evidence %s --evidence forger --json" SOLD};
    char words[512], verdict[64], *bytes = NULL;
    size_t count;
    bring_files();
    OK(pg_file_read("forger", &bytes, &count, &err));
    OK(pg_file_write("cut", bytes, count - 1, PG_FILE_SECRET, &err));
    pg_free(bytes);
    json_t *alone = verdicts("--model model --evidence owner --evidence forger --json" SOLD);
    for (int i = 0; i < 5; i++) {
        for (int order = 0; order < 2; order++) {
            snprintf(words, sizeof words, orders[order], unfit[i]);
            json_t *beside = verdicts(words);
            const json_t *refused = claim_of(beside, (size_t)order);
            snprintf(verdict, sizeof verdict, "refused: %s: ", unfit[i]);
            assert_memory_equal(json_string_value(json_object_get(refused, "reason")), verdict, strlen(verdict));
            assert_true(json_is_false(json_object_get(refused, "agrees")) && json_is_true(json_object_get(refused, "refused")));
            assert_true(json_equal(claim_of(beside, (size_t)!order), claim_of(alone, 0)));
            assert_true(json_equal(claim_of(beside, 2), claim_of(alone, 1)));
            json_decref(beside);
        }
    }
    json_decref(alone);
    assert_judged("--model model --evidence owner --evidence v3-owner" SOLD);
    assert_true(
        says("\nv3-owner\n  verdict                   neither: refused: v3-owner: the evidence has a passport for layer4"));
    assert_int_equal(judge("--model model --evidence owner --evidence v3-owner --exit-code" SOLD), 11);
    assert_int_equal(judge("--model model --evidence owner --exit-code" SOLD), 10);
}

/* If no file can be used, the command prints a line for each and exits as for bad input. A missing file is the caller's
 * mistake. */
TEST(if_every_claim_is_refused_nothing_is_judged)
{
    assert_int_equal(judge("--model model --evidence v3-owner --evidence model --json" SOLD), 2);
    assert_string_equal(out, "");
    assert_non_null(strstr(complaint, "passgrid judge: v3-owner: the evidence has a passport for layer4.0.conv"));
    assert_non_null(strstr(complaint, "\npassgrid judge: model: no passport"));
    assert_refused("--model model --evidence owner --evidence nowhere" SOLD, 3, "nowhere: No such file");
    assert_refused("--model model --evidence owner --distributed v3-owner" HEARING, 2, "v3-owner: the evidence has a passport");
}

/* Many originals are in memory together, so none may be much larger than the accused network. */
TEST(an_original_much_larger_than_the_accused_network_is_refused)
{
    pg_model *wide = NULL;
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    spec.width = 0.5; /* the accused network has a sixteenth */
    OK(pg_model_create(&spec, &wide, &err));
    save_model(wide, "wide");
    pg_model_destroy(&wide);
    assert_refused("--model plain --evidence adi-owner --original wide" HEARING, 2, "wide: the network has ");
    assert_judged("--model plain --evidence adi-owner --original plain" HEARING);
}

/* On so few images even a network that is always right would count as useless. */
TEST(too_few_test_images_are_refused)
{
    assert_refused(
        "--model plain --evidence adi-owner --data synthetic --test 1", 2,
        "1 test image cannot show that a network is better than guessing: 10 classes and level 0.001 need at least ");
    assert_refused("--model model --evidence owner --data synthetic --test 2 --accuracy 90", 2, "2 test images cannot show");
    assert_judged("--model plain --evidence adi-owner --data synthetic --test 4");
    assert_judged("--model plain --evidence adi-owner --data synthetic --test 1 --level 0.5");
}

/* A claimant's file in which the bytes of one number are replaced by those of another. */
static void replace_number(const char *from, pg_real number, pg_real by, const char *to)
{
    char *bytes = NULL;
    size_t count;
    OK(pg_file_read(from, &bytes, &count, &err));
    char *at = memmem(bytes, count, &number, sizeof number);
    assert_non_null(at);
    memcpy(at, &by, sizeof by);
    FILE *file = fopen(to, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
    pg_free(bytes);
}

/* The exit code is not 1, which would say that a claim does not stand. */
TEST(numbers_that_are_not_finite_give_no_verdict)
{
    static const pg_real marker = (pg_real)1234.5678;
    pg_model *model = NULL;
    pg_evidence *evidence = NULL;
    bring_files();
    OK(pg_model_load("model", NULL, &model, NULL, &err));
    model->params[3] = NAN;
    save_model(model, "model-nan");
    model->params[3] = 0;
    model->buffers[3] = INFINITY;
    save_model(model, "model-inf");
    pg_model_destroy(&model);
    OK(pg_evidence_load("owner", &evidence, &err));
    evidence->passports[2].skey[5] = marker;
    save_evidence(evidence, "owner-marked");
    pg_evidence_destroy(&evidence);
    replace_number("owner-marked", marker, INFINITY, "owner-inf");
    assert_refused("--model model-nan --evidence owner" HEARING, 2,
                   "model-nan: tensor 'features.0.weight': a value is not a finite number");
    assert_refused("--model model-inf --evidence owner" HEARING, 2,
                   "model-inf: tensor 'features.0.bn.running_mean': a value is not a finite number");
    assert_refused("--model model --evidence owner-inf" HEARING, 2,
                   "owner-inf: the passport for features.4 has values that are not finite");
    OK(pg_model_load("plain", NULL, &model, NULL, &err));
    const pg_layer *last = pg_model_classifier(model);
    for (int i = 0; i < last->in_height * last->in_width * last->in_channels; i++)
        model->params[last->weight + i] = (pg_real)3e38;
    save_model(model, "plain-large");
    pg_model_destroy(&model);
    assert_refused("--model plain-large --evidence adi-owner --exit-code" HEARING, 2, "of 100 images are not finite numbers");
}

TEST(bad_usage_is_refused)
{
    assert_refused("--evidence owner" HEARING, 2, "--model FILE is missing");
    assert_refused("--model model" HEARING, 2, "--evidence FILE is missing");
    assert_refused("--model model --evidence owner", 2, "--data NAME is missing, and model does not name the data set");
    assert_refused("--model model --evidence owner --data synthetic --test 99999", 2, "--test: synthetic has ");
    assert_refused("--model plain --evidence features.5" SOLD, 2, "--distributed: plain works without a passport");
    assert_refused("--model model --evidence owner --distributed nowhere" HEARING, 3, "nowhere: No such file");
    assert_refused("--model model --evidence owner --relu-before-add 1" HEARING, 2,
                   "--relu-before-add: expected one of false, true, got \"1\"");
    assert_refused("--model model --evidence owner --batch 0" HEARING, 2, "--batch: expected a whole number in [1, 10000]");
    assert_refused("--model model --evidence owner --level 0" HEARING, 2, "--level: expected a number in (0, 0.5]");
    assert_refused("--model model --evidence owner --data synthetik", 2, "unknown data set 'synthetik'");
    assert_refused("--model model --evidence owner owner" HEARING, 2, "unexpected argument");
    assert_refused("--model model --evidence owner --lebel 1" HEARING, 2, "--lebel");
    assert_refused("--model model --evidence owner --level 0.6" HEARING, 2, "--level: expected a number in (0, 0.5]");
    assert_refused("--model model --evidence owner --nulls -1" HEARING, 2, "--nulls");
    assert_refused("--model model --evidence owner --nulls 1" HEARING, 2, "--nulls: one draw has no spread");
    assert_refused("--model model --evidence owner --accuracy 101" HEARING, 2, "--accuracy: expected a number in (0, 100]");
    assert_refused("--model model --evidence owner --pixels rgb" HEARING, 2,
                   "--pixels: expected one of imagenet, cifar, got \"rgb\"");
    assert_refused("--model model --evidence owner --norm xn" HEARING, 2, "xn");
    char many[512] = "--model model" HEARING;
    for (int i = 0; i < 17; i++) strcat(many, " --evidence owner");
    assert_refused(many, 2, "more than 16 claimants");
    assert_int_equal(judge("--help"), 0);
    assert_true(says("usage: passgrid judge"));
}
