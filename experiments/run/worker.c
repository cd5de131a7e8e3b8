/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker; see worker.h. The thread that computes sends the messages between two steps, so a worker that hangs falls silent.
 */
#include "experiments/run/worker.h"

#include "core/base/clock.h"
#include "experiments/run/desk.h"
#include "experiments/run/signals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The master sends a BEAT every few seconds, so a silence shorter than SILENCE_LEAST means nothing. A worker that leaves for
 * good waits PATIENCE times as long as the master, which takes a silent worker back. While a long step runs, this rank does not
 * poll; at most UNHEARD_MOST seconds of such a gap count as silence of the master. */
enum { SILENCE_LEAST = 40, PATIENCE = 10, UNHEARD_MOST = 5 };

/* Between polls while there is work, because a poll that finds nothing yields the core if ranks share cores. */
static const double LISTEN_SECONDS = 0.05;

typedef struct worker {
    pg_comm *comm;
    pg_message ring[PG_TASKS_AHEAD + 1]; /* the tasks of this worker, in order, and room for a new message */
    int first, count;                    /* the first task is at work or next; the kind of one that must end is INTERRUPT */
    bool ended;
    pg_task_progress progress;          /* of the task at work */
    double looked, reported, announced; /* times */
    pg_listening listening;
    double heard, silence; /* listening.seconds at the last message of the master; silence after which it is lost */
    pg_status link;        /* the first failure to send or receive */
    pg_error link_error;
} worker;

static pg_message *slot(worker *w, int i)
{
    return &w->ring[(w->first + i) % (PG_TASKS_AHEAD + 1)];
}

/* Send a message about the i-th task to the master. */
static void send(worker *w, int i, pg_message_kind kind, pg_status status, double seconds, const char *text)
{
    pg_message m;
    m.kind = (int)kind;
    m.task = w->count > 0 ? slot(w, i)->task : -1;
    m.attempt = w->count > 0 ? slot(w, i)->attempt : 0;
    m.status = (int)status;
    m.progress = w->progress;
    m.seconds = seconds;
    m.from = w->comm->rank;
    snprintf(m.text, sizeof m.text, "%s", text);
    if (w->link == PG_OK) w->link = pg_comm_send(w->comm, 0, &m, &w->link_error);
}

/* Receive all waiting messages of the master. */
static void take(worker *w)
{
    for (bool got = true; got && w->link == PG_OK;) {
        pg_message *m = slot(w, w->count);
        w->link = pg_comm_poll(w->comm, m, &got, &w->link_error);
        if (w->link != PG_OK || !got) return;
        w->heard = w->listening.seconds;
        switch ((pg_message_kind)m->kind) {
        case PG_MSG_TASK: w->count++; break;
        case PG_MSG_INTERRUPT:
            for (int i = 0; i < w->count; i++)
                if (slot(w, i)->task == m->task && slot(w, i)->attempt == m->attempt) slot(w, i)->kind = PG_MSG_INTERRUPT;
            break;
        case PG_MSG_END:
            w->ended = true;
            w->comm->incomplete |= m->status != PG_OK;
            break;
        default: break;
        }
    }
}

/* Is the master lost? Not while its process is seen to run, however long it was stopped. */
static bool master_lost(worker *w)
{
    const pg_process_state state = pg_comm_look(w->comm, 0);
    if (state == PG_PROCESS_ENDED) take(w); /* it may have sent END before it ended */
    return state == PG_PROCESS_ENDED || (state == PG_PROCESS_UNKNOWN && w->listening.seconds - w->heard > w->silence);
}

/* Tell the master of the ranks on this host, from the next one on to the first that runs, whose processes have ended: it sees
 * no process of another host. It may be told again and again. */
static void watch_neighbours(worker *w)
{
    const pg_comm *comm = w->comm;
    for (int i = 1; i < comm->size; i++) {
        const int rank = (comm->rank + i) % comm->size;
        if (rank == 0 || strcmp(comm->members[rank].host, comm->members[comm->rank].host) != 0) continue;
        if (pg_comm_look(comm, rank) != PG_PROCESS_ENDED) return;
        const pg_message gone = {.kind = PG_MSG_GONE, .task = rank, .from = comm->rank};
        if (w->link == PG_OK) w->link = pg_comm_send(w->comm, 0, &gone, &w->link_error);
    }
}

/* Receive messages, and check once a second whether the master or a rank on this host is lost. */
static void listen(worker *w)
{
    const double now = pg_now();
    pg_listened(&w->listening, now, UNHEARD_MOST);
    take(w);
    if (now - w->looked < 1) return;
    w->looked = now;
    if (master_lost(w) && !w->ended && w->link == PG_OK)
        w->link = pg_fail(&w->link_error, PG_IO_FAULT, "rank 0 is lost; repeat the command to resume");
    if (!w->ended) watch_neighbours(w);
}

/* ---- callbacks of a running task ---- */

/* Return the tasks that wait behind a long one, so that other workers can run them. */
static void give_back(worker *w)
{
    for (; w->count > 1; w->count--) send(w, w->count - 1, PG_MSG_RETURN, PG_OK, 0, "");
}

static bool stop(void *context)
{
    worker *w = context;
    if (pg_now() - w->listening.looked > LISTEN_SECONDS) {
        listen(w);
        give_back(w);
    }
    return slot(w, 0)->kind == PG_MSG_INTERRUPT || w->ended || w->link != PG_OK || pg_signals_caught() != 0;
}

static void report(void *context, const pg_task_progress *progress)
{
    worker *w = context;
    const double now = pg_now();
    pg_desk_report(&w->progress, progress);
    if (now - w->reported < 0.25) return;
    w->reported = now;
    send(w, 0, PG_MSG_PROGRESS, PG_OK, 0, "");
}

static void note(void *context, const char *text)
{
    send(context, 0, PG_MSG_NOTE, PG_OK, 0, text);
}

static void saved(void *context)
{
    pg_desk_saved(&((worker *)context)->progress);
}

/* ---- the loop ---- */

static void run_task(worker *w, const pg_workplace *at, pg_performer *perform)
{
    pg_error fault = {.message = ""};
    const double start = pg_now();
    pg_desk_begin(&w->progress);
    w->reported = 0;
    const pg_status status = perform(slot(w, 0)->text, at, &fault);
    const double now = pg_now();
    pg_desk_end(&w->progress);
    send(w, 0, PG_MSG_RESULT, status, now - start, status == PG_OK ? "" : fault.message);
    w->first = (w->first + 1) % (PG_TASKS_AHEAD + 1);
    w->count--;
    w->announced = now;
}

pg_status pg_worker_loop(pg_comm *comm, pg_workplace *at, pg_performer *perform, double silence, pg_error *err)
{
    static worker w;
    w = (worker){.comm = comm, .silence = fmax(PATIENCE * silence, SILENCE_LEAST)};
    at->stop = stop;
    at->report = report;
    at->note = note;
    at->saved = saved;
    at->context = &w;
    for (int idle = 0; !w.ended && w.link == PG_OK;) {
        if (w.count == 0 && pg_now() - w.announced > 1) {
            w.announced = pg_now();
            send(&w, 0, PG_MSG_IDLE, PG_OK, 0, "");
        }
        if (w.count == 0 || pg_now() - w.listening.looked > LISTEN_SECONDS) listen(&w);
        if (w.count > 0) {
            idle = 0;
            run_task(&w, at, perform);
        } else
            pg_idle_sleep(&idle);
    }
    pg_task_release_data();
    comm->incomplete |= w.link != PG_OK;
    return w.link == PG_OK ? PG_OK : pg_fail(err, w.link, "%s", w.link_error.message);
}
