/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checkpoints of a running task: numbered files, each with a seal file (its length and SHA-256), which is written after it. A
 * checkpoint that has no seal or does not match it is damaged; the one before is used. Keeps the newest two. */
#ifndef PG_WORK_CHECKPOINT_H
#define PG_WORK_CHECKPOINT_H

#include "core/base/file.h"

#include <stdbool.h>

typedef struct pg_checkpoints {
    char directory[PG_PATH_MAX];
    char key[80];
    long number; /* of the newest; 0: none */
} pg_checkpoints;

/* Find the checkpoints of a task. at->number becomes that of the newest one, intact or not. */
PG_CHECKED pg_status pg_checkpoints_open(pg_checkpoints *at, const char *directory, const char *key, pg_error *err);

/* Save a checkpoint: `write` writes its file to the path. Keeps the newest two and deletes the rest. */
typedef pg_status pg_checkpoint_write(void *context, const char *path, pg_error *err);
PG_CHECKED pg_status pg_checkpoint_save(pg_checkpoints *at, pg_checkpoint_write *write, void *context, pg_error *err);

/* Find the newest intact checkpoint with a number below `before` (0: any). *number is 0 if there is none. Calls damaged (may be
 * NULL) for each damaged one on the way. Fails if a file exists and cannot be read. */
PG_CHECKED pg_status pg_checkpoint_find(const pg_checkpoints *at, long before, char path[PG_PATH_MAX], long *number,
                                        void (*damaged)(void *context, const char *path), void *context, pg_error *err);

/* Remove the checkpoints with a number above `after`; the next one gets the number after + 1. 0: remove all. */
void pg_checkpoints_remove(pg_checkpoints *at, long after);

#endif
