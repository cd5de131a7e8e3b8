/* passgrid plan: what a grid would do. */
#include "experiments/commands.h"

#include "core/base/memory.h"
#include "experiments/dispatch.h"
#include "experiments/rundir.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: passgrid plan CONFIG [options]\n"
    "\n"
    "Show every task of the grid: its state in the directory of the run, its cost in billions of multiply-adds, the\n"
    "cost of the longest path that begins with it, its parents.\n"
    "\n"
    "  --out DIR          directory of the run (default: results/NAME)\n"
    "  --set KEY=VALUE    change a key of the configuration; may be repeated\n"
    "  --data DIR         where the data sets are\n";

static pg_status show(const pg_grid *grid, const char *directory, pg_error *err)
{
    pg_status status = PG_OK;
    pg_task_state *states = NULL;
    bool *done = NULL;
    pg_dispatch *dispatch = NULL;
    int counts[4] = {0};
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *states, &states, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *done, &done, err));
    PG_TRY(pg_rundir_scan(directory, grid, states, err));
    for (int i = 0; i < grid->count; i++) {
        done[i] = states[i] == PG_STATE_DONE;
        counts[states[i]]++;
    }
    PG_TRY(pg_dispatch_create(grid, done, &dispatch, err));
    printf("%-8s  %-11s  %10s  %10s  %-17s  %s\n", "task", "state", "cost", "path", "parents", "name");
    for (int i = 0; i < grid->count; i++) {
        const pg_node_task *t = &grid->tasks[i];
        char parents[32] = "-";
        for (int p = 0; p < t->parent_count; p++)
            snprintf(parents + 9 * p, sizeof parents - (size_t)(9 * p), "%s%.8s", p ? " " : "", grid->tasks[t->parents[p]].key);
        printf("%.8s  %-11s  %10.2f  %10.2f  %-17s  %s\n", t->key, pg_task_state_names[states[i]], t->cost / 1e9,
               dispatch->remaining[i] / 1e9, parents, t->name);
    }
    printf("%d tasks: %d done, %d failed, %d interrupted, %d new; %.2f to do, of which %.2f on the longest path\n", grid->count,
           counts[PG_STATE_DONE], counts[PG_STATE_FAILED], counts[PG_STATE_INTERRUPTED], counts[PG_STATE_NEW],
           pg_dispatch_open(dispatch) / 1e9, pg_dispatch_critical(dispatch) / 1e9);
done:
    pg_dispatch_destroy(&dispatch);
    pg_free(states);
    pg_free(done);
    return status;
}

int pg_cmd_plan(int argc, char **argv)
{
    enum { SETS_MAX = 64 };
    static const struct option options[] = {{"out", required_argument, NULL, 'o'},
                                            {"set", required_argument, NULL, 's'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static pg_problems problems;
    const char *sets[SETS_MAX], *out = NULL, *data = NULL;
    char directory[PG_PATH_MAX];
    int set_count = 0;
    pg_grid *grid = NULL;
    pg_error err;
    for (int c; (c = pg_next_option(argc, argv, options)) != -1;) {
        if (c == '?') return 2;
        if (c == 'h') return fputs(usage, stdout) < 0 ? 3 : 0;
        if (c == 'o') out = optarg;
        if (c == 'd') data = optarg;
        if (c == 's' && set_count < SETS_MAX) sets[set_count++] = optarg;
    }
    if (argc - optind != 1) return pg_complain("plan", PG_BAD_INPUT, "expected one configuration file (passgrid plan --help)");
    pg_status status = pg_grid_read(argv[optind], sets, set_count, data, &grid, &problems, &err);
    if (status == PG_OK) {
        if (out)
            snprintf(directory, sizeof directory, "%s", out);
        else
            snprintf(directory, sizeof directory, "results/%s", grid->options.name);
        status = show(grid, directory, &err);
    }
    pg_grid_destroy(&grid);
    if (status == PG_OK) return 0;
    if (!problems.count) return pg_complain("plan", status, "%s", err.message);
    pg_problems_print(&problems, stderr);
    return pg_status_exit_code(status);
}
