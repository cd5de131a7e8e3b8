/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid list: names for use in a grid. */
#include "experiments/commands/catalogue.h"
#include "experiments/commands/commands.h"

#include <string.h>

typedef struct arguments {
    int list;
} arguments;

/* In the order of pg_catalogues; "nets" is an old name of "networks". */
static const char *const lists[] = {"schemes", "attacks", "networks", "data", "presets", "nets", NULL};
enum { NETWORKS = 2, NETS = 5 };

static const pg_cli_row rows[] = {
    PG_CLI_CHOICE(arguments, list, NULL, "schemes|attacks|networks|data|presets", "what to list", .choices = lists),
    {0},
};

static int run(int argc, char **argv)
{
    arguments a;
    int code;
    size_t widest = 0;
    if (!pg_cli_parse(&pg_cmd_list, argc, argv, &a, &code)) return code;
    const pg_catalogue *list = &pg_catalogues[a.list == NETS ? NETWORKS : a.list];
    for (int i = 0; list->at(i).name; i++)
        if (strlen(list->at(i).name) > widest) widest = strlen(list->at(i).name);
    for (int i = 0; list->at(i).name; i++) printf("%-*s  %s\n", (int)widest, list->at(i).name, list->at(i).summary);
    return 0;
}

const pg_command pg_cmd_list = {
    .name = "list",
    .summary = "list schemes, attacks, networks, data sets or presets",
    .about = "Print the names that a grid can use, one a line, each with a summary. `passgrid help NAME` explains one and its "
             "options.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the list is complete\n2 bad usage",
    .examples = "  passgrid list attacks\n",
    .run = run,
};
