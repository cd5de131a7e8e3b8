/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Null evidence: the bits that evidence of the claimant's kind reads in a model that was not marked with it.
 *
 * The judge draws fresh passports of the claimant's kind for the same layers, or fresh projections for the same layer, and
 * keeps the signs that they give. The draw depends only on the kind, the layers, the model and the judge's seed. So one draw
 * serves every claim that is alike (pg_evidence_alike), and a claim meets the same nulls in every command. */
#ifndef PG_OWNERSHIP_NULLS_H
#define PG_OWNERSHIP_NULLS_H

#include "core/ownership/passport.h"

typedef struct pg_nulls {
    int count, bits;
    int8_t *signs;     /* [count][bits]: of gamma, or of the readings of projections; 0 agrees with neither bit */
    pg_evidence *like; /* the last evidence drawn; these nulls serve all that is alike to it; owned */
} pg_nulls;

/* Draw count passports or projections of the evidence's kind. Pushes images through the model itself: its public branch or, if
 * it has none, its private one under the passports of `carrier`. The model has the evidence's layers as passport layers. On
 * failure out is empty. */
PG_CHECKED pg_status pg_nulls_draw(pg_model *model, const pg_evidence *evidence, const pg_evidence *carrier,
                                   const pg_dataset *test, pg_pixels pixels, int count, uint64_t seed, pg_nulls *out,
                                   pg_error *err);
void pg_nulls_clear(pg_nulls *nulls);

/* Bits of the evidence's signature or mark that equal these signs [bits]. */
int pg_signs_agree(const pg_evidence *evidence, const int8_t *signs);

/* Signs of the weights projected by a mark [mark->bits]. */
PG_CHECKED pg_status pg_mark_signs(const pg_mark *mark, const pg_model *model, int8_t *signs, pg_error *err);

/* Mean and standard deviation (n - 1), over at least two nulls, of the percentage of bits that agree with the evidence's. */
PG_CHECKED pg_status pg_nulls_agreement(const pg_nulls *nulls, const pg_evidence *evidence, double *mean, double *deviation,
                                        pg_error *err);

#endif
