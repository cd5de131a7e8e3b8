/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deciding a claim; see verdict.h. */
#include "core/ownership/verdict.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

const char *pg_verdict_text(pg_ruling ruling)
{
    return ruling == PG_PROVES ? "proves" : ruling == PG_AGREES ? "agrees" : "neither";
}

const char *pg_ruling_text(pg_ruling ruling)
{
    static const char *const texts[] = {
        [PG_PROVES] = "proves",
        [PG_AGREES] = "agrees",
        [PG_NOT_SIGNIFICANT] = "not significant",
        [PG_DOES_NOT_WORK] = "the network does not work with this evidence",
        [PG_USELESS] = "the network is useless (no better than guessing)",
        [PG_NOT_DECIDABLE] = "not decidable (accuracy as deployed is not known)",
        [PG_NO_EVIDENCE] = "no evidence for this network",
    };
    return texts[ruling];
}

pg_ruling pg_rule(bool useless, bool significant, bool decidable, bool works)
{
    if (useless) return PG_USELESS;
    if (!significant) return PG_NOT_SIGNIFICANT;
    if (!decidable) return PG_NOT_DECIDABLE;
    return works ? PG_AGREES : PG_DOES_NOT_WORK;
}

double pg_binomial_tail(int k, int n, double q)
{
    return k <= 0 ? 1 : gsl_cdf_binomial_Q((unsigned)(k - 1), q, (unsigned)n);
}

int pg_binomial_threshold(int n, double q, double level)
{
    int k = 0;
    while (k <= n && pg_binomial_tail(k, n, q) > level) k++;
    return k;
}

double pg_binomial_bits(int k, int n, double q)
{
    if (k <= n * q) return -log2(pg_binomial_tail(k, n, q)); /* not far in the tail */
    double sum = 1, term = 1;
    for (int i = k; i < n; i++) sum += term *= (double)(n - i) / (i + 1) * q / (1 - q);
    return -(gsl_sf_lnchoose((unsigned)n, (unsigned)k) + k * log(q) + (n - k) * log1p(-q) + log(sum)) / M_LN2;
}

bool pg_at_least(double percent, double bound)
{
    return percent >= bound - 1e-9;
}

int pg_images_needed(int classes, double level)
{
    int images = 1;
    while (classes > 1 && pg_binomial_tail(images, images, 1.0 / classes) > level) images++;
    return images;
}

bool pg_beats_guessing(double percent, int images, int classes, double level)
{
    return pg_binomial_tail((int)lround(percent / 100 * images), images, 1.0 / classes) <= level;
}
