/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid help: explains commands, the sections and keys of a grid, schemes, attacks, networks, data sets and presets. */
#include "experiments/commands/catalogue.h"
#include "experiments/commands/commands.h"
#include "experiments/commands/help_sections.h"

#include "attacks/attack.h"
#include "core/ownership/scheme.h"
#include "core/ownership/verify.h"
#include "core/train/trainer.h"
#include "experiments/grid/grid_options.h"
#include "experiments/grid/presets.h"

#include <string.h>

/* ---- everything with a name ---- */

/* These print what is known of a name, and return false if nothing is. */
static bool about_command(char **words, int count)
{
    int used;
    const pg_command *command = pg_command_find(count, words, &used);
    if (command && used == count) pg_cli_help(command, stdout);
    return command && used == count;
}

/* Print the defaults that a preset changes in one place. */
static void print_changes(const char *place, const char *preset, const pg_preset_default *changes)
{
    for (; changes && changes->preset; changes++)
        if (strcmp(changes->preset, preset) == 0) printf("  %s: %s %s\n", place, changes->key, changes->value);
}

static void print_preset(const char *name)
{
    print_changes("train", name, pg_preset_train);
    for (int i = 0; pg_attacks[i]; i++) print_changes(pg_attacks[i]->name, name, pg_attacks[i]->presets);
}

static bool about_entry(const pg_catalogue *list, const char *name)
{
    const pg_named thing = pg_catalogue_find(list, name);
    if (!thing.name) return false;
    printf("%s %s: %s\n", list->one, thing.name, thing.summary);
    if (thing.source) printf("source: %s\n", thing.source);
    if (thing.threat) printf("threat model: %s\n", thing.threat);
    if (thing.differs) printf("differs from the source: %s\n", thing.differs);
    if (thing.unbound) printf("cannot be bound: %s\n", thing.unbound);
    if (strcmp(list->name, "presets") == 0) print_preset(name);
    if (!thing.options) return true;
    putchar('\n');
    if (thing.options->key)
        pg_options_help(thing.options, stdout);
    else
        puts("  no options");
    return true;
}

/* The row of one key, under the place where it stands. */
static bool show_key(const char *place, const pg_option *table, const char *key)
{
    const pg_option *option = pg_options_find(table, key);
    if (!option) return false;
    printf("%s:\n", place);
    pg_options_help((const pg_option[]){*option, {0}}, stdout);
    return true;
}

/* The sections that have keys, apart from single schemes and attacks. */
static const struct place {
    const char *name;
    const pg_option *table;
} places[] = {{"at the top of a grid", pg_grid_table}, {"in data", pg_data_table},          {"in networks", pg_network_table},
              {"in train", pg_preset_table},           {"in train", pg_train_table},        {"in verify", pg_verify_table},
              {"in every scheme", pg_source_table},    {"in every attack", pg_attack_table}};
enum { PLACES = sizeof places / sizeof *places };

static const pg_option *key_of(const pg_catalogue *list, int i, const char *key)
{
    const pg_option *options = list->at(i).options;
    return options ? pg_options_find(options, key) : NULL;
}

static bool says_the_same(const pg_option *a, const pg_option *b)
{
    return a && b && a->type == b->type && a->choices == b->choices && a->low == b->low && a->high == b->high &&
           strcmp(a->help, b->help) == 0 && strcmp(a->fallback ? a->fallback : "", b->fallback ? b->fallback : "") == 0;
}

/* The rows of a key in the entries of a list, such as all schemes; equal rows once, under the names of their entries. */
static bool show_keys(const pg_catalogue *list, const char *key)
{
    bool found = false;
    for (int i = 0; list->at(i).name; i++) {
        const pg_option *option = key_of(list, i, key);
        bool shown = !option, several = false;
        for (int j = 0; j < i; j++) shown |= says_the_same(key_of(list, j, key), option);
        if (shown) continue;
        for (int j = i + 1; list->at(j).name; j++) several |= says_the_same(key_of(list, j, key), option);
        printf("in the %s %s", several ? list->name : list->one, list->at(i).name);
        for (int j = i + 1; list->at(j).name; j++)
            if (says_the_same(key_of(list, j, key), option)) printf(", %s", list->at(j).name);
        puts(":");
        pg_options_help((const pg_option[]){*option, {0}}, stdout);
        found = true;
    }
    return found;
}

static bool about_key(const char *name)
{
    bool found = false;
    for (int i = 0; i < PLACES; i++) found |= show_key(places[i].name, places[i].table, name);
    for (const pg_catalogue *list = pg_catalogues; list->name; list++) found |= show_keys(list, name);
    return found;
}

/* ---- completion and suggestions ---- */

enum { NAMES_MAX = 512 };

