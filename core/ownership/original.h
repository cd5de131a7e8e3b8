/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading evidence in a network that was rewritten: through the claimant's original.
 *
 * The claimant shows his evidence together with his own network, the original. The judge aligns the accused network to it
 * (align.h) and reads the evidence twice: in the accused network as it is, and in the aligned one. Two looks cost one bit of
 * proof, and double a p-value.
 *
 * The original decides which channel of the accused network counts as which, so the reading through it counts only if
 *   - the original itself carries the evidence: bound evidence proves in it, free evidence is significant there;
 *   - the accused network derives from the original (pg_alignment_derives). On an independent network evidence that is embedded
 *     in the original agrees more often than by chance, because alignment pairs similar filters.
 * A forger can make such an original from a copy of the accused network: he permutes and flips its channels until evidence of
 * his own agrees. So bound evidence proves through an original only if both were stamped (stamp.h) before the accused network
 * was published. Otherwise it can agree, as free evidence can. */
#ifndef PG_OWNERSHIP_ORIGINAL_H
#define PG_OWNERSHIP_ORIGINAL_H

#include "core/ownership/align.h"
#include "core/ownership/verify.h"

/* An original, and whether it was stamped together with the evidence before the accused network was published. */
typedef struct pg_original {
    const pg_model *model;
    bool stamped_before;
} pg_original;

/* How the evidence was read. If a reading was not made, its finding is empty. */
typedef struct pg_two_readings {
    pg_finding as_is, aligned;
    char as_is_fault[PG_MESSAGE_MAX];   /* why the evidence cannot be read in the accused network as it is; empty: it can */
    char aligned_fault[PG_MESSAGE_MAX]; /* why the reading through the original does not count; empty: it counts */
    double similarity, rival;           /* of the alignment; NaN: there is none */
    int dropped;                        /* channels of the accused network that the original does not have */
    bool by_alignment;                  /* the finding is that of the reading through the original */
} pg_two_readings;

/* Judge a claim with its original, otherwise as pg_judge_claim does. *out is the better finding of the two readings; if they
 * are equally good, that of the accused network as it is. A claim by triggers alone has no second reading and pays nothing,
 * because a rewrite changes no answer. PG_BAD_INPUT if neither reading is possible. */
PG_CHECKED pg_status pg_judge_claim_with_original(pg_judge *judge, const pg_evidence *evidence, const pg_original *original,
                                                  pg_two_readings *readings, pg_finding *out, pg_error *err);

#endif
