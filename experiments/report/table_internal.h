/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that fill, show and write tables. */
#ifndef PG_REPORT_TABLE_INTERNAL_H
#define PG_REPORT_TABLE_INTERNAL_H

#include "experiments/report/table.h"

/* Text of a sample in a column PG_COLUMN_WORDS; the caller frees it with free. NULL if memory is short. */
char *pg_table_words(const pg_table *table, const pg_sample *sample);

#endif
