/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Published tables in their own shape, with our numbers beside the published ones. A published number says in which row and
 * column of which table it stands. */
#ifndef PG_REPORT_PAPER_H
#define PG_REPORT_PAPER_H

#include "experiments/report/published.h"
#include "experiments/report/table.h"

/* The name of the next published table, in the order of their first numbers; NULL at the end. *at is 0 for the first call, and
 * then the number from which the next call searches. */
const char *pg_paper_next(const pg_published *published, int *at);

/* Fill an empty table from a published one and the table of numbers of pg_compare. It stays empty if we have none of its
 * numbers. A published row is repeated for each of our networks and schemes that it describes; each published column becomes
 * four: published, ours, difference, verdict. */
PG_CHECKED pg_status pg_paper_fill(const pg_published *published, const char *name, const pg_table *numbers, pg_table *out,
                                   pg_error *err);

#endif
