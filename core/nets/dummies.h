/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dummy channels: more channels for the same function (neural structural obfuscation).
 *
 *   zero    a random filter whose channel no layer reads
 *   clique  two equal random filters; the weights that read their channels are opposite
 *   split   a copy of a filter; the weights that read it are divided between both channels, each in another ratio
 *
 * Channels are added to every space with one producer that no addition ties to others: in a residual network the channels
 * inside the blocks. Under group norm they come in whole groups. Twins (twins.h) undo cliques and splits.
 *
 * Source: Yan, Pan, Zhang, Yang, "Rethinking White-Box Watermarks on Deep Learning Models under Neural Structural Obfuscation",
 * USENIX Security 2023. */
#ifndef PG_NETS_DUMMIES_H
#define PG_NETS_DUMMIES_H

#include "core/base/random.h"
#include "core/nets/model.h"
#include "core/nets/spaces.h"

/* ALL: a third of the channels of each kind. */
typedef enum pg_dummy_kind { PG_DUMMIES_ZERO, PG_DUMMIES_CLIQUE, PG_DUMMIES_SPLIT, PG_DUMMIES_ALL } pg_dummy_kind;

/* A plan, in channels of the given and of the wider network. */
typedef struct pg_dummies {
    pg_spaces spaces;          /* of the given network */
    int channels[PG_ROWS_MAX]; /* by space, of the wider network */
    int *source[PG_ROWS_MAX];  /* by space, [channels]: the given channel whose values a channel has; -1 - k: of random filter k
                                */
    double *share[PG_ROWS_MAX]; /* by space, [channels]: part of the weights on its source that read the channel: 1 all, 0 none;
                                   of split channels the mean; of random filters 1 and -1 for the two of a clique */
    uint64_t key;               /* of the random weights */
} pg_dummies;

/* Plan `percent` more channels in each space that can have some, at least one pair. PG_BAD_INPUT if no space can. */
PG_CHECKED pg_status pg_dummies_draw(const pg_model *model, pg_dummy_kind kind, double percent, pg_rng *rng, pg_dummies **out,
                                     pg_error *err);
void pg_dummies_destroy(pg_dummies **dummies);

/* Make the wider network as its thief deploys it: without the private branch if there is a public one. It computes the function
 * of the given model's deployed branch, if the caller widens the passports that it needs (core/ownership/passport_rewrite.h).
 */
PG_CHECKED pg_status pg_model_widen(const pg_model *model, const pg_dummies *dummies, pg_model **out, pg_error *err);

#endif
