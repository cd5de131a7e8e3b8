/* passgrid help: commands, the sections of a grid, and whatever has a name: schemes, attacks, networks, data sets, presets,
 * keys. */
#include "experiments/commands/commands.h"

#include "attacks/attack.h"
#include "core/data/readers.h"
#include "core/ownership/scheme.h"
#include "core/ownership/verify.h"
#include "core/train/trainer.h"
#include "experiments/grid/grid_options.h"
#include "experiments/grid/presets.h"
#include "experiments/run/provenance.h"

#include <stdio.h>
#include <string.h>

static void overview(void)
{
    printf("%s: a harness for neural network ownership verification\n\nusage: passgrid COMMAND ...\n\n", pg_version());
    for (const pg_command *command = pg_commands; command->name; command++)
        printf("  %-8s %s\n", command->name, command->summary);
    fputs(
        "\nMore help: passgrid help WORD, where WORD is a command, `config`, `set`, a section or a key of the configuration,\n"
        "an attack, a scheme, a network, a data set or a preset. Version: passgrid --version\n",
        stdout);
}

/* ---- the configuration ---- */

static void help_top(void)
{
    puts(
        "A grid is a YAML file. passgrid combines every data set with every network, scheme and attack. A list in place of a\n"
        "single value stands for one combination per item (not in `train` and `verify`, which apply to the whole grid). A grid\n"
        "has at most 1,000,000 tasks. The keys at the top:\n");
    pg_options_help(pg_grid_table, stdout);
}

static void help_data(void)
{
    puts("data: one map or a list of maps\n");
    pg_options_help(pg_data_table, stdout);
}

static void help_networks(void)
{
    puts("networks: a list of maps\n");
    pg_options_help(pg_network_table, stdout);
}

static void help_train(void)
{
    puts("train: a map\n");
    pg_options_help(pg_preset_table, stdout);
    pg_options_help(pg_train_table, stdout);
}

static void help_schemes(void)
{
    puts("schemes: a list of maps with `scheme: NAME`, the options of that scheme (passgrid help scheme NAME), and `train`, a\n"
         "map of the keys that differ from the grid's own `train`. A plain network, trained by the grid's own `train`, turns\n"
         "images into passports. Instead of options an entry may have\n");
    pg_options_help(pg_source_table, stdout);
    puts(
        "\nThese files determine the options. If every entry has `model`, you may leave out `networks`. Attackers train on the\n"
        "grid's data. A network from elsewhere has no seed: it is one task for all seeds, and so is every attack on it that\n"
        "draws nothing at random.");
}

static void help_attacks(void)
{
    puts("attacks: a list of maps with `attack: NAME`, the options of that attack (passgrid help attack NAME), `schemes`, the\n"
         "schemes to attack (default: all to which the attack applies), and `after: NAME`, an attack above whose forged\n"
         "evidence is judged again after this attack has changed the model (counterfeit-triggers, counterfeit-uchida), and\n");
    pg_options_help(pg_attack_table, stdout);
}

static void help_verify(void)
{
    puts("verify: a map\n");
    pg_options_help(pg_verify_table, stdout);
}

static void help_profiles(void)
{
    puts(
        "profiles: a map of names to maps of any of the keys above. A profile overrides the file: maps are merged, everything\n"
        "else is replaced\n\n"
        "profile: name of the profile to apply, as --profile does (default: none)");
}

static void help_set(void)
{
    puts(
        "--set KEY=VALUE changes the configuration after its profile is applied. KEY is the path to the value, with dots; list\n"
        "entries count from 0; missing keys are added. VALUE is YAML:\n\n"
        "  --set train.epochs=2 --set networks.0.width=0.5 --set 'seeds=[1, 2, 3]' --set 'attacks.1={attack: prune}'\n\n"
        "Every user of the machine can read a command line. Put a secret in a file instead; the file's bytes are the secret:\n\n"
        "  --set schemes.1.signature=file:PATH");
}

