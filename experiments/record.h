/* A record: what one task measured, as cells (one metric each) and notes (words). One JSON file per task; the same task gives
 * the same bytes. */
#ifndef PG_EXPERIMENTS_RECORD_H
#define PG_EXPERIMENTS_RECORD_H

#include "core/base/hash.h"
#include "core/base/status.h"

#include <stdbool.h>

typedef struct pg_cell {
    char outcome[48]; /* which outcome of an attack: "level=10", "repeat=3"; empty when there is one */
    char metric[48], unit[16];
    double value;
} pg_cell;

typedef struct pg_note {
    char key[48], text[256];
} pg_note;

/* A file that the task made: its path, relative to the directory of the run, and its checksum. */
typedef struct pg_artefact {
    char path[144], sha256[PG_SHA256_HEX];
} pg_artefact;

typedef struct pg_record {
    int cell_count, note_count, file_count;
    pg_cell *cells;
    pg_note *notes;
    pg_artefact *files;
} pg_record;

/* A zeroed record is empty. */
PG_CHECKED pg_status pg_record_add(pg_record *record, const char *outcome, const char *metric, double value, const char *unit,
                                   pg_error *err);
PG_CHECKED pg_status pg_record_note(pg_record *record, const char *key, const char *text, pg_error *err);
PG_CHECKED pg_status pg_record_file(pg_record *record, const char *path, const char *sha256, pg_error *err);
bool pg_record_has(const pg_record *record, const char *outcome); /* any cell of it */
void pg_record_clear(pg_record *record);

/* A record in its file, with what the task is. The file's presence says that the task is done and that the files it names are
 * in place. */
struct pg_task;
struct pg_task_labels;

/* JSON, durably; the same arguments give the same bytes. */
PG_CHECKED pg_status pg_record_save(const pg_record *record, const struct pg_task *task, const struct pg_task_labels *labels,
                                    const char *path, pg_error *err);

/* What a table needs of a record file. record is ended by pg_record_clear. PG_BAD_INPUT, naming the file, if it is no record.
 */
PG_CHECKED pg_status pg_record_load(const char *path, pg_record *record, struct pg_task_labels *labels, char key[PG_SHA256_HEX],
                                    pg_error *err);

/* Is the file an intact record, of a task that kept what it made if `keep` is set? An error if that cannot be seen. */
PG_CHECKED pg_status pg_record_done(const char *path, bool keep, bool *done, pg_error *err);

/* A failure: JSON with the task and why it has no record. */
PG_CHECKED pg_status pg_failure_save(const char *key, const char *name, const char *text, const char *reason, const char *path,
                                     pg_error *err);
/* Its reason into out[bytes]. */
PG_CHECKED pg_status pg_failure_load(const char *path, char *out, size_t bytes, pg_error *err);

#endif
