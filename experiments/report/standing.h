/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which schemes stand under which attacks: the shape of the answer that a grid is run for.
 *
 * A scheme stands as trained if the owner's claim agrees or proves. Under an attack on the network it stands in an outcome if
 * the owner's claim still does; outcomes whose network is no better than guessing do not count, because such a network is worth
 * nothing to a thief. Under forged evidence it stands if the forger's claim neither agrees nor proves, or the evidence is
 * nearly the owner's. A thief who claims the network that he attacked has a row of his own. */
#ifndef PG_REPORT_STANDING_H
#define PG_REPORT_STANDING_H

#include "experiments/report/summary.h"

/* Columns of texts, before a column PG_COLUMN_SHARE for each scheme. */
enum { PG_STANDING_DATA, PG_STANDING_NETWORK, PG_STANDING_NORM, PG_STANDING_GROUP, PG_STANDING_ATTACK, PG_STANDING_TEXTS };

/* Fill an empty table: a row for each place and attack, a share of outcomes for each scheme. Rows of a place stand together,
 * and within it those of a group. */
PG_CHECKED pg_status pg_fill_standing(const pg_summary *summary, pg_table *table, pg_error *err);

/* Text of PG_STANDING_GROUP in rows of networks as they were trained, on which no attack was tried. */
extern const char pg_standing_trained[];

#endif
