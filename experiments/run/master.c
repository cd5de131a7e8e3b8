/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The master; see master.h. */
#include "experiments/run/master.h"

#include "core/base/clock.h"
#include "core/base/memory.h"

#include <math.h>
#include <stdio.h>

enum { DEATHS_MOST = 2 };                /* workers lost on one task; no third one gets it */
enum { BEAT_SECONDS = 5 };               /* between BEAT messages to the workers */
enum { GAPS = 20 };                      /* a silence means nothing if it is shorter than so many of the longest gap */
static const double LOOK_SECONDS = 0.5;  /* between checks of the workers' processes */
static const double FLUSH_SECONDS = 0.1; /* between flushes of the log and of events.jsonl */
static const double UNHEARD_MOST = 0.2;  /* most of a gap between two polls that counts as silence of the workers */
static const double TINY_SECONDS = 1e-4; /* a worker may hold several tasks of less estimated time than this */

/* The state that the master keeps about a worker. */
typedef struct peer {
    bool present, lost, slow;         /* present: has sent a message; slow: its latest task sent more than a RESULT */
    int tasks[PG_TASKS_AHEAD], count; /* its tasks, in order; it works on the first */
    double heard, gap;                /* m->listening.seconds at its last message; most between two of its messages */
    int suspect;                      /* the task on which it fell silent; else -1 */
} peer;

typedef struct master {
    pg_journal *journal;
    pg_comm *comm;
    peer *peers;            /* by rank */
    int *attempts, *deaths; /* by task: number of the current attempt; workers that died on it */
    double *held;           /* by task: m->listening.seconds when it began to wait for silent workers; 0: it does not wait */
    pg_listening listening;
    double looked, beaten, flushed; /* times of the last check, of the last beat and of the last flush */
    bool told;                      /* the workers were told to save and end */
    pg_message in, out;
} master;

static int busy(const master *m)
{
    int count = 0;
    for (int rank = 1; rank < m->comm->size; rank++) count += m->peers[rank].count > 0;
    return count;
}

/* Is a worker left? A lost one counts if its process is seen to run. */
static bool can_go_on(const master *m)
{
    for (int rank = 1; rank < m->comm->size; rank++)
        if (!m->peers[rank].lost || pg_comm_look(m->comm, rank) == PG_PROCESS_RUNS) return true;
    return false;
}

/* ---- workers that are lost ---- */

/* Number of workers lost on a task: those whose process ended, and those that fell silent on it and are still silent. */
static int losses(const master *m, int task)
{
    int count = m->deaths[task];
    for (int rank = 1; rank < m->comm->size; rank++) count += m->peers[rank].lost && m->peers[rank].suspect == task;
    return count;
}

/* Make the task of a lost worker ready again, unless two workers were lost on it. If the processes of both ended, it fails. If
 * one may still run, the task waits for a message from that worker and counts as running. */
static void reassign(master *m, int task)
{
    if (m->deaths[task] >= DEATHS_MOST)
        pg_journal_end(m->journal, task, PG_FAILED,
                       "the processes of two workers ended while they ran it; it is not tried again", 0);
    else if (losses(m, task) >= DEATHS_MOST)
        m->held[task] = m->listening.seconds;
    else
        pg_journal_return(m->journal, task);
}

static void declare_lost(master *m, int rank, bool dead, const char *why)
{
    peer *p = &m->peers[rank];
    const int task = p->count > 0 ? p->tasks[0] : -1;
    p->lost = m->comm->incomplete = true;
    for (; p->count > 1; p->count--) pg_dispatch_return(m->journal->dispatch, p->tasks[p->count - 1]);
    p->count = 0;
    pg_journal_lost(m->journal, rank, m->comm->members[rank].host, task, why);
    if (task < 0) return;
    if (dead)
        m->deaths[task]++;
    else
        p->suspect = task;
    reassign(m, task);
}

/* The process of a worker that was declared lost has ended: if it fell silent before, count a death on its task. */
static void settle_suspect(master *m, int rank)
{
    peer *p = &m->peers[rank];
    const int task = p->suspect;
    if (task < 0) return;
    p->suspect = -1;
    m->deaths[task]++;
    if (m->held[task] <= 0) return;
    m->held[task] = 0;
    reassign(m, task);
}

static void bury(master *m, int rank)
{
    if (m->peers[rank].lost)
        settle_suspect(m, rank);
    else
        declare_lost(m, rank, true, "its process has ended");
}

