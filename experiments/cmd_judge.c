/* passgrid judge: what each claimant's evidence proves about a model, side by side. */
#include "experiments/commands.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/compute/parallel.h"
#include "core/formats/number.h"
#include "core/nets/state.h"
#include "core/ownership/verify.h"
#include "experiments/nulls_cache.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: passgrid judge --model FILE --evidence FILE [--commitment HEX] [--evidence FILE ...] --data NAME [options]\n"
    "\n"
    "What each claimant's evidence proves about the model, side by side. A claim stands when the signature agrees far beyond "
    "what fresh\n"
    "passports of the same kind reach (p-value at most the level) and the model works with the claimant's passport: as well as "
    "it does\n"
    "deployed, or, where it only works with a passport, as with the best one shown, if that is better than guessing.\n"
    "\n"
    "  --model FILE       safetensors, ours or saved from the reference's PyTorch networks\n"
    "  --evidence FILE    a claimant's evidence; a file with weights and passports may serve as both\n"
    "  --commitment HEX   SHA-256 that the evidence before it was committed to; evidence that does not open it is refused\n"
    "  --data NAME        data set whose test images are used (--dir DIR: where data sets are)\n"
    "  --test N           use only N test images\n"
    "  --pixels KIND      how the model's images are normalised: imagenet (default) or cifar\n"
    "  --norm KIND        norm of a model that does not tell: bn, gn, in, none\n"
    "  --level P          largest significant p-value (default 0.001)\n"
    "  --tolerance X      points of accuracy that a passport may cost (default 5)\n"
    "  --accuracy X       accuracy that the model is known to have as deployed, in percent (default: measured here)\n"
    "  --nulls N          fresh passports for the null distribution (default 100; 0: a fair coin); kept for next time\n"
    "  --threads N        threads (default 1)\n"
    "  --json             print JSON\n";

enum { CLAIMS_MAX = 16 };

typedef struct claim {
    const char *path, *expected; /* commitment that was given, or NULL */
    char commitment[PG_SHA256_HEX];
    pg_evidence *evidence;
    pg_finding finding;
} claim;

typedef struct court {
    const char *model_path, *data_name, *directory, *norm;
    int test, threads, pixels, claim_count;
    bool json;
    double accuracy; /* as deployed; NaN: measured here */
    pg_verify_options options;
    claim claims[CLAIMS_MAX];
    pg_model *model;
    pg_data data;
    pg_dataset images;
    pg_nulls nulls;              /* the last ones drawn */
    const pg_evidence *nulls_of; /* evidence that they were drawn like */
} court;

/* ---- arguments ---- */

static pg_status add_claim(court *c, const char *path, pg_error *err)
{
    if (c->claim_count == CLAIMS_MAX) return pg_fail(err, PG_BAD_INPUT, "--evidence: more than %d claimants", CLAIMS_MAX);
    c->claims[c->claim_count++].path = path;
    return PG_OK;
}

static pg_status add_commitment(court *c, const char *hex, pg_error *err)
{
    if (c->claim_count == 0) return pg_fail(err, PG_BAD_INPUT, "--commitment: comes after the --evidence that it belongs to");
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
        return pg_fail(err, PG_BAD_INPUT, "--commitment: expected 64 hexadecimal digits, got \"%.80s\"", hex);
    c->claims[c->claim_count - 1].expected = hex;
    return PG_OK;
}

static pg_status parse_real(const char *option, const char *text, double high, double *out, pg_error *err)
{
    double value;
    if (!pg_number_real(text, &value) || value < 0 || value > high)
        return pg_fail(err, PG_BAD_INPUT, "%s: expected a number in [0, %g], got \"%s\"", option, high, text);
    *out = value;
    return PG_OK;
}

static pg_status parse_nulls(const char *text, int *out, pg_error *err)
{
    const pg_status status = pg_parse_int("--nulls", text, 0, 100000, out, err);
    return status == PG_OK && *out == 1
               ? pg_fail(err, PG_BAD_INPUT, "--nulls: one draw has no spread: expected 0 or at least 2")
               : status;
}

static pg_status parse_pixels(const char *text, int *out, pg_error *err)
{
    for (int i = 0; pg_pixels_names[i]; i++)
        if (strcmp(text, pg_pixels_names[i]) == 0) {
            *out = i;
            return PG_OK;
        }
    return pg_fail(err, PG_BAD_INPUT, "--pixels: expected imagenet or cifar, got \"%s\"", text);
}

