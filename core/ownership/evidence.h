/* Evidence: what a claimant, owner or forger, shows a judge.
 *
 * Passports and a signature per passport layer, and, where the scheme has one, a trigger set. Genuine and forged evidence have
 * this one form and are judged by the same code. Evidence is a secret: files are readable by their owner alone, and everything
 * published carries only the commitment, a SHA-256 of the canonical content. */
#ifndef PG_OWNERSHIP_EVIDENCE_H
#define PG_OWNERSHIP_EVIDENCE_H

#include "core/data/dataset.h"
#include "core/nets/model.h"

enum { PG_KIND_MAX = 24 };

/* The passport and signature of one layer. */
typedef struct pg_passport {
    char layer[PG_NAME_MAX];            /* state-dict prefix, "features.4" */
    int height, width, inputs, outputs; /* of the layer: key and skey are [height,width,inputs], b is [outputs] */
    pg_real *key, *skey;                /* key drives beta (bias), skey drives gamma (scale) */
    int8_t *b;                          /* signature: -1 or +1 */
} pg_passport;

typedef struct pg_evidence {
    char scheme[PG_KIND_MAX]; /* name of the scheme that it claims */
    char kind[PG_KIND_MAX]; /* how its passports were made: "random", "image", "shuffle"; tells the judge which null to draw */
    int passport_count;
    pg_passport *passports;
    pg_dataset triggers; /* count 0: none */
} pg_evidence;

/* Empty passports of the right sizes for every passport layer of spec. */
PG_CHECKED pg_status pg_evidence_create(const pg_net_spec *spec, const char *scheme, const char *kind, pg_evidence **out,
                                        pg_error *err);
PG_CHECKED pg_status pg_evidence_clone(const pg_evidence *from, pg_evidence **out, pg_error *err);
void pg_evidence_destroy(pg_evidence **evidence);

/* Memory for key, skey and b from the sizes in p; what was taken before a failure stays with p. */
PG_CHECKED pg_status pg_passport_allocate(pg_passport *p, pg_error *err);

/* SHA-256 over scheme, kind, passports (float32, state-dict order), signatures and triggers. */
void pg_evidence_commitment(const pg_evidence *evidence, char hex[PG_SHA256_HEX]);

/* Number of signature bits. */
int pg_evidence_bits(const pg_evidence *evidence);

/* safetensors under the reference's names: LAYER.key, LAYER.skey, LAYER.b (private ones: LAYER.key_private,
 * LAYER.skey_private). Saved with mode 0600. Loading also reads a state dict that holds weights and passports together. */
PG_CHECKED pg_status pg_evidence_save(const pg_evidence *evidence, const char *path, pg_error *err);
PG_CHECKED pg_status pg_evidence_load(const char *path, pg_evidence **out, pg_error *err);

/* The spec of a net in which this evidence can be shown against the model: the model's, with the evidence's layers as passport
 * layers that have a private branch. PG_BAD_INPUT, naming the layer, when evidence and model do not fit. */
PG_CHECKED pg_status pg_evidence_fit(const pg_evidence *evidence, const pg_net_spec *model, pg_net_spec *out, pg_error *err);

#endif
