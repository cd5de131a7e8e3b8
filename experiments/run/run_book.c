/* The books of a run; see run_book.h. */
#include "experiments/run/run_book.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "experiments/run/signals.h"
#include "experiments/work/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void pg_book_close(pg_book *book)
{
    pg_monitor_finish(&book->monitor);
    pg_dispatch_destroy(&book->dispatch);
    pg_free(book->seconds);
    pg_free(book->rank);
    pg_free(book->part);
    pg_free(book->tracked);
}

bool pg_book_going(const pg_book *book)
{
    return book->fault == PG_OK && !book->interrupted;
}

static void fault(pg_book *book, pg_status status, const char *message)
{
    if (status == PG_OK || book->fault != PG_OK) return;
    book->fault = pg_fail(&book->fault_error, status, "%s", message);
}

void pg_book_stop(pg_book *book, const char *why)
{
    fault(book, PG_INTERRUPTED, why);
}

/* ---- the clock ---- */

/* Everything is saved in this time, after the deadline's warning. */
enum { SAVING_SECONDS = 10 };

void pg_book_watch(pg_book *book)
{
    const double deadline = book->options->deadline;
    if (pg_signals_caught()) book->interrupted = true;
    if (book->options->guard && !pg_guard_held(book->options->guard))
        fault(book, PG_IO_FAULT, "another run has taken the place of this one in its directory");
    if (deadline > 0 && pg_now() > deadline - SAVING_SECONDS)
        pg_book_stop(book, "the deadline has come; repeat the command to resume");
}

/* Cost that one worker can do before the deadline. */
static double budget(const pg_book *book)
{
    const double left = book->options->deadline - SAVING_SECONDS - pg_now();
    return book->options->deadline > 0 ? left * book->timed.cost / book->timed.seconds : INFINITY;
}

int pg_book_next(pg_book *book, bool others_at_work)
{
    const int task = pg_dispatch_take_within(book->dispatch, budget(book));
    if (task < 0 && !others_at_work && book->dispatch->heap_count > 0)
        pg_book_stop(book, "no task that is left could save anything before the deadline; repeat the command to resume");
    return task;
}

/* ---- events ---- */

void pg_book_flush(pg_book *book)
{
    pg_error err = {.message = ""};
    fault(book, pg_monitor_flush(&book->monitor, &err), err.message);
}

static void open_log(pg_book *book)
{
    char path[PG_PATH_MAX];
    pg_error err = {.message = ""};
    if (book->opened) return;
    book->opened = true;
    pg_status status = pg_path(path, book->options->directory, "logs/run.log", NULL, &err);
    if (status == PG_OK) status = pg_monitor_start(&book->monitor, book->options->stream, path, &err);
    fault(book, status, err.message);
}

void pg_book_progress(pg_book *book, int task, const pg_task_progress *progress)
{
    pg_tracked *t = &book->tracked[task];
    if (!t->told) t->first = *progress;
    t->told = true;
    t->now = *progress;
}

void pg_book_show(pg_book *book)
{
    pg_monitor_draw(&book->monitor, book->dispatch, book->tracked);
}

void pg_book_start(pg_book *book, int task, int rank)
{
    pg_error err = {.message = ""};
    open_log(book);
    book->rank[task] = rank;
    fault(book, pg_monitor_event(&book->monitor, false, &err, "start  %s on rank %d", book->grid->tasks[task].name, rank),
          err.message);
}

/* An event of a task that people should see. */
static void say(pg_book *book, const char *what, int task, const char *text)
{
    pg_error err = {.message = ""};
    open_log(book);
    fault(book, pg_monitor_event(&book->monitor, true, &err, "%-6s %s: %s", what, book->grid->tasks[task].name, text),
          err.message);
}

void pg_book_note(pg_book *book, int task, const char *text)
{
    say(book, "note", task, text);
}

void pg_book_return(pg_book *book, int task)
{
    pg_dispatch_return(book->dispatch, task);
    book->part[task] = true;
    if (pg_book_going(book)) say(book, "again", task, "another worker resumes it");
}

void pg_book_lost(pg_book *book, int rank, const char *host, int task, const char *why)
{
    pg_error err = {.message = ""};
    char *list = book->result.lost;
    const size_t used = strlen(list);
    snprintf(list + used, sizeof book->result.lost - used, "%srank %d on %s", used ? ", " : "", rank, host);
    open_log(book);
    fault(book,
          pg_monitor_event(&book->monitor, true, &err, "lost   rank %d on %s, at work on %s: %s", rank, host,
                           task >= 0 ? book->grid->tasks[task].name : "nothing", why),
          err.message);
}

