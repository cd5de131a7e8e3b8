/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command lines: options and positional arguments of every type, abbreviations, defaults, refusals, help. */
#include "core/base/file.h"
#include "experiments/commands/commands.h"
#include "tests/unit/test.h"

#include <stdlib.h>

typedef struct inner {
    double level;
    int nulls;
} inner;
static const pg_option keys[] = {
    PG_REAL(inner, level, "0.25", PG_ABOVE_ZERO, 0.5, "points", "largest level"),
    PG_INT(inner, nulls, "50", 0, 100, NULL, "draws"),
    {0},
};

typedef struct shared {
    const char *out;
    pg_cli_list sets;
} shared;
static const pg_cli_row shared_rows[] = {
    PG_CLI_FOLDER(shared, out, "out", "DIR", "where to write"),
    PG_CLI_LIST(shared, sets, "set", "KEY=VALUE", "change a key"),
    {0},
};

typedef struct arguments {
    const char *file, *model, *page, *text;
    int count, kind, color;
    double width;
    bool json;
    shared grid;
    inner options;
    pg_cli_list names;
    char taken[64];
} arguments;
static const arguments defaults = {.text = "none", .count = 3, .kind = 1, .color = -1, .width = 0.5};

static pg_status take_twice(void *values, const char *text, pg_error *e)
{
    arguments *a = values;
    if (strcmp(text, "bad") == 0) return pg_fail(e, PG_BAD_INPUT, "--twice: not this one");
    strcat(strcat(a->taken, text), text);
    return PG_OK;
}

static const char *const kinds[] = {"small", "medium", "large", NULL}, *const colors[] = {"red", "green", NULL};

static const pg_cli_row rows[] = {
    PG_CLI_FILE(arguments, file, NULL, "FILE", "what to read"),
    PG_CLI_ROWS(arguments, grid, shared_rows),
    PG_CLI_FILE(arguments, model, "model", "FILE", "a model", .required = true),
    PG_CLI_FILE(arguments, page, "page", "FILE", "where to print", .written = true),
    PG_CLI_TEXT(arguments, text, "text", "WORDS", "some words"),
    PG_CLI_INT(arguments, count, "count", "N", 1, 10, "how many"),
    PG_CLI_HEADING("Looks:"),
    PG_CLI_CHOICE(arguments, kind, "kind", "KIND", "what kind", .choices = kinds),
    PG_CLI_CHOICE(arguments, color, "color", "COLOR", "what color", .choices = colors),
    PG_CLI_REAL(arguments, width, "width", "X", 0, 1, "how wide"),
    PG_CLI_FLAG(arguments, json, "json", "print JSON"),
    PG_CLI_TEXT(arguments, text, "twice", "TEXT", "text to repeat", .take = take_twice),
    PG_CLI_KEYS(arguments, options, keys),
    PG_CLI_LIST(arguments, names, NULL, "NAME", "more names"),
    {0},
};
static const pg_command command = {
    .name = "try",
    .about = "Try a table.",
    .rows = rows,
    .size = sizeof(arguments),
    .defaults = &defaults,
    .exits = "0 tried\n2 bad usage",
};

static arguments a;
static bool help;

static pg_status read_words(const char *text)
{
    static char words[2048], *argv[128];
    int argc = 1;
    snprintf(words, sizeof words, "%s", text);
    argv[0] = words; /* not looked at */
    for (char *word = strtok(words, " "); word && argc < 128; word = strtok(NULL, " ")) argv[argc++] = word;
    return pg_cli_read(&command, argc, argv, &a, &help, &err);
}

TEST(what_is_not_given_has_its_default)
{
    OK(read_words("x --model m"));
    assert_string_equal(a.file, "x");
    assert_string_equal(a.model, "m");
    assert_string_equal(a.text, "none");
    assert_true(a.count == 3 && a.kind == 1 && a.color == -1 && a.width == 0.5 && !a.json && !help);
    assert_null(a.grid.out);
    assert_true(a.grid.sets.count == 0 && a.names.count == 0);
    assert_true(a.options.level == 0.25 && a.options.nulls == 50);
}