static pg_status take_option(court *c, int option, pg_error *err)
{
    switch (option) {
    case 'm': c->model_path = optarg; return PG_OK;
    case 'e': return add_claim(c, optarg, err);
    case 'c': return add_commitment(c, optarg, err);
    case 'd': c->data_name = optarg; return PG_OK;
    case 'D': c->directory = optarg; return PG_OK;
    case 'n': c->norm = optarg; return PG_OK;
    case 'p': return parse_pixels(optarg, &c->pixels, err);
    case 't': return pg_parse_int("--test", optarg, 1, 1000000, &c->test, err);
    case 'T': return pg_parse_int("--threads", optarg, 1, 1024, &c->threads, err);
    case 'N': return parse_nulls(optarg, &c->options.nulls, err);
    case 'a': return parse_real("--accuracy", optarg, 100, &c->accuracy, err);
    case 'l': return parse_real("--level", optarg, 0.5, &c->options.level, err);
    case 'x': return parse_real("--tolerance", optarg, 100, &c->options.tolerance, err);
    default: c->json = true; return PG_OK;
    }
}

static pg_status check_arguments(const court *c, int left, pg_error *err)
{
    if (left) return pg_fail(err, PG_BAD_INPUT, "unexpected argument (passgrid judge --help)");
    if (!c->model_path) return pg_fail(err, PG_BAD_INPUT, "--model FILE is missing");
    if (!c->claim_count) return pg_fail(err, PG_BAD_INPUT, "--evidence FILE is missing");
    if (!c->data_name) return pg_fail(err, PG_BAD_INPUT, "--data NAME is missing");
    return PG_OK;
}

/* ---- the hearing ---- */

static pg_status load(court *c, pg_error *err)
{
    pg_status status = PG_OK;
    pg_norm_kind norm;
    if (c->norm) PG_TRY(pg_norm_kind_parse(c->norm, &norm, err));
    const pg_model_hints hints = {.norm = c->norm ? &norm : NULL};
    PG_TRY(pg_model_load(c->model_path, &hints, &c->model, NULL, err));
    for (int i = 0; i < c->claim_count; i++) {
        claim *k = &c->claims[i];
        PG_TRY(pg_evidence_load(k->path, &k->evidence, err));
        pg_evidence_commitment(k->evidence, k->commitment);
        if (k->expected && strcmp(k->expected, k->commitment) != 0)
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: does not open the commitment %s (its own is %s)", k->path, k->expected,
                           k->commitment));
    }
    PG_TRY(pg_data_load(c->data_name, c->directory, &c->data, err));
    PG_TRY(pg_dataset_subset(&c->data.test, c->test, &c->images, err));
done:
    return status;
}

/* Nulls for a claim: those of the claim before serve again when it was alike and the model has a public branch to make them
 * with. */
static pg_status nulls_for(court *c, const claim *k, pg_error *err)
{
    const bool independent = !c->model->spec.passports || c->model->spec.public_affine;
    if (independent && c->nulls.count && pg_evidence_alike(c->nulls_of, k->evidence)) return PG_OK;
    pg_nulls_clear(&c->nulls);
    if (c->options.nulls == 0 || !pg_evidence_bits(k->evidence)) return PG_OK;
    const pg_seed seed = {.task = "judge"};
    c->nulls_of = k->evidence;
    return pg_nulls_cached(c->directory, c->model, k->evidence, &c->images, (pg_pixels)c->pixels, c->options.nulls, seed,
                           &c->nulls, err);
}

/* A model without a public branch (V1) is as good as the best passport shown makes it; one that none makes better than guessing
 * works with none of them. */
static void decide_v1(court *c)
{
    double best = 0;
    for (int i = 0; i < c->claim_count; i++) best = fmax(best, c->claims[i].finding.private_branch.exact);
    const int n = c->images.count, right = (int)lround(best / 100 * n);
    if (pg_binomial_tail(right, n, 1.0 / c->model->spec.classes) > c->options.level) best = INFINITY;
    for (int i = 0; i < c->claim_count; i++) pg_finding_decide(&c->claims[i].finding, &c->options, best);
}

