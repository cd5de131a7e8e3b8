/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Help from tables; see cli.h. */
#include "experiments/commands/cli.h"

#include "core/formats/number.h"
#include "core/formats/problems.h"

#include <string.h>

enum { COLUMNS = 80, INDENT = 2, LABELS_MAX = 26 };

/* ---- texts ---- */

/* Print text from column `at` on, wrapped, every further line indented; ended by a newline. \n breaks a line. */
static void wrap(const char *text, int at, int indent, FILE *stream)
{
    bool first = true;
    while (*text) {
        const int bytes = (int)strcspn(text, " \n");
        if (!first && at + 1 + bytes > COLUMNS) {
            fprintf(stream, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', stream);
            at++;
        }
        fprintf(stream, "%.*s", bytes, text);
        at += bytes;
        text += bytes;
        first = *text == '\n';
        if (first) {
            fprintf(stream, "\n%*s", text[1] == '\n' ? 0 : indent, "");
            at = indent;
        }
        text += *text != 0;
    }
    fputc('\n', stream);
}

const char *pg_cli_label(const pg_cli_row *row, char out[PG_CLI_LABEL])
{
    if (row->name)
        snprintf(out, PG_CLI_LABEL, "--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
    else if (row->type == PG_CLI_IS_LIST)
        snprintf(out, PG_CLI_LABEL, "[%s ...]", row->value);
    else
        snprintf(out, PG_CLI_LABEL, "%s", row->value);
    return out;
}

/* The default of a row as text; empty if there is none: NULL, -1 for a choice, a number out of its range. */
static const char *default_of(const pg_command *command, const pg_cli_row *row, char out[PG_CLI_LABEL])
{
    const void *member = command->defaults ? (const char *)command->defaults + row->offset : NULL;
    const char *text;
    double number = 0;
    out[0] = 0;
    if (row->fallback) return row->fallback;
    if (!member || !row->name || row->required) return out;
    switch (row->type) {
    case PG_CLI_IS_TEXT:
    case PG_CLI_IS_FILE:
    case PG_CLI_IS_FOLDER: text = *(const char *const *)member; return text ? text : out;
    case PG_CLI_IS_CHOICE: return *(const int *)member < 0 ? out : pg_cli_names(row)[*(const int *)member];
    case PG_CLI_IS_INT: number = *(const int *)member; break;
    case PG_CLI_IS_REAL: number = *(const double *)member; break;
    default: return out;
    }
    return number >= row->low && number <= row->high ? pg_number_text(number, out) : out;
}

const char *pg_cli_explain(const pg_command *command, const pg_cli_row *row, char out[PG_CLI_HELP])
{
    char shown[PG_CLI_LABEL], names[512] = "";
    const char *fallback = default_of(command, row, shown);
    const bool choice = row->type == PG_CLI_IS_CHOICE && row->name;
    if (choice) pg_join(pg_cli_names(row), names, sizeof names);
    snprintf(out, PG_CLI_HELP, "%s%s%s", row->help, choice ? ": " : "", names);
    const size_t used = strlen(out);
    const char *unit = row->unit ? row->unit : "", *comma = row->unit && fallback[0] ? "; " : "";
    if (row->unit || fallback[0])
        snprintf(out + used, PG_CLI_HELP - used, " (%s%s%s%s)", unit, comma, fallback[0] ? "default: " : "", fallback);
    return out;
}

/* ---- usage ---- */

static void append(char out[PG_CLI_HELP], const char *before, const char *text)
{
    const size_t used = strlen(out);
    snprintf(out + used, PG_CLI_HELP - used, "%s%s", before, text);
}

const char *pg_cli_usage(const pg_command *command, char out[PG_CLI_HELP])
{
    pg_cli_row rows[PG_CLI_ROWS_MAX];
    char label[PG_CLI_LABEL];
    bool options = false;
    out[0] = 0;
    if (command->usage) return append(out, "", command->usage), append(out, "", "\n"), out;
    const int count = pg_cli_rows(command, rows);
    append(out, "passgrid ", command->name);
    for (int i = 0; i < count; i++)
        if (rows[i].required) append(out, " ", pg_cli_label(&rows[i], label));
    for (int i = 0; i < count; i++) {
        if (!rows[i].name && rows[i].value) append(out, " ", pg_cli_label(&rows[i], label));
        options |= rows[i].name && !rows[i].required && rows[i].type != PG_CLI_IS_HELP;
    }
    append(out, "", options ? " [options]\n" : "\n");
    return out;
}

static void print_usage(const pg_command *command, FILE *stream)
{
    char lines[PG_CLI_HELP];
    const char *before = "usage: ";
    pg_cli_usage(command, lines);
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
        fprintf(stream, "%s%s\n", before, line);
        before = "       ";
    }
}

/* ---- rows ---- */

/* Width of the column of labels; a longer label has a line of its own. */
static int label_width(const pg_cli_row *rows, int count)
{
    char label[PG_CLI_LABEL];
    int width = 0;
    for (int i = 0; i < count; i++) {
        const int length = rows[i].type == PG_CLI_IS_HEADING ? 0 : (int)strlen(pg_cli_label(&rows[i], label));
        if (length > width && length <= LABELS_MAX) width = length;
    }
    return width;
}

static void print_row(const pg_command *command, const pg_cli_row *row, int width, FILE *stream)
{
    char label[PG_CLI_LABEL], help[PG_CLI_HELP];
    const int indent = INDENT + width + 2;
    pg_cli_label(row, label);
    if ((int)strlen(label) > width)
        fprintf(stream, "%*s%s\n%*s", INDENT, "", label, indent, "");
    else
        fprintf(stream, "%*s%-*s  ", INDENT, "", width, label);
    wrap(pg_cli_explain(command, row, help), indent, indent, stream);
}

static void print_rows(const pg_command *command, bool options, FILE *stream)
{
    pg_cli_row rows[PG_CLI_ROWS_MAX];
    const int count = pg_cli_rows(command, rows), width = label_width(rows, count);
    const char *title = options ? "Options:" : "Arguments:";
    for (int i = 0; i < count; i++) {
        const bool heading = rows[i].type == PG_CLI_IS_HEADING;
        if (heading ? !options : options != (rows[i].name != NULL)) continue;
        if (heading)
            title = rows[i].help;
        else if (title) {
            fputc('\n', stream);
            wrap(title, 0, 0, stream);
            title = NULL;
        }
        if (!heading) print_row(command, &rows[i], width, stream);
    }
}

void pg_cli_help(const pg_command *command, FILE *stream)
{
    print_usage(command, stream);
    fputc('\n', stream);
    wrap(command->about, 0, 0, stream);
    print_rows(command, false, stream);
    print_rows(command, true, stream);
    if (command->examples) fprintf(stream, "\nExamples:\n%s", command->examples);
    fputs("\nExit codes:\n", stream);
    for (const char *line = command->exits; *line; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)) {
        char text[PG_CLI_HELP];
        const int code = (int)strcspn(line, " ");
        snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n") - code - 1, line + code + 1);
        fprintf(stream, "%*s%-2.*s  ", INDENT, "", code, line);
        wrap(text, INDENT + 4, INDENT + 4, stream);
    }
}
