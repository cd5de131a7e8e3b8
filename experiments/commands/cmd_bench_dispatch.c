/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid bench dispatch: sends empty tasks through the master, the workers and the journal of a real run. */
#include "experiments/commands/commands.h"

#include "core/base/memory.h"
#include "experiments/run/run.h"
#include "experiments/run/signals.h"
#include "experiments/run/worker.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct arguments {
    int tasks;
} arguments;
static const arguments defaults = {.tasks = 100000};

static const pg_cli_row rows[] = {
    PG_CLI_INT(arguments, tasks, "tasks", "N", 1, 10000000, "empty tasks to hand out"),
    {0},
};

static pg_status do_nothing(const char *text, const pg_workplace *at, pg_error *err)
{
    (void)text;
    (void)at;
    (void)err;
    return PG_OK;
}

/* Tasks without parents or content. */
static pg_status make_grid(int count, pg_grid *grid, pg_error *err)
{
    static char text[] = "";
    *grid = (pg_grid){.count = count};
    const pg_status status = pg_alloc((size_t)count, sizeof *grid->tasks, &grid->tasks, err);
    for (int i = 0; status == PG_OK && i < count; i++) {
        grid->tasks[i] = (pg_grid_task){.text = text, .cost = 1};
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

static pg_status follow(pg_comm *comm, pg_error *err)
{
    pg_workplace at = {.directory = ""};
    return pg_worker_loop(comm, &at, do_nothing, 60, err);
}

/* Remove what lead made below its directory. */
static void remove_all(const char *directory)
{
    static const char *const paths[] = {"logs/run.log", "events.jsonl", "timings.csv", "records", "failed", "models",
                                        "evidence",     "checkpoints",  "tables",      "logs",    NULL};
    char path[PG_PATH_MAX];
    for (int i = 0; paths[i]; i++)
        if (pg_path(path, directory, paths[i], NULL, NULL) == PG_OK) remove(path);
    remove(directory);
}

static int run(int argc, char **argv)
{
    const char *temporary = getenv("TMPDIR");
    char directory[PG_PATH_MAX];
    arguments a;
    pg_comm comm;
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_bench_dispatch, argc, argv, &a, &code)) return code;
    pg_signals_catch(); /* an interrupted benchmark removes its directory too */
    pg_status status = pg_comm_start(&comm, &err);
    if (status == PG_OK && comm.size == 1) status = pg_fail(&err, PG_BAD_INPUT, "needs mpirun with at least 2 ranks");
    if (status == PG_OK && comm.rank > 0) status = follow(&comm, &err);
    if (status == PG_OK && comm.rank == 0) {
        snprintf(directory, sizeof directory, "%s/passgrid-dispatch-XXXXXX", temporary ? temporary : "/tmp");
        status = mkdtemp(directory) ? lead(&comm, a.tasks, directory, &err) : pg_fail_errno(&err, "%s", directory);
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
    .about = "Hand out empty tasks to the workers, log them as a run does, and print how many per second that makes.",
    .rows = rows,
    .size = sizeof(arguments),
    .defaults = &defaults,
    .exits = "0 measured\n2 bad usage, or fewer than 2 ranks\n3 input/output fault",
    .examples = "  mpirun -n 3 passgrid bench dispatch --tasks 10000\n",
    .run = run,
};
