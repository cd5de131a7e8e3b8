/* SPDX-License-Identifier: GPL-3.0-or-later */
/* True and false claims of a run, and how far their scores tell them apart. */
#ifndef PG_REPORT_ROC_H
#define PG_REPORT_ROC_H

#include "experiments/report/summary.h"

/* Kinds of claims: with the owner's evidence on his network as trained; on that network after an attack which left it better
 * than guessing; with any evidence on an independent network. */
typedef enum pg_claim_kind { PG_CLAIM_NONE, PG_CLAIM_OWN, PG_CLAIM_OWN_ATTACKED, PG_CLAIM_FALSE } pg_claim_kind;
pg_claim_kind pg_claim_kind_of(const pg_summary *summary, int result, const char *outcome);

/* Scores of claims, -log10 of their p-values, ascending. False claims are those on independent networks where the evidence can
 * be read. */
typedef struct pg_scores {
    pg_sample of_true, of_false;
} pg_scores;

/* Gather the scores of one scheme in one place. attack: the variant that forged the evidence of the false claims; -1: they are
 * made with the owner's. A zeroed *out is released by pg_scores_clear, also after a failure. */
PG_CHECKED pg_status pg_scores_gather(const pg_summary *summary, int place, int scheme, int attack, pg_scores *out,
                                      pg_error *err);
void pg_scores_clear(pg_scores *scores);

/* Share of true claims that score higher than all but `share` of the false ones; NaN if there are no true or no false claims.
 * With fewer than 1 / share false claims, none may score as high. */
double pg_true_positives(const pg_scores *scores, double share);

/* Points of the ROC curve in the order of falling thresholds, from (0, 0) to (1, 1). A claim is accepted if its score is at
 * least the threshold. */
typedef struct pg_roc_point {
    double false_share, true_share;
} pg_roc_point;
/* *points is freed by pg_free; *count is 0 if there are no true or no false claims. */
PG_CHECKED pg_status pg_roc(const pg_scores *scores, pg_roc_point **points, int *count, pg_error *err);

#endif
