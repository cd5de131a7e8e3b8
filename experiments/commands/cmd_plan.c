/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid plan: shows what a run of a grid would do. */
#include "experiments/commands/commands.h"

#include "core/base/memory.h"
#include "experiments/commands/named_grid.h"
#include "experiments/commands/plan_export.h"
#include "experiments/commands/plan_simulate.h"
#include "experiments/grid/estimate.h"
#include "experiments/grid/inputs.h"
#include "experiments/run/dispatch.h"
#include "experiments/run/run_lock.h"
#include "experiments/run/simulate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct arguments {
    pg_grid_arguments grid;
    int export; /* pg_export; -1: not given */
    const char *simulate;
    int allocation;
} arguments;
static const arguments defaults = {.export = -1, .allocation = 43200};

static const pg_cli_row rows[] = {
    PG_CLI_ROWS(arguments, grid, pg_grid_rows),
    PG_CLI_CHOICE(
        arguments, export, "export", "FORMAT",
        "print the unfinished tasks, each as a `passgrid task` command, for other engines: JSON lines, a makefile, or a "
        "script that submits Slurm job arrays",
        .choices = pg_export_names, .fallback = "a table of all tasks"),
    PG_CLI_TEXT(arguments, simulate, "simulate", "CORES",
                "simulate the run on each of these numbers of cores, such as 64,256,1024, and print the split into ranks and "
                "threads that ends first",
                .fallback = "a table of all tasks"),
    PG_CLI_INT(arguments, allocation, "allocation", "SECONDS", 60, 100000000,
               "length of an allocation: tasks continue in the next one from their checkpoints"),
    {0},
};

static void show_tasks(const pg_named_grid *named, const pg_dispatch *dispatch)
{
    const pg_grid *grid = named->grid;
    size_t widest = strlen("name");
    for (int i = 0; i < grid->count; i++)
        if (strlen(grid->tasks[i].name) > widest) widest = strlen(grid->tasks[i].name);
    printf("%-8s  %-11s  %10s  %10s  %-*s  %s\n", "task", "state", "seconds", "path", (int)widest, "name", "parents");
    for (int i = 0; i < grid->count; i++) {
        const pg_grid_task *t = &grid->tasks[i];
        printf("%.8s  %-11s  %10.1f  %10.1f  %-*s  ", t->key, pg_task_state_names[named->states[i]], dispatch->cost[i],
               dispatch->remaining[i], (int)widest, t->name);
        for (int p = 0; p < t->parent_count; p++) printf("%s%.8s", p ? "," : "", grid->tasks[t->parents[p]].key);
        puts(t->parent_count ? "" : "-");
    }
}

/* The unfinished task with the longest path among items from .. to - 1 of a list; list NULL: the numbers themselves. -1: none.
 */
static int longest(const pg_named_grid *named, const pg_dispatch *dispatch, const int *list, int from, int to)
{
    int best = -1;
    for (int i = from; i < to; i++) {
        const int task = list ? list[i] : i;
        if (named->states[task] == PG_STATE_DONE) continue;
        if (best < 0 || dispatch->remaining[task] > dispatch->remaining[best]) best = task;
    }
    return best;
}

static void show_path(const pg_named_grid *named, const pg_dispatch *d)
{
    int task = longest(named, d, NULL, 0, named->grid->count);
    if (task < 0) return;
    puts("longest path, in seconds:");
    for (; task >= 0; task = longest(named, d, d->children, d->child_start[task], d->child_start[task + 1]))
        printf("  %10.1f  %s\n", d->cost[task], named->grid->tasks[task].name);
}

/* Seconds of a task and of its ancestors, each counted once: `visited` marks them with this number. */
static double alone(const pg_named_grid *named, const pg_dispatch *d, int task, int number, int *visited)
{
    const pg_grid_task *t = &named->grid->tasks[task];
    if (visited[task] == number) return 0;
    visited[task] = number;
    double sum = d->cost[task];
    for (int p = 0; p < t->parent_count; p++) sum += alone(named, d, t->parents[p], number, visited);
    return sum;
}

/* visited: [tasks], zero */
static void show_sharing(const pg_named_grid *named, const pg_dispatch *d, int *visited)
{
    int shared = 0;
    double together = 0, apart = 0;
    for (int i = 0; i < named->grid->count; i++) {
        const int children = d->child_start[i + 1] - d->child_start[i];
        shared += children > 1;
        together += d->cost[i];
        if (!children) apart += alone(named, d, i, i + 1, visited);
    }
    if (shared)
        printf("shared: %d tasks serve several others; with nothing shared the grid would take %.1f times as long\n", shared,
               together > 0 ? apart / together : 1);
}

/* The network in a task's name, its second part; stores the length. */
static const char *network_of(const pg_grid_task *task, int *length)
{
    const char *network = strchr(task->name, '/') + 1;
    *length = (int)strcspn(network, "/");
    return network;
}

