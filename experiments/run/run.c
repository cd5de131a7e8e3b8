/* Running a grid; see run.h. */
#include "experiments/run/run.h"

#include "core/base/clock.h"
#include "experiments/run/master.h"
#include "experiments/work/perform.h"

#include <string.h>

/* ---- alone ---- */

typedef struct solo {
    pg_book *book;
    int task; /* at work */
} solo;

static bool solo_stop(void *context)
{
    pg_book *book = ((solo *)context)->book;
    pg_book_watch(book);
    return !pg_book_going(book);
}

static void solo_note(void *context, const char *text)
{
    const solo *s = context;
    pg_book_note(s->book, s->task, text);
}

static void solo_report(void *context, const pg_task_progress *progress)
{
    const solo *s = context;
    pg_book_progress(s->book, s->task, progress);
    pg_book_show(s->book);
}

static void run_alone(pg_book *book)
{
    solo s = {.book = book};
    const pg_workplace at = {.directory = book->options->directory,
                             .data_directory = book->options->data_directory,
                             .stop = solo_stop,
                             .report = solo_report,
                             .note = solo_note,
                             .checkpoint_seconds = book->options->checkpoint_seconds,
                             .context = &s};
    for (;;) {
        pg_book_watch(book);
        if (!pg_book_going(book) || (s.task = pg_book_next(book, false)) < 0) break;
        pg_error err = {.message = ""};
        pg_book_start(book, s.task, 0);
        pg_book_show(book);
        const double start = pg_now();
        const pg_status status = pg_perform(book->grid->tasks[s.task].text, &at, &err);
        pg_book_end(book, s.task, status, err.message, pg_now() - start);
    }
    pg_task_release_data();
}

/* ---- both ---- */

static pg_status check_texts(const pg_grid *grid, pg_error *err)
{
    for (int i = 0; i < grid->count; i++)
        if (strlen(grid->tasks[i].text) >= PG_MESSAGE_TEXT)
            return pg_fail(err, PG_BAD_INPUT, "%s: its description is too long to send", grid->tasks[i].name);
    return PG_OK;
}

pg_status pg_run_grid(const pg_grid *grid, pg_team *team, const pg_run_options *options, pg_run_result *result, pg_error *err)
{
    pg_status status = PG_OK;
    pg_book book = {0};
    PG_TRY(check_texts(grid, err));
    PG_TRY(pg_book_open(&book, grid, options, err));
    if (team->size > 1)
        PG_TRY(pg_master_run(&book, team, err));
    else
        run_alone(&book);
    status = pg_book_finish(&book, err);
    *result = book.result;
done:
    pg_book_close(&book);
    pg_master_dismiss(team);
    return status;
}