static pg_status hear(court *c, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < c->claim_count; i++) {
        claim *k = &c->claims[i];
        if ((status = nulls_for(c, k, err)) == PG_OK)
            status = pg_verify(c->model, k->evidence, &c->images, (pg_pixels)c->pixels, &c->options, c->accuracy,
                               c->nulls.count ? &c->nulls : NULL, &k->finding, err);
        if (status != PG_OK) return pg_error_context(err, "%s", k->path);
    }
    if (isnan(c->accuracy) && c->model->spec.passports && !c->model->spec.public_affine) decide_v1(c);
    return PG_OK;
}

/* ---- the verdict ---- */

static const char *verdict(const pg_finding *f)
{
    static const char *const weak[] = {"signature not significant", "mark not significant", "triggers not significant"};
    if (f->stands) return "claim stands";
    if (!f->threshold) return "no evidence";
    if (!f->significant) return weak[f->claim];
    return f->private_branch.present ? "model does not work with this passport" : "model does not work";
}

static void set_number(json_t *object, const char *key, double value, bool present)
{
    json_object_set_new(object, key, present && isfinite(value) ? json_real(value) : json_null());
}

static json_t *claim_json(const claim *k)
{
    const pg_finding *f = &k->finding;
    json_t *o = json_object(), *layers = json_object();
    json_object_set_new(o, "evidence", json_string(k->path));
    json_object_set_new(o, "scheme", json_string(k->evidence->scheme));
    json_object_set_new(o, "kind", json_string(k->evidence->kind));
    json_object_set_new(o, "commitment", json_string(k->commitment));
    set_number(o, "accuracy_public", f->public_branch.exact, f->public_branch.present);
    set_number(o, "accuracy_with_passport", f->private_branch.exact, f->private_branch.present);
    json_object_set_new(o, "bits", json_integer(f->bits));
    json_object_set_new(o, "triggers", json_integer(f->trigger_count));
    json_object_set_new(o, "agreeing", f->threshold ? json_integer(f->agree) : json_null());
    set_number(o, "null_probability", f->null_probability, true);
    set_number(o, "detection", f->detection, f->threshold > 0);
    set_number(o, "detection_stored", f->detection_stored, f->bits > 0);
    for (int i = 0; i < k->evidence->passport_count; i++)
        json_object_set_new(layers, k->evidence->passports[i].layer, json_real(f->layer_detection[i]));
    json_object_set_new(o, "detection_by_layer", layers);
    set_number(o, "p_coin", f->p_coin, f->bits > 0);
    json_object_set_new(o, "nulls", json_integer(f->nulls));
    set_number(o, "null_mean", f->null_mean, f->nulls > 0);
    set_number(o, "null_deviation", f->null_deviation, f->nulls > 0);
    set_number(o, "null_threshold", f->null_threshold, f->nulls > 0);
    set_number(o, "p_value", f->p_value, f->threshold > 0);
    json_object_set_new(o, "threshold", f->threshold ? json_integer(f->threshold) : json_null());
    json_object_set_new(o, "triggers_agreeing", json_integer(f->trigger_agree));
    set_number(o, "trigger_public", f->trigger[PG_PUBLIC].exact, f->trigger[PG_PUBLIC].present);
    set_number(o, "trigger_private", f->trigger[PG_PRIVATE].exact, f->trigger[PG_PRIVATE].present);
    set_number(o, "trigger_p_value", f->trigger_p, f->trigger_count > 0);
    json_object_set_new(o, "stands", json_boolean(f->stands));
    json_object_set_new(o, "verdict", json_string(verdict(f)));
    return o;
}

static void print_json(const court *c)
{
    json_t *root = json_object(), *claims = json_array();
    for (int i = 0; i < c->claim_count; i++) json_array_append_new(claims, claim_json(&c->claims[i]));
    json_object_set_new(root, "model", json_string(c->model_path));
    json_object_set_new(root, "data", json_string(c->images.source));
    json_object_set_new(root, "test_images", json_integer(c->images.count));
    json_object_set_new(root, "level", json_real(c->options.level));
    json_object_set_new(root, "claims", claims);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    puts(text ? text : "{}");
    free(text);
    json_decref(root);
}

