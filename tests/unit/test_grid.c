/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a grid file to tasks: which combinations are made, which tasks are shared, which are left out; the text of a task and
 * its key. */
#include "core/base/memory.h"
#include "experiments/grid/design.h"
#include "experiments/grid/grid.h"
#include "experiments/grid/presets.h"
#include "tests/unit/test.h"
#include "tests/unit/values.h"

#include <stdlib.h>
#include <unistd.h>

static pg_problems problems;

static const char *write_config(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/test.yaml", folder());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static pg_grid *read_grid(const char *text, const char *const *sets, int set_count)
{
    pg_grid *grid = NULL;
    problems.count = 0;
    const pg_status status = pg_grid_read(write_config(text), sets, set_count, NULL, &grid, &problems, &err);
    OK(status);
    return grid;
}

#define HEAD                                                                                                                   \
    "data: {name: synthetic, train: 64, test: 32}\n"                                                                           \
    "networks: [{arch: alexnet, width: 0.0625}]\n"                                                                             \
    "train: {epochs: 1}\n"

TEST(lists_are_multiplied_out)
{
    pg_grid *grid =
        read_grid("seeds: [1, 2]\ndata: [{name: synthetic, train: 64}, {name: synthetic, train: 128}]\n"
                  "networks: [{arch: alexnet, norm: [bn, gn], width: [0.0625, 0.125]}]\nschemes: [{scheme: plain}]\n"
                  "attacks: [{attack: null}, {attack: prune, scope: [all, weights], levels: [1, 2]}]\n",
                  NULL, 0);
    /* 2 seeds, 2 data sets, 4 networks; per point: training, the null attack, 2 prunings */
    assert_int_equal(grid->count, 2 * 2 * 4 * (1 + 1 + 2));
    for (int i = 0; i < grid->count; i++)
        for (int p = 0; p < grid->tasks[i].parent_count; p++) assert_true(grid->tasks[i].parents[p] < i);
    assert_int_equal(pg_grid_find(grid, grid->tasks[17].key), 17);
    assert_int_equal(pg_grid_find(grid, "00"), -1);
    pg_grid_destroy(&grid);
}

static void assert_problem(const char *text, const char *expected)
{
    pg_grid *grid = NULL;
    problems.count = 0;
    assert_int_equal(pg_grid_read(write_config(text), NULL, 0, NULL, &grid, &problems, &err), PG_BAD_INPUT);
    if (problems.count != 1 || !strstr(problems.lines[0], expected))
        fail_msg("%d problems, \"%s\" lacks \"%s\"", problems.count, problems.count ? problems.lines[0] : err.message,
                 expected);
}

/* A grid with an empty name would have no tasks and would count as finished. */
TEST(an_empty_name_is_refused)
{
    assert_problem("data: {name: synthetic}\nnetworks: [{arch: \"\"}]\nschemes: [{scheme: plain}]\n",
                   ":2:19: networks.0.arch: expected a text, got \"\"");
    assert_problem("data: {name: \"\"}\nnetworks: [{arch: alexnet}]\nschemes: [{scheme: plain}]\n",
                   ":1:14: data.name: expected a text, got \"\"");
    assert_problem("data: {name: synthetic}\nschemes: [{scheme: plain, model: \"\"}]\n",
                   ":2:34: schemes.0.model: expected the name of a file, got an empty text");
}

/* A scheme with evidence takes `bound: true`, or says why it cannot. */
TEST(a_scheme_that_cannot_be_bound_says_why)
{
    for (int i = 0; pg_schemes[i]; i++) {
        const pg_scheme *s = pg_schemes[i];
        char text[512], expected[512];
        assert_int_equal(s->holds && !s->bound[0].key, s->unbound != NULL);
        if (!s->unbound) continue;
        snprintf(text, sizeof text, HEAD "schemes: [{scheme: %s, bound: true}]\n", s->name);
        snprintf(expected, sizeof expected, "schemes.0.bound: %s cannot be bound: %s", s->name, s->unbound);
        assert_problem(text, expected);
    }
}

/* A list must not hold a value twice, nor two entries that give the same tasks. */
TEST(what_would_count_a_result_twice_is_refused)
{
#define PLAIN HEAD "schemes: [{scheme: plain}]\n"
    static const char *const texts[][2] = {
        {PLAIN "seeds: [1, 2, 01]\n", ":5:15: seeds.2: the list already has 01"},
        {PLAIN "attacks: [{attack: prune, levels: [50, 5e1]}]\n", ":5:40: attacks.0.levels.1: the list already has 5e1"},
        {PLAIN "attacks: [{attack: finetune, crop: [true, false, true]}]\n", "attacks.0.crop.2: the list already has \"true\""},
        {PLAIN "attacks: [{attack: finetune, lr: [0.1, 1e-1]}]\n", "attacks.0.lr.1: the list already has 1e-1"},
        {PLAIN "attacks: [{attack: [prune, prune]}]\n", "attacks.0.attack.1: the list already has \"prune\""},
        {PLAIN "attacks: [{attack: null}, {attack: \"null\"}]\n", ":5:27: attacks.1: gives the same tasks as the entry at "},
        {PLAIN "attacks: [{attack: prune}, {attack: prune, scope: all, schemes: [v1, plain]}]\n",
         ":5:28: attacks.1: gives the same tasks as the entry at "},
        {HEAD "schemes: [{scheme: v1, signature: [a, b, a]}]\n", "schemes.0.signature.2: the list already has \"a\""},
        {HEAD "schemes: [{scheme: [plain, plain]}]\n", "schemes.0.scheme.1: the list already has \"plain\""},
        {HEAD "schemes: [{scheme: v1, alpha: 0.1}, {scheme: [v1, v2], train: {epochs: 1}}]\n",
         ":4:37: schemes.1: gives the same tasks as the entry at "},
        {"data: [{name: synthetic}, {name: synthetic, train: 0}]\nnetworks: [{arch: alexnet}]\nschemes: [{scheme: plain}]\n",
         ":1:27: data.1: gives the same tasks as the entry at "},
        {"data: {name: synthetic, train: [64, 64]}\nnetworks: [{arch: alexnet}]\nschemes: [{scheme: plain}]\n",
         "data.train.1: the list already has 64"},
        {"data: {name: synthetic}\nnetworks: [{arch: alexnet}, {arch: alexnet, width: [2, 1.0]}]\nschemes: [{scheme: plain}]\n",
         ":2:29: networks.1: gives the same tasks as the entry at "},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) assert_problem(texts[i][0], texts[i][1]);
    pg_grid *grid = read_grid(HEAD "schemes: [{scheme: plain}, {scheme: adi}, {scheme: adi, train: {epochs: 2}}]\n"
                                   "attacks: [{attack: prune, schemes: [adi]}, {attack: prune, schemes: [plain, v1]},"
                                   " {attack: prune, levels: [50, 50.000001]}]\n",
                              NULL, 0);
    assert_int_equal(grid->count, 3 + 3 + 3);
    pg_grid_destroy(&grid);
}

/* The message is reported together with the other problems of the grid. */
TEST(a_grid_that_is_too_large_is_refused_before_it_is_made)
{
    pg_grid *grid = NULL;
    char text[1 << 16] = HEAD "seeds: [1, 2]\nschemes: [{scheme: [v1, v2]}]\nattacks: [{attack: fake1, ";
    static const char *const keys[] = {"images: [", "repeats: ["};
    const long live = pg_memory_live();
    for (int k = 0; k < 2; k++) {
        char *at = text + strlen(text);
        at += sprintf(at, "%s1", keys[k]);
        for (int i = 2; i <= 999; i++) at += sprintf(at, ", %d", i);
        sprintf(at, "], ");
    }
    strcat(text, "wrong: 1}]\n");
    problems.count = 0;
    assert_int_equal(pg_grid_read(write_config(text), NULL, 0, NULL, &grid, &problems, &err), PG_BAD_INPUT);
    assert_int_equal(problems.count, 2);
    const char *expected =
        ":1:1: seeds 2 x (schemes 2 + attacks on them 1,996,002) = 3,992,008 tasks; at most 1,000,000 are allowed";
    if (!strstr(problems.lines[0], expected)) fail_msg("%s", problems.lines[0]);
    if (!strstr(problems.lines[1], "attacks.0.wrong: unknown key; known keys: attack,")) fail_msg("%s", problems.lines[1]);
    assert_int_equal(pg_memory_live(), live);
}

/* Options of the attack of the design, as text; freed by pg_free. */
static char *attack_text(const pg_design *design, int i)
{
    return options_text(design->attacks[i].attack->options, design->attacks[i].options);
}

/* A preset sets options of training and of the attacks that the code of 2019 ran with other values. A key in the grid overrides
 * the preset. */
TEST(presets_have_the_published_settings)
{
    static const double decay[] = {1e-4, 5e-4};
    static const char *const sets[][1] = {{"train.preset=head22"}, {"train.preset=neurips19"}};
    static const char *const pixels[] = {"imagenet", "cifar"};
    static const char *const expected[2][4] = {{"crop: false", "init: signs", "alpha: 0.1,", "alpha: 1,"},
                                               {"crop: true", "init: random", "alpha: 0,", "alpha: 1,"}};
    for (int i = 0; i < 2; i++) {
        pg_design *d = NULL;
        problems.count = 0;
        const pg_status status = pg_design_read(
            write_config("data: {name: synthetic}\nnetworks: [{arch: alexnet}]\nschemes: [{scheme: v1}]\n"
                         "attacks: [{attack: finetune}, {attack: fake2}, {attack: fake3}, {attack: fake3, alpha: 1}]\n"),
            sets[i], 1, NULL, &d, &problems, &err);
        OK(status);
        assert_string_equal(pg_presets[i], strchr(sets[i][0], '=') + 1);
        assert_true(d->train.weight_decay >= decay[i] && d->train.weight_decay <= decay[i]);
        assert_string_equal(pg_pixels_names[d->train.pixels], pixels[i]);
        assert_int_equal(d->train.epochs, 200);
        assert_int_equal(d->train.batch, 64);
        assert_true(d->train.lr >= 0.01 && d->train.lr <= 0.01);
        assert_true(d->train.momentum >= 0.9 && d->train.momentum <= 0.9);
        assert_int_equal(d->train.schedule, PG_SCHEDULE_STEP);
        assert_int_equal(d->train.steps.count, 2);
        assert_int_equal(d->train.steps.values[0], 100);
        assert_int_equal(d->train.steps.values[1], 150);
        assert_true(d->train.crop && d->train.flip);
        assert_true(d->schemes[0].train.pixels == d->train.pixels);
        for (int a = 0; a < 4; a++) {
            char *text = attack_text(d, a);
            if (!strstr(text, expected[i][a])) fail_msg("'%s' is not in '%s'", expected[i][a], text);
            pg_free(text);
        }
        pg_design_destroy(&d);
    }
    assert_string_equal(pg_presets[2], "fast");
    pg_train_options fast;
    OK(pg_options_defaults(pg_train_table, &fast, &err));
    OK(pg_preset_apply(2, pg_preset_train, pg_train_table, &fast, &err));
    assert_int_equal(fast.epochs, 20);
    assert_int_equal(fast.schedule, PG_SCHEDULE_ONE_CYCLE);
    assert_true(fast.weight_decay >= 5e-4 && fast.weight_decay <= 5e-4);
    assert_true(fast.lr >= 0.05 && fast.lr <= 0.05 && fast.label_smoothing >= 0.1 && fast.label_smoothing <= 0.1);
    assert_null(pg_presets[3]);
}

/* The grid has a plain network whether it lists it or not. Forgeries do not apply to a plain network. */
TEST(a_plain_network_is_trained_once_for_all_that_need_it)
{
    pg_grid *with = read_grid(
        HEAD "schemes: [{scheme: v1}, {scheme: plain}, {scheme: v2, passport: random}]\nattacks: [{attack: fake1}]\n", NULL, 0);
    pg_grid *without =
        read_grid(HEAD "schemes: [{scheme: v1, train: {epochs: 3}}]\nattacks: [{attack: prune, schemes: [v2]}]\n", NULL, 0);
    assert_int_equal(with->count, 5); /* plain, v1, fake1 on v1, v2, fake1 on v2 */
    assert_int_equal(with->tasks[0].parent_count, 0);
    assert_contains(with->tasks[0].name, "/plain/");
    assert_int_equal(with->tasks[1].parent_count, 1);
    assert_int_equal(with->tasks[1].parents[0], 0);
    assert_int_equal(with->tasks[2].parent_count, 1); /* the forger does not have the owner's plain network */
    assert_int_equal(with->tasks[3].parent_count, 0);
    assert_int_equal(with->tasks[4].parent_count, 1);
    assert_int_equal(without->count, 2);
    assert_string_equal(without->tasks[0].key, with->tasks[0].key); /* the grid's training, not the scheme's */
    assert_true(without->tasks[1].cost > 2.5 * with->tasks[1].cost);
    pg_grid_destroy(&with);
    pg_grid_destroy(&without);
}

/* Nobody can solve for passports behind a perceptron. A grid that asks for such an attack on such a scheme is refused. */
TEST(attacks_that_do_not_apply_are_left_out)
{
    pg_grid *grid = read_grid(
        HEAD "schemes: [{scheme: [v2, pan], passport: random}]\nattacks: [{attack: flip}, {attack: fake1}]\n", NULL, 0);
    assert_int_equal(grid->count, 5); /* v2, flip and fake1 on it, pan, fake1 on it */
    pg_grid_destroy(&grid);
    assert_problem(HEAD "schemes: [{scheme: pan, passport: random}]\nattacks: [{attack: flip, schemes: [pan]}]\n",
                   "flip does not apply to the scheme pan");
    assert_problem(HEAD "schemes: [{scheme: v1}]\nattacks: [{attack: prune, schemes: []}]\n",
                   ":5:36: attacks.0.schemes: expected a list of at least one scheme, got an empty list");
    assert_problem("data: {name: synthetic}\nschemes: [{scheme: plain}]\nnetworks: [{arch: [resnet9, alexnet], "
                   "relu_before_add: [true, false]}]\n",
                   "networks.0.relu_before_add: has no effect on alexnet, which has no residual blocks");
}

static int find_name(const pg_grid *grid, const char *part)
{
    for (int i = 0; i < grid->count; i++)
        if (strstr(grid->tasks[i].name, part)) return i;
    fail_msg("no task is called %s", part);
    return -1;
}

/* The grid's own seeds come first, then further ones. Each network is trained once. Only thresholds depend on null models. */
TEST(null_models_are_plain_networks_of_other_seeds)
{
    static const char text[] = HEAD "seeds: [1, 2]\nschemes: [{scheme: plain}, {scheme: v1}, {scheme: adi}]\n";
    static const char *const wanted[] = {"null_models=3"};
    pg_grid *without = read_grid(text, NULL, 0), *with = read_grid(text, wanted, 1);
    assert_int_equal(without->count, 2 * 3);
    assert_int_equal(with->count, 2 * 3 + 2 * 2 + 2); /* a threshold for v1 and adi; plain networks of seeds 3 and 4 */
    for (int i = 0; i < without->count; i++) assert_true(pg_grid_find(with, without->tasks[i].key) >= 0);
    const int v1 = find_name(with, "/v1/s2/"), threshold = find_name(with, "/v1/threshold/s2/");
    const pg_grid_task *t = &with->tasks[threshold];
    assert_int_equal(t->parent_count, 2 + 3);
    assert_int_equal(t->parents[0], v1);
    assert_int_equal(t->parents[1], find_name(with, "/plain/s2/")); /* its passports' carrier is no null model */
    assert_int_equal(t->parents[2], find_name(with, "/plain/s1/"));
    assert_int_equal(t->parents[3], find_name(with, "/plain/s3/"));
    assert_int_equal(t->parents[4], find_name(with, "/plain/s4/"));
    assert_int_equal(with->tasks[find_name(with, "/adi/threshold/s1/")].parent_count, 1 + 3);
    pg_task task;
    OK(pg_task_parse(t->text, &task, &err));
    assert_int_equal(task.kind, PG_TASK_THRESHOLD);
    assert_int_equal(task.network_count, 3);
    assert_string_equal(task.networks[2], with->tasks[t->parents[4]].key);
    assert_string_equal(task.key, t->key);
    pg_task_clear(&task);
    pg_grid_destroy(&with);
    pg_grid_destroy(&without);
}

/* Every piece of evidence claims the same networks, whose seeds are above those of owners and references. */
TEST(independent_networks_are_trained_by_nobody_else)
{
    static const char text[] = "data: {name: synthetic, half: first, train: 64, test: 32}\n"
                               "networks: [{arch: alexnet, width: 0.0625}]\ntrain: {epochs: 1}\nseeds: [1, 2]\n"
                               "schemes: [{scheme: plain}, {scheme: v1, passport: random}, {scheme: adi}]\n"
                               "attacks: [{attack: transfer-triggers, references: 3, held_out: 1, pictures: 64}]\n";
    static const char *const wanted[] = {"independent={arch: [same, resnet9], half: [same, other], networks: 2}"};
    pg_grid *without = read_grid(text, NULL, 0), *with = read_grid(text, wanted, 1);
    assert_int_equal(without->count, 2 * 3 + 2 + 2); /* three schemes, attacks on adi, references of seeds 3 and 4 */
    assert_int_equal(with->count - without->count,
                     8 + 2 * 3 * 8); /* networks, and claims with the evidence of v1, adi, and forged */
    for (int i = 0; i < without->count; i++) assert_true(pg_grid_find(with, without->tasks[i].key) >= 0);
    for (int i = 0; i < with->count; i++) {
        pg_task task;
        OK(pg_task_parse(with->tasks[i].text, &task, &err));
        assert_string_equal(task.key, with->tasks[i].key);
        if (task.kind == PG_TASK_ATTACK) assert_int_equal(task.network_count, 3);
        if (task.kind == PG_TASK_CLAIM) {
            const pg_grid_task *t = &with->tasks[i], *accused = &with->tasks[t->parents[t->parent_count - 1]];
            pg_task theirs;
            OK(pg_task_parse(accused->text, &theirs, &err));
            assert_int_equal(task.network_count, 1);
            assert_string_equal(task.networks[0], accused->key);
            assert_string_equal(theirs.scheme->name, "plain");
            assert_int_equal(theirs.data.half, task.other.half);
            assert_int_equal(t->parent_count, task.forged[0] ? 3 : 2);
            assert_in_range(theirs.seed, 6, 7); /* owners and references have 1 to 4 */
            pg_task_clear(&theirs);
        }
        pg_task_clear(&task);
    }
    pg_grid_destroy(&with);
    pg_grid_destroy(&without);
    assert_problem(HEAD "schemes: [{scheme: adi}]\nindependent: [{arch: resnet10}]\n",
                   ":5:22: independent.0.arch: expected one of");
    assert_problem(HEAD "schemes: [{scheme: adi}]\nindependent: [{}, {arch: same}]\n",
                   ":5:19: independent.1: gives the same tasks as the entry at ");
    assert_problem(HEAD "schemes: [{scheme: adi}]\nindependent: {networks: 0}\n", ":5:25: independent.networks: expected");
}

/* A plain network of another seed than the owner's. */
TEST(a_forger_trains_its_own_carrier)
{
    pg_grid *grid = read_grid(HEAD "seeds: [1, 2]\nschemes: [{scheme: v1, passport: shuffle}]\n"
                                   "attacks: [{attack: fake1, passport: shuffle, carrier: [random, pretrained]}]\n",
                              NULL, 0);
    assert_int_equal(grid->count, 2 * (2 + 2)); /* plain, v1 and two attacks, by each seed */
    int found = 0;
    for (int i = 0; i < grid->count; i++) {
        pg_task task;
        OK(pg_task_parse(grid->tasks[i].text, &task, &err));
        if (task.kind == PG_TASK_ATTACK && task.pretrained[0]) {
            const int carrier = grid->tasks[i].parents[1], owners = grid->tasks[grid->tasks[i].parents[0]].parents[0];
            assert_int_equal(grid->tasks[i].parent_count, 2);
            assert_string_equal(task.pretrained, grid->tasks[carrier].key);
            assert_contains(grid->tasks[carrier].name, task.seed == 1 ? "/plain/s2/" : "/plain/s1/");
            assert_int_not_equal(carrier, owners);
            found++;
        }
        pg_task_clear(&task);
    }
    assert_int_equal(found, 2);
    pg_grid_destroy(&grid);
}

/* The task has one parent for each entry of the earlier attack, whose options are in the labels. */
TEST(an_attack_on_an_attack_has_it_as_parent)
{
    pg_grid *grid =
        read_grid(HEAD "schemes: [{scheme: plain}, {scheme: adi}]\nattacks: [{attack: counterfeit-triggers, bound: [0, 8]}, "
                       "{attack: prune, after: counterfeit-triggers}]\n",
                  NULL, 0);
    assert_int_equal(grid->count, 2 + 2 + 2); /* nothing is forged for the plain network, so no attack follows */
    const pg_grid_task *last = &grid->tasks[5];
    assert_int_equal(last->parent_count, 2);
    assert_int_equal(last->parents[0], find_name(grid, "/adi/s1/"));
    assert_int_equal(last->parents[1], 3);
    pg_task task;
    pg_parameter_pool pool = {0};
    pg_task_labels labels;
    OK(pg_task_parse(last->text, &task, &err));
    assert_string_equal(task.forged, grid->tasks[3].key);
    OK(pg_task_describe(&task, &pool, &labels, &err));
    assert_non_null(
        strstr(labels.parameters->text, " after=counterfeit-triggers after_start=generated after_count=100 after_bound=8 "));
    pg_parameter_pool_clear(&pool);
    pg_task_clear(&task);
    pg_grid_destroy(&grid);
#define AFTER ", after: counterfeit-triggers"
    grid = read_grid(HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: counterfeit-triggers, schemes: [v3]}, "
                          "{attack: counterfeit-triggers}, {attack: prune, schemes: [adi, v1]" AFTER "}]\n",
                     NULL, 0);
    assert_int_equal(grid->count, 1 + 1 + 1);
    pg_grid_destroy(&grid);
    assert_problem(HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: prune" AFTER "}]\n",
                   "no earlier attack is a counterfeit-triggers");
    assert_problem(HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: counterfeit-triggers, schemes: [v3]}, "
                        "{attack: prune, schemes: [adi]" AFTER "}]\n",
                   "attacks.1.after: no earlier counterfeit-triggers applies to any scheme that this attack applies to");
}

