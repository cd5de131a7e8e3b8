/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line: one table per command. Parsing, --help, the man page and shell completion all come from it.
 *
 *   typedef struct arguments {
 *       const char *directory;
 *       bool partial;
 *   } arguments;
 *   static const pg_cli_row rows[] = {
 *       PG_CLI_FOLDER(arguments, directory, NULL, "DIR", "directory of the run"),
 *       PG_CLI_FLAG(arguments, partial, "partial", "accept tasks without a result"),
 *       {0},
 *   };
 *
 * Options may stand anywhere: --name VALUE, --name=VALUE, or a beginning of the name that is unique; -h is --help; after --
 * come positional arguments only. A file is given once; of other options the last one counts. */
#ifndef PG_COMMANDS_CLI_H
#define PG_COMMANDS_CLI_H

#include "core/base/status.h"
#include "core/formats/options.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum pg_cli_type {
    PG_CLI_END,
    PG_CLI_IS_TEXT,    /* const char * */
    PG_CLI_IS_FILE,    /* const char * */
    PG_CLI_IS_FOLDER,  /* const char * */
    PG_CLI_IS_LIST,    /* pg_cli_list: may be repeated */
    PG_CLI_IS_INT,     /* int */
    PG_CLI_IS_REAL,    /* double */
    PG_CLI_IS_CHOICE,  /* int: index into the names */
    PG_CLI_IS_FLAG,    /* bool */
    PG_CLI_IS_HELP,    /* --help, which every command has */
    PG_CLI_IS_HEADING, /* help: a title above the rows that follow */
    PG_CLI_IS_ROWS,    /* the rows of another table, for a struct inside this one */
    PG_CLI_IS_KEYS,    /* numbers of a configuration's table, for a struct inside this one */
} pg_cli_type;

enum { PG_CLI_LIST_MAX = 64, PG_CLI_ROWS_MAX = 40 };

typedef struct pg_cli_list {
    int count;
    const char *words[PG_CLI_LIST_MAX];
} pg_cli_list;

typedef struct pg_cli_row {
    pg_cli_type type;
    size_t offset;                     /* of the member in the command's struct */
    const char *name;                  /* of the option, without dashes; NULL: a positional argument */
    const char *value;                 /* placeholder of the value in usage lines; NULL for flags */
    const char *help;                  /* one sentence without its full stop */
    double low, high;                  /* closed range of a number */
    const char *const *choices;        /* names of a choice, ended by NULL; for other types only completion uses them */
    const char *const *(*names)(void); /* the same from a function; a row has at most one of both */
    /* What completion offers, by the first positional argument that is a file; NULL: the names. */
    const char *const *(*offers)(const char *file);
    bool required;                 /* an option that must be given (positional arguments must be; lists may be left out) */
    bool written;                  /* a file that the command writes; it must differ from every other file that is named */
    const char *unit;              /* of a number, for help; NULL: none */
    const char *fallback;          /* default as text; NULL: the value in the command's defaults, if it is one */
    const struct pg_cli_row *rows; /* PG_CLI_IS_ROWS */
    const pg_option *keys;         /* PG_CLI_IS_KEYS */
    /* Takes the value and stores it; earlier values are already in the struct. NULL: store it in the member. */
    pg_status (*take)(void *values, const char *text, pg_error *err);
} pg_cli_row;

/* Default of options for the folder of data sets. */
#define PG_CLI_DATA "$PASSGRID_DATA, else ${XDG_CACHE_HOME:-~/.cache}/passgrid"

/* Rows: type and member of the command's struct, option (NULL: positional), name of the value, help; .required = true and
 * others may follow. */
#define PG_CLI_ROW(type_, T, member, C, name_, value_, ...)                                                                    \
    {                                                                                                                          \
        .type = type_,                                                                                                         \
        .offset = _Generic(((T *)0)->member, C                                                                                 \
                           : offsetof(T, member)),                                                                             \
        .name = name_, .value = value_, .help = __VA_ARGS__                                                                    \
    }
