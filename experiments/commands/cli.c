/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parsing by tables; see cli.h. */
#include "experiments/commands/cli.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/compute/blas.h"
#include "core/formats/number.h"
#include "core/formats/problems.h"

#include <string.h>

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

/* ---- rows ---- */

static pg_cli_row from_key(const pg_option *key)
{
    const bool whole = key->type == PG_OPT_INT;
    return (pg_cli_row){.type = whole ? PG_CLI_IS_INT : PG_CLI_IS_REAL,
                        .offset = key->offset,
                        .name = key->key,
                        .value = whole ? "N" : "X",
                        .help = key->help,
                        .low = key->low,
                        .high = key->high,
                        .unit = key->unit,
                        .fallback = key->fallback};
}

static void add_row(pg_cli_row *rows, int *count, pg_cli_row row, size_t offset)
{
    if (*count == PG_CLI_ROWS_MAX - 1) return; /* the last is for --help */
    row.offset += offset;
    rows[(*count)++] = row;
}

static void add_rows(const pg_cli_row *table, size_t offset, pg_cli_row *rows, int *count)
{
    for (; table->type != PG_CLI_END; table++) {
        const size_t inside = offset + table->offset;
        if (table->type == PG_CLI_IS_ROWS)
            add_rows(table->rows, inside, rows, count);
        else if (table->type == PG_CLI_IS_KEYS)
            for (const pg_option *key = table->keys; key->key; key++) add_row(rows, count, from_key(key), inside);
        else
            add_row(rows, count, *table, offset);
    }
}

int pg_cli_rows(const pg_command *command, pg_cli_row rows[PG_CLI_ROWS_MAX])
{
    int count = 0;
    add_rows(command->rows, 0, rows, &count);
    rows[count++] = (pg_cli_row){.type = PG_CLI_IS_HELP, .name = "help", .help = "print this help; short form: -h"};
    return count;
}

const pg_cli_row *pg_cli_find(const pg_cli_row *rows, int count, const char *name, size_t bytes)
{
    const pg_cli_row *found = NULL;
    int begin = 0;
    for (int i = 0; i < count; i++) {
        if (!rows[i].name || strncmp(rows[i].name, name, bytes) != 0) continue;
        if (strlen(rows[i].name) == bytes) return &rows[i];
        found = &rows[i];
        begin++;
    }
    return begin == 1 ? found : NULL;
}

const char *const *pg_cli_names(const pg_cli_row *row)
{
    return row->names ? row->names() : row->choices;
}

/* ---- values ---- */

/* "--out", or "CONFIG" for a positional argument. */
static const char *title(const pg_cli_row *row, char out[PG_CLI_LABEL])
{
    snprintf(out, PG_CLI_LABEL, "%s%s", row->name ? "--" : "", row->name ? row->name : row->value);
    return out;
}

static pg_status take_int(const char *what, const pg_cli_row *row, const char *text, int *out, pg_error *err)
{
    long long value;
    if (!pg_number_int(text, &value) || (double)value < row->low || (double)value > row->high)
        return pg_fail(err, PG_BAD_INPUT, "%s: expected a whole number in [%.0f, %.0f], got \"%s\"", what, row->low, row->high,
                       text);
    *out = (int)value;
    return PG_OK;
}

static pg_status take_real(const char *what, const pg_cli_row *row, const char *text, double *out, pg_error *err)
{
    double value;
    const bool open = row->low == PG_ABOVE_ZERO;
    if (!pg_number_real(text, &value) || value < row->low || value > row->high)
        return pg_fail(err, PG_BAD_INPUT, "%s: expected a number in %s%g, %g], got \"%s\"", what, open ? "(" : "[",
                       open ? 0 : row->low, row->high, text);
    *out = value;
    return PG_OK;
}

