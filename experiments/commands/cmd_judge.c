/* passgrid judge: judges claims on a model and shows them side by side. */
#include "experiments/commands/commands.h"

#include "core/compute/parallel.h"
#include "core/formats/number.h"
#include "core/nets/state.h"
#include "experiments/commands/judge_report.h"
#include "experiments/grid/inputs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: passgrid judge --model FILE --evidence FILE [--commitment HEX] [--evidence FILE ...] [options]\n"
    "\n"
    "Show side by side what the evidence of each claimant proves about the model. A claim stands if the evidence agrees far\n"
    "better than fresh evidence of the same kind (its p-value is at most the level) and the network works with it: better\n"
    "than guessing, and nearly as well as deployed. No claim stands on a network that is no better than guessing.\n"
    "\n"
    "  --model FILE       safetensors, ours or saved from the reference's PyTorch networks\n"
    "  --evidence FILE    a claimant's evidence; one file may hold both weights and passports\n"
    "  --commitment HEX   SHA-256 to which the claimant committed the evidence before it; other evidence is refused\n"
    "\n"
    "The accuracy as deployed of a network that only works with a passport (V1); without one of these options no claim on it\n"
    "can be decided:\n"
    "  --accuracy X       percent; used instead of the measured accuracy\n"
    "  --distributed FILE evidence file with the passports that are distributed with the network; it runs with them\n"
    "\n"
    "How to run the network, if the model file does not say:\n"
    "  --data NAME        data set to take test images from (default: the one that the model file names)\n"
    "  --dir DIR          where data sets are\n"
    "  --test N           use only N test images\n"
    "  --pixels KIND      how images are normalised: imagenet or cifar (default: as the model file says, else imagenet)\n"
    "  --norm KIND        bn, gn, in, none\n"
    "  --relu-before-add BOOL  residual networks: true or false\n"
    "\n"
    "How strict the judge is; the defaults are those of a grid's `verify` (passgrid help verify):\n"
    "  --level P          largest significant p-value\n"
    "  --tolerance X      points of accuracy that evidence may cost\n"
    "  --nulls N          fresh evidence to draw for the null distribution (0: a fair coin)\n"
    "  --batch N          images per evaluation batch\n"
    "  --seed N           seed of the fresh evidence (default 0, as in a grid)\n"
    "\n"
    "  --threads N        threads (default 1)\n"
    "  --json             print JSON, with every option that was used\n"
    "  --exit-code        end with 1 unless every claim stands\n"
    "\n"
    "Exit codes: 0 judged, 1 with --exit-code: a claim does not stand, 2 bad usage or input, 3 a file cannot be read.\n";

typedef struct court {
    const char *model_path, *data_name, *directory, *norm;
    int test, threads, pixels, relu_before_add; /* the last two: -1, not given */
    bool json, exit_code;
    double accuracy; /* as deployed; 0: not given */
    pg_verify_options options;
    pg_claimant distributed, claims[PG_CLAIMANTS_MAX];
    int claim_count, seed;
    pg_model *model;
    pg_model_facts facts;
    char doubts[512];
    pg_data data;
    pg_dataset images;
} court;

/* ---- arguments ---- */

/* One model is judged: of two files, neither is passed over in silence. */
static pg_status take_once(const char *option, const char *text, const char **out, pg_error *err)
{
    if (*out) return pg_fail(err, PG_BAD_INPUT, "%s: given twice, \"%.80s\" and \"%.80s\"", option, *out, text);
    *out = text;
    return PG_OK;
}

static pg_status add_claim(court *c, const char *path, pg_error *err)
{
    if (c->claim_count == PG_CLAIMANTS_MAX)
        return pg_fail(err, PG_BAD_INPUT, "--evidence: more than %d claimants", PG_CLAIMANTS_MAX);
    c->claims[c->claim_count++].path = path;
    return PG_OK;
}

static pg_status add_commitment(court *c, const char *hex, pg_error *err)
{
    if (c->claim_count == 0) return pg_fail(err, PG_BAD_INPUT, "--commitment: comes after the --evidence that it belongs to");
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
        return pg_fail(err, PG_BAD_INPUT, "--commitment: expected 64 hexadecimal digits in lower case, got \"%.80s\"", hex);
    return take_once("--commitment", hex, &c->claims[c->claim_count - 1].expected, err);
}

