/* The master; see master.h. */
#include "experiments/run/master.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "experiments/run/signals.h"

#include <stdio.h>

enum { DEATHS_MOST = 2 };               /* a task that has lost so many workers is not given to a third */
enum { BEAT_SECONDS = 5 };              /* between signs of life to the workers */
static const double LOOK_SECONDS = 0.5; /* between looks at the workers' processes */
static const double UNHEARD_MOST = 0.2; /* of a time in which the master did not poll, so much counts as its workers' silence */
static const double TINY_SECONDS = 1e-4; /* tasks that are estimated to take less are given out ahead */

/* What the master knows of a worker. */
typedef struct hand {
    bool present, lost, slow;         /* present: has said something; slow: has not ended its task in no time */
    int tasks[PG_TASKS_AHEAD], count; /* given to it, in order; it is at work on the first */
    double heard;                     /* seconds that the master had listened when its last message came */
    int suspect;                      /* given up for its silence: the task that it may have died of; else -1 */
} hand;

typedef struct master {
    pg_book *book;
    pg_team *team;
    hand *hands;            /* by rank */
    int *attempts, *deaths; /* by task: times that it was given out, the last one counting; workers that died at it */
    double *held; /* by task: seconds listened since when it waits for a worker that fell silent at it; 0: it does not */
    pg_listening listening;
    double looked, beaten; /* times */
    bool told;             /* the workers have been told to save and end */
    pg_message in, out;
} master;

static int busy(const master *m)
{
    int count = 0;
    for (int rank = 1; rank < m->team->size; rank++) count += m->hands[rank].count > 0;
    return count;
}

/* Is there a worker that may speak again? One that can be seen to run may, though it was given up. */
static bool hope(const master *m)
{
    for (int rank = 1; rank < m->team->size; rank++)
        if (!m->hands[rank].lost || pg_team_look(m->team, rank) == PG_PROCESS_RUNS) return true;
    return false;
}

/* ---- workers that are lost ---- */

/* Workers that a task has cost: those whose process has ended, and those that fell silent at it and have not spoken since. */
static int losses(const master *m, int task)
{
    int count = m->deaths[task];
    for (int rank = 1; rank < m->team->size; rank++) count += m->hands[rank].lost && m->hands[rank].suspect == task;
    return count;
}

/* A task is not given to a third worker after two. It fails where both have died. Where one may live, it waits for that one to
 * speak, and counts as running. */
static void reassign(master *m, int task)
{
    if (m->deaths[task] >= DEATHS_MOST)
        pg_book_end(m->book, task, PG_FAILED, "two workers ended while they ran it; no third one tries", 0);
    else if (losses(m, task) >= DEATHS_MOST)
        m->held[task] = m->listening.seconds;
    else
        pg_book_return(m->book, task);
}

static void lose(master *m, int rank, bool dead, const char *why)
{
    hand *h = &m->hands[rank];
    const int task = h->count > 0 ? h->tasks[0] : -1;
    h->lost = m->team->incomplete = true;
    for (; h->count > 1; h->count--) pg_dispatch_return(m->book->dispatch, h->tasks[h->count - 1]);
    h->count = 0;
    pg_book_lost(m->book, rank, m->team->members[rank].host, task, why);
    if (task < 0) return;
    if (dead)
        m->deaths[task]++;
    else
        h->suspect = task;
    reassign(m, task);
}

/* A worker that was given up for its silence has ended since: it died at its task. */
static void settle_suspect(master *m, int rank)
{
    hand *h = &m->hands[rank];
    const int task = h->suspect;
    if (task < 0 || pg_team_look(m->team, rank) != PG_PROCESS_ENDED) return;
    h->suspect = -1;
    m->deaths[task]++;
    if (m->held[task] <= 0) return;
    m->held[task] = 0;
    reassign(m, task);
}

/* May a worker that fell silent at the task speak again? */
static bool suspects_run(const master *m, int task)
{
    for (int rank = 1; rank < m->team->size; rank++)
        if (m->hands[rank].lost && m->hands[rank].suspect == task && pg_team_look(m->team, rank) == PG_PROCESS_RUNS)
            return true;
    return false;
}

