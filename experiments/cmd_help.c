/* passgrid help: commands, and the option tables. */
#include "experiments/commands.h"

#include "experiments/grid_options.h"
#include "experiments/provenance.h"
#include "experiments/task.h"

#include <stdio.h>
#include <string.h>

static void overview(void)
{
    printf("%s: a harness for neural network ownership verification\n\nusage: passgrid COMMAND ...\n\n", pg_version());
    for (const pg_command *command = pg_commands; command->name; command++)
        printf("  %-8s %s\n", command->name, command->summary);
    printf("\npassgrid help COMMAND, passgrid help attack NAME, passgrid help scheme NAME, passgrid help config, passgrid "
           "--version\n");
}

static void config(void)
{
    puts("A grid is a YAML file. Everything in it is crossed with everything; where one value belongs, a list of values "
         "multiplies out\n"
         "(not in `train` and `verify`, which are the same for the whole grid). The keys at the top:\n");
    pg_options_help(pg_grid_table, stdout);
    puts("\ndata: one map or a list of maps\n");
    pg_options_help(pg_data_table, stdout);
    puts("\nnetworks: a list of maps\n");
    pg_options_help(pg_network_table, stdout);
    puts("\ntrain: a map\n");
    pg_options_help(pg_preset_table, stdout);
    pg_options_help(pg_train_table, stdout);
    puts("\nschemes: a list of maps with `scheme: NAME`, the options of that scheme (passgrid help scheme NAME), and `train`, "
         "a map of what\n"
         "is different from the grid's own `train`. Passports that are made from images go through the plain network that is "
         "trained\n"
         "by the grid's own `train`.\n\n"
         "attacks: a list of maps with `attack: NAME`, the options of that attack (passgrid help attack NAME), and `schemes`, "
         "a list of\n"
         "the schemes that it is used on (all that it makes sense for, if absent), and `after: NAME`, an attack above that "
         "forges evidence,\n"
         "which is judged again once this one has changed the model (counterfeit-triggers, counterfeit-uchida); and\n");
    pg_options_help(pg_attack_table, stdout);
    puts("\nverify: a map\n");
    pg_options_help(pg_verify_table, stdout);
    puts("\nprofiles: a map of names to maps of any of the keys above, which override those of the file: maps are merged, "
         "everything else\n"
         "is replaced\n\n"
         "profile: the name of the profile that is applied, as by --profile; none if absent");
}

/* Message for a name that is not known, with the nearest one that is. */
static int unknown(const char *what, const char *name, const char *const *names)
{
    const char *near = pg_nearest(name, names);
    if (near) return pg_complain("help", PG_BAD_INPUT, "unknown %s '%s', did you mean '%s'?", what, name, near);
    return pg_complain("help", PG_BAD_INPUT, "unknown %s '%s'", what, name);
}

static void explain(const char *name, const char *summary, const char *source, const pg_option *options)
{
    printf("%s: %s\nsource: %s\n\n", name, summary, source);
    if (options->key)
        pg_options_help(options, stdout);
    else
        puts("  no options");
}

static int help_attack(const char *name)
{
    enum { NAMES_MAX = 128 };
    const char *names[NAMES_MAX + 1] = {NULL};
    const pg_attack *attack = pg_attack_find(name);
    for (int i = 0; i < NAMES_MAX && pg_attacks[i]; i++) names[i] = pg_attacks[i]->name;
    if (!attack) return unknown("attack", name, names);
    explain(attack->name, attack->summary, attack->source, attack->options);
    return 0;
}

static int help_scheme(const char *name)
{
    enum { NAMES_MAX = 64 };
    const char *names[NAMES_MAX + 1] = {NULL};
    const pg_scheme *scheme = pg_scheme_find(name);
    for (int i = 0; i < NAMES_MAX && pg_schemes[i]; i++) names[i] = pg_schemes[i]->name;
    if (!scheme) return unknown("scheme", name, names);
    explain(scheme->name, scheme->summary, scheme->source, scheme->options);
    return 0;
}

int pg_cmd_help(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    const int c = pg_next_option(argc, argv, options);
    if (c == '?') return 2;
    const int words = argc - optind;
    const char *first = words > 0 ? argv[optind] : "";
    if (c == 'h' || words == 0) {
        overview();
        return 0;
    }
    if (strcmp(first, "config") == 0 && words == 1) {
        config();
        return 0;
    }
    if (strcmp(first, "attack") == 0 || strcmp(first, "scheme") == 0) {
        if (words != 2)
            return pg_complain("help", PG_BAD_INPUT, "expected the name of one %s (passgrid list %ss)", first, first);
        return first[0] == 'a' ? help_attack(argv[optind + 1]) : help_scheme(argv[optind + 1]);
    }
    const pg_command *command = pg_command_find(first);
    if (!command) return unknown("command", first, pg_command_names());
    char option[] = "--help", *arguments[] = {argv[optind], option, NULL};
    optind = 0; /* getopt starts over */
    return command->run(2, arguments);
}
