/* The directory of a run; see rundir.h. */
#include "experiments/rundir.h"

#include "core/base/memory.h"
#include "experiments/json_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FORMAT = 1 };
const char *const pg_task_state_names[] = {"new", "interrupted", "failed", "done"};

pg_status pg_rundir_make(const char *directory, pg_error *err)
{
    static const char *const folders[] = {"records", "failed", "models", "evidence", "checkpoints", "tables", "logs", NULL};
    char path[PG_PATH_MAX];
    pg_status status = pg_make_directories(directory, err);
    for (int i = 0; folders[i] && status == PG_OK; i++) {
        status = pg_path(path, directory, folders[i], NULL, err);
        const mode_t mode = strcmp(folders[i], "evidence") == 0 ? 0700 : 0777;
        if (status == PG_OK && mkdir(path, mode) != 0 && errno != EEXIST) status = pg_fail_errno(err, "%s", path);
    }
    return status;
}

pg_status pg_rundir_file(const char *directory, const char *folder, const char *key, char path[PG_PATH_MAX], pg_error *err)
{
    char file[PG_SHA256_HEX + 8];
    snprintf(file, sizeof file, "%.64s.json", key);
    return pg_path(path, directory, folder, file, err);
}

/* ---- description ------------------------------------------------------------------------------------------------------------
 */

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
    json_error_t fault;
    PG_TRY(pg_path(path, directory, "grid.json", NULL, err));
    if (!pg_file_exists(path))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: not the directory of a run (it has no grid.json)", directory));
    root = json_load_file(path, JSON_REJECT_DUPLICATES, &fault);
    if (!root) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s:%d:%d: %s", path, fault.line, fault.column, fault.text));
    PG_TRY(pg_alloc(1, sizeof *manifest, &manifest, err));
    json_t *tasks = json_object_get(root, "tasks");
    if (json_unpack(root, "{s:s, s:s}", "name", &name, "label", &label) != 0 || !json_is_array(tasks))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: not a list of tasks of this version", path));
    snprintf(manifest->name, sizeof manifest->name, "%s", name);
    snprintf(manifest->label, sizeof manifest->label, "%s", label);
    PG_TRY(pg_alloc(json_array_size(tasks), sizeof *manifest->tasks, &manifest->tasks, err));
    json_array_foreach(tasks, i, task)
    {
        if (json_unpack(task, "{s:s, s:s}", "key", &key, "name", &name) != 0)
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: bad task %zu", path, i));
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

void pg_manifest_destroy(pg_manifest **manifest)
{
    if (!*manifest) return;
    pg_free((*manifest)->tasks);
    pg_free(*manifest);
    *manifest = NULL;
}

/* ---- states ---------------------------------------------------------------------------------------------------------------
 */

/* Tasks of which a file KEY.* (with that ending, if not NULL) lies in the folder are in that state. */
static pg_status scan_folder(const char *directory, const char *folder, const char *ending, const pg_grid *grid,
                             pg_task_state state, pg_task_state *states, pg_error *err)
{
    char path[PG_PATH_MAX], key[PG_SHA256_HEX] = "";
    const pg_status status = pg_path(path, directory, folder, NULL, err);
    if (status != PG_OK) return status;
    DIR *dir = opendir(path);
    if (!dir) return errno == ENOENT || errno == ENOTDIR ? PG_OK : pg_fail_errno(err, "%s", path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strlen(entry->d_name) < PG_SHA256_HEX) continue;
        memcpy(key, entry->d_name, PG_SHA256_HEX - 1);
        if (entry->d_name[PG_SHA256_HEX - 1] != '.' || (ending && strcmp(entry->d_name + PG_SHA256_HEX - 1, ending) != 0))
            continue;
        const int at = pg_grid_find(grid, key);
        if (at >= 0) states[at] = state;
    }
    closedir(dir);
    return PG_OK;
}

pg_status pg_rundir_scan(const char *directory, const pg_grid *grid, pg_task_state *states, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < grid->count; i++) states[i] = PG_STATE_NEW;
    PG_TRY(scan_folder(directory, "checkpoints", NULL, grid, PG_STATE_INTERRUPTED, states, err));
    PG_TRY(scan_folder(directory, "failed", ".json", grid, PG_STATE_FAILED, states, err));
    PG_TRY(scan_folder(directory, "records", ".json", grid, PG_STATE_DONE, states, err));
done:
    return status;
}
