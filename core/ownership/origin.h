/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The origin: whose claim came first, if several claims prove on one network.
 *
 * A proof says that somebody who knew the secret took part in training a network, so a thief who overwrites proves too. Each
 * claimant shows a pair: his evidence and his own network, the original, which an authority stamped together (stamp.h). A pair
 * is admitted if its evidence proves in its original and the accused network derives from the original (align.h). Otherwise a
 * claimant could stamp evidence ahead and embed it after the theft: an original that he stamped ahead has nothing to do with
 * the accused network.
 *
 * Content decides first. The thief made his network from the owner's, so both pieces of evidence prove in it, while only the
 * owner's proves in the owner's original. A pair drops out if another claimant's evidence proves in its original, unless that
 * claimant's pair is admitted and carries this evidence in turn. Dates decide between the remaining pairs, for instance if the
 * thief erased the owner's mark before he stamped, or made it unreadable: the owner stamped before the network left his hands.
 *
 * Evidence is read in the originals as they are, not through alignment, because whoever brings an original could choose its
 * channels so that his evidence agrees in another's. Equal secrets with equal statements are one claimant, and of his pairs the
 * one that was stamped first counts: whoever has seen the evidence can show it again, with an original of his own. */
#ifndef PG_OWNERSHIP_ORIGIN_H
#define PG_OWNERSHIP_ORIGIN_H

#include "core/ownership/verify.h"

#include <time.h>

enum { PG_PAIRS_MAX = 16 };

typedef enum pg_standing {
    PG_STANDS_FIRST,
    PG_STANDS_LATER, /* admitted, and another original is stamped earlier */
    PG_STANDS_TIED,  /* admitted, and another original is stamped at the same time */
    PG_STANDS_MIXED, /* admitted, and its original carries the evidence of another claimant */
    PG_STANDS_WITHOUT_ORIGINAL,
    PG_STANDS_WITHOUT_STAMP,
    PG_STANDS_UNPROVED, /* its evidence does not prove in its original */
    PG_STANDS_UNRELATED /* the accused network does not derive from its original */
} pg_standing;
const char *pg_standing_text(pg_standing standing); /* a clause about the claim: "its original is stamped later" */

/* A claim that proves on the accused network. */
typedef struct pg_pair {
    const pg_evidence *evidence;
    const pg_model *original; /* NULL: none */
    bool stamped;
    time_t when;               /* of the stamp */
    double similarity, rival;  /* see pg_alignment; NaN: not known yet. pg_origin_find sets those of every stamped original */
    bool proves[PG_PAIRS_MAX]; /* by pair: does its evidence prove in this original? */
    pg_standing standing;
} pg_pair;

typedef enum pg_origin_reason {
    PG_ORIGIN_UNKNOWN,    /* no pair is first */
    PG_ORIGIN_BY_DATE,    /* its original was stamped first, among several that carry only their own evidence */
    PG_ORIGIN_BY_CONTENT, /* the only admitted original that carries no other claimant's evidence */
    PG_ORIGIN_UNOPPOSED   /* no other claimant has an admitted pair */
} pg_origin_reason;
const char *pg_origin_text(pg_origin_reason reason);

typedef struct pg_origin {
    int pair; /* -1: unknown */
    pg_origin_reason reason;
} pg_origin;

/* Find the origin among the pairs [count] of all claims that prove. judge: the setup of the judge of the accused network. */
PG_CHECKED pg_status pg_origin_find(const pg_judge_setup *judge, pg_pair *pairs, int count, pg_origin *out, pg_error *err);

/* The rule itself: sets every standing from the other members of the pairs. */
pg_origin pg_origin_decide(pg_pair *pairs, int count);

#endif
