/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chains of attacks: what they share, what they cost, and what is refused. */
#include "core/base/memory.h"
#include "core/compute/parallel.h"
#include "experiments/grid/grid.h"
#include "experiments/work/perform.h"
#include "experiments/work/record.h"
#include "experiments/work/records.h"
#include "experiments/work/rundir.h"
#include "tests/unit/test.h"

#define HEAD                                                                                                                   \
    "data: {name: synthetic, train: 40, test: 20}\n"                                                                           \
    "networks: [{arch: alexnet, width: 0.0625}]\n"                                                                             \
    "train: {epochs: 1, batch: 20, lr: 0.01, schedule: constant}\n"                                                            \
    "verify: {nulls: 2}\n"                                                                                                     \
    "schemes: [{scheme: uchida, bits: 16}]\n"                                                                                  \
    "attacks:\n"
#define TUNE "{attack: finetune, epochs: 1, batch: 20}"

static pg_problems problems;

static pg_status read_grid(const char *text, pg_grid **out)
{
    problems.count = 0;
    OK(pg_file_write("g.yaml", text, strlen(text), PG_FILE_PUBLIC, &err));
    return pg_grid_read("g.yaml", NULL, 0, NULL, out, &problems, &err);
}

static pg_grid *grid_of(const char *text)
{
    pg_grid *grid = NULL;
    const pg_status status = read_grid(text, &grid);
    if (problems.count) fail_msg("%s", problems.lines[0]);
    OK(status);
    return grid;
}

/* An attack alone is the beginning of two chains: it is one task, with the key that it has alone. The grid that a run writes
 * has the same tasks. */
TEST(chains_share_their_beginnings)
{
    pg_grid *alone = grid_of(HEAD " - " TUNE "\n");
    pg_grid *grid = grid_of(HEAD " - " TUNE "\n - chain: [" TUNE ", {attack: rewrite}, {attack: prune}]\n"
                                 " - {chain: [" TUNE ", {attack: rewrite}, " TUNE "]}\n");
    assert_int_equal(alone->count, 2);
    assert_int_equal(grid->count, 5);
    assert_string_equal(grid->tasks[1].key, alone->tasks[1].key);
    assert_true(grid->tasks[1].keep && !alone->tasks[1].keep);
    for (int i = 2; i < 5; i++) assert_int_equal(grid->tasks[i].parent_count, 2);
    assert_true(grid->tasks[2].keep && !grid->tasks[3].keep && !grid->tasks[4].keep);
    pg_grid *again = grid_of(grid->resolved);
    assert_int_equal(again->count, grid->count);
    for (int i = 0; i < grid->count; i++) assert_string_equal(again->tasks[i].key, grid->tasks[i].key);
    assert_string_equal(again->resolved, grid->resolved);
    pg_grid_destroy(&again);
    pg_grid_destroy(&grid);
    pg_grid_destroy(&alone);
}

static double cell(const char *key, const char *metric)
{
    pg_record record = {0};
    pg_parameter_pool pool = {0};
    pg_task_labels labels;
    bool found;
    double value = -1;
    OK(pg_records_load(".", key, &pool, &record, &labels, &found, &err));
    for (int i = 0; i < record.cell_count; i++)
        if (strcmp(record.cells[i].metric, metric) == 0) value = record.cells[i].value;
    pg_record_clear(&record);
    pg_parameter_pool_clear(&pool);
    return value;
}

/* The last attack's record has the cost of all, and judges the network that all of them made: it agrees with the one before on
 * what pruning nothing leaves. */
TEST(costs_of_a_chain_add_up)
{
    pg_compute_start(1);
    OK(pg_rundir_make(".", &err));
    const pg_workplace at = {.directory = ".", .checkpoint_seconds = 1e9};
    pg_grid *grid =
        grid_of(HEAD " - chain: [{attack: extract, epochs: 2, batch: 20}, " TUNE ", {attack: prune, levels: [0]}]\n");
    for (int i = 0; i < grid->count; i++) OK(pg_perform(grid->tasks[i].text, &at, &err));
    assert_int_equal(grid->count, 4);
    assert_true(cell(grid->tasks[1].key, "attack_images") == 80);
    assert_true(cell(grid->tasks[2].key, "attack_images") == 120);
    assert_true(cell(grid->tasks[3].key, "attack_images") == 120);
    assert_true(cell(grid->tasks[2].key, "attack_flops") > cell(grid->tasks[1].key, "attack_flops"));
    for (int i = 1; i < 4; i++) assert_true(cell(grid->tasks[i].key, "queries") == 40);
    assert_true(cell(grid->tasks[3].key, "accuracy") == cell(grid->tasks[2].key, "accuracy"));
    assert_true(cell(grid->tasks[3].key, "detection") == cell(grid->tasks[2].key, "detection"));
    pg_grid_destroy(&grid);
    pg_task_release_data();
}

