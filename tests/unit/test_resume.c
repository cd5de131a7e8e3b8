/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resuming a task. It is interrupted after every step, and checkpoints are damaged on the way; its record is the same, to the
 * byte, as without interruptions. A task checks that its inputs are those that were planned. */
#include "core/base/memory.h"
#include "core/compute/parallel.h"
#include "experiments/grid/grid.h"
#include "experiments/work/perform.h"
#include "experiments/work/records.h"
#include "experiments/work/rundir.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <unistd.h>

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
    "  - {attack: rewrite, schemes: [v1]}\n"
    "  - {attack: fake1, repeats: 3, passport: random, schemes: [v1]}\n"
    "  - {attack: [fake2, fake3], epochs: 2, batch: 20, schemes: [v1]}\n"
    "  - {attack: flip, levels: [0, 50], schemes: [v1]}\n"
    "  - {attack: invert, flips: [0, 50], start: nothing, schemes: [v1]}\n"
    "  - {attack: permute, repeats: 2, schemes: [v1]}\n"
    "  - {attack: grind, tries: [3, 130], bits: 16, schemes: [v1]}\n"
    "  - {attack: grind, tries: [3, 130], bits: 16, claim: filtered, rounds: 1, pooled: 20, schemes: [adi]}\n"
    "  - {attack: substitute, block: [none, individual, collective], share: 50, epochs: 2, batch: 10,\n"
    "     schemes: [v1]}\n"
    "  - {attack: overwrite, epochs: 2, batch: 20}\n"
    "  - {attack: counterfeit-uchida, bits: 16}\n"
    "  - {attack: counterfeit-triggers, count: 4, steps: 3, bound: 1, schemes: [adi]}\n"
    "  - {attack: extract, epochs: 2, batch: 20, schemes: [v1]}\n"
    "  - {attack: extract, epochs: 4, batch: 20, rounds: 1, step: 9, schemes: [uchida]}\n"
    "  - {attack: cleanse, share: 50, search: 1, epochs: 2, batch: 10, schemes: [adi]}\n"
    "  - {attack: cleanse, share: 50, search: 1, epochs: 2, batch: 10, form: [cut, launder], conv_rise: 0.01,\n"
    "     schemes: [adi]}\n"
    "  - {attack: dehydra, share: 50, dreams: 1, steps: 3, epochs: 2, batch: 10, schemes: [v1]}\n"
    "  - {attack: dehydra, form: [fixed, varied], share: 50, dreams: 2, steps: 2, smoothings: 2, epochs: 1, batch: 10,\n"
    "     schemes: [v1]}\n"
    "  - {attack: wrk, share: 50, epochs: 2, batch: 10, steps: 2, schemes: [v1]}\n"
    "  - {attack: [fine-prune, shift-weights, round-weights, relabel, adversarial-training],\n"
    "     epochs: 1, share: 50, batch: 10, schemes: [v1]}\n"
    "  - {attack: regularise, epochs: 2, heavy_epochs: 1, share: 50, batch: 10, schemes: [v1]}\n"
    "  - {attack: refit, epochs: 2, share: 50, batch: 10, ewc: 1, schemes: [v1]}\n"
    "  - {attack: anp, epochs: 2, share: 50, batch: 10, thresholds: [0.5, 1], schemes: [v1]}\n"
    "  - {attack: nad, epochs: 1, teacher_epochs: 1, share: 50, batch: 10, schemes: [v1]}\n"
    "  - {attack: mcr, epochs: 1, end_epochs: 1, share: 50, batch: 10, positions: [0.3, 0.7], schemes: [v1]}\n"
    "  - {attack: overwrite, epochs: 1, batch: 20, thiefs_scheme: v1, schemes: [uchida]}\n"
    "  - {attack: overwrite, epochs: 2, batch: 20, part: marked, share: 50, schemes: [uchida]}\n"
    "  - {attack: filter-inputs, filter: [jpeg, noise], schemes: [adi]}\n"
    "  - {chain: [{attack: finetune, epochs: 2, batch: 20}, {attack: rewrite}, {attack: finetune, epochs: 1, batch: 20}],\n"
    "     schemes: [v1]}\n"
    "  - {chain: [{attack: extract, epochs: 2, batch: 20}, {attack: prune, levels: [10, 50]}], schemes: [uchida]}\n"
    "  - {attack: detect, twins: 3, schemes: [uchida]}\n"
    "  - {attack: transfer-triggers, pictures: 6, count: 4, references: 2, held_out: 1, steps: 3, schemes: [adi]}\n";

static pg_grid *grid;
static char run[PG_PATH_MAX / 2]; /* the directory that all tests share, with the networks that one test has trained */

