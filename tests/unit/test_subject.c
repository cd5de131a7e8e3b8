/* Networks as files: what attacks make is kept, and listed under names that people find. */
#include "experiments/artefacts.h"
#include "experiments/grid.h"
#include "subject.h"

#include <sys/stat.h>
#include <unistd.h>

static pg_problems problems;

static pg_grid *read_grid(const char *text)
{
    pg_grid *grid = NULL;
    const char *path = test_path("grid.yaml", -1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    problems.count = 0;
    OK(pg_grid_read(path, NULL, 0, NULL, &grid, &problems, &err));
    return grid;
}

#define HEAD                                                                                                                   \
    "data: {name: synthetic, train: 64, test: 32}\n"                                                                           \
    "networks: [{arch: alexnet, width: 0.0625}]\n"                                                                             \
    "train: {epochs: 1}\n"

/* ---- what attacks make ---- */

/* Keeping changes what stays as files, never the results: the key is the same. */
static void test_keep(void **state)
{
    (void)state;
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
    pg_texts texts = {0};
    pg_task_labels labels;
    OK(pg_task_parse(grid->tasks[i].text, &task, &err));
    task.keep = keep;
    OK(pg_task_describe(&task, &texts, &labels, &err));
    OK(pg_rundir_file(directory, "records", task.key, path, &err));
    OK(pg_record_save(record, &task, &labels, path, &err));
    pg_texts_clear(&texts);
    pg_task_clear(&task);
}

/* A task that is done, but kept nothing, runs again where the grid wants it kept; the other way round it stays. */
static void test_done(void **state)
{
    (void)state;
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

/* Records of task i with these files, which are made, but for the last if there are two. */
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

/* Every file has a name of its own: where two tasks would share one, their keys tell them apart. Links that lead to a file
 * under another name go, other people's files stay. */
static void test_names(void **state)
{
    (void)state;
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keep), cmocka_unit_test(test_done), cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, test_start, test_end);
}
