/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a task's text to its record; see perform.h. */
#include "experiments/work/perform.h"

#include "core/base/clock.h"
#include "experiments/work/checkpoint.h"
#include "experiments/work/records.h"
#include "experiments/work/rundir.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Add the files of one outcome and their checksums to the record. */
static pg_status add_files(const pg_task *task, const pg_workplace *at, const char *outcome, pg_record *record, pg_error *err)
{
    static const char *const folders[] = {"models", "evidence", NULL};
    pg_status status = PG_OK;
    char stem[PG_FILE_STEM], path[PG_PATH_MAX], file[PG_FILE_STEM + 32], sum[PG_SHA256_HEX];
    pg_task_stem(task->key, outcome, stem);
    for (int i = 0; folders[i]; i++) {
        snprintf(file, sizeof file, "%s/%s.safetensors", folders[i], stem);
        PG_TRY(pg_path(path, at->directory, file, NULL, err));
        if (!pg_file_exists(path)) continue;
        PG_TRY(pg_sha256_file(path, sum, err));
        PG_TRY(pg_record_file(record, file, sum, err));
    }
done:
    return status;
}

/* Is cell i the first of its outcome? */
static bool is_first(const pg_record *record, int i)
{
    for (int k = 0; k < i; k++)
        if (strcmp(record->cells[k].outcome, record->cells[i].outcome) == 0) return false;
    return true;
}

/* Add the task's own files, then the kept files of each outcome. */
static pg_status find_files(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(add_files(task, at, "", record, err));
    for (int i = 0; task->keep && i < record->cell_count; i++)
        if (record->cells[i].outcome[0] && is_first(record, i))
            PG_TRY(add_files(task, at, record->cells[i].outcome, record, err));
done:
    return status;
}

/* Does the file have the checksum in the record? */
static pg_status check_file(const char *path, const char *sha256, bool *intact, pg_error *err)
{
    char sum[PG_SHA256_HEX];
    *intact = false;
    if (!pg_file_exists(path)) return PG_OK;
    const pg_status status = pg_sha256_file(path, sum, err);
    *intact = status == PG_OK && strcmp(sum, sha256) == 0;
    return status;
}

/* Read the record of a parent. If it is not there, another process has written it and a shared file system shows it late: wait.
 * An empty file says that another child has removed it. */
static pg_status read_parent(const char *key, const pg_workplace *at, pg_parameter_pool *pool, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_task_labels labels;
    char path[PG_PATH_MAX];
    bool found = false;
    const double until = pg_now() + at->patience;
    PG_TRY(pg_rundir_file(at->directory, "records", key, path, err));
    for (;; nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL)) {
        PG_TRY(pg_records_load(at->directory, key, pool, record, &labels, &found, err));
        if (found) goto done;
        if (pg_file_exists(path))
            PG_TRY(pg_fail(err, PG_BAD_INPUT,
                           "%s was removed because a file of it was damaged; repeat the command to make it again", path));
        if (pg_now() >= until) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s is not there; repeat the command to make it again", path));
        if (at->stop && at->stop(at->context)) PG_TRY(pg_fail(err, PG_INTERRUPTED, "interrupted"));
    }
done:
    return status;
}

/* Compare a parent's files with the checksums in its record. If one differs, remove the record, so that the next run makes the
 * parent again, and fail. */
static pg_status check_parent(const char *key, const pg_workplace *at, pg_error *err)
{
    pg_status status = PG_OK;
    pg_record record = {0};
    pg_parameter_pool pool = {0};
    if (!key[0]) return PG_OK;
    PG_TRY(read_parent(key, at, &pool, &record, err));
    for (int i = 0; i < record.file_count; i++) {
        char file[PG_PATH_MAX];
        bool intact;
        PG_TRY(pg_path(file, at->directory, record.files[i].path, NULL, err));
        PG_TRY(check_file(file, record.files[i].sha256, &intact, err));
        if (intact) continue;
        PG_TRY(pg_records_remove(at->directory, key, err));
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s is missing or damaged; repeat the command to make it again", file));
    }
done:
    pg_record_clear(&record);
    pg_parameter_pool_clear(&pool);
    return status;
}

/* Remove the task's checkpoints, which its record makes superfluous. */
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
    pg_parameter_pool pool = {0};
    pg_task_labels labels;
    bool done;
    char path[PG_PATH_MAX];
    PG_TRY(pg_task_parse(text, &task, err));
    PG_TRY(pg_rundir_file(at->directory, "records", task.key, path, err));
    PG_TRY(pg_records_done(at->directory, task.key, task.keep, &done, err));
    if (done) goto done;
    PG_TRY(check_parent(task.victim, at, err));
    PG_TRY(check_parent(task.pretrained, at, err));
    PG_TRY(check_parent(task.forged, at, err));
    PG_TRY(check_parent(task.taken, at, err));
    for (int i = 0; i < task.network_count; i++) PG_TRY(check_parent(task.networks[i], at, err));
    PG_TRY(pg_task_execute(&task, at, &record, err));
    PG_TRY(pg_task_describe(&task, &pool, &labels, err));
    PG_TRY(find_files(&task, at, &record, err));
    PG_TRY(pg_record_save(&record, &task, &labels, path, err));
    PG_TRY(remove_checkpoints(&task, at, err));
done:
    pg_record_clear(&record);
    pg_parameter_pool_clear(&pool);
    pg_task_clear(&task);
    return status;
}
