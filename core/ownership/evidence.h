/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Evidence that a claimant, the owner or a forger, shows to the judge: a passport and a signature for each passport layer, or a
 * mark in the weights of some layers, and a trigger set if the scheme has one. Genuine and forged evidence have this same form,
 * and the same code judges both. Evidence is a secret: files are readable by their owner alone, and everything published
 * carries only the commitment, a SHA-256 of the canonical content. */
#ifndef PG_OWNERSHIP_EVIDENCE_H
#define PG_OWNERSHIP_EVIDENCE_H

#include "core/data/dataset.h"
#include "core/nets/model.h"
#include "core/ownership/secret.h"

enum { PG_KIND_MAX = 24, PG_SIDE_MAX = 4096 };

/* The passport and signature of one layer. */
typedef struct pg_passport {
    char layer[PG_NAME_MAX];            /* state-dict prefix, "features.4" */
    int height, width, inputs, outputs; /* of the layer: key and skey are [height,width,inputs], b is [outputs] */
    pg_real *key, *skey;                /* key determines beta (bias), skey determines gamma (scale) */
    int8_t *b;                          /* signature: -1 or +1 */
} pg_passport;

/* A mark in the weights of some convolutions, its sites, in the order of the network; see mark.h. */
enum {
    PG_MARK_BITS_MAX = 4096,
    PG_MARK_ROUNDS_MAX = 8,
    PG_MARK_POOLED_MAX = 4096,
    PG_MARK_ACTIVATIONS_MAX = 1 << 16,
    PG_MARK_PICTURES_MAX = 1000, /* the judge runs them through the network once for each of its null readings */
    PG_MARK_SITES_MAX = PG_PASSPORTS_MAX,
    PG_MARK_NAMES_MAX = PG_MARK_SITES_MAX * PG_NAME_MAX
};

/* How a mark is read; see mark.h. The first three read mean filters by a bank of filters, EXTRACTOR reads them by a perceptron,
 * ACTIVATIONS reads the values that enter a layer, and the others read single weights. */
typedef enum pg_mark_form {
    PG_FORM_SIGNS,
    PG_FORM_HALVES,
    PG_FORM_WAVES,
    PG_FORM_FILTERED,
    PG_FORM_RESIDUALS,
    PG_FORM_PLACED,
    PG_FORM_ACTIVATIONS,
    PG_FORM_EXTRACTOR,
    PG_FORM_REBUILT
} pg_mark_form;

typedef struct pg_mark_site {
    char layer[PG_NAME_MAX];     /* state-dict prefix, without blanks */
    int kernel, inputs, outputs; /* of the layer; outputs 0 where a bank reads; of activations only inputs, all values of one */
} pg_mark_site;

typedef struct pg_mark {
    pg_mark_form form;
    int site_count, bits; /* bits 0: no mark */
    int rounds;           /* of a filtered mark, else 0 */
    int pooled;           /* rows of the projection, weights in a row of residuals, or hidden units; 0 for a bank */
    int pixels;           /* pg_pixels of the pictures whose activations are read, else 0 */
    pg_real *projection;  /* a bank: [kernel,kernel,inputs,bits] of each site in turn; an extractor: [width,pooled], then
                           * [bits,pooled]; a rebuilt mark: encoder and decoder [pooled,64], then pictures [bits/64,64];
                           * else [pooled,bits]; none of residuals */
    int32_t *places;      /* [pooled,bits] of a placed mark, [pooled,64] of a rebuilt one: which weight of all sites each value
                           * of the projection multiplies, or each of the encoder is */
    int8_t *b;            /* -1 or +1, [bits] */
    pg_mark_site site[PG_MARK_SITES_MAX];
} pg_mark;

/* Basis of a claim: passports, else a mark, else triggers. */
typedef enum pg_claim { PG_CLAIM_PASSPORTS, PG_CLAIM_MARK, PG_CLAIM_TRIGGERS } pg_claim;

