/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid task: runs one task of a grid, for engines that start a process for each. */
#include "experiments/commands/commands.h"

#include "core/compute/parallel.h"
#include "experiments/commands/deadline.h"
#include "experiments/commands/named_grid.h"
#include "experiments/run/provenance.h"
#include "experiments/run/run.h"
#include "experiments/run/signals.h"
#include "experiments/work/records.h"

#include <stdio.h>

typedef struct arguments {
    const char *task;
    pg_grid_arguments grid;
    int threads, deadline; /* 0: not given */
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_TEXT(arguments, task, NULL, "TASK", "name of a task, or the beginning of its key, as `passgrid plan` prints them"),
    PG_CLI_ROWS(arguments, grid, pg_grid_rows),
    PG_CLI_INT(arguments, threads, "threads", "N", 1, 1024, "threads", .fallback = "`threads` of the configuration"),
    PG_CLI_DEADLINE(arguments, deadline),
    {0},
};

static pg_status check_parents(const char *directory, const pg_grid *grid, const pg_grid_task *task, pg_error *err)
{
    for (int i = 0; i < task->parent_count; i++) {
        const pg_grid_task *parent = &grid->tasks[task->parents[i]];
        bool done;
        const pg_status status = pg_records_done(directory, parent->key, parent->keep, &done, err);
        if (status != PG_OK) return status;
        if (!done)
            return pg_fail(err, PG_BAD_INPUT, "%s needs %s, which is not done: run that first", task->name, parent->name);
    }
    return PG_OK;
}

/* Describe the run as a run would; who comes first describes the machine. */
static pg_status describe(const char *directory, const pg_grid *grid, const pg_rank_facts *here, pg_error *err)
{
    pg_status status = PG_OK;
    int left_out;
    char path[PG_PATH_MAX];
    PG_TRY(pg_rundir_suits(directory, grid, false, &left_out, err));
    PG_TRY(pg_rundir_make(directory, err));
    PG_TRY(pg_rundir_describe(directory, grid, err));
    PG_TRY(pg_path(path, directory, "provenance.json", NULL, err));
    if (!pg_file_exists(path)) PG_TRY(pg_provenance_write(directory, here, 1, err));
done:
    return status;
}

/* Claim the task, and run it unless it is done: another process may have done it before the claim. */
static pg_status perform(const arguments *a, const char *directory, pg_grid *grid, int at, double deadline, pg_error *err)
{
    static pg_run_lock lock;
    pg_status status = PG_OK;
    pg_comm alone = {.size = 1};
    pg_run_result result;
    pg_rank_facts here;
    pg_error released;
    const int threads = a->threads ? a->threads : grid->options.threads;
    pg_rank_describe(&here, 1);
    if (threads) here.threads = threads;
    pg_compute_start(here.threads);
    PG_TRY(describe(directory, grid, &here, err));
    PG_TRY(check_parents(directory, grid, &grid->tasks[at], err));
    PG_TRY(pg_run_lock_claim(&lock, directory, grid->tasks[at].key, err));
    pg_grid_keep(grid, at);
    const pg_run_options options = {.directory = directory,
                                    .data_directory = a->grid.data,
                                    .stream = stderr,
                                    .lock = &lock,
                                    .shared = true,
                                    .checkpoint_seconds = 60 * grid->options.checkpoint,
                                    .deadline = deadline};
    status = pg_run_grid(grid, &alone, &options, &result, err);
    if (pg_run_lock_release(&lock, &released) != PG_OK && status == PG_OK)
        status = pg_fail(err, PG_IO_FAULT, "%s", released.message);
done:
    return status;
}

static int run(int argc, char **argv)
{
    static pg_problems problems;
    arguments a;
    pg_grid *grid = NULL;
    pg_error err;
    char directory[PG_PATH_MAX];
    int code, at = -1;
    bool done = false;
    double deadline;
    pg_signals_catch();
    if (!pg_cli_parse(&pg_cmd_task, argc, argv, &a, &code)) return code;
    pg_signals_grace(PG_SAVING_SECONDS);
    pg_status status = PG_OK;
    PG_TRY(pg_deadline_find(a.deadline, &deadline, &err));
    PG_TRY(pg_named_grid_read(&a.grid, &grid, directory, &problems, &err));
    PG_TRY(pg_named_task(grid, a.task, &at, &err));
    PG_TRY(pg_records_done(directory, grid->tasks[at].key, grid->tasks[at].keep, &done, &err));
    if (done)
        fprintf(stderr, "passgrid task: %s is done\n", grid->tasks[at].name);
    else
        PG_TRY(perform(&a, directory, grid, at, deadline, &err));
done:
    code = status == PG_OK ? 0 : pg_named_grid_complain("task", status, &problems, &err);
    pg_grid_destroy(&grid);
    return code;
}

const pg_command pg_cmd_task = {
    .name = "task",
    .summary = "run one task of a grid, beside others",
    .about =
        "Run one task whose parents are done, for engines that start a process for each task: make, Slurm arrays, HyperQueue "
        "(passgrid plan --export writes the graph for them). Any number of such processes may work in one directory. Each claims "
        "its task alone, saves it as `run` does when it is told to end, and repeating the command resumes it. If the task is done, "
        "nothing happens. Afterwards `passgrid table DIR` makes the tables.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the task is done\n1 the task failed\n2 bad usage or configuration, or a parent is not done\n"
             "3 input/output fault\n"
             "75 interrupted, with everything saved, or another process is at work on the task: repeat the command later",
    .examples = "  passgrid task 3f9a configs/quick.yaml --out results/quick\n",
    .run = run,
};