static void help_presets(void)
{
    puts("presets: initial settings of `train` and of the attacks, chosen by `train: {preset: NAME}`\n");
    for (int i = 0; pg_presets[i]; i++) printf("  %-10s %s\n", pg_presets[i], pg_preset_summaries[i]);
}

typedef struct topic {
    const char *name;
    void (*print)(void);
    const char *list; /* what `passgrid list` calls the names that may stand there */
} topic;

static const topic sections[] = {
    {"grid", help_top, NULL},
    {"data", help_data, "data"},
    {"networks", help_networks, "networks"},
    {"train", help_train, NULL},
    {"schemes", help_schemes, "schemes"},
    {"attacks", help_attacks, "attacks"},
    {"verify", help_verify, NULL},
    {"profiles", help_profiles, NULL},
    {"presets", help_presets, NULL},
    {"set", help_set, NULL},
    {0},
};

static void config(void)
{
    for (const topic *t = sections; t->name; t++) {
        if (t != sections) putchar('\n');
        t->print();
    }
}

/* ---- whatever has a name ---- */

static void explain(const char *kind, const char *name, const char *summary, const char *source, const pg_option *options)
{
    printf("%s %s: %s\n", kind, name, summary);
    if (source) printf("source: %s\n", source);
    if (!options) return;
    putchar('\n');
    if (options->key)
        pg_options_help(options, stdout);
    else
        puts("  no options");
}

/* Each prints what it knows of a name; false if that is nothing. */
static bool about_command(const char *name)
{
    const pg_command *command = pg_command_find(name);
    char word[64], option[] = "--help", *arguments[] = {word, option, NULL};
    if (!command) return false;
    snprintf(word, sizeof word, "%s", name);
    optind = 0; /* getopt starts over */
    (void)command->run(2, arguments);
    return true;
}

static bool about_section(const char *name)
{
    for (const topic *t = sections; t->name; t++) {
        if (strcmp(t->name, name) != 0) continue;
        t->print();
        if (t->list) printf("\npassgrid list %s prints the names.\n", t->list);
        return true;
    }
    return false;
}

static bool about_scheme(const char *name)
{
    const pg_scheme *s = pg_scheme_find(name);
    if (s) explain("scheme", s->name, s->summary, s->source, s->options);
    return s != NULL;
}

static bool about_attack(const char *name)
{
    const pg_attack *a = pg_attack_find(name);
    if (a) explain("attack", a->name, a->summary, a->source, a->options);
    return a != NULL;
}

static bool about_network(const char *name)
{
    const pg_arch *arch = pg_arch_find(name);
    if (arch) explain("network", arch->name, arch->summary, NULL, NULL);
    return arch != NULL;
}

static bool about_data(const char *name)
{
    const pg_data_kind *kind = pg_data_kind_find(name);
    if (kind) explain("data set", kind->name, kind->summary, NULL, NULL);
    return kind != NULL;
}

/* Print the defaults that a preset changes in one place. */
static void print_changes(const char *place, const char *preset, const pg_preset_default *changes)
{
    for (; changes && changes->preset; changes++)
        if (strcmp(changes->preset, preset) == 0) printf("  %s: %s %s\n", place, changes->key, changes->value);
}

