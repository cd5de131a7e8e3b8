/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Twins: channels that carry the same values up to a positive factor, whatever the image.
 *
 * A thief can add channels without changing the function (neural structural obfuscation): copies of a channel that share its
 * outgoing weights among them, or copies of one new channel whose outgoing weights sum to zero. Merging the twins undoes both:
 * the first of them gets the outgoing weights of all, and the others none, so that they can be dropped.
 *
 * Source: Yan, Pan, Zhang, Yang, "Rethinking White-Box Watermarks on Deep Learning Models under Neural Structural Obfuscation",
 * USENIX Security 2023. */
#ifndef PG_NETS_TWINS_H
#define PG_NETS_TWINS_H

#include "core/nets/model.h"
#include "core/nets/spaces.h"

/* Merge the twins of every space; the function of the deployed branch stays the same. Channels are twins if their filters, with
 * the affine that follows, have a cosine above 0.999 in every layer that writes the space. Under group norm only whole groups
 * are twins. In a private branch only the filters count, because passports produce the affine from them. */
PG_CHECKED pg_status pg_model_merge_twins(pg_model *model, pg_error *err);

/* Are all weights that read the channel zero? */
bool pg_channel_is_dead(const pg_model *model, const pg_spaces *spaces, int space, int channel);

#endif
