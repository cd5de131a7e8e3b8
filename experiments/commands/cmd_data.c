/* passgrid data: get data sets, and list them. */
#include "core/data/fetch.h"
#include "core/data/readers.h"
#include "experiments/commands/commands.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: passgrid data fetch NAME... [--dir DIR]\n"
    "       passgrid data list [--dir DIR]\n"
    "\n"
    "fetch gets cifar10, fashion-mnist or mnist, checks it and puts it in DIR (default: $PASSGRID_DATA, else\n"
    "${XDG_CACHE_HOME:-~/.cache}/passgrid). Repeating it repairs an interrupted fetch. list shows every data set\n"
    "and whether it is there.\n";

static void say(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static int fetch(char **names, int count, const char *directory)
{
    pg_error err = {0};
    if (count == 0) return pg_complain("data", PG_BAD_INPUT, "fetch: which data set? (cifar10, fashion-mnist, mnist)");
    for (int i = 0; i < count; i++)
        if (pg_data_fetch(names[i], directory, say, NULL, &err) != PG_OK)
            return pg_complain("data", err.status, "%s", err.message);
    return 0;
}

static int list(const char *directory)
{
    for (const pg_data_kind *kind = pg_data_kinds; kind->name; kind++) {
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

int pg_cmd_data(int argc, char **argv)
{
    static const struct option options[] = {{"dir", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {0}};
    const char *directory = NULL;
    for (int c; (c = pg_next_option(argc, argv, options)) != -1;) {
        if (c == '?') return 2;
        if (c == 'h') return pg_print(usage);
        directory = optarg;
    }
    const char *verb = optind < argc ? argv[optind] : "";
    if (strcmp(verb, "fetch") == 0) return fetch(argv + optind + 1, argc - optind - 1, directory);
    if (strcmp(verb, "list") == 0 && optind + 1 == argc) return list(directory);
    return pg_complain("data", PG_BAD_INPUT, "expected fetch or list (passgrid data --help)");
}
