/* Checkpoints of a running task: numbered files of which the last two are kept, each with a seal (length and SHA-256) written
 * after it. A file without its seal, or that does not match it, is passed over for the one before. */
#ifndef PG_WORK_CHECKPOINT_H
#define PG_WORK_CHECKPOINT_H

#include "core/base/file.h"

#include <stdbool.h>

typedef struct pg_checkpoints {
    char directory[PG_PATH_MAX];
    char key[80];
    long number; /* of the newest; 0: none */
} pg_checkpoints;

/* Find the checkpoints of a task; number is the newest's, intact or not. */
PG_CHECKED pg_status pg_checkpoints_open(pg_checkpoints *at, const char *directory, const char *key, pg_error *err);

/* Write one: `write` puts the file at the path that it is given. Older ones but one are removed. */
typedef pg_status pg_checkpoint_write(void *context, const char *path, pg_error *err);
PG_CHECKED pg_status pg_checkpoint_save(pg_checkpoints *at, pg_checkpoint_write *write, void *context, pg_error *err);

/* Path of the newest intact one that is older than `before` (0: any); *number is 0 when there is none. damaged (may be NULL) is
 * called for each that was passed over; one that cannot be read is an error. */
PG_CHECKED pg_status pg_checkpoint_find(const pg_checkpoints *at, long before, char path[PG_PATH_MAX], long *number,
                                        void (*damaged)(void *context, const char *path), void *context, pg_error *err);

/* Remove those that are newer than the one of that number, which the next save follows. 0: all of them. */
void pg_checkpoints_remove(pg_checkpoints *at, long after);

#endif
