/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid data: gets data sets, and lists them. */
#include "core/data/fetch.h"
#include "core/data/readers.h"
#include "experiments/commands/commands.h"
#include "experiments/grid/inputs.h"

typedef struct arguments {
    int action;
    pg_cli_list names;
    const char *directory;
} arguments;

typedef enum action { FETCH, LIST } action;
static const char *const actions[] = {[FETCH] = "fetch", [LIST] = "list", NULL};

static const pg_cli_row rows[] = {
    PG_CLI_CHOICE(arguments, action, NULL, "fetch|list", "fetch data sets, or list all of them", .choices = actions),
    PG_CLI_LIST(arguments, names, NULL, "NAME", "data sets to fetch: cifar10, fashion-mnist, mnist",
                .names = pg_data_kind_names),
    PG_CLI_FOLDER(arguments, directory, "dir", "DIR", "where the data sets are", .fallback = PG_CLI_DATA),
    {0},
};

static void say(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static int fetch(const pg_cli_list *names, const char *directory)
{
    pg_error err = {0};
    if (names->count == 0) return pg_complain("data", PG_BAD_INPUT, "fetch: name a data set: cifar10, fashion-mnist or mnist");
    for (int i = 0; i < names->count; i++)
        if (pg_data_fetch(names->words[i], directory, say, NULL, &err) != PG_OK)
            return pg_complain("data", err.status, "%s", err.message);
    return 0;
}

static int list(const char *directory)
{
    for (int i = 0; pg_data_kinds[i]; i++) {
        const pg_data_kind *kind = pg_data_kinds[i];
        pg_data data = {0};
        pg_error err = {0};
        const pg_status status = pg_data_load(kind->name, directory, &data, &err);
        printf("%-14s %s\n", kind->name, kind->summary);
        if (status == PG_OK)
            printf("%-14s   ready: %d training and %d test images (%s)\n", "", data.train.count, data.test.count,
                   data.train.source);
        else
            printf("%-14s   %s\n", "", err.message);
        pg_data_clear(&data);
    }
    return 0;
}

static int run(int argc, char **argv)
{
    arguments a;
    int code;
    if (!pg_cli_parse(&pg_cmd_data, argc, argv, &a, &code)) return code;
    if (a.action == FETCH) return fetch(&a.names, a.directory);
    if (a.names.count) return pg_complain("data", PG_BAD_INPUT, "list takes no names: it shows every data set");
    return list(a.directory);
}

const pg_command pg_cmd_data = {
    .name = "data",
    .summary = "fetch and list data sets",
    .about =
        "`fetch` downloads data sets, checks them and puts them in DIR; repeat it to repair an interrupted fetch. `list` shows "
        "every data set that a grid can name and whether it is there, with what to do if it is not.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the data sets are there, or listed\n2 bad usage\n"
             "3 a download failed, a checksum is wrong, or another input/output fault",
    .examples = "  passgrid data list\n  passgrid data fetch cifar10 fashion-mnist\n",
    .run = run,
};