/* The unfinished work of each network, in the order of the tasks. visited: [tasks]; -1 marks a task that is counted */
static void show_networks(const pg_named_grid *named, const pg_dispatch *d, int *visited)
{
    const pg_grid *grid = named->grid;
    for (int i = 0; i < grid->count; i++) {
        int tasks = 0, length, other;
        double macs = 0, seconds = 0;
        const char *network = network_of(&grid->tasks[i], &length);
        for (int k = i; k < grid->count && visited[i] >= 0; k++) {
            const char *its = network_of(&grid->tasks[k], &other);
            if (other != length || strncmp(its, network, (size_t)length) != 0) continue;
            if (k > i) visited[k] = -1;
            if (named->states[k] == PG_STATE_DONE) continue;
            tasks++;
            macs += grid->tasks[k].cost;
            seconds += d->cost[k];
        }
        if (tasks)
            printf("%.*s: %d task%s left, %.2g multiply-adds, %.3g rank hours\n", length, network, tasks, tasks == 1 ? "" : "s",
                   macs, seconds / 3600);
    }
}

/* Data sets that are not installed. */
static void show_assumed(void)
{
    const char *const *names = pg_inputs_assumed();
    if (!*names) return;
    fputs("not installed, planned with the published size:", stdout);
    for (; *names; names++) printf(" %s", *names);
    putchar('\n');
}

static void show_idle(const pg_grid *grid)
{
    if (grid->idle[0]) printf("without effect, because the grid has no scheme to which they apply: %s\n", grid->idle);
}

/* The files of networks that were trained elsewhere. */
static void show_supplied(const pg_grid *grid)
{
    for (int i = 0; i < grid->count; i++)
        if (grid->tasks[i].about) printf("%.8s imports %s\n", grid->tasks[i].key, grid->tasks[i].about);
}

static void show_source(const pg_named_grid *named, int timed)
{
    if (timed)
        printf("estimated from %d tasks that were timed in %s, with the threads of its ranks\n", timed, named->directory);
    else
        printf("estimated from the speed of a typical thread: no task was timed in %s\n", named->directory);
}

static void show_sums(const pg_named_grid *named, const pg_dispatch *dispatch, int timed)
{
    int counts[4] = {0};
    for (int i = 0; i < named->grid->count; i++) counts[named->states[i]]++;
    printf("%d tasks: %d done, %d failed, %d interrupted, %d new\n", named->grid->count, counts[PG_STATE_DONE],
           counts[PG_STATE_FAILED], counts[PG_STATE_INTERRUPTED], counts[PG_STATE_NEW]);
    if (pg_run_lock_there(named->directory))
        printf("%s/run.lock exists: a run is active, and its tasks count as interrupted; or a run was killed\n",
               named->directory);
    printf(
        "remaining: %.1f s on one rank, %.1f s on the longest path; %.3g rank hours (for core hours, multiply by the threads of a rank)\n",
        pg_dispatch_open(dispatch), pg_dispatch_critical(dispatch), pg_dispatch_open(dispatch) / 3600);
    show_source(named, timed);
}

/* As many as the longest path leaves work for; 0: nothing is left. */
static int useful_workers(const pg_dispatch *d)
{
    enum { WORKERS_MOST = 9999 };
    const double path = pg_dispatch_critical(d);
    return path > 0 ? (int)fmin(WORKERS_MOST, ceil(pg_dispatch_open(d) / path)) : 0;
}

/* What a rank needs, and what to ask Slurm for. */
static void show_request(const pg_grid_arguments *a, const pg_named_grid *named, const pg_dispatch *d, const pg_timed *timed)
{
    enum { FIVE_MINUTES = 300, STEP = 100 };
    const bool known = timed->measured == named->grid->count;
    const double spare = 1.25, bytes = known ? timed->bytes : fmax(timed->bytes, named->grid->rank_bytes);
    const int threads = named->grid->options.threads > 0 ? named->grid->options.threads : 1;
    const double open = pg_dispatch_open(d), path = pg_dispatch_critical(d);
    if (known)
        printf("memory: at most %.0f MB a rank, measured in %s\n", bytes / 1e6, named->directory);
    else
        printf("memory: about %.0f MB a rank, planned from networks, batches and data sets; %d of %d tasks were measured\n",
               bytes / 1e6, timed->measured, named->grid->count);
    const int workers = useful_workers(d);
    if (!workers) return;
    const double limit = FIVE_MINUTES * ceil(2 * fmax(path, open / workers) / FIVE_MINUTES);
    printf("Slurm: sbatch --ntasks=%d --cpus-per-task=%d --mem-per-cpu=%.0fM --time=%.0f:%02.0f:00 slurm/passgrid.sbatch ",
           workers, threads, STEP * ceil(spare * bytes / threads / 1e6 / STEP), floor(limit / 3600), fmod(limit, 3600) / 60);
    pg_plan_print_grid(a);
    putchar('\n');
}

