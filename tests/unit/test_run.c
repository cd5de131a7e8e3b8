/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of tasks, and a run on one rank with an executor that only pretends: tasks done, failed, skipped, interrupted,
 * faulty and repeated. */
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "experiments/run/run.h"
#include "experiments/run/simulate.h"
#include "experiments/work/execute.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the executor that pretends ---- */

static struct {
    const char *scheme; /* training under this scheme gives this status; NULL: none does */
    pg_status status;
    int calls;
    char order[256]; /* schemes and attacks in the order in which they ran */
} pretend;

pg_status pg_task_execute(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *error)
{
    const char *name = task->kind == PG_TASK_TRAIN ? task->scheme->name : task->attack->name;
    pretend.calls++;
    snprintf(pretend.order + strlen(pretend.order), sizeof pretend.order - strlen(pretend.order), "%s ", name);
    at->report(at->context, &(pg_task_progress){.done = 0.5, .images = 100});
    if (pretend.scheme && task->kind == PG_TASK_TRAIN && strcmp(task->scheme->name, pretend.scheme) == 0)
        return pg_fail(error, pretend.status, "pretended");
    return pg_record_add(record, "", "accuracy", 50, "%", error);
}

void pg_task_release_data(void)
{
}

static void pretend_that(const char *scheme, pg_status status)
{
    memset(&pretend, 0, sizeof pretend);
    pretend.scheme = scheme;
    pretend.status = status;
}

/* ---- a grid: plain and v2 with null and prune each, v1 below plain with prune ---- */

static pg_grid *make_grid(void)
{
    static pg_problems problems;
    static const char text[] =
        "data: {name: synthetic, train: 64, test: 32}\nnetworks: [{arch: alexnet, width: 0.0625}]\ntrain: {epochs: 1}\n"
        "schemes: [{scheme: plain}, {scheme: v1}, {scheme: v2, passport: random, train: {epochs: 9}}]\n"
        "attacks: [{attack: prune, levels: [1, 2]}, {attack: \"null\", schemes: [plain, v2]}]\n";
    char path[64];
    pg_grid *grid = NULL;
    snprintf(path, sizeof path, "%s/grid.yaml", folder());
    OK(pg_file_write(path, text, sizeof text - 1, PG_FILE_PUBLIC, &err));
    problems.count = 0;
    OK(pg_grid_read(path, NULL, 0, NULL, &grid, &problems, &err));
    assert_int_equal(grid->count, 8);
    return grid;
}

static const char *directory_of(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    return path;
}

static pg_status run_before(double deadline, const pg_grid *grid, const char *name, pg_run_result *result, pg_error *error)
{
    pg_comm comm = {.size = 1};
    const pg_run_options options = {.directory = directory_of(name), .deadline = deadline};
    error->message[0] = 0;
    pg_status status = pg_rundir_make(options.directory, error);
    if (status == PG_OK) status = pg_run_grid(grid, &comm, &options, result, error);
    return status;
}

static pg_status run(const char *name, pg_run_result *result, pg_error *error)
{
    pg_grid *grid = make_grid();
    const pg_status status = run_before(0, grid, name, result, error);
    pg_grid_destroy(&grid);
    return status;
}

TEST(the_longest_path_runs_first)
{
    pg_run_result r;
    pretend_that(NULL, PG_OK);
    OK(run("order", &r, &err));
    /* longest remaining path first: v2's training is the longest task; v1 and its attack depend on plain */
    assert_string_equal(pretend.order, "v2 plain v1 prune prune prune unchanged unchanged ");
    assert_int_equal(r.done, 8);
    assert_int_equal(r.ran, 8);
    OK(run("order", &r, &err));
    assert_int_equal(pretend.calls, 8);
    assert_int_equal(r.ran, 0);
}

TEST(a_failed_task_skips_those_below_it)
{
    pg_run_result r;
    pretend_that("plain", PG_FAILED);
    assert_int_equal(run("failed", &r, &err), PG_FAILED);
    assert_int_equal(r.done, 3); /* v2 and its attacks */
    assert_int_equal(r.failed, 1);
    assert_int_equal(r.skipped, 4); /* two attacks, v1, and the attack on it */
    assert_int_equal(r.left, 0);
    pretend_that(NULL, PG_OK);
    OK(run("failed", &r, &err)); /* tried again */
    assert_int_equal(pretend.calls, 5);
    assert_int_equal(r.done, 8);
}

