/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of passgrid. A command prints results to stdout and talks to stderr. Exit codes: 0 complete, 1 some tasks
 * failed, 2 bad usage, configuration or input, 3 input/output fault, 75 interrupted and resumable.
 *
 * A new command is a file that defines a pg_command, and a line in commands.c. */
#ifndef PG_COMMANDS_COMMANDS_H
#define PG_COMMANDS_COMMANDS_H

#include "experiments/commands/cli.h"

extern const pg_command pg_cmd_run, pg_cmd_status, pg_cmd_task, pg_cmd_plan, pg_cmd_why, pg_cmd_table, pg_cmd_report,
    pg_cmd_data, pg_cmd_judge, pg_cmd_secret_new, pg_cmd_mark, pg_cmd_commit, pg_cmd_import, pg_cmd_bench,
    pg_cmd_bench_dispatch, pg_cmd_doctor, pg_cmd_list, pg_cmd_help, pg_cmd_completion;
extern const pg_command *const pg_commands[]; /* ended by NULL */

/* The command whose name begins the words; *used: 1 or 2, the words of its name. NULL: none. */
const pg_command *pg_command_find(int count, char **words, int *used);
const char *const *pg_command_names(void); /* ended by NULL */

/* Has the command two words, of which this is the first? */
bool pg_command_begins(const pg_command *command, const char *word);
/* Name of the command that somebody may have meant, NULL if none is near. */
const char *pg_command_nearest(const char *word);

/* What the program is, its commands, and where more help is; the manual page, in roff. */
void pg_commands_overview(FILE *stream);
void pg_commands_man(FILE *stream);

#endif
