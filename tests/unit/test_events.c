/* SPDX-License-Identifier: GPL-3.0-or-later */
/* events.jsonl: which lines a run appends, and what is read from them. */
#include "core/base/memory.h"
#include "experiments/run/journal.h"
#include "experiments/run/status.h"
#include "tests/unit/clock.h"
#include "tests/unit/test.h"

#include <jansson.h>
#include <math.h>

static const char path[] = "run/events.jsonl";

/* ---- a journal of three tasks: plain, and v1 with prune ---- */

static struct {
    pg_grid *grid;
    pg_run_options options;
    pg_journal journal;
} run;

static void open_run(void)
{
    static pg_problems problems;
    static const char text[] = "data: {name: synthetic, train: 64, test: 32}\nnetworks: [{arch: alexnet, width: 0.0625}]\n"
                               "train: {epochs: 1}\nschemes: [{scheme: plain}, {scheme: v1}]\n"
                               "attacks: [{attack: prune, levels: [1], schemes: [v1]}]\n";
    problems.count = 0;
    OK(pg_file_write("grid.yaml", text, sizeof text - 1, PG_FILE_PUBLIC, &err));
    OK(pg_grid_read("grid.yaml", NULL, 0, NULL, &run.grid, &problems, &err));
    assert_int_equal(run.grid->count, 3);
    OK(pg_rundir_make("run", &err));
    run.options = (pg_run_options){.directory = "run"};
    OK(pg_journal_open(&run.journal, run.grid, &run.options, 2, &err));
}

static void close_run(void)
{
    pg_journal_close(&run.journal);
    pg_grid_destroy(&run.grid);
}

static int start(int rank)
{
    const int task = pg_journal_next(&run.journal, false);
    assert_true(task >= 0);
    pg_journal_start(&run.journal, task, rank);
    return task;
}

static void report(int task, double done, int judged, double saved)
{
    pg_journal_progress(&run.journal, task,
                        &(pg_task_progress){.done = done,
                                            .images = 1000 * done,
                                            .epoch = judged + 1,
                                            .epochs = 8,
                                            .judged = judged,
                                            .loss = 2.5,
                                            .accuracy = 61.25,
                                            .saved = saved,
                                            .memory = 5e6});
}

/* The events of a kind; NULL: all. Every line must be an object. *last: the last one, which the caller releases. */
static int count(const char *kind, json_t **last)
{
    char *text = NULL;
    size_t bytes;
    int found = 0;
    OK(pg_file_read(path, &text, &bytes, &err));
    if (last) *last = NULL;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        json_t *event = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(event);
        const bool fits = !kind || strcmp(json_string_value(json_object_get(event, "event")), kind) == 0;
        found += fits;
        if (fits && last) {
            json_decref(*last);
            *last = json_incref(event);
        }
        json_decref(event);
    }
    pg_free(text);
    return found;
}

/* ---- what is written ---- */

TEST(an_epoch_has_a_line_with_its_values)
{
    json_t *event;
    open_run();
    const int task = start(1);
    report(task, 0, 0, 0);
    seconds_ahead += 4;
    report(task, 0.125, 1, 0);
    assert_int_equal(count("begin", NULL), 1);
    assert_int_equal(count("start", NULL), 1);
    assert_int_equal(count("epoch", &event), 1);
    assert_string_equal(json_string_value(json_object_get(event, "task")), run.grid->tasks[task].name);
    assert_int_equal(json_integer_value(json_object_get(event, "rank")), 1);
    assert_int_equal(json_integer_value(json_object_get(event, "epoch")), 1);
    assert_int_equal(json_integer_value(json_object_get(event, "memory")), 5000000);
    assert_true(json_number_value(json_object_get(event, "accuracy")) == 61.25);
    assert_true(json_number_value(json_object_get(event, "loss")) == 2.5);
    assert_true(fabs(json_number_value(json_object_get(event, "images_per_second")) - 31.25) < 0.1);
    assert_true(fabs(json_number_value(json_object_get(event, "seconds_left")) - 28) < 0.1);
    json_decref(event);
    close_run();
}

/* An epoch a millisecond, for more than an hour: the number of lines grows with the logarithm of the time. */
TEST(fast_epochs_do_not_fill_the_disk)
{
    open_run();
    const int task = start(0);
    report(task, 0, 0, 0);
    for (int i = 1; i <= 1000; i++) report(task, 0.5, i, 0); /* within a second */
    assert_int_equal(count("epoch", NULL), 0);
    for (int i = 0; i < 4000; i++, seconds_ahead++) report(task, 0.5, 1001 + i, 0);
    const int lines = count("epoch", NULL);
    assert_true(lines > 2000 && lines < 1000 + 1000 * log(4) + 200);
    close_run();
}

TEST(a_task_without_news_has_a_line_every_half_minute)
{
    json_t *event;
    open_run();
    const int task = start(0);
    report(task, 0, 0, 0);
    for (int i = 1; i <= 100; i++, seconds_ahead++) report(task, i / 1000.0, 0, i > 60 ? 0.06 : 0);
    assert_int_equal(count("progress", NULL), 2);
    assert_int_equal(count("saved", &event), 1);
    assert_true(json_number_value(json_object_get(event, "saved")) == 0.06);
    json_decref(event);
    close_run();
}

