/* Deciding a claim from what was measured. Knows no model: numbers in, a ruling out.
 *
 * One rule for every claim, whoever brings it. In this order:
 *   1. A network whose right answers as deployed are no more than guessing explains (exact binomial tail at 1 / classes, above
 *      the level) is useless: nothing stands on it.
 *   2. The evidence is significant: its p-value is at most the level.
 *   3. The accuracy as deployed is known; otherwise the claim cannot be decided.
 *   4. The network works with the evidence: better than guessing, and within `tolerance` points of its accuracy as deployed. */
#ifndef PG_OWNERSHIP_VERDICT_H
#define PG_OWNERSHIP_VERDICT_H

#include <stdbool.h>

typedef enum pg_ruling {
    PG_STANDS,
    PG_NOT_SIGNIFICANT,
    PG_DOES_NOT_WORK,
    PG_USELESS,
    PG_NOT_DECIDABLE,
    PG_NO_EVIDENCE
} pg_ruling;

/* "claim stands", or in a few words why it does not. */
const char *pg_ruling_text(pg_ruling ruling);

/* The rule, from its parts as findings and records keep them. Records of versions that do not tell `useless` and `decidable`
 * count as not useless and decidable. */
pg_ruling pg_rule(bool useless, bool significant, bool decidable, bool works);

/* P[X >= k] for X binomial (n, q), and the smallest k at which it is at most level (n + 1: none). */
double pg_binomial_tail(int k, int n, double q);
int pg_binomial_threshold(int n, double q, double level);

/* Is this percentage of right answers on so many images significantly more than guessing among the classes gives? */
bool pg_beats_guessing(double percent, int images, int classes, double level);

#endif
