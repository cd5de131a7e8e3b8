/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The findings of a hearing, as text and as JSON; see judge_hearing.h. */
#include "experiments/commands/judge_hearing.h"

#include "core/base/file.h"
#include "core/base/utf8.h"
#include "core/formats/json_file.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

/* ---- text ---- */

static void print_deployed(const pg_hearing *h)
{
    if (h->deployed_from)
        printf("accuracy as deployed        %.2f %% (%s)\n", h->deployed.exact, h->deployed_from);
    else
        puts("accuracy as deployed        not known: the network only works with a passport. To decide claims, give its\n"
             "                            accuracy (--accuracy X) or the passports distributed with it (--distributed FILE)");
}

static void print_head(const pg_hearing *h)
{
    const pg_net_spec *s = &h->model->spec;
    char shown[PG_PATH_MAX];
    printf("model %s: %s, %s, width %g, %d classes\n", pg_printable(h->model_path, shown, sizeof shown), s->arch->name,
           pg_norm_kind_name(s->norm), s->width, s->classes);
    printf("%d test images of %s, pixels as for %s (%s)\n", h->images.count,
           pg_printable(h->images.source, shown, sizeof shown), pg_pixels_names[h->used_pixels], h->pixels_from);
    if (h->facts.assumed[0]) printf("assumed: %s\n", h->facts.assumed);
    if (h->doubts[0]) printf("note: %s\n", h->doubts);
    printf("proof %g bits, level %g, tolerance %g points, %d nulls of each kind from seed %d, batches of %d\n",
           h->options.proof, h->options.level, h->options.tolerance, h->options.nulls, h->seed, h->options.batch);
    print_deployed(h);
}

static void print_enough(const pg_finding *f, const char *unit)
{
    char needed[32];
    const int count = f->claim == PG_CLAIM_TRIGGERS ? f->trigger_count : f->bits;
    if (f->enough > count)
        snprintf(needed, sizeof needed, "not even all %d", count);
    else
        snprintf(needed, sizeof needed, "%d", f->enough);
    printf("  agreeing                  %d of %d %s; needed against ", f->agree, count, unit);
    if (f->nulls)
        printf("%d fresh draws: %s, against a fair coin: %d\n", f->nulls, needed, f->threshold);
    else
        printf("%s: %s\n", f->claim == PG_CLAIM_TRIGGERS ? "guessing" : "a fair coin", needed);
}

static void print_verdict(const pg_finding *f)
{
    printf("  verdict                   %s", pg_verdict_text(f->ruling));
    if (f->ruling == PG_PROVES && f->useless)
        printf(", although the network is useless (no better than guessing)");
    else if (f->ruling != PG_PROVES && f->ruling != PG_AGREES)
        printf(": %s", pg_ruling_text(f->ruling));
    putchar('\n');
}

/* The proof of bound evidence in bits, or the reason why other evidence has none. */
static void print_proof(const pg_claimant *k, const pg_verify_options *options)
{
    const pg_finding *f = &k->finding;
    char shown[4 * PG_STATEMENT_MAX];
    if (!f->bound) {
        puts("  proof                     none: free evidence can agree and never proves, because it may have been chosen\n"
             "                            after the network was seen");
        return;
    }
    printf("  proof                     %.1f bits, needed: %g\n", f->proof_bits, options->proof);
    if (f->seed_refused)
        puts("                            none: the secret follows from the seed of a grid, which others may know");
    if (f->unstamped)
        puts("                            none: no stamp shows that evidence and original are older than the network");
    if (k->same_as) printf("                            the same claim as %s\n", pg_printable(k->same_as, shown, sizeof shown));
    printf("  claimant says             %s\n", pg_printable(k->evidence->binding.statement, shown, sizeof shown));
}

/* ---- the original ---- */

static void print_reading(const char *label, const pg_finding *f, const char *fault)
{
    printf("  %-26s", label);
    if (fault[0])
        puts(fault);
    else if (f->bound)
        printf("%d of %d agree, %.1f bits of proof\n", f->agree, f->bits, f->proof_bits);
    else
        printf("%d of %d agree, p-value %.3g\n", f->agree, f->bits, f->p_value);
}

/* "2026-01-31T12:00:00Z" */
static const char *time_text(time_t when, char text[32])
{
    struct tm utc;
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &utc));
    return text;
}