/* A disk fault ends the run with its message. */
TEST(interrupted_work_is_left_for_the_next_run)
{
    static const pg_status stops[] = {PG_INTERRUPTED, PG_IO_FAULT, PG_NO_MEMORY};
    for (int i = 0; i < 3; i++) {
        pg_run_result r;
        char name[16];
        snprintf(name, sizeof name, "stopped%d", i);
        pretend_that("plain", stops[i]);
        assert_int_equal(run(name, &r, &err), stops[i]);
        assert_int_equal(pretend.calls, 2);
        assert_int_equal(r.done, 1);
        assert_int_equal(r.left, 7);
        assert_contains(err.message, i ? "pretended" : "resume");
        pretend_that(NULL, PG_OK);
        OK(run(name, &r, &err));
        assert_int_equal(pretend.calls, 7);
    }
}

/* Every other task is resumed. Nothing has been timed yet. */
TEST(a_task_that_cannot_save_before_the_deadline_is_not_begun)
{
    pg_run_result r;
    pg_grid *grid = make_grid();
    const double deadline = pg_now() + 1e6, unsaved = grid->tasks[0].unsaved;
    pretend_that(NULL, PG_OK);
    grid->tasks[0].unsaved = 1e30; /* plain, on which all but v2 depend */
    FAILS(run_before(deadline, grid, "deadline", &r, &err), PG_INTERRUPTED,
          "no remaining task could save anything before the deadline");
    assert_string_equal(pretend.order, "v2 prune unchanged ");
    assert_int_equal(r.left, 5);
    grid->tasks[0].unsaved = unsaved;
    OK(run_before(deadline, grid, "deadline", &r, &err));
    assert_int_equal(pretend.calls, 8);
    pg_grid_destroy(&grid);
}

/* A file with other columns is replaced too. The new one has the task that ran. */
TEST(a_damaged_timings_file_is_replaced)
{
    static const char *const old[] = {"key,task,rank,seconds,megaflops\nonly,two\n", "key,seconds\nx,1\n"};
    pg_run_result r;
    char path[PG_PATH_MAX], *text = NULL;
    size_t bytes = 0;
    pg_grid *grid = make_grid();
    pretend_that(NULL, PG_OK);
    OK(run("timings", &r, &err));
    for (int i = 0; i < 2; i++) {
        OK(pg_rundir_file(directory_of("timings"), "records", grid->tasks[7].key, path, &err));
        assert_int_equal(unlink(path), 0);
        snprintf(path, sizeof path, "%s/timings.csv", directory_of("timings"));
        OK(pg_file_write(path, old[i], strlen(old[i]), PG_FILE_PUBLIC, &err));
        OK(run("timings", &r, &err));
        assert_int_equal(r.ran, 1);
        OK(pg_file_read(path, &text, &bytes, &err));
        assert_memory_equal(text, "key,task,rank,seconds,megaflops,megabytes\n", 42);
        assert_memory_equal(text + 42, grid->tasks[7].key, PG_SHA256_HEX - 1);
        assert_ptr_equal(strchr(strchr(text, '\n') + 1, '\n'), text + bytes - 1); /* two lines */
        pg_free(text);
    }
    pg_grid_destroy(&grid);
}

TEST(timings_without_memory_are_kept)
{
    static const char old[] = "key,task,rank,seconds,megaflops\nk,a/s1/k,0,1.5,2\n";
    pg_run_result r;
    char path[PG_PATH_MAX], *text = NULL;
    pg_grid *grid = make_grid();
    pretend_that(NULL, PG_OK);
    OK(run("before", &r, &err));
    OK(pg_rundir_file(directory_of("before"), "records", grid->tasks[7].key, path, &err));
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/timings.csv", directory_of("before"));
    OK(pg_file_write(path, old, sizeof old - 1, PG_FILE_PUBLIC, &err));
    OK(run("before", &r, &err));
    OK(pg_file_read(path, &text, &(size_t){0}, &err));
    assert_contains(text, "megabytes\nk,a/s1/k,0,1.5,2,\n");
    assert_contains(text, grid->tasks[7].key);
    pg_free(text);
    pg_grid_destroy(&grid);
}

static int rows_of_timings(const char *name)
{
    char path[PG_PATH_MAX], *text = NULL;
    size_t bytes = 0;
    int lines = 0;
    snprintf(path, sizeof path, "%s/timings.csv", directory_of(name));
    OK(pg_file_read(path, &text, &bytes, &err));
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    pg_free(text);
    return lines - 1;
}

TEST(only_a_task_done_in_one_go_has_a_time)
{
    pg_run_result r;
    char path[192];
    pg_grid *grid = make_grid();
    pretend_that("v1", PG_FAILED);
    assert_int_equal(run("timed", &r, &err), PG_FAILED);
    assert_int_equal(rows_of_timings("timed"), 6); /* v1 failed, and the task that depends on it was skipped */
    for (int i = 0; i < 2; i++) {
        pretend_that(i ? NULL : "v1", PG_INTERRUPTED);
        snprintf(path, sizeof path, "%s/checkpoints/%s.1.safetensors", directory_of("timed"), grid->tasks[3].key);
        OK(pg_file_write(path, "x", 1, PG_FILE_PUBLIC, &err));
        assert_int_equal(run("timed", &r, &err), i ? PG_OK : PG_INTERRUPTED);
        assert_int_equal(rows_of_timings("timed"), 6 + i); /* v1 was resumed, and the task that depends on it was not */
    }
    pg_grid_destroy(&grid);
}

