/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Analytic passport inversion: passports that give an affine which is already known.
 *
 * gamma (and beta) of a passport layer is a linear function of the passport: M = W' T, where T takes the window means of an
 * image (Fan, Ng, Chan, NeurIPS 2019: the mean of the convolution; linear, so it may be taken first). Of all passports that
 * give a target, the nearest to a given image s is s + M+ (target - M s), M+ being the pseudo-inverse. Every target can be
 * given if M has full row rank; a 1x1 shortcut with more outputs than inputs reaches only a subspace, and there the result
 * is the best in least squares. */
#ifndef PG_OWNERSHIP_INVERSION_H
#define PG_OWNERSHIP_INVERSION_H

#include "core/ownership/evidence.h"

/* The factorised maps of all passport layers of a model, whose weights are borrowed. */
typedef struct pg_inverter pg_inverter;
PG_CHECKED pg_status pg_inverter_create(const pg_model *model, pg_inverter **out, pg_error *err);
void pg_inverter_destroy(pg_inverter **inverter);

/* Move skey and key of every passport to the nearest image that gives gamma and beta of the public branch of `affine`, a model
 * with the same passport layers; b becomes the signs of the gamma that they give (zero counts as positive). *miss: largest
 * distance that is left between an entry of gamma or beta and its target. PG_BAD_INPUT if the model has a perceptron between
 * passport and affine (PAN), or the number of passports is another; evidence made for the model's spec has its sizes. */
PG_CHECKED pg_status pg_inverter_forge(const pg_inverter *inverter, const pg_model *affine, pg_evidence *evidence, double *miss,
                                       pg_error *err);

#endif
