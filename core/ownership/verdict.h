/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deciding a claim: from measured numbers to a ruling, without a model.
 *
 * Bound evidence proves if its proof has enough bits, whatever the network is good for. Evidence agrees (what published schemes
 * call verification) by one rule for every claim and claimant, in this order:
 *   1. A network is useless, and nothing agrees on it, if guessing explains its accuracy as deployed (exact binomial tail at
 *      1 / classes above the level).
 *   2. The evidence is significant: its p-value is at most the level.
 *   3. The accuracy as deployed is known; otherwise the claim cannot be decided.
 *   4. The network works with the evidence: better than guessing, and within `tolerance` points of its accuracy as deployed.
 * Free evidence can agree and never proves: it may have been chosen after the network was seen. */
#ifndef PG_OWNERSHIP_VERDICT_H
#define PG_OWNERSHIP_VERDICT_H

#include <stdbool.h>

typedef enum pg_ruling {
    PG_PROVES,
    PG_AGREES,
    PG_NOT_SIGNIFICANT,
    PG_DOES_NOT_WORK,
    PG_USELESS,
    PG_NOT_DECIDABLE,
    PG_NO_EVIDENCE
} pg_ruling;

/* The verdict: "proves", "agrees" or "neither"; and the reason for neither in a few words. */
const char *pg_verdict_text(pg_ruling ruling);
const char *pg_ruling_text(pg_ruling ruling);

/* The ruling from its parts in findings and records, without proof. Records of versions without `useless` and `decidable` count
 * as not useless and decidable. */
pg_ruling pg_rule(bool useless, bool significant, bool decidable, bool works);

/* P[X >= k] for X binomial (n, q), and the smallest k at which it is at most level (n + 1: none). */
double pg_binomial_tail(int k, int n, double q);
int pg_binomial_threshold(int n, double q, double level);

/* -log2 of that tail, also where the tail itself underflows. */
double pg_binomial_bits(int k, int n, double q);

/* Is this percentage at least the bound, apart from rounding? 100 * 151 / 500 is less than 35.2 - 5 in double. */
bool pg_at_least(double percent, double bound);

/* Fewest images on which an accuracy can be significantly better than guessing among the classes (at least 2): on fewer, a
 * network that is always right is not. */
int pg_images_needed(int classes, double level);

/* Is this accuracy, in percent of `images`, significantly better than guessing among the classes? */
bool pg_beats_guessing(double percent, int images, int classes, double level);

#endif
