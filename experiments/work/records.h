/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records of a run, wherever they are.
 *
 * The process that did a task writes its record to a file of its own, records/KEY.json. Once there are many, the process that
 * holds the run lock moves them into sixteen packs, records/X.pack for the keys that begin with the hexadecimal digit X, so
 * that a run of a hundred thousand tasks has hundreds of files. A pack is the same files one after another, byte for byte. It
 * reaches the disk before the files are removed.
 *
 * A file counts more than a pack, even an empty one: it says that the record was removed. Of two records of one task in a pack
 * the last one counts. The torn end that a killed process leaves is no record, and the next run cuts it off. */
#ifndef PG_WORK_RECORDS_H
#define PG_WORK_RECORDS_H

#include "core/base/file.h"
#include "experiments/work/record.h"

/* A shared file system may hide what another host has written for this long (NFS: 60 seconds by default). */
enum { PG_LATE_SECONDS = 60 };

enum { PG_RECORDS_LOOSE = 256, PG_RECORDS_PACKS = 16 }; /* files that stay unpacked; packs */

typedef struct pg_record_text {
    const char *key;  /* [PG_SHA256_HEX]; of the task, by the name of the file or by the text in the pack */
    const char *from; /* the file, for messages */
    const char *data; /* the text of a record file, [bytes] */
    size_t bytes;
    bool intact; /* it matches its checksum */
} pg_record_text;
/* The text is valid during the call. */
typedef pg_status pg_record_visitor(void *context, const pg_record_text *text, pg_error *err);

/* The pack of a key as a bit for `packs` below; 0 if key does not begin with a hexadecimal digit. */
unsigned pg_records_pack_of(const char *key);
enum { PG_RECORDS_ALL = (1 << PG_RECORDS_PACKS) - 1 };

/* Visit the records in these packs and the loose ones that belong in them, each task once and in no fixed order. Damaged files
 * are visited too, and damaged parts of packs are left out. Stops at the first failure of visit. Fails if a file cannot be
 * read. The directory need not exist. */
PG_CHECKED pg_status pg_records_visit(const char *directory, unsigned packs, pg_record_visitor *visit, void *context,
                                      pg_error *err);

/* Visit the record of one task, damaged or not, if it has one. *found may be NULL. */
PG_CHECKED pg_status pg_records_find(const char *directory, const char *key, pg_record_visitor *visit, void *context,
                                     bool *found, pg_error *err);

/* Read the record of a task as pg_record_parse does; *found is false if it has none. */
PG_CHECKED pg_status pg_records_load(const char *directory, const char *key, pg_parameter_pool *pool, pg_record *record,
                                     pg_task_labels *labels, bool *found, pg_error *err);

/* Does the task have an intact record, and if `keep` is set, has it kept its files? */
PG_CHECKED pg_status pg_records_done(const char *directory, const char *key, bool keep, bool *done, pg_error *err);
bool pg_record_is_done(const pg_record_text *text, bool keep);

/* Remove the record of a task: leave an empty file, because a pack may hold it too. */
PG_CHECKED pg_status pg_records_remove(const char *directory, const char *key, pg_error *err);

/* Are there more than PG_RECORDS_LOOSE files? */
PG_CHECKED pg_status pg_records_scattered(const char *directory, bool *scattered, pg_error *err);

/* Move the intact files into the packs if they are scattered. Only the holder of the run lock may call this and
 * pg_records_mend. */
PG_CHECKED pg_status pg_records_pack(const char *directory, pg_error *err);

/* Rewrite each pack that holds anything but records that count. Calls damaged for each damaged record whose key can be read. */
PG_CHECKED pg_status pg_records_mend(const char *directory, pg_record_visitor *damaged, void *context, pg_error *err);

#endif