/* The names are those of the published numbers. */
TEST(layers_by_place_are_labelled_by_place)
{
    pg_grid *grid = read_grid(HEAD "schemes: [{scheme: v1, passport: random, layers: [first 3, last 2]}]\n", NULL, 0);
    static const char *const labels[] = {" layers=first 3 ", " layers=last 2 "};
    assert_int_equal(grid->count, 2);
    for (int i = 0; i < grid->count; i++) {
        pg_task task;
        pg_parameter_pool pool = {0};
        pg_task_labels l;
        OK(pg_task_parse(grid->tasks[i].text, &task, &err));
        OK(pg_task_describe(&task, &pool, &l, &err));
        assert_contains(l.scheme_parameters->text, labels[i]);
        pg_parameter_pool_clear(&pool);
        pg_task_clear(&task);
    }
    pg_grid_destroy(&grid);
}

static const char *const full =
    HEAD "name: full\nnull_models: 1\nlabel: \"a # label\"\nseeds: [3, 4]\n"
         "schemes: [{scheme: plain}, {scheme: [v1, v2], signature: \"#'\", train: {lr: [0.1, 0.2]}}]\n"
         "attacks: [{attack: fake1, repeats: [2, 3], schemes: [v1]}, {attack: finetune, data: fashion-mnist, data_train: 10, "
         "batch: 10}, "
         "{attack: counterfeit-triggers}, {attack: prune, after: counterfeit-triggers}]\n"
         "independent: {arch: [same, resnet9]}\n";

