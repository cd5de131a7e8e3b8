/* Null evidence: what evidence of a claimant's kind reads in a model when nobody marked the model with it.
 *
 * Fresh passports of the claimant's kind are put in his layers of the model, or fresh projections of his kind in his layer; the
 * signs that they give are kept. The draw depends on the kind, the layers and the model, on the judge's seed, and on nothing
 * that a claimant chose beside these: so it serves every claim that is alike (pg_evidence_alike), and the same claim finds the
 * same nulls wherever it is judged. */
#ifndef PG_OWNERSHIP_NULLS_H
#define PG_OWNERSHIP_NULLS_H

#include "core/ownership/passport.h"

typedef struct pg_nulls {
    int count, bits;
    int8_t *signs;     /* [count][bits]: of gamma, or of what the projections read; 0 agrees with neither bit */
    pg_evidence *like; /* the last one drawn: what is alike to it is served by these; owned */
} pg_nulls;

/* Draw count passports or projections as the evidence's were made. Images go through the model itself: its public branch, or,
 * where it has none, its private one under the passports of `carrier`. The model has the evidence's layers as passport layers.
 * On failure out is empty. */
PG_CHECKED pg_status pg_nulls_draw(pg_model *model, const pg_evidence *evidence, const pg_evidence *carrier,
                                   const pg_dataset *test, pg_pixels pixels, int count, uint64_t seed, pg_nulls *out,
                                   pg_error *err);
void pg_nulls_clear(pg_nulls *nulls);

/* Bits of the evidence's signature or mark that equal these signs [bits]. */
int pg_signs_agree(const pg_evidence *evidence, const int8_t *signs);

/* Signs of what a mark's projection reads in the model [mark->bits]. */
PG_CHECKED pg_status pg_mark_signs(const pg_mark *mark, const pg_model *model, int8_t *signs, pg_error *err);

/* Mean and spread (n - 1), over two nulls or more, of the percentage of bits that agree with the evidence's. */
PG_CHECKED pg_status pg_nulls_agreement(const pg_nulls *nulls, const pg_evidence *evidence, double *mean, double *deviation,
                                        pg_error *err);

#endif
