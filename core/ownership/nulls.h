/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Null evidence: the bits that fresh evidence reads in a model that was not marked with it.
 *
 * The judge does not trust the kind that the evidence names, because a claimant could name the most favourable one. The judge
 * draws fresh evidence of every kind that has the same form: passports that are random, from one image, or shuffled from
 * several; projections of each kind that has positions for all bits; for a filtered mark only filtered ones, each of which
 * chooses weights by its own bits; for a rebuilt mark other places, read by the claimant's own decoder. The largest p-value
 * over the kinds counts. The draws depend only on the model, the layers and the judge's seed, so a claimant cannot influence
 * them. Images go through the model as a user without passports runs it. A passport layer without a learned affine has gamma 1
 * and beta 0. */
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

/* The agreement of the evidence with itself in `count` other orders, at least two, which nobody can prefer to the claim without
 * having seen the network. If the pieces of evidence depend on each other (similar filters, equal bits), these agreements
 * spread as widely as the claim's does by chance. Only channels are put in other orders, because training cannot tell them
 * apart by their order: the bits of a signature within their layer; and for a mark the channels of the network, by permutations
 * that keep its function (rewrite.h). Places in a kernel and the colours of images stay, because networks that were trained on
 * like images resemble each other there, and a claimant knows how from networks of his own. So a bank of filters for a layer
 * that reads the images agrees in all orders as it does in the claim, and is never significant. signs: as the reading gave them
 * for the evidence; only a signature needs them. */
PG_CHECKED pg_status pg_null_rearranged(const pg_model *model, const pg_evidence *evidence, const int8_t *signs, int count,
                                        uint64_t seed, pg_null *out, pg_error *err);

/* A p-value of the mark by its order of the channels: 1 / n if the n-th of these orders, from 1, is the first in which at least
 * `agree` bits agree; 1 / (most + 1) if none of the first `most` is one. A few orders tell how widely the agreement spreads,
 * but not how often it is far out: the bits of a mark can all depend on one channel that is seldom loud. If the evidence was
 * fixed before the network was seen, the given order of the channels is as likely as any other, so it comes out as the only one
 * among n that agrees so well with a probability of at most 1 / n. Source: Besag, Clifford, "Sequential Monte Carlo p-values",
 * Biometrika 1991. */
PG_CHECKED pg_status pg_null_orders(const pg_model *model, const pg_evidence *mark, int agree, int most, uint64_t seed,
                                    double *p_value, pg_error *err);

#endif
