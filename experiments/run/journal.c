/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal of a run; see journal.h. */
#include "experiments/run/journal.h"

#include "core/base/clock.h"
#include "core/base/directory.h"
#include "core/base/memory.h"
#include "experiments/run/signals.h"
#include "experiments/run/timings.h"
#include "experiments/work/records.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void pg_journal_close(pg_journal *journal)
{
    pg_monitor_finish(&journal->monitor);
    pg_dispatch_destroy(&journal->dispatch);
    pg_free(journal->seconds);
    pg_free(journal->rank);
    pg_free(journal->part);
    pg_free(journal->tracked);
}

bool pg_journal_going(const pg_journal *journal)
{
    return journal->fault == PG_OK && !journal->interrupted;
}

static void fault(pg_journal *journal, pg_status status, const char *message)
{
    if (status == PG_OK || journal->fault != PG_OK) return;
    journal->fault = pg_fail(&journal->fault_error, status, "%s", message);
}

void pg_journal_stop(pg_journal *journal, const char *why)
{
    fault(journal, PG_INTERRUPTED, why);
}

/* ---- the clock ---- */

/* Time before the deadline at which tasks are told to save and end. */
enum { SAVING_SECONDS = 10 };

void pg_journal_watch(pg_journal *journal)
{
    const double deadline = journal->options->deadline;
    if (pg_signals_caught()) journal->interrupted = true;
    if (journal->options->lock && !pg_run_lock_held(journal->options->lock))
        fault(journal, PG_IO_FAULT, "another run has taken over the run lock");
    if (deadline > 0 && pg_now() > deadline - SAVING_SECONDS)
        pg_journal_stop(journal, "the deadline has come; repeat the command to resume");
}

/* Cost of the work that one worker can do before the deadline. */
static double budget(const pg_journal *journal)
{
    const double left = journal->options->deadline - SAVING_SECONDS - pg_now();
    return journal->options->deadline > 0 ? left * journal->timed.cost / journal->timed.seconds : INFINITY;
}

int pg_journal_next(pg_journal *journal, bool others_at_work)
{
    const int task = pg_dispatch_take_within(journal->dispatch, budget(journal));
    if (task < 0 && !others_at_work && journal->dispatch->heap_count > 0)
        pg_journal_stop(journal, "no remaining task could save anything before the deadline; repeat the command to resume");
    return task;
}

/* ---- events ---- */

void pg_journal_flush(pg_journal *journal)
{
    pg_error err = {.message = ""};
    fault(journal, pg_monitor_flush(&journal->monitor, false, &err), err.message);
}

/* Is an event about a task, or about the run? task -1: the run. */
static pg_event event_of(const pg_journal *journal, pg_event_kind kind, int task)
{
    const pg_grid_task *t = task >= 0 ? &journal->grid->tasks[task] : NULL;
    return (pg_event){.kind = kind,
                      .task = t ? t->name : NULL,
                      .key = t && kind == PG_EVENT_START ? t->key : NULL,
                      .rank = t ? journal->rank[task] : -1};
}

static void log_begin(pg_journal *journal)
{
    pg_error err = {.message = ""};
    const int *n = journal->dispatch->counts;
    const pg_event_counts counts = {.tasks = journal->grid->count,
                                    .done = n[PG_WORK_DONE],
                                    .left = journal->grid->count - n[PG_WORK_DONE],
                                    .workers = journal->workers,
                                    .process = getpid()};
    char host[PG_HOST_MAX] = "";
    gethostname(host, sizeof host - 1);
    pg_event event = event_of(journal, PG_EVENT_BEGIN, -1);
    event.counts = &counts;
    event.host = host;
    fault(journal,
          pg_monitor_event(&journal->monitor, &event, &err, "%d of %d tasks on %d rank%s", counts.left, counts.tasks,
                           counts.workers, counts.workers == 1 ? "" : "s"),
          err.message);
}

static void open_log(pg_journal *journal)
{
    pg_error err = {.message = ""};
    if (journal->opened) return;
    journal->opened = true;
    if (!journal->options->shared)
        fault(journal, pg_monitor_open(&journal->monitor, journal->options->directory, &err), err.message);
    log_begin(journal);
}

/* ---- progress ---- */

/* Does a running task get a line in events.jsonl now, and which? A line tells news after a second, and after half a minute
 * without news that the task goes on. So that long tasks of many epochs do not fill the disk, a thousandth of the task's time
 * must have passed too. */
