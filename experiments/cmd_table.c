/* passgrid table: the tables of a run again. */
#include "experiments/commands.h"

#include "experiments/tables.h"

#include <stdio.h>

static const char usage[] = "usage: passgrid table DIR [--partial]\n"
                            "\n"
                            "Render cells.csv and tables/*.csv of the run in DIR from its records, and print the tables.\n"
                            "\n"
                            "  --partial    even if tasks of the grid have no result; the tables say so\n";

int pg_cmd_table(int argc, char **argv)
{
    static const struct option options[] = {{"partial", no_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool partial = false;
    pg_error err;
    for (int c; (c = pg_next_option(argc, argv, options)) != -1;) {
        if (c == '?') return 2;
        if (c == 'h') return fputs(usage, stdout) < 0 ? 3 : 0;
        partial |= c == 'p';
    }
    if (argc - optind != 1)
        return pg_complain("table", PG_BAD_INPUT, "expected the directory of a run (passgrid table --help)");
    const pg_status status = pg_tables_render(argv[optind], partial, stdout, &err);
    return status == PG_OK ? 0 : pg_complain("table", status, "%s", err.message);
}
