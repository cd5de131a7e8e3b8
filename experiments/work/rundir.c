/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory of a run; see rundir.h. */
#include "experiments/work/rundir.h"

#include "core/base/directory.h"
#include "core/base/memory.h"
#include "core/formats/json_file.h"
#include "experiments/work/records.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMAT = 1 };
static const char *const folders[] = {"records", "failed", "models", "evidence", "checkpoints", "tables", "logs", NULL};
const char *const pg_task_state_names[] = {"new", "interrupted", "failed", "done"};

/* PG_BAD_INPUT if a folder is a link that is not allowed, because another user could redirect our files. */
static pg_status check_folder(const char *path, bool may_be_link, pg_error *err)
{
    struct stat info;
    if (lstat(path, &info) != 0) return pg_fail_errno(err, "%s", path);
    if (!may_be_link || (S_ISLNK(info.st_mode) && info.st_uid != geteuid() && info.st_uid != 0))
        return pg_file_refuse_link(path, err);
    return PG_OK;
}

static pg_status make_folder(const char *directory, const char *name, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    const bool secret = strcmp(name, "evidence") == 0, large = strcmp(name, "models") == 0 || strcmp(name, "checkpoints") == 0;
    PG_TRY(pg_path(path, directory, name, NULL, err));
    if (mkdir(path, secret ? 0700 : 0777) != 0 && errno != EEXIST) PG_TRY(pg_fail_errno(err, "%s", path));
    PG_TRY(check_folder(path, large, err));
    PG_TRY(pg_make_directories(path, err)); /* fails if it is a file or a dangling link */
done:
    return status;
}

pg_status pg_rundir_make(const char *directory, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    PG_TRY(pg_make_directories(directory, err));
    for (int i = 0; folders[i]; i++) PG_TRY(make_folder(directory, folders[i], err));
    PG_TRY(pg_path(path, directory, "logs/run.log", NULL, err));
    PG_TRY(pg_file_refuse_link(path, err));
done:
    return status;
}

pg_status pg_rundir_file(const char *directory, const char *folder, const char *key, char path[PG_PATH_MAX], pg_error *err)
{
    char file[PG_SHA256_HEX + 8];
    snprintf(file, sizeof file, "%.64s.json", key);
    return pg_path(path, directory, folder, file, err);
}

/* ---- description ---- */

static json_t *manifest_json(const pg_grid *grid)
{
    json_t *tasks = json_array();
    for (int i = 0; i < grid->count; i++)
        json_array_append_new(tasks, json_pack("{s:s, s:s}", "key", grid->tasks[i].key, "name", grid->tasks[i].name));
    return json_pack("{s:i, s:s, s:s, s:o}", "format", FORMAT, "name", grid->options.name, "label", grid->options.label,
                     "tasks", tasks);
}

pg_status pg_rundir_describe(const char *directory, const pg_grid *grid, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    PG_TRY(pg_path(path, directory, "config.yaml", NULL, err));
    PG_TRY(pg_file_write(path, grid->resolved, strlen(grid->resolved), PG_FILE_PUBLIC, err));
    PG_TRY(pg_path(path, directory, "grid.json", NULL, err));
    PG_TRY(pg_json_write(manifest_json(grid), path, err));
done:
    return status;
}

pg_status pg_manifest_read(const char *directory, pg_manifest **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_manifest *manifest = NULL;
    json_t *root = NULL, *task;
    size_t i;
    char path[PG_PATH_MAX], *name, *label, *key;
    PG_TRY(pg_path(path, directory, "grid.json", NULL, err));
    if (!pg_file_exists(path))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: not the directory of a run: it has no grid.json", directory));
    PG_TRY(pg_json_read(path, &root, err));
    PG_TRY(pg_alloc(1, sizeof *manifest, &manifest, err));
    json_t *tasks = json_object_get(root, "tasks");
    if (json_unpack(root, "{s:s, s:s}", "name", &name, "label", &label) != 0 || !json_is_array(tasks))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: not a list of tasks that this version can read", path));
    snprintf(manifest->name, sizeof manifest->name, "%s", name);
    snprintf(manifest->label, sizeof manifest->label, "%s", label);
    PG_TRY(pg_alloc(json_array_size(tasks), sizeof *manifest->tasks, &manifest->tasks, err));
    json_array_foreach(tasks, i, task)
    {
        if (json_unpack(task, "{s:s, s:s}", "key", &key, "name", &name) != 0)
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: task %zu has no key or no name", path, i));
        snprintf(manifest->tasks[i].key, sizeof manifest->tasks[i].key, "%s", key);
        snprintf(manifest->tasks[i].name, sizeof manifest->tasks[i].name, "%s", name);
        manifest->count++;
    }
    *out = manifest;
    manifest = NULL;
done:
    json_decref(root);
    pg_manifest_destroy(&manifest);
    return status;
}

