/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks as files. A grid attacks networks from files, and keeps what attacks make, under names that people find. */
#include "core/nets/state.h"
#include "experiments/grid/grid.h"
#include "experiments/report/artefacts.h"
#include "experiments/work/execute.h"
#include "tests/unit/subject.h"

#include <sys/stat.h>
#include <unistd.h>

static pg_problems problems;

static pg_status try_grid(const char *text, pg_grid **grid)
{
    char path[256];
    snprintf(path, sizeof path, "%s", test_path("grid.yaml", -1));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    problems.count = 0;
    return pg_grid_read(path, NULL, 0, NULL, grid, &problems, &err);
}

static pg_grid *read_grid(const char *text)
{
    pg_grid *grid = NULL;
    OK(try_grid(text, &grid));
    return grid;
}

#define HEAD                                                                                                                   \
    "data: {name: synthetic, train: 64, test: 32}\n"                                                                           \
    "networks: [{arch: alexnet, width: 0.0625}]\n"                                                                             \
    "train: {epochs: 1}\n"

/* ---- what attacks make ---- */

/* The option changes which files stay, never the results. */
TEST(keeping_files_changes_no_key)
{
    pg_grid *bare = read_grid(HEAD "schemes: [{scheme: v1, passport: random}]\nattacks: [{attack: prune}, {attack: fake1}]\n");
    pg_grid *kept = read_grid(HEAD "schemes: [{scheme: v1, passport: random}]\n"
                                   "attacks: [{attack: prune, keep: true}, {attack: fake1, keep: true}]\n");
    assert_int_equal(bare->count, 3);
    assert_int_equal(kept->count, 3);
    for (int i = 0; i < 3; i++) {
        pg_task task;
        assert_string_equal(bare->tasks[i].key, kept->tasks[i].key);
        assert_string_equal(bare->tasks[i].public_text, kept->tasks[i].public_text);
        assert_int_equal(kept->tasks[i].keep, i > 0);
        OK(pg_task_parse(kept->tasks[i].text, &task, &err));
        assert_int_equal(task.keep, i > 0);
        pg_task_clear(&task);
    }
    pg_grid_destroy(&bare);
    pg_grid_destroy(&kept);
}

static void save_record(const char *directory, const pg_grid *grid, int i, bool keep, const pg_record *record)
{
    char path[PG_PATH_MAX];
    pg_task task;
    pg_parameter_pool pool = {0};
    pg_task_labels labels;
    OK(pg_task_parse(grid->tasks[i].text, &task, &err));
    task.keep = keep;
    OK(pg_task_describe(&task, &pool, &labels, &err));
    OK(pg_rundir_file(directory, "records", task.key, path, &err));
    OK(pg_record_save(record, &task, &labels, path, &err));
    pg_parameter_pool_clear(&pool);
    pg_task_clear(&task);
}

/* A task stays done if it kept files that the grid does not want. */
TEST(a_done_task_runs_again_for_files_it_did_not_keep)
{
    char directory[256];
    const pg_record record = {0};
    pg_task_state states[2];
    snprintf(directory, sizeof directory, "%s", test_path("done", -1));
    OK(pg_rundir_make(directory, &err));
    pg_grid *bare = read_grid(HEAD "schemes: [{scheme: plain}]\nattacks: [{attack: prune}]\n");
    pg_grid *kept = read_grid(HEAD "schemes: [{scheme: plain}]\nattacks: [{attack: prune, keep: true}]\n");
    for (int with = 0; with < 2; with++) {
        for (int i = 0; i < 2; i++) save_record(directory, kept, i, i && with, &record);
        OK(pg_rundir_scan(directory, bare, states, &err));
        assert_int_equal(states[0], PG_STATE_DONE);
        assert_int_equal(states[1], PG_STATE_DONE);
        OK(pg_rundir_scan(directory, kept, states, &err));
        assert_int_equal(states[0], PG_STATE_DONE);
        assert_int_equal(states[1], with ? PG_STATE_DONE : PG_STATE_NEW);
    }
    pg_grid_destroy(&bare);
    pg_grid_destroy(&kept);
}

