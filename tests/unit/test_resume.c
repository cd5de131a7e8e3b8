/* Resuming a task: interrupted after every step, with checkpoints damaged on the way, it ends with the same record, to the
 * byte, as when left alone. What a task is made from must be what was planned. */
#include "core/base/memory.h"
#include "core/compute/parallel.h"
#include "experiments/grid/grid.h"
#include "experiments/work/perform.h"
#include "experiments/work/rundir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char config[] =
    "data: {name: synthetic, train: 40, test: 20}\n"
    "networks: [{arch: alexnet, width: 0.0625}]\n"
    "train: {epochs: 1, batch: 20, lr: 0.01, schedule: constant}\n"
    "verify: {nulls: 2}\n"
    "schemes: [{scheme: v1, passport: random}, {scheme: v3, passport: random},\n"
    "  {scheme: uchida, bits: 16}, {scheme: adi, trigger_count: 6}]\n"
    "attacks:\n"
    "  - {attack: finetune, epochs: 2, batch: 20, schemes: [v1]}\n"
    "  - {attack: prune, levels: [10, 50], schemes: [v1]}\n"
    "  - {attack: \"null\", schemes: [v1]}\n"
    "  - {attack: fake1, repeats: 3, passport: random, schemes: [v1]}\n"
    "  - {attack: [fake2, fake3], epochs: 2, batch: 20, schemes: [v1]}\n"
    "  - {attack: flip, levels: [0, 50], schemes: [v1]}\n"
    "  - {attack: invert, flips: [0, 50], start: nothing, schemes: [v1]}\n"
    "  - {attack: permute, repeats: 2, schemes: [v1]}\n"
    "  - {attack: substitute, block: [none, individual, collective], share: 50, epochs: 2, batch: 10,\n"
    "     schemes: [v1]}\n"
    "  - {attack: overwrite, epochs: 2, batch: 20}\n"
    "  - {attack: counterfeit-uchida, bits: 16}\n"
    "  - {attack: counterfeit-triggers, count: 4, steps: 3, bound: 1, schemes: [adi]}\n";

static char folder[] = "/tmp/passgrid-resume-XXXXXX";
static pg_grid *grid;
static pg_error err;