/* The tasks of an earlier grid that this one does not have. */
typedef struct left_out {
    pg_text_pool keys;
    int done;
} left_out_tasks;

static pg_status count_record(void *context, const pg_record_text *text, pg_error *err)
{
    left_out_tasks *l = context;
    int number;
    const int count = l->keys.count;
    const pg_status status = pg_text_pool_keep(&l->keys, text->key, NULL, &number, err);
    l->done += number < count;
    return status;
}

static pg_status count_left_out(const char *directory, const pg_manifest *former, const pg_grid *grid, int *count,
                                pg_error *err)
{
    pg_status status = PG_OK;
    unsigned packs = 0;
    left_out_tasks l = {.done = 0};
    for (int i = 0; i < former->count; i++) {
        const char *key = former->tasks[i].key;
        if (pg_grid_find(grid, key) >= 0) continue;
        packs |= pg_records_pack_of(key);
        PG_TRY(pg_text_pool_keep(&l.keys, key, NULL, NULL, err));
    }
    if (packs) PG_TRY(pg_records_visit(directory, packs, count_record, &l, err));
done:
    *count = l.done;
    pg_text_pool_clear(&l.keys);
    return status;
}

pg_status pg_rundir_suits(const char *directory, const pg_grid *grid, bool replace, int *left_out, pg_error *err)
{
    pg_manifest *former = NULL;
    *left_out = 0;
    pg_status status = pg_manifest_read(directory, &former, NULL);
    if (status == PG_BAD_INPUT) return PG_OK; /* no run yet, or a damaged list, which the run writes again */
    if (status != PG_OK) return pg_fail(err, status, "%s: cannot read its grid.json", directory);
    if (!replace && strcmp(former->name, grid->options.name) != 0)
        status = pg_fail(err, PG_BAD_INPUT, "%s belongs to the grid '%s', not to '%s': choose another --out, or add --replace",
                         directory, former->name, grid->options.name);
    else
        status = count_left_out(directory, former, grid, left_out, err);
    pg_manifest_destroy(&former);
    return status;
}

void pg_manifest_destroy(pg_manifest **manifest)
{
    if (!*manifest) return;
    pg_free((*manifest)->tasks);
    pg_free(*manifest);
    *manifest = NULL;
}

/* ---- states ---- */

/* Arguments of the visitors below. */
typedef struct folder_walk {
    const pg_grid *grid;
    pg_task_state *states;
    pg_task_state state;
    void (*damaged)(void *context, int task);
    void *context;
    bool *littered;
} folder_walk;
typedef void visitor(const folder_walk *walk, const char *path, const char *name);

static pg_status for_each_file(const char *directory, const char *folder, visitor *visit, const folder_walk *walk,
                               pg_error *err)
{
    char path[PG_PATH_MAX], file[PG_PATH_MAX];
    pg_status status = pg_path(path, directory, folder, NULL, err);
    if (status != PG_OK) return status;
    if (!pg_file_exists(path)) return PG_OK;
    pg_names files;
    status = pg_directory_list(path, &files, err);
    for (int i = 0; i < files.count; i++)
        if (pg_path(file, path, files.name[i], NULL, NULL) == PG_OK) visit(walk, file, files.name[i]);
    pg_names_clear(&files);
    return status;
}

/* Index of the task that a file KEY.* belongs to; -1 if the grid has none. */
static int task_of(const pg_grid *grid, const char *name)
{
    char key[PG_SHA256_HEX] = "";
    if (strlen(name) < PG_SHA256_HEX || name[PG_SHA256_HEX - 1] != '.') return -1;
    memcpy(key, name, PG_SHA256_HEX - 1);
    return pg_grid_find(grid, key);
}

