/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Help on the sections of a grid; see help_sections.h. */
#include "experiments/commands/help_sections.h"

#include "attacks/attack.h"
#include "core/nets/arch_file.h"
#include "core/ownership/verify.h"
#include "core/train/trainer.h"
#include "experiments/grid/grid_options.h"
#include "experiments/grid/presets.h"

#include <stdio.h>
#include <string.h>

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

static void help_rows(void)
{
    puts(
        "rows: the layers of a network file, a list of maps with `row: KIND` and the options of that kind. Beside them the file\n"
        "has\n");
    pg_options_help(pg_arch_options, stdout);
    puts(
        "\nA row reads the row before it unless it says otherwise. The last row is `{row: dense}` without channels. If no row\n"
        "is a passport layer by default, the last three convolutions with a norm are.");
    for (const pg_row_kind_info *k = pg_row_kinds; k->name; k++) {
        printf("\nrow: %s: %s\n", k->name, k->summary);
        pg_options_help(k->options, stdout);
    }
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
         "images into passports. Instead of options an entry may name an imported network\n");
    pg_options_help(pg_source_table, stdout);
    puts(
        "\nThese files determine the options. If every entry has `model`, you may leave out `networks`. Attackers train on the\n"
        "grid's data. An imported network has no seed: it is one task for all seeds, and so is every attack on it that uses\n"
        "no random numbers.");
}

static void help_attacks(void)
{
    puts("attacks: a list of maps with `attack: NAME`, the options of that attack (passgrid help attack NAME), `schemes`, the\n"
         "schemes to attack (default: all to which the attack applies), and `after: NAME`, an earlier attack: its forged\n"
         "evidence is judged again after this attack has changed the model:\n");
    for (int i = 0; pg_attacks[i]; i++)
        if (pg_attacks[i]->hands_on) printf("  after: %s\n", pg_attacks[i]->name);
    puts("\nand\n");
    pg_options_help(pg_attack_table, stdout);
    puts("\nAn entry with `chain` in place of `attack` runs several attacks, one after the other (passgrid help chain).");
}

static void help_chain(void)
{
    puts(
        "chain: in `attacks`, in place of `attack`: a list of maps with `attack: NAME` and its options. Each attack begins with\n"
        "the network that the one before it made, and costs add up. `schemes` and `keep` stand beside `chain`. The last attack\n"
        "is any one; before it can come\n");
    for (int i = 0; pg_attacks[i]; i++)
        if (pg_attacks[i]->remakes) printf("  attack: %s\n", pg_attacks[i]->name);
}

static void help_independent(void)
{
    puts(
        "independent: one map or a list of maps of plain networks on which nobody has a claim. Their seeds are above those of\n"
        "owners and attackers. The owner's evidence, and that of every attack which `after` may name, claims each of them:\n");
    pg_options_help(pg_independent_table, stdout);
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

const pg_help_topic pg_help_sections[] = {
    {"grid", help_top, NULL},
    {"data", help_data, "data"},
    {"networks", help_networks, "networks"},
    {"rows", help_rows, NULL},
    {"train", help_train, NULL},
    {"schemes", help_schemes, "schemes"},
    {"attacks", help_attacks, "attacks"},
    {"chain", help_chain, NULL},
    {"independent", help_independent, NULL},
    {"verify", help_verify, NULL},
    {"profiles", help_profiles, NULL},
    {"presets", help_presets, NULL},
    {"set", help_set, NULL},
    {0},
};

void pg_help_config(void)
{
    for (const pg_help_topic *t = pg_help_sections; t->name; t++) {
        if (t != pg_help_sections) putchar('\n');
        t->print();
    }
}

bool pg_help_section(const char *name)
{
    for (const pg_help_topic *t = pg_help_sections; t->name; t++) {
        if (strcmp(t->name, name) != 0) continue;
        t->print();
        if (t->list) printf("\npassgrid list %s prints the names.\n", t->list);
        return true;
    }
    return false;
}
