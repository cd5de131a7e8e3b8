/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid bench dispatch: sends empty tasks through the master, the workers and the journal of a real run. */
#include "experiments/commands/commands.h"

#include "core/base/directory.h"
#include "core/base/memory.h"
#include "experiments/run/run.h"
#include "experiments/run/signals.h"
#include "experiments/run/worker.h"
#include "experiments/work/record.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct arguments {
    int tasks;
    bool records;
} arguments;
static const arguments defaults = {.tasks = 100000};

static const pg_cli_row rows[] = {
    PG_CLI_INT(arguments, tasks, "tasks", "N", 1, 10000000, "empty tasks to hand out"),
    PG_CLI_FLAG(arguments, records, "records",
                "every task writes a record durably, as the tasks of a grid do; TMPDIR names the file system to measure"),
    {0},
};

static pg_status do_nothing(const char *text, const pg_workplace *at, pg_error *err)
{
    (void)text;
    (void)at;
    (void)err;
    return PG_OK;
}

/* Write a record. The text of the task is its key. */
static pg_status do_record(const char *key, const pg_workplace *at, pg_error *err)
{
    static const pg_parameters none = {.text = ""};
    const pg_task_labels labels = {"empty", "-", "-", "-", "-", "", &none, &none, &none, 0};
    pg_status status = PG_OK;
    pg_record record = {0};
    pg_task task = {.public_text = ""};
    char path[PG_PATH_MAX];
    snprintf(task.key, sizeof task.key, "%s", key);
    PG_TRY(pg_rundir_file(at->directory, "records", key, path, err));
    PG_TRY(pg_record_add(&record, "", "accuracy", 50, "%", err));
    PG_TRY(pg_record_save(&record, &task, &labels, path, err));
done:
    pg_record_clear(&record);
    return status;
}

/* Tasks without parents; the text of a task is its key. */
static pg_status make_grid(int count, pg_grid *grid, pg_error *err)
{
    *grid = (pg_grid){.count = count};
    const pg_status status = pg_alloc((size_t)count, sizeof *grid->tasks, &grid->tasks, err);
    for (int i = 0; status == PG_OK && i < count; i++) {
        grid->tasks[i] = (pg_grid_task){.text = grid->tasks[i].key, .cost = 1};
        snprintf(grid->tasks[i].key, sizeof grid->tasks[i].key, "%064x", i);
        snprintf(grid->tasks[i].name, sizeof grid->tasks[i].name, "empty/%d", i);
    }
    return status;
}

static pg_status lead(pg_comm *comm, int count, const char *directory, pg_error *err)
{
    pg_status status = PG_OK;
    pg_grid grid = {0};
    pg_run_result result;
    const pg_run_options options = {.directory = directory, .silence = 600};
    PG_TRY(pg_rundir_make(directory, err));
    PG_TRY(make_grid(count, &grid, err));
    PG_TRY(pg_run_grid(&grid, comm, &options, &result, err));
    printf("workers: %d\ntasks: %d\nseconds: %.3f\ntasks_per_s: %.0f\n", comm->size - 1, result.ran, result.seconds,
           result.ran / result.seconds);
done:
    pg_free(grid.tasks);
    return status;
}

static pg_status follow(pg_comm *comm, const char *directory, pg_performer *perform, pg_error *err)
{
    pg_workplace at = {.directory = directory};
    return pg_worker_loop(comm, &at, perform, 60, err);
}

/* Remove a folder and its files. */
static void remove_folder(const char *folder)
{
    pg_names files;
    char path[PG_PATH_MAX];
    if (pg_directory_list(folder, &files, NULL) != PG_OK) return;
    for (int i = 0; i < files.count; i++)
        if (pg_path(path, folder, files.name[i], NULL, NULL) == PG_OK) remove(path);
    pg_names_clear(&files);
    remove(folder);
}

/* Remove the directory that lead made: folders that hold files alone, and files. */
static void remove_all(const char *directory)
{
    pg_names folders;
    char path[PG_PATH_MAX];
    if (pg_directory_list(directory, &folders, NULL) != PG_OK) return;
    for (int i = 0; i < folders.count; i++)
        if (pg_path(path, directory, folders.name[i], NULL, NULL) == PG_OK) remove_folder(path);
    pg_names_clear(&folders);
    remove_folder(directory);
}

static int run(int argc, char **argv)
{
    const char *temporary = getenv("TMPDIR");
    char directory[PG_PATH_MAX] = "";
    arguments a;
    pg_comm comm;
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_bench_dispatch, argc, argv, &a, &code)) return code;
    pg_signals_catch(); /* an interrupted benchmark removes its directory too */
    pg_status status = pg_comm_start(&comm, &err);
    if (status == PG_OK && comm.size == 1) status = pg_fail(&err, PG_BAD_INPUT, "needs mpirun with at least 2 ranks");
    if (status == PG_OK && comm.rank == 0) {
        snprintf(directory, sizeof directory, "%s/passgrid-dispatch-XXXXXX", temporary ? temporary : "/tmp");
        if (!mkdtemp(directory)) status = pg_fail_errno(&err, "%s", directory);
    }
    if (status == PG_OK) status = pg_comm_broadcast(&comm, directory, sizeof directory, &err);
    if (status == PG_OK && comm.rank > 0) status = follow(&comm, directory, a.records ? do_record : do_nothing, &err);
    if (status == PG_OK && comm.rank == 0) {
        status = lead(&comm, a.tasks, directory, &err);
        remove_all(directory);
    }
    if (status != PG_OK) code = pg_complain("bench dispatch", status, "%s", err.message);
    pg_comm_finish(&comm, code);
    return code;
}

const pg_command pg_cmd_bench_dispatch = {
    .name = "bench dispatch",
    .summary = "measure how many empty tasks per second the ranks can do",
    .usage = "mpirun -n RANKS passgrid bench dispatch [options]",
    .about = "Hand out empty tasks to the workers, log them as a run does, and print how many per second that makes. With "
             "--records each of them also leaves a record.",
    .rows = rows,
    .size = sizeof(arguments),
    .defaults = &defaults,
    .exits = "0 measured\n2 bad usage, or fewer than 2 ranks\n3 input/output fault",
    .examples = "  mpirun -n 3 passgrid bench dispatch --tasks 10000\n"
                "  TMPDIR=/scratch mpirun -n 3 passgrid bench dispatch --records --tasks 10000\n",
    .run = run,
};
