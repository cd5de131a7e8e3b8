/* The judge, as a command: owner and forger side by side, as text and JSON; commitments; files that do not fit; bad usage. */
#include "tests/unit/subject.h"

#include "core/data/triggers.h"
#include "core/nets/state.h"
#include "core/ownership/verify.h"
#include "experiments/commands.h"

#include <dirent.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

static pg_data data;

/* ---- files that are put before the judge ---- */

static void save_evidence(const pg_evidence *evidence, const char *path)
{
    OK(pg_evidence_save(evidence, path, &err));
}

static void save_model(const pg_model *model, const char *path)
{
    OK(pg_model_save(model, NULL, 0, path, &err));
}

/* Claim the very signs that the passports happen to give in the model. */
static void match_signature(const pg_model *model, pg_evidence *evidence)
{
    pg_net *net = NULL;
    OK(pg_net_create(&model->spec, 1, false, PG_CONV_AUTO, &net, &err));
    OK(pg_passports_install(net, model, evidence, &err));
    for (int i = 0; i < evidence->passport_count; i++)
        for (int o = 0; o < evidence->passports[i].outputs; o++)
            evidence->passports[i].b[o] = pg_net_gamma(net, i)[o] > 0 ? 1 : -1;
    pg_net_destroy(&net);
}

/* A V1 AlexNet with a passport in every convolution, so that its claim is significant however small it is; its owner's
 * evidence, and a forger's that was drawn in the same way, with a random signature and with one that matches. */
static void make_owner_and_forger(void)
{
    pg_train_options options = test_training(8, 16);
    options.lr = 0.05;
    subject s = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_RANDOM);
    strcpy(s.options.layers, "all");
    strcpy(s.options.signature, "Zq");
    OK(s.scheme->wire(&s.options, &s.spec, &err));
    subject_fill(&s, &data);
    subject_train(&s, &data, &options);
    save_model(s.model, "model");
    save_evidence(s.evidence, "owner");
    pg_model *model = s.model;
    s.model = NULL;
    subject_destroy(&s);
    s.seed.task = "forger";
    subject_fill(&s, &data);
    save_evidence(s.evidence, "forger");
    match_signature(model, s.evidence);
    save_evidence(s.evidence, "matching");
    pg_model_destroy(&model);
    subject_destroy(&s);
}

/* A plain AlexNet; evidence for one layer each, of as many bits; and triggers alone. */
static void make_plain(void)
{
    static const char *const layers[] = {"features.5", "features.6"};
    subject plain = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    save_model(plain.model, "plain");
    for (int i = 0; i < 2; i++) {
        subject s = subject_wire("v2", PG_NORM_BN, PG_PASSPORT_RANDOM);
        strcpy(s.options.layers, layers[i]);
        OK(s.scheme->wire(&s.options, &s.spec, &err));
        subject_fill(&s, &data);
        save_evidence(s.evidence, layers[i]);
        subject_destroy(&s);
    }
    pg_evidence *triggers = NULL;
    OK(pg_evidence_create(&plain.spec, "adi", "generated", &triggers, &err));
    OK(pg_triggers_generate(20, 10, plain.seed, &triggers->triggers, &err));
    save_evidence(triggers, "adi-owner");
    pg_evidence_destroy(&triggers);
    subject_destroy(&plain);
}

static void make_triggers(void)
{
    subject s = subject_wire("v3", PG_NORM_GN, PG_PASSPORT_RANDOM);
    s.spec.arch = pg_arch_find("resnet9");
    OK(s.scheme->wire(&s.options, &s.spec, &err));
    subject_fill(&s, &data);
    save_model(s.model, "v3");
    save_evidence(s.evidence, "v3-owner");
    subject_destroy(&s);
}

