/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples; see sample.h. Means and standard deviations are those of GSL. */
#include "experiments/report/sample.h"

#include "core/base/memory.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <string.h>

/* Room for 7, 15, 31, ... values, because pg_alloc rounds up to the next line of memory. The first value stands in the sample
 * itself: most samples have one. */
static pg_status make_room(pg_sample *sample, pg_error *err)
{
    const int count = sample->count;
    double *more = NULL;
    if (count > 1 && (count < 7 || (count & (count + 1)) != 0)) return PG_OK;
    const pg_status status = pg_alloc(count < 7 ? 7 : 2 * (size_t)count + 1, sizeof *more, &more, err);
    if (status != PG_OK) return status;
    memcpy(more, pg_sample_values(sample), (size_t)count * sizeof *more);
    if (count > 1) pg_free(sample->values);
    sample->values = more;
    return PG_OK;
}

pg_status pg_sample_add(pg_sample *sample, double value, pg_error *err)
{
    if (isnan(value)) return PG_OK;
    if (sample->count == 0) {
        *sample = (pg_sample){.count = 1, .one = value};
        return PG_OK;
    }
    const pg_status status = make_room(sample, err);
    if (status == PG_OK) sample->values[sample->count++] = value;
    return status;
}

pg_status pg_sample_copy(const pg_sample *from, pg_sample *out, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < from->count && status == PG_OK; i++) status = pg_sample_add(out, pg_sample_values(from)[i], err);
    return status;
}

const double *pg_sample_values(const pg_sample *sample)
{
    return sample->count > 1 ? sample->values : &sample->one;
}

void pg_sample_clear(pg_sample *sample)
{
    if (sample->count > 1) pg_free(sample->values);
    *sample = (pg_sample){0};
}

double pg_sample_ones(const pg_sample *s)
{
    const double *values = pg_sample_values(s);
    double sum = 0;
    for (int i = 0; i < s->count; i++) sum += values[i] > 0.5;
    return sum;
}

double pg_sample_mean(const pg_sample *s)
{
    return gsl_stats_mean(pg_sample_values(s), 1, (size_t)s->count);
}

double pg_sample_sd(const pg_sample *s)
{
    return s->count > 1 ? gsl_stats_sd(pg_sample_values(s), 1, (size_t)s->count) : 0;
}

double pg_sample_margin(const pg_sample *s)
{
    if (s->count < 2) return NAN;
    return gsl_cdf_tdist_Pinv(0.975, s->count - 1) * pg_sample_sd(s) / sqrt(s->count);
}

double pg_sample_max(const pg_sample *s)
{
    return gsl_stats_max(pg_sample_values(s), 1, (size_t)s->count);
}

double pg_sample_min(const pg_sample *s)
{
    return gsl_stats_min(pg_sample_values(s), 1, (size_t)s->count);
}

double pg_sample_low(const pg_sample *s)
{
    const double ones = pg_sample_ones(s);
    return ones > 0 ? 100 * gsl_cdf_beta_Pinv(0.025, ones, s->count - ones + 1) : 0;
}

double pg_sample_high(const pg_sample *s)
{
    const double ones = pg_sample_ones(s);
    return ones < s->count ? 100 * gsl_cdf_beta_Pinv(0.975, ones + 1, s->count - ones) : 100;
}