static bool due(const pg_tracked *t, double now, pg_event_kind *kind)
{
    enum { NEWS_SECONDS = 1, QUIET_SECONDS = 30 };
    const bool judged = t->now.judged != t->judged, saved = t->now.saved > t->saved;
    *kind = judged ? PG_EVENT_EPOCH : saved ? PG_EVENT_SAVED : PG_EVENT_PROGRESS;
    return now - t->written >= fmax(judged || saved ? NEWS_SECONDS : QUIET_SECONDS, (now - t->started) / 1000);
}

/* The next line about a task is news compared with this. */
static void written(pg_tracked *t, double now)
{
    t->judged = t->now.judged;
    t->saved = t->now.saved;
    t->images = t->now.images;
    t->written = now;
}

static void log_progress(pg_journal *journal, int task)
{
    pg_error err = {.message = ""};
    pg_tracked *t = &journal->tracked[task];
    pg_event_kind kind;
    const double now = pg_now();
    if (!due(t, now, &kind)) return;
    pg_event event = event_of(journal, kind, task);
    event.progress = &t->now;
    event.rate = (t->now.images - t->images) / (now - t->written);
    event.seconds = (now - t->started) * (1 - t->now.done) / (t->now.done - t->from);
    event.run_left = journal->monitor.left;
    fault(journal, pg_monitor_event(&journal->monitor, &event, &err, "%s", event.task), err.message);
    written(t, now);
}

void pg_journal_progress(pg_journal *journal, int task, const pg_task_progress *progress)
{
    pg_tracked *t = &journal->tracked[task];
    if (!t->told) t->first = *progress;
    t->told = true;
    t->now = *progress;
    if (t->started > 0) {
        log_progress(journal, task);
        return;
    }
    t->started = pg_now();
    t->from = t->now.done;
    written(t, t->started);
}

void pg_journal_show(pg_journal *journal)
{
    pg_monitor_draw(&journal->monitor, journal->dispatch, journal->tracked);
}

void pg_journal_start(pg_journal *journal, int task, int rank)
{
    pg_error err = {.message = ""};
    open_log(journal);
    journal->rank[task] = rank;
    journal->tracked[task].started = 0;
    const pg_event event = event_of(journal, PG_EVENT_START, task);
    fault(journal, pg_monitor_event(&journal->monitor, &event, &err, "%s on rank %d", event.task, rank), err.message);
}

/* Log an event of a task with a message. */
static void say(pg_journal *journal, pg_event_kind kind, int task, const char *text)
{
    pg_error err = {.message = ""};
    open_log(journal);
    pg_event event = event_of(journal, kind, task);
    event.text = text;
    fault(journal, pg_monitor_event(&journal->monitor, &event, &err, "%s: %s", event.task, text), err.message);
}

void pg_journal_note(pg_journal *journal, int task, const char *text)
{
    say(journal, PG_EVENT_NOTE, task, text);
}

void pg_journal_return(pg_journal *journal, int task)
{
    pg_dispatch_return(journal->dispatch, task);
    journal->part[task] = true;
    if (pg_journal_going(journal)) say(journal, PG_EVENT_AGAIN, task, "another worker resumes it");
}

void pg_journal_lost(pg_journal *journal, int rank, const char *host, int task, const char *why)
{
    pg_error err = {.message = ""};
    char *list = journal->result.lost;
    const size_t used = strlen(list);
    snprintf(list + used, sizeof journal->result.lost - used, "%srank %d on %s", used ? ", " : "", rank, host);
    open_log(journal);
    pg_event event = event_of(journal, PG_EVENT_LOST, task);
    event.rank = rank;
    event.host = host;
    event.text = why;
    fault(journal,
          pg_monitor_event(&journal->monitor, &event, &err, "rank %d on %s, at work on %s: %s", rank, host,
                           event.task ? event.task : "nothing", why),
          err.message);
}

static pg_status write_failure(const pg_journal *journal, int task, const char *message, pg_error *err)
{
    char path[PG_PATH_MAX];
    const pg_grid_task *t = &journal->grid->tasks[task];
    pg_status status = pg_rundir_file(journal->options->directory, "failed", t->key, path, err);
    if (status == PG_OK) status = pg_failure_save(t->key, t->name, t->public_text, message, path, err);
    return status;
}

/* May this process change what others have written? */
static bool owns_directory(const pg_journal *journal)
{
    return journal->options->lock && journal->options->lock->text[0] && !journal->options->shared;
}

/* Pack the records now and then, so that the next start opens few files. */
static void pack_records(pg_journal *journal)
{
    pg_error err = {.message = ""};
    if (!owns_directory(journal) || journal->result.ran % PG_RECORDS_LOOSE) return;
    fault(journal, pg_records_pack(journal->options->directory, &err), err.message);
}

