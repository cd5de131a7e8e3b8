/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid completion: scripts for shells, and the words that they offer, from the tables of the commands. */
#include "experiments/commands/commands.h"

#include <string.h>

typedef struct arguments {
    int shell;
    pg_cli_list words;
} arguments;

typedef enum shell { BASH, ZSH, FISH, WORDS } shell;
static const char *const shells[] = {[BASH] = "bash", [ZSH] = "zsh", [FISH] = "fish", [WORDS] = "words", NULL};

static const pg_cli_row rows[] = {
    PG_CLI_CHOICE(arguments, shell, NULL, "bash|zsh|fish",
                  "shell to print a script for; `words`, which these scripts call, prints the candidates for the last WORD",
                  .choices = shells),
    PG_CLI_LIST(arguments, words, NULL, "WORD", "with `words`, after --: the command line after the program's name"),
    {0},
};

/* `words` prints "files", or "folders", or "words" and then one candidate a line, some with a tab and a description. Bash
 * splits words at "=", the other shells do not. */
static const char *const scripts[] = {
    [BASH] =
        "# Completion of passgrid for bash: source <(passgrid completion bash)\n"
        "_passgrid() {\n"
        "    local answer current=${COMP_WORDS[COMP_CWORD]}\n"
        "    mapfile -t answer < <(\"${COMP_WORDS[0]}\" completion words -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
        "    [ \"$current\" = '=' ] && current=\n"
        "    case ${answer[0]} in\n"
        "    files) mapfile -t COMPREPLY < <(compgen -f -- \"$current\") ;;\n"
        "    folders) mapfile -t COMPREPLY < <(compgen -d -- \"$current\") ;;\n"
        "    *) COMPREPLY=(\"${answer[@]:1}\") && COMPREPLY=(\"${COMPREPLY[@]%%$'\\t'*}\") && return ;;\n"
        "    esac\n"
        "    compopt -o filenames 2>/dev/null\n"
        "}\n"
        "complete -F _passgrid passgrid\n",
    [ZSH] = "#compdef passgrid\n"
            "# Completion of passgrid for zsh: source <(passgrid completion zsh)\n"
            "_passgrid() {\n"
            "    local -a answer candidates\n"
            "    answer=(\"${(@f)$(${words[1]} completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
            "    case $answer[1] in\n"
            "    files) compset -P '--*='; _files ;;\n"
            "    folders) compset -P '--*='; _files -/ ;;\n"
            "    *) candidates=(\"${(@)answer[2,-1]/$'\\t'/:}\"); _describe passgrid candidates ;;\n"
            "    esac\n"
            "}\n"
            "compdef _passgrid passgrid\n",
    [FISH] = "# Completion of passgrid for fish: passgrid completion fish | source\n"
             "function __passgrid_complete\n"
             "    set -l words (commandline -opc) (commandline -ct)\n"
             "    set -l answer ($words[1] completion words -- $words[2..-1] 2>/dev/null)\n"
             "    switch $answer[1]\n"
             "        case files\n"
             "            __fish_complete_path (commandline -ct)\n"
             "        case folders\n"
             "            __fish_complete_directories (commandline -ct)\n"
             "        case '*'\n"
             "            printf '%s\\n' $answer[2..-1]\n"
             "    end\n"
             "end\n"
             "complete -c passgrid -f -a '(__passgrid_complete)'\n",
};

/* ---- candidates ---- */

static void offer(const char *before, const char *word, const char *meaning, const char *typed)
{
    if (strncmp(word, typed, strlen(typed)) == 0)
        printf("%s%s%s%s\n", before, word, meaning ? "\t" : "", meaning ? meaning : "");
}

/* Offer the first word of a command of two words, unless that word is a command by itself. */
static void offer_command(const pg_command *command, const char *typed)
{
    char first[32];
    int used;
    char *words[] = {first};
    snprintf(first, sizeof first, "%.*s", (int)strcspn(command->name, " "), command->name);
    if (strcmp(first, command->name) == 0 || !pg_command_find(1, words, &used)) offer("", first, command->summary, typed);
}

static void offer_commands(const char *typed)
{
    puts("words");
    for (int i = 0; pg_commands[i]; i++) offer_command(pg_commands[i], typed);
}

/* Second words of commands that begin with this one; false if there are none. */
static bool offer_second(const char *first, const char *typed)
{
    bool found = false;
    for (int i = 0; pg_commands[i]; i++) {
        if (!pg_command_begins(pg_commands[i], first)) continue;
        if (!found) puts("words");
        offer("", pg_commands[i]->name + strlen(first) + 1, pg_commands[i]->summary, typed);
        found = true;
    }
    return found;
}

