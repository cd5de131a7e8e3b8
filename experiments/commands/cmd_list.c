/* passgrid list: names for use in a grid. */
#include "experiments/commands/commands.h"

#include "attacks/attack.h"
#include "core/data/readers.h"
#include "core/formats/problems.h"
#include "experiments/grid/presets.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: passgrid list schemes|attacks|networks|data|presets\n"
    "\n"
    "Print everything that a grid can name, one a line. `passgrid help NAME` explains one with its options.\n";

/* Name and summary number i of a list; false after the last. */
typedef bool row_of(int i, const char **name, const char **summary);

static bool scheme_row(int i, const char **name, const char **summary)
{
    if (!pg_schemes[i]) return false;
    *name = pg_schemes[i]->name;
    *summary = pg_schemes[i]->summary;
    return true;
}

static bool attack_row(int i, const char **name, const char **summary)
{
    if (!pg_attacks[i]) return false;
    *name = pg_attacks[i]->name;
    *summary = pg_attacks[i]->summary;
    return true;
}

static bool network_row(int i, const char **name, const char **summary)
{
    if (!pg_archs[i]) return false;
    *name = pg_archs[i]->name;
    *summary = pg_archs[i]->summary;
    return true;
}

static bool data_row(int i, const char **name, const char **summary)
{
    *name = pg_data_kinds[i].name;
    *summary = pg_data_kinds[i].summary;
    return *name != NULL;
}

static bool preset_row(int i, const char **name, const char **summary)
{
    *name = pg_presets[i];
    *summary = *name ? pg_preset_summaries[i] : NULL;
    return *name != NULL;
}

static void print(row_of *row)
{
    const char *name, *summary;
    size_t widest = 0;
    for (int i = 0; row(i, &name, &summary); i++) widest = strlen(name) > widest ? strlen(name) : widest;
    for (int i = 0; row(i, &name, &summary); i++) printf("%-*s  %s\n", (int)widest, name, summary);
}

int pg_cmd_list(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    static const char *const words[] = {"schemes", "attacks", "networks", "data", "presets", "nets", NULL};
    static row_of *const rows[] = {scheme_row, attack_row, network_row, data_row, preset_row, network_row};
    const int c = pg_next_option(argc, argv, options);
    if (c == '?') return 2;
    if (c == 'h') return pg_print(usage);
    if (argc - optind != 1)
        return pg_complain("list", PG_BAD_INPUT, "expected one of schemes, attacks, networks, data, presets");
    for (int i = 0; words[i]; i++)
        if (strcmp(argv[optind], words[i]) == 0) {
            print(rows[i]);
            return 0;
        }
    const char *near = pg_nearest(argv[optind], words);
    if (near) return pg_complain("list", PG_BAD_INPUT, "unknown list '%s', did you mean '%s'?", argv[optind], near);
    return pg_complain("list", PG_BAD_INPUT, "unknown list '%s': expected one of schemes, attacks, networks, data, presets",
                       argv[optind]);
}
