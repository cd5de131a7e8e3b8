/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Short names of schemes and attacks, for readers. */
#ifndef PG_REPORT_BRIEF_H
#define PG_REPORT_BRIEF_H

#include "experiments/report/summary.h"

/* Replace the labels of all variants by the shortest beginning of options that tells them apart, as values: "finetune, rtal"
 * for "finetune mode=rtal epochs=20". No two variants of a list have the same label. */
PG_CHECKED pg_status pg_summary_shorten(pg_summary *summary, pg_error *err);

#endif