static void note_state(const folder_walk *walk, const char *path, const char *name)
{
    const int task = task_of(walk->grid, name);
    (void)path;
    if (task >= 0) walk->states[task] = walk->state;
}

static pg_status note_record(void *context, const pg_record_text *text, pg_error *err)
{
    const folder_walk *walk = context;
    const int task = pg_grid_find(walk->grid, text->key);
    (void)err;
    if (task >= 0 && pg_record_is_done(text, walk->grid->tasks[task].keep)) walk->states[task] = PG_STATE_DONE;
    return PG_OK;
}

pg_status pg_rundir_scan(const char *directory, const pg_grid *grid, pg_task_state *states, pg_error *err)
{
    pg_status status = PG_OK;
    unsigned packs = 0;
    folder_walk walk = {.grid = grid, .states = states};
    for (int i = 0; i < grid->count; i++) {
        states[i] = PG_STATE_NEW;
        packs |= pg_records_pack_of(grid->tasks[i].key);
    }
    walk.state = PG_STATE_INTERRUPTED;
    PG_TRY(for_each_file(directory, "checkpoints", note_state, &walk, err));
    walk.state = PG_STATE_FAILED;
    PG_TRY(for_each_file(directory, "failed", note_state, &walk, err));
    PG_TRY(pg_records_visit(directory, packs, note_record, &walk, err));
done:
    return status;
}

/* ---- the remains of killed runs ---- */

static void remove_part(const folder_walk *walk, const char *path, const char *name)
{
    const size_t length = strlen(name);
    (void)walk;
    if (length > 5 && strcmp(name + length - 5, ".part") == 0) unlink(path);
}

static bool is_of_done(const folder_walk *walk, const char *name)
{
    const int task = task_of(walk->grid, name);
    return task >= 0 && walk->states[task] == PG_STATE_DONE;
}

static void find_of_done(const folder_walk *walk, const char *path, const char *name)
{
    (void)path;
    *walk->littered |= is_of_done(walk, name);
}

pg_status pg_rundir_littered(const char *directory, const pg_grid *grid, pg_task_state *states, bool *littered, pg_error *err)
{
    const folder_walk walk = {.grid = grid, .states = states, .littered = littered};
    pg_status status = PG_OK;
    PG_TRY(pg_records_scattered(directory, littered, err));
    PG_TRY(for_each_file(directory, "checkpoints", find_of_done, &walk, err));
    PG_TRY(for_each_file(directory, "failed", find_of_done, &walk, err));
done:
    return status;
}

static void remove_of_done(const folder_walk *walk, const char *path, const char *name)
{
    if (is_of_done(walk, name)) unlink(path);
}

static void remove_damaged(const folder_walk *walk, const char *path, const char *name)
{
    const int task = task_of(walk->grid, name);
    if (task < 0 || walk->states[task] == PG_STATE_DONE) return;
    unlink(path);
    walk->damaged(walk->context, task);
}

static pg_status note_damaged(void *context, const pg_record_text *text, pg_error *err)
{
    const folder_walk *walk = context;
    const int task = pg_grid_find(walk->grid, text->key);
    (void)err;
    if (task >= 0 && walk->states[task] != PG_STATE_DONE) walk->damaged(walk->context, task);
    return PG_OK;
}

pg_status pg_rundir_sweep(const char *directory, const pg_grid *grid, pg_task_state *states,
                          void (*damaged)(void *context, int task), void *context, pg_error *err)
{
    pg_status status = PG_OK;
    folder_walk walk = {.grid = grid, .states = states, .damaged = damaged, .context = context};
    PG_TRY(for_each_file(directory, ".", remove_part, &walk, err));
    for (int i = 0; folders[i]; i++) PG_TRY(for_each_file(directory, folders[i], remove_part, &walk, err));
    PG_TRY(for_each_file(directory, "checkpoints", remove_of_done, &walk, err));
    PG_TRY(for_each_file(directory, "failed", remove_of_done, &walk, err));
    PG_TRY(pg_records_mend(directory, note_damaged, &walk, err)); /* before the files that hide records in packs are removed */
    PG_TRY(for_each_file(directory, "records", remove_damaged, &walk, err));
    PG_TRY(pg_records_pack(directory, err));
done:
    return status;
}
