/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making passports and signatures.
 *
 * Kinds (Fan, Ng, Chan, NeurIPS 2019, and its public code): random passports are uniform noise; image and shuffle passports are
 * activations of real images, pushed through a plain network of the same architecture and taken where they enter the passport
 * layers. */
#ifndef PG_OWNERSHIP_PASSPORT_H
#define PG_OWNERSHIP_PASSPORT_H

#include "core/data/batch.h"
#include "core/formats/options.h"
#include "core/nets/net.h"
#include "core/ownership/evidence.h"

typedef enum pg_passport_kind { PG_PASSPORT_RANDOM, PG_PASSPORT_IMAGE, PG_PASSPORT_SHUFFLE } pg_passport_kind;
extern const char *const pg_passport_kinds[]; /* names, ended by NULL */

/* Inputs for making passports of any kind. Images go through the carrier, and passports are taken from its layers of the same
 * names. Everything is borrowed. */
typedef struct pg_passport_source {
    pg_passport_kind kind;
    int images;        /* distinct images for shuffle passports; key and skey draw their own */
    pg_model *carrier; /* not needed for random passports */
    pg_branch carrier_branch;
    const pg_evidence *carrier_evidence; /* passports in force in the carrier's private branch, or NULL */
    pg_mode carrier_mode; /* PG_BATCH: the carrier normalises by the statistics of the passport images, as the reference does */
    const pg_dataset *pictures;
    pg_pixels pixels;
} pg_passport_source;

/* A maker owns the memory that images need in the carrier, so that many passports can be drawn. It copies the source; the
 * pointers in it stay borrowed. */
typedef struct pg_passport_maker pg_passport_maker;
PG_CHECKED pg_status pg_passport_maker_create(const pg_passport_source *source, pg_passport_maker **out, pg_error *err);
void pg_passport_maker_destroy(pg_passport_maker **maker);

/* Fill key and skey of every passport of the evidence; randomness from the stream. PG_BAD_INPUT if the carrier lacks a layer or
 * has other sizes. */
PG_CHECKED pg_status pg_passports_draw(pg_passport_maker *maker, pg_evidence *evidence, pg_rng *rng, pg_error *err);

/* PG_BAD_INPUT if there are fewer pictures than one passport of the kind takes. */
PG_CHECKED pg_status pg_passport_pictures(pg_passport_kind kind, int images, const pg_dataset *pictures, pg_error *err);

/* Signature bits: the characters of the text, or the bytes whose digits follow "hex:", 8 bits each, most significant first (1
 * -> +1), the same in every passport layer. The remaining channels, or all if the text is empty, get uniform random bits.
 * PG_BAD_INPUT if the text does not fit into each layer, exceeds PG_SIGNATURE_BYTES, or has an odd number of digits. */
enum { PG_SIGNATURE_BYTES = 120 };
PG_CHECKED pg_status pg_signature_check(const pg_evidence *evidence, const char *text, pg_error *err);
PG_CHECKED pg_status pg_signature_draw(pg_evidence *evidence, const char *text, pg_rng *rng, pg_error *err);

/* Put the evidence's passports in force in a net of the model's spec, whose passport layers are the evidence's (see
 * pg_evidence_fit); their gamma and beta are then those of the model's present weights. */
PG_CHECKED pg_status pg_passports_install(pg_net *net, const pg_model *model, const pg_evidence *evidence, pg_error *err);

/* Write the gamma and beta that the passports give in `model` into the public affine of `to` (same layers). Everybody who
 * received the passports with the network can do this. */
PG_CHECKED pg_status pg_passports_store(const pg_model *model, const pg_evidence *evidence, pg_model *to, pg_error *err);

#endif