static void task_done(pg_journal *journal, int task)
{
    char path[PG_PATH_MAX];
    pg_error err = {.message = ""};
    const pg_grid_task *t = &journal->grid->tasks[task];
    pg_dispatch_done(journal->dispatch, task);
    journal->result.ran++;
    journal->tracked[task].now.done = 1;
    journal->tracked[task].told = true;
    if (journal->part[task] && pg_rundir_file(journal->options->directory, "failed", t->key, path, NULL) == PG_OK)
        unlink(path); /* of an earlier run */
    pg_event event = event_of(journal, PG_EVENT_DONE, task);
    event.seconds = journal->seconds[task];
    event.progress = &journal->tracked[task].now;
    fault(journal, pg_monitor_event(&journal->monitor, &event, &err, "%s in %.1f s", t->name, journal->seconds[task]),
          err.message);
    pack_records(journal);
}

static void task_failed(pg_journal *journal, int task, const char *message)
{
    pg_error err = {.message = ""};
    char reason[PG_MESSAGE_MAX];
    const pg_status status = write_failure(journal, task, message, &err);
    fault(journal, status, err.message);
    pg_dispatch_failed(journal->dispatch, task);
    if (status != PG_OK) return;
    say(journal, PG_EVENT_FAILED, task, message);
    snprintf(reason, sizeof reason, "%s failed", journal->grid->tasks[task].name);
    for (int i = task + 1; i < journal->grid->count; i++)
        if (journal->dispatch->state[i] == PG_WORK_SKIPPED && journal->dispatch->blame[i] == task)
            say(journal, PG_EVENT_SKIP, i, reason);
}

void pg_journal_end(pg_journal *journal, int task, pg_status status, const char *message, double seconds)
{
    journal->seconds[task] += seconds;
    journal->result.busy += seconds;
    if (status == PG_OK && !journal->part[task]) {
        journal->timed.tasks++;
        journal->timed.cost += journal->grid->tasks[task].cost;
        journal->timed.seconds += seconds;
    }
    switch (status) {
    case PG_OK: task_done(journal, task); return;
    case PG_FAILED:
    case PG_BAD_INPUT: task_failed(journal, task, message); return;
    case PG_INTERRUPTED: journal->interrupted = true; break;
    case PG_IO_FAULT:
    case PG_NO_MEMORY: fault(journal, status, message); break;
    }
    pg_dispatch_return(journal->dispatch, task);
    say(journal, PG_EVENT_STOP, task, message);
}

/* ---- start ---- */

static void note_damaged(void *context, int task)
{
    pg_journal_note(context, task, "its record is damaged, or files that the grid keeps are missing; the task runs again");
}

/* Clean up after a run that was killed, and log that. */
static pg_status tidy(pg_journal *journal, pg_task_state *states, pg_error *err)
{
    const pg_run_lock *lock = journal->options->lock;
    if (lock && lock->before[0]) {
        char text[sizeof lock->before + 64];
        open_log(journal);
        snprintf(text, sizeof text, "%s was killed: this run takes over its lock", lock->before);
        pg_event event = event_of(journal, PG_EVENT_NOTE, -1);
        event.text = text;
        fault(journal, pg_monitor_event(&journal->monitor, &event, err, "%s", text), err ? err->message : "");
    }
    return journal->options->shared
               ? PG_OK
               : pg_rundir_sweep(journal->options->directory, journal->grid, states, note_damaged, journal, err);
}

pg_status pg_journal_open(pg_journal *journal, const pg_grid *grid, const pg_run_options *options, int workers, pg_error *err)
{
    pg_status status = PG_OK;
    bool *done = NULL;
    double *costs = NULL; /* estimated seconds */
    pg_task_state *states = NULL;
    *journal = (pg_journal){.grid = grid, .options = options, .workers = workers};
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *done, &done, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *states, &states, err));
    PG_TRY(pg_rundir_scan(options->directory, grid, states, err));
    for (int i = 0; i < grid->count; i++) done[i] = states[i] == PG_STATE_DONE;
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *costs, &costs, err));
    PG_TRY(pg_estimate_seconds(options->directory, grid, costs, &journal->timed, err));
    PG_TRY(pg_dispatch_create(grid, done, costs, &journal->dispatch, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *journal->seconds, &journal->seconds, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *journal->rank, &journal->rank, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *journal->part, &journal->part, err));
    PG_TRY(pg_alloc((size_t)grid->count, sizeof *journal->tracked, &journal->tracked, err));
    for (int i = 0; i < grid->count; i++) {
        journal->rank[i] = -1;
        journal->part[i] = states[i] != PG_STATE_NEW; /* a task that failed may have left checkpoints too */
    }
    pg_monitor_start(&journal->monitor, options->stream);
    if (options->lock && options->lock->text[0]) PG_TRY(tidy(journal, states, err));