/* Nothing else is left to do: tasks that have waited long enough for workers that cannot be seen fail. */
static void fail_held(master *m)
{
    const pg_dispatch *d = m->book->dispatch;
    if (!pg_book_going(m->book) || d->heap_count > 0 || busy(m) > 0 || d->counts[PG_WORK_RUNNING] == 0) return;
    for (int task = 0; task < m->book->grid->count; task++) {
        if (m->held[task] <= 0 || m->listening.seconds - m->held[task] < m->book->options->silence) continue;
        if (suspects_run(m, task)) continue;
        m->held[task] = 0;
        pg_book_end(m->book, task, PG_FAILED, "two workers fell silent while they ran it; no third one tries", 0);
    }
}

/* A message that cannot be sent loses its receiver. */
static void tell(master *m, int rank, pg_message_kind kind, int task, int attempt)
{
    pg_error err = {.message = ""};
    pg_message *out = &m->out;
    out->kind = (int)kind;
    out->task = task;
    out->attempt = attempt;
    snprintf(out->text, sizeof out->text, "%s", kind == PG_MSG_TASK ? m->book->grid->tasks[task].text : "");
    if (pg_team_send(m->team, rank, out, &err) != PG_OK) lose(m, rank, false, err.message);
}

/* Give up workers that have ended or fell silent, if no message waits, so that what they said counts first. */
static void look_after(master *m, bool all_read)
{
    const double now = pg_now(), listened = pg_listened(&m->listening, now, UNHEARD_MOST);
    const bool beat = now - m->beaten > BEAT_SECONDS;
    if (!all_read || now - m->looked < LOOK_SECONDS) return;
    m->looked = now;
    if (beat) m->beaten = now;
    for (int rank = 1; rank < m->team->size; rank++) {
        const hand *h = &m->hands[rank];
        if (h->lost)
            settle_suspect(m, rank);
        else if (pg_team_look(m->team, rank) == PG_PROCESS_ENDED)
            lose(m, rank, true, "its process has ended");
        else if (listened - h->heard > m->book->options->silence)
            lose(m, rank, false, "it has been silent for too long");
        else if (beat)
            tell(m, rank, PG_MSG_BEAT, -1, 0);
    }
    fail_held(m);
    if (pg_book_going(m->book) && !hope(m)) pg_book_stop(m->book, "all workers are lost; repeat the command to resume");
}

/* ---- tasks out, results in ---- */

static void give(master *m, int rank, int task)
{
    hand *h = &m->hands[rank];
    h->tasks[h->count++] = task;
    pg_book_start(m->book, task, rank);
    tell(m, rank, PG_MSG_TASK, task, ++m->attempts[task]);
}

static bool tiny(const master *m, int task)
{
    return m->book->dispatch->cost[task] < TINY_SECONDS;
}

/* May a worker with that many tasks have another? Only behind tiny ones. */
static bool takes_another(const master *m, const hand *h, int count)
{
    return h->present && !h->lost && h->count == count && (count == 0 || (!h->slow && tiny(m, h->tasks[0])));
}

/* Give every free worker a task, as long as there are any, and then tiny ones ahead: those take less time than a word with
 * their worker. */
static void hand_out(master *m)
{
    const pg_dispatch *d = m->book->dispatch;
    for (int count = 0; count < PG_TASKS_AHEAD; count++)
        for (int rank = 1; rank < m->team->size; rank++) {
            if (!pg_book_going(m->book) || d->heap_count == 0 || (count > 0 && !tiny(m, d->heap[0]))) return;
            if (!takes_another(m, &m->hands[rank], count)) continue;
            const int task = count > 0 ? pg_dispatch_take(m->book->dispatch) : pg_book_next(m->book, busy(m) > 0);
            if (task < 0) return;
            give(m, rank, task);
        }
}

/* A worker that was given up has spoken. Take it back once it has dropped the tasks that are no longer its own; the one that it
 * fell silent at did not kill it. */
