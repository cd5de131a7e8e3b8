/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid table: renders the tables of a run again. */
#include "experiments/commands/commands.h"

#include "experiments/commands/named_grid.h"
#include "experiments/report/tables.h"

typedef struct arguments {
    pg_grid_arguments grid;
    bool partial, figures;
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_FLAG(arguments, partial, "partial", "render the tables even if tasks have no result; the tables say so"),
    PG_CLI_FLAG(
        arguments, figures, "figures",
        "draw figures too: points and gnuplot scripts go to figures/ of the run, and gnuplot draws them as SVG, PNG and PDF"),
    PG_CLI_ROWS(arguments, grid, pg_run_rows),
    {0},
};

static pg_status draw(const char *directory, bool partial, pg_error *err)
{
    int drawn;
    const pg_status status = pg_tables_figures(directory, partial, &drawn, err);
    if (status != PG_OK) return status;
    if (drawn < 0)
        fprintf(stderr,
                "passgrid table: gnuplot is not installed (Debian: gnuplot-nox); the points and scripts are in %s/figures\n",
                directory);
    else
        fprintf(stderr, "passgrid table: %d figures in %s/figures\n", drawn, directory);
    return PG_OK;
}

static int run(int argc, char **argv)
{
    arguments a;
    char directory[PG_PATH_MAX];
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_table, argc, argv, &a, &code)) return code;
    if (!pg_named_run("table", &a.grid, directory, &code)) return code;
    pg_status status = pg_tables_render(directory, a.partial, stdout, &err);
    if (status == PG_OK && a.figures) status = draw(directory, a.partial, &err);
    return status == PG_OK ? 0 : pg_complain("table", status, "%s", err.message);
}

const pg_command pg_cmd_table = {
    .name = "table",
    .summary = "render and print the tables of a run again",
    .about =
        "Write cells.csv, artefacts.csv and the tables of a run from its records, and print the tables. tables/ has each table as "
        "CSV, Markdown and LaTeX, and values.tex with every number as a macro.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the tables are written\n2 bad usage, RUN is no run, or tasks have no result and --partial is not given\n"
             "3 input/output fault",
    .examples = "  passgrid table results/quick --figures\n"
                "  passgrid table configs/paper.yaml --profile laptop --partial\n",
    .run = run,
};