/* Values of a row that begin with what is typed, each after `before`. */
static void offer_values(const pg_cli_row *row, const char *file, const char *before, const char *typed)
{
    const char *const *names = row->offers && file ? row->offers(file) : pg_cli_names(row);
    puts(row->type == PG_CLI_IS_FILE ? "files" : row->type == PG_CLI_IS_FOLDER ? "folders" : "words");
    for (; names && *names; names++) offer(before, *names, NULL, typed);
}

static void offer_options(const pg_cli_row *table, int count, const char *typed)
{
    puts("words");
    for (int i = 0; i < count; i++)
        if (table[i].name) offer("--", table[i].name, table[i].help, typed + 2);
}

/* The row of positional argument number n; NULL: there is none. */
static const pg_cli_row *positional(const pg_cli_row *table, int count, int n)
{
    for (int i = 0; i < count; i++)
        if (!table[i].name && table[i].value && (n-- == 0 || table[i].type == PG_CLI_IS_LIST)) return &table[i];
    return NULL;
}

static const pg_cli_row *option(const pg_cli_row *table, int count, const char *word)
{
    return strncmp(word, "--", 2) == 0 ? pg_cli_find(table, count, word + 2, strcspn(word + 2, "=")) : NULL;
}

/* State after the words before the last one. An "=" is a word of its own where bash has split --name=VALUE. */
typedef struct context {
    const pg_cli_row *open; /* the option that waits for its value */
    const char *file;       /* the first positional argument that is a file */
    int given;              /* positional arguments */
} context;

static context read_context(const pg_cli_row *table, int size, int count, char **words)
{
    context c = {0};
    for (int i = 0; i < count; i++) {
        const pg_cli_row *row = option(table, size, words[i]), *place = positional(table, size, c.given);
        if (strcmp(words[i], "=") == 0) continue;
        const bool argument = !c.open && !row && words[i][0] != '-';
        if (argument && !c.file && place && place->type == PG_CLI_IS_FILE) c.file = words[i];
        c.given += argument;
        c.open = !c.open && row && row->value && !strchr(words[i], '=') ? row : NULL;
    }
    return c;
}

/* Offer words of a command in place of the last one. */
static void offer_arguments(const pg_command *command, int count, char **words)
{
    pg_cli_row table[PG_CLI_ROWS_MAX];
    const int size = pg_cli_rows(command, table);
    const context c = read_context(table, size, count - 1, words);
    const char *typed = strcmp(words[count - 1], "=") == 0 ? "" : words[count - 1], *equals = strchr(typed, '=');
    const pg_cli_row *row = option(table, size, typed), *place = positional(table, size, c.given);
    char before[PG_CLI_LABEL];
    if (c.open)
        offer_values(c.open, c.file, "", typed);
    else if (row && row->value && equals) {
        snprintf(before, sizeof before, "%.*s", (int)(equals + 1 - typed), typed);
        offer_values(row, c.file, before, equals + 1);
    } else if (typed[0] == '-')
        offer_options(table, size, typed[1] ? typed : "--");
    else if (place)
        offer_values(place, c.file, "", typed);
}

static void offer_all(int count, char **words)
{
    int used;
    const pg_command *command = count > 1 ? pg_command_find(count - 1, words, &used) : NULL;
    if (count == 1)
        offer_commands(words[0]);
    else if (!(count == 2 && words[1][0] != '-' && offer_second(words[0], words[1])) && command)
        offer_arguments(command, count - used, words + used);
}

/* ---- the command ---- */

static int run(int argc, char **argv)
{
    arguments a;
    char *words[PG_CLI_LIST_MAX];
    int code;
    if (!pg_cli_parse(&pg_cmd_completion, argc, argv, &a, &code)) return code;
    if (a.shell != WORDS) return fputs(scripts[a.shell], stdout), 0;
    if (!a.words.count) return pg_complain("completion", PG_BAD_INPUT, "`words` needs the words of a command line after --");
    for (int i = 0; i < a.words.count; i++) words[i] = argv[argc - a.words.count + i];
    offer_all(a.words.count, words);
    return 0;
}

const pg_command pg_cmd_completion = {
    .name = "completion",
    .summary = "print a completion script for a shell",
    .about = "Print a script that makes the shell complete commands, options, choices, names, files and folders.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the script is complete\n2 bad usage",
    .examples = "  source <(passgrid completion bash)\n"
                "  passgrid completion fish >~/.config/fish/completions/passgrid.fish\n",
    .run = run,
};