static void print_claim(const claim *k)
{
    static const char *const things[] = {"passports", "mark", "triggers"};
    const pg_finding *f = &k->finding;
    printf("\n%s\n", k->path);
    printf("  claims                    scheme %s, %s %s\n", k->evidence->scheme, k->evidence->kind, things[f->claim]);
    printf("  commitment                %s%s\n", k->commitment, k->expected ? " (opened)" : "");
    if (f->private_branch.present) printf("  accuracy with passport    %.2f %%\n", f->private_branch.exact);
    if (f->bits) {
        printf("  %-9s                 %d of %d bits (mean over layers %.2f %%)\n",
               f->claim == PG_CLAIM_MARK ? "mark" : "signature", f->agree, f->bits, f->detection);
        if (f->agree_stored >= 0) printf("  signature, stored scale   %d of %d bits\n", f->agree_stored, f->bits);
        if (f->nulls)
            printf("  null, %4d fresh ones     %.2f %% +- %.2f of the bits\n", f->nulls, f->null_mean, f->null_deviation);
        printf("  p-value                   %.3g (against a fair coin %.3g)\n", f->p_value, f->p_coin);
    }
    if (f->trigger[PG_PUBLIC].present)
        printf("  triggers, public branch   %.2f %% of %d\n", f->trigger[PG_PUBLIC].exact, f->trigger_count);
    if (f->trigger[PG_PRIVATE].present)
        printf("  triggers, private branch  %.2f %% of %d\n", f->trigger[PG_PRIVATE].exact, f->trigger_count);
    if (f->trigger_count)
        printf("  p-value of the triggers   %.3g (%d of %d answered as deployed)\n", f->trigger_p, f->trigger_agree,
               f->trigger_count);
    if (f->threshold)
        printf("  fewest that are enough    %d against %s (null probability %g)\n", f->threshold,
               f->claim == PG_CLAIM_TRIGGERS ? "guessing" : "a fair coin", f->null_probability);
    printf("  verdict                   %s\n", verdict(f));
}

static void print_text(const court *c)
{
    const pg_net_spec *s = &c->model->spec;
    printf("model %s: %s, %s, width %g, %d classes\n", c->model_path, s->arch->name, pg_norm_kind_name(s->norm), s->width,
           s->classes);
    printf("%d test images of %s\n", c->images.count, c->images.source);
    if (c->claims[0].finding.public_branch.present)
        printf("accuracy as deployed        %.2f %%\n", c->claims[0].finding.public_branch.exact);
    else
        printf("the model only works with a passport\n");
    for (int i = 0; i < c->claim_count; i++) print_claim(&c->claims[i]);
}

static void release(court *c)
{
    for (int i = 0; i < c->claim_count; i++) pg_evidence_destroy(&c->claims[i].evidence);
    pg_nulls_clear(&c->nulls);
    pg_model_destroy(&c->model);
    pg_dataset_clear(&c->images);
    pg_data_clear(&c->data);
}

static pg_status judge(court *c, pg_error *err)
{
    pg_compute_start(c->threads);
    pg_status status = load(c, err);
    if (status == PG_OK) status = hear(c, err);
    if (status == PG_OK) (c->json ? print_json : print_text)(c);
    return status;
}

int pg_cmd_judge(int argc, char **argv)
{
    static const struct option options[] = {{"model", required_argument, NULL, 'm'},
                                            {"evidence", required_argument, NULL, 'e'},
                                            {"commitment", required_argument, NULL, 'c'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"dir", required_argument, NULL, 'D'},
                                            {"norm", required_argument, NULL, 'n'},
                                            {"pixels", required_argument, NULL, 'p'},
                                            {"test", required_argument, NULL, 't'},
                                            {"threads", required_argument, NULL, 'T'},
                                            {"nulls", required_argument, NULL, 'N'},
                                            {"accuracy", required_argument, NULL, 'a'},
                                            {"level", required_argument, NULL, 'l'},
                                            {"tolerance", required_argument, NULL, 'x'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    court c = {.threads = 1, .accuracy = NAN};
    pg_error err = {0};
    pg_status status = pg_options_defaults(pg_verify_table, &c.options, &err);
    c.options.nulls = 100;
    for (int option; status == PG_OK && (option = pg_next_option(argc, argv, options)) != -1;) {
        if (option == '?') return 2;
        if (option == 'h') return fputs(usage, stdout) < 0 ? 3 : 0;
        status = take_option(&c, option, &err);
    }
    if (status == PG_OK) status = check_arguments(&c, argc - optind, &err);
    if (status == PG_OK) status = judge(&c, &err);
    release(&c);
    return status == PG_OK ? 0 : pg_complain("judge", status, "%s", err.message);
}