static void print_stamp(const pg_claimant *k, const char *published)
{
    char text[32];
    if (!k->stamp_path) return;
    if (!k->stamped)
        printf("  stamp                     does not hold: %s\n", k->stamp_fault);
    else
        printf("  stamp                     %s; the network was published: %s\n", time_text(k->when, text),
               published ? published : "not known (--published)");
}

static void print_original(const pg_claimant *k, const pg_hearing *h)
{
    const pg_two_readings *r = &k->readings;
    char shown[PG_PATH_MAX];
    if (!k->original) return;
    printf("  original                  %s\n", pg_printable(k->original_path, shown, sizeof shown));
    print_stamp(k, h->published);
    if (!isnan(r->similarity))
        printf("  similarity to original    %.2f, needed: %.2f, half way from that of the closest other filters (%.2f) to 1\n",
               r->similarity, pg_similarity_needed(r->rival), r->rival);
    if (r->dropped) printf("  channels                  %d more than the original has; alignment drops them\n", r->dropped);
    print_reading("read as it is", &r->as_is, r->as_is_fault);
    print_reading("read through the original", &r->aligned, r->aligned_fault);
    if (k->finding.two_looks)
        printf("                            %s counts; two readings cost one bit\n",
               r->by_alignment ? "the reading through the original" : "the reading as it is");
}

/* ---- claims ---- */

/* The reasons for the ruling. */
static void print_grounds(const pg_claimant *k, const pg_verify_options *options)
{
    const pg_finding *f = &k->finding;
    const pg_accuracy *a = pg_finding_accuracy(f);
    char enough[PG_ENOUGH_MAX];
    print_verdict(f);
    print_proof(k, options);
    if (pg_enough_to_agree(k, options, enough)[0]) printf("  enough to agree           %s\n", enough);
    if (pg_enough_to_prove(k, options, enough)[0]) printf("  enough to prove           %s\n", enough);
    if (!f->threshold) return;
    printf("  p-value                   %.3g, %s %g\n", f->p_value,
           f->significant ? "significant: at most" : "not significant: above", options->level);
    print_enough(f, f->claim == PG_CLAIM_TRIGGERS ? "triggers" : "bits");
    if (!a->present) return;
    printf("  accuracy with evidence    %.2f %%", a->exact);
    if (f->decidable) printf(", needed: %.2f %% and better than guessing", fmax(f->reference - options->tolerance, 0));
    putchar('\n');
}

static void print_readings(const pg_finding *f)
{
    if (f->bits) printf("  mean over layers          %.2f %% of the bits\n", f->detection);
    if (f->agree_stored >= 0) printf("  signature, stored scale   %d of %d bits\n", f->agree_stored, f->bits);
    for (int i = 0; i < f->null_kinds; i++)
        printf("  null, %4d %-11s     %.2f %% +- %.2f of the bits%s\n", f->null[i].count, f->null[i].kind, f->null[i].mean,
               f->null[i].deviation, f->null[i].kind == f->null_kind ? ", decides" : "");
    if (f->repeated) printf("  do not count              %d that nearly repeat others or are test images\n", f->repeated);
    if (f->bits) printf("  p-value of a fair coin    %.3g\n", f->p_coin);
    if (f->trigger[PG_PUBLIC].present)
        printf("  triggers, public branch   %.2f %% of %d\n", f->trigger[PG_PUBLIC].exact, f->trigger_count);
    if (f->trigger[PG_PRIVATE].present)
        printf("  triggers, private branch  %.2f %% of %d\n", f->trigger[PG_PRIVATE].exact, f->trigger_count);
    if (f->trigger_count)
        printf("  p-value of the triggers   %.3g (%d of %d answered as labelled)\n", f->trigger_p, f->trigger_agree,
               f->trigger_count);
}

/* Why the network was not asked a trigger set. */
static void print_silence(const pg_claimant *k)
{
    const pg_dataset *t = &k->evidence->triggers;
    if (!t->count || k->finding.trigger_count) return;
    if (t->classes != k->finding.classes)
        printf("  triggers                  not asked: they are labelled for %d classes\n", t->classes);
    else
        puts("  triggers                  not asked: the passports that the network runs with are not known");
}

static void print_claim(const pg_claimant *k, const pg_hearing *h)
{
    static const char *const things[] = {"passports", "mark", "triggers"};
    char shown[PG_PATH_MAX];
    printf("\n%s\n", pg_printable(k->path, shown, sizeof shown));
    if (k->refused[0]) {
        printf("  verdict                   neither: refused: %s\n", k->refused);
        return;
    }
    print_grounds(k, &h->options);
    print_original(k, h);
    printf("  claims                    scheme %s, %s %s\n", k->evidence->scheme, k->evidence->kind, things[k->finding.claim]);
    printf("  commitment                %s%s\n", k->commitment, k->expected ? " (opened)" : "");
    print_readings(&k->finding);
    print_silence(k);
}