#define OK(call)                                                                                                               \
    do {                                                                                                                       \
        if ((call) != PG_OK) fail_msg("%s: %s", #call, err.message);                                                           \
    } while (0)

static const char *path_of(const char *kind, const char *name)
{
    static char path[PG_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    static pg_problems problems;
    char path[PG_PATH_MAX];
    if (!mkdtemp(folder)) return -1;
    pg_compute_start(1);
    OK(pg_rundir_make(folder, &err));
    snprintf(path, sizeof path, "%s", path_of("", "test.yaml"));
    OK(pg_file_write(path, config, sizeof config - 1, PG_FILE_PUBLIC, &err));
    OK(pg_grid_read(path, NULL, 0, NULL, &grid, &problems, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    pg_task_release_data();
    pg_grid_destroy(&grid);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* ---- one task ---- */

static bool always(void *context)
{
    (void)context;
    return true;
}

static void count_note(void *context, const char *text)
{
    *(int *)context += strstr(text, "is damaged: the checkpoint before it is used") != NULL;
}

static char *record_of(const char *key)
{
    char name[PG_SHA256_HEX + 8], *text = NULL;
    size_t bytes = 0;
    snprintf(name, sizeof name, "%s.json", key);
    OK(pg_file_read(path_of("records", name), &text, &bytes, &err));
    assert_int_equal(unlink(path_of("records", name)), 0);
    return text;
}

/* The record is what it was, in a text that is freed. */
static void assert_record(const char *key, char *expected)
{
    char *now = record_of(key);
    assert_string_equal(expected, now);
    pg_free(expected);
    pg_free(now);
}

/* Change a byte in the middle of the task's checkpoint of that number. */
static void damage(const char *key, int number)
{
    char name[PG_SHA256_HEX + 32];
    snprintf(name, sizeof name, "%s.%d.safetensors", key, number);
    FILE *file = fopen(path_of("checkpoints", name), "r+b");
    assert_non_null(file);
    fseek(file, -1, SEEK_END);
    const int byte = fgetc(file);
    fseek(file, -1, SEEK_END);
    fputc(byte ^ 1, file);
    fclose(file);
}

/* Each call goes on from a checkpoint, does one step and saves. Of five checkpoints two are damaged, one after the other: the
 * first is made again from the one before it, and so is the second, since that one is kept. Returns how often the task was
 * interrupted. */
static int in_steps(const pg_grid_task *task)
{
    int noted = 0, turns = 0, damages = 0;
    const pg_workplace at = {.directory = folder, .stop = always, .note = count_note, .context = &noted};
    for (pg_status status; (status = pg_perform(task->text, &at, &err)) != PG_OK; turns++) {
        if (status != PG_INTERRUPTED) fail_msg("%s: %s", task->name, err.message);
        assert_true(turns < 100);
        if (turns % 5 < 2 || turns % 5 == 4) continue;
        damage(task->key, turns + 1 - damages);
        damages++;
    }
    assert_int_equal(noted, damages);
    return turns;
}

static void check_task(const pg_grid_task *task)
{
    const pg_workplace at = {.directory = folder, .checkpoint_seconds = 1e9};
    OK(pg_perform(task->text, &at, &err));
    if (strstr(task->text, "attack") == NULL) return;
    char *alone = record_of(task->key);
    assert_true(in_steps(task) > 0);
    char *resumed = record_of(task->key);
    if (strcmp(alone, resumed) != 0) fail_msg("%s: another record after resuming", task->name);
    pg_free(alone);
    pg_free(resumed);
}

static void test_attacks(void **state)
{
    (void)state;
    for (int i = 0; i < grid->count; i++) check_task(&grid->tasks[i]);
}

/* Every attack that there is is among them. */
static void test_all_attacks(void **state)
{
    (void)state;
    for (int a = 0; pg_attacks[a]; a++) {
        char part[48];
        bool found = false;
        snprintf(part, sizeof part, "/%s/", pg_attacks[a]->name);
        for (int i = 0; i < grid->count; i++) found |= strstr(grid->tasks[i].name, part) != NULL;
        if (!found) fail_msg("%s is not tested", pg_attacks[a]->name);
    }
}

static const pg_grid_task *task_called(const char *part)
{
    for (int i = 0; i < grid->count; i++)
        if (strstr(grid->tasks[i].name, part)) return &grid->tasks[i];
    fail_msg("no task called %s", part);
    return NULL;
}

static bool second_time(void *context)
{
    return ++*(int *)context == 2;
}

/* The first epoch, of two steps, is saved before it is judged, and after: the former leads to the same end. */
static void test_first_judgement(void **state)
{
    (void)state;
    const pg_grid_task *task = task_called("/uchida/s");
    int noted = 0, asked = 0;
    const pg_workplace alone = {.directory = folder, .note = count_note, .context = &noted, .checkpoint_seconds = 1e9};
    const pg_workplace stopped = {.directory = folder, .stop = second_time, .context = &asked, .checkpoint_seconds = 1e9};
    OK(pg_perform(task->text, &alone, &err));
    char *expected = record_of(task->key);
    assert_int_equal(pg_perform(task->text, &stopped, &err), PG_INTERRUPTED);
    damage(task->key, 2);
    OK(pg_perform(task->text, &alone, &err));
    assert_int_equal(noted, 1);
    assert_record(task->key, expected);
}

/* Of two checkpoints the newer one, or its seal, cannot be read: that is no damage, and both stay. */
static void test_unreadable_checkpoint(void **state)
{
    (void)state;
    static const char *const endings[] = {"safetensors", "seal"};
    const pg_grid_task *task = task_called("/finetune/");
    const pg_workplace alone = {.directory = folder, .checkpoint_seconds = 1e9};
    const pg_workplace stopped = {.directory = folder, .stop = always, .checkpoint_seconds = 1e9};
    OK(pg_perform(task->text, &alone, &err));
    char *expected = record_of(task->key);
    for (int i = 0; i < 2; i++) assert_int_equal(pg_perform(task->text, &stopped, &err), PG_INTERRUPTED);
    for (int i = 0; i < 2; i++) {
        char name[PG_SHA256_HEX + 32], path[PG_PATH_MAX], away[PG_PATH_MAX + 8];
        snprintf(name, sizeof name, "%s.2.%s", task->key, endings[i]);
        snprintf(path, sizeof path, "%s", path_of("checkpoints", name));
        snprintf(away, sizeof away, "%s.away", path);
        assert_int_equal(rename(path, away), 0);
        assert_int_equal(symlink(path, path), 0);
        assert_int_equal(pg_perform(task->text, &alone, &err), PG_IO_FAULT);
        assert_non_null(strstr(err.message, path));
        assert_int_equal(rename(away, path), 0);
        snprintf(name, sizeof name, "%s.1.safetensors", task->key);
        assert_true(pg_file_exists(path_of("checkpoints", name)));
    }
    int noted = 0;
    const pg_workplace resumed = {.directory = folder, .note = count_note, .context = &noted, .checkpoint_seconds = 1e9};
    OK(pg_perform(task->text, &resumed, &err));
    assert_int_equal(noted, 0);
    assert_record(task->key, expected);
}

/* A data set of the same name with another checksum. */
static void test_other_data(void **state)
{
    (void)state;
    static const char sum[] = "0123456789012345678901234567890123456789012345678901234567890123";
    const pg_workplace at = {.directory = folder};
    pg_task task;
    char planned[16];
    OK(pg_task_parse(grid->tasks[0].text, &task, &err));
    snprintf(planned, sizeof planned, "%.8s", task.data.sha256);
    memcpy(task.data.sha256, sum, sizeof sum);
    OK(pg_task_write(&task, &err));
    assert_int_equal(pg_perform(task.text, &at, &err), PG_BAD_INPUT);
    assert_non_null(strstr(err.message, "synthetic is not the data that was planned"));
    assert_non_null(strstr(err.message, planned));
    assert_non_null(strstr(err.message, "01234567"));
    pg_task_clear(&task);
}

/* The parent of two tasks is damaged, or gone: neither of them is done, and it is made again as one that was never done. */
static void test_damaged_parent(void **state)
{
    (void)state;
    const pg_workplace at = {.directory = folder, .checkpoint_seconds = 1e9};
    const pg_grid_task *children[] = {task_called("/v1/prune/"), task_called("/v1/unchanged/")};
    const pg_grid_task *parent = &grid->tasks[children[0]->parents[0]];
    char record[PG_PATH_MAX], model[PG_PATH_MAX], name[PG_SHA256_HEX + 16], sum[2][PG_SHA256_HEX];
    assert_ptr_equal(parent, &grid->tasks[children[1]->parents[0]]);
    OK(pg_perform(parent->text, &at, &err));
    OK(pg_rundir_file(folder, "records", parent->key, record, &err));
    snprintf(name, sizeof name, "%s.safetensors", parent->key);
    snprintf(model, sizeof model, "%s", path_of("models", name));
    OK(pg_sha256_file(model, sum[0], &err));
    for (int turn = 0; turn < 2; turn++) {
        assert_int_equal(turn ? unlink(model) : truncate(model, 100), 0);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(pg_perform(children[i]->text, &at, &err), PG_BAD_INPUT);
            assert_non_null(strstr(err.message, i ? record : model));
            assert_non_null(strstr(err.message, "repeat the command"));
            assert_false(pg_file_exists(record));
        }
        OK(pg_perform(parent->text, &at, &err));
        OK(pg_sha256_file(model, sum[1], &err));
        assert_string_equal(sum[0], sum[1]);
    }
    for (int i = 0; i < 2; i++) OK(pg_perform(children[i]->text, &at, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_attacks),     cmocka_unit_test(test_attacks),
                                       cmocka_unit_test(test_first_judgement), cmocka_unit_test(test_unreadable_checkpoint),
                                       cmocka_unit_test(test_other_data),      cmocka_unit_test(test_damaged_parent)};
    const int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    return failed || pg_memory_live() != 0;
}
