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

static void widen(int *width, const char *text)
{
    if (text && (int)strlen(text) > *width) *width = (int)strlen(text);
}

static int run(int argc, char **argv)
{
    arguments a;
    int code, name = 0, group = 0;
    if (!pg_cli_parse(&pg_cmd_list, argc, argv, &a, &code)) return code;
    const pg_catalogue *list = &pg_catalogues[a.list == NETS ? NETWORKS : a.list];
    for (int i = 0; list->at(i).name; i++) {
        widen(&name, list->at(i).name);
        widen(&group, list->at(i).group);
    }
    for (int i = 0; list->at(i).name; i++) {
        const pg_named thing = list->at(i);
        printf("%-*s  ", name, thing.name);
        if (thing.group) printf("%-*s  ", group, thing.group);
        puts(thing.summary);
    }
    return 0;
}

const pg_command pg_cmd_list = {
    .name = "list",
    .summary = "list schemes, attacks, networks, data sets or presets",
    .about = "Print the names that a grid can use, one a line, each with a summary; schemes stand in groups by what the "
             "judge needs of the accused network. `passgrid help NAME` explains one and its "
             "options.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the list is complete\n2 bad usage",
    .examples = "  passgrid list attacks\n",
    .run = run,
};