static pg_status write_failure(const pg_book *book, int task, const char *message, pg_error *err)
{
    char path[PG_PATH_MAX];
    const pg_node_task *t = &book->grid->tasks[task];
    pg_status status = pg_rundir_file(book->options->directory, "failed", t->key, path, err);
    if (status == PG_OK) status = pg_failure_save(t->key, t->name, t->public_text, message, path, err);
    return status;
}

static void task_done(pg_book *book, int task)
{
    char path[PG_PATH_MAX];
    pg_error err = {.message = ""};
    const pg_node_task *t = &book->grid->tasks[task];
    pg_dispatch_done(book->dispatch, task);
    book->result.ran++;
    book->tracked[task].now.done = 1;
    book->tracked[task].told = true;
    if (pg_rundir_file(book->options->directory, "failed", t->key, path, NULL) == PG_OK)
        unlink(path); /* an earlier failure is history */
    fault(book, pg_monitor_event(&book->monitor, false, &err, "done   %s in %.1f s", t->name, book->seconds[task]),
          err.message);
}

static void task_failed(pg_book *book, int task, const char *message)
{
    pg_error err = {.message = ""};
    pg_status status = write_failure(book, task, message, &err);
    pg_dispatch_failed(book->dispatch, task);
    if (status == PG_OK)
        status = pg_monitor_event(&book->monitor, true, &err, "failed %s: %s", book->grid->tasks[task].name, message);
    for (int i = task + 1; i < book->grid->count && status == PG_OK; i++)
        if (book->dispatch->state[i] == PG_WORK_SKIPPED && book->dispatch->blame[i] == task)
            status = pg_monitor_event(&book->monitor, true, &err, "skip   %s: %s failed", book->grid->tasks[i].name,
                                      book->grid->tasks[task].name);
    fault(book, status, err.message);
}

void pg_book_end(pg_book *book, int task, pg_status status, const char *message, double seconds)
{
    book->seconds[task] += seconds;
    book->result.busy += seconds;
    if (status == PG_OK && !book->part[task]) {
        book->timed.tasks++;
        book->timed.cost += book->grid->tasks[task].cost;
        book->timed.seconds += seconds;
    }
    switch (status) {
    case PG_OK: task_done(book, task); return;
    case PG_FAILED:
    case PG_BAD_INPUT: task_failed(book, task, message); return;
    case PG_INTERRUPTED: book->interrupted = true; break;
    case PG_IO_FAULT:
    case PG_NO_MEMORY: fault(book, status, message); break;
    }
    pg_dispatch_return(book->dispatch, task);
    say(book, "stop", task, message);
}

/* ---- start ---- */

static void note_damaged(void *context, int task)
{
    pg_book_note(context, task, "its record is damaged or lacks files that the grid keeps; it runs again");
}

/* After a run that was killed: tidy up, say so. */
static pg_status tidy(pg_book *book, pg_task_state *states, pg_error *err)
{
    const pg_guard *guard = book->options->guard;
    if (guard && guard->before[0]) {
        open_log(book);
        fault(book,
              pg_monitor_event(&book->monitor, true, err, "note   %s was killed: this run takes its place", guard->before),
              err ? err->message : "");
    }
    return pg_rundir_sweep(book->options->directory, book->grid, states, note_damaged, book, err);
}

pg_status pg_book_open(pg_book *book, const pg_grid *grid, const pg_run_options *options, pg_error *err)
{
    pg_status status = PG_OK;
    bool *done = NULL;
    double *costs = NULL; /* estimated seconds */
    pg_task_state *states = NULL;
    *book = (pg_book){.grid = grid, .options = options};
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *done, &done, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *states, &states, err));
    PG_TRY(pg_rundir_scan(options->directory, grid, states, err));
    for (int i = 0; i < grid->count; i++) done[i] = states[i] == PG_STATE_DONE;
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *costs, &costs, err));
    PG_TRY(pg_estimate_seconds(options->directory, grid, costs, &book->timed, err));
    PG_TRY(pg_dispatch_create(grid, done, costs, &book->dispatch, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *book->seconds, &book->seconds, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *book->rank, &book->rank, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *book->part, &book->part, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *book->tracked, &book->tracked, err));
    for (int i = 0; i < grid->count; i++) {
        book->rank[i] = -1;
        book->part[i] = states[i] != PG_STATE_NEW; /* a task that failed may have left checkpoints too */
    }
    PG_TRY(pg_monitor_start(&book->monitor, options->stream, NULL, err));
    if (options->guard && options->guard->text[0]) PG_TRY(tidy(book, states, err));
done:
    pg_free(done);
    pg_free(costs);
    pg_free(states);
    return status;
}

