/* passgrid table: the tables of a run again. */
#include "experiments/commands/commands.h"

#include "experiments/report/tables.h"

#include <stdio.h>

static const char usage[] =
    "usage: passgrid table DIR [options]\n"
    "\n"
    "Render cells.csv, tables/*.csv and tables/*.md of the run in DIR from its records, and print the tables.\n"
    "\n"
    "  --partial    even if tasks of the grid have no result; the tables say so\n"
    "  --figures    figures too: points and gnuplot scripts in DIR/figures, drawn as SVG and PNG by gnuplot\n";

static pg_status draw(const char *directory, bool partial, pg_error *err)
{
    int drawn;
    const pg_status status = pg_tables_figures(directory, partial, &drawn, err);
    if (status != PG_OK) return status;
    if (drawn < 0)
        fprintf(stderr, "passgrid table: no gnuplot here (Debian: gnuplot-nox); %s/figures has the points and the scripts\n",
                directory);
    else
        fprintf(stderr, "passgrid table: %d figures in %s/figures\n", drawn, directory);
    return PG_OK;
}

int pg_cmd_table(int argc, char **argv)
{
    static const struct option options[] = {
        {"partial", no_argument, NULL, 'p'}, {"figures", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool partial = false, figures = false;
    pg_error err;
    for (int c; (c = pg_next_option(argc, argv, options)) != -1;) {
        if (c == '?') return 2;
        if (c == 'h') return pg_print(usage);
        partial |= c == 'p';
        figures |= c == 'f';
    }
    if (argc - optind != 1)
        return pg_complain("table", PG_BAD_INPUT, "expected the directory of a run (passgrid table --help)");
    pg_status status = pg_tables_render(argv[optind], partial, stdout, &err);
    if (status == PG_OK && figures) status = draw(argv[optind], partial, &err);
    return status == PG_OK ? 0 : pg_complain("table", status, "%s", err.message);
}
