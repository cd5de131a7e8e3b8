/* A worker; see worker.h. Messages are sent from the thread that computes, between steps: a worker that is stuck falls silent.
 */
#include "experiments/run/worker.h"

#include "core/base/clock.h"
#include "experiments/run/signals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The master speaks every few seconds, so less silence than this tells nothing. While a long step runs this rank does not
 * listen: of such a gap the first seconds count as silence. */
enum { SILENCE_LEAST = 40, UNHEARD_MOST = 5 };

/* Between looks for messages while there is work: where ranks share cores, MPI leaves the core to others when none has come. */
static const double LISTEN_SECONDS = 0.05;

typedef struct worker {
    pg_comm *comm;
    pg_message ring[PG_TASKS_AHEAD + 1]; /* tasks that were given, in order, and room for a message that comes */
    int first, count;                    /* the first is at work, or next; one that is not to go on has become an INTERRUPT */
    bool ended;
    pg_task_progress progress;
    double looked, reported, announced; /* times */
    pg_listening listening;
    double heard, silence; /* seconds of listening when the master was last heard; after which it is lost */
    pg_status link;        /* first failure of a message */
    pg_error link_error;
} worker;

static pg_message *slot(worker *w, int i)
{
    return &w->ring[(w->first + i) % (PG_TASKS_AHEAD + 1)];
}

/* Tell the master something of the i-th task. */
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

/* Take every message of the master that is there. */
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

/* Is the master lost? One that can be seen to run is not, however long it was stopped. */
static bool master_lost(worker *w)
{
    const pg_process_state state = pg_comm_look(w->comm, 0);
    if (state == PG_PROCESS_ENDED) take(w); /* its last words */
    return state == PG_PROCESS_ENDED || (state == PG_PROCESS_UNKNOWN && w->listening.seconds - w->heard > w->silence);
}

/* Take messages, and see whether there is still somebody to send them. */
static void listen(worker *w)
{
    const double now = pg_now();
    pg_listened(&w->listening, now, UNHEARD_MOST);
    take(w);
    if (now - w->looked < 1) return;
    w->looked = now;
    if (master_lost(w) && !w->ended && w->link == PG_OK)
        w->link = pg_fail(&w->link_error, PG_IO_FAULT, "rank 0 is lost; repeat the command to resume");
}

/* ---- what a running task asks and says ---- */

/* Tasks that wait behind one that takes long may be another worker's. */
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
    w->progress = *progress;
    if (now - w->reported < 0.25) return;
    w->reported = now;
    send(w, 0, PG_MSG_PROGRESS, PG_OK, 0, "");
}

static void note(void *context, const char *text)
{
    send(context, 0, PG_MSG_NOTE, PG_OK, 0, text);
}

/* ---- the loop ---- */

static void run_task(worker *w, const pg_workplace *at, pg_performer *perform)
{
    pg_error fault = {.message = ""};
    const double start = pg_now();
    w->progress = (pg_task_progress){.accuracy = NAN};
    w->reported = 0;
    const pg_status status = perform(slot(w, 0)->text, at, &fault);
    const double now = pg_now();
    send(w, 0, PG_MSG_RESULT, status, now - start, status == PG_OK ? "" : fault.message);
    w->first = (w->first + 1) % (PG_TASKS_AHEAD + 1);
    w->count--;
    w->announced = now;
}

pg_status pg_worker_loop(pg_comm *comm, pg_workplace *at, pg_performer *perform, double silence, pg_error *err)
{
    static worker w;
    w = (worker){.comm = comm, .silence = fmax(silence, SILENCE_LEAST)};
    at->stop = stop;
    at->report = report;
    at->note = note;
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
