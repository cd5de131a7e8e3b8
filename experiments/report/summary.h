/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups of a run's results, for tables and figures. Schemes and attacks are labelled by the options in which they differ. */
#ifndef PG_REPORT_SUMMARY_H
#define PG_REPORT_SUMMARY_H

#include "experiments/report/results.h"
#include "experiments/report/table.h"

/* A scheme or an attack with its options. Its label is its name and those options in which it differs from others of the name.
 * No two variants of a list have the same label. */
typedef struct pg_variant {
    const char *name, *label;
    const pg_parameters *lists[2]; /* options of a scheme and of its training; or of an attack, and none */
} pg_variant;

/* All options of a variant as text. */
PG_CHECKED pg_status pg_variant_options(const pg_variant *variant, pg_text_pool *texts, const char **out, pg_error *err);

typedef struct pg_variants {
    int count;
    pg_variant *items;
} pg_variants;

typedef struct pg_summary {
    const pg_results *results; /* borrowed */
    pg_variants schemes, attacks;
    int *place;           /* by result: number of its data set, network and norm, counted from 0 */
    int *scheme, *attack; /* by result: index of its variant; attack -1: training */
    bool *forges;         /* by result: its outcomes are forged evidence */
    const char **accused; /* by result: kind of the independent network that it claims, "resnet9-bn other half"; NULL: none */
    double *threshold; /* by result: percent of bits above which evidence of the owner's kind counts as found, from null models;
                          NaN: none */
    double *chance;    /* by result: accuracy of guessing among the classes of its data, in percent; NaN if unknown */
    double *images;    /* by result: test images behind an accuracy; 0 if unknown */
    bool *learnt;      /* by result: was its network trained to more than chance (pg_has_learnt)? */
    const char *label; /* of the grid, with the number of missing tasks */
    pg_text_pool texts; /* of labels */
} pg_summary;

/* A zeroed summary may be closed. */
PG_CHECKED pg_status pg_summary_open(pg_summary *summary, const pg_results *results, pg_error *err);
void pg_summary_close(pg_summary *summary);

/* Is an accuracy, in percent of `images` test images, significantly above chance: by at least 10 points, and with an exact
 * binomial probability of at most 0.001 under guessing? False if an argument is NaN. */
bool pg_has_learnt(double accuracy, double chance, double images);

/* Set title and label of a table. If tasks are missing, the table shows n beside every mean. */
PG_CHECKED pg_status pg_summary_head(const pg_summary *summary, const char *title, pg_table *table, pg_error *err);

#endif
