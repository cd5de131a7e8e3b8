/* From a task's text to its record; see perform.h. */
#include "experiments/perform.h"

#include "experiments/checkpoint.h"
#include "experiments/json_file.h"
#include "experiments/rundir.h"

#include <stdio.h>
#include <string.h>

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

/* Is the file what the record says? */
static pg_status check_file(const char *path, const char *sha256, bool *intact, pg_error *err)
{
    char sum[PG_SHA256_HEX];
    *intact = false;
    if (!pg_file_exists(path)) return PG_OK;
    const pg_status status = pg_sha256_file(path, sum, err);
    *intact = status == PG_OK && strcmp(sum, sha256) == 0;
    return status;
}

/* What the task builds on must be what its own task made: files without their own checksums are compared with their record.
 * Where they differ the record goes, so that the next run makes the parent again. */
static pg_status check_parent(const char *key, const pg_workplace *at, pg_error *err)
{
    pg_status status = PG_OK;
    pg_record record = {0};
    pg_task_labels labels;
    pg_artefact artefacts[PG_ARTEFACTS_MAX];
    int count = 0;
    char path[PG_PATH_MAX], found[PG_SHA256_HEX];
    if (!key[0]) return PG_OK;
    PG_TRY(pg_rundir_file(at->directory, "records", key, path, err));
    status = pg_record_load(path, &record, &labels, found, artefacts, &count, err);
    if (status != PG_OK && !pg_file_exists(path)) /* another child has been here */
        status = pg_fail(err, PG_BAD_INPUT, "%s is gone: repeat the command to make it again", path);
    PG_TRY(status);
    for (int i = 0; i < count; i++) {
        char file[PG_PATH_MAX];
        bool intact;
        PG_TRY(pg_path(file, at->directory, artefacts[i].path, NULL, err));
        PG_TRY(check_file(file, artefacts[i].sha256, &intact, err));
        if (intact) continue;
        PG_TRY(pg_file_remove(path, err));
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s is missing or damaged, and counts as not made: repeat the command", file));
    }
done:
    pg_record_clear(&record);
    return status;
}

/* Only now that nothing can be lost any more. */
static pg_status remove_checkpoints(const pg_task *task, const pg_workplace *at, pg_error *err)
{
    char directory[PG_PATH_MAX];
    pg_checkpoints checkpoints;
    pg_status status = pg_path(directory, at->directory, "checkpoints", NULL, err);
    if (status == PG_OK) status = pg_checkpoints_open(&checkpoints, directory, task->key, err);
    if (status == PG_OK) pg_checkpoints_remove(&checkpoints, 0);
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
    bool intact;
    char path[PG_PATH_MAX];
    PG_TRY(pg_task_parse(text, &task, err));
    PG_TRY(pg_rundir_file(at->directory, "records", task.key, path, err));
    PG_TRY(pg_json_intact(path, &intact, err));
    if (intact) goto done;
    PG_TRY(check_parent(task.victim, at, err));
    PG_TRY(check_parent(task.pretrained, at, err));
    PG_TRY(check_parent(task.forged, at, err));
    for (int i = 0; i < task.null_model_count; i++) PG_TRY(check_parent(task.null_models[i], at, err));
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