TEST(values_of_every_type)
{
    OK(read_words(
        "--count 10 x --model=m --kind large --color=red --width 0.125 --json --text=a=b --out=o --level 0.5 --nulls 0"));
    assert_true(a.count == 10 && a.kind == 2 && a.color == 0 && a.width == 0.125 && a.json);
    assert_string_equal(a.text, "a=b");
    assert_string_equal(a.grid.out, "o");
    assert_true(a.options.level == 0.5 && a.options.nulls == 0);
    OK(read_words("x --model m --text= --out -"));
    assert_string_equal(a.text, "");
    assert_string_equal(a.grid.out, "-");
}

TEST(lists_keep_every_word_in_order)
{
    OK(read_words("x --set a=1 y --model m --set=b=2 z"));
    assert_int_equal(a.grid.sets.count, 2);
    assert_string_equal(a.grid.sets.words[0], "a=1");
    assert_string_equal(a.grid.sets.words[1], "b=2");
    assert_int_equal(a.names.count, 2);
    assert_string_equal(a.names.words[1], "z");
    char many[2048] = "x --model m";
    for (int i = 0; i <= PG_CLI_LIST_MAX / 2; i++) strcat(many, " --set=a --set=b");
    FAILS(read_words(many), PG_BAD_INPUT, "--set: given more than 64 times");
}

TEST(a_row_may_take_its_value_itself)
{
    OK(read_words("x --model m --twice ab --twice c"));
    assert_string_equal(a.taken, "ababcc");
    FAILS(read_words("x --model m --twice bad"), PG_BAD_INPUT, "--twice: not this one");
}

TEST(names_may_be_shortened_if_they_stay_unique)
{
    OK(read_words("x --mo m --j --cou 4"));
    assert_true(a.json && a.count == 4);
    FAILS(read_words("x --model m --co 4"), PG_BAD_INPUT,
          "option '--co' could be '--count' or '--color' (passgrid try --help)");
}

TEST(after_two_dashes_come_arguments_only)
{
    OK(read_words("--model m -- --json -h"));
    assert_string_equal(a.file, "--json");
    assert_true(!a.json && !help && a.names.count == 1);
    OK(read_words("--model m -"));
    assert_string_equal(a.file, "-");
}

TEST(the_last_value_counts_but_a_file_is_given_once)
{
    OK(read_words("x --model m --count 4 --count 5"));
    assert_int_equal(a.count, 5);
    FAILS(read_words("x --model m --model n"), PG_BAD_INPUT, "--model: given twice, \"m\" and \"n\"");
}

TEST(a_written_file_is_none_of_the_others)
{
    OK(read_words("x --model x --page p"));
    FAILS(read_words("x --page m --model m"), PG_BAD_INPUT, "--page: m is the file of --model too");
    FAILS(read_words("x --model m --page=x"), PG_BAD_INPUT, "--page: x is the file of FILE too");
    OK(pg_file_write("m", "", 0, PG_FILE_PUBLIC, &err));
    FAILS(read_words("x --model m --page ./m"), PG_BAD_INPUT, "--page: ./m is the file of --model too");
}

TEST(unknown_options_are_refused_with_a_suggestion)
{
    FAILS(read_words("x --model m --widht 1"), PG_BAD_INPUT,
          "unknown option '--widht', did you mean '--width'? (passgrid try --help)");
    FAILS(read_words("x --model m --widht=1"), PG_BAD_INPUT, "unknown option '--widht=1', did you mean '--width'?");
    FAILS(read_words("x --model m -j"), PG_BAD_INPUT, "unknown option '-j' (passgrid try --help)");
    FAILS(read_words("x --model m --="), PG_BAD_INPUT, "unknown option '--='");
}