SET_UP
{
    static pg_problems problems;
    pg_compute_start(1);
    snprintf(run, sizeof run, "%s", folder());
    OK(pg_rundir_make(run, &err));
    OK(pg_file_write(path_of("test.yaml"), config, sizeof config - 1, PG_FILE_PUBLIC, &err));
    OK(pg_grid_read(path_of("test.yaml"), NULL, 0, NULL, &grid, &problems, &err));
}

TEAR_DOWN
{
    pg_grid_destroy(&grid);
}

static const char *run_path(const char *kind, const char *name)
{
    static char path[PG_PATH_MAX];
    snprintf(path, sizeof path, "%s/%.32s/%.256s", run, kind, name);
    return path;
}

/* ---- one task ---- */

static bool always(void *context)
{
    (void)context;
    return true;
}

static void count_note(void *context, const char *text)
{
    *(int *)context += strstr(text, "is damaged; the task resumes from the checkpoint before it") != NULL;
}

static char *record_of(const char *key)
{
    char name[PG_SHA256_HEX + 8], *text = NULL;
    size_t bytes = 0;
    snprintf(name, sizeof name, "%s.json", key);
    OK(pg_file_read(run_path("records", name), &text, &bytes, &err));
    assert_int_equal(unlink(run_path("records", name)), 0);
    return text;
}

/* The record has not changed; the text is freed. */
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
    FILE *file = fopen(run_path("checkpoints", name), "r+b");
    assert_non_null(file);
    fseek(file, -1, SEEK_END);
    const int byte = fgetc(file);
    fseek(file, -1, SEEK_END);
    fputc(byte ^ 1, file);
    fclose(file);
}

/* Each call resumes from a checkpoint, does one step and saves. Two of five checkpoints are damaged, one after the other. Each
 * is made again from the one before it. Returns how often the task was interrupted. */