static bool about_preset(const char *name)
{
    for (int i = 0; pg_presets[i]; i++) {
        if (strcmp(pg_presets[i], name) != 0) continue;
        explain("preset", name, pg_preset_summaries[i], NULL, NULL);
        print_changes("train", name, pg_preset_train);
        for (int a = 0; pg_attacks[a]; a++) print_changes(pg_attacks[a]->name, name, pg_attacks[a]->presets);
        return true;
    }
    return false;
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

/* Where keys stand, apart from those of one scheme or attack. */
static const struct place {
    const char *name;
    const pg_option *table;
} places[] = {{"at the top of a grid", pg_grid_table}, {"in data", pg_data_table},          {"in networks", pg_network_table},
              {"in train", pg_preset_table},           {"in train", pg_train_table},        {"in verify", pg_verify_table},
              {"in every scheme", pg_source_table},    {"in every attack", pg_attack_table}};
enum { PLACES = sizeof places / sizeof *places };

static bool about_key(const char *name)
{
    char place[96];
    bool found = false;
    for (int i = 0; i < PLACES; i++) found |= show_key(places[i].name, places[i].table, name);
    for (int i = 0; pg_schemes[i]; i++) {
        snprintf(place, sizeof place, "in the scheme %s", pg_schemes[i]->name);
        found |= show_key(place, pg_schemes[i]->options, name);
    }
    for (int i = 0; pg_attacks[i]; i++) {
        snprintf(place, sizeof place, "in the attack %s", pg_attacks[i]->name);
        found |= show_key(place, pg_attacks[i]->options, name);
    }
    return found;
}

static const struct kind {
    const char *name; /* as the first of two words */
    bool (*about)(const char *name);
} kinds[] = {{"command", about_command}, {"section", about_section}, {"scheme", about_scheme}, {"attack", about_attack},
             {"network", about_network}, {"data", about_data},       {"preset", about_preset}, {"key", about_key}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- words that mean nothing ---- */

enum { NAMES_MAX = 512 };

static void add_keys(const pg_option *table, const char **names, int *count)
{
    for (; table->key && *count < NAMES_MAX; table++) names[(*count)++] = table->key;
}

static int unknown(const char *word)
{
    const char *names[NAMES_MAX + 1];
    int n = 0;
    for (int i = 0; pg_commands[i].name; i++) names[n++] = pg_commands[i].name;
    for (int i = 0; sections[i].name; i++) names[n++] = sections[i].name;
    for (int i = 0; pg_schemes[i]; i++) names[n++] = pg_schemes[i]->name;
    for (int i = 0; pg_attacks[i]; i++) names[n++] = pg_attacks[i]->name;
    for (int i = 0; pg_archs[i]; i++) names[n++] = pg_archs[i]->name;
    for (int i = 0; pg_data_kinds[i].name; i++) names[n++] = pg_data_kinds[i].name;
    for (int i = 0; pg_presets[i]; i++) names[n++] = pg_presets[i];
    for (int i = 0; i < PLACES; i++) add_keys(places[i].table, names, &n);
    for (int i = 0; pg_schemes[i]; i++) add_keys(pg_schemes[i]->options, names, &n);
    for (int i = 0; pg_attacks[i]; i++) add_keys(pg_attacks[i]->options, names, &n);
    names[n] = NULL;
    const char *near = pg_nearest(word, names);
    if (near) return pg_complain("help", PG_BAD_INPUT, "nothing is called '%s', did you mean '%s'?", word, near);
    return pg_complain("help", PG_BAD_INPUT, "nothing is called '%s' (passgrid help; passgrid list)", word);
}

/* Words that the help of another explains. */
static const char *const others[][2] = {
    {"nets", "networks"}, {"scheme", "schemes"}, {"attack", "attacks"}, {"after", "attacks"}};

static int help_word(const char *word)
{
    bool found = false;
    if (strcmp(word, "config") == 0) {
        config();
        return 0;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(word, others[i][0]) == 0) word = others[i][1];
    for (int i = 0; i < KINDS; i++) found |= (!found || i + 1 < KINDS) && kinds[i].about(word);
    return found ? 0 : unknown(word);
}

int pg_cmd_help(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    const int c = pg_next_option(argc, argv, options);
    if (c == '?') return 2;
    const int words = argc - optind;
    char **word = argv + optind;
    if (c == 'h' || words == 0) {
        overview();
        return 0;
    }
    if (words == 1) return help_word(word[0]);
    for (int i = 0; i < KINDS && words == 2; i++)
        if (strcmp(word[0], kinds[i].name) == 0) return kinds[i].about(word[1]) ? 0 : unknown(word[1]);
    return pg_complain("help", PG_BAD_INPUT, "expected one word, such as a command, or `scheme NAME` or `attack NAME`");
}