static bool stop_now(void *context)
{
    return --*(int *)context < 0;
}

/* Run a task for `steps` of its steps or to its end. */
static pg_status run_steps(const pg_grid *grid, int i, const char *directory, int steps)
{
    pg_task task;
    pg_record record = {0};
    const pg_workplace at = {.directory = directory, .stop = stop_now, .context = &steps};
    OK(pg_task_parse(grid->tasks[i].text, &task, &err));
    const pg_status status = pg_task_execute(&task, &at, &record, &err);
    pg_record_clear(&record);
    pg_task_clear(&task);
    pg_task_release_data();
    return status;
}

/* Also if the task kept no files when it was interrupted. */
TEST(a_stop_loses_no_outcome_that_was_judged)
{
    static const char *const configs[] = {
        HEAD "schemes: [{scheme: plain}]\nattacks: [{attack: prune, levels: [10, 20, 30]}]\n",
        HEAD "schemes: [{scheme: plain}]\nattacks: [{attack: prune, levels: [10, 20, 30], keep: true}]\n"};
    char directory[256], path[1024];
    pg_data data = test_data(64, 32);
    subject s = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    snprintf(directory, sizeof directory, "%s", test_path("stopped", -1));
    OK(pg_rundir_make(directory, &err));
    for (int keep = 0; keep < 2; keep++) {
        pg_grid *grid = read_grid(configs[keep]);
        snprintf(path, sizeof path, "%s/models/%s.safetensors", directory, grid->tasks[0].key);
        OK(pg_model_save(s.model, NULL, 0, path, &err));
        assert_int_equal(run_steps(grid, 1, directory, keep ? 1000 : 1), keep ? PG_OK : PG_INTERRUPTED);
        for (int level = 10; level <= 30; level += 10) {
            snprintf(path, sizeof path, "%s/models/%s.level=%d.safetensors", directory, grid->tasks[1].key, level);
            assert_int_equal(access(path, F_OK), keep ? 0 : -1);
        }
        pg_grid_destroy(&grid);
    }
    subject_destroy(&s);
    pg_data_clear(&data);
}

/* ---- names ---- */

static char run[256];

static const char *in_run(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", run, name);
    return path;
}

static void write_file(const char *name)
{
    FILE *file = fopen(in_run(name), "w");
    assert_non_null(file);
    fputs(name, file);
    fclose(file);
}

/* Make these files and their records of task i; of two files, not the second. */
static void add_files(const pg_grid *grid, int i, const char *const *endings, int count)
{
    pg_record record = {0};
    for (int f = 0; f < count; f++) {
        char file[144];
        snprintf(file, sizeof file, "models/%s%s.safetensors", grid->tasks[i].key, endings[f]);
        OK(pg_record_file(&record, file, grid->tasks[i].key, &err)); /* stands for a checksum */
        if (f == 0) write_file(file);
    }
    save_record(run, grid, i, true, &record);
    pg_record_clear(&record);
}

static void write_names(int expected, int expected_missing)
{
    int count, missing;
    pg_results *results = NULL;
    OK(pg_results_load(run, &results, &err));
    OK(pg_artefacts_write(results, run, &count, &missing, &err));
    assert_int_equal(count, expected);
    assert_int_equal(missing, expected_missing);
    pg_results_destroy(&results);
}

static bool leads(const char *name, const char *key, const char *ending)
{
    char target[512] = "", wanted[512];
    snprintf(wanted, sizeof wanted, "%s%s.safetensors", key, ending);
    return readlink(in_run(name), target, sizeof target - 1) > 0 && strcmp(target, wanted) == 0;
}

static bool listed(const char *text)
{
    char line[2048];
    bool found = false;
    FILE *file = fopen(in_run("artefacts.csv"), "r");
    assert_non_null(file);
    while (!found && fgets(line, sizeof line, file)) found = strstr(line, text) != NULL;
    fclose(file);
    return found;
}