static pg_status parse_real(const char *option, const char *text, double low, double high, double *out, pg_error *err)
{
    double value;
    const bool open = low == PG_ABOVE_ZERO;
    if (!pg_number_real(text, &value) || value < low || value > high)
        return pg_fail(err, PG_BAD_INPUT, "%s: expected a number in %s%g, %g], got \"%s\"", option, open ? "(" : "[",
                       open ? 0 : low, high, text);
    *out = value;
    return PG_OK;
}

/* Read an option that a grid's `verify` also has, with the range of its table. */
static pg_status parse_verify(court *c, const char *option, const char *text, pg_error *err)
{
    const pg_option *o = pg_options_find(pg_verify_table, option + 2);
    char *member = (char *)&c->options + o->offset;
    if (o->type == PG_OPT_REAL) return parse_real(option, text, o->low, o->high, (double *)(void *)member, err);
    return pg_parse_int(option, text, (int)o->low, (int)o->high, (int *)(void *)member, err);
}

static pg_status parse_nulls(court *c, const char *text, pg_error *err)
{
    const pg_status status = parse_verify(c, "--nulls", text, err);
    return status == PG_OK && c->options.nulls == 1
               ? pg_fail(err, PG_BAD_INPUT, "--nulls: one draw has no spread: expected 0 or at least 2")
               : status;
}

/* Index of the text among these names (ended by NULL); -1: none. */
static int index_of(const char *const *names, const char *text)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(text, names[i]) == 0) return i;
    return -1;
}

static pg_status parse_pixels(const char *text, int *out, pg_error *err)
{
    *out = index_of(pg_pixels_names, text);
    return *out >= 0 ? PG_OK : pg_fail(err, PG_BAD_INPUT, "--pixels: expected imagenet or cifar, got \"%s\"", text);
}

static pg_status parse_bool(const char *option, const char *text, int *out, pg_error *err)
{
    *out = index_of((const char *const[]){"false", "true", NULL}, text);
    return *out >= 0 ? PG_OK : pg_fail(err, PG_BAD_INPUT, "%s: expected true or false, got \"%s\"", option, text);
}

static pg_status take_option(court *c, int option, pg_error *err)
{
    switch (option) {
    case 'm': return take_once("--model", optarg, &c->model_path, err);
    case 'e': return add_claim(c, optarg, err);
    case 'c': return add_commitment(c, optarg, err);
    case 'd': c->data_name = optarg; return PG_OK;
    case 'D': c->directory = optarg; return PG_OK;
    case 'n': c->norm = optarg; return PG_OK;
    case 'p': return parse_pixels(optarg, &c->pixels, err);
    case 'r': return parse_bool("--relu-before-add", optarg, &c->relu_before_add, err);
    case 't': return pg_parse_int("--test", optarg, 1, 1000000000, &c->test, err);
    case 'T': return pg_parse_int("--threads", optarg, 1, 1024, &c->threads, err);
    case 's': return pg_parse_int("--seed", optarg, 0, 1000000000, &c->seed, err);
    case 'a': return parse_real("--accuracy", optarg, PG_ABOVE_ZERO, 100, &c->accuracy, err);
    case 'i': return take_once("--distributed", optarg, &c->distributed.path, err);
    case 'N': return parse_nulls(c, optarg, err);
    case 'l': return parse_verify(c, "--level", optarg, err);
    case 'x': return parse_verify(c, "--tolerance", optarg, err);
    case 'b': return parse_verify(c, "--batch", optarg, err);
    case 'E': c->exit_code = true; return PG_OK;
    default: c->json = true; return PG_OK;
    }
}

static pg_status check_arguments(const court *c, int left, pg_error *err)
{
    if (left) return pg_fail(err, PG_BAD_INPUT, "unexpected argument (passgrid judge --help)");
    if (!c->model_path) return pg_fail(err, PG_BAD_INPUT, "--model FILE is missing");
    if (!c->claim_count) return pg_fail(err, PG_BAD_INPUT, "--evidence FILE is missing");
    return PG_OK;
}

/* ---- files ---- */

static pg_status load_evidence(pg_claimant *k, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_evidence_load(k->path, &k->evidence, err));
    pg_evidence_commitment(k->evidence, k->commitment);
    if (k->expected && strcmp(k->expected, k->commitment) != 0)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: does not open the commitment %s (its own, of version 2, is %s)", k->path,
                       k->expected, k->commitment));
done:
    return status;
}

static pg_status load_data(court *c, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_data_load(c->data_name, c->directory, &c->data, err));
    if (pg_dataset_subset(&c->data.test, c->test, &c->images, err) != PG_OK) PG_TRY(pg_error_context(err, "--test"));
