/* The commands of passgrid. Each takes what follows its name (argv[0] is the name) and returns the exit code: 0 complete, 1
 * some tasks failed, 2 bad usage, configuration or input, 3 input/output fault, 75 interrupted and resumable. Results go to
 * stdout, talk to stderr. */
#ifndef PG_COMMANDS_COMMANDS_H
#define PG_COMMANDS_COMMANDS_H

#include "core/base/status.h"

#include <getopt.h>
#include <stdbool.h>

int pg_cmd_run(int argc, char **argv);
int pg_cmd_plan(int argc, char **argv);
int pg_cmd_why(int argc, char **argv);
int pg_cmd_table(int argc, char **argv);
int pg_cmd_data(int argc, char **argv);
int pg_cmd_judge(int argc, char **argv);
int pg_cmd_bench(int argc, char **argv);
int pg_cmd_doctor(int argc, char **argv);
int pg_cmd_list(int argc, char **argv);
int pg_cmd_help(int argc, char **argv);

typedef struct pg_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} pg_command;
extern const pg_command pg_commands[]; /* ended by one without name */
const pg_command *pg_command_find(const char *name);
const char *const *pg_command_names(void); /* ended by NULL */

/* ---- what commands share ---- */

/* getopt_long for a command, with our own messages: the next option's val, -1 at the end, '?' after a message to stderr. */
int pg_next_option(int argc, char **argv, const struct option *options);

/* A usage text to stdout; the exit code. Whether it could be written is found when the program ends. */
int pg_print(const char *text);

/* One line to stderr, "passgrid COMMAND: message", and the exit code. */
int pg_complain(const char *command, pg_status status, const char *format, ...) PG_PRINTF(3, 4);

/* A whole number in [low, high] from an argument. */
PG_CHECKED pg_status pg_parse_int(const char *option, const char *text, int low, int high, int *out, pg_error *err);

#endif