/* If two tasks would have the same name, parts of their keys tell them apart. Outdated links are removed; other files stay. */
TEST(every_kept_file_has_a_name_of_its_own)
{
    char name[512];
    snprintf(run, sizeof run, "%s", test_path("names", -1));
    OK(pg_rundir_make(run, &err));
    pg_grid *grid = read_grid(
        HEAD "schemes: [{scheme: plain}]\n"
             "attacks: [{attack: finetune, epochs: [1, 2], keep: true}, {attack: prune, levels: [0.5, 60], keep: true}]\n");
    OK(pg_rundir_describe(run, grid, &err));
    add_files(grid, 0, (const char *const[]){""}, 1);
    for (int i = 1; i < 3; i++) add_files(grid, i, (const char *const[]){""}, 1);
    add_files(grid, 3, (const char *const[]){".level=0.5", ".level=60"}, 2);
    write_file("models/notes.txt");
    assert_int_equal(symlink("notes.txt", in_run("models/mine")), 0);
    assert_int_equal(symlink("nothing", in_run("models/dangling.safetensors")), 0);
    snprintf(name, sizeof name, "%s.safetensors", grid->tasks[0].key);
    assert_int_equal(symlink(name, in_run("models/old-name.safetensors")), 0);
    for (int again = 0; again < 2; again++) {
        write_names(5, 1);
        assert_true(leads("models/synthetic-alexnet-bn-plain-s1.safetensors", grid->tasks[0].key, ""));
        assert_true(leads("models/synthetic-alexnet-bn-plain-prune-level0.5-s1.safetensors", grid->tasks[3].key, ".level=0.5"));
        assert_int_equal(access(in_run("models/synthetic-alexnet-bn-plain-prune-level60-s1.safetensors"), F_OK), -1);
        for (int i = 1; i < 3; i++) {
            snprintf(name, sizeof name, "models/synthetic-alexnet-bn-plain-finetune-s1-%.8s.safetensors", grid->tasks[i].key);
            assert_true(leads(name, grid->tasks[i].key, ""));
            assert_true(listed(name));
        }
        assert_true(listed("prune-level60-s1.safetensors"));
        snprintf(name, sizeof name, ",%s,missing", grid->tasks[3].key);
        assert_true(listed(name));
        assert_int_equal(access(in_run("models/mine"), F_OK), 0);
        assert_int_equal(readlink(in_run("models/dangling.safetensors"), name, sizeof name), -1);
        assert_int_equal(readlink(in_run("models/old-name.safetensors"), name, sizeof name), -1);
    }
    pg_grid_destroy(&grid);
}

/* ---- networks that were trained elsewhere ---- */