#define PG_CLI_TEXT(T, member, ...)       PG_CLI_ROW(PG_CLI_IS_TEXT, T, member, const char *, __VA_ARGS__)
#define PG_CLI_FILE(T, member, ...)       PG_CLI_ROW(PG_CLI_IS_FILE, T, member, const char *, __VA_ARGS__)
#define PG_CLI_FOLDER(T, member, ...)     PG_CLI_ROW(PG_CLI_IS_FOLDER, T, member, const char *, __VA_ARGS__)
#define PG_CLI_LIST(T, member, ...)       PG_CLI_ROW(PG_CLI_IS_LIST, T, member, pg_cli_list, __VA_ARGS__)
#define PG_CLI_FLAG(T, member, name, ...) PG_CLI_ROW(PG_CLI_IS_FLAG, T, member, bool, name, NULL, __VA_ARGS__)
#define PG_CLI_CHOICE(T, member, ...)     PG_CLI_ROW(PG_CLI_IS_CHOICE, T, member, int, __VA_ARGS__)
#define PG_CLI_INT(T, member, name, value, low_, high_, ...)                                                                   \
    PG_CLI_ROW(PG_CLI_IS_INT, T, member, int, name, value, __VA_ARGS__, .low = low_, .high = high_)
#define PG_CLI_REAL(T, member, name, value, low_, high_, ...)                                                                  \
    PG_CLI_ROW(PG_CLI_IS_REAL, T, member, double, name, value, __VA_ARGS__, .low = low_, .high = high_)
#define PG_CLI_HEADING(text)                                                                                                   \
    {                                                                                                                          \
        .type = PG_CLI_IS_HEADING, .help = text                                                                                \
    }
#define PG_CLI_ROWS(T, member, rows_)                                                                                          \
    {                                                                                                                          \
        .type = PG_CLI_IS_ROWS, .offset = offsetof(T, member), .rows = rows_                                                   \
    }
#define PG_CLI_KEYS(T, member, keys_)                                                                                          \
    {                                                                                                                          \
        .type = PG_CLI_IS_KEYS, .offset = offsetof(T, member), .keys = keys_                                                   \
    }

/* A command. Texts are paragraphs, with \n between them, and are wrapped when they are printed. */
typedef struct pg_command {
    const char *name;                  /* "judge", or two words: "bench dispatch" */
    const char *summary;               /* one line for the list of commands */
    const char *usage;                 /* usage lines instead of the one that the rows give; NULL: that one */
    const char *about;                 /* what it does */
    const pg_cli_row *rows;            /* ended by {0} */
    size_t size;                       /* of the struct that the rows describe */
    const void *defaults;              /* such a struct; NULL: all zero */
    const char *exits;                 /* lines of an exit code and what it means */
    const char *examples;              /* lines, printed as they are */
    int (*run)(int argc, char **argv); /* argv begins with the name; returns the exit code */
} pg_command;

/* Fill the struct of a command from its defaults and arguments, and check the environment (pg_blas_kernels_check). False: help
 * or a complaint has been printed, and *code is the exit code. */
bool pg_cli_parse(const pg_command *command, int argc, char **argv, void *values, int *code);

/* The same without printing. *help: --help was found, and the words after it were not read. */
PG_CHECKED pg_status pg_cli_read(const pg_command *command, int argc, char **argv, void *values, bool *help, pg_error *err);

/* One line to stderr, "passgrid COMMAND: message", and the exit code. */
int pg_complain(const char *command, pg_status status, const char *format, ...) PG_PRINTF(3, 4);

/* The help of a command, wrapped at 80 columns. */
void pg_cli_help(const pg_command *command, FILE *stream);

/* ---- for help, the manual page and completion ---- */

/* All rows of a command, with included tables in their place and --help at the end. Returns their number. */
int pg_cli_rows(const pg_command *command, pg_cli_row rows[PG_CLI_ROWS_MAX]);

/* Row of an option by its name or a unique beginning of it, of so many bytes; NULL: none, or several begin so. */
const pg_cli_row *pg_cli_find(const pg_cli_row *rows, int count, const char *name, size_t bytes);

/* Names of a row, ended by NULL; NULL if it has none. */
const char *const *pg_cli_names(const pg_cli_row *row);

/* "--out DIR", "CONFIG", "[NAME ...]": a row as usage lines and lists of options show it. */
enum { PG_CLI_LABEL = 96 };
const char *pg_cli_label(const pg_cli_row *row, char out[PG_CLI_LABEL]);

/* The row's help with its unit, names and default in parentheses. */
enum { PG_CLI_HELP = 1024 };
const char *pg_cli_explain(const pg_command *command, const pg_cli_row *row, char out[PG_CLI_HELP]);

/* Usage lines, each "passgrid ..." unless it begins with another program, ended by \n. */
const char *pg_cli_usage(const pg_command *command, char out[PG_CLI_HELP]);

#endif