static pg_status take_choice(const char *what, const pg_cli_row *row, const char *text, int *out, pg_error *err)
{
    char all[512];
    const char *const *names = pg_cli_names(row);
    for (int i = 0; names[i]; i++)
        if (strcmp(text, names[i]) == 0) return *out = i, PG_OK;
    const char *near = pg_nearest(text, names);
    return pg_fail(err, PG_BAD_INPUT, "%s%sexpected one of %s, got \"%s\"%s%s%s", row->name ? what : "", row->name ? ": " : "",
                   pg_join(names, all, sizeof all), text, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static pg_status take_word(const char *what, const char *text, pg_cli_list *out, pg_error *err)
{
    if (out->count == PG_CLI_LIST_MAX) return pg_fail(err, PG_BAD_INPUT, "%s: given more than %d times", what, PG_CLI_LIST_MAX);
    out->words[out->count++] = text;
    return PG_OK;
}

static pg_status take(const pg_cli_row *row, char *values, const char *text, pg_error *err)
{
    char what[PG_CLI_LABEL];
    void *member = values + row->offset;
    title(row, what);
    if (row->take) return row->take(values, text, err);
    switch (row->type) {
    case PG_CLI_IS_INT: return take_int(what, row, text, member, err);
    case PG_CLI_IS_REAL: return take_real(what, row, text, member, err);
    case PG_CLI_IS_CHOICE: return take_choice(what, row, text, member, err);
    case PG_CLI_IS_LIST: return take_word(what, text, member, err);
    case PG_CLI_IS_FLAG: *(bool *)member = true; return PG_OK;
    default: *(const char **)member = text; return PG_OK;
    }
}

static pg_status set_defaults(const pg_command *command, char *values, pg_error *err)
{
    pg_status status = PG_OK;
    memset(values, 0, command->size);
    if (command->defaults) memcpy(values, command->defaults, command->size);
    for (const pg_cli_row *row = command->rows; row->type != PG_CLI_END; row++)
        if (row->type == PG_CLI_IS_KEYS) PG_TRY(pg_options_defaults(row->keys, values + row->offset, err));
done:
    return status;
}

/* ---- words ---- */

typedef struct named_file {
    const pg_cli_row *row;
    const char *path;
} named_file;

typedef struct parser {
    const pg_command *command;
    pg_cli_row rows[PG_CLI_ROWS_MAX];
    int count;
    const char *given[PG_CLI_ROWS_MAX]; /* the last value of each row */
    named_file *files;                  /* [file_count <= argc] every file, as often as it is named */
    int file_count;
    char *values;
    bool help;
} parser;

/* Files decide what a command works on: a second one must not take the place of the first unnoticed. */
static pg_status give(parser *p, const pg_cli_row *row, const char *text, pg_error *err)
{
    char what[PG_CLI_LABEL];
    const char **before = &p->given[row - p->rows];
    if (row->type == PG_CLI_IS_HELP) return p->help = true, PG_OK;
    if (*before && row->type == PG_CLI_IS_FILE && !row->take)
        return pg_fail(err, PG_BAD_INPUT, "%s: given twice, \"%.80s\" and \"%.80s\"", title(row, what), *before, text);
    *before = text;
    if (row->type == PG_CLI_IS_FILE) p->files[p->file_count++] = (named_file){row, text};
    return take(row, p->values, text, err);
}

static pg_status unknown_option(const parser *p, const char *word, size_t bytes, pg_error *err)
{
    const char *names[PG_CLI_ROWS_MAX + 1] = {NULL}, *begins[2] = {NULL};
    char name[64];
    int count = 0, several = 0;
    snprintf(name, sizeof name, "%.*s", (int)bytes, word + strspn(word, "-"));
    for (int i = 0; i < p->count; i++) {
        if (!p->rows[i].name) continue;
        names[count++] = p->rows[i].name;
        if (name[0] && word[1] == '-' && strncmp(p->rows[i].name, name, strlen(name)) == 0 && several < 2)
            begins[several++] = p->rows[i].name;
    }
    const char *near = pg_nearest(name, names), *command = p->command->name;
    if (several == 2)
        return pg_fail(err, PG_BAD_INPUT, "option '%s' could be '--%s' or '--%s' (passgrid %s --help)", word, begins[0],
                       begins[1], command);
    return pg_fail(err, PG_BAD_INPUT, "unknown option '%s'%s%s%s (passgrid %s --help)", word, near ? ", did you mean '--" : "",
                   near ? near : "", near ? "'?" : "", command);
}

/* An option and its value, which may be the next word. */
static pg_status take_option(parser *p, char **word, int left, int *used, pg_error *err)
{
    const char *name = word[0] + strspn(word[0], "-"), *equals = strchr(name, '=');
    const size_t bytes = equals ? (size_t)(equals - name) : strlen(name);
    const pg_cli_row *row = word[0][1] == '-' ? pg_cli_find(p->rows, p->count, name, bytes) : NULL;
    *used = 1;
    if (strcmp(word[0], "-h") == 0) row = &p->rows[p->count - 1];
    if (!row) return unknown_option(p, word[0], bytes, err);
    if (!row->value && equals) return pg_fail(err, PG_BAD_INPUT, "option '--%s' takes no value", row->name);
    if (!row->value || equals) return give(p, row, equals ? equals + 1 : "", err);
    if (left < 2) return pg_fail(err, PG_BAD_INPUT, "option '%s' needs a value", word[0]);
    *used = 2;
    return give(p, row, word[1], err);
}

/* The row of a positional argument: the first that has none yet; a list takes all that follow. */
static pg_status take_argument(parser *p, const char *word, pg_error *err)
{
    for (int i = 0; i < p->count; i++) {
        const pg_cli_row *row = &p->rows[i];
        if (row->name || !row->value || (p->given[i] && row->type != PG_CLI_IS_LIST)) continue;
        return give(p, row, word, err);
    }
    return pg_fail(err, PG_BAD_INPUT, "unexpected argument \"%s\" (passgrid %s --help)", word, p->command->name);
}

static pg_status check_missing(const parser *p, pg_error *err)
{
    char label[PG_CLI_LABEL];
    for (int i = 0; i < p->count; i++) {
        const pg_cli_row *row = &p->rows[i];
        const bool needed = row->required || (!row->name && row->value && row->type != PG_CLI_IS_LIST);
        if (needed && !p->given[i])
            return pg_fail(err, PG_BAD_INPUT, "%s is missing (passgrid %s --help)", pg_cli_label(row, label), p->command->name);
    }
    return PG_OK;
}

/* A command that writes over a file that it reads would destroy evidence or a network. */
static pg_status check_written(const parser *p, pg_error *err)
{
    char written[PG_CLI_LABEL], other[PG_CLI_LABEL];
    for (int w = 0; w < p->file_count; w++) {
        const named_file *out = &p->files[w];
        for (int i = 0; out->row->written && i < p->file_count; i++)
            if (i != w && pg_file_same(out->path, p->files[i].path))
                return pg_fail(err, PG_BAD_INPUT, "%s: %s is the file of %s too", title(out->row, written), out->path,
                               title(p->files[i].row, other));
    }
    return PG_OK;
}

static pg_status take_words(parser *p, int argc, char **argv, pg_error *err)
{
    pg_status status = PG_OK;
    bool options = true;
    for (int i = 1, used; i < argc && !p->help; i += used) {
        used = 1;
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1])
            PG_TRY(take_option(p, argv + i, argc - i, &used, err));
        else
            PG_TRY(take_argument(p, argv[i], err));
    }
    if (!p->help) PG_TRY(check_missing(p, err));
    if (!p->help) PG_TRY(check_written(p, err));
done:
    return status;
}

pg_status pg_cli_read(const pg_command *command, int argc, char **argv, void *values, bool *help, pg_error *err)
{
    parser p = {.command = command, .values = values};
    p.count = pg_cli_rows(command, p.rows);
    pg_status status = pg_alloc((size_t)argc, sizeof *p.files, &p.files, err);
    if (status == PG_OK) status = set_defaults(command, values, err);
    if (status == PG_OK) status = take_words(&p, argc, argv, err);
    pg_free(p.files);
    *help = p.help;
    return status;
}

bool pg_cli_parse(const pg_command *command, int argc, char **argv, void *values, int *code)
{
    pg_error err;
    bool help;
    pg_status status = pg_cli_read(command, argc, argv, values, &help, &err);
    if (status == PG_OK && !help) status = pg_blas_kernels_check(&err);
    *code = status == PG_OK ? 0 : pg_complain(command->name, status, "%s", err.message);
    if (help) pg_cli_help(command, stdout);
    return status == PG_OK && !help;
}