static void add_name(const char **names, int *count, const char *name)
{
    if (*count < NAMES_MAX) names[(*count)++] = name;
}

static void add_keys(const pg_option *table, const char **names, int *count)
{
    for (; table && table->key; table++) add_name(names, count, table->key);
}

/* Everything that `passgrid help` explains. */
static const char *const *all_names(void)
{
    static const char *names[NAMES_MAX + 1];
    int n = 0;
    for (int i = 0; pg_commands[i]; i++) add_name(names, &n, pg_commands[i]->name);
    for (int i = 0; pg_help_sections[i].name; i++) add_name(names, &n, pg_help_sections[i].name);
    for (const pg_catalogue *list = pg_catalogues; list->name; list++)
        for (int i = 0; list->at(i).name; i++) add_name(names, &n, list->at(i).name);
    for (int i = 0; i < PLACES; i++) add_keys(places[i].table, names, &n);
    for (const pg_catalogue *list = pg_catalogues; list->name; list++)
        for (int i = 0; list->at(i).name; i++) add_keys(list->at(i).options, names, &n);
    names[n] = NULL;
    return names;
}

static int unknown(const char *word)
{
    const char *near = pg_nearest(word, all_names());
    if (near) return pg_complain("help", PG_BAD_INPUT, "nothing is called '%s', did you mean '%s'?", word, near);
    return pg_complain("help", PG_BAD_INPUT, "nothing is called '%s' (see passgrid help, passgrid list)", word);
}

/* ---- the command ---- */

typedef struct arguments {
    pg_cli_list words;
    bool man;
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_LIST(
        arguments, words, NULL, "WORD",
        "a command, `config`, `set`, a section or a key of the configuration, an attack, a scheme, a network, a data set or "
        "a preset; two words, such as `attack NAME`, say which of them is meant",
        .names = all_names),
    PG_CLI_FLAG(arguments, man, "man", "print the manual page, in roff, for man(1)"),
    {0},
};

/* Words that the help of another explains. */
static const char *const others[][2] = {
    {"nets", "networks"}, {"scheme", "schemes"}, {"attack", "attacks"}, {"after", "attacks"}};

static int help_word(const char *word)
{
    char name[64], *words[] = {name};
    if (strcmp(word, "config") == 0) return pg_help_config(), 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(word, others[i][0]) == 0) word = others[i][1];
    snprintf(name, sizeof name, "%s", word);
    bool found = about_command(words, 1);
    found |= pg_help_section(word);
    for (const pg_catalogue *list = pg_catalogues; list->name; list++) found |= about_entry(list, word);
    return found || about_key(word) ? 0 : unknown(word);
}

/* "attack NAME", "key lr", "bench dispatch". */
static int help_two(const char *kind, const char *word)
{
    char first[64], second[64], *words[] = {first, second};
    snprintf(first, sizeof first, "%s", kind);
    snprintf(second, sizeof second, "%s", word);
    if (about_command(words, 2)) return 0;
    if (strcmp(kind, "command") == 0) return about_command(words + 1, 1) ? 0 : unknown(word);
    if (strcmp(kind, "section") == 0) return pg_help_section(word) ? 0 : unknown(word);
    if (strcmp(kind, "key") == 0) return about_key(word) ? 0 : unknown(word);
    for (const pg_catalogue *list = pg_catalogues; list->name; list++)
        if (strcmp(kind, list->word) == 0) return about_entry(list, word) ? 0 : unknown(word);
    return pg_complain("help", PG_BAD_INPUT,
                       "two words begin with one of command, section, scheme, attack, network, data, preset, key, not \"%s\"",
                       kind);
}

static int run(int argc, char **argv)
{
    arguments a;
    int code;
    if (!pg_cli_parse(&pg_cmd_help, argc, argv, &a, &code)) return code;
    if (a.man && a.words.count) return pg_complain("help", PG_BAD_INPUT, "--man takes no words: there is one manual page");
    if (a.words.count > 2) return pg_complain("help", PG_BAD_INPUT, "expected at most two words, such as `attack NAME`");
    if (a.words.count == 1) return help_word(a.words.words[0]);
    if (a.words.count == 2) return help_two(a.words.words[0], a.words.words[1]);
    (a.man ? pg_commands_man : pg_commands_overview)(stdout);
    return 0;
}

const pg_command pg_cmd_help = {
    .name = "help",
    .summary = "explain a command, the configuration or a name",
    .about = "Print what a word means, or without a word the list of commands.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the word is explained\n2 nothing has that name",
    .examples = "  passgrid help config\n  passgrid help fake1\n  passgrid help scheme v1\n"
                "  passgrid help --man | man -l -\n",
    .run = run,
};