TEST(a_thief_claims_a_network_in_which_the_owners_mark_has_no_place)
{
    pg_compute_start(1);
    OK(pg_rundir_make(".", &err));
    const pg_workplace at = {.directory = ".", .checkpoint_seconds = 1e9};
    pg_grid *grid = grid_of(HEAD " - chain: [{attack: extract, arch: lenet5, epochs: 1, batch: 20}, "
                                 "{attack: overwrite, epochs: 1, batch: 20}]\n");
    for (int i = 0; i < grid->count; i++) OK(pg_perform(grid->tasks[i].text, &at, &err));
    assert_true(cell(grid->tasks[2].key, "readable") == 0);
    assert_true(cell(grid->tasks[2].key, "bits") > 0);
    assert_true(cell(grid->tasks[2].key, "owner_detection") == -1);
    pg_grid_destroy(&grid);
    pg_task_release_data();
}

static void write_network(const char *path, const char *channels)
{
    char text[256];
    snprintf(text, sizeof text, "name: mine\nimage: 32\nrows:\n - {row: conv, channels: %s, stride: 4}\n - {row: dense}\n",
             channels);
    OK(pg_file_write(path, text, strlen(text), PG_FILE_PUBLIC, &err));
}

#define INTO(arch) "{attack: extract, arch: " arch ", epochs: 1, batch: 20}"

/* The texts of tasks have the rows of a network file in which a thief trains, so that they need no file; their keys have the
 * checksum of the rows. */
TEST(tasks_have_the_rows_of_the_network_that_an_attack_names)
{
    static const char *const grids[] = {HEAD " - " INTO("mine.yaml") "\n - chain: [" INTO("mine.yaml") ", " TUNE "]\n",
                                        HEAD " - " INTO("moved.yaml") "\n - chain: [" INTO("moved.yaml") ", " TUNE "]\n"};
    write_network("mine.yaml", "8");
    write_network("moved.yaml", "8");
    pg_grid *grid = grid_of(grids[0]), *moved = grid_of(grids[1]);
    assert_int_equal(remove("mine.yaml"), 0);
    assert_int_equal(grid->count, 3);
    for (int i = 1; i < grid->count; i++) {
        pg_task task;
        assert_non_null(strstr(grid->tasks[i].text, "arch: mine"));
        assert_non_null(strstr(grid->tasks[i].text, "rows: '{name: mine"));
        assert_null(strstr(grid->tasks[i].public_text, "{name: mine"));
        assert_non_null(strstr(strstr(grid->tasks[i].public_text, "rows: "), "sha256:"));
        OK(pg_task_parse(grid->tasks[i].text, &task, &err));
        assert_string_equal(task.key, grid->tasks[i].key);
        assert_string_equal((i == 1 ? task.attack_arch : task.before[0].arch)->name, "mine");
        assert_string_equal(moved->tasks[i].key, grid->tasks[i].key);
        pg_task_clear(&task);
    }
    write_network("mine.yaml", "9");
    pg_grid *changed = grid_of(grids[0]);
    assert_string_equal(changed->tasks[0].key, grid->tasks[0].key);
    for (int i = 1; i < grid->count; i++) assert_string_not_equal(changed->tasks[i].key, grid->tasks[i].key);
    pg_grid *again = grid_of(moved->resolved);
    assert_int_equal(again->count, moved->count);
    for (int i = 0; i < again->count; i++) assert_string_equal(again->tasks[i].key, moved->tasks[i].key);
    pg_grid_destroy(&again);
    pg_grid_destroy(&changed);
    pg_grid_destroy(&moved);
    pg_grid_destroy(&grid);
}