done:
    return status;
}

/* An option must not contradict the model file. */
static pg_status check_hints(const court *c, const pg_model_hints *hints, pg_error *err)
{
    const pg_net_spec *s = &c->model->spec;
    if (hints->norm && *hints->norm != s->norm)
        return pg_fail(err, PG_BAD_INPUT, "--norm %s: %s tells another, %s", c->norm, c->model_path,
                       pg_norm_kind_name(s->norm));
    if (hints->relu_before_add && *hints->relu_before_add != s->relu_before_add)
        return pg_fail(err, PG_BAD_INPUT, "--relu-before-add: %s tells another", c->model_path);
    return PG_OK;
}

/* If the model file does not give the size of its images, the test images do. */
static pg_status load_model(court *c, pg_error *err)
{
    pg_status status = PG_OK;
    pg_norm_kind norm;
    const bool relu = c->relu_before_add == 1;
    if (c->norm) PG_TRY(pg_norm_kind_parse(c->norm, &norm, err));
    const pg_model_hints hints = {.norm = c->norm ? &norm : NULL,
                                  .relu_before_add = c->relu_before_add < 0 ? NULL : &relu,
                                  .image_height = c->images.height,
                                  .image_width = c->images.width};
    PG_TRY(pg_model_load(c->model_path, &hints, &c->model, &c->facts, err));
    PG_TRY(check_hints(c, &hints, err));
done:
    return status;
}

static pg_status load(court *c, pg_error *err)
{
    pg_status status = PG_OK;
    if (c->data_name) PG_TRY(load_data(c, err));
    PG_TRY(load_model(c, err));
    if (!c->data_name) {
        c->data_name = c->facts.data;
        if (!c->facts.data[0])
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "--data NAME is missing, and %s does not tell it", c->model_path));
        PG_TRY(load_data(c, err));
    }
    for (int i = 0; i < c->claim_count; i++) PG_TRY(load_evidence(&c->claims[i], err));
    if (c->distributed.path) PG_TRY(load_evidence(&c->distributed, err));
done:
    return status;
}

/* ---- the hearing ---- */

static void add_doubt(court *c, const char *text)
{
    const size_t used = strlen(c->doubts);
    snprintf(c->doubts + used, sizeof c->doubts - used, "%s%s", used ? "; " : "", text);
}

/* Decide how pixels are normalised, and note the source. */
static pg_status choose_pixels(court *c, pg_judge_report *report, pg_error *err)
{
    char text[128];
    const int told = index_of(pg_pixels_names, c->facts.pixels);
    if (told < 0 && c->facts.pixels[0])
        return pg_fail(err, PG_BAD_INPUT, "%s: unknown pixels '%s'", c->model_path, c->facts.pixels);
    report->pixels = (pg_pixels)(c->pixels >= 0 ? c->pixels : told >= 0 ? told : PG_PIXELS_IMAGENET);
    report->pixels_from = c->pixels >= 0 ? "--pixels"
                          : told >= 0    ? "the model file"
                                         : "assumed: neither the model file nor --pixels tells";
    if (told < 0 || told == (int)report->pixels) return PG_OK;
    snprintf(text, sizeof text, "the model file says pixels %s", c->facts.pixels);
    add_doubt(c, text);
    return PG_OK;
}

/* Testing on another data set than that of the training is unusual but allowed; note it as a doubt. */
static void compare_data(court *c)
{
    char text[256], sum[PG_SHA256_HEX];
    if (!c->facts.data[0]) return;
    pg_input_sum(&c->data, sum);
    if (strcmp(c->facts.data, c->data_name) != 0)
        snprintf(text, sizeof text, "the model file says that the network was trained on %s", c->facts.data);
    else if (c->facts.data_sha256[0] && strcmp(c->facts.data_sha256, sum) != 0)
        snprintf(text, sizeof text, "%s here is not the one that the network was trained on: another checksum", c->data_name);
    else
        return;
    add_doubt(c, text);
}