/* Lists in a scheme's own training are not axes, so the test leaves them out. The resolved text does not contain the signature.
 */
TEST(a_resolved_grid_gives_the_same_tasks)
{
    const char *const sets[] = {"schemes.1.train.lr=0.1", "attacks.1.data=synthetic"};
    pg_grid *grid = read_grid(full, sets, 2);
    char *text = NULL;
    OK(pg_strdup(grid->resolved, &text, &err));
    assert_null(strstr(text, "#'"));
    const char *const secrets[] = {"schemes.1.signature=\"#'\"", "schemes.2.signature=\"#'\""};
    pg_grid *again = read_grid(text, secrets, 2);
    assert_string_equal(again->resolved, text);
    assert_int_equal(again->count, grid->count);
    for (int i = 0; i < grid->count; i++) assert_string_equal(again->tasks[i].key, grid->tasks[i].key);
    pg_free(text);
    pg_grid_destroy(&again);
    pg_grid_destroy(&grid);
}

/* A worker receives nothing but the text. */
TEST(a_task_is_read_back_from_its_text)
{
    const char *const sets[] = {"schemes.1.train.lr=0.1", "attacks.1.data=synthetic"};
    pg_grid *grid = read_grid(full, sets, 2);
    for (int i = 0; i < grid->count; i++) {
        pg_task task;
        OK(pg_task_parse(grid->tasks[i].text, &task, &err));
        assert_string_equal(task.key, grid->tasks[i].key);
        assert_string_equal(task.text, grid->tasks[i].text);
        assert_int_equal(task.data.train, 64);
        assert_in_range(task.seed, 3, 5); /* 5: of the independent network */
        assert_true(task.width < 0.07);
        if (task.kind == PG_TASK_ATTACK && strcmp(task.attack->name, "finetune") == 0) {
            assert_string_equal(task.other.name, "synthetic");
            assert_int_equal(task.other.train, 10);
        }
        pg_task_clear(&task);
    }
    pg_grid_destroy(&grid);
}

