/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bound evidence: what is compared with the network's answers follows from a secret, so nobody could choose it after seeing
 * the network.
 *
 * P is everything public: the scheme, the claimant's free statement, how the network is read, and the sizes of all arrays;
 * every field is preceded by its length in bytes. P of a trigger set whose kind is not "generated" also has all bytes of its
 * pictures, which the claimant chooses.
 *
 * K = SHA-256(tag, P, secret).
 *
 * stream(purpose, layer) = SHA-256(K, purpose, layer, 0), SHA-256(K, purpose, layer, 1), ...
 *
 * Each array takes a stream of its own by integer arithmetic, so that every machine derives the same bits. Passports key and
 * skey: (2 u + 1 - 2^16) / 2^16 for a 16-bit u, uniform in (-1, 1) and never zero. Projections, signatures and marks: -1 or +1.
 * Generated trigger pictures: 4x4 squares of random colour. Trigger labels: uniform among the classes.
 *
 * If the secret is fresh, its bits and labels are independent of the network and of the arrays and pictures that read them. The
 * number of agreeing bits is then binomial at 1/2 whatever the network is, and that of labels binomial at 1 / classes
 * (random-oracle model). A forger can only try secrets, or pictures with a secret, and needs about 1/p tries. */
#ifndef PG_OWNERSHIP_BINDING_H
#define PG_OWNERSHIP_BINDING_H

#include "core/ownership/scheme.h"

/* Options of every scheme that can be bound: rows for its table. The member of its struct T is a pg_binding_options. */
typedef struct pg_binding_options {
    bool bound;
    char secret[PG_TEXT_MAX], statement[PG_TEXT_MAX];
} pg_binding_options;

#define PG_BINDING_OPTIONS(T, member)                                                                                          \
    {PG_OPTION("bound", T, member.bound, BOOL, bool, "false",                                                                  \
               "derive all evidence from a secret, so that it can prove and not only agree")},                                 \
        {PG_OPTION("secret", T, member.secret, TEXT, char *, "",                                                               \
                   "secret of bound evidence: file:PATH, made by `passgrid secret new`; if empty, it follows from the seed, "  \
                   "and no judge accepts it as proof"),                                                                        \
         .secret = true},                                                                                                      \
    {                                                                                                                          \
        PG_OPTION("statement", T, member.statement, TEXT, char *, "", "public text in bound evidence that names the claimant") \
    }

/* Add `bound: true`, the secret and the statement to a scheme's map. PG_BAD_INPUT if the map has one of these keys. */
PG_CHECKED pg_status pg_binding_add(const pg_secret *secret, const char *statement, pg_tree *tree, pg_node *map, pg_error *err);

/* PG_BAD_INPUT if the options contradict each other, or if passports or a mark of this kind cannot follow from a secret. kind
 * NULL: a trigger set, whose labels always can. */
PG_CHECKED pg_status pg_binding_options_check(const pg_binding_options *options, const char *kind, pg_error *err);

/* PG_BAD_INPUT if a bound mark has so few bits that it could not prove after an attack has turned a few. */
PG_CHECKED pg_status pg_binding_check_bits(const pg_binding_options *options, int bits, pg_error *err);

/* If the options ask for it, bind new evidence: replace its arrays by those that follow from the secret. */
PG_CHECKED pg_status pg_binding_apply(const pg_binding_options *options, const pg_keygen *in, pg_evidence *evidence,
                                      pg_error *err);

/* Fill the public fields that follow from the network, in evidence that is not yet bound to a secret. */
pg_binding pg_binding_for(const pg_net_spec *spec, pg_pixels pixels);

/* Derive the arrays of the evidence from its binding; their sizes are set, and chosen pictures are there. PG_BAD_INPUT if
 * evidence of this kind cannot follow from a secret. */
PG_CHECKED pg_status pg_evidence_bind(pg_evidence *evidence, pg_error *err);

/* PG_BAD_INPUT, naming the first array that does not follow from the secret. Evidence that is not bound passes. */
PG_CHECKED pg_status pg_binding_check(const pg_evidence *evidence, pg_error *err);

/* K. */
void pg_binding_key(const pg_evidence *evidence, unsigned char key[PG_SHA256_BYTES]);

#endif
