/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manual page, from the tables of the commands, in roff with the man macros. */
#include "experiments/commands/commands.h"

#include "experiments/run/provenance.h"

#include <string.h>

/* ---- roff ---- */

enum { COLUMNS = 55 };

static void put_character(char c, FILE *stream)
{
    static const char special[] = "\\-~^`";
    static const char *const escapes[] = {"\\e", "\\-", "\\(ti", "\\(ha", "\\(ga"};
    const char *at = strchr(special, c);
    if (at)
        fputs(escapes[at - special], stream);
    else
        fputc(c, stream);
}

/* Print text so that roff takes nothing in it as a request or an escape. fill: break long lines, and keep the paragraphs. */
static void put(const char *text, bool fill, FILE *stream)
{
    int column = 0;
    for (; *text; text++) {
        if (column == 0 && (*text == '.' || *text == '\'')) fputs("\\&", stream);
        const bool broken = *text == '\n' || (fill && *text == ' ' && column > COLUMNS);
        if (broken)
            fputs(fill && *text == '\n' ? "\n.PP\n" : "\n", stream);
        else
            put_character(*text, stream);
        column = broken ? 0 : column + 1;
    }
}

static void put_paragraphs(const char *text, FILE *stream)
{
    put(text, true, stream);
    fputc('\n', stream);
}

static void put_item(const char *label, const char *text, FILE *stream)
{
    fputs(".TP\n.B ", stream);
    put(label, false, stream);
    fputc('\n', stream);
    put(text, true, stream);
    fputc('\n', stream);
}

static void put_lines(const char *text, FILE *stream)
{
    fputs(".nf\n", stream);
    put(text, false, stream);
    fputs(".fi\n", stream);
}

/* ---- commands ---- */

static void put_rows(const pg_command *command, FILE *stream)
{
    pg_cli_row rows[PG_CLI_ROWS_MAX];
    char label[PG_CLI_LABEL], text[PG_CLI_HELP];
    const int count = pg_cli_rows(command, rows);
    for (int i = 0; i < count; i++) {
        if (rows[i].type == PG_CLI_IS_HELP) continue;
        if (rows[i].type != PG_CLI_IS_HEADING) {
            put_item(pg_cli_label(&rows[i], label), pg_cli_explain(command, &rows[i], text), stream);
            continue;
        }
        fputs(".PP\n", stream);
        put_paragraphs(rows[i].help, stream);
    }
}

static void put_exits(const char *exits, FILE *stream)
{
    char lines[PG_CLI_HELP], *next = lines;
    snprintf(lines, sizeof lines, "%s", exits);
    fputs(".PP\nExit codes:\n", stream);
    for (char *line; (line = strsep(&next, "\n"));) {
        const char *code = strsep(&line, " ");
        put_item(code, line, stream);
    }
}

static void put_command(const pg_command *command, FILE *stream)
{
    char usage[PG_CLI_HELP];
    fprintf(stream, ".SS passgrid %s\n", command->name);
    put_lines(pg_cli_usage(command, usage), stream);
    fputs(".PP\n", stream);
    put_paragraphs(command->about, stream);
    put_rows(command, stream);
    put_exits(command->exits, stream);
    if (!command->examples) return;
    fputs(".PP\nExamples:\n", stream);
    put_lines(command->examples, stream);
}

/* ---- the page ---- */

static const char *const environment[][2] = {
    {"PASSGRID_DATA", "where the data sets are, unless an option says it"},
    {"XDG_CACHE_HOME", "without PASSGRID_DATA they are in its folder passgrid; without both in ~/.cache/passgrid"},
    {"SLURM_JOB_END_TIME", "end of the Slurm job, in seconds since 1970: `passgrid run` saves every task before it"},
    {"TMPDIR", "where `passgrid bench dispatch` makes its directory (default: /tmp)"},
};

void pg_commands_man(FILE *stream)
{
    fprintf(stream, ".TH PASSGRID 1 \"\" \"");
    put(pg_version(), false, stream);
    fputs("\" \"User Commands\"\n.SH NAME\npassgrid \\- experiments on the ownership of neural networks\n"
          ".SH SYNOPSIS\n.B passgrid\n.I COMMAND\n.RI [ arguments ]\n.SH DESCRIPTION\n",
          stream);
    put_paragraphs(
        "passgrid runs grids of experiments on deep neural networks that carry passports or watermarks, on attacks "
        "against them, and on claims of ownership, which it judges. A grid is a YAML file; `passgrid help config` "
        "explains its keys.\n"
        "An option may be written --name VALUE or --name=VALUE, and shortened to a unique beginning of its name. After "
        "-- come positional arguments only. Every command has --help, or -h.",
        stream);
    fputs(".SH COMMANDS\n", stream);
    for (int i = 0; pg_commands[i]; i++) put_command(pg_commands[i], stream);
    fputs(".SH ENVIRONMENT\n", stream);
    for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
        put_item(environment[i][0], environment[i][1], stream);
}