TEST(a_copy_of_a_shipped_network_makes_the_tasks_of_its_name)
{
    pg_grid *named = grid_of(HEAD " - " INTO("lenet5") "\n");
    OK(pg_file_write("copy.yaml", pg_arch_find("lenet5")->text, strlen(pg_arch_find("lenet5")->text), PG_FILE_PUBLIC, &err));
    pg_grid *copied = grid_of(HEAD " - " INTO("copy.yaml") "\n");
    assert_string_equal(copied->tasks[1].text, named->tasks[1].text);
    assert_null(strstr(named->tasks[1].text, "rows"));
    pg_grid_destroy(&copied);
    pg_grid_destroy(&named);
}

/* A task whose network is missing or another one is refused. */
TEST(a_task_that_names_an_unknown_network_is_refused)
{
    pg_task task;
    write_network("mine.yaml", "8");
    pg_grid *grid = grid_of(HEAD " - " INTO("mine.yaml") "\n");
    char *text = grid->tasks[1].text;
    memcpy(strstr(text, "arch: mine"), "arch: mini", 10);
    FAILS(pg_task_parse(text, &task, &err), PG_BAD_INPUT, "task: unknown network 'mini'");
    memcpy(strstr(text, "arch: mini"), "arch: mine", 10);
    memcpy(strstr(text, "rows: '{name: mine"), "rowz: ", 6);
    FAILS(pg_task_parse(text, &task, &err), PG_BAD_INPUT, "task: unknown network 'mine'");
    pg_grid_destroy(&grid);
}

TEST(a_thief_trains_a_network_from_a_file)
{
    pg_compute_start(1);
    OK(pg_rundir_make(".", &err));
    write_network("mine.yaml", "8");
    const pg_workplace at = {.directory = ".", .checkpoint_seconds = 1e9};
    pg_grid *grid = grid_of(HEAD " - chain: [" INTO("mine.yaml") ", " TUNE "]\n");
    for (int i = 0; i < grid->count; i++) OK(pg_perform(grid->tasks[i].text, &at, &err));
    assert_true(cell(grid->tasks[1].key, "queries") == 40);
    assert_true(cell(grid->tasks[1].key, "readable") == 0);
    assert_true(cell(grid->tasks[2].key, "attack_images") == 80);
    pg_grid_destroy(&grid);
    pg_task_release_data();
}

TEST(chains_without_meaning_are_refused)
{
    static const char *const wrong[][2] = {
        {" - {chain: [{attack: prune}, " TUNE "]}\n", "g.yaml:7:22: attacks.0.chain.0.attack: expected one of"},
        {" - {chain: [" TUNE "]}\n", "attacks.0.chain: expected a list of 2 to 9 attacks, got a list of 1"},
        {" - {chain: prune}\n", "attacks.0.chain: expected a list of 2 to 9 attacks"},
        {" - {chain: [" TUNE ", {levels: [5]}]}\n", "attacks.0.chain.1"},
        {" - {chain: [{attack: rewrite, dummies: all}, " TUNE ", {attack: fake1}]}\n",
         "attacks.0.chain.2: fake1 needs passports, which have no place in the network that rewrite leaves"},
        {" - {chain: [{attack: extract, arch: lenet5, batch: 20}, {attack: flip}]}\n", "that extract leaves"},
        {" - {chain: [{attack: extract, arch: lenet, batch: 20}, {attack: prune}]}\n",
         "g.yaml:7:37: attacks.0.chain.0.arch: expected one of alexnet, "},
        {" - {chain: [" TUNE ", prune]}\n", "attacks.0.chain.1"},
        {" - {chain: [" TUNE ", {attack: prune}], after: prune}\n", "attacks.0.after: unknown key"},
        {" - {chain: [{attack: finetune, lr: [0.1, 0.2], batch: 20}, {attack: prune}]}\n",
         "attacks.0.chain.0.lr: expected a number"},
        {" - {chain: [" TUNE ", {attack: prune}], schemes: [v1, nobody]}\n", "attacks.0.schemes.1"},
        {" - {chain: [" TUNE ", {attack: prune}]}\n - {chain: [" TUNE ", {attack: prune}]}\n",
         "gives the same tasks as the entry"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[1024];
        pg_grid *grid = NULL;
        snprintf(text, sizeof text, "%s%s", HEAD, wrong[i][0]);
        assert_int_equal(read_grid(text, &grid), PG_BAD_INPUT);
        assert_true(problems.count > 0);
        assert_contains(problems.lines[0], wrong[i][1]);
    }
}
