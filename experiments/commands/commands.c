/* What the commands share; see commands.h. */
#include "experiments/commands/commands.h"

#include "core/base/utf8.h"
#include "core/formats/number.h"
#include "core/formats/problems.h"

#include <stdio.h>
#include <string.h>

const pg_command pg_commands[] = {
    {"run", "run a grid of experiments, or what is left of it, and print its tables", pg_cmd_run},
    {"plan", "show the tasks of a grid, their state and estimated time", pg_cmd_plan},
    {"why", "show what in a task's description differs from the finished ones", pg_cmd_why},
    {"table", "print the tables of a run again", pg_cmd_table},
    {"data", "fetch and list data sets", pg_cmd_data},
    {"judge", "verify evidence against a model", pg_cmd_judge},
    {"bench", "measure training and inference speed", pg_cmd_bench},
    {"doctor", "examine MPI, cores, BLIS, data sets and disk", pg_cmd_doctor},
    {"list", "list schemes, attacks, networks, data sets or presets", pg_cmd_list},
    {"help", "explain a command, the configuration, or anything that has a name", pg_cmd_help},
    {0},
};

const pg_command *pg_command_find(const char *name)
{
    for (const pg_command *command = pg_commands; command->name; command++)
        if (strcmp(command->name, name) == 0) return command;
    return NULL;
}

const char *const *pg_command_names(void)
{
    static const char *names[sizeof pg_commands / sizeof *pg_commands];
    for (int i = 0; pg_commands[i].name; i++) names[i] = pg_commands[i].name;
    return names;
}

int pg_print(const char *text)
{
    fputs(text, stdout);
    return 0;
}

int pg_complain(const char *command, pg_status status, const char *format, ...)
{
    char raw[PG_MESSAGE_MAX + 1], text[sizeof raw];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    fprintf(stderr, "passgrid %s: %s\n", command, pg_printable(raw, text, sizeof text));
    return pg_status_exit_code(status);
}

int pg_next_option(int argc, char **argv, const struct option *options)
{
    enum { OPTIONS_MAX = 32 };
    const char *names[OPTIONS_MAX + 1] = {NULL};
    char word[64];
    opterr = 0;
    const int at = optind > 0 ? optind : 1, found = getopt_long(argc, argv, ":h", options, NULL);
    if (found != '?' && found != ':') return found;
    const char *given = optind > at ? argv[optind - 1] : argv[at];
    if (found == ':') {
        pg_complain(argv[0], PG_BAD_INPUT, "option '%s' needs a value", given);
        return '?';
    }
    for (int i = 0; i < OPTIONS_MAX && options[i].name; i++) names[i] = options[i].name;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(given + strspn(given, "-"), "="), given + strspn(given, "-"));
    const char *near = pg_nearest(word, names);
    if (near)
        pg_complain(argv[0], PG_BAD_INPUT, "unknown option '%s', did you mean '--%s'? (passgrid %s --help)", given, near,
                    argv[0]);
    else
        pg_complain(argv[0], PG_BAD_INPUT, "unknown option '%s' (passgrid %s --help)", given, argv[0]);
    return '?';
}

pg_status pg_parse_int(const char *option, const char *text, int low, int high, int *out, pg_error *err)
{
    long long value;
    if (!pg_number_int(text, &value) || value < low || value > high)
        return pg_fail(err, PG_BAD_INPUT, "%s: expected a whole number in [%d, %d], got \"%s\"", option, low, high, text);
    *out = (int)value;
    return PG_OK;
}
