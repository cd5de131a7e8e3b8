/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The findings of a hearing as a page for anybody; see judge_hearing.h. */
#include "experiments/commands/judge_hearing.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "experiments/grid/inputs.h"
#include "experiments/report/html.h"
#include "experiments/run/provenance.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { SENTENCE = 512, MODEL_SUM = PG_SHA256_HEX };

typedef struct page {
    const pg_hearing *hearing;
    char model_sum[MODEL_SUM], data_sum[MODEL_SUM];
} page;

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* One line of a list of terms; the text is formatted and then escaped. */
static void put_term(FILE *stream, const char *term, const char *format, ...) PG_PRINTF(3, 4);
static void put_term(FILE *stream, const char *term, const char *format, ...)
{
    char text[PG_PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (text[0]) PG_HTML(stream, "<dt>$</dt><dd>$</dd>\n", term, text);
}

/* ---- the answer ---- */

typedef enum outcome { PROVES, AGREES, NEITHER } outcome;

static outcome outcome_of(const pg_claimant *k)
{
    if (k->refused[0] || k->finding.ruling > PG_AGREES) return NEITHER;
    return k->finding.ruling == PG_PROVES ? PROVES : AGREES;
}

/* The claims with an outcome; evidence that is shown twice is one claim. */
static int count_claims(const pg_hearing *h, outcome wanted)
{
    int count = 0;
    for (int i = 0; i < h->claim_count; i++) count += !h->claims[i].same_as && outcome_of(&h->claims[i]) == wanted;
    return count;
}

static const char *who_was_first(const pg_hearing *h, char out[SENTENCE])
{
    if (!h->pair_count) return "The proofs do not say who was first.";
    if (h->origin.pair < 0)
        snprintf(out, SENTENCE, "The originals do not tell who was first.");
    else
        snprintf(out, SENTENCE, "The claim with %s was first: %s.", name_of(h->pair_of[h->origin.pair]->path),
                 pg_origin_text(h->origin.reason));
    return out;
}

static void put_answer(FILE *stream, const pg_hearing *h)
{
    const int proving = count_claims(h, PROVES), agreeing = count_claims(h, AGREES);
    char text[2 * SENTENCE], first[SENTENCE];
    if (proving == 1)
        snprintf(
            text, sizeof text,
            "Yes: one claim is proved. Somebody who knew its secret took part in training this network, or one that it was "
            "made from.");
    else if (proving)
        snprintf(
            text, sizeof text,
            "Yes: %d claims are proved. People who knew their secrets took part in training this network, or one that it was "
            "made from. %s",
            proving, who_was_first(h, first));
    else if (agreeing)
        snprintf(text, sizeof text,
                 "Not proved: %s with this network, but evidence of this kind can also be made by somebody who only has "
                 "the finished network.",
                 agreeing == 1 ? "one claim agrees" : "several claims agree");
    else
        snprintf(text, sizeof text, "No: %s.", h->claim_count == 1 ? "the claim does not hold" : "none of the claims holds");
    PG_HTML(stream, "<p class=\"answer\">$</p>\n", text);
}

/* ---- a claim ---- */

/* A p-value as how often it happens by chance. */
static const char *odds(double p, char out[SENTENCE])
{
    if (p >= 0.01)
        snprintf(out, SENTENCE, "about %.0f of 100 cases", 100 * p);
    else if (p >= 1e-7)
        snprintf(out, SENTENCE, "about 1 of %.0f cases", pow(10, floor(-log10(p))) * round(1 / p / pow(10, floor(-log10(p)))));
    else
        snprintf(out, SENTENCE, "fewer than 1 of 10,000,000 cases");
    return out;
}

static void put_agreement(FILE *stream, const pg_finding *f)
{
    const bool triggers = f->claim == PG_CLAIM_TRIGGERS;
    char text[SENTENCE];
    const int count = triggers ? f->trigger_count : f->bits;
    if (!count) return;
    snprintf(text, sizeof text, "%d of %d %s%s", f->agree, count, f->bound ? "secret " : "", triggers ? "labels" : "bits");
    PG_HTML(stream, "$ agree with the network. ", text);
    if (f->bound) {
        snprintf(text, sizeof text, "%.0f", floor(f->proof_bits));
        PG_HTML(stream, "Fresh secrets agree so well with a probability of 2<sup>-$</sup>. ", text);
    } else
        PG_HTML(stream, "Freshly made evidence agrees so well in $. ", odds(f->p_value, text));
}

/* The reason for the verdict, after how much agrees. */
static void put_reason(FILE *stream, const pg_claimant *k)
{
    static const char *const reasons[] = {
        [PG_PROVES] =
            "Nobody can choose a secret so that it fits a finished network, so the secret was there during the training.",
        [PG_AGREES] =
            "The network works with this evidence. It is no proof, because it may have been chosen after the network was seen.",
        [PG_NOT_SIGNIFICANT] = "Chance explains that.",
        [PG_DOES_NOT_WORK] = "But the network loses too much accuracy with this evidence, so it is not the network's own.",
        [PG_USELESS] = "But the network is no better than guessing, and nothing agrees with such a network.",
        [PG_NOT_DECIDABLE] = "But the network only works with a passport, and its accuracy as deployed is not known.",
        [PG_NO_EVIDENCE] = "The evidence has nothing that this network could be asked.",
    };
    const pg_finding *f = &k->finding;
    if (k->refused[0]) {
        PG_HTML(stream, "<p>The evidence file cannot be used: $.</p>\n", k->refused);
        return;
    }
    fputs("<p>", stream);
    put_agreement(stream, f);
    PG_HTML(stream, "$</p>\n", reasons[f->ruling]);
    if (f->seed_refused)
        fputs("<p>The secret follows from the seed of an experiment, which others may know, so it proves nothing.</p>\n",
              stream);
    if (k->readings.by_alignment)
        fputs(
            "<p>The network was rewritten: its channels have another order or other signs. The evidence was read after the judge "
            "put them back as they are in the claimant's original.</p>\n",
            stream);
    if (f->unstamped)
        fputs(
            "<p>No time stamp shows that the evidence and the original are older than the network, so the original may be a copy "
            "of the network, made to fit. That is no proof.</p>\n",
            stream);
    if (f->proves && f->useless) fputs("<p>The network itself is useless: no better than guessing.</p>\n", stream);
}

static void put_claim(FILE *stream, const pg_hearing *h, const pg_claimant *k)
{
    static const char *const words[] = {[PROVES] = "proves", [AGREES] = "agrees", [NEITHER] = "neither"};
    char enough[PG_ENOUGH_MAX];
    const char *word = words[outcome_of(k)];
    PG_HTML(stream, "<article class=\"card $\"><span class=\"badge\">$</span><h3>$</h3>\n", word, word, name_of(k->path));
    put_reason(stream, k);
    fputs("<dl>\n", stream);
    if (k->finding.bound) put_term(stream, "The claimant says", "%s", k->evidence->binding.statement);
    if (k->same_as) put_term(stream, "The same claim as", "%s", k->same_as);
    put_term(stream, "Enough to agree", "%s", pg_enough_to_agree(k, &h->options, enough));
    put_term(stream, "Enough to prove", "%s", pg_enough_to_prove(k, &h->options, enough));
    if (k->commitment[0]) put_term(stream, k->expected ? "Commitment, opened" : "Commitment", "%s", k->commitment);
    fputs("</dl></article>\n", stream);
}

/* ---- numbers ---- */

static void put_cell(FILE *stream, bool known, const char *format, ...) PG_PRINTF(3, 4);
static void put_cell(FILE *stream, bool known, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    PG_HTML(stream, "<td class=\"n\">$</td>", known ? text : "-");
}

static void put_numbers_of(FILE *stream, const pg_claimant *k)
{
    const pg_finding *f = &k->finding;
    const pg_accuracy *a = pg_finding_accuracy(f);
    const bool read = f->threshold > 0;
    PG_HTML(stream, "<tr><td class=\"t\">$</td><td>$</td><td>$</td>", name_of(k->path), k->evidence->scheme, k->evidence->kind);
    put_cell(stream, read, "%d of %d", f->agree, f->claim == PG_CLAIM_TRIGGERS ? f->trigger_count : f->bits);
    put_cell(stream, read, "%d", f->enough);
    put_cell(stream, read, "%.3g", f->p_value);
    put_cell(stream, f->bound, "%.1f", f->proof_bits);
    put_cell(stream, a->present, "%.2f", a->exact);
    put_cell(stream, f->nulls > 0, "%.2f ± %.2f", f->null_mean, f->null_deviation);
    put_cell(stream, f->trigger_count > 0, "%d of %d", f->trigger_agree, f->trigger_count);
    put_cell(stream, true, "%d", f->repeated);
    fputs("</tr>\n", stream);
}

static void put_numbers(FILE *stream, const pg_hearing *h)
{
    fputs("<details><summary>The numbers</summary><div class=\"wide\"><table><thead><tr><th>evidence</th><th>scheme</th>"
          "<th>kind</th><th class=\"n\">agreeing</th><th class=\"n\">enough to agree</th><th class=\"n\">p-value</th>"
          "<th class=\"n\">proof, bits</th><th class=\"n\">accuracy with it, %</th><th class=\"n\">fresh evidence, %</th>"
          "<th class=\"n\">triggers</th><th class=\"n\">do not count</th></tr></thead><tbody>\n",
          stream);
    for (int i = 0; i < h->claim_count; i++)
        if (!h->claims[i].refused[0]) put_numbers_of(stream, &h->claims[i]);
    fputs("</tbody></table></div></details>\n", stream);
}

/* ---- the rest ---- */

static void put_meaning(FILE *stream)
{
    fputs(
        "<h2>The three verdicts</h2>\n<dl>\n"
        "<dt>proves</dt><dd>The evidence follows from a secret by a one-way function, so its owner could not choose it to fit. "
        "It agrees so well that trying secrets until one fits is out of reach. Somebody who knew the secret took part in "
        "training this network, or one that it was made from. A proof does not say who was first: a thief who trains a "
        "secret of his own into a stolen network proves too.</dd>\n"
        "<dt>agrees</dt><dd>The evidence agrees far beyond chance <em>if it was fixed before the network was seen</em>, and the "
        "network works with it. Published schemes call this verification. Nothing in the file shows that it was fixed "
        "before, and no date turns agreement into proof.</dd>\n"
        "<dt>neither</dt><dd>Chance explains the agreement, the network does not work with the evidence or is useless, or "
        "the evidence cannot be used. The reason is given with the claim.</dd>\n</dl>\n"
        "<p class=\"soft\">Showing evidence reveals its secret. Anybody who saw it can show it again, which is the same "
        "claim and not another one.</p>\n",
        stream);
}

static void put_setting(FILE *stream, const page *p)
{
    const pg_hearing *h = p->hearing;
    const pg_net_spec *s = &h->model->spec;
    fputs("<h2>The network and how it was asked</h2>\n<dl>\n", stream);
    put_term(stream, "File", "%s", h->model_path);
    PG_HTML(stream, "<dt>SHA-256</dt><dd class=\"hash\">$</dd>\n", p->model_sum);
    put_term(stream, "Network", "%s, %s, width %g, %d classes", s->arch->name, pg_norm_kind_name(s->norm), s->width,
             s->classes);
    if (h->deployed_from)
        put_term(stream, "Accuracy as deployed", "%.2f %% (%s)", h->deployed.exact, h->deployed_from);
    else
        put_term(stream, "Accuracy as deployed", "not known: the network only works with a passport");
    put_term(stream, "Test images", "%d of %s, pixels as for %s (%s)", h->images.count, h->images.source,
             pg_pixels_names[h->used_pixels], h->pixels_from);
    PG_HTML(stream, "<dt>SHA-256 of the data</dt><dd class=\"hash\">$</dd>\n", p->data_sum);
    put_term(stream, "Rules", "proof %g bits, level %g, tolerance %g points, %d nulls of each kind from seed %d",
             h->options.proof, h->options.level, h->options.tolerance, h->options.nulls, h->seed);
    put_term(stream, "Assumed", "%s", h->facts.assumed);
    put_term(stream, "Note", "%s", h->doubts);
    fputs("</dl>\n", stream);
}

static pg_status put_page(FILE *stream, const void *context, pg_error *err)
{
    const page *p = context;
    const pg_hearing *h = p->hearing;
    (void)err;
    pg_html_begin(stream, "Claims of ownership");
    PG_HTML(
        stream,
        "<p class=\"kicker\">Claims of ownership on $</p>\n<h1>Does the evidence prove that its makers took part in training "
        "this network?</h1>\n",
        name_of(h->model_path));
    put_answer(stream, h);
    fputs(h->claim_count == 1 ? "<h2>The claim</h2>\n" : "<h2>The claims</h2>\n", stream);
    for (int i = 0; i < h->claim_count; i++) put_claim(stream, h, &h->claims[i]);
    put_numbers(stream, h);
    put_meaning(stream);
    put_setting(stream, p);
    pg_html_end(stream, pg_version(), NULL);
    return PG_OK;
}

pg_status pg_hearing_write_page(const pg_hearing *h, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    page p = {.hearing = h};
    PG_TRY(pg_sha256_file(h->model_path, p.model_sum, err));
    pg_input_sum(&h->data, p.data_sum);
    PG_TRY(pg_file_print(path, put_page, &p, PG_FILE_PUBLIC, err));
done:
    return status;
}