static void readmit(master *m, hand *h, const pg_message *message)
{
    const int task = h->suspect;
    if (message->kind != PG_MSG_IDLE) {
        tell(m, message->from, PG_MSG_INTERRUPT, message->task, message->attempt);
        return;
    }
    h->lost = false;
    h->suspect = -1;
    if (task < 0 || m->held[task] <= 0) return;
    m->held[task] = 0;
    reassign(m, task);
}

/* Place of the task that a message is about among those of its worker; -1 if it is not its own, or no longer. */
static int place_of(const master *m, const hand *h, const pg_message *message)
{
    for (int i = 0; i < h->count; i++)
        if (h->tasks[i] == message->task && m->attempts[message->task] == message->attempt) return i;
    return -1;
}

static void hear(master *m, const pg_message *message)
{
    hand *h = &m->hands[message->from];
    const int place = place_of(m, h, message), task = message->task;
    h->present = true;
    h->heard = m->listening.seconds;
    if (h->lost) readmit(m, h, message);
    if (place < 0) return;
    h->slow = message->kind != PG_MSG_RESULT;
    if (message->kind == PG_MSG_NOTE) {
        pg_book_note(m->book, task, message->text);
        return;
    }
    if (place == 0) pg_book_progress(m->book, task, &message->progress);
    if (message->kind == PG_MSG_PROGRESS) return;
    for (int i = place; i + 1 < h->count; i++) h->tasks[i] = h->tasks[i + 1];
    h->count--;
    if (message->kind == PG_MSG_RETURN) {
        pg_dispatch_return(m->book->dispatch, task);
        return;
    }
    pg_book_end(m->book, task, (pg_status)message->status, message->text, message->seconds);
}

/* Once the run is not to go on, let every worker save what it has. */
static void wind_down(master *m)
{
    if (pg_book_going(m->book) || m->told) return;
    m->told = true;
    for (int rank = 1; rank < m->team->size; rank++) {
        const hand *h = &m->hands[rank];
        for (int i = 0; i < h->count; i++) tell(m, rank, PG_MSG_INTERRUPT, h->tasks[i], m->attempts[h->tasks[i]]);
    }
}

static pg_status attend(master *m, pg_error *err)
{
    bool got = true; /* at first nothing was read */
    for (int idle = 0;;) {
        pg_book_watch(m->book);
        look_after(m, !got);
        wind_down(m);
        hand_out(m);
        if (pg_book_going(m->book) ? pg_dispatch_over(m->book->dispatch) : busy(m) == 0) return PG_OK;
        const pg_status status = pg_team_poll(m->team, &m->in, &got, err);
        if (status != PG_OK) return status;
        m->book->monitor.burst = got;
        if (got) {
            hear(m, &m->in);
            idle = 0;
        } else {
            pg_book_flush(m->book);
            pg_idle_sleep(&idle);
        }
        pg_book_show(m->book);
    }
}

pg_status pg_master_run(pg_book *book, pg_team *team, pg_error *err)
{
    pg_status status = PG_OK;
    master *m = NULL;
    PG_TRY(pg_alloc(1, sizeof *m, &m, err));
    *m = (master){.book = book, .team = team, .beaten = pg_now()};
    PG_TRY(pg_alloc((size_t)team->size, sizeof *m->hands, &m->hands, err));
    PG_TRY(pg_alloc((size_t)book->grid->count, sizeof *m->attempts, &m->attempts, err));
    PG_TRY(pg_alloc((size_t)book->grid->count, sizeof *m->deaths, &m->deaths, err));
    PG_TRY(pg_alloc((size_t)book->grid->count, sizeof *m->held, &m->held, err));
    for (int rank = 0; rank < team->size; rank++) m->hands[rank].suspect = -1;
    PG_TRY(attend(m, err));
done:
    if (m) {
        pg_free(m->hands);
        pg_free(m->attempts);
        pg_free(m->deaths);
        pg_free(m->held);
    }
    pg_free(m);
    return status;
}

void pg_master_dismiss(pg_team *team)
{
    const pg_message end = {.kind = PG_MSG_END, .task = -1, .status = team->incomplete ? PG_IO_FAULT : PG_OK};
    for (int rank = 1; rank < team->size; rank++) (void)!pg_team_send(team, rank, &end, NULL);
}