TEST(texts_are_escaped)
{
    json_t *event;
    open_run();
    const int task = start(0);
    pg_journal_end(&run.journal, task, PG_FAILED, "a \"quote\" and a \\ and \033[31m", 1);
    assert_int_equal(count("failed", &event), 1);
    assert_string_equal(json_string_value(json_object_get(event, "text")), "a \"quote\" and a \\ and \\x1b[31m");
    json_decref(event);
    close_run();
}

TEST(a_torn_last_line_is_cut_off_by_the_next_run)
{
    static char long_tail[10000];
    OK(pg_rundir_make("run", &err));
    memset(long_tail, 'x', sizeof long_tail);
    OK(pg_file_write(path, long_tail, sizeof long_tail, PG_FILE_PUBLIC, &err)); /* not even a first line */
    open_run();
    start(0);
    close_run();
    FILE *file = fopen(path, "a");
    fputs("{\"time\": \"2026-", file);
    fwrite(long_tail, sizeof long_tail, 1, file);
    fclose(file);
    open_run();
    start(0);
    close_run();
    assert_int_equal(count("begin", NULL), 2);
    assert_int_equal(count(NULL, NULL), 4);
}

/* ---- what is read ---- */

static void append(const char *text)
{
    FILE *file = fopen(path, "a");
    fputs(text, file);
    fclose(file);
}

TEST(a_view_follows_a_file_that_is_written)
{
    pg_run_view view = {0};
    FAILS(pg_run_view_read(&view, "run", &err), PG_BAD_INPUT, "run: no run has begun there");
    OK(pg_rundir_make("run", &err));
    append("{\"time\": \"2026-11-28T01:00:00Z\", \"event\": \"begin\", \"tasks\": 9, \"done\": 2, \"workers\": 2}\n"
           "{\"time\": \"2026-11-28T01:00:01Z\", \"event\": \"start\", \"task\": \"a\", \"rank\": 1}\n"
           "nonsense\n{\"event\": \"of a later version\"}\n[]\n{\"event\": 7}\n"
           "{\"time\": \"2026-11-28T01:00:02Z\", \"event\": \"start\", \"task\": \"b\", \"rank\": 2}\n"
           "{\"time\": \"2026-11-28T01:00:03Z\", \"event\": \"epoch\", \"task\": \"b\", \"epoch\": 3, \"ep");
    OK(pg_run_view_read(&view, "run", &err));
    assert_int_equal(view.running_count, 2);
    assert_int_equal(view.running[1].epoch, 0);
    append("ochs\": 8, \"accuracy\": 12.5, \"memory\": 7}\n"
           "{\"time\": \"2026-11-28T01:00:04Z\", \"event\": \"done\", \"task\": \"a\", \"memory\": 9}\n"
           "{\"time\": \"2026-11-28T01:00:04Z\", \"event\": \"failed\", \"task\": \"c\", \"text\": \"\\u001b[31m\"}\n");
    OK(pg_run_view_read(&view, "run", &err));
    assert_int_equal(view.state, PG_RUN_KILLED); /* nobody has the lock */
    assert_int_equal(view.done, 3);
    assert_int_equal(view.failed, 1);
    assert_int_equal(view.running_count, 1);
    assert_int_equal(view.running[0].epoch, 3);
    assert_int_equal(view.running[0].epochs, 8);
    assert_true(view.running[0].accuracy == 12.5 && view.memory == 9);
    assert_string_equal(view.troubles[0].text, "c: \\x1b[31m");
    append("{\"time\": \"2026-11-28T02:00:00Z\", \"event\": \"begin\", \"tasks\": 9, \"done\": 3, \"workers\": 1}\n"
           "{\"time\": \"2026-11-28T02:00:01Z\", \"event\": \"end\"}\n");
    OK(pg_run_view_read(&view, "run", &err));
    assert_int_equal(view.state, PG_RUN_ENDED);
    assert_int_equal(view.running_count + view.trouble_count + view.failed, 0);
    pg_run_view_close(&view);
}

TEST(the_latest_messages_are_kept)
{
    pg_run_view view = {0};
    OK(pg_rundir_make("run", &err));
    append("{\"time\": \"2026-11-28T01:00:00Z\", \"event\": \"begin\"}\n");
    for (int i = 0; i < 2 * PG_TROUBLES; i++) {
        char line[128];
        snprintf(line, sizeof line, "{\"event\": \"note\", \"text\": \"%d\"}\n", i);
        append(line);
    }
    OK(pg_run_view_read(&view, "run", &err));
    assert_int_equal(view.trouble_count, PG_TROUBLES);
    assert_string_equal(view.troubles[0].text, "5");
    assert_string_equal(view.troubles[PG_TROUBLES - 1].text, "9");
    pg_run_view_close(&view);
}
