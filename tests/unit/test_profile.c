/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles of a grid file: what they override, which value wins, and faults in them. */
#include "core/base/memory.h"
#include "experiments/grid/grid.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <unistd.h>

static const char path[] = "grid.yaml";
static pg_problems problems;

static void write_config(const char *text)
{
    OK(pg_file_write(path, text, strlen(text), PG_FILE_PUBLIC, &err));
}

static const char config[] = "name: whole\n"
                             "seeds: [1, 2]\n"
                             "data: {name: synthetic, train: 64, test: 32}\n"
                             "networks: [{arch: alexnet, width: 0.125}]\n"
                             "train: {epochs: 9, lr: 0.03}\n"
                             "schemes: [{scheme: plain}]\n"
                             "attacks: [{attack: prune}]\n"
                             "profiles:\n"
                             "  small:\n"
                             "    name: part\n"
                             "    label: reduced\n"
                             "    seeds: [3]\n"
                             "    train: {epochs: 2}\n"
                             "    attacks: [{attack: prune, levels: [50]}, {attack: \"null\"}]\n"
                             "  smaller:\n"
                             "    train: {epochs: 1}\n";

static pg_design *read_design(const char *const *sets, int count)
{
    pg_design *design = NULL;
    problems.count = 0;
    OK(pg_design_read(path, sets, count, NULL, &design, &problems, &err));
    return design;
}

TEST(a_profile_overrides_the_grid)
{
    static const char *const sets[] = {"profile=small"};
    write_config(config);
    pg_design *whole = read_design(NULL, 0), *part = read_design(sets, 1);
    assert_string_equal(whole->grid.name, "whole");
    assert_int_equal(whole->train.epochs, 9);
    assert_int_equal(whole->attack_count, 1);
    assert_string_equal(part->grid.name, "part");
    assert_string_equal(part->grid.label, "reduced"); /* new */
    assert_int_equal(part->grid.seeds.count, 1);      /* lists are replaced */
    assert_int_equal(part->grid.seeds.values[0], 3);
    assert_int_equal(part->train.epochs, 2); /* maps are merged */
    assert_true(part->train.lr > 0.029 && part->train.lr < 0.031);
    assert_int_equal(part->attack_count, 2);
    assert_int_equal(part->data[0].choice.train, 64);
    pg_design_destroy(&whole);
    pg_design_destroy(&part);
}

/* Their position on the command line does not matter. They may change values that the profile has set. */
TEST(assignments_override_the_profile)
{
    static const char *const sets[] = {"train.epochs=5", "attacks.1.attack=prune", "profile=small"};
    write_config(config);
    pg_design *design = read_design(sets, 3);
    assert_int_equal(design->train.epochs, 5);
    assert_string_equal(design->attacks[1].attack->name, "prune");
    pg_design_destroy(&design);
    static const char *const inside[] = {"profile=small", "profiles.small.train.epochs=4", "profiles.small.train.lr=0.5"};
    design = read_design(inside, 3);
    assert_int_equal(design->train.epochs, 4);
    assert_true(design->train.lr > 0.49);
    pg_design_destroy(&design);
}

/* Without profiles. */
TEST(the_resolved_configuration_gives_the_same_grid)
{
    static const char *const sets[] = {"profile=small"};
    char *text = NULL;
    write_config(config);
    pg_design *part = read_design(sets, 1);
    OK(pg_design_write(part, &text, &err));
    assert_null(strstr(text, "profile"));
    assert_contains(text, "epochs: 2\n");
    pg_free(text);
    pg_design_destroy(&part);
}

static void assert_problem(const char *text, const char *set, const char *expected)
{
    pg_design *design = NULL;
    write_config(text);
    problems.count = 0;
    assert_int_equal(pg_design_read(path, &set, set ? 1 : 0, NULL, &design, &problems, &err), PG_BAD_INPUT);
    assert_null(design);
    if (problems.count != 1 || !strstr(problems.lines[0], expected))
        fail_msg("%d problems, \"%s\" lacks \"%s\"", problems.count, problems.count ? problems.lines[0] : err.message,
                 expected);
}

#define HEAD "data: {name: synthetic}\nnetworks: [{arch: alexnet}]\ntrain: {epochs: 1}\nschemes: [{scheme: plain}]\n"

TEST(problems_of_a_profile_have_its_positions)
{
    assert_problem(HEAD, "profile=small", "--set profile=small: profile: this configuration has no profiles");
    assert_problem(config, "profile=smal", "profile: expected one of small, smaller, got \"smal\", did you mean 'small'?");
    assert_problem(HEAD, "profiles=[1]", "--set profiles=[1]: profiles: expected a map of profiles, got a list");
    assert_problem(HEAD, "profiles={a: {epochs: 1}}", "profiles.a.epochs: unknown key");
    assert_problem(HEAD "profiles: [a]\n", NULL, ":5:11: profiles: expected a map of profiles, got a list");
    assert_problem(HEAD "profiles: {a: 1}\n", NULL, ":5:15: profiles.a: expected a map, got 1");
    /* an unknown key, whether the profile is used or not; a profile cannot choose another one */
    assert_problem(HEAD "profiles: {a: {trian: {}}}\n", NULL, ":5:16: profiles.a.trian: unknown key, did you mean 'train'?");
    assert_problem(HEAD "profiles: {a: {profile: b}}\n", NULL, "profiles.a.profile: unknown key");
    /* an error in a profile is reported at its place in the profile */
    assert_problem(HEAD "profiles: {a: {train: {epochs: 0}}}\n", "profile=a", ":5:32: train.epochs: expected a whole number");
    assert_problem(HEAD "profiles: {a: {train: {epoch: 1}}}\n", "profile=a", ":5:24: train.epoch: unknown key");
}

static bool label_says(const pg_grid *grid, const char *word)
{
    return strstr(grid->options.label, word) != NULL;
}

/* Core hours at 3e10 multiply-adds per second. */
static double hours_of(const pg_grid *grid)
{
    double sum = 0;
    for (int i = 0; i < grid->count; i++) sum += grid->tasks[i].cost;
    return sum / 3e10 / 3600;
}

/* At full size, and reduced to three hours on two cores. */
TEST(the_grid_of_the_paper_is_planned_without_its_data)
{
    static const char *const laptop[] = {"profile=laptop"};
    static const char empty[] = "/nowhere";
    pg_grid *full = NULL, *reduced = NULL;
    problems.count = 0;
    assert_int_equal(pg_grid_read(source_path("configs/paper.yaml"), NULL, 0, empty, &full, &problems, &err), PG_BAD_INPUT);
    assert_null(pg_inputs_assumed()[0]);
    problems.count = 0;
    pg_inputs_assume();
    OK(pg_grid_read(source_path("configs/paper.yaml"), NULL, 0, empty, &full, &problems, &err));
    OK(pg_grid_read(source_path("configs/paper.yaml"), laptop, 1, empty, &reduced, &problems, &err));
    assert_string_equal(pg_inputs_assumed()[0], "cifar10");
    assert_string_equal(pg_inputs_assumed()[1], "cifar100");
    assert_true(full->options.seeds.count >= 5 && reduced->options.seeds.count >= 3);
    assert_true(hours_of(reduced) < 6 && hours_of(full) > 1e5);
    assert_true(!label_says(full, "reduced") && label_says(reduced, "reduced"));
    assert_string_not_equal(full->options.name, reduced->options.name);
    pg_grid_destroy(&full);
    pg_grid_destroy(&reduced);
}
