/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads evidence in a model: the signs that its passports or its projection give there. */
#ifndef PG_OWNERSHIP_READING_H
#define PG_OWNERSHIP_READING_H

#include "core/nets/rewrite.h"
#include "core/ownership/passport.h"

/* The model, prepared for evidence of one form: for passports, with the evidence's layers as passport layers that have a
 * private branch. */
typedef struct pg_reading pg_reading;

/* PG_BAD_INPUT, naming the layer, if evidence and model do not fit. The model is borrowed. */
PG_CHECKED pg_status pg_reading_open(const pg_model *model, const pg_evidence *like, pg_reading **out, pg_error *err);
void pg_reading_close(pg_reading **reading);

/* The model with the evidence's passport layers; NULL for a mark. */
pg_model *pg_reading_model(pg_reading *reading);

/* Signs [pg_evidence_bits(evidence)] of gamma, or of the values that the projection reads; 0 agrees with neither bit. The
 * evidence has the form of `like`. */
PG_CHECKED pg_status pg_reading_signs(pg_reading *reading, const pg_evidence *evidence, int8_t *signs, pg_error *err);

/* Turn a reading of a mark in `other`, a model of the same spec, into one in the model of `from` with its channels in another
 * order, as pg_model_rewrite gives it. Both readings were opened for this mark. Only what the mark reads is rewritten. */
void pg_reading_reorder(const pg_reading *from, const pg_mark *mark, const pg_rewrite *order, pg_model *other, pg_reading *out);

/* Number of bits of the evidence's signature or mark that equal these signs. */
int pg_signs_agree(const pg_evidence *evidence, const int8_t *signs);

/* Number of bits of the owner's signature or mark that equal the signs of other evidence of the same form in the model. */
PG_CHECKED pg_status pg_agreement_with(const pg_model *model, const pg_evidence *evidence, const pg_evidence *owner, int *agree,
                                       pg_error *err);

#endif
