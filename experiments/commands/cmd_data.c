/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid data: gets data sets, and lists them. */
#include "core/base/registry.h"
#include "core/data/fetch.h"
#include "core/data/readers.h"
#include "experiments/commands/commands.h"
#include "experiments/grid/inputs.h"

#include <math.h>
#include <unistd.h>

typedef struct arguments {
    int action;
    pg_cli_list names;
    const char *directory, *from;
} arguments;

typedef enum action { FETCH, LIST } action;
static const char *const actions[] = {[FETCH] = "fetch", [LIST] = "list", NULL};

/* The data sets that can be fetched, ended by NULL. */
static const char *const *fetchable(void)
{
    static const char *names[PG_REGISTRY_MAX + 1];
    int count = 0;
    for (int i = 0; pg_data_kinds[i]; i++)
        if (pg_data_kinds[i]->origins) names[count++] = pg_data_kinds[i]->name;
    names[count] = NULL;
    return names;
}

static const pg_cli_row rows[] = {
    PG_CLI_CHOICE(arguments, action, NULL, "fetch|list", "fetch data sets, or list all of them", .choices = actions),
    PG_CLI_LIST(arguments, names, NULL, "NAME", "data sets to fetch", .names = fetchable),
    PG_CLI_FOLDER(arguments, directory, "dir", "DIR", "where the data sets are", .fallback = PG_CLI_DATA),
    PG_CLI_TEXT(arguments, from, "from", "URL",
                "address of a folder with the publisher's files, or file:///DIR; passgrid then asks no other server"),
    {0},
};

/* ---- fetching ---- */

/* The line that shows the progress of a file. */
typedef struct gauge {
    bool terminal, open; /* open: the line has no end yet */
    int told;            /* the last tenth that was told to a log */
} gauge;

static void say(void *context, const char *text)
{
    gauge *g = context;
    fprintf(stderr, "%s%s\n", g->open ? "\n" : "", text);
    *g = (gauge){.terminal = g->terminal};
}

/* A bar on a terminal; in a log a line for every tenth. */
static void show(void *context, const char *file, long bytes, long of)
{
    enum { WIDTH = 30 };
    gauge *g = context;
    const double part = of > 0 ? fmin(1, (double)bytes / (double)of) : 0, megabytes = 1e6;
    const int filled = (int)(part * WIDTH), tenth = (int)(10 * part);
    if (g->terminal) {
        fprintf(stderr, "\r%-28s [%.*s%*s] ", file, filled, "##############################", WIDTH - filled, "");
        fprintf(stderr, of ? "%5.1f of %.1f MB" : "%5.1f MB", (double)bytes / megabytes, (double)of / megabytes);
        g->open = true;
    } else if (tenth > g->told) {
        g->told = tenth;
        fprintf(stderr, "%s: %d %% of %.1f MB\n", file, 10 * tenth, (double)of / megabytes);
    }
}

static int fetch(const arguments *a)
{
    pg_error err = {0};
    gauge g = {.terminal = isatty(STDERR_FILENO)};
    char words[200];
    const pg_fetch how = {.directory = a->directory, .from = a->from, .say = say, .progress = show, .context = &g};
    if (a->names.count == 0)
        return pg_complain("data", PG_BAD_INPUT, "fetch: name a data set: %s", pg_join(fetchable(), words, sizeof words));
    for (int i = 0; i < a->names.count; i++)
        if (pg_data_fetch(a->names.words[i], &how, &err) != PG_OK) return pg_complain("data", err.status, "%s", err.message);
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
    if (a.action == FETCH) return fetch(&a);
    if (a.from) return pg_complain("data", PG_BAD_INPUT, "list takes no --from: it asks no server");
    if (a.names.count) return pg_complain("data", PG_BAD_INPUT, "list takes no names: it shows every data set");
    return list(a.directory);
}

const pg_command pg_cmd_data = {
    .name = "data",
    .summary = "fetch and list data sets",
    .about =
        "`fetch` downloads data sets, checks them and puts them in DIR; repeat it to continue an interrupted fetch. `list` shows "
        "every data set that a grid can name and whether it is there, with what to do if it is not.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the data sets are there, or listed\n2 bad usage\n"
             "3 a download failed, a checksum is wrong, or another input/output fault",
    .examples = "  passgrid data list\n  passgrid data fetch cifar10 fashion-mnist\n"
                "  passgrid data fetch cifar100 --dir /shared/data --from file:///home/me/files\n",
    .run = run,
};