done:
    pg_free(done);
    pg_free(costs);
    pg_free(states);
    return status;
}

/* Clean up the partly written files that lost workers leave. */
static pg_status tidy_again(pg_journal *journal, pg_error *err)
{
    pg_task_state *states = NULL;
    pg_status status = pg_alloc((size_t)journal->grid->count, sizeof *states, &states, err);
    if (status == PG_OK) status = pg_rundir_scan(journal->options->directory, journal->grid, states, err);
    if (status == PG_OK)
        status = pg_rundir_sweep(journal->options->directory, journal->grid, states, note_damaged, journal, err);
    pg_free(states);
    return status;
}

/* ---- the end of a run ---- */

/* Number of tasks that other ranks have done and that have no record here; states NULL: whether they have one or not. */
static int count_unseen(const pg_journal *journal, const pg_task_state *states)
{
    int count = 0;
    for (int i = 0; i < journal->grid->count; i++)
        count += journal->dispatch->state[i] == PG_WORK_DONE && journal->rank[i] > 0 && (!states || states[i] != PG_STATE_DONE);
    return count;
}

/* Wait until this process sees the records that other ranks have written, which a shared file system may show late. */
static pg_status await_records(const pg_journal *journal, pg_error *err)
{
    pg_task_state *states = NULL;
    const double until = pg_now() + PG_LATE_SECONDS;
    pg_status status = pg_alloc((size_t)journal->grid->count, sizeof *states, &states, err);
    for (bool unseen = count_unseen(journal, NULL) > 0; status == PG_OK && unseen && pg_now() < until;) {
        status = pg_rundir_scan(journal->options->directory, journal->grid, states, err);
        unseen = count_unseen(journal, states) > 0;
        if (unseen) nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    }
    pg_free(states);
    return status;
}

/* Set result.critical to the longest chain of measured times. */
static pg_status measure_critical(pg_journal *journal, pg_error *err)
{
    double *end = NULL;
    const pg_status status = pg_alloc((size_t)journal->grid->count, sizeof *end, &end, err);
    if (status != PG_OK) return status;
    for (int i = 0; i < journal->grid->count; i++) {
        for (int p = 0; p < journal->grid->tasks[i].parent_count; p++) {
            const int parent = journal->grid->tasks[i].parents[p];
            if (end[parent] > end[i]) end[i] = end[parent];
        }
        end[i] += journal->seconds[i];
        if (end[i] > journal->result.critical) journal->result.critical = end[i];
    }
    pg_free(end);
    return PG_OK;
}

static pg_status log_end(pg_journal *journal, pg_error *err)
{
    const pg_run_result *r = &journal->result;
    const pg_event_counts counts = {
        .tasks = journal->grid->count, .done = r->done, .failed = r->failed, .skipped = r->skipped, .left = r->left};
    pg_event event = event_of(journal, PG_EVENT_END, -1);
    event.counts = &counts;
    const pg_status status =
        pg_monitor_event(&journal->monitor, &event, err, "%d of %d tasks done, %d failed, %d skipped, %d left", r->done,
                         counts.tasks, r->failed, r->skipped, r->left);
    return status == PG_OK ? pg_monitor_flush(&journal->monitor, true, err) : status;
}

pg_status pg_journal_finish(pg_journal *journal, pg_error *err)
{
    pg_status status = PG_OK;
    const int *counts = journal->dispatch->counts;
    pg_run_result *r = &journal->result;
    pg_journal_flush(journal);
    r->done = counts[PG_WORK_DONE];
    r->failed = counts[PG_WORK_FAILED];
    r->skipped = counts[PG_WORK_SKIPPED];
    r->left = journal->grid->count - r->done - r->failed - r->skipped;
    r->seconds = pg_now() - journal->monitor.started;
    PG_TRY(await_records(journal, err));
    if (journal->opened && (journal->fault == PG_OK || journal->fault == PG_INTERRUPTED))
        PG_TRY(pg_timings_write(journal, err));
    PG_TRY(measure_critical(journal, err));
    if (journal->opened) PG_TRY(log_end(journal, err));
    if (r->lost[0]) PG_TRY(tidy_again(journal, err));
    if (journal->fault != PG_OK) PG_TRY(pg_fail(err, journal->fault, "%s", journal->fault_error.message));
    if (journal->interrupted && r->left) PG_TRY(pg_fail(err, PG_INTERRUPTED, "interrupted; repeat the command to resume"));
    if (r->failed)
        PG_TRY(pg_fail(err, PG_FAILED, "%d tasks failed and %d that depend on them were skipped", r->failed, r->skipped));
done:
    return status;
}
