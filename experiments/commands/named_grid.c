/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A grid named on the command line; see named_grid.h. */
#include "experiments/commands/named_grid.h"

#include "core/base/memory.h"
#include "core/formats/yaml.h"
#include "experiments/grid/inputs.h"

#include <string.h>
#include <sys/stat.h>

/* Names of the profiles of a configuration, for completion. */
static const char *const *profile_names(const char *config)
{
    enum { NAMES_MAX = 32 };
    static char names[NAMES_MAX][64];
    static const char *list[NAMES_MAX + 1];
    pg_tree *tree = NULL;
    int count = 0;
    if (pg_yaml_parse_file(config, &tree, NULL) != PG_OK) return list;
    const pg_node *profiles = pg_node_find(tree->root, "profiles");
    for (const pg_node *p = profiles ? profiles->first : NULL; p && p->key && count < NAMES_MAX; p = p->next) {
        snprintf(names[count], sizeof names[count], "%s", p->key);
        list[count] = names[count];
        count++;
    }
    pg_tree_destroy(&tree);
    return list;
}

static const pg_cli_row option_rows[] = {
    PG_CLI_FOLDER(pg_grid_arguments, out, "out", "DIR", "directory of the run",
                  .fallback = "results/NAME, NAME from the configuration"),
    PG_CLI_TEXT(pg_grid_arguments, profile, "profile", "NAME", "apply this profile of the configuration",
                .offers = profile_names),
    PG_CLI_LIST(pg_grid_arguments, sets, "set", "KEY=VALUE",
                "change a key of the configuration, such as train.epochs=2 or networks.0.width=0.5 (passgrid help set); may be "
                "repeated"),
    PG_CLI_FOLDER(pg_grid_arguments, data, "data", "DIR", "where the data sets are", .fallback = PG_CLI_DATA),
    {0},
};

const pg_cli_row pg_grid_rows[] = {
    PG_CLI_FILE(pg_grid_arguments, config, NULL, "CONFIG", "the grid, a YAML file (passgrid help config)"),
    {.type = PG_CLI_IS_ROWS, .rows = option_rows},
    {0},
};

const pg_cli_row pg_run_rows[] = {
    PG_CLI_FILE(pg_grid_arguments, config, NULL, "RUN",
                "directory of the run, or its grid, with the options that were given to run"),
    {.type = PG_CLI_IS_ROWS, .rows = option_rows},
    {0},
};

pg_status pg_named_grid_read(const pg_grid_arguments *a, pg_grid **grid, char directory[PG_PATH_MAX], pg_problems *problems,
                             pg_error *err)
{
    pg_status status = PG_OK;
    char profile[PG_TEXT_MAX]; /* as it is typed: messages show it */
    const char *sets[PG_CLI_LIST_MAX + 1];
    int count = 0;
    if (a->profile) {
        snprintf(profile, sizeof profile, "--profile=%s", a->profile);
        sets[count++] = profile;
    }
    for (int i = 0; i < a->sets.count; i++) sets[count++] = a->sets.words[i];
    PG_TRY(pg_grid_read(a->config, sets, count, a->data, grid, problems, err));
    if (a->out && snprintf(directory, PG_PATH_MAX, "%s", a->out) >= PG_PATH_MAX)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "--out: path too long"));
    if (!a->out) PG_TRY(pg_path(directory, "results", (*grid)->options.name, NULL, err));
done:
    return status;
}

pg_status pg_named_task(const pg_grid *grid, const char *word, int *at, pg_error *err)
{
    int found = 0;
    for (int i = 0; i < grid->count; i++) {
        const pg_grid_task *t = &grid->tasks[i];
        if (strcmp(t->name, word) != 0 && strncmp(t->key, word, strlen(word)) != 0) continue;
        *at = i;
        found++;
    }
    if (found == 1 && word[0]) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s with the name or key '%s' (passgrid plan prints names and keys)",
                   found ? "several tasks" : "no task", word);
}

int pg_named_grid_complain(const char *command, pg_status status, const pg_problems *problems, const pg_error *err)
{
    if (!problems->count) return pg_complain(command, status, "%s", err->message);
    pg_problems_print(problems, stderr);
    return pg_status_exit_code(status);
}

bool pg_named_grid_open(const char *command, const pg_grid_arguments *a, pg_named_grid *out, int *code)
{
    static pg_problems problems;
    pg_status status = PG_OK;
    pg_error err;
    *out = (pg_named_grid){0};
    PG_TRY(pg_named_grid_read(a, &out->grid, out->directory, &problems, &err));
    PG_TRY(pg_alloc((size_t)out->grid->count, sizeof *out->states, &out->states, &err));
    PG_TRY(pg_rundir_scan(out->directory, out->grid, out->states, &err));
    return true;
done:
    *code = pg_named_grid_complain(command, status, &problems, &err);
    pg_named_grid_close(out);
    return false;
}

void pg_named_grid_close(pg_named_grid *named)
{
    pg_grid_destroy(&named->grid);
    pg_free(named->states);
    *named = (pg_named_grid){0};
}

static pg_status find_run(const pg_grid_arguments *a, char directory[PG_PATH_MAX], pg_problems *problems, pg_error *err)
{
    struct stat info;
    pg_grid *grid = NULL;
    if (stat(a->config, &info) == 0 && S_ISREG(info.st_mode)) {
        const pg_status status = pg_named_grid_read(a, &grid, directory, problems, err);
        pg_grid_destroy(&grid);
        return status;
    }
    if (a->out || a->data || a->profile || a->sets.count)
        return pg_fail(err, PG_BAD_INPUT, "%s: --out, --profile, --set and --data need a grid file", a->config);
    if (snprintf(directory, PG_PATH_MAX, "%s", a->config) >= PG_PATH_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: path too long", a->config);
    return PG_OK;
}

bool pg_named_run(const char *command, const pg_grid_arguments *a, char directory[PG_PATH_MAX], int *code)
{
    static pg_problems problems;
    pg_error err;
    pg_inputs_assume();
    const pg_status status = find_run(a, directory, &problems, &err);
    if (status != PG_OK) *code = pg_named_grid_complain(command, status, &problems, &err);
    return status == PG_OK;
}
