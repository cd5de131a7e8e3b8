/* The findings of `passgrid judge`; see judge_report.h. */
#include "experiments/commands/judge_report.h"

#include "core/base/file.h"
#include "core/base/utf8.h"
#include "core/formats/json_file.h"

#include <math.h>
#include <stdio.h>

/* ---- text ---- */

static void print_deployed(const pg_judge_report *r)
{
    if (r->deployed_from)
        printf("accuracy as deployed        %.2f %% (%s)\n", r->deployed.exact, r->deployed_from);
    else
        puts("accuracy as deployed        not known: the network only works with a passport. No claim can be decided before "
             "its\n"
             "                            accuracy is given (--accuracy X) or the passports that are distributed with it\n"
             "                            (--distributed FILE)");
}

static void print_head(const pg_judge_report *r)
{
    const pg_net_spec *s = &r->spec;
    char shown[PG_PATH_MAX];
    printf("model %s: %s, %s, width %g, %d classes\n", pg_printable(r->model_path, shown, sizeof shown), s->arch->name,
           pg_norm_kind_name(s->norm), s->width, s->classes);
    printf("%d test images of %s, pixels as for %s (%s)\n", r->images->count,
           pg_printable(r->images->source, shown, sizeof shown), pg_pixels_names[r->pixels], r->pixels_from);
    if (r->assumed[0]) printf("assumed: %s\n", r->assumed);
    if (r->doubts[0]) printf("note: %s\n", r->doubts);
    printf("level %g, tolerance %g points, %d nulls from seed %d, batches of %d\n", r->options.level, r->options.tolerance,
           r->options.nulls, r->seed, r->options.batch);
    print_deployed(r);
}

static void print_enough(const pg_finding *f, const char *unit)
{
    char needed[32];
    const int count = f->claim == PG_CLAIM_TRIGGERS ? f->trigger_count : f->bits;
    if (f->enough > count)
        snprintf(needed, sizeof needed, "not even all %d", count);
    else
        snprintf(needed, sizeof needed, "%d", f->enough);
    printf("  agreeing                  %d of %d %s; enough against ", f->agree, count, unit);
    if (f->nulls)
        printf("%d fresh ones: %s, against a fair coin: %d\n", f->nulls, needed, f->threshold);
    else
        printf("%s: %s\n", f->claim == PG_CLAIM_TRIGGERS ? "guessing" : "a fair coin", needed);
}

/* The reasons for the ruling. */
static void print_grounds(const pg_finding *f, const pg_verify_options *options)
{
    const pg_accuracy *a = pg_finding_accuracy(f);
    printf("  verdict                   %s\n", pg_ruling_text(f->ruling));
    if (!f->threshold) return;
    printf("  p-value                   %.3g, %s %g\n", f->p_value,
           f->significant ? "significant: at most" : "not significant: above", options->level);
    print_enough(f, f->claim == PG_CLAIM_TRIGGERS ? "triggers" : "bits");
    if (!a->present) return;
    printf("  accuracy with evidence    %.2f %%", a->exact);
    if (f->decidable) printf(", needed: %.2f %% and more than guessing", fmax(f->reference - options->tolerance, 0));
    putchar('\n');
}

static void print_readings(const pg_finding *f)
{
    if (f->bits) printf("  mean over layers          %.2f %% of the bits\n", f->detection);
    if (f->agree_stored >= 0) printf("  signature, stored scale   %d of %d bits\n", f->agree_stored, f->bits);
    if (f->nulls) printf("  null, %4d fresh ones     %.2f %% +- %.2f of the bits\n", f->nulls, f->null_mean, f->null_deviation);
    if (f->bits) printf("  p-value of a fair coin    %.3g\n", f->p_coin);
    if (f->trigger[PG_PUBLIC].present)
        printf("  triggers, public branch   %.2f %% of %d\n", f->trigger[PG_PUBLIC].exact, f->trigger_count);
    if (f->trigger[PG_PRIVATE].present)
        printf("  triggers, private branch  %.2f %% of %d\n", f->trigger[PG_PRIVATE].exact, f->trigger_count);
    if (f->trigger_count)
        printf("  p-value of the triggers   %.3g (%d of %d answered as deployed)\n", f->trigger_p, f->trigger_agree,
               f->trigger_count);
}

/* A trigger set that the network was not asked. */
static void print_silence(const pg_claimant *k)
{
    const pg_dataset *t = &k->evidence->triggers;
    if (!t->count || k->finding.trigger_count) return;
    if (t->classes != k->finding.classes)
        printf("  triggers                  not asked: they are labelled for %d classes\n", t->classes);
    else
        puts("  triggers                  not asked: no passport is known that the network runs with");
}

static void print_claim(const pg_claimant *k, const pg_verify_options *options)
{
    static const char *const things[] = {"passports", "mark", "triggers"};
    char shown[PG_PATH_MAX];
    printf("\n%s\n", pg_printable(k->path, shown, sizeof shown));
    print_grounds(&k->finding, options);
    printf("  claims                    scheme %s, %s %s\n", k->evidence->scheme, k->evidence->kind, things[k->finding.claim]);
    printf("  commitment                %s%s\n", k->commitment, k->expected ? " (opened)" : "");
    print_readings(&k->finding);
    print_silence(k);
}

