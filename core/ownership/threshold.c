/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thresholds from null models; see threshold.h. */
#include "core/ownership/threshold.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics.h>

pg_threshold pg_threshold_find(const double *counts, size_t n, int length, double level)
{
    pg_threshold t = {.mean = gsl_stats_mean(counts, 1, n)};
    t.deviation = gsl_stats_sd_with_fixed_mean(counts, 1, n, t.mean);
    t.count = t.mean + gsl_cdf_ugaussian_Qinv(level) * t.deviation;
    t.share = t.count / length;
    return t;
}

double pg_threshold_rescale(double theta, double share)
{
    if (theta >= 1) return 0;
    const double scaled = (share / 2 + 0.5 - theta) / (1 - theta);
    return scaled > 0 ? scaled : 0;
}
