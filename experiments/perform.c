/* From a task's text to its record; see perform.h. */
#include "experiments/perform.h"

#include "experiments/checkpoint.h"
#include "experiments/json_file.h"
#include "experiments/rundir.h"

#include <stdio.h>

/* Checksums of the files that a task may have made. */
static pg_status find_artefacts(const pg_task *task, const pg_workplace *at, pg_artefact artefacts[PG_ARTEFACTS_MAX],
                                int *count, pg_error *err)
{
    static const char *const folders[] = {"models", "evidence", NULL};
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    *count = 0;
    for (int i = 0; folders[i]; i++) {
        pg_artefact *a = &artefacts[*count];
        snprintf(a->path, sizeof a->path, "%s/%s.safetensors", folders[i], task->key);
        PG_TRY(pg_path(path, at->directory, a->path, NULL, err));
        if (!pg_file_exists(path)) continue;
        PG_TRY(pg_sha256_file(path, a->sha256, err));
        ++*count;
    }
done:
    return status;
}

/* Only now that nothing can be lost any more. */
static pg_status remove_checkpoints(const pg_task *task, const pg_workplace *at, pg_error *err)
{
    char directory[PG_PATH_MAX];
    pg_checkpoints checkpoints;
    pg_status status = pg_path(directory, at->directory, "checkpoints", NULL, err);
    if (status == PG_OK) status = pg_checkpoints_open(&checkpoints, directory, task->key, err);
    if (status == PG_OK) pg_checkpoints_remove(&checkpoints);
    return status;
}

pg_status pg_perform(const char *text, const pg_workplace *at, pg_error *err)
{
    pg_status status = PG_OK;
    pg_task task = {0};
    pg_record record = {0};
    pg_task_labels labels;
    pg_artefact artefacts[PG_ARTEFACTS_MAX];
    int count = 0;
    char path[PG_PATH_MAX];
    PG_TRY(pg_task_parse(text, &task, err));
    PG_TRY(pg_rundir_file(at->directory, "records", task.key, path, err));
    if (pg_json_intact(path)) goto done;
    PG_TRY(pg_task_execute(&task, at, &record, err));
    PG_TRY(pg_task_describe(&task, &labels, err));
    PG_TRY(find_artefacts(&task, at, artefacts, &count, err));
    PG_TRY(pg_record_save(&record, &task, &labels, artefacts, count, path, err));
    PG_TRY(remove_checkpoints(&task, at, err));
done:
    pg_record_clear(&record);
    pg_task_clear(&task);
    return status;
}