static int start(void **state)
{
    const int result = test_start(state);
    if (result != 0 || chdir(test_folder) != 0 || setenv("PASSGRID_DATA", test_folder, 1) != 0) return -1;
    data = test_data(160, 40);
    make_owner_and_forger();
    make_plain();
    make_triggers();
    return 0;
}

static int end(void **state)
{
    pg_data_clear(&data);
    return test_end(state);
}

/* ---- the command in this process ---- */

enum { ARGUMENTS = 64 };
static char *out, *complaint; /* what the last call wrote; released by the next */

static int redirect(int stream, const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    const int kept = dup(stream);
    dup2(fileno(file), stream);
    fclose(file);
    return kept;
}

static void restore(int stream, int kept)
{
    dup2(kept, stream);
    close(kept);
}

static void release(void)
{
    pg_free(out);
    pg_free(complaint);
    out = complaint = NULL;
}

/* Run `judge` with these words, separated by spaces; returns the exit code. */
static int judge(const char *words)
{
    char text[2048] = "judge ", *argv[ARGUMENTS + 1] = {NULL};
    int argc = 0;
    size_t bytes;
    strcat(text, words);
    for (char *word = strtok(text, " "); word && argc < ARGUMENTS; word = strtok(NULL, " ")) argv[argc++] = word;
    release();
    fflush(NULL);
    const int kept_out = redirect(STDOUT_FILENO, "stdout"), kept_err = redirect(STDERR_FILENO, "stderr");
    optind = 0;
    const int code = pg_cmd_judge(argc, argv);
    fflush(NULL);
    restore(STDOUT_FILENO, kept_out);
    restore(STDERR_FILENO, kept_err);
    OK(pg_file_read("stdout", &out, &bytes, &err));
    OK(pg_file_read("stderr", &complaint, &bytes, &err));
    return code;
}

static bool says(const char *text)
{
    return strstr(out, text) != NULL;
}

static void assert_judged(const char *words)
{
    const int code = judge(words);
    if (code != 0) fail_msg("exit code %d: %s", code, complaint);
    assert_string_equal(complaint, "");
}

/* It ends with this code, one line to stderr that has the text in it, and nothing to stdout. */
static void assert_refused(const char *words, int code, const char *text)
{
    assert_int_equal(judge(words), code);
    assert_string_equal(out, "");
    if (!strstr(complaint, text)) fail_msg("'%s' is not in '%s'", text, complaint);
    assert_ptr_equal(strchr(complaint, '\n'), complaint + strlen(complaint) - 1);
}

static json_t *verdicts(const char *words)
{
    json_error_t problem;
    assert_judged(words);
    json_t *root = json_loads(out, JSON_REJECT_DUPLICATES, &problem);
    if (!root) fail_msg("line %d: %s", problem.line, problem.text);
    return root;
}

static const json_t *claim_of(const json_t *root, size_t i)
{
    const json_t *claim = json_array_get(json_object_get(root, "claims"), i);
    assert_non_null(claim);
    return claim;
}

