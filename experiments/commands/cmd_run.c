/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid run: runs a grid, alone or under mpirun. Rank 0 reads the configuration and tells the other ranks what to do. */
#include "experiments/commands/commands.h"

#include "core/base/memory.h"
#include "core/compute/parallel.h"
#include "core/data/dataset.h"
#include "experiments/commands/deadline.h"
#include "experiments/commands/named_grid.h"
#include "experiments/report/tables.h"
#include "experiments/run/provenance.h"
#include "experiments/run/run.h"
#include "experiments/run/signals.h"
#include "experiments/run/worker.h"
#include "experiments/work/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Message from rank 0 to the other ranks. */
typedef struct order {
    bool go;     /* there is work */
    int threads; /* 0: each rank decides */
    double checkpoint_seconds, silence;
    char directory[PG_PATH_MAX], data_directory[PG_PATH_MAX];
} order;

/* Most seconds from a signal to the end of a master, which waits for its workers. */
enum { WAITING_SECONDS = PG_SAVING_SECONDS + 3 };

typedef struct arguments {
    pg_grid_arguments grid;
    int threads, deadline, silence; /* the first two: 0, not given */
    bool replace;
} arguments;
static const arguments defaults = {.silence = 60};

static const pg_cli_row rows[] = {
    PG_CLI_ROWS(arguments, grid, pg_grid_rows),
    PG_CLI_FLAG(
        arguments, replace, "replace",
        "use the directory even if it belongs to a grid of another name: cells.csv and the tables then show this grid, and "
        "the records of the other one stay"),
    PG_CLI_INT(arguments, threads, "threads", "N", 1, 1024, "threads of each working rank",
               .fallback = "`threads` of the configuration"),
    PG_CLI_DEADLINE(arguments, deadline),
    PG_CLI_INT(
        arguments, silence, "lost-after", "SECONDS", 1, 1000000,
        "declare a rank lost when it has been silent for this long, and for 20 times the longest gap between its messages; a "
        "rank that ends beside another one of its host is lost within seconds"),
    {0},
};

static pg_status fill_order(const arguments *a, const pg_grid *grid, order *o, pg_error *err)
{
    /* Rank 0 finds the directory for all ranks: a launcher may not pass the environment on. Synthetic data need none. */
    if (pg_data_directory(o->data_directory, a->grid.data, err) != PG_OK) {
        if (a->grid.data) return pg_fail(err, PG_BAD_INPUT, "--data: path too long");
        o->data_directory[0] = 0;
    }
    o->threads = a->threads ? a->threads : grid->options.threads;
    o->checkpoint_seconds = 60 * grid->options.checkpoint;
    o->silence = a->silence;
    return PG_OK;
}

/* *left: the grid has tasks to run; *littered: an earlier run left files to remove. */
static pg_status anything_left(const pg_grid *grid, const char *directory, bool *left, bool *littered, pg_error *err)
{
    pg_task_state *states = NULL;
    pg_status status = pg_alloc((size_t)grid->count, sizeof *states, &states, err);
    if (status == PG_OK) status = pg_rundir_scan(directory, grid, states, err);
    if (status == PG_OK) status = pg_rundir_littered(directory, grid, states, littered, err);
    *left = false;
    for (int i = 0; status == PG_OK && i < grid->count; i++) *left |= states[i] != PG_STATE_DONE;
    pg_free(states);
    return status;
}

/* Workers on the host of a rank, their threads, and the cores that they may use; -1 if an earlier rank is on that host. */
static int crowd_of(const pg_rank_facts *ranks, int first, int count, int rank, int *threads, int *cores)
{
    int workers = 0;
    cpu_set_t all;
    CPU_ZERO(&all);
    *threads = 0;
    for (int k = first; k < count; k++) {
        if (strcmp(ranks[k].host, ranks[rank].host) != 0) continue;
        if (k < rank) return -1;
        workers++;
        *threads += ranks[k].threads;
        CPU_OR(&all, &all, &ranks[k].mask);
    }
    *cores = CPU_COUNT(&all) > 0 ? CPU_COUNT(&all) : ranks[rank].cores;
    return workers;
}

