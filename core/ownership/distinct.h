/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nearly equal pieces of evidence count once. A network gives the same answer to nearly equal pictures and the same sign to
 * nearly equal filters, so copies tell the judge nothing new. Otherwise a claimant could multiply a lucky guess by repeating
 * it. */
#ifndef PG_OWNERSHIP_DISTINCT_H
#define PG_OWNERSHIP_DISTINCT_H

#include "core/ownership/evidence.h"

/* Copy the evidence without the filters and trigger pictures that nearly equal an earlier one, and without the trigger pictures
 * that repeat one of `known`, the judge's test images (NULL: none). Two filters are nearly equal if the cosine between them is
 * beyond +-0.98. Pictures are compared by their means over a 16x16 grid: two are nearly equal if these differ by less than 8 of
 * 255 levels on average, and a picture is a test image if they differ by less than 1. *dropped counts the pieces left out. */
PG_CHECKED pg_status pg_evidence_distinct(const pg_evidence *evidence, const pg_dataset *known, pg_evidence **out, int *dropped,
                                          pg_error *err);

#endif