void pg_judge_print_text(const pg_judge_report *report)
{
    print_head(report);
    for (int i = 0; i < report->claim_count; i++) print_claim(&report->claims[i], &report->options);
}

/* ---- JSON ---- */

static void set_text(json_t *object, const char *key, const char *text)
{
    char shown[PG_PATH_MAX];
    json_object_set_new(object, key, text ? json_string(pg_printable(text, shown, sizeof shown)) : json_null());
}

static void set_number(json_t *object, const char *key, double value, bool present)
{
    json_object_set_new(object, key, present && isfinite(value) ? json_real(value) : json_null());
}

static void set_count(json_t *object, const char *key, int value, bool present)
{
    json_object_set_new(object, key, present ? json_integer(value) : json_null());
}

static void set_ruling(json_t *o, const pg_finding *f)
{
    set_text(o, "verdict", pg_ruling_text(f->ruling));
    json_object_set_new(o, "stands", json_boolean(f->stands));
    json_object_set_new(o, "useless", json_boolean(f->useless));
    json_object_set_new(o, "significant", json_boolean(f->significant));
    json_object_set_new(o, "decidable", json_boolean(f->decidable));
    json_object_set_new(o, "works", json_boolean(f->works));
    set_number(o, "p_value", f->p_value, f->threshold > 0);
    set_count(o, "agreeing", f->agree, f->threshold > 0);
    set_count(o, "enough", f->enough, f->threshold > 0);
}

static void set_readings(json_t *o, const pg_finding *f)
{
    set_number(o, "accuracy_public", f->public_branch.exact, f->public_branch.present);
    set_number(o, "accuracy_with_passport", f->private_branch.exact, f->private_branch.present);
    set_count(o, "bits", f->bits, true);
    set_count(o, "triggers", f->trigger_count, true);
    set_number(o, "null_probability", f->null_probability, true);
    set_count(o, "threshold", f->threshold, f->threshold > 0);
    set_number(o, "detection", f->detection, f->threshold > 0);
    set_number(o, "detection_stored", f->detection_stored, f->bits > 0);
    set_number(o, "p_coin", f->p_coin, f->bits > 0);
    set_count(o, "nulls", f->nulls, true);
    set_number(o, "null_mean", f->null_mean, f->nulls > 0);
    set_number(o, "null_deviation", f->null_deviation, f->nulls > 0);
    set_number(o, "null_threshold", f->null_threshold, f->nulls > 0);
    set_count(o, "triggers_agreeing", f->trigger_agree, true);
    set_number(o, "trigger_public", f->trigger[PG_PUBLIC].exact, f->trigger[PG_PUBLIC].present);
    set_number(o, "trigger_private", f->trigger[PG_PRIVATE].exact, f->trigger[PG_PRIVATE].present);
    set_number(o, "trigger_p_value", f->trigger_p, f->trigger_count > 0);
}

static json_t *claim_json(const pg_claimant *k)
{
    json_t *o = json_object(), *layers = json_object();
    set_text(o, "evidence", k->path);
    set_ruling(o, &k->finding);
    set_text(o, "scheme", k->evidence->scheme);
    set_text(o, "kind", k->evidence->kind);
    set_text(o, "commitment", k->commitment);
    json_object_set_new(o, "commitment_opened", json_boolean(k->expected != NULL));
    set_readings(o, &k->finding);
    for (int i = 0; i < k->evidence->passport_count; i++)
        set_number(layers, k->evidence->passports[i].layer, k->finding.layer_detection[i], true);
    json_object_set_new(o, "detection_by_layer", layers);
    return o;
}

/* Every input of the verdicts. */
static void set_options(json_t *o, const pg_judge_report *r)
{
    set_text(o, "model", r->model_path);
    set_text(o, "architecture", r->spec.arch->name);
    set_text(o, "norm", pg_norm_kind_name(r->spec.norm));
    json_object_set_new(o, "relu_before_add", json_boolean(r->spec.relu_before_add));
    set_text(o, "data", r->images->source);
    set_count(o, "test_images", r->images->count, true);
    set_text(o, "pixels", pg_pixels_names[r->pixels]);
    set_text(o, "pixels_from", r->pixels_from);
    set_text(o, "assumed", r->assumed);
    set_text(o, "notes", r->doubts);
    set_number(o, "level", r->options.level, true);
    set_number(o, "tolerance", r->options.tolerance, true);
    set_count(o, "nulls", r->options.nulls, true);
    set_count(o, "batch", r->options.batch, true);
    set_count(o, "seed", r->seed, true);
    set_number(o, "accuracy_deployed", r->deployed.exact, r->deployed_from != NULL);
    set_text(o, "accuracy_from", r->deployed_from);
    set_text(o, "distributed", r->distributed ? r->distributed->path : NULL);
    set_text(o, "distributed_commitment", r->distributed ? r->distributed->commitment : NULL);
}

void pg_judge_print_json(const pg_judge_report *report)
{
    json_t *root = json_object(), *claims = json_array();
    set_options(root, report);
    for (int i = 0; i < report->claim_count; i++) json_array_append_new(claims, claim_json(&report->claims[i]));
    json_object_set_new(root, "claims", claims);
    pg_json_print(root, stdout);
    json_decref(root);
}