/* How many allocations the grid needs with the workers of that request. */
static pg_status show_allocations(const pg_named_grid *named, const pg_dispatch *d, const bool *done, const double *seconds,
                                  double allocation, pg_error *err)
{
    pg_simulation s;
    const int workers = useful_workers(d);
    if (!workers) return PG_OK;
    const pg_status status = pg_simulate(named->grid, done, seconds, workers, &s, err);
    if (status != PG_OK) return status;
    printf(
        "allocations of %.2f hours: %.0f with %d worker%s; the longest path alone needs %.0f (--simulate shows other sizes)\n",
        allocation / 3600, ceil(s.seconds / allocation), workers, workers == 1 ? "" : "s", ceil(s.critical / allocation));
    return PG_OK;
}

static void show(const pg_grid_arguments *a, const pg_named_grid *named, const pg_dispatch *dispatch, const pg_timed *timed,
                 int *visited)
{
    show_tasks(named, dispatch);
    show_path(named, dispatch);
    show_sharing(named, dispatch, visited);
    show_networks(named, dispatch, visited);
    show_sums(named, dispatch, timed->tasks);
    show_request(a, named, dispatch, timed);
    show_assumed();
    show_idle(named->grid);
    show_supplied(named->grid);
}

static pg_status plan(const arguments *a, const pg_named_grid *named, pg_error *err)
{
    pg_status status = PG_OK;
    const size_t count = (size_t)named->grid->count;
    bool *done = NULL;
    int *visited = NULL;
    double *seconds = NULL;
    pg_timed timed;
    pg_dispatch *dispatch = NULL;
    PG_TRY(pg_alloc(count, sizeof *done, &done, err));
    PG_TRY(pg_alloc(count, sizeof *visited, &visited, err));
    PG_TRY(pg_alloc(count, sizeof *seconds, &seconds, err));
    for (size_t i = 0; i < count; i++) done[i] = named->states[i] == PG_STATE_DONE;
    PG_TRY(pg_estimate_seconds(named->directory, named->grid, seconds, &timed, err));
    if (a->simulate) {
        PG_TRY(pg_plan_simulate(named, done, seconds, a->simulate, a->allocation, err));
        show_source(named, timed.tasks);
        goto done;
    }
    PG_TRY(pg_dispatch_create(named->grid, done, seconds, &dispatch, err));
    if (a->export < 0) {
        show(&a->grid, named, dispatch, &timed, visited);
        PG_TRY(show_allocations(named, dispatch, done, seconds, a->allocation, err));
    } else
        PG_TRY(pg_plan_export((pg_export)a->export, &a->grid, named, dispatch, err));
done:
    pg_dispatch_destroy(&dispatch);
    pg_free(seconds);
    pg_free(visited);
    pg_free(done);
    return status;
}

static int run(int argc, char **argv)
{
    arguments a;
    pg_named_grid named;
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_plan, argc, argv, &a, &code)) return code;
    pg_inputs_assume();
    if (!pg_named_grid_open("plan", &a.grid, &named, &code)) return code;
    const pg_status status = plan(&a, &named, &err);
    pg_named_grid_close(&named);
    return status == PG_OK ? 0 : pg_complain("plan", status, "%s", err.message);
}

const pg_command pg_cmd_plan = {
    .name = "plan",
    .summary = "show the tasks of a grid, their state and estimated time",
    .about =
        "List every task of the grid: its state in the directory of the run, its seconds on one rank, the seconds of the longest "
        "path that begins with it, and its parents. Then show the longest path through unfinished tasks. plan estimates seconds "
        "from tasks that ran in that directory on ranks like those, else from the speed of a typical thread. A line for each network has "
        "its unfinished multiply-adds: divided by the speed that `passgrid bench` measures, they give the seconds on a machine of "
        "yours. The last lines show the memory of a rank, as measured there or as planned, a command for Slurm, which asks for a quarter more memory and for "
        "twice the time, and how many allocations of a given length the grid needs with its workers; replace `--set ...` in it by the values given to plan, which may be secret. plan changes nothing.\n"
        "--simulate runs the dispatcher of `run` with a clock of its own. Tasks take their estimated seconds; with more threads they "
        "are as much faster as training is on an AMD EPYC (Zen 5). `allocations` says how many of the given length the run needs on "
        "that number of cores, and `longest path` how many the longest path of tasks fills with those threads.",
    .rows = rows,
    .size = sizeof(arguments),
    .defaults = &defaults,
    .exits = "0 the grid can run\n2 bad usage or configuration\n3 input/output fault",
    .examples = "  passgrid plan configs/paper.yaml --profile laptop\n"
                "  passgrid plan configs/quick.yaml --export make >quick.mk\n  make -k -j 4 -f quick.mk\n"
                "  passgrid plan configs/paper.yaml --simulate 64,256,1024 --allocation 86400\n"
                "  passgrid plan configs/quick.yaml --set 'seeds=[1, 2, 3]'\n",
    .run = run,
};
