/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a thief gets from an attack on a network; forgeries of evidence are left out.
 *
 * An outcome of an attack is useless to the thief if its network is no better than guessing, or more than 5 points below the
 * network before the attack; after transfer, below the plain network that was transferred alike. Otherwise the mark is removed
 * if the owner's claim neither agrees nor proves, and else it survives. If the owner's claim did not hold before the attack,
 * there was nothing to remove. Of the outcomes of an attack the thief chooses one that removes the mark, then one that is
 * useful, then the most accurate. */
#ifndef PG_REPORT_RESPONSE_H
#define PG_REPORT_RESPONSE_H

#include "experiments/report/summary.h"

typedef enum pg_response_word {
    PG_RESPONSE_USELESS,
    PG_RESPONSE_NOTHING, /* to remove */
    PG_RESPONSE_AGREES,
    PG_RESPONSE_PROVES,
    PG_RESPONSE_REMOVED
} pg_response_word;
enum { PG_RESPONSE_WORDS = PG_RESPONSE_REMOVED + 1 };
const char *pg_response_text(int word); /* "removed" */

/* The outcome of one result that the thief chooses. lost: points of accuracy, compared with the network before the attack
 * (after transfer, with the plain one); macs: multiply-adds of the attack. Unknown numbers are NaN. */
typedef struct pg_response {
    pg_response_word word;
    double accuracy, lost, macs;
} pg_response;

/* Tables and maps of responses compare every attack with every network, so larger runs have none. */
enum { PG_RESPONSES_MAX = 25000 }; /* results of attacks on networks */
bool pg_responses_fit(const pg_summary *summary);

/* Is a result one of an attack on a network with a mark? */
bool pg_response_counts(const pg_summary *summary, int result);

/* any: false if no outcome was judged. */
PG_CHECKED pg_status pg_response_find(const pg_summary *summary, int result, pg_response *out, bool *any, pg_error *err);

#endif
