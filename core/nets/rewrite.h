/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rewrites: other weights for the same function.
 *
 * A rewrite reorders the channels of every space (see spaces.h) and multiplies each by a positive scale; it also multiplies
 * each filter by a gain that its norm undoes. The layers that read a channel undo its scale. The norm of the
 * producers decides how far a rewrite may go:
 *
 *   bn    any gain: the running statistics follow, and the sign moves into gamma; any scale, by gamma and beta
 *   gn    a gain of -1 for whole groups; any scale; a permutation of whole groups, and any permutation inside a group
 *   in    a gain of -1 and any scale if there is a learned affine, nothing if there is none
 *   none  a gain equal to the scale (ReLU is positively homogeneous); any gain if there is a learned gamma
 *   dense a gain equal to the scale
 *
 * A convolution without norm may have a gain equal to the scale. A norm of its own reads channels with their scale and writes
 * them with the same one: batch norm follows it, the other norms allow none.
 *
 * In a private branch, passports give gamma and beta as products with the filters, so a gain g multiplies both by g. Under
 * batch norm this is a scale of g, and g must be positive: with a negative one gamma still undoes the flip, but beta changes
 * its sign. Negating the passports of beta (`key`) restores it only if all filters of the layer are flipped at once, which no
 * draw does. Under the other norms a private branch allows neither. Its passports are images of the channels that the layer
 * reads, so whoever holds them (the owner; in V1 also the users of the network) has to rewrite them with those channels, see
 * core/ownership/passport_rewrite.h. An owner's evidence that nobody rewrote no longer fits: alignment (core/ownership/align.h)
 * restores the network instead.
 *
 * Source: Yan, Pan, Wang, Zhang, Yang, "Cracking White-box DNN Watermarks via Invariant Neuron Transforms", KDD 2023
 * (shuffling, scaling, flipping); Lukas, Jiang, Li, Kerschbaum, "SoK: How Robust is Image Classification Deep Neural Network
 * Watermarking?", IEEE S&P 2022 (feature shuffling). */
#ifndef PG_NETS_REWRITE_H
#define PG_NETS_REWRITE_H

#include "core/base/random.h"
#include "core/nets/model.h"
#include "core/nets/spaces.h"

/* The rewritten network is described by its own channels. Channel o of a space is channel from[o] of the given network times
 * scale[o]. Filter o of a layer is filter from[o] of the given network times gain[o], with its inputs reordered and divided by
 * their scales. */
typedef struct pg_rewrite {
    pg_spaces spaces;           /* of the rewritten network */
    int *from[PG_ROWS_MAX];     /* by space, [channels]: may leave out given channels, but has none twice */
    double *scale[PG_ROWS_MAX]; /* by space, [channels]: positive */
    double *
        gain[PG_ROWS_MAX]; /* by row, [out_channels]: not zero; NULL for rows without weights and norm, and outside of spaces */
} pg_rewrite;

/* The rewrite that changes nothing, for networks of a layout. */
PG_CHECKED pg_status pg_rewrite_create(const pg_layout *made, pg_rewrite **out, pg_error *err);
void pg_rewrite_destroy(pg_rewrite **rewrite);

/* The gains that the norm of a producer allows if the output of a branch must stay the same (PG_BOTH: of both branches): any;
 * -1 (under group norm for whole groups); only the scale itself; none, and no scale either. */
typedef enum pg_gain_rule { PG_GAIN_ANY, PG_GAIN_SIGN, PG_GAIN_SCALE, PG_GAIN_ONE } pg_gain_rule;
pg_gain_rule pg_layer_gain_rule(const pg_layer *layer, pg_branch kept);

/* Draw a rewrite that keeps the function of the branch. `parts` is a sum of the constants above. Magnitudes are log-uniform in
 * [1/4, 4]. pg_rewrite_create made `rewrite` for the model. */
enum pg_rewrite_part { PG_REWRITE_PERMUTE = 1, PG_REWRITE_SCALE = 2, PG_REWRITE_FLIP = 4 };
void pg_rewrite_draw(const pg_model *model, pg_branch kept, unsigned parts, pg_rng *rng, pg_rewrite *rewrite);

/* PG_BAD_INPUT, naming the layer, if the rewrite would change the output of the branch in mode EVAL. */
PG_CHECKED pg_status pg_rewrite_check(const pg_model *model, pg_branch kept, const pg_rewrite *rewrite, pg_error *err);

/* Write the rewritten network to out, a model of the same wiring with the channels of the rewrite. The function may change
 * (pg_rewrite_check finds out whether it does): alignment also applies gains that a norm undoes only up to its epsilon.
 * PG_BAD_INPUT if model, rewrite and out do not fit, or if the model has a perceptron (PAN) on a layer whose number of channels
 * changes. */
PG_CHECKED pg_status pg_model_rewrite(const pg_model *model, const pg_rewrite *rewrite, pg_model *out, pg_error *err);

/* The same for one layer, by its row, of networks that pg_model_rewrite accepts. */
void pg_layer_rewrite(const pg_model *model, const pg_rewrite *rewrite, int layer, pg_model *out);

#endif
