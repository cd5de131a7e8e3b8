/* passgrid list: what there is to put into a grid. */
#include "experiments/commands.h"

#include "attacks/attack.h"
#include "core/formats/problems.h"

#include <stdio.h>
#include <string.h>

static const char usage[] = "usage: passgrid list schemes|attacks|nets\n"
                            "\n"
                            "`passgrid help scheme NAME` and `passgrid help attack NAME` explain the options of one.\n";

static void list_schemes(void)
{
    for (int i = 0; pg_schemes[i]; i++) printf("%-10s %s\n", pg_schemes[i]->name, pg_schemes[i]->summary);
}

static void list_attacks(void)
{
    for (int i = 0; pg_attacks[i]; i++) printf("%-10s %s\n", pg_attacks[i]->name, pg_attacks[i]->summary);
}

static void list_nets(void)
{
    for (int i = 0; pg_archs[i]; i++) printf("%-10s %s\n", pg_archs[i]->name, pg_archs[i]->summary);
}

int pg_cmd_list(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    static const char *const words[] = {"schemes", "attacks", "nets", NULL};
    static void (*const lists[])(void) = {list_schemes, list_attacks, list_nets};
    const int c = pg_next_option(argc, argv, options);
    if (c == '?') return 2;
    if (c == 'h') return fputs(usage, stdout) < 0 ? 3 : 0;
    if (argc - optind != 1) return pg_complain("list", PG_BAD_INPUT, "expected one of schemes, attacks, nets");
    for (int i = 0; words[i]; i++)
        if (strcmp(argv[optind], words[i]) == 0) {
            lists[i]();
            return 0;
        }
    const char *near = pg_nearest(argv[optind], words);
    if (near) return pg_complain("list", PG_BAD_INPUT, "unknown list '%s', did you mean '%s'?", argv[optind], near);
    return pg_complain("list", PG_BAD_INPUT, "unknown list '%s': expected one of schemes, attacks, nets", argv[optind]);
}