TEST(a_text_that_is_no_task_is_refused)
{
    pg_grid *grid = read_grid(HEAD "schemes: [{scheme: plain}]\n", NULL, 0);
    static const char *const swaps[][2] = {{"epochs: 1,", "epochs: 2.0,"},
                                           {"format: 1", "format: 2"},
                                           {"scheme: plain", "scheme: plane"},
                                           {"train: 64", "train: 064"},
                                           {"bn", "xx"}};
    for (size_t i = 0; i < sizeof swaps / sizeof *swaps; i++) {
        char text[8192];
        pg_task task;
        const char *at = strstr(grid->tasks[0].text, swaps[i][0]);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - grid->tasks[0].text), grid->tasks[0].text, swaps[i][1],
                 at + strlen(swaps[i][0]));
        FAILS(pg_task_parse(text, &task, &err), PG_BAD_INPUT, "task");
    }
    pg_grid_destroy(&grid);
}

TEST(the_key_depends_on_what_changes_results)
{
    static const char *const same[] = {"threads=3", "name=other", "label=other", "seeds=[1]"};
    static const char *const other[] = {"seeds=[2]",         "data.train=65",      "train.lr=0.5",
                                        "verify.level=0.01", "networks.0.norm=gn", "data.half=first"};
    pg_grid *base = read_grid(HEAD "schemes: [{scheme: plain}]\n", NULL, 0);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        pg_grid *grid = read_grid(HEAD "schemes: [{scheme: plain}]\n", &same[i], 1);
        assert_string_equal(grid->tasks[0].key, base->tasks[0].key);
        pg_grid_destroy(&grid);
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        pg_grid *grid = read_grid(HEAD "schemes: [{scheme: plain}]\n", &other[i], 1);
        assert_string_not_equal(grid->tasks[0].key, base->tasks[0].key);
        pg_grid_destroy(&grid);
    }
    pg_grid_destroy(&base);
}