/* Save an untrained network of a scheme and its evidence as NAME and NAME.evidence in the test's folder. */
static void save_subject(const char *name, const char *scheme, const pg_metadata *notes, size_t note_count)
{
    char evidence[256];
    pg_data data = test_data(64, 32);
    subject s = subject_create(scheme, PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    OK(pg_model_save(s.model, notes, note_count, test_path(name, -1), &err));
    snprintf(evidence, sizeof evidence, "%s.evidence", test_path(name, -1));
    if (s.evidence) OK(pg_evidence_save(s.evidence, evidence, &err));
    subject_destroy(&s);
    pg_data_clear(&data);
}

static const pg_task *parsed(const pg_grid *grid, int i)
{
    static pg_task task;
    pg_task_clear(&task);
    if (grid) OK(pg_task_parse(grid->tasks[i].text, &task, &err));
    return &task;
}

#define DATA    "data: {name: synthetic, train: 64, test: 32}\n"
#define ATTACKS "seeds: [1, 2]\nattacks: [{attack: prune}, {attack: fake1}]\n"
#define MINE    "schemes: [{scheme: v1, model: mine, evidence: mine.evidence}]\n"

/* Attacks that draw random numbers are one task for each seed. */
TEST(a_supplied_network_is_one_task_for_all_seeds)
{
    save_subject("mine", "v1", NULL, 0);
    pg_grid *grid = read_grid(DATA ATTACKS MINE);
    assert_int_equal(grid->count, 4);
    const pg_task *task = parsed(grid, 0);
    assert_int_equal(task->kind, PG_TASK_SUPPLIED);
    assert_int_equal(task->seed, 0);
    assert_string_equal(task->arch->name, "alexnet");
    assert_true(task->width >= 0.0625 && task->width <= 0.0625);
    assert_string_equal(task->supplied.files.model, path_of("mine")); /* the grid's file is in the same folder */
    assert_contains(grid->tasks[0].name, "synthetic/alexnet-bn/v1/brought/s0/");
    assert_contains(grid->tasks[0].about, "/mine (alexnet, bn, width 0.0625) with /");
    assert_contains(grid->tasks[0].about, "/mine.evidence; assumed: ");
    assert_int_equal(parsed(grid, 1)->seed, 0); /* pruning is the same for every seed */
    assert_int_equal(parsed(grid, 2)->seed, 1);
    assert_int_equal(parsed(grid, 3)->seed, 2);
    for (int i = 0; i < 4; i++) {
        if (strstr(grid->tasks[i].public_text, "model: ")) fail_msg("a path is public: %s", grid->tasks[i].public_text);
        if (i > 0) assert_string_equal(parsed(grid, i)->victim, grid->tasks[0].key);
    }
    (void)parsed(NULL, 0);
    pg_grid_destroy(&grid);
}

/* The key depends neither on where the files are, nor on the grid's training, nor on the grid's list of networks. */
TEST(the_content_of_supplied_files_makes_the_key)
{
    static const char *const others[] = {
        DATA ATTACKS "schemes: [{scheme: v1, model: ./mine, evidence: ./mine.evidence}]\n",
        DATA ATTACKS MINE "networks: [{arch: alexnet, width: [0.0625, 0.5]}]\n",
        DATA ATTACKS MINE "networks: [{arch: alexnet, width: 0.063}]\n", /* the same channels */
        DATA ATTACKS MINE "train: {epochs: 7}\n",
    };
    save_subject("mine", "v1", NULL, 0);
    pg_grid *grid = read_grid(DATA ATTACKS MINE), *other = NULL;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        other = read_grid(others[i]);
        assert_int_equal(other->count, 4);
        const bool width = strstr(others[i], "0.063") != NULL;
        if (!width) assert_string_equal(other->tasks[0].key, grid->tasks[0].key);
        pg_grid_destroy(&other);
    }
    OK(pg_file_write("resolved.yaml", grid->resolved, strlen(grid->resolved), PG_FILE_PUBLIC, &err));
    problems.count = 0;
    OK(pg_grid_read("resolved.yaml", NULL, 0, NULL, &other, &problems, &err));
    assert_string_equal(other->tasks[3].key, grid->tasks[3].key);
    assert_string_equal(other->resolved, grid->resolved);
    pg_grid_destroy(&other);
    save_subject("changed", "v2", NULL, 0);
    other = read_grid(DATA ATTACKS "schemes: [{scheme: v2, model: changed, evidence: changed.evidence}]\n");
    assert_string_not_equal(other->tasks[0].key, grid->tasks[0].key);
    pg_grid_destroy(&other);
    pg_grid_destroy(&grid);
}

/* And its own evidence. */
TEST(every_scheme_recognises_its_own_network)
{
    for (int i = 0; pg_schemes[i]; i++) {
        char text[512];
        const char *name = pg_schemes[i]->name;
        const bool passports = pg_schemes[i]->holds & PG_HOLDS_PASSPORTS;
        if (pg_schemes[i]->holds && !passports) continue; /* their options are of another struct than those of passports */
        save_subject(name, name, NULL, 0);
        snprintf(text, sizeof text, DATA "schemes: [{scheme: %s, model: %s%s%s%s}]\n", name, name,
                 pg_schemes[i]->keygen ? ", evidence: " : "", pg_schemes[i]->keygen ? name : "",
                 pg_schemes[i]->keygen ? ".evidence" : "");
        pg_grid *grid = read_grid(text);
        assert_int_equal(grid->count, 1);
        pg_grid_destroy(&grid);
    }
}