/* Refuse ranks of another version, and ranks that are bound to fewer cores than they have threads: a run would be many times
 * slower. A rank alone is warned below. With several ranks, rank 0 does not compute. */
static pg_status check_ranks(const pg_rank_facts *ranks, int count, pg_error *err)
{
    for (int rank = 1; rank < count; rank++) {
        const pg_rank_facts *r = &ranks[rank];
        if (r->host[0] && strcmp(r->version, ranks[0].version) != 0)
            return pg_fail(err, PG_BAD_INPUT, "rank %d on %s is %s, rank 0 on %s is %s: start the same version on every host",
                           rank, r->host, r->version, ranks[0].host, ranks[0].version);
        if (r->allowed < r->cores && r->allowed < r->threads)
            return pg_fail(err, PG_BAD_INPUT,
                           "rank %d on %s may use %d of %d cores for its %d threads, which would be many times slower: give "
                           "mpirun --map-by slot:PE=%d --bind-to core, or --bind-to none",
                           rank, r->host, r->allowed, r->cores, r->threads, r->threads);
    }
    return PG_OK;
}

/* Warn when threads share too few cores: the run is slow then, and nothing else shows why. */
static void warn_of_crowds(const pg_rank_facts *ranks, int count)
{
    for (int rank = count > 1, threads, cores; rank < count; rank++) {
        const pg_rank_facts *r = &ranks[rank];
        const int workers = crowd_of(ranks, count > 1, count, rank, &threads, &cores);
        if (workers > 0 && r->allowed < r->cores && r->allowed < r->threads)
            fprintf(stderr, "passgrid run: warning: %s: the %d threads of rank %d are bound to %d of %d cores\n", r->host,
                    r->threads, rank, r->allowed, r->cores);
        else if (workers > 0 && threads > cores)
            fprintf(stderr, "passgrid run: warning: %s: %d threads of %d working rank%s share %d core%s\n", r->host, threads,
                    workers, workers == 1 ? "" : "s", cores, cores == 1 ? "" : "s");
    }
}

/* Warn when ranks compute on different processors, because libraries choose other kernels there. */
static void warn_of_processors(const pg_rank_facts *ranks, int count)
{
    for (int rank = 2; rank < count; rank++) {
        if (!ranks[rank].host[0] || !ranks[1].host[0] || strcmp(ranks[rank].processor, ranks[1].processor) == 0) continue;
        fprintf(
            stderr,
            "passgrid run: warning: ranks compute on different processors, %s on %s and %s on %s: the last digits of results "
            "may depend on the rank (provenance.json lists the processors of ranks, timings.csv the rank of every task)\n",
            ranks[1].processor, ranks[1].host, ranks[rank].processor, ranks[rank].host);
        return;
    }
}

/* Warn if the file system lets other users read evidence; the run continues. */
static pg_status warn_of_readers(const char *directory, pg_error *err)
{
    bool keeps;
    char path[PG_PATH_MAX];
    pg_status status = pg_path(path, directory, "evidence", NULL, err);
    if (status == PG_OK) status = pg_file_keeps_secrets(path, &keeps, err);
    if (status == PG_OK && !keeps)
        fprintf(
            stderr,
            "passgrid run: warning: %s: this file system keeps no permissions, so other users may be able to read the evidence; "
            "choose another file system with --out\n",
            path);
    return status;
}

