/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Analytic passport inversion: find passports that give a known affine.
 *
 * gamma (and beta) of a passport layer is a linear function of the passport: M = W' T, where T takes the window means of an
 * image (Fan, Ng, Chan, NeurIPS 2019: the mean of the convolution; linear, so it may be taken first). Of all passports that
 * give a target, the nearest to a given image s is s + M+ (target - M s), M+ being the pseudo-inverse. If M has full row rank,
 * every target can be reached. A 1x1 shortcut with more outputs than inputs reaches only a subspace; there the result is the
 * least-squares solution. */
#ifndef PG_OWNERSHIP_INVERSION_H
#define PG_OWNERSHIP_INVERSION_H

#include "core/ownership/evidence.h"

/* The factorised maps of all passport layers of a model; the weights are borrowed. */
typedef struct pg_inverter pg_inverter;
PG_CHECKED pg_status pg_inverter_create(const pg_model *model, pg_inverter **out, pg_error *err);
void pg_inverter_destroy(pg_inverter **inverter);

/* Move skey and key of every passport to the nearest image that gives gamma and beta of the public branch of `affine`, a model
 * with the same passport layers; b becomes the signs of the gamma that they give (zero counts as positive). *miss: largest
 * remaining difference between an entry of gamma or beta and its target. PG_BAD_INPUT if the model has a perceptron between
 * passport and affine (PAN), or another number of passports. The evidence was made for the model's spec, so its sizes fit. */
PG_CHECKED pg_status pg_inverter_forge(const pg_inverter *inverter, const pg_model *affine, pg_evidence *evidence, double *miss,
                                       pg_error *err);

#endif