/* They are refused before anything runs, in one line. */
TEST(supplied_files_that_do_not_fit_are_refused)
{
    static const pg_metadata elsewhere[] = {{"data", "cifar10"}, {"pixels", "imagenet"}}, cifar[] = {{"pixels", "cifar"}};
    static const struct {
        const char *text, *says;
    } cases[] = {
        {DATA "schemes: [{scheme: v1, model: nowhere, evidence: mine.evidence}]\n", "nowhere"},
        {DATA "schemes: [{scheme: v1, model: mine, evidence: nowhere}]\n", "nowhere"},
        {DATA "schemes: [{scheme: v1, model: mine.evidence, evidence: mine.evidence}]\n", "mine.evidence: "},
        {DATA "schemes: [{scheme: v1, model: mine, evidence: mine}]\n", "mine: no passport"},
        {DATA "schemes: [{scheme: v1, model: mine}]\n", "the owner's evidence is missing; add `evidence: FILE`"},
        {HEAD "schemes: [{scheme: v1, evidence: mine.evidence}]\n", "also write `model: FILE`"},
        {DATA "schemes: [{scheme: plain, model: plain, evidence: mine.evidence}]\n", "the scheme plain has no evidence"},
        {DATA "schemes: [{scheme: v2, model: mine, evidence: mine.evidence}]\n",
         "mine: the network has passport layers with only a private branch, but one of v2 has passport layers with a public and"},
        {DATA "schemes: [{scheme: v1, model: plain, evidence: mine.evidence}]\n", "mine.evidence: "},
        {DATA "schemes: [{scheme: v3, model: mine, evidence: mine.evidence}]\n",
         "evidence of v3 has triggers, but this evidence has no triggers"},
        {DATA "schemes: [{scheme: uchida, model: plain, evidence: mine.evidence}]\n", "evidence of uchida has no passports"},
        {DATA "schemes: [{scheme: v1, model: mine, evidence: mine.evidence, alpha: 1}]\n",
         "alpha: has no effect, because this network"},
        {DATA "schemes: [{scheme: v1, model: mine, evidence: mine.evidence, train: {epochs: 1}}]\n", "train: has no effect"},
        {DATA "schemes: [{scheme: v1, model: [mine, mine], evidence: mine.evidence}]\n", "model: expected"},
        {DATA "networks: [{arch: resnet9}]\n" MINE "", "or list {arch: alexnet, norm: bn, width: 0.0625}"},
        {DATA "schemes: [{scheme: plain}, {scheme: v1, model: mine, evidence: mine.evidence}]\n", "networks: "},
        {DATA "schemes: [{scheme: plain, model: elsewhere}]\n",
         "has 10 classes and takes 32x32 images of cifar10, but no data set"},
        {DATA "schemes: [{scheme: plain, model: cifar}]\n", "write train: {pixels: cifar}"},
        {DATA "schemes: [{scheme: plain, model: plain}, {scheme: plain, model: ./plain}]\n", "gives the same tasks"},
    };
    save_subject("mine", "v1", NULL, 0);
    save_subject("plain", "plain", NULL, 0);
    save_subject("elsewhere", "plain", elsewhere, 2);
    save_subject("cifar", "plain", cifar, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pg_grid *grid = NULL;
        bool said = false;
        assert_int_equal(try_grid(cases[i].text, &grid), PG_BAD_INPUT);
        for (int k = 0; k < problems.count; k++) said |= strstr(problems.lines[k], cases[i].says) != NULL;
        if (!said)
            fail_msg("'%s' is not in '%s' for %s", cases[i].says, problems.count ? problems.lines[0] : err.message,
                     cases[i].text);
        if (problems.count != 1) fail_msg("%d problems, the second is '%s'", problems.count, problems.lines[1]);
    }
    pg_grid *grid = read_grid(DATA "train: {pixels: cifar}\nschemes: [{scheme: plain, model: cifar}]\n");
    pg_grid_destroy(&grid);
}

SET_UP
{
    pg_compute_start(1);
}
