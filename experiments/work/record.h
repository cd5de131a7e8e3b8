/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record: the measurements of one task, as cells (one metric each) and notes (words). One JSON file per task; the same task
 * gives the same bytes. */
#ifndef PG_WORK_RECORD_H
#define PG_WORK_RECORD_H

#include "core/base/hash.h"
#include "experiments/grid/labels.h"

#include <stdbool.h>

typedef struct pg_record_cell {
    const char *outcome; /* an attack's outcome: "level=10", "repeat=3"; empty if it has only one */
    const char *metric, *unit;
    double value;
} pg_record_cell;

typedef struct pg_note {
    const char *key, *text;
} pg_note;

/* A file that the task made: its path, relative to the directory of the run, and its checksum. */
typedef struct pg_artefact {
    const char *path, *sha256;
} pg_artefact;

typedef struct pg_record {
    int cell_count, note_count, file_count;
    pg_record_cell *cells;
    pg_note *notes;
    pg_artefact *files;
    pg_text_pool texts; /* texts of the added cells, notes and files */
} pg_record;

/* A zeroed record is empty. Texts are copied and may be of any length. */
PG_CHECKED pg_status pg_record_add(pg_record *record, const char *outcome, const char *metric, double value, const char *unit,
                                   pg_error *err);
PG_CHECKED pg_status pg_record_note(pg_record *record, const char *key, const char *text, pg_error *err);
PG_CHECKED pg_status pg_record_file(pg_record *record, const char *path, const char *sha256, pg_error *err);
bool pg_record_has(const pg_record *record, const char *outcome); /* any cell of it */
void pg_record_clear(pg_record *record);

/* A record file also describes its task. If it exists, the task is done and the files that it names exist. */
/* Write JSON durably; the same arguments give the same bytes. */
PG_CHECKED pg_status pg_record_save(const pg_record *record, const pg_task *task, const pg_task_labels *labels,
                                    const char *path, pg_error *err);

/* Write cells as one line of JSON, as in a record file (freed by pg_free); read them back and add them to a record's own.
 * Reading is as strict as pg_record_load; `from` names the source in messages. */
PG_CHECKED pg_status pg_record_write_cells(const pg_record *record, char **text, pg_error *err);
PG_CHECKED pg_status pg_record_read_cells(const char *text, size_t bytes, const char *from, pg_record *record, pg_error *err);

/* Read the record of task `key` from the text of its file and check all that pg_record_save guarantees: the checksum, the key,
 * the type of every member, no unknown cell members, no metric twice for one outcome, checksums of the right form.
 * PG_BAD_INPUT, naming `from` and the member, for any deviation. record must be empty; release it with pg_record_clear. The
 * pool owns all texts. records.h finds the text of a task. */
PG_CHECKED pg_status pg_record_parse(const char *text, size_t bytes, const char *from, const char *key, pg_parameter_pool *pool,
                                     pg_record *record, pg_task_labels *labels, pg_error *err);

/* Has the task of this record kept its files? */
bool pg_record_kept(const char *text, size_t bytes);

/* Write a failure: JSON with the task and the reason why it has no record. */
PG_CHECKED pg_status pg_failure_save(const char *key, const char *name, const char *text, const char *reason, const char *path,
                                     pg_error *err);
/* Read the reason of a failure into out[bytes]. */
PG_CHECKED pg_status pg_failure_load(const char *path, char *out, size_t bytes, pg_error *err);

#endif
