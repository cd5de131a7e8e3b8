/* Running a task: from the files of its parents to its own files and its record. */
#ifndef PG_WORK_EXECUTE_H
#define PG_WORK_EXECUTE_H

#include "experiments/grid/task.h"
#include "experiments/work/progress.h"
#include "experiments/work/record.h"

/* What running a task needs from its surroundings. */
typedef struct pg_workplace {
    const char *directory;       /* of the run: models/KEY.safetensors, evidence/KEY.safetensors, checkpoints/KEY.* are below */
    const char *data_directory;  /* NULL: the default */
    bool (*stop)(void *context); /* asked between steps: should this task save and end? */
    void (*report)(void *context, const pg_task_progress *progress); /* at the start, then after every step */
    void (*note)(void *context, const char *text);                   /* something for the log that people should see */
    void *context;
    double checkpoint_seconds; /* between checkpoints; 0: one after every epoch and every outcome of an attack */
} pg_workplace;

/* Run a task to its end: writes its artefacts (parents' are read), fills the record. PG_INTERRUPTED after workplace->stop said
 * so, with a checkpoint from which the next call goes on; PG_FAILED when the computation has no result (a loss that is not
 * finite). */
PG_CHECKED pg_status pg_task_execute(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);

/* Data sets stay loaded between the tasks of a process; this releases them. */
void pg_task_release_data(void);

#endif
