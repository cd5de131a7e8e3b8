/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weighing a finding, without the model: p-values, proof, thresholds, and the ruling; see verify.h. */
#include "core/ownership/verify_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stddef.h>

const pg_option pg_verify_table[] = {
    PG_REAL(pg_verify_options, level, "1e-3", PG_ABOVE_ZERO, 0.5, NULL,
            "largest p-value at which a signature counts as significant"),
    PG_REAL(pg_verify_options, tolerance, "5", 0, 100, "points",
            "largest loss of accuracy with the evidence, compared with the network as deployed"),
    PG_INT(pg_verify_options, nulls, "50", 0, 10000, NULL,
           "fresh pieces of evidence of each kind, drawn for the null distribution; 0, or at least 2"),
    PG_INT(pg_verify_options, batch, "128", 1, 10000, NULL, "images per evaluation batch"),
    PG_REAL(pg_verify_options, proof, "80", 40, 100000, "bits", "number of bits from which bound evidence proves"),
    {0},
};

pg_status pg_verify_check(const pg_verify_options *options, int classes, int images, pg_error *err)
{
    const int needed = pg_images_needed(classes, options->level);
    if (images >= needed) return PG_OK;
    return pg_fail(
        err, PG_BAD_INPUT,
        "%d test image%s cannot show that a network is better than guessing: %d classes and level %g need at least %d", images,
        images == 1 ? "" : "s", classes, options->level, needed);
}

/* ---- p-values ---- */

/* p-value of `agree` agreeing bits against one null. */
static double p_against(const pg_null *null, int agree, int bits)
{
    const double percent = 100.0 * agree / bits, spread = null->deviation * sqrt(1 + 1.0 / null->count);
    const double t = spread > 0 ? (percent - null->mean) / spread : percent > null->mean ? INFINITY : 0;
    const double student = isinf(t) ? 0 : gsl_cdf_tdist_Q(t, null->count - 1);
    const double q = fmin(fmax(null->mean / 100, 0.5), 1);
    return fmax(student, pg_binomial_tail(agree, bits, q));
}

/* The largest p-value over all nulls; *deciding is the index of its kind. Without nulls a fair coin decides. */
static double p_value(const pg_finding *f, int agree, int *deciding)
{
    double p = pg_binomial_tail(agree, f->bits, 0.5);
    for (int k = 0; k < f->null_kinds; k++) {
        const double against = p_against(&f->null[k], agree, f->bits);
        if (k && against <= p) continue;
        p = against;
        *deciding = k;
    }
    return agree <= f->agree ? fmax(p, f->order_p) : p;
}

void pg_finding_order(pg_finding *f, double order_p)
{
    f->order_p = order_p;
    f->p_value = fmin(1, fmax(f->p_value, (1 + f->two_looks) * order_p));
    f->null_kind = f->rearranged.kind;
    f->null_mean = f->rearranged.mean;
    f->null_deviation = f->rearranged.deviation;
}

pg_status pg_finding_weigh(const pg_evidence *evidence, const pg_nulls *nulls, pg_finding *finding, pg_error *err)
{
    pg_status status = PG_OK;
    int deciding = -1;
    if (nulls && nulls->count >= 2) {
        if (nulls->bits != finding->bits)
            return pg_fail(err, PG_BAD_INPUT, "null evidence has %d bits, the signature %d", nulls->bits, finding->bits);
        PG_TRY(pg_nulls_agreement(nulls, evidence, finding->null, err));
        finding->null_kinds = nulls->kinds;
        if (finding->rearranged.count) finding->null[finding->null_kinds++] = finding->rearranged;
        finding->nulls = nulls->count;
    }
    finding->p_coin = pg_binomial_tail(finding->agree, finding->bits, 0.5);
    finding->p_value = fmin(1, (1 + finding->two_looks) * p_value(finding, finding->agree, &deciding));
    if (deciding < 0) goto done;
    finding->null_kind = finding->null[deciding].kind;
    finding->null_mean = finding->null[deciding].mean;
    finding->null_deviation = finding->null[deciding].deviation;
done:
    return status;
}

double pg_finding_guess(const pg_finding *f)
{
    return fmax(1.0 / f->classes, f->match);
}

/* ---- the decision ---- */

const pg_accuracy *pg_finding_accuracy(const pg_finding *finding)
{
    return finding->claim == PG_CLAIM_PASSPORTS ? &finding->private_branch : &finding->deployed;
}

/* Is the network better than guessing with the evidence, and nearly as good as deployed? */
static bool works(const pg_finding *f, const pg_verify_options *options)
{
    const pg_accuracy *a = pg_finding_accuracy(f);
    return a->present && pg_at_least(a->exact, f->reference - options->tolerance) &&
           pg_beats_guessing(a->exact, f->images, f->classes, options->level);
}

static void find_thresholds(pg_finding *f, int n, double level)
{
    const bool triggers = f->claim == PG_CLAIM_TRIGGERS;
    const double each = level / (1 + f->two_looks); /* of the looks */
    f->null_probability = triggers ? pg_finding_guess(f) : 0.5;
    f->threshold = f->enough = pg_binomial_threshold(n, f->null_probability, each);
    if (!f->nulls) return;
    f->null_threshold = f->null_mean + gsl_cdf_ugaussian_Qinv(each) * f->null_deviation;
    while (f->enough <= n && p_value(f, f->enough, &(int){0}) > each) f->enough++;
}

/* Bits that a proof loses: one for each doubling of the number of files shown, or of the ways to read the evidence. */
static double lost_bits(const pg_finding *f, const pg_judge_setup *s)
{
    const bool two = f->claim != PG_CLAIM_TRIGGERS && f->trigger_count;
    return two + f->two_looks + log2(s->shown > 1 ? s->shown : 1);
}

double pg_finding_proof(const pg_finding *f, const pg_judge_setup *s)
{
    const double signature = f->bits ? pg_binomial_bits(f->agree, f->bits, 0.5) : 0,
                 triggers = f->trigger_count ? pg_binomial_bits(f->trigger_agree, f->trigger_count, pg_finding_guess(f)) : 0;
    return fmax(0, fmax(signature, triggers) - lost_bits(f, s));
}

int pg_finding_enough(const pg_finding *f, const pg_judge_setup *s)
{
    const bool triggers = f->claim == PG_CLAIM_TRIGGERS;
    const int n = triggers ? f->trigger_count : f->bits;
    const double needed = s->options->proof + lost_bits(f, s);
    int k = 0;
    while (k <= n && pg_binomial_bits(k, n, triggers ? pg_finding_guess(f) : 0.5) < needed) k++;
    return k;
}

void pg_finding_decide(pg_finding *finding, const pg_verify_options *options)
{
    const double level = options->level;
    const int n = finding->claim == PG_CLAIM_TRIGGERS ? finding->trigger_count : finding->bits;
    if (n) find_thresholds(finding, n, level);
    finding->decidable = !isnan(finding->reference);
    finding->useless = finding->decidable && !pg_beats_guessing(finding->reference, finding->images, finding->classes, level);
    finding->significant = n && finding->p_value <= level;
    finding->works = works(finding, options);
    finding->proves =
        n && finding->bound && !finding->seed_refused && !finding->unstamped && finding->proof_bits >= options->proof;
    finding->ruling = n ? pg_rule(finding->useless, finding->significant, finding->decidable, finding->works) : PG_NO_EVIDENCE;
    finding->agrees = finding->ruling == PG_AGREES;
    if (finding->proves) finding->ruling = PG_PROVES;
}