static double number(const json_t *claim, const char *key)
{
    const json_t *value = json_object_get(claim, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void assert_text(const json_t *claim, const char *key, const char *expected)
{
    assert_string_equal(json_string_value(json_object_get(claim, key)), expected);
}

/* ---- hearings ---- */

#define HEARING " --data synthetic --test 50 "

static void test_text(void **state)
{
    (void)state;
    assert_judged("--model model --evidence owner --evidence forger" HEARING);
    assert_true(says("model model: alexnet, bn, width 0.0625, 10 classes"));
    assert_true(says("50 test images of generated patterns, not real data"));
    assert_true(says("the model only works with a passport"));
    const char *owner = strstr(out, "\nowner\n"), *forger = strstr(out, "\nforger\n");
    assert_true(owner && forger && owner < forger);
    const char *stands = strstr(out, "claim stands"), *fails = strstr(out, "signature not significant");
    assert_true(stands && stands > owner && stands < forger);
    assert_true(fails && fails > forger);
    assert_null(strstr(stands + 1, "claim stands"));
}

/* What is published about a claim, and nothing else: no passport, no signature, no trigger. */
static void test_json(void **state)
{
    (void)state;
    static const char *const keys[] = {"evidence",
                                       "scheme",
                                       "kind",
                                       "commitment",
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
                                       "stands",
                                       "verdict",
                                       "detection_by_layer",
                                       "trigger_public",
                                       "trigger_private",
                                       "trigger_p_value",
                                       "threshold",
                                       "null_threshold",
                                       "triggers",
                                       "triggers_agreeing",
                                       "null_probability"};
    enum { KEYS = sizeof keys / sizeof *keys };
    json_t *root = verdicts("--model model --evidence owner --evidence forger --json" HEARING);
    assert_int_equal(json_array_size(json_object_get(root, "claims")), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "test_images")), 50);
    for (size_t i = 0; i < 2; i++) {
        const json_t *claim = claim_of(root, i);
        const double bits = number(claim, "bits");
        assert_int_equal(json_object_size(claim), KEYS);
        for (int k = 0; k < KEYS; k++) assert_non_null(json_object_get(claim, keys[k]));
        assert_text(claim, "evidence", i ? "forger" : "owner");
        assert_text(claim, "scheme", "v1");
        assert_text(claim, "kind", "random");
        assert_text(claim, "verdict", i ? "signature not significant" : "claim stands");
        assert_int_equal(json_is_true(json_object_get(claim, "stands")), i == 0);
        assert_true(json_is_null(json_object_get(claim, "accuracy_public")));
        assert_true(json_is_null(json_object_get(claim, "detection_stored")));
        assert_true(json_is_null(json_object_get(claim, "trigger_p_value")));
        assert_true(bits > 0 && number(claim, "triggers") == 0 && number(claim, "null_probability") == 0.5);
        assert_true(fabs(pg_binomial_tail((int)number(claim, "agreeing"), (int)bits, 0.5) - number(claim, "p_coin")) < 1e-15);
        assert_true(number(claim, "nulls") >= 100 && number(claim, "nulls") <= 100);
        assert_int_equal(number(claim, "p_value") <= 1e-3, i == 0);
        assert_true(json_object_size(json_object_get(claim, "detection_by_layer")) == 5);
    }
    assert_false(says("Zq"));
    json_decref(root);
}

/* A model that only works with a passport is judged by what it reaches with the best one shown, or by what it is known to
 * reach: a passport that happens to give the signature that it claims, but guesses, proves nothing, though nobody shows a
 * better one. */
static void test_guessing(void **state)
{
    (void)state;
    static const char *const words[] = {"--model model --evidence matching --json" HEARING,
                                        "--model model --evidence matching --json --accuracy 90" HEARING};
    for (int i = 0; i < 2; i++) {
        json_t *root = verdicts(words[i]);
        assert_true(number(claim_of(root, 0), "p_value") <= 1e-3);
        assert_text(claim_of(root, 0), "verdict", "model does not work with this passport");
        json_decref(root);
    }
    assert_judged("--model model --evidence owner --accuracy 100 --tolerance 1" HEARING);
    assert_true(says("model does not work with this passport"));
    assert_judged("--model model --evidence matching --accuracy 0" HEARING);
    assert_true(says("claim stands"));
}

/* Who speaks first does not matter, nor do threads. */
static void test_order(void **state)
{
    (void)state;
    json_t *root = verdicts("--model model --evidence owner --evidence forger --json" HEARING),
           *other = verdicts("--model model --evidence forger --evidence owner --json --threads 2" HEARING);
    for (size_t i = 0; i < 2; i++) assert_true(json_equal(claim_of(root, i), claim_of(other, 1 - i)));
    json_decref(root);
    json_decref(other);
}

