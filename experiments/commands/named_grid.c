/* A grid named on the command line; see named_grid.h. */
#include "experiments/commands/named_grid.h"

#include "core/base/memory.h"
#include "experiments/commands/commands.h"

#include <stdio.h>

enum { SETS_MAX = 64 };

typedef struct arguments {
    const char *sets[SETS_MAX], *out, *data;
    char profile[PG_TEXT_MAX]; /* as it is typed */
    int set_count;
    bool help;
} arguments;

static pg_status parse(int argc, char **argv, int words, arguments *a, pg_error *err)
{
    static const struct option options[] = {{"out", required_argument, NULL, 'o'},     {"set", required_argument, NULL, 's'},
                                            {"profile", required_argument, NULL, 'p'}, {"data", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},          {0}};
    *a = (arguments){0};
    for (int c; (c = pg_next_option(argc, argv, options)) != -1;) {
        if (c == '?') return pg_fail(err, PG_BAD_INPUT, "%s", "");
        if (c == 'o') a->out = optarg;
        if (c == 'd') a->data = optarg;
        if (c == 'h') a->help = true;
        if (c == 'p') snprintf(a->profile, sizeof a->profile, "--profile=%s", optarg);
        if ((c == 's' || c == 'p') && a->set_count == SETS_MAX)
            return pg_fail(err, PG_BAD_INPUT, "more than %d times --set", SETS_MAX);
        if (c == 's' || c == 'p') a->sets[a->set_count++] = c == 's' ? optarg : a->profile;
    }
    if (a->help || argc - optind == words) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "expected %s (passgrid %s --help)",
                   words == 1 ? "one configuration file" : "a task and a configuration file", argv[0]);
}

static pg_status look(const char *config, const arguments *a, pg_named_grid *out, pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_grid_read(config, a->sets, a->set_count, a->data, &out->grid, problems, err));
    if (a->out && snprintf(out->directory, PG_PATH_MAX, "%s", a->out) >= PG_PATH_MAX)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "--out: path too long"));
    if (!a->out) PG_TRY(pg_path(out->directory, "results", out->grid->options.name, NULL, err));
    PG_TRY(pg_alloc((size_t)out->grid->count, sizeof *out->states, &out->states, err));
    PG_TRY(pg_rundir_scan(out->directory, out->grid, out->states, err));
done:
    return status;
}

bool pg_named_grid_open(int argc, char **argv, int words, const char *usage, pg_named_grid *out, int *code)
{
    static pg_problems problems;
    arguments a;
    pg_error err = {.message = ""};
    *out = (pg_named_grid){0};
    pg_status status = parse(argc, argv, words, &a, &err);
    if (status == PG_OK && a.help) {
        *code = pg_print(usage);
        return false;
    }
    if (status == PG_OK) status = look(argv[optind + words - 1], &a, out, &problems, &err);
    if (status == PG_OK) return true;
    if (problems.count)
        pg_problems_print(&problems, stderr);
    else if (err.message[0])
        pg_complain(argv[0], status, "%s", err.message);
    *code = pg_status_exit_code(status);
    pg_named_grid_close(out);
    return false;
}

void pg_named_grid_close(pg_named_grid *named)
{
    pg_grid_destroy(&named->grid);
    pg_free(named->states);
    *named = (pg_named_grid){0};
}