/* Is a worker that fell silent on this task seen to run? */
static bool suspects_run(const master *m, int task)
{
    for (int rank = 1; rank < m->comm->size; rank++)
        if (m->peers[rank].lost && m->peers[rank].suspect == task && pg_comm_look(m->comm, rank) == PG_PROCESS_RUNS)
            return true;
    return false;
}

/* Once nothing else is left to do, give the tasks to others that have waited longer than options->silence for workers that are
 * not seen to run: silence alone is no fault of the task. */
static void release_held(master *m)
{
    const pg_dispatch *d = m->journal->dispatch;
    if (!pg_journal_going(m->journal) || d->heap_count > 0 || busy(m) > 0 || d->counts[PG_WORK_RUNNING] == 0) return;
    for (int task = 0; task < m->journal->grid->count; task++) {
        if (m->held[task] <= 0 || m->listening.seconds - m->held[task] < m->journal->options->silence) continue;
        if (suspects_run(m, task)) continue;
        m->held[task] = 0;
        pg_journal_return(m->journal, task);
    }
}

/* Send a message; if that fails, the receiver is lost. */
static void tell(master *m, int rank, pg_message_kind kind, int task, int attempt)
{
    pg_error err = {.message = ""};
    pg_message *out = &m->out;
    out->kind = (int)kind;
    out->task = task;
    out->attempt = attempt;
    snprintf(out->text, sizeof out->text, "%s", kind == PG_MSG_TASK ? m->journal->grid->tasks[task].text : "");
    if (pg_comm_send(m->comm, rank, out, &err) != PG_OK) declare_lost(m, rank, false, err.message);
}

/* Declare workers lost that have ended or fallen silent. all_read: no message is waiting; a waiting one could come from them.
 */
static void check_workers(master *m, bool all_read)
{
    const double now = pg_now(), listened = pg_listened(&m->listening, now, UNHEARD_MOST);
    const bool beat = now - m->beaten > BEAT_SECONDS;
    if (!all_read || now - m->looked < LOOK_SECONDS) return;
    m->looked = now;
    if (beat) m->beaten = now;
    for (int rank = 1; rank < m->comm->size; rank++) {
        const peer *p = &m->peers[rank];
        if (pg_comm_look(m->comm, rank) == PG_PROCESS_ENDED)
            bury(m, rank);
        else if (p->lost)
            continue;
        else if (listened - p->heard > fmax(m->journal->options->silence, GAPS * p->gap))
            declare_lost(m, rank, false, "it has sent nothing for too long");
        else if (beat)
            tell(m, rank, PG_MSG_BEAT, -1, 0);
    }
    release_held(m);
    if (pg_journal_going(m->journal) && !can_go_on(m))
        pg_journal_stop(m->journal, "all workers are lost; repeat the command to resume");
}

/* ---- tasks and results ---- */

static void give(master *m, int rank, int task)
{
    peer *p = &m->peers[rank];
    p->tasks[p->count++] = task;
    pg_journal_start(m->journal, task, rank);
    tell(m, rank, PG_MSG_TASK, task, ++m->attempts[task]);
}

static bool tiny(const master *m, int task)
{
    return m->journal->dispatch->cost[task] < TINY_SECONDS;
}

/* May a worker with `count` tasks get another? Only if they are tiny. */
static bool takes_another(const master *m, const peer *p, int count)
{
    return p->present && !p->lost && p->count == count && (count == 0 || (!p->slow && tiny(m, p->tasks[0])));
}

/* Give every free worker a task. Then give tiny tasks in advance, because a tiny task takes less time than a message. */
static void hand_out(master *m)
{
    const pg_dispatch *d = m->journal->dispatch;
    for (int count = 0; count < PG_TASKS_AHEAD; count++)
        for (int rank = 1; rank < m->comm->size; rank++) {
            if (!pg_journal_going(m->journal) || d->heap_count == 0 || (count > 0 && !tiny(m, d->heap[0]))) return;
            if (!takes_another(m, &m->peers[rank], count)) continue;
            const int task = count > 0 ? pg_dispatch_take(m->journal->dispatch) : pg_journal_next(m->journal, busy(m) > 0);
            if (task < 0) return;
            give(m, rank, task);
        }
}

/* A worker declared lost has sent a message. Take it back once it has dropped the tasks that were reassigned. The task on which
 * it fell silent did not kill it. */
static void readmit(master *m, peer *p, const pg_message *message)
{
    const int task = p->suspect;
    if (message->kind != PG_MSG_IDLE) {
        tell(m, message->from, PG_MSG_INTERRUPT, message->task, message->attempt);
        return;
    }
    p->lost = false;
    p->suspect = -1;
    if (task < 0 || m->held[task] <= 0) return;
    m->held[task] = 0;
    reassign(m, task);
}