/* Claims of one kind and as many bits, but for different layers: each is held against nulls of its own layers. */
static void test_other_layers(void **state)
{
    (void)state;
    json_t *both = verdicts("--model plain --evidence features.5 --evidence features.6 --json" HEARING),
           *alone = verdicts("--model plain --evidence features.6 --json" HEARING);
    assert_true(json_equal(claim_of(both, 1), claim_of(alone, 0)));
    assert_true(json_is_number(json_object_get(claim_of(alone, 0), "accuracy_public")));
    json_decref(both);
    json_decref(alone);
}

static void test_trigger_set(void **state)
{
    (void)state;
    json_t *root = verdicts("--model v3 --evidence v3-owner --json --nulls 0 --level 0.5 --tolerance 100" HEARING);
    const json_t *claim = claim_of(root, 0);
    assert_true(number(claim, "trigger_public") >= 0 && number(claim, "trigger_private") >= 0);
    assert_true(number(claim, "trigger_p_value") > 0);
    assert_true(number(claim, "p_value") >= number(claim, "p_coin") && number(claim, "p_value") <= number(claim, "p_coin"));
    assert_int_equal(json_is_true(json_object_get(claim, "stands")), number(claim, "p_coin") <= 0.5);
    json_decref(root);
    assert_judged("--model v3 --evidence v3-owner --nulls 0" HEARING);
    assert_true(says("triggers, public branch") && says("% of 5") && says("accuracy as deployed"));
    assert_true(says("of 5 answered as deployed") && says("against a fair coin (null probability 0.5)"));
    assert_false(says("fresh ones"));
}

/* A claim by triggers is counted as one by bits is: how many agree, of how many, by which chance each. */
static void test_triggers_alone(void **state)
{
    (void)state;
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
    assert_true(says("of 20 answered as deployed") && says("against guessing (null probability 0.1)"));
}

static void test_commitment(void **state)
{
    (void)state;
    char hex[PG_SHA256_HEX], words[512];
    pg_evidence *evidence = NULL;
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
}

/* ---- what is refused ---- */

static void test_files_that_do_not_fit(void **state)
{
    (void)state;
    assert_refused("--model plain --evidence v3-owner" HEARING, 2, "v3-owner: the evidence has a passport for layer4.0.conv");
    assert_refused("--model model --evidence features.5" HEARING, 2, "features.5: the model needs passports in other layers");
    assert_refused("--model owner --evidence owner" HEARING, 2, "owner: ");
    assert_refused("--model model --evidence model" HEARING, 2, "model: no passport");
    assert_refused("--model nowhere --evidence owner" HEARING, 3, "nowhere: No such file");
    assert_refused("--model model --evidence nowhere" HEARING, 3, "nowhere: No such file");
    assert_refused("--model model --evidence ." HEARING, 2, "not a regular file");
}

/* Numbers that no training gives would pass through as a verdict. */
static void test_not_finite(void **state)
{
    (void)state;
    pg_model *model = NULL;
    pg_evidence *evidence = NULL;
    OK(pg_model_load("model", NULL, &model, NULL, &err));
    model->params[3] = NAN;
    save_model(model, "model-nan");
    model->params[3] = 0;
    model->buffers[3] = INFINITY;
    save_model(model, "model-inf");
    pg_model_destroy(&model);
    OK(pg_evidence_load("owner", &evidence, &err));
    evidence->passports[2].skey[5] = INFINITY;
    save_evidence(evidence, "owner-inf");
    pg_evidence_destroy(&evidence);
    assert_refused("--model model-nan --evidence owner" HEARING, 2,
                   "model-nan: tensor 'features.0.weight': a value is not a finite number");
    assert_refused("--model model-inf --evidence owner" HEARING, 2,
                   "model-inf: tensor 'features.0.bn.running_mean': a value is not a finite number");
    assert_refused("--model model --evidence owner-inf" HEARING, 2, "owner-inf: the passport for features.4 is not of finite");
}

