/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of a run: results that differ only in their seed are one setting. Published numbers are about settings. */
#ifndef PG_REPORT_SETTINGS_H
#define PG_REPORT_SETTINGS_H

#include "experiments/report/published.h"
#include "experiments/report/summary.h"

/* `next` links the results of a setting. Settings whose labels have the same names are a kind; settings of one place and one
 * variant of a scheme are a group. */
typedef struct pg_settings {
    const pg_summary *summary;
    int count, kind_count, group_count;
    int *first;        /* [count] index of a result */
    int *next;         /* [results] -1: the last */
    int *kind, *group; /* [count] */
    int *of_kind;      /* [kind_count] one of its settings */
} pg_settings;

/* Zeroed settings may be opened or closed. The summary must outlive them. */
PG_CHECKED pg_status pg_settings_open(pg_settings *settings, const pg_summary *summary, pg_error *err);
void pg_settings_close(pg_settings *settings);

const pg_task_labels *pg_settings_labels(const pg_settings *settings, int setting);

/* Do the names of a kind's settings fit a subject? fits: [kind_count], freed by pg_free. stand_in: settings that may stand in
 * for the subject fit too. */
PG_CHECKED pg_status pg_settings_fit(const pg_settings *settings, const pg_subject *subject, bool stand_in, bool **fits,
                                     pg_error *err);

/* Which results count: all that fit a subject, only those of networks that learnt, or those of its stand-ins. */
typedef enum pg_range { PG_RANGE_ALL, PG_RANGE_LEARNT, PG_RANGES, PG_RANGE_STAND_INS = PG_RANGES } pg_range;

/* Add a setting's values of a subject to a sample. A setting that does not fit adds none. */
PG_CHECKED pg_status pg_settings_gather(const pg_settings *settings, int setting, const pg_subject *subject, pg_range of,
                                        pg_sample *out, pg_error *err);

#endif
