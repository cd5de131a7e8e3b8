/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A mark in the weights: bits read from one convolution by a secret projection.
 *
 * The projection X is a bank of `bits` filters of the marked layer's shape, and w the mean over that layer's output filters.
 * Bit j is the sign of X_j . w; a projection of exactly zero carries no bit, so a network without weights carries no mark.
 * The mark is embedded by the regulariser E = sum_j BCE(sigmoid(X_j . w), b_j).
 * Source: Uchida, Nagai, Sakazawa, Satoh, ICMR 2017, section 3; its code, watermark_regularizers.py.
 *
 * A filtered mark reads another w, of `pooled` values. Its bits choose the weights: in every round the list of weights, in the
 * state dict's order, is cut to a multiple of the number of bits; the bits are laid along it again and again; the weights under
 * a +1 stay. The list that is left is cut to rows of `pooled` weights, and w is the mean of the rows. Free bits are the first
 * of SHAKE-256 over the projection [pooled,bits] as float32, the highest bit of a byte first, so that nobody can choose both.
 * Source: Yao, Song, Jin, AAAI 2026, arXiv 2507.11137; its code, tools/ks_generator.py and tools/embed_loss.py. */
#ifndef PG_OWNERSHIP_MARK_H
#define PG_OWNERSHIP_MARK_H

#include "core/ownership/evidence.h"

/* How a projection is drawn. GAUSSIAN (the authors' "random"): all entries standard normal. DIRECT: each filter has a single 1,
 * DIFF: a 1 and a -1, all at distinct random positions. SIGNS: all entries -1 or +1; bound evidence takes these, since they
 * follow from a secret without arithmetic on real numbers. FILTERED: of filtered marks and of no others, standard normal unless
 * they are bound. */
typedef enum pg_mark_kind { PG_MARK_GAUSSIAN, PG_MARK_DIRECT, PG_MARK_DIFF, PG_MARK_SIGNS, PG_MARK_FILTERED } pg_mark_kind;
extern const char *const pg_mark_kinds[]; /* names, ended by NULL */

/* A zero mark of the right size for a convolution of the network; "default" is the first layer that carries a passport by
 * default, so that marks and passports are compared in one place. PG_BAD_INPUT if there is no such convolution, or a projection
 * of that kind has too few positions. *out is ended by pg_mark_clear, also after a failure. */
PG_CHECKED pg_status pg_mark_create(const pg_net_spec *spec, const char *layer, int bits, pg_mark_kind kind, pg_mark *out,
                                    pg_error *err);

/* The same for a filtered mark. PG_BAD_INPUT also if the layer has fewer than four rows of `pooled` weights per 2^rounds, half
 * of them being left after each round. */
PG_CHECKED pg_status pg_mark_create_filtered(const pg_net_spec *spec, const char *layer, int bits, int rounds, int pooled,
                                             pg_mark *out, pg_error *err);

/* The check of pg_mark_create against the shape of a model, without making a mark. */
PG_CHECKED pg_status pg_mark_check(const pg_model *model, const char *layer, int bits, pg_mark_kind kind, pg_error *err);

/* PG_BAD_INPUT if only one of mark and kind is filtered, or if a projection of the kind has too few positions for the mark's
 * bits: one per bit for DIRECT, two for DIFF. */
PG_CHECKED pg_status pg_mark_fits(const pg_mark *mark, pg_mark_kind kind, pg_error *err);

/* Draw the projection; the bits stay, but those of a filtered mark become its hash. PG_BAD_INPUT for a mark that does not fit
 * the kind. */
PG_CHECKED pg_status pg_mark_draw(pg_mark *mark, pg_mark_kind kind, pg_rng *rng, pg_error *err);

/* PG_BAD_INPUT unless the bits of a filtered mark are the hash of its projection. */
PG_CHECKED pg_status pg_mark_check_hash(const pg_mark *mark, pg_error *err);

/* PG_BAD_INPUT if the bits of a filtered mark choose no row. */
PG_CHECKED pg_status pg_mark_check_rows(const pg_mark *mark, pg_error *err);

/* Number of rows of weights that the bits of a filtered mark choose in a layer that it fits. With 0 rows the mark reads
 * nothing. */
int pg_mark_rows(const pg_mark *mark);

/* The marked convolution of a model; NULL if no convolution has the name. */
const pg_layer *pg_mark_find(const pg_mark *mark, const pg_model *model);

/* The same; PG_BAD_INPUT if it is missing or has another shape than the mark. */
PG_CHECKED pg_status pg_mark_layer(const pg_mark *mark, const pg_model *model, const pg_layer **out, pg_error *err);

/* X w [bits], in double, with the mark's own w. */
void pg_mark_project(const pg_mark *mark, const pg_model *model, const pg_layer *layer, double *projected);

/* w, the mean filter [kernel,kernel,inputs] of the layer. */
void pg_mark_mean_filter(const pg_model *model, const pg_layer *layer, double *mean);

/* strength * E, and its gradient X' (sigmoid(X w) - b) * strength / n added to that of each of the n weights of which w has the
 * mean. gradients is laid out as the model's params. */
double pg_mark_loss(const pg_mark *mark, const pg_model *model, const pg_layer *layer, double strength, pg_real *gradients);

#endif