TEST(the_state_of_every_task_is_reported)
{
    pg_run_result r;
    char path[192];
    pg_task_state states[8];
    pretend_that("v1", PG_FAILED);
    assert_int_equal(run("states", &r, &err), PG_FAILED);
    pg_grid *grid = make_grid();
    snprintf(path, sizeof path, "%s/checkpoints/%s.1.safetensors", directory_of("states"), grid->tasks[4].key);
    OK(pg_file_write(path, "x", 1, PG_FILE_PUBLIC, &err));
    OK(pg_rundir_scan(directory_of("states"), grid, states, &err));
    static const pg_task_state expected[] = {PG_STATE_DONE,        PG_STATE_DONE, PG_STATE_DONE, PG_STATE_FAILED,
                                             PG_STATE_INTERRUPTED, PG_STATE_DONE, PG_STATE_DONE, PG_STATE_DONE};
    for (int i = 0; i < 8; i++) assert_int_equal(states[i], expected[i]);
    OK(pg_rundir_scan("/nowhere", grid, states, &err));
    for (int i = 0; i < 8; i++) assert_int_equal(states[i], PG_STATE_NEW);
    pg_grid_destroy(&grid);
}

/* An unreadable file of timings also ends the run, because it may be intact. */
TEST(an_unreadable_record_ends_the_run_and_stays)
{
    pg_run_result r;
    char path[PG_PATH_MAX], away[PG_PATH_MAX + 8], found[8];
    pg_task_state states[8];
    pretend_that(NULL, PG_OK);
    OK(run("unreadable", &r, &err));
    pg_grid *grid = make_grid();
    OK(pg_rundir_file(directory_of("unreadable"), "records", grid->tasks[0].key, path, &err));
    snprintf(away, sizeof away, "%s.away", path);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(symlink(path, path), 0);
    FAILS(pg_rundir_scan(directory_of("unreadable"), grid, states, &err), PG_IO_FAULT, path);
    r.seconds = 0;
    assert_int_equal(run("unreadable", &r, &err), PG_IO_FAULT);
    assert_true(r.seconds == 0); /* it has not begun, so it counts as zero */
    assert_true(readlink(path, found, sizeof found) > 0);
    assert_int_equal(rename(away, path), 0);
    snprintf(path, sizeof path, "%s/timings.csv", directory_of("unreadable"));
    snprintf(away, sizeof away, "%s.away", path);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(symlink(path, path), 0);
    assert_int_equal(run("unreadable", &r, &err), PG_IO_FAULT);
    assert_int_equal(rename(away, path), 0);
    OK(run("unreadable", &r, &err));
    assert_int_equal(pretend.calls, 8);
    pg_grid_destroy(&grid);
}

/* The cores are divided among the workers of one host that may use the same ones. The master does not compute. */
TEST(cores_are_shared_among_the_workers_that_may_use_them)
{
    static const struct {
        const char *host;
        size_t cores[2];
        int workers;
    } ranks[] = {{"a", {0, 1}, 2}, {"a", {0, 1}, 2}, {"a", {0, 1}, 2}, {"a", {2, 3}, 1}, {"b", {0, 1}, 1}, {"c", {0, 1}, 1}};
    pg_process members[6];
    cpu_set_t cores[6];
    memset(members, 0, sizeof members);
    memset(cores, 0, sizeof cores);
    for (int i = 0; i < 6; i++) {
        strcpy(members[i].host, ranks[i].host);
        for (int c = 0; c < 2; c++) CPU_SET(ranks[i].cores[c], &cores[i]);
    }
    for (int i = 0; i < 6; i++) {
        const pg_comm comm = {.rank = i, .size = 6, .members = members, .cores = cores};
        assert_int_equal(pg_comm_workers_here(&comm), ranks[i].workers);
    }
}

/* ---- dispatch by itself ---- */

/* 0 -> 1 -> 2, 0 -> 3, 4, and 3, 4 -> 5; costs 1 2 3 10 4 5 */
static void fill(pg_grid *grid, pg_grid_task tasks[6])
{
    static const int parents[6][2] = {{-1, -1}, {0, -1}, {1, -1}, {0, -1}, {-1, -1}, {3, 4}};
    static const double costs[6] = {1, 2, 3, 10, 4, 5};
    *grid = (pg_grid){.count = 6, .tasks = tasks};
    for (int i = 0; i < 6; i++) {
        tasks[i] = (pg_grid_task){.cost = costs[i]};
        for (int p = 0; p < 2 && parents[i][p] >= 0; p++) tasks[i].parents[tasks[i].parent_count++] = parents[i][p];
    }
}