TEST(values_that_do_not_fit_are_refused)
{
    FAILS(read_words("x --model m --count 0"), PG_BAD_INPUT, "--count: expected a whole number in [1, 10], got \"0\"");
    FAILS(read_words("x --model m --count 1e0"), PG_BAD_INPUT, "--count: expected a whole number in [1, 10], got \"1e0\"");
    FAILS(read_words("x --model m --width nan"), PG_BAD_INPUT, "--width: expected a number in [0, 1], got \"nan\"");
    FAILS(read_words("x --model m --level 0"), PG_BAD_INPUT, "--level: expected a number in (0, 0.5], got \"0\"");
    FAILS(read_words("x --model m --kind larg"), PG_BAD_INPUT,
          "--kind: expected one of small, medium, large, got \"larg\", did you mean 'large'?");
    FAILS(read_words("x --model m --json=1"), PG_BAD_INPUT, "option '--json' takes no value");
    FAILS(read_words("x --model"), PG_BAD_INPUT, "option '--model' needs a value");
}

TEST(what_must_be_given_is_asked_for)
{
    FAILS(read_words("--model m"), PG_BAD_INPUT, "FILE is missing (passgrid try --help)");
    FAILS(read_words("x"), PG_BAD_INPUT, "--model FILE is missing (passgrid try --help)");
}

TEST(help_ends_the_reading)
{
    OK(read_words("--help --nonsense"));
    assert_true(help);
    OK(read_words("-h"));
    assert_true(help);
    OK(read_words("x --he"));
    assert_true(help);
    FAILS(read_words("--nonsense --help"), PG_BAD_INPUT, "unknown option '--nonsense'");
}

/* ---- help ---- */

static char *text_of(void print(const pg_command *c, FILE *stream), const pg_command *c)
{
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    print(c, stream);
    fclose(stream);
    return text;
}

TEST(help_shows_every_row_with_its_default)
{
    static const char *const parts[] = {
        "usage: passgrid try --model FILE FILE [NAME ...] [options]\n",
        "\nArguments:\n  FILE             what to read\n  [NAME ...]       more names\n",
        "\nOptions:\n  --out DIR        where to write\n",
        "  --text WORDS     some words (default: none)\n",
        "  --count N        how many (default: 3)\n\nLooks:\n  --kind KIND      what kind: small, medium, large (default: medium)\n",
        "  --color COLOR    what color: red, green\n",
        "  --level X        largest level (points; default: 0.25)\n",
        "  --help           print this help; short form: -h\n\nExit codes:\n  0   tried\n  2   bad usage\n"};
    char *text = text_of(pg_cli_help, &command);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_contains(text, parts[i]);
    free(text);
}

static void overview(const pg_command *c, FILE *stream)
{
    (void)c;
    pg_commands_overview(stream);
}

TEST(what_must_be_given_has_no_default)
{
    char *text = text_of(pg_cli_help, &pg_cmd_mark);
    assert_contains(text, "  --scheme NAME     scheme of the mark, ");
    assert_null(strstr(text, "(default: uchida"));
    free(text);
}

TEST(no_help_is_wider_than_80_columns)
{
    for (int i = -1; i < 0 || pg_commands[i]; i++) {
        char *text = text_of(i < 0 ? overview : pg_cli_help, i < 0 ? NULL : pg_commands[i]);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) assert_in_range(strlen(line), 1, 80);
        free(text);
    }
}

TEST(every_row_of_every_command_can_be_shown)
{
    for (int i = 0; pg_commands[i]; i++) {
        pg_cli_row all[PG_CLI_ROWS_MAX];
        const int count = pg_cli_rows(pg_commands[i], all);
        assert_in_range(count, 1, PG_CLI_ROWS_MAX - 1); /* a full table could have lost rows */
        assert_non_null(pg_commands[i]->examples);
        for (int k = 0; k < count; k++) {
            assert_true(all[k].help[0] && all[k].help[strlen(all[k].help) - 1] != '.');
            if (all[k].type == PG_CLI_IS_CHOICE) assert_non_null(pg_cli_names(&all[k])[0]);
            if (all[k].name) assert_ptr_equal(pg_cli_find(all, count, all[k].name, strlen(all[k].name)), &all[k]);
        }
    }
}
