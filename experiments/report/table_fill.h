/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the tables of a run, from its results. Each function fills an empty table; a table without rows has nothing to show.
 */
#ifndef PG_REPORT_TABLE_FILL_H
#define PG_REPORT_TABLE_FILL_H

#include "experiments/report/summary.h"

/* Trained models: accuracies, signatures, triggers, and the ruling on the owner's claim. */
PG_CHECKED pg_status pg_fill_schemes(const pg_summary *summary, pg_table *table, pg_error *err);
/* Models after each attack that tries to remove the mark, beside those before it. */
PG_CHECKED pg_status pg_fill_removal(const pg_summary *summary, pg_table *table, pg_error *err);
/* Genuine evidence beside what attacks forged. */
PG_CHECKED pg_status pg_fill_ambiguity(const pg_summary *summary, pg_table *table, pg_error *err);
/* All options behind the labels of schemes and attacks. */
PG_CHECKED pg_status pg_fill_settings(const pg_summary *summary, pg_table *table, pg_error *err);

#endif