TEST(tasks_are_taken_in_order_of_their_remaining_path)
{
    pg_grid grid;
    pg_grid_task tasks[6];
    const bool none[6] = {false};
    pg_dispatch *d = NULL;
    fill(&grid, tasks);
    OK(pg_dispatch_create(&grid, none, NULL, &d, &err));
    assert_true(pg_dispatch_critical(d) > 15.99 && pg_dispatch_critical(d) < 16.01); /* 0, 3, 5 */
    assert_int_equal(pg_dispatch_take(d), 0);
    assert_int_equal(pg_dispatch_take(d), 4);
    assert_int_equal(pg_dispatch_take(d), -1);
    assert_false(pg_dispatch_over(d));
    pg_dispatch_done(d, 0);
    assert_int_equal(pg_dispatch_take(d), 3);
    assert_int_equal(pg_dispatch_take(d), 1);
    pg_dispatch_done(d, 3);
    assert_int_equal(pg_dispatch_take(d), -1); /* 5 waits for 4 */
    pg_dispatch_return(d, 4);
    assert_int_equal(pg_dispatch_take(d), 4);
    pg_dispatch_done(d, 4);
    pg_dispatch_failed(d, 1);
    assert_int_equal(d->state[2], PG_WORK_SKIPPED);
    assert_int_equal(d->blame[2], 1);
    assert_int_equal(pg_dispatch_take(d), 5);
    pg_dispatch_done(d, 5);
    assert_true(pg_dispatch_over(d));
    assert_int_equal(d->counts[PG_WORK_DONE], 4);
    pg_dispatch_destroy(&d);
}

TEST(a_simulated_run_takes_tasks_in_that_order)
{
    pg_grid grid;
    pg_grid_task tasks[6];
    const bool none[6] = {false}, all[6] = {true, true, true, true, true, true};
    double seconds[6];
    pg_simulation s;
    fill(&grid, tasks);
    for (int i = 0; i < 6; i++) seconds[i] = tasks[i].cost;
    OK(pg_simulate(&grid, none, seconds, 1, &s, &err));
    assert_true(fabs(s.seconds - (25)) < 1e-9);
    assert_true(fabs(s.idle - (0)) < 1e-9);
    OK(pg_simulate(&grid, none, seconds, 2, &s, &err)); /* 0, 3 and 5 on one worker, 4, 1 and 2 on the other */
    assert_true(fabs(s.seconds - (16)) < 1e-9);
    assert_true(fabs(s.critical - (16)) < 1e-9);
    assert_true(fabs(s.idle - (1 - 25.0 / 32)) < 1e-9);
    OK(pg_simulate(&grid, all, seconds, 3, &s, &err));
    assert_true(fabs(s.seconds - (0)) < 1e-9);
}

/* A task that is done stays done if its parent is to run again. */
TEST(a_resumed_task_is_ready_when_its_parents_are)
{
    pg_grid grid;
    pg_grid_task tasks[6];
    const bool done[6] = {true, false, false, true, false, true};
    pg_dispatch *d = NULL;
    fill(&grid, tasks);
    OK(pg_dispatch_create(&grid, done, NULL, &d, &err));
    assert_int_equal(pg_dispatch_take(d), 1); /* 2 + 3 before 4 */
    assert_int_equal(pg_dispatch_take(d), 4);
    pg_dispatch_done(d, 4);
    pg_dispatch_done(d, 1);
    assert_int_equal(pg_dispatch_take(d), 2);
    pg_dispatch_done(d, 2);
    assert_true(pg_dispatch_over(d));
    assert_int_equal(d->counts[PG_WORK_DONE], 6);
    pg_dispatch_destroy(&d);
}

/* The other tasks keep their turn. */
TEST(only_tasks_that_save_in_time_are_taken)
{
    pg_grid grid;
    pg_grid_task tasks[6];
    const bool none[6] = {false};
    pg_dispatch *d = NULL;
    fill(&grid, tasks);
    tasks[0].unsaved = 7;
    OK(pg_dispatch_create(&grid, none, NULL, &d, &err));
    assert_int_equal(pg_dispatch_take_within(d, 6), 4);
    assert_int_equal(pg_dispatch_take_within(d, 6), -1);
    assert_int_equal(d->heap_count, 1);
    assert_int_equal(d->counts[PG_WORK_RUNNING], 1);
    assert_int_equal(pg_dispatch_take_within(d, 7), 0);
    pg_dispatch_destroy(&d);
}