/* Read the configuration and make the directory. */
static pg_status prepare(const arguments *a, pg_rank_facts *ranks, int rank_count, order *o, pg_grid **grid, pg_run_lock *lock,
                         pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    bool left, littered;
    int left_out;
    PG_TRY(pg_named_grid_read(&a->grid, grid, o->directory, problems, err));
    PG_TRY(fill_order(a, *grid, o, err));
    for (int i = 0; o->threads && i < rank_count; i++) ranks[i].threads = o->threads;
    PG_TRY(check_ranks(ranks, rank_count, err));
    PG_TRY(pg_rundir_suits(o->directory, *grid, a->replace, &left_out, err));
    PG_TRY(pg_rundir_make(o->directory, err));
    PG_TRY(anything_left(*grid, o->directory, &left, &littered, err));
    if (left || littered || pg_run_lock_there(o->directory)) PG_TRY(pg_run_lock_take(lock, o->directory, err));
    PG_TRY(pg_rundir_describe(o->directory, *grid, err));
    if (left_out)
        fprintf(stderr,
                "passgrid run: note: %d finished tasks in %s no longer belong to this grid; cells.csv and the tables leave "
                "them out, and their records stay\n",
                left_out, o->directory);
    if ((*grid)->idle[0])
        fprintf(stderr, "passgrid run: note: without effect, because the grid has no scheme to which they apply: %s\n",
                (*grid)->idle);
    if (left) PG_TRY(pg_provenance_write(o->directory, ranks, rank_count, err));
    if (left) warn_of_crowds(ranks, rank_count);
    if (left) warn_of_processors(ranks, rank_count);
    if (left) PG_TRY(warn_of_readers(o->directory, err));
    o->go = lock->text[0];
done:
    return status;
}

static void summarise(const pg_run_result *r, int workers, const char *directory)
{
    fprintf(stderr, "passgrid run: %d tasks done", r->done);
    if (r->failed) fprintf(stderr, ", %d failed, %d skipped", r->failed, r->skipped);
    if (r->left) fprintf(stderr, ", %d left", r->left);
    if (r->ran) {
        const double share = r->busy / workers, bound = share > r->critical ? share : r->critical;
        fprintf(stderr, "; %d of them now in %.1f s, %.2f of the bound %.1f s (longest path %.1f s, work / workers %.1f s)",
                r->ran, r->seconds, r->seconds / bound, bound, r->critical, share);
    }
    fprintf(stderr, "; results in %s\n", directory);
    if (r->lost[0]) fprintf(stderr, "passgrid run: lost: %s\n", r->lost);
}

/* Write and print the tables of a grid whose tasks are all done; the exit code. */
static int show(const order *o, const pg_run_result *result, int workers)
{
    pg_error err;
    const pg_status status = pg_tables_render(o->directory, false, stdout, &err);
    fflush(stdout); /* before the summary on stderr */
    summarise(result, workers, o->directory);
    return status == PG_OK ? 0 : pg_complain("run", status, "%s", err.message);
}

/* Run and render; the exit code. */
static int carry_out(pg_comm *comm, const order *o, double deadline, const pg_grid *grid, pg_run_lock *lock)
{
    pg_error err = {.message = ""};
    pg_run_result result = {0};
    const pg_run_options options = {.directory = o->directory,
                                    .data_directory = o->data_directory,
                                    .stream = stderr,
                                    .lock = lock,
                                    .checkpoint_seconds = o->checkpoint_seconds,
                                    .deadline = deadline,
                                    .silence = o->silence};
    const int workers = comm->size > 1 ? comm->size - 1 : 1;
    const pg_status status = pg_run_grid(grid, comm, &options, &result, &err);
    if (status == PG_OK) return show(o, &result, workers);
    if (status == PG_FAILED || result.seconds > 0) summarise(&result, workers, o->directory);
    if (status != PG_FAILED) return pg_complain("run", status, "%s", err.message);
    return pg_complain("run", status, "%s; `passgrid table --partial %s` shows the tables without them", err.message,
                       o->directory);
}

