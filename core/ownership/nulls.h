/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Null evidence: the bits that fresh evidence reads in a model that was not marked with it.
 *
 * The judge does not trust the kind that the evidence names, because a claimant could name the most favourable one. The judge
 * draws fresh evidence of every kind that fits the evidence's form: passports that are random, from one image, or shuffled from
 * several; marks of each kind that is read in the same way, with positions for all bits. A fresh filtered mark chooses weights
 * by bits of its own. Fresh residuals are fresh bits, whose null is a coin. The largest p-value over the kinds counts. The
 * draws depend on the model, the layers and the judge's seed alone: nothing of a claimant enters them. Images go through the
 * model as somebody without passports runs it; a passport layer without a learned affine has gamma 1 and beta 0. */
#ifndef PG_OWNERSHIP_NULLS_H
#define PG_OWNERSHIP_NULLS_H

#include "core/ownership/passport.h"
#include "core/ownership/reading.h"

enum { PG_NULL_KINDS_MAX = 5 };

typedef struct pg_nulls {
    int kinds, count, bits;              /* draws of each kind; count 0: nothing was drawn */
    const char *kind[PG_NULL_KINDS_MAX]; /* names in static storage */
    int8_t *signs[PG_NULL_KINDS_MAX];    /* [count][bits]: of gamma, or of what projections read; 0 agrees with neither */
    pg_evidence *like;                   /* of the form that these nulls serve (pg_evidence_alike); owned */
} pg_nulls;

/* Agreement of nulls of one kind, in percent of the bits. */
typedef struct pg_null {
    const char *kind;
    int count;
    double mean, deviation; /* n - 1 */
} pg_null;

/* Draw count passports or projections of every kind for the layers of the evidence. On failure out is empty. */
PG_CHECKED pg_status pg_nulls_draw(const pg_model *model, const pg_evidence *evidence, const pg_dataset *test, pg_pixels pixels,
                                   int count, uint64_t seed, pg_nulls *out, pg_error *err);
void pg_nulls_clear(pg_nulls *nulls);

/* Agreement of each kind with the evidence's bits, out [nulls->kinds]; at least two draws. */
PG_CHECKED pg_status pg_nulls_agreement(const pg_nulls *nulls, const pg_evidence *evidence, pg_null *out, pg_error *err);

/* The evidence against itself: agreement of count rearrangements, at least two, that nobody who has not seen the network can
 * prefer to the claim. Bits of a signature are put in random order within their layer, because the channels of a layer have no
 * order that training could tell; so are the bits of residuals. The weights that all filters of a mark read are put in random
 * order, the same for all. If the
 * pieces of evidence hang together (filters that resemble each other, bits that are all alike), these agree by chance as widely
 * as the claim does. signs: as the reading gave them for the evidence. */
PG_CHECKED pg_status pg_null_rearranged(pg_reading *reading, const pg_evidence *evidence, const int8_t *signs, int count,
                                        uint64_t seed, pg_null *out, pg_error *err);

#endif
