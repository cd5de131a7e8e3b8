/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of commands; see commands.h. */
#include "experiments/commands/commands.h"

#include "core/formats/problems.h"
#include "experiments/run/provenance.h"

#include <string.h>

const pg_command *const pg_commands[] = {
    &pg_cmd_run,    &pg_cmd_status, &pg_cmd_task,   &pg_cmd_plan,       &pg_cmd_why,
    &pg_cmd_table,  &pg_cmd_report, &pg_cmd_data,   &pg_cmd_judge,      &pg_cmd_secret_new,
    &pg_cmd_mark,   &pg_cmd_commit, &pg_cmd_import, &pg_cmd_bench,      &pg_cmd_bench_dispatch,
    &pg_cmd_doctor, &pg_cmd_list,   &pg_cmd_help,   &pg_cmd_completion, NULL,
};

const pg_command *pg_command_find(int count, char **words, int *used)
{
    const pg_command *found = NULL;
    char both[64] = "";
    *used = 1;
    if (count > 1) snprintf(both, sizeof both, "%s %s", words[0], words[1]);
    for (int i = 0; count > 0 && pg_commands[i]; i++) {
        if (strcmp(pg_commands[i]->name, both) == 0) return *used = 2, pg_commands[i];
        if (strcmp(pg_commands[i]->name, words[0]) == 0) found = pg_commands[i];
    }
    return found;
}

bool pg_command_begins(const pg_command *command, const char *word)
{
    const size_t length = strlen(word);
    return strncmp(command->name, word, length) == 0 && command->name[length] == ' ';
}

const char *pg_command_nearest(const char *word)
{
    for (int i = 0; pg_commands[i]; i++)
        if (pg_command_begins(pg_commands[i], word)) return pg_commands[i]->name;
    return pg_nearest(word, pg_command_names());
}

const char *const *pg_command_names(void)
{
    static const char *names[sizeof pg_commands / sizeof *pg_commands];
    for (int i = 0; pg_commands[i]; i++) names[i] = pg_commands[i]->name;
    return names;
}

void pg_commands_overview(FILE *stream)
{
    fprintf(stream,
            "%s: experiments on the ownership of neural networks\n\n"
            "usage: passgrid COMMAND [arguments]\n\nCommands:\n",
            pg_version());
    for (int i = 0; pg_commands[i]; i++) fprintf(stream, "  %-14s  %s\n", pg_commands[i]->name, pg_commands[i]->summary);
    fputs("\nMore help:\n"
          "  passgrid COMMAND --help  arguments and options of a command\n"
          "  passgrid help WORD       a command, a section or a key of the configuration,\n"
          "                           an attack, a scheme, a network, a data set, a preset\n"
          "  passgrid help --man      the manual page, in roff\n"
          "  passgrid --version       the version\n",
          stream);
}