/* Index of the message's task among those of its worker; -1 if the worker does not own it, or no longer does. */
static int place_of(const master *m, const peer *p, const pg_message *message)
{
    for (int i = 0; i < p->count; i++)
        if (p->tasks[i] == message->task && m->attempts[message->task] == message->attempt) return i;
    return -1;
}

static void handle_message(master *m, const pg_message *message)
{
    peer *p = &m->peers[message->from];
    const int place = place_of(m, p, message), task = message->task;
    if (p->present && !p->lost) p->gap = fmax(p->gap, m->listening.seconds - p->heard);
    p->present = true;
    p->heard = m->listening.seconds;
    if (p->lost) readmit(m, p, message);
    if (message->kind == PG_MSG_GONE && task > 0 && task < m->comm->size) bury(m, task);
    if (place < 0) return;
    p->slow = message->kind != PG_MSG_RESULT;
    if (message->kind == PG_MSG_NOTE) {
        pg_journal_note(m->journal, task, message->text);
        return;
    }
    if (place == 0) pg_journal_progress(m->journal, task, &message->progress);
    if (message->kind == PG_MSG_PROGRESS) return;
    for (int i = place; i + 1 < p->count; i++) p->tasks[i] = p->tasks[i + 1];
    p->count--;
    if (message->kind == PG_MSG_RETURN) {
        pg_dispatch_return(m->journal->dispatch, task);
        return;
    }
    pg_journal_end(m->journal, task, (pg_status)message->status, message->text, message->seconds);
}

/* When the run must stop, tell every worker to save. */
static void wind_down(master *m)
{
    if (pg_journal_going(m->journal) || m->told) return;
    m->told = true;
    for (int rank = 1; rank < m->comm->size; rank++) {
        const peer *p = &m->peers[rank];
        for (int i = 0; i < p->count; i++) tell(m, rank, PG_MSG_INTERRUPT, p->tasks[i], m->attempts[p->tasks[i]]);
    }
}

/* Flush the files of events a few times a second, not for every message. */
static void flush(master *m)
{
    const double now = pg_now();
    if (now - m->flushed < FLUSH_SECONDS) return;
    m->flushed = now;
    pg_journal_flush(m->journal);
}

static pg_status serve(master *m, pg_error *err)
{
    bool got = true; /* nothing was read yet */
    m->journal->monitor.burst = true;
    for (int idle = 0;;) {
        pg_journal_watch(m->journal);
        check_workers(m, !got);
        wind_down(m);
        hand_out(m);
        if (pg_journal_going(m->journal) ? pg_dispatch_over(m->journal->dispatch) : busy(m) == 0) return PG_OK;
        const pg_status status = pg_comm_poll(m->comm, &m->in, &got, err);
        if (status != PG_OK) return status;
        if (got) {
            handle_message(m, &m->in);
            idle = 0;
        } else
            pg_idle_sleep(&idle);
        flush(m);
        pg_journal_show(m->journal);
    }
}

pg_status pg_master_run(pg_journal *journal, pg_comm *comm, pg_error *err)
{
    pg_status status = PG_OK;
    master *m = NULL;
    PG_TRY(pg_alloc(1, sizeof *m, &m, err));
    *m = (master){.journal = journal, .comm = comm, .beaten = pg_now()};
    PG_TRY(pg_alloc((size_t)comm->size, sizeof *m->peers, &m->peers, err));
    PG_TRY(pg_alloc((size_t)journal->grid->count, sizeof *m->attempts, &m->attempts, err));
    PG_TRY(pg_alloc((size_t)journal->grid->count, sizeof *m->deaths, &m->deaths, err));
    PG_TRY(pg_alloc((size_t)journal->grid->count, sizeof *m->held, &m->held, err));
    for (int rank = 0; rank < comm->size; rank++) m->peers[rank].suspect = -1;
    PG_TRY(serve(m, err));
done:
    if (m) {
        pg_free(m->peers);
        pg_free(m->attempts);
        pg_free(m->deaths);
        pg_free(m->held);
    }
    pg_free(m);
    return status;
}

void pg_master_dismiss(pg_comm *comm)
{
    const pg_message end = {.kind = PG_MSG_END, .task = -1, .status = comm->incomplete ? PG_IO_FAULT : PG_OK};
    for (int rank = 1; rank < comm->size; rank++) (void)!pg_comm_send(comm, rank, &end, NULL);
}
