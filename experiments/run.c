/* Running a grid; see run.h. */
#include "experiments/run.h"

#include "core/base/memory.h"
#include "experiments/perform.h"
#include "experiments/run_book.h"
#include "experiments/signals.h"
#include "experiments/worker.h"

#include <stdio.h>
#include <string.h>

/* ---- alone ------------------------------------------------------------------------------------------------------------------
 */

typedef struct solo {
    pg_book *book;
    int task;
    double before, images; /* processed before the task at work; by it, as last told */
    double first;
    bool counted;
} solo;

static bool solo_stop(void *context)
{
    (void)context;
    return pg_signals_caught() != 0;
}

static void solo_report(void *context, double done, double images)
{
    solo *s = context;
    if (!s->counted && images > 0) {
        s->counted = true;
        s->first = images;
    }
    s->images = images > s->first ? images - s->first : 0;
    s->book->monitor.images = s->before + s->images;
    s->book->monitor.running_cost = done * s->book->grid->tasks[s->task].cost;
    pg_monitor_draw(&s->book->monitor, s->book->dispatch);
}

static void run_alone(pg_book *book)
{
    solo s = {.book = book};
    const pg_workplace at = {.directory = book->options->directory,
                             .data_directory = book->options->data_directory,
                             .stop = solo_stop,
                             .report = solo_report,
                             .context = &s};
    while (pg_book_going(book) && (s.task = pg_dispatch_take(book->dispatch)) >= 0) {
        pg_error err = {.message = ""};
        s.counted = false;
        s.before += s.images;
        s.images = s.first = 0;
        pg_book_start(book, s.task, 0);
        const double start = pg_now();
        const pg_status status = pg_perform(book->grid->tasks[s.task].text, &at, &err);
        pg_book_end(book, s.task, status, err.message, pg_now() - start);
        book->monitor.running_cost = 0;
        if (pg_signals_caught()) book->interrupted = true;
    }
    pg_task_release_data();
}

/* ---- master -----------------------------------------------------------------------------------------------------------------
 */

/* What the master knows of a worker. */
typedef struct hand {
    bool present;        /* has said something */
    int task, attempt;   /* at work on; -1: nothing */
    double done, images; /* as last told */
    double heard;        /* time of its last message */
} hand;

typedef struct master {
    pg_book *book;
    pg_team *team;
    hand *hands;   /* by rank */
    int *attempts; /* by task */
    double images; /* of finished tasks */
    bool told;     /* the workers have been told to save and end */
    pg_message message;
} master;

static pg_status tell(master *m, int rank, pg_message_kind kind, int task, pg_error *err)
{
    m->message.kind = (int)kind;
    m->message.from = 0;
    m->message.task = task;
    m->message.attempt = task >= 0 ? m->attempts[task] : 0;
    m->message.status = 0;
    m->message.done = m->message.images = m->message.seconds = 0;
    snprintf(m->message.text, sizeof m->message.text, "%s", task >= 0 ? m->book->grid->tasks[task].text : "");
    return pg_team_send(m->team, rank, &m->message, err);
}

/* Give every free worker a task, as long as there are any. */
static pg_status hand_out(master *m, pg_error *err)
{
    for (int rank = 1; rank < m->team->size && pg_book_going(m->book); rank++) {
        hand *h = &m->hands[rank];
        if (!h->present || h->task >= 0) continue;
        const int task = pg_dispatch_take(m->book->dispatch);
        if (task < 0) return PG_OK;
        h->task = task;
        h->attempt = ++m->attempts[task];
        h->done = h->images = 0;
        pg_book_start(m->book, task, rank);
        const pg_status status = tell(m, rank, PG_MSG_TASK, task, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

/* Progress as the live line wants it. */
static void add_up(master *m)
{
    pg_monitor *monitor = &m->book->monitor;
    monitor->images = m->images;
    monitor->running_cost = 0;
    for (int rank = 1; rank < m->team->size; rank++) {
        const hand *h = &m->hands[rank];
        if (h->task < 0) continue;
        monitor->images += h->images;
        monitor->running_cost += h->done * m->book->grid->tasks[h->task].cost;
    }
}

static void hear(master *m, const pg_message *message)
{
    hand *h = &m->hands[message->from];
    h->present = true;
    h->heard = pg_now();
    if (message->kind == PG_MSG_IDLE || h->task < 0 || message->task != h->task || message->attempt != h->attempt) return;
    h->done = message->done;
    h->images = message->images;
    if (message->kind != PG_MSG_RESULT) return;
    m->images += h->images;
    h->task = -1;
    pg_book_end(m->book, message->task, (pg_status)message->status, message->text, message->seconds);
}

static int busy(const master *m)
{
    int count = 0;
    for (int rank = 1; rank < m->team->size; rank++) count += m->hands[rank].task >= 0;
    return count;
}

/* Once the run is not to go on, let every worker save what it has. */
static pg_status wind_down(master *m, pg_error *err)
{
    if (pg_book_going(m->book) || m->told) return PG_OK;
    m->told = true;
    for (int rank = 1; rank < m->team->size; rank++) {
        if (m->hands[rank].task < 0) continue;
        const pg_status status = tell(m, rank, PG_MSG_INTERRUPT, -1, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

static pg_status run_master(master *m, pg_error *err)
{
    pg_status status = PG_OK;
    for (int idle = 0;;) {
        bool got = false;
        if (pg_signals_caught()) m->book->interrupted = true;
        PG_TRY(wind_down(m, err));
        PG_TRY(hand_out(m, err));
        if (pg_book_going(m->book) ? pg_dispatch_over(m->book->dispatch) : busy(m) == 0) break;
        PG_TRY(pg_team_poll(m->team, &m->message, &got, err));
        if (got) {
            hear(m, &m->message);
            idle = 0;
        } else
            pg_idle_sleep(&idle);
        add_up(m);
        pg_monitor_draw(&m->book->monitor, m->book->dispatch);
    }
done:
    return status;
}

static pg_status run_team(pg_book *book, pg_team *team, pg_error *err)
{
    pg_status status = PG_OK;
    master *m = NULL;
    PG_TRY(pg_alloc(1, sizeof *m, &m, err));
    m->book = book;
    m->team = team;
    PG_TRY(pg_alloc((size_t)team->size, sizeof *m->hands, &m->hands, err));
    PG_TRY(pg_alloc((size_t)book->grid->count, sizeof *m->attempts, &m->attempts, err));
    for (int rank = 0; rank < team->size; rank++) m->hands[rank].task = -1;
    PG_TRY(run_master(m, err));
done:
    if (m) {
        pg_free(m->hands);
        pg_free(m->attempts);
    }
    pg_free(m);
    return status;
}

/* Workers wait until they are told to end, however the run went. */
static pg_status dismiss(pg_team *team, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_message end = {.kind = PG_MSG_END, .task = -1};
    for (int rank = 1; rank < team->size && status == PG_OK; rank++) status = pg_team_send(team, rank, &end, err);
    return status;
}

/* ---- both
 * --------------------------------------------------------------------------------------------------------------------- */

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
        PG_TRY(run_team(&book, team, err));
    else
        run_alone(&book);
    status = pg_book_finish(&book, err);
    *result = book.result;
done:
    pg_book_close(&book);
    const pg_status sent = dismiss(team, status == PG_OK ? err : NULL);
    return status == PG_OK ? sent : status;
}
