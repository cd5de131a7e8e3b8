/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid judge: judges claims on a model and shows them side by side. */
#include "experiments/commands/commands.h"
#include "experiments/commands/judge_hearing.h"

#include "core/compute/parallel.h"
#include "core/data/readers.h"
#include "experiments/grid/grid_options.h"
#include "experiments/grid/inputs.h"

#include <string.h>
#include <time.h>

typedef struct arguments {
    pg_hearing hearing;
    const char *report;
    int threads;
    bool json, exit_code;
} arguments;
static const arguments defaults = {.hearing = {.norm = -1, .pixels = -1, .relu_before_add = -1}, .threads = 1};

/* ---- options ---- */

static pg_status take_evidence(void *values, const char *path, pg_error *err)
{
    pg_hearing *h = &((arguments *)values)->hearing;
    if (h->claim_count == PG_CLAIMANTS_MAX)
        return pg_fail(err, PG_BAD_INPUT, "--evidence: more than %d claimants", PG_CLAIMANTS_MAX);
    h->claims[h->claim_count++].path = path;
    return PG_OK;
}

/* Store an option that belongs to the --evidence before it in that member of its claimant. */
static pg_status take_for_claim(void *values, const char *option, size_t member, const char *text, pg_error *err)
{
    pg_hearing *h = &((arguments *)values)->hearing;
    if (h->claim_count == 0) return pg_fail(err, PG_BAD_INPUT, "%s: comes after the --evidence that it belongs to", option);
    pg_claimant *k = &h->claims[h->claim_count - 1];
    const char **out = (const char **)((char *)k + member);
    if (*out) return pg_fail(err, PG_BAD_INPUT, "%s: given twice for %s", option, k->path);
    *out = text;
    return PG_OK;
}

static pg_status take_commitment(void *values, const char *hex, pg_error *err)
{
    const pg_status status = take_for_claim(values, "--commitment", offsetof(pg_claimant, expected), hex, err);
    if (status != PG_OK || (strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64)) return status;
    return pg_fail(err, PG_BAD_INPUT, "--commitment: expected 64 hexadecimal digits in lower case, got \"%.80s\"", hex);
}

static pg_status take_original(void *values, const char *path, pg_error *err)
{
    return take_for_claim(values, "--original", offsetof(pg_claimant, original_path), path, err);
}

static pg_status take_stamp(void *values, const char *path, pg_error *err)
{
    return take_for_claim(values, "--stamp", offsetof(pg_claimant, stamp_path), path, err);
}

static pg_status take_published(void *values, const char *text, pg_error *err)
{
    pg_hearing *h = &((arguments *)values)->hearing;
    struct tm day = {0};
    char again[32] = "";
    if (strptime(text, "%Y-%m-%d", &day)) {
        h->published_at = timegm(&day);
        strftime(again, sizeof again, "%Y-%m-%d", &day); /* 31 February has become 3 March */
    }
    h->published = text;
    if (strcmp(text, again) == 0) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "--published: expected a day as YYYY-MM-DD, got \"%.80s\"", text);
}

static const char *const booleans[] = {"false", "true", NULL};

static const pg_cli_row rows[] = {
    PG_CLI_FILE(arguments, hearing.model_path, "model", "FILE",
                "safetensors, our own or saved from the reference's PyTorch networks", .required = true),
    PG_CLI_FILE(arguments, hearing.map_path, "map", "FILE",
                "mapping of the names in the model's file, if that is a state dict of other code (see passgrid import)"),
    PG_CLI_FILE(arguments, hearing.claims[0].path, "evidence", "FILE",
                "evidence of a claimant; one file may hold both weights and passports; may be repeated", .required = true,
                .take = take_evidence),
    PG_CLI_TEXT(arguments, hearing.claims[0].expected, "commitment", "HEX",
                "SHA-256 to which the claimant of the --evidence before it committed; other evidence is refused",
                .take = take_commitment),
    PG_CLI_HEADING("If the network may have been rewritten (channels permuted, scaled, flipped or added):"),
    PG_CLI_FILE(
        arguments, hearing.claims[0].original_path, "original", "FILE",
        "the claimant's own model, of the --evidence before it; the judge aligns the network to it and reads the evidence "
        "both ways, which costs one bit",
        .take = take_original),
    PG_CLI_FILE(arguments, hearing.claims[0].stamp_path, "stamp", "FILE",
                "an authority's stamp of that evidence and that original (see passgrid commit)", .take = take_stamp),
    PG_CLI_FILE(arguments, hearing.authorities, "tsa-ca", "FILE", "PEM certificates of the authorities that you trust"),
    PG_CLI_TEXT(arguments, hearing.published, "published", "YYYY-MM-DD",
                "day (UTC) on which the network appeared, or the public network that it was made from; through an original "
                "evidence proves only if the stamp is older",
                .take = take_published),
    PG_CLI_HEADING(
        "Accuracy as deployed of a network that only works with a passport (V1); without one of these options no claim on "
        "it can be decided:"),
    PG_CLI_REAL(arguments, hearing.accuracy, "accuracy", "X", PG_ABOVE_ZERO, 100,
                "percent; used instead of the measured accuracy"),
    PG_CLI_FILE(arguments, hearing.distributed.path, "distributed", "FILE",
                "evidence file with the passports that are distributed with the network; it runs with them"),
    PG_CLI_HEADING("How to run the network, if the model file does not say:"),
    PG_CLI_TEXT(arguments, hearing.data_word, "data", "NAME",
                "data set to take test images from, or '{name: NAME, path: DIR}' with the keys of a grid",
                .fallback = "the one that the model file names", .names = pg_data_kind_names),
    PG_CLI_FOLDER(arguments, hearing.directory, "dir", "DIR", "where the data sets are", .fallback = PG_CLI_DATA),
    PG_CLI_INT(arguments, hearing.test, "test", "N", 1, 1000000000, "use only N test images", .fallback = "all"),
    PG_CLI_CHOICE(arguments, hearing.pixels, "pixels", "KIND", "how images are normalised",
                  .fallback = "as the model file says, else imagenet", .choices = pg_pixels_names),
    PG_CLI_CHOICE(arguments, hearing.norm, "norm", "KIND", "normalisation of the network", .choices = pg_norm_names),
    PG_CLI_CHOICE(arguments, hearing.relu_before_add, "relu-before-add", "BOOL",
                  "residual networks: whether a block's last convolution has its own ReLU", .choices = booleans),
    PG_CLI_HEADING("How strict the judge is; the defaults are those of a grid's `verify`:"),
    PG_CLI_KEYS(arguments, hearing.options, pg_verify_table),
    PG_CLI_INT(arguments, hearing.seed, "seed", "N", 0, 1000000000, "seed of the fresh evidence"),
    PG_CLI_HEADING("Running and printing:"),
    PG_CLI_INT(arguments, threads, "threads", "N", 1, 1024, "threads"),
    PG_CLI_FILE(arguments, report, "report", "FILE", "write a page of HTML too, which explains the verdicts to anybody",
                .written = true),
    PG_CLI_FLAG(arguments, json, "json", "print JSON, with every option that was used"),
    PG_CLI_FLAG(arguments, exit_code, "exit-code",
                "end with the verdict on the weakest claim: 0 proves, 10 agrees, 11 neither"),
    {0},
};

