/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running a task: reads the files of its parents, writes its own files, fills its record. */
#ifndef PG_WORK_EXECUTE_H
#define PG_WORK_EXECUTE_H

#include "experiments/grid/task.h"
#include "experiments/work/progress.h"
#include "experiments/work/record.h"

/* The surroundings of a task: folders, callbacks, the time between checkpoints. */
typedef struct pg_workplace {
    const char *directory;       /* of the run; has models/KEY.safetensors, evidence/KEY.safetensors, checkpoints/KEY.* */
    const char *data_directory;  /* NULL: the default */
    bool (*stop)(void *context); /* called between steps: should this task save and end? */
    void (*report)(void *context, const pg_task_progress *progress); /* at the start, then after every step */
    void (*note)(void *context, const char *text);                   /* a line for the log that people should see */
    void (*saved)(void *context);                                    /* a checkpoint holds what was reported last */
    void *context;
    double patience;           /* seconds for which a shared file system may not show the record of a parent */
    double checkpoint_seconds; /* between checkpoints; 0: after every epoch and every outcome of an attack */
} pg_workplace;

/* Run a task to its end: read the artefacts of its parents, write its own, fill the record. PG_INTERRUPTED if at->stop returned
 * true; the next call resumes from the checkpoint that was saved. PG_FAILED if the computation has no result (a loss that is
 * not finite). */
PG_CHECKED pg_status pg_task_execute(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);

/* Release the data sets that stay loaded between the tasks of a process. */
void pg_task_release_data(void);

#endif