/* Who was first, and why each other claim is not. */
static void print_origin(const pg_hearing *h)
{
    char shown[PG_PATH_MAX];
    const int first = h->origin.pair;
    if (!h->pair_count) return;
    printf("\norigin                      %s%s%s\n",
           first < 0 ? "" : pg_printable(h->pair_of[first]->path, shown, sizeof shown), first < 0 ? "" : ": ",
           pg_origin_text(h->origin.reason));
    for (int i = 0; i < h->pair_count; i++)
        if (i != first)
            printf("  not first                 %s: %s\n", pg_printable(h->pair_of[i]->path, shown, sizeof shown),
                   pg_standing_text(h->pairs[i].standing));
}

void pg_hearing_print_text(const pg_hearing *h)
{
    print_head(h);
    for (int i = 0; i < h->claim_count; i++) print_claim(&h->claims[i], h);
    print_origin(h);
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
    const bool neither = f->ruling != PG_PROVES && f->ruling != PG_AGREES;
    set_text(o, "verdict", pg_verdict_text(f->ruling));
    set_text(o, "reason", neither ? pg_ruling_text(f->ruling) : NULL);
    json_object_set_new(o, "proves", json_boolean(f->proves));
    json_object_set_new(o, "agrees", json_boolean(f->agrees));
    json_object_set_new(o, "bound", json_boolean(f->bound));
    json_object_set_new(o, "seed_refused", json_boolean(f->seed_refused));
    json_object_set_new(o, "unstamped", json_boolean(f->unstamped));
    set_number(o, "proof_bits", f->proof_bits, f->bound);
    json_object_set_new(o, "useless", json_boolean(f->useless));
    json_object_set_new(o, "significant", json_boolean(f->significant));
    json_object_set_new(o, "decidable", json_boolean(f->decidable));
    json_object_set_new(o, "works", json_boolean(f->works));
    set_number(o, "p_value", f->p_value, f->threshold > 0);
    set_count(o, "agreeing", f->agree, f->threshold > 0);
    set_count(o, "enough", f->enough, f->threshold > 0);
    set_count(o, "enough_to_prove", f->enough_to_prove, f->bound);
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
    set_count(o, "repeated", f->repeated, true);
    set_count(o, "nulls", f->nulls, true);
    set_text(o, "null_kind", f->null_kind);
    set_number(o, "null_mean", f->null_mean, f->nulls > 0);
    set_number(o, "null_deviation", f->null_deviation, f->nulls > 0);
    set_number(o, "null_threshold", f->null_threshold, f->nulls > 0);
    set_count(o, "triggers_agreeing", f->trigger_agree, true);
    set_number(o, "trigger_public", f->trigger[PG_PUBLIC].exact, f->trigger[PG_PUBLIC].present);
    set_number(o, "trigger_private", f->trigger[PG_PRIVATE].exact, f->trigger[PG_PRIVATE].present);
    set_number(o, "trigger_p_value", f->trigger_p, f->trigger_count > 0);
    set_number(o, "permuted_p_value", f->permuted_p, f->trigger_count > 0 && !f->bound);
}

static json_t *refusal_json(const pg_claimant *k)
{
    json_t *o = json_object();
    char reason[PG_MESSAGE_MAX + 16];
    snprintf(reason, sizeof reason, "refused: %s", k->refused);
    set_text(o, "evidence", k->path);
    set_text(o, "verdict", "neither");
    set_text(o, "reason", reason);
    json_object_set_new(o, "proves", json_false());
    json_object_set_new(o, "agrees", json_false());
    json_object_set_new(o, "refused", json_true());
    return o;
}

static json_t *reading_json(const pg_finding *f, const char *fault)
{
    json_t *o = json_object();
    set_text(o, "fault", fault[0] ? fault : NULL);
    set_count(o, "agreeing", f->agree, !fault[0]);
    set_number(o, "p_value", f->p_value, !fault[0] && f->threshold > 0);
    set_number(o, "proof_bits", f->proof_bits, !fault[0] && f->bound);
    return o;
}

