/* SPDX-License-Identifier: GPL-3.0-or-later */
/* timings.csv: the time that each task took; estimates of later runs come from it (experiments/grid/estimate.h). */
#ifndef PG_RUN_TIMINGS_H
#define PG_RUN_TIMINGS_H

#include "experiments/run/journal.h"

/* Write the rows of the tasks that this run did from beginning to end, and keep the other rows of the existing file. */
PG_CHECKED pg_status pg_timings_write(const pg_journal *journal, pg_error *err);

#endif