/* The secret and the public parameters that determine bound evidence; see binding.h. */
enum { PG_STATEMENT_MAX = 1024 };
typedef struct pg_binding {
    bool bound;
    bool from_seed; /* the secret belongs to an experiment and follows from its seed */
    pg_secret secret;
    char statement[PG_STATEMENT_MAX]; /* free text that names the claimant */
    char network[PG_KIND_MAX];        /* the claimant's architecture, and how the network is run: */
    int classes;
    char pixels[PG_KIND_MAX];
    bool relu_before_add;
} pg_binding;

typedef struct pg_evidence {
    char scheme[PG_KIND_MAX]; /* name of the scheme that it claims */
    char kind[PG_KIND_MAX];   /* how it was made ("shuffle" passports, a "gaussian" mark); tells the judge which null to draw */
    int passport_count;
    pg_passport *passports;
    pg_mark mark;
    pg_dataset triggers; /* count 0: none */
    pg_binding binding;
} pg_evidence;

/* Empty passports of the right sizes for every passport layer of spec. */
PG_CHECKED pg_status pg_evidence_create(const pg_net_spec *spec, const char *scheme, const char *kind, pg_evidence **out,
                                        pg_error *err);
PG_CHECKED pg_status pg_evidence_clone(const pg_evidence *from, pg_evidence **out, pg_error *err);
void pg_evidence_destroy(pg_evidence **evidence);

/* Allocate key, skey and b by the sizes in p. After a failure p keeps the memory that was allocated. */
PG_CHECKED pg_status pg_passport_allocate(pg_passport *p, pg_error *err);

/* Check what all evidence guarantees, as pg_evidence_load does: it has at least one part; no layer occurs twice; sizes are
 * positive and within the limits above; passports and projections are finite; bits are -1 or +1; the mark has the form of its
 * kind, and its projection is one that the kind allows (pg_mark_check_projection); labels are classes; the arrays of bound
 * evidence follow from its secret. PG_BAD_INPUT names the layer. */
PG_CHECKED pg_status pg_evidence_check(const pg_evidence *evidence, pg_error *err);

/* SHA-256 over scheme, kind, passports (float32, state-dict order), signatures, mark and triggers, each preceded by
 * its number and sizes, so that different evidence has different encodings. This is version 2. Version 1, of earlier releases,
 * omitted the number of passports and is no longer computed: commit again to evidence that has such a commitment. That of bound
 * evidence also covers K (binding.h), and with it the claimant's statement. */
void pg_evidence_commitment(const pg_evidence *evidence, char hex[PG_SHA256_HEX]);

/* Number of bits of the signature or the mark. */
int pg_evidence_bits(const pg_evidence *evidence);
pg_claim pg_evidence_claim(const pg_evidence *evidence);

/* Do both have passports for the same layers, or marks of one form and size in the same layers, and for activations the same
 * pictures, for rebuilt marks the same autoencoder and pictures? Then null evidence drawn for one serves the other. */
bool pg_evidence_alike(const pg_evidence *a, const pg_evidence *b);

/* safetensors under the reference's names: LAYER.key, LAYER.skey, LAYER.b (private ones: LAYER.key_private,
 * LAYER.skey_private); a mark as mark_file.h says. Saved with mode 0600.
 * Loading also reads a state dict that holds weights and passports together, and drops the name parts of wrappers as
 * pg_model_load does. PG_BAD_INPUT, saving and loading, for evidence that pg_evidence_check refuses; loading also for texts
 * longer than their fields and evidence tensors that belong to neither a passport nor a mark. */
PG_CHECKED pg_status pg_evidence_save(const pg_evidence *evidence, const char *path, pg_error *err);
PG_CHECKED pg_status pg_evidence_load(const char *path, pg_evidence **out, pg_error *err);

/* The spec of a net that runs the model with this evidence: the model's own spec, with the evidence's layers as passport layers
 * that have a private branch. PG_BAD_INPUT, naming the layer, when evidence and model do not fit. */
PG_CHECKED pg_status pg_evidence_fit(const pg_evidence *evidence, const pg_net_spec *model, pg_net_spec *out, pg_error *err);

#endif
