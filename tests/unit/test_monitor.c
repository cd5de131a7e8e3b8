/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The time that rank 0 spends listening, and the progress lines of a run away from a terminal. */
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "experiments/run/monitor.h"
#include "tests/unit/clock.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdatomic.h>
#include <unistd.h>

/* ---- listening ---- */

/* The seconds are made up. A listener that looks often counts all of them. Of a pause it counts only the first ones. */
TEST(pauses_of_the_listener_do_not_count_as_silence)
{
    pg_listening often = {0}, paused = {0};
    double now = 1000;
    assert_true(pg_listened(&often, now, 1) == 0);
    assert_true(pg_listened(&paused, now, 1) == 0);
    for (int i = 0; i < 40; i++) pg_listened(&often, now += 0.25, 1);
    assert_true(fabs(often.seconds - 10) < 1e-9);
    assert_true(fabs(pg_listened(&paused, now, 1) - 1) < 1e-9);
    assert_true(fabs(pg_listened(&paused, now + 1e6, 1) - 2) < 1e-9); /* suspended for days */
    assert_true(fabs(pg_listened(&paused, now + 1e6 + 0.5, 1) - 2.5) < 1e-9);
}

/* ---- lines ---- */

enum { TASKS = 12 };

/* Task 0 fails, and tasks 1 to 3 depend on it. Task 4 is done. Tasks 5 to 11 depend on nothing. */
static void make_grid(pg_grid *grid, pg_grid_task *tasks)
{
    *grid = (pg_grid){.count = TASKS, .tasks = tasks};
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = (pg_grid_task){.cost = 1e9};
        snprintf(tasks[i].name, sizeof tasks[i].name, "task-%d", i);
        if (i < 1 || i > 3) continue;
        tasks[i].parents[0] = 0;
        tasks[i].parent_count = 1;
    }
}

static void read_back(FILE *file, char *text, size_t room)
{
    rewind(file);
    text[fread(text, 1, room - 1, file)] = 0;
}

TEST(progress_is_printed_in_lines)
{
    static pg_monitor monitor;
    static pg_grid_task tasks[TASKS];
    static char text[8192];
    pg_grid grid;
    pg_dispatch *d = NULL;
    pg_tracked tracked[TASKS] = {0};
    FILE *stream = tmpfile();
    make_grid(&grid, tasks);
    OK(pg_dispatch_create(&grid, (bool[TASKS]){0}, NULL, &d, &err));
    pg_monitor_start(&monitor, stream);
    pg_monitor_draw(&monitor, d, tracked); /* nothing runs, so nothing is printed */
    read_back(stream, text, sizeof text);
    assert_string_equal(text, "");
    assert_int_equal(pg_dispatch_take(d), 0);
    pg_dispatch_failed(d, 0);
    assert_int_equal(pg_dispatch_take(d), 4);
    pg_dispatch_done(d, 4);
    assert_int_equal(pg_dispatch_take(d), 5);
    assert_int_equal(pg_dispatch_take(d), 6);
    tracked[5] = (pg_tracked){.now = {.epoch = 3, .epochs = 8, .accuracy = 61.25, .done = 0.3}, .told = true};
    tracked[6] = (pg_tracked){.now = {.done = 0.4, .accuracy = NAN}, .told = true};
    pg_monitor_draw(&monitor, d, tracked); /* the first task runs: a line at once, before the ticker ticks */
    read_back(stream, text, sizeof text);
    assert_contains(text, " so far 1 of 12 tasks done, 2 running, 1 failed, 3 skipped, 5 left");
    assert_contains(text, " at work task-5, epoch 3 of 8, accuracy 61.25 %\n");
    assert_contains(text, " at work task-6, 40 % done\n");
    assert_null(strstr(text, "images/s"));
    while (pg_dispatch_take(d) >= 0) {
    }
    seconds_ahead += 2; /* the rates are of a second at least */
    tracked[6].now.done = 0.9;
    pg_monitor_draw(&monitor, d, tracked);
    assert_contains(monitor.lines, "1 of 12 tasks done, 7 running, 1 failed, 3 skipped, 0 left");
    assert_contains(monitor.lines, " billion multiply-adds/s");
    pg_monitor_finish(&monitor);
    fclose(stream);
    pg_dispatch_destroy(&d);
}

/* ---- ticker ---- */

static bool count_to_two(void *context)
{
    return ++*(atomic_int *)context < 2;
}

TEST(a_ticker_ticks_until_it_is_told_to_stop)
{
    atomic_int ticks = 0;
    pg_ticker ticker = {0};
    pg_ticker_stop(&ticker); /* never started */
    OK(pg_ticker_start(&ticker, 1, count_to_two, &ticks, &err));
    pass_tick();
    assert_int_equal(ticks, 1);
    ticks_due += 2; /* one more than it wants */
    pg_ticker_stop(&ticker);
    assert_int_equal(ticks, 2);
    pg_ticker_stop(&ticker);
    assert_int_equal(ticks_due, 1);
}
