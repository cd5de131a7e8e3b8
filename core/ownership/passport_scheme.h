/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the passport schemes: options, key generation, sign loss. Each scheme is a struct of its own that points here. */
#ifndef PG_OWNERSHIP_PASSPORT_SCHEME_H
#define PG_OWNERSHIP_PASSPORT_SCHEME_H

#include "core/ownership/binding.h"

typedef struct pg_passport_options {
    int passport;           /* pg_passport_kind */
    int images;             /* distinct images from which a shuffle passport is drawn */
    int pictures;           /* where they come from: the test set, or the trigger set */
    int carrier;            /* network that the images go through: the trained plain one, or a random one */
    int carrier_statistics; /* how the carrier normalises: batch or running */
    double alpha;           /* weight of the sign loss's hinge */
    char signature[PG_TEXT_MAX];
    char layers[PG_TEXT_MAX];
    /* trigger set, for the schemes that have one */
    char triggers[PG_TEXT_MAX];
    int trigger_count, triggers_per_batch;
    pg_binding_options binding;
} pg_passport_options;

extern const pg_option pg_passport_table[];         /* without the trigger options */
extern const pg_option pg_passport_trigger_table[]; /* with them */

/* Set spec->passports to the layers that the options choose (choice.h). PG_BAD_INPUT if the network has no such layers. */
PG_CHECKED pg_status pg_passport_layers(const pg_passport_options *options, pg_net_spec *spec, pg_error *err);
/* The same, with a public and a private branch at them. */
PG_CHECKED pg_status pg_passport_two_branches(const void *options, pg_net_spec *spec, pg_error *err);
bool pg_passport_wants_pretrained(const void *options);
/* Refuse what pg_passport_keygen would refuse; see pg_scheme. */
PG_CHECKED pg_status pg_passport_check(const void *options, const pg_keygen *in, pg_error *err);
PG_CHECKED pg_status pg_passport_recognise(void *options, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err);
const char *pg_passport_kind_of(const void *options);
/* Passports, and a trigger set if the scheme's evidence holds one. */
PG_CHECKED pg_status pg_passport_keygen(const void *options, const pg_keygen *in, pg_evidence *evidence, pg_error *err);

/* Sum over passport layers of alpha * sum_o max(0, 0.1 - b_o gamma_o) + 1e-5 * sum_o gamma_o^2 (DeepIPR, sign_loss.py); its
 * gradient is added to the net's gamma gradients. gamma is that of the passport itself, before PAN's perceptron. */
double pg_sign_loss(double alpha, const pg_evidence *evidence, pg_net *net);
double pg_passport_regulariser(const void *options, const pg_evidence *evidence, const pg_model *model, pg_net *net);

/* For V1: if alpha is 0 the whole term is left out, as in the reference. */
double pg_passport_regulariser_v1(const void *options, const pg_evidence *evidence, const pg_model *model, pg_net *net);

#endif