static void test_bad_usage(void **state)
{
    (void)state;
    assert_refused("--evidence owner" HEARING, 2, "--model FILE is missing");
    assert_refused("--model model" HEARING, 2, "--evidence FILE is missing");
    assert_refused("--model model --evidence owner", 2, "--data NAME is missing");
    assert_refused("--model model --evidence owner --data synthetik", 2, "unknown data set 'synthetik'");
    assert_refused("--model model --evidence owner owner" HEARING, 2, "unexpected argument");
    assert_refused("--model model --evidence owner --lebel 1" HEARING, 2, "--lebel");
    assert_refused("--model model --evidence owner --level 0.6" HEARING, 2, "--level: expected a number in [0, 0.5]");
    assert_refused("--model model --evidence owner --nulls -1" HEARING, 2, "--nulls");
    assert_refused("--model model --evidence owner --nulls 1" HEARING, 2, "--nulls: one draw has no spread");
    assert_refused("--model model --evidence owner --accuracy 101" HEARING, 2, "--accuracy: expected a number in [0, 100]");
    assert_refused("--model model --evidence owner --pixels rgb" HEARING, 2, "--pixels: expected imagenet or cifar");
    assert_refused("--model model --evidence owner --norm xn" HEARING, 2, "xn");
    char many[512] = "--model model" HEARING;
    for (int i = 0; i < 17; i++) strcat(many, " --evidence owner");
    assert_refused(many, 2, "more than 16 claimants");
    assert_int_equal(judge("--help"), 0);
    assert_true(says("usage: passgrid judge"));
    release();
}

/* Names in nulls/, the first into name. */
static int kept_nulls(char name[512])
{
    int count = 0;
    DIR *folder = opendir("nulls");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && count++ == 0) snprintf(name, 512, "nulls/%s", entry->d_name);
    closedir(folder);
    return count;
}

/* Null evidence is drawn once for a model, claim, set and number, and what was kept gives the same words; a damaged file, be
 * it by one sign, is drawn anew. */
static void test_kept_nulls(void **state)
{
    (void)state;
    static const char words[] = "--model model --evidence owner --data synthetic --test 40 --nulls 11";
    char name[512], *first = NULL, *kept = NULL;
    size_t bytes = 0;
    struct stat before, after;
    assert_int_equal(system("rm -rf nulls"), 0);
    assert_int_equal(judge(words), 0);
    assert_int_equal(kept_nulls(name), 1);
    assert_int_equal(stat(name, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    OK(pg_strdup(out, &first, &err));
    assert_int_equal(judge(words), 0);
    assert_string_equal(out, first);
    assert_int_equal(stat(name, &after), 0);
    assert_true(before.st_ino == after.st_ino); /* found, not drawn and written again */
    for (int shorter = 0; shorter < 2; shorter++) {
        OK(pg_file_read(name, &kept, &bytes, &err));
        kept[bytes - 1] ^= 3; /* another sign */
        OK(pg_file_write(name, kept, bytes - (size_t)shorter, PG_FILE_SECRET, &err));
        kept[bytes - 1] ^= 3;
        assert_int_equal(judge(words), 0);
        assert_string_equal(out, first);
        char *again = NULL;
        OK(pg_file_read(name, &again, &bytes, &err));
        assert_memory_equal(again, kept, bytes);
        pg_free(again);
        pg_free(kept);
    }
    assert_int_equal(judge("--model model --evidence owner --data synthetic --test 40 --nulls 12"), 0);
    assert_int_equal(kept_nulls(name), 2);
    release();
    pg_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_guessing),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_other_layers),
        cmocka_unit_test(test_trigger_set),
        cmocka_unit_test(test_triggers_alone),
        cmocka_unit_test(test_commitment),
        cmocka_unit_test(test_files_that_do_not_fit),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_bad_usage),
        cmocka_unit_test(test_kept_nulls),
    };
    return cmocka_run_group_tests(tests, start, end);
}
