/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge's command, run in this process, and the files that it reads. */
#ifndef PG_TESTS_HEARING_H
#define PG_TESTS_HEARING_H

#include "core/data/triggers.h"
#include "core/nets/state.h"
#include "experiments/commands/commands.h"
#include "tests/unit/subject.h"

#include <jansson.h>
#include <unistd.h>

static pg_data data;

/* ---- files that are put before the judge ---- */

static inline void save_evidence(const pg_evidence *evidence, const char *path)
{
    OK(pg_evidence_save(evidence, path, &err));
}

static inline void save_model(const pg_model *model, const char *path)
{
    OK(pg_model_save(model, NULL, 0, path, &err));
}

/* Set the signature to the signs that the passports happen to give in the model. */
static inline void match_signature(const pg_model *model, pg_evidence *evidence)
{
    pg_net *net = NULL;
    OK(pg_net_create(&model->spec, 1, false, PG_CONV_AUTO, &net, &err));
    OK(pg_passports_install(net, model, evidence, &err));
    for (int i = 0; i < evidence->passport_count; i++)
        for (int o = 0; o < evidence->passports[i].outputs; o++)
            evidence->passports[i].b[o] = pg_net_gamma(net, i)[o] > 0 ? 1 : -1;
    pg_net_destroy(&net);
}

/* A V1 AlexNet with a passport in every convolution, so that a claim on it is significant although the network is small. Saves
 * the owner's evidence, and two files of a forger, whose passports are drawn in the same way: one has a random signature, the
 * other the matching one. */
static inline void make_owner_and_forger(void)
{
    pg_train_options options = test_training(8, 16);
    options.lr = 0.02;
    subject s = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_RANDOM);
    strcpy(s.options.layers, "all");
    strcpy(s.options.signature, "Zq");
    OK(pg_scheme_wire(s.scheme, &s.options, &s.spec, &err));
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

/* A plain AlexNet. Saves two marks of equally many bits, each for one layer, and evidence with triggers alone. */
static inline void make_plain(void)
{
    static const char *const layers[] = {"features.5", "features.6"};
    subject plain = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    save_model(plain.model, "plain");
    for (int i = 0; i < 2; i++) {
        subject s = subject_wire("v2", PG_NORM_BN, PG_PASSPORT_RANDOM);
        strcpy(s.options.layers, layers[i]);
        OK(pg_scheme_wire(s.scheme, &s.options, &s.spec, &err));
        subject_fill(&s, &data);
        save_evidence(s.evidence, layers[i]);
        subject_destroy(&s);
    }
    pg_evidence *triggers = NULL;
    OK(pg_evidence_create(&plain.spec, "adi", "generated", &triggers, &err));
    OK(pg_triggers_generate(20, 32, 10, plain.seed, &triggers->triggers, &err));
    save_evidence(triggers, "adi-owner");
    triggers->triggers.classes = 11;
    save_evidence(triggers, "adi-of-11");
    pg_evidence_destroy(&triggers);
    subject_destroy(&plain);
}

static inline void make_triggers(void)
{
    subject s = subject_wire("v3", PG_NORM_GN, PG_PASSPORT_RANDOM);
    s.spec.arch = pg_arch_find("resnet9");
    OK(pg_scheme_wire(s.scheme, &s.options, &s.spec, &err));
    subject_fill(&s, &data);
    save_model(s.model, "v3");
    save_evidence(s.evidence, "v3-owner");
    subject_destroy(&s);
}

SET_UP
{
    pg_compute_start(1);
    assert_int_equal(setenv("PASSGRID_DATA", folder(), 1), 0);
    data = test_data(640, 40);
    make_owner_and_forger();
    make_plain();
    make_triggers();
}

TEAR_DOWN
{
    pg_data_clear(&data);
}

/* Link the files that SET_UP made into the test's own folder, under the same names. */
static inline void bring_files(void)
{
    static const char *const names[] = {"model",      "owner",     "forger",    "matching", "plain",   "features.5",
                                        "features.6", "adi-owner", "adi-of-11", "v3",       "v3-owner"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!pg_file_exists(names[i])) assert_int_equal(symlink(shared_path(names[i]), names[i]), 0);
}

/* ---- the command in this process ---- */

enum { ARGUMENTS = 64 };
static char out[1 << 16], complaint[1 << 12]; /* what the last call wrote */

static inline int redirect(int stream, const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    const int kept = dup(stream);
    dup2(fileno(file), stream);
    fclose(file);
    return kept;
}

static inline void restore(int stream, int kept)
{
    dup2(kept, stream);
    close(kept);
}

static inline void read_back(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    const size_t bytes = fread(text, 1, room, file);
    fclose(file);
    assert_true(bytes < room);
    text[bytes] = 0;
}

/* Run `judge` with these words, separated by spaces; returns the exit code. */
static inline int judge(const char *words)
{
    char text[2048] = "judge ", *argv[ARGUMENTS + 1] = {NULL};
    int argc = 0;
    strcat(text, words);
    for (char *word = strtok(text, " "); word && argc < ARGUMENTS; word = strtok(NULL, " ")) argv[argc++] = word;
    bring_files();
    fflush(NULL);
    const int kept_out = redirect(STDOUT_FILENO, "stdout"), kept_err = redirect(STDERR_FILENO, "stderr");
    const int code = pg_cmd_judge.run(argc, argv);
    fflush(NULL);
    restore(STDOUT_FILENO, kept_out);
    restore(STDERR_FILENO, kept_err);
    read_back("stdout", out, sizeof out);
    read_back("stderr", complaint, sizeof complaint);
    return code;
}

static inline bool says(const char *text)
{
    return strstr(out, text) != NULL;
}

static inline void assert_judged(const char *words)
{
    const int code = judge(words);
    if (code != 0) fail_msg("exit code %d: %s", code, complaint);
    assert_string_equal(complaint, "");
}

/* The command ends with this code, writes one line with this text to stderr, and nothing to stdout. */
static inline void assert_refused(const char *words, int code, const char *text)
{
    assert_int_equal(judge(words), code);
    assert_string_equal(out, "");
    if (!strstr(complaint, text)) fail_msg("'%s' is not in '%s'", text, complaint);
    assert_ptr_equal(strchr(complaint, '\n'), complaint + strlen(complaint) - 1);
}

static inline json_t *verdicts(const char *words)
{
    json_error_t problem;
    assert_judged(words);
    json_t *root = json_loads(out, JSON_REJECT_DUPLICATES, &problem);
    if (!root) fail_msg("line %d: %s", problem.line, problem.text);
    return root;
}

static inline const json_t *claim_of(const json_t *root, size_t i)
{
    const json_t *claim = json_array_get(json_object_get(root, "claims"), i);
    assert_non_null(claim);
    return claim;
}

static inline double number(const json_t *claim, const char *key)
{
    const json_t *value = json_object_get(claim, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static inline void assert_text(const json_t *claim, const char *key, const char *expected)
{
    assert_string_equal(json_string_value(json_object_get(claim, key)), expected);
}

/* ---- hearings ---- */

#define HEARING " --data synthetic --test 100 "
#define SOLD    " --distributed owner" HEARING

#endif