/* The original and both readings; null without one. */
static json_t *original_json(const pg_claimant *k)
{
    char text[32];
    const pg_two_readings *r = &k->readings;
    if (!k->original) return json_null();
    json_t *o = json_object();
    set_text(o, "file", k->original_path);
    set_text(o, "sha256", k->original_sum);
    set_text(o, "stamped", k->stamped ? time_text(k->when, text) : NULL);
    set_text(o, "stamp_fault", k->stamp_fault[0] ? k->stamp_fault : NULL);
    set_number(o, "similarity", r->similarity, true);
    set_number(o, "rival", r->rival, true);
    set_count(o, "channels_dropped", r->dropped, true);
    json_object_set_new(o, "as_is", reading_json(&r->as_is, r->as_is_fault));
    json_object_set_new(o, "aligned", reading_json(&r->aligned, r->aligned_fault));
    set_text(o, "counts", r->by_alignment ? "aligned" : "as_is");
    return o;
}

static json_t *claim_json(const pg_claimant *k)
{
    if (k->refused[0]) return refusal_json(k);
    json_t *o = json_object(), *layers = json_object();
    set_text(o, "evidence", k->path);
    json_object_set_new(o, "refused", json_false());
    set_ruling(o, &k->finding);
    set_text(o, "scheme", k->evidence->scheme);
    set_text(o, "kind", k->evidence->kind);
    set_text(o, "commitment", k->commitment);
    set_text(o, "same_as", k->same_as);
    set_text(o, "statement", k->finding.bound ? k->evidence->binding.statement : NULL);
    json_object_set_new(o, "commitment_opened", json_boolean(k->expected != NULL));
    json_object_set_new(o, "original", original_json(k));
    set_readings(o, &k->finding);
    for (int i = 0; i < k->evidence->passport_count; i++)
        set_number(layers, k->evidence->passports[i].layer, k->finding.layer_detection[i], true);
    json_object_set_new(o, "detection_by_layer", layers);
    return o;
}

/* Every input of the verdicts. */
static void set_options(json_t *o, const pg_hearing *h)
{
    set_text(o, "model", h->model_path);
    set_text(o, "architecture", h->model->spec.arch->name);
    set_text(o, "norm", pg_norm_kind_name(h->model->spec.norm));
    json_object_set_new(o, "relu_before_add", json_boolean(h->model->spec.relu_before_add));
    set_text(o, "data", h->images.source);
    set_count(o, "test_images", h->images.count, true);
    set_text(o, "pixels", pg_pixels_names[h->used_pixels]);
    set_text(o, "pixels_from", h->pixels_from);
    set_text(o, "assumed", h->facts.assumed);
    set_text(o, "notes", h->doubts);
    set_number(o, "level", h->options.level, true);
    set_number(o, "tolerance", h->options.tolerance, true);
    set_count(o, "nulls", h->options.nulls, true);
    set_number(o, "proof", h->options.proof, true);
    set_count(o, "batch", h->options.batch, true);
    set_count(o, "seed", h->seed, true);
    set_number(o, "accuracy_deployed", h->deployed.exact, h->deployed_from != NULL);
    set_text(o, "accuracy_from", h->deployed_from);
    set_text(o, "published", h->published);
    set_text(o, "authorities", h->authorities);
    set_text(o, "distributed", h->distributed.path);
    set_text(o, "distributed_commitment", h->distributed.path ? h->distributed.commitment : NULL);
}

static json_t *origin_json(const pg_hearing *h)
{
    if (!h->pair_count) return json_null();
    json_t *o = json_object(), *claims = json_array();
    set_text(o, "evidence", h->origin.pair < 0 ? NULL : h->pair_of[h->origin.pair]->path);
    set_text(o, "reason", pg_origin_text(h->origin.reason));
    for (int i = 0; i < h->pair_count; i++) {
        json_t *claim = json_object();
        set_text(claim, "evidence", h->pair_of[i]->path);
        set_text(claim, "standing", pg_standing_text(h->pairs[i].standing));
        json_array_append_new(claims, claim);
    }
    json_object_set_new(o, "claims", claims);
    return o;
}

void pg_hearing_print_json(const pg_hearing *h)
{
    json_t *root = json_object(), *claims = json_array();
    set_options(root, h);
    for (int i = 0; i < h->claim_count; i++) json_array_append_new(claims, claim_json(&h->claims[i]));
    json_object_set_new(root, "claims", claims);
    json_object_set_new(root, "origin", origin_json(h));
    pg_json_print(root, stdout);
    json_decref(root);
}