static pg_status hear(court *c, const pg_judge_setup *setup, pg_judge_report *report, pg_error *err)
{
    pg_status status = PG_OK;
    pg_judge *judge = NULL;
    pg_finding alone;
    status = pg_judge_create(setup, &judge, err);
    if (status == PG_OK) status = pg_judge_claim(judge, NULL, &alone, err);
    if (status != PG_OK) {
        pg_error_context(err, "%s", setup->distributed ? c->distributed.path : c->model_path);
        goto done;
    }
    report->deployed = alone.deployed;
    report->deployed.exact = alone.reference;
    if (alone.decidable)
        report->deployed_from = c->accuracy > 0 ? "--accuracy" : setup->distributed ? "--distributed" : "measured";
    for (int i = 0; i < c->claim_count && status == PG_OK; i++) {
        status = pg_judge_claim(judge, c->claims[i].evidence, &c->claims[i].finding, err);
        if (status != PG_OK) pg_error_context(err, "%s", c->claims[i].path);
    }
done:
    pg_judge_destroy(&judge);
    return status;
}

/* ---- the command ---- */

static bool all_stand(const court *c)
{
    for (int i = 0; i < c->claim_count; i++)
        if (!c->claims[i].finding.stands) return false;
    return true;
}

static pg_status judge(court *c, pg_error *err)
{
    pg_status status = PG_OK;
    pg_judge_report report = {.model_path = c->model_path,
                              .images = &c->images,
                              .assumed = c->facts.assumed,
                              .doubts = c->doubts,
                              .options = c->options,
                              .seed = c->seed,
                              .distributed = c->distributed.path ? &c->distributed : NULL,
                              .claims = c->claims,
                              .claim_count = c->claim_count};
    pg_compute_start(c->threads);
    PG_TRY(load(c, err));
    report.spec = c->model->spec;
    if (c->distributed.path && pg_net_spec_deployed(&report.spec) == PG_PUBLIC)
        PG_TRY(
            pg_fail(err, PG_BAD_INPUT, "--distributed: %s works without a passport and is measured as it is", c->model_path));
    PG_TRY(choose_pixels(c, &report, err));
    compare_data(c);
    const pg_judge_setup setup = {.model = c->model,
                                  .test = &c->images,
                                  .pixels = report.pixels,
                                  .options = &c->options,
                                  .seed = (uint64_t)c->seed,
                                  .known_accuracy = c->accuracy,
                                  .distributed = c->distributed.evidence};
    PG_TRY(hear(c, &setup, &report, err));
    (c->json ? pg_judge_print_json : pg_judge_print_text)(&report);
done:
    return status;
}

static void release(court *c)
{
    for (int i = 0; i < c->claim_count; i++) pg_evidence_destroy(&c->claims[i].evidence);
    pg_evidence_destroy(&c->distributed.evidence);
    pg_model_destroy(&c->model);
    pg_dataset_clear(&c->images);
    pg_data_clear(&c->data);
}

int pg_cmd_judge(int argc, char **argv)
{
    static const struct option options[] = {{"model", required_argument, NULL, 'm'},
                                            {"evidence", required_argument, NULL, 'e'},
                                            {"commitment", required_argument, NULL, 'c'},
                                            {"accuracy", required_argument, NULL, 'a'},
                                            {"distributed", required_argument, NULL, 'i'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"dir", required_argument, NULL, 'D'},
                                            {"test", required_argument, NULL, 't'},
                                            {"pixels", required_argument, NULL, 'p'},
                                            {"norm", required_argument, NULL, 'n'},
                                            {"relu-before-add", required_argument, NULL, 'r'},
                                            {"level", required_argument, NULL, 'l'},
                                            {"tolerance", required_argument, NULL, 'x'},
                                            {"nulls", required_argument, NULL, 'N'},
                                            {"batch", required_argument, NULL, 'b'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"threads", required_argument, NULL, 'T'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"exit-code", no_argument, NULL, 'E'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    court c = {.threads = 1, .pixels = -1, .relu_before_add = -1};
    pg_error err = {0};
    pg_status status = pg_options_defaults(pg_verify_table, &c.options, &err);
    for (int option; status == PG_OK && (option = pg_next_option(argc, argv, options)) != -1;) {
        if (option == '?') return 2;
        if (option == 'h') return pg_print(usage);
        status = take_option(&c, option, &err);
    }
    if (status == PG_OK) status = check_arguments(&c, argc - optind, &err);
    if (status == PG_OK) status = judge(&c, &err);
    const bool stand = all_stand(&c);
    release(&c);
    if (status == PG_FAILED) status = PG_BAD_INPUT; /* files of no use; 1 is the code of a claim that does not stand */
    if (status != PG_OK) return pg_complain("judge", status, "%s", err.message);
    return c.exit_code && !stand ? 1 : 0;
}
