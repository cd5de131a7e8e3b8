/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rewriting passports along with a network, so that its private branch keeps its function; see core/nets/rewrite.h.
 *
 * A passport is an image of the channels that its layer reads, so it is permuted and scaled as they are. A filter's weight on a
 * channel is divided by the scale and the passport's channel is multiplied by it, so gamma and beta remain products of both.
 * The signature has one bit for each filter. The bits are permuted as the filters are, and change their signs if the gain is
 * negative, because gamma does.
 *
 * Whoever runs the private branch can do this: the owner, and in V1 every user, because the network is distributed with its
 * passports. The passports that the owner keeps as evidence stay unchanged; they fit the network again once it is aligned (see
 * align.h). */
#ifndef PG_OWNERSHIP_PASSPORT_REWRITE_H
#define PG_OWNERSHIP_PASSPORT_REWRITE_H

#include "core/nets/dummies.h"
#include "core/nets/rewrite.h"
#include "core/ownership/evidence.h"

/* Rewrite the passports of the evidence in place; its mark and triggers stay unchanged. made is the layout of the rewritten
 * network. PG_BAD_INPUT, naming the layer, if a passport does not fit it; the evidence is then unchanged. */
PG_CHECKED pg_status pg_passports_rewrite(pg_evidence *evidence, const pg_layout *made, const pg_rewrite *rewrite,
                                          pg_error *err);

/* The same for a network with dummy channels, of which made is the layout; given is that of the network without them. A channel
 * of a passport is that of its source; a bit of a random filter is 1. */
PG_CHECKED pg_status pg_passports_widen(pg_evidence *evidence, const pg_layout *given, const pg_dummies *dummies,
                                        const pg_layout *made, pg_error *err);

#endif
