/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sample: the values of one cell of a table, over seeds and repetitions. */
#ifndef PG_REPORT_SAMPLE_H
#define PG_REPORT_SAMPLE_H

#include "core/base/status.h"

typedef struct pg_sample {
    int count;
    union {
        double one; /* the only value; see pg_sample_values */
        double *values;
    };
} pg_sample;

/* Add a value; ignores NaN. A zeroed sample is empty. */
PG_CHECKED pg_status pg_sample_add(pg_sample *sample, double value, pg_error *err);
/* Add all values of another sample. */
PG_CHECKED pg_status pg_sample_copy(const pg_sample *from, pg_sample *out, pg_error *err);
void pg_sample_clear(pg_sample *sample);

/* [count], owned by the sample. */
const double *pg_sample_values(const pg_sample *sample);

/* Statistics of a sample that is not empty. */
double pg_sample_mean(const pg_sample *sample);
double pg_sample_sd(const pg_sample *sample); /* with n - 1; 0 for a single value */
/* Half the width of the 95 % interval of the mean, by Student's t with n - 1 degrees of freedom; NaN for a single value. The
 * values count as independent. */
double pg_sample_margin(const pg_sample *sample);
double pg_sample_max(const pg_sample *sample);
double pg_sample_min(const pg_sample *sample);
double pg_sample_ones(const pg_sample *sample); /* how many values are above a half */
/* Exact 95 % interval of the share of such values, in percent (Clopper and Pearson, 1934). */
double pg_sample_low(const pg_sample *sample);
double pg_sample_high(const pg_sample *sample);

#endif