static int in_steps(const pg_grid_task *task)
{
    int noted = 0, turns = 0, damages = 0;
    const pg_workplace at = {.directory = run, .stop = always, .note = count_note, .context = &noted};
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

/* Train the networks from which the task starts, unless an earlier test has done so. */
static void ensure_parents(const pg_grid_task *task)
{
    const pg_workplace at = {.directory = run, .checkpoint_seconds = 1e9};
    for (int i = 0; i < task->parent_count; i++) {
        const pg_grid_task *parent = &grid->tasks[task->parents[i]];
        char record[PG_PATH_MAX];
        OK(pg_rundir_file(run, "records", parent->key, record, &err));
        if (pg_file_exists(record)) continue;
        ensure_parents(parent);
        OK(pg_perform(parent->text, &at, &err));
    }
}

static void check_task(const pg_grid_task *task)
{
    const pg_workplace at = {.directory = run, .checkpoint_seconds = 1e9};
    OK(pg_perform(task->text, &at, &err));
    if (strstr(task->text, "attack") == NULL || task->keep) return; /* a later attack needs files that were kept */
    char *alone = record_of(task->key);
    const bool one_step = strstr(task->name, "/unchanged/") || strstr(task->name, "/filter-inputs/") ||
                          strstr(task->name, "/detect/") || strstr(task->name, "/rewrite/") ||
                          strstr(task->name, "/counterfeit-uchida/"); /* never interrupted */
    assert_int_equal(in_steps(task) > 0, !one_step);
    char *resumed = record_of(task->key);
    if (strcmp(alone, resumed) != 0) fail_msg("%s: another record after resuming", task->name);
    pg_free(alone);
    pg_free(resumed);
}

TEST(an_attack_resumes_to_the_same_record)
{
    for (int i = 0; i < grid->count; i++) check_task(&grid->tasks[i]);
    pg_task_release_data();
}

TEST(every_attack_is_among_those_resumed_here)
{
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

/* The first epoch, of two steps, is saved before and after it is judged. Resuming from the earlier checkpoint gives the same
 * record. */
TEST(a_stop_around_the_first_judgement_changes_nothing)
{
    const pg_grid_task *task = task_called("/uchida/s");
    int noted = 0, asked = 0;
    ensure_parents(task);
    const pg_workplace alone = {.directory = run, .note = count_note, .context = &noted, .checkpoint_seconds = 1e9};
    const pg_workplace stopped = {.directory = run, .stop = second_time, .context = &asked, .checkpoint_seconds = 1e9};
    OK(pg_perform(task->text, &alone, &err));
    char *expected = record_of(task->key);
    assert_int_equal(pg_perform(task->text, &stopped, &err), PG_INTERRUPTED);
    damage(task->key, 2);
    OK(pg_perform(task->text, &alone, &err));
    assert_int_equal(noted, 1);
    assert_record(task->key, expected);
    pg_task_release_data();
}

/* The newer of two checkpoints, or its seal, cannot be read. Both files stay. */
TEST(an_unreadable_checkpoint_is_no_damage)
{
    static const char *const endings[] = {"safetensors", "seal"};
    const pg_grid_task *task = task_called("/finetune/");
    ensure_parents(task);
    const pg_workplace alone = {.directory = run, .checkpoint_seconds = 1e9};
    const pg_workplace stopped = {.directory = run, .stop = always, .checkpoint_seconds = 1e9};
    OK(pg_perform(task->text, &alone, &err));
    char *expected = record_of(task->key);
    for (int i = 0; i < 2; i++) assert_int_equal(pg_perform(task->text, &stopped, &err), PG_INTERRUPTED);
    for (int i = 0; i < 2; i++) {
        char name[PG_SHA256_HEX + 32], path[PG_PATH_MAX], away[PG_PATH_MAX + 8];
        snprintf(name, sizeof name, "%s.2.%s", task->key, endings[i]);
        snprintf(path, sizeof path, "%s", run_path("checkpoints", name));
        snprintf(away, sizeof away, "%s.away", path);
        assert_int_equal(rename(path, away), 0);
        assert_int_equal(symlink(path, path), 0);
        FAILS(pg_perform(task->text, &alone, &err), PG_IO_FAULT, path);
        assert_int_equal(rename(away, path), 0);
        snprintf(name, sizeof name, "%s.1.safetensors", task->key);
        assert_true(pg_file_exists(run_path("checkpoints", name)));
    }
    int noted = 0;
    const pg_workplace resumed = {.directory = run, .note = count_note, .context = &noted, .checkpoint_seconds = 1e9};
    OK(pg_perform(task->text, &resumed, &err));
    assert_int_equal(noted, 0);
    assert_record(task->key, expected);
    pg_task_release_data();
}

TEST(a_data_set_with_another_checksum_is_refused)
{
    static const char sum[] = "0123456789012345678901234567890123456789012345678901234567890123";
    const pg_workplace at = {.directory = run};
    pg_task task;
    char planned[16];
    OK(pg_task_parse(grid->tasks[0].text, &task, &err));
    snprintf(planned, sizeof planned, "%.8s", task.data.sha256);
    memcpy(task.data.sha256, sum, sizeof sum);
    OK(pg_task_write(&task, &err));
    FAILS(pg_perform(task.text, &at, &err), PG_BAD_INPUT, "synthetic: this data set differs from the planned one");
    assert_contains(err.message, planned);
    assert_contains(err.message, "01234567");
    pg_task_clear(&task);
    pg_task_release_data();
}

/* The model of the parent of two tasks is damaged or missing. Neither task is done, and the parent's record is removed so that
 * it runs again. */
TEST(a_damaged_parent_is_made_again)
{
    const pg_workplace at = {.directory = run, .checkpoint_seconds = 1e9};
    const pg_grid_task *children[] = {task_called("/v1/prune/"), task_called("/v1/unchanged/")};
    const pg_grid_task *parent = &grid->tasks[children[0]->parents[0]];
    char record[PG_PATH_MAX], model[PG_PATH_MAX], name[PG_SHA256_HEX + 16], sum[2][PG_SHA256_HEX];
    bool done;
    assert_ptr_equal(parent, &grid->tasks[children[1]->parents[0]]);
    ensure_parents(parent);
    OK(pg_perform(parent->text, &at, &err));
    OK(pg_rundir_file(run, "records", parent->key, record, &err));
    snprintf(name, sizeof name, "%s.safetensors", parent->key);
    snprintf(model, sizeof model, "%s", run_path("models", name));
    OK(pg_sha256_file(model, sum[0], &err));
    for (int turn = 0; turn < 2; turn++) {
        assert_int_equal(turn ? unlink(model) : truncate(model, 100), 0);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(pg_perform(children[i]->text, &at, &err), PG_BAD_INPUT);
            assert_contains(err.message, i ? record : model);
            assert_contains(err.message, "repeat the command");
            OK(pg_records_done(run, parent->key, false, &done, &err));
            assert_false(done);
        }
        OK(pg_perform(parent->text, &at, &err));
        OK(pg_sha256_file(model, sum[1], &err));
        assert_string_equal(sum[0], sum[1]);
    }
    for (int i = 0; i < 2; i++) OK(pg_perform(children[i]->text, &at, &err));
    pg_task_release_data();
}
