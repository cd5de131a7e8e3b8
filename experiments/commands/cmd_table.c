/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid table: renders the tables of a run again. */
#include "experiments/commands/commands.h"

#include "experiments/report/tables.h"

typedef struct arguments {
    const char *directory;
    bool partial, figures;
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_FOLDER(arguments, directory, NULL, "DIR", "directory of the run"),
    PG_CLI_FLAG(arguments, partial, "partial", "render the tables even if tasks have no result; the tables say so"),
    PG_CLI_FLAG(arguments, figures, "figures",
                "draw figures too: points and gnuplot scripts go to DIR/figures, and gnuplot draws them as SVG, PNG and PDF"),
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
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_table, argc, argv, &a, &code)) return code;
    pg_status status = pg_tables_render(a.directory, a.partial, stdout, &err);
    if (status == PG_OK && a.figures) status = draw(a.directory, a.partial, &err);
    return status == PG_OK ? 0 : pg_complain("table", status, "%s", err.message);
}

const pg_command pg_cmd_table = {
    .name = "table",
    .summary = "render and print the tables of a run again",
    .about = "Write cells.csv, artefacts.csv, tables/*.csv and tables/*.md of a run from its records, and print the tables.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the tables are written\n2 bad usage, DIR holds no run, or tasks have no result and --partial is not given\n"
             "3 input/output fault",
    .examples = "  passgrid table results/quick\n  passgrid table results/quick --partial --figures\n",
    .run = run,
};
