/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that keep, write and read records. */
#ifndef PG_WORK_RECORD_INTERNAL_H
#define PG_WORK_RECORD_INTERNAL_H

#include "experiments/work/record.h"

enum { PG_RECORD_FORMAT = 2, PG_RECORD_OLD_FORMAT = 1 }; /* in the old format parameters are text */

/* Append an item whose texts are already in a pool that outlives the record. */
PG_CHECKED pg_status pg_record_append_cell(pg_record *record, const pg_record_cell *cell, pg_error *err);
PG_CHECKED pg_status pg_record_append_note(pg_record *record, const pg_note *note, pg_error *err);
PG_CHECKED pg_status pg_record_append_file(pg_record *record, const pg_artefact *file, pg_error *err);

/* PG_BAD_INPUT if an outcome has a metric twice. `from` names the source in the message. */
PG_CHECKED pg_status pg_record_check_unique(const pg_record *record, const char *from, pg_error *err);

#endif