/* Lost workers leave parts of files. */
static pg_status tidy_again(pg_book *book, pg_error *err)
{
    pg_task_state *states = NULL;
    pg_status status = pg_alloc((size_t)book->grid->count, sizeof *states, &states, err);
    if (status == PG_OK) status = pg_rundir_scan(book->options->directory, book->grid, states, err);
    if (status == PG_OK) status = pg_rundir_sweep(book->options->directory, book->grid, states, note_damaged, book, err);
    pg_free(states);
    return status;
}

/* ---- what it came to ---- */

/* Was a task done in this run, from its beginning to its end? */
static bool timed(const pg_book *book, int task)
{
    return book->rank[task] >= 0 && book->dispatch->state[task] == PG_WORK_DONE && !book->part[task];
}

/* Rows of an older timings.csv, but of tasks that were timed now. */
static pg_status copy_old(const pg_book *book, pg_csv_writer *csv, pg_error *err)
{
    pg_csv_table *old;
    const pg_status status = pg_timings_read(book->options->directory, &old, err);
    if (status != PG_OK || !old) return status;
    for (size_t row = 0; row < pg_csv_rows(old); row++) {
        const int task = pg_grid_find(book->grid, pg_csv_cell(old, row, 0));
        if (task >= 0 && timed(book, task)) continue;
        for (size_t c = 0; c < pg_csv_columns(old); c++) pg_csv_text(csv, pg_csv_cell(old, row, c));
        pg_csv_end_row(csv);
    }
    pg_csv_close(&old);
    return PG_OK;
}

static pg_status write_timings(const pg_book *book, pg_error *err)
{
    pg_status status = PG_OK;
    pg_csv_writer csv = {0};
    char path[PG_PATH_MAX], *text = NULL;
    size_t bytes = 0;
    PG_TRY(pg_path(path, book->options->directory, "timings.csv", NULL, err));
    PG_TRY(pg_csv_start(&csv, err));
    pg_csv_row(&csv, pg_timings_columns);
    PG_TRY(copy_old(book, &csv, err));
    for (int i = 0; i < book->grid->count; i++) {
        if (!timed(book, i)) continue;
        pg_csv_text(&csv, book->grid->tasks[i].key);
        pg_csv_text(&csv, book->grid->tasks[i].name);
        pg_csv_int(&csv, book->rank[i]);
        pg_csv_real(&csv, book->seconds[i]);
        pg_csv_real(&csv, book->grid->tasks[i].cost / 1e6);
        pg_csv_end_row(&csv);
    }
    PG_TRY(pg_csv_finish(&csv, &text, &bytes, err));
    PG_TRY(pg_file_write(path, text, bytes, PG_FILE_PUBLIC, err));
done:
    pg_csv_abandon(&csv);
    pg_free(text);
    return status;
}

/* Longest chain of measured times. */
static pg_status measure_critical(pg_book *book, pg_error *err)
{
    double *end = NULL;
    const pg_status status = pg_alloc((size_t)book->grid->count, sizeof *end, &end, err);
    if (status != PG_OK) return status;
    for (int i = 0; i < book->grid->count; i++) {
        for (int p = 0; p < book->grid->tasks[i].parent_count; p++) {
            const int parent = book->grid->tasks[i].parents[p];
            if (end[parent] > end[i]) end[i] = end[parent];
        }
        end[i] += book->seconds[i];
        if (end[i] > book->result.critical) book->result.critical = end[i];
    }
    pg_free(end);
    return PG_OK;
}

pg_status pg_book_finish(pg_book *book, pg_error *err)
{
    pg_status status = PG_OK;
    const int *counts = book->dispatch->counts;
    pg_run_result *r = &book->result;
    pg_book_flush(book);
    r->done = counts[PG_WORK_DONE];
    r->failed = counts[PG_WORK_FAILED];
    r->skipped = counts[PG_WORK_SKIPPED];
    r->left = book->grid->count - r->done - r->failed - r->skipped;
    r->seconds = pg_now() - book->monitor.started;
    if (book->opened && (book->fault == PG_OK || book->fault == PG_INTERRUPTED)) PG_TRY(write_timings(book, err));
    PG_TRY(measure_critical(book, err));
    if (book->opened)
        PG_TRY(pg_monitor_event(&book->monitor, false, err, "end    %d of %d tasks done, %d failed, %d skipped, %d left",
                                r->done, book->grid->count, r->failed, r->skipped, r->left));
    if (r->lost[0]) PG_TRY(tidy_again(book, err));
    if (book->fault != PG_OK) PG_TRY(pg_fail(err, book->fault, "%s", book->fault_error.message));
    if (book->interrupted && r->left) PG_TRY(pg_fail(err, PG_INTERRUPTED, "interrupted; repeat the command to resume"));
    if (r->failed) PG_TRY(pg_fail(err, PG_FAILED, "%d tasks failed, %d were skipped below them", r->failed, r->skipped));
done:
    return status;
}