/* ---- the command ---- */

/* Exit codes of verdicts; the weakest claim decides. */
enum { EXIT_PROVES = 0, EXIT_AGREES = 10, EXIT_NEITHER = 11 };

static int verdict_code(const pg_hearing *h)
{
    int code = EXIT_PROVES;
    for (int i = 0; i < h->claim_count; i++) {
        const pg_claimant *k = &h->claims[i];
        const pg_finding *f = &k->finding;
        const int own = k->refused[0] ? EXIT_NEITHER : f->proves ? EXIT_PROVES : f->agrees ? EXIT_AGREES : EXIT_NEITHER;
        if (own > code) code = own;
    }
    return code;
}

/* Complain if no claim could be judged. */
static pg_status check_refused(const pg_hearing *h)
{
    for (int i = 0; i < h->claim_count; i++)
        if (!h->claims[i].refused[0]) return PG_OK;
    for (int i = 0; i < h->claim_count; i++) pg_complain("judge", PG_BAD_INPUT, "%s", h->claims[i].refused);
    return PG_BAD_INPUT;
}

static int hold(arguments *a)
{
    pg_error err;
    pg_compute_start(a->threads);
    pg_status status = pg_hearing_hold(&a->hearing, &err);
    if (status != PG_OK) return pg_complain("judge", status == PG_FAILED ? PG_BAD_INPUT : status, "%s", err.message);
    if (check_refused(&a->hearing) != PG_OK) return pg_status_exit_code(PG_BAD_INPUT);
    (a->json ? pg_hearing_print_json : pg_hearing_print_text)(&a->hearing);
    if (a->report && (status = pg_hearing_write_page(&a->hearing, a->report, &err)) != PG_OK)
        return pg_complain("judge", status, "%s", err.message);
    return a->exit_code ? verdict_code(&a->hearing) : 0;
}

static pg_status check_stamps(const pg_hearing *h, pg_error *err)
{
    for (int i = 0; i < h->claim_count; i++) {
        const pg_claimant *k = &h->claims[i];
        if (k->stamp_path && !k->original_path)
            return pg_fail(err, PG_BAD_INPUT, "--stamp %s: needs the --original that it stamps", k->stamp_path);
        if (k->stamp_path && !h->authorities)
            return pg_fail(err, PG_BAD_INPUT, "--stamp %s: needs --tsa-ca FILE, the authorities that you trust", k->stamp_path);
    }
    return PG_OK;
}

static int run(int argc, char **argv)
{
    static arguments a; /* large */
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_judge, argc, argv, &a, &code)) return code;
    if (a.hearing.options.nulls == 1)
        return pg_complain("judge", PG_BAD_INPUT, "--nulls: one draw has no spread: expected 0 or at least 2");
    if (check_stamps(&a.hearing, &err) != PG_OK) return pg_complain("judge", PG_BAD_INPUT, "%s", err.message);
    code = hold(&a);
    pg_hearing_clear(&a.hearing);
    return code;
}

const pg_command pg_cmd_judge = {
    .name = "judge",
    .summary = "judge claims of ownership on a model",
    .about =
        "Show side by side what the evidence of each claimant proves about the model. Bound evidence, which follows from a secret, "
        "proves if its proof has enough bits. Other evidence can only agree: its p-value against fresh evidence is at most the "
        "level, and the network works with it, better than guessing and nearly as well as deployed. Nothing agrees on a network "
        "that is no better than guessing.\n"
        "If the evidence file of one claimant cannot be used, that claim is refused with the reason, and the other claims are judged "
        "as if it did not exist.",
    .rows = rows,
    .size = sizeof(arguments),
    .defaults = &defaults,
    .exits = "0 at least one claim was judged\n10 with --exit-code: every claim agrees, and not all prove\n"
             "11 with --exit-code: a claim does neither, or is refused\n"
             "2 bad usage or input, or every claim is refused\n3 a file cannot be read",
    .examples = "  passgrid judge --model M.safetensors --evidence OWNER.safetensors\n"
                "  passgrid judge --model M.safetensors --evidence A.safetensors \\\n"
                "      --evidence B.safetensors --distributed A.safetensors --json\n",
    .run = run,
};
