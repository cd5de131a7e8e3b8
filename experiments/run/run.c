/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running a grid; see run.h. */
#include "experiments/run/run.h"

#include "core/base/clock.h"
#include "experiments/run/desk.h"
#include "experiments/run/master.h"
#include "experiments/work/perform.h"

#include <string.h>

/* ---- alone ---- */

typedef struct solo {
    pg_journal *journal;
    int task; /* at work */
    pg_task_progress progress;
} solo;

static bool solo_stop(void *context)
{
    pg_journal *journal = ((solo *)context)->journal;
    pg_journal_watch(journal);
    return !pg_journal_going(journal);
}

static void solo_note(void *context, const char *text)
{
    const solo *s = context;
    pg_journal_note(s->journal, s->task, text);
}

static void solo_report(void *context, const pg_task_progress *progress)
{
    solo *s = context;
    pg_desk_report(&s->progress, progress);
    pg_journal_progress(s->journal, s->task, &s->progress);
    pg_journal_flush(s->journal);
    pg_journal_show(s->journal);
}

static void solo_saved(void *context)
{
    pg_desk_saved(&((solo *)context)->progress);
}

static void run_alone(pg_journal *journal)
{
    solo s = {.journal = journal};
    const pg_workplace at = {.directory = journal->options->directory,
                             .data_directory = journal->options->data_directory,
                             .stop = solo_stop,
                             .report = solo_report,
                             .note = solo_note,
                             .saved = solo_saved,
                             .checkpoint_seconds = journal->options->checkpoint_seconds,
                             .context = &s};
    for (;;) {
        pg_journal_watch(journal);
        if (!pg_journal_going(journal) || (s.task = pg_journal_next(journal, false)) < 0) break;
        pg_error err = {.message = ""};
        pg_journal_start(journal, s.task, 0);
        pg_journal_show(journal);
        pg_desk_begin(&s.progress);
        const double start = pg_now();
        const pg_status status = pg_perform(journal->grid->tasks[s.task].text, &at, &err);
        pg_desk_end(&s.progress);
        pg_journal_progress(journal, s.task, &s.progress);
        pg_journal_end(journal, s.task, status, err.message, pg_now() - start);
    }
    pg_task_release_data();
}

/* ---- alone, or with workers ---- */

static pg_status check_texts(const pg_grid *grid, pg_error *err)
{
    for (int i = 0; i < grid->count; i++)
        if (strlen(grid->tasks[i].text) >= PG_MESSAGE_TEXT)
            return pg_fail(err, PG_BAD_INPUT, "%s: the text of the task is too long to send to a worker", grid->tasks[i].name);
    return PG_OK;
}

pg_status pg_run_grid(const pg_grid *grid, pg_comm *comm, const pg_run_options *options, pg_run_result *result, pg_error *err)
{
    pg_status status = PG_OK;
    pg_journal journal = {0};
    PG_TRY(check_texts(grid, err));
    PG_TRY(pg_journal_open(&journal, grid, options, comm->size > 1 ? comm->size - 1 : 1, err));
    if (comm->size > 1)
        PG_TRY(pg_master_run(&journal, comm, err));
    else
        run_alone(&journal);
    status = pg_journal_finish(&journal, err);
    *result = journal.result;
done:
    pg_journal_close(&journal);
    pg_master_dismiss(comm);
    return status;
}