/* All in one pass. */
TEST(every_problem_is_reported_once_with_its_position)
{
    pg_grid *grid = NULL;
    problems.count = 0;
    const char *path = write_config("data: {name: synthetic, train: 64}\n"
                                    "networks:\n"
                                    "  - {arch: alexnet, norm: [bn, gn], widht: 2}\n"
                                    "  - {arch: resnet}\n"
                                    "train: {epochs: [1, 2]}\n"
                                    "schemes:\n"
                                    "  - {scheme: [v1, v2], alpha: -1}\n"
                                    "  - {passport: random}\n"
                                    "attacks: {attack: prune}\n"
                                    "verify: {nulls: 1}\n");
    assert_int_equal(pg_grid_read(path, NULL, 0, NULL, &grid, &problems, &err), PG_BAD_INPUT);
    static const char *const expected[] = {":3:37: networks.0.widht: unknown key, did you mean 'width'?",
                                           ":4:12: networks.1.arch: expected one of alexnet, resnet9",
                                           ":5:17: train.epochs: expected a whole number in [1, 100000], got a list",
                                           ":7:31: schemes.0.alpha: expected a number in [0, 100], got -1",
                                           ":8:5: schemes.1.scheme: expected a name, got nothing",
                                           ":9:10: attacks: expected a list of maps, got a map",
                                           ":10:17: verify.nulls: expected 0 or at least 2, because one draw has no deviation"};
    for (int i = 0; i < problems.count; i++)
        if (i >= 7 || !strstr(problems.lines[i], expected[i])) fail_msg("problem %d: %s", i, problems.lines[i]);
    assert_int_equal(problems.count, 7);
    assert_null(grid);
}