static int lead(pg_comm *comm, int argc, char **argv, pg_rank_facts *ranks)
{
    static order o;
    static pg_problems problems;
    static pg_run_lock lock;
    arguments a;
    pg_grid *grid = NULL;
    pg_error err;
    double deadline = 0;
    int code;
    if (pg_cli_parse(&pg_cmd_run, argc, argv, &a, &code)) {
        pg_status status = pg_deadline_find(a.deadline, &deadline, &err);
        if (status == PG_OK) status = prepare(&a, ranks, comm->size, &o, &grid, &lock, &problems, &err);
        code = status == PG_OK ? 0 : pg_named_grid_complain("run", status, &problems, &err);
    }
    const pg_status shared = pg_comm_broadcast(comm, &o, sizeof o, &err);
    if (shared != PG_OK) code = pg_complain("run", shared, "%s", err.message);
    if (o.go && shared == PG_OK) {
        if (o.threads) pg_compute_start(o.threads);
        pg_signals_grace(comm->size > 1 ? WAITING_SECONDS : PG_SAVING_SECONDS);
        code = carry_out(comm, &o, deadline, grid, &lock);
    } else if (shared == PG_OK && grid && code == 0) {
        const pg_run_result complete = {.done = grid->count};
        pg_grid_destroy(&grid);
        code = show(&o, &complete, 1);
    }
    const pg_status released = pg_run_lock_release(&lock, &err);
    if (released != PG_OK && code == 0) code = pg_complain("run", released, "%s", err.message);
    pg_grid_destroy(&grid);
    return code;
}

static int follow(pg_comm *comm, int threads)
{
    static order o;
    pg_error err;
    pg_status status = pg_comm_broadcast(comm, &o, sizeof o, &err);
    if (status == PG_OK && o.go) {
        pg_signals_grace(PG_SAVING_SECONDS);
        pg_workplace at = {.directory = o.directory,
                           .data_directory = o.data_directory,
                           .patience = PG_LATE_SECONDS,
                           .checkpoint_seconds = o.checkpoint_seconds};
        pg_compute_start(o.threads ? o.threads : threads);
        status = pg_worker_loop(comm, &at, pg_perform, o.silence, &err);
    }
    return status == PG_OK ? 0 : pg_complain("run", status, "rank %d: %s", comm->rank, err.message);
}

static int run(int argc, char **argv)
{
    pg_comm comm;
    pg_error err;
    pg_rank_facts mine = {.threads = 0}, *all = NULL;
    int code;
    pg_signals_catch();
    pg_status status = pg_comm_start(&comm, &err);
    if (status == PG_OK) status = pg_alloc((size_t)comm.size, sizeof *all, &all, &err);
    if (status == PG_OK) pg_rank_describe(&mine, pg_comm_workers_here(&comm));
    if (status == PG_OK) status = pg_comm_gather(&comm, &mine, sizeof mine, all, &err);
    if (status != PG_OK) {
        code = pg_complain("run", status, "%s", err.message);
    } else if (comm.rank == 0) {
        pg_compute_start(mine.threads);
        code = lead(&comm, argc, argv, all);
    } else
        code = follow(&comm, mine.threads);
    pg_free(all);
    pg_comm_finish(&comm, code);
    return code;
}

const pg_command pg_cmd_run = {
    .name = "run",
    .summary = "run a grid, or what is left of it, and print its tables",
    .usage = "passgrid run CONFIG [options]\nslurm/launch.sh -n RANKS -- passgrid run CONFIG [options]",
    .about =
        "Run every task of the grid that has no result yet, then write cells.csv and the tables, and print them. Rank 0 hands "
        "out the tasks and the other ranks run them; a single process does both. launch.sh calls mpirun with the settings that such "
        "a run needs and passes its options on.\n"
        "Repeat the command to continue a run that has stopped; it leaves a finished run unchanged. Ctrl-C, SIGTERM, SIGHUP, "
        "SIGUSR1, SIGUSR2 and SIGXCPU save every task and end the run.",
    .rows = rows,
    .size = sizeof(arguments),
    .defaults = &defaults,
    .exits = "0 all tasks are done\n1 some tasks failed\n2 bad usage or configuration\n3 input/output fault\n"
             "75 interrupted, with everything saved; repeat the command",
    .examples = "  passgrid run configs/quick.yaml\n"
                "  slurm/launch.sh -n 5 -- passgrid run configs/quick.yaml --threads 2\n"
                "  passgrid run configs/paper.yaml --profile laptop --set train.epochs=20\n",
    .run = run,
};
