/* A worker; see worker.h. Messages are sent from the thread that computes, between steps: a worker that is stuck falls silent.
 */
#include "experiments/worker.h"

#include "experiments/monitor.h"
#include "experiments/perform.h"
#include "experiments/signals.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct worker {
    pg_team *team;
    pg_message current; /* the task at work */
    bool interrupted, ended;
    double images_before; /* what the task counted before this run: a resumed task goes on counting */
    bool counted;
    double done, images;
    double polled, reported, announced; /* times */
    pg_status link;                     /* first failure of a message */
    pg_error link_error;
} worker;

void pg_idle_sleep(int *idle)
{
    const long microseconds = *idle < 25 ? 200 * (*idle + 1) : 5000;
    ++*idle;
    nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000}, NULL);
}

static void send(worker *w, pg_message_kind kind, pg_status status, double seconds, const char *text)
{
    pg_message m;
    m.kind = (int)kind;
    m.task = w->current.task;
    m.attempt = w->current.attempt;
    m.status = (int)status;
    m.done = w->done;
    m.images = w->images;
    m.seconds = seconds;
    m.from = w->team->rank;
    snprintf(m.text, sizeof m.text, "%s", text);
    if (w->link == PG_OK) w->link = pg_team_send(w->team, 0, &m, &w->link_error);
}

/* Take one message of the master; true if there was one. A task replaces the current one. */
static bool take(worker *w)
{
    static pg_message m;
    bool got = false;
    if (w->link == PG_OK) w->link = pg_team_poll(w->team, &m, &got, &w->link_error);
    if (!got) return false;
    if (m.kind == PG_MSG_INTERRUPT) w->interrupted = true;
    if (m.kind == PG_MSG_END) w->ended = true;
    if (m.kind == PG_MSG_TASK) w->current = m;
    return m.kind == PG_MSG_TASK;
}

/* ---- what a running task asks and says
 * ---------------------------------------------------------------------------------------- */

static bool stop(void *context)
{
    worker *w = context;
    const double now = pg_now();
    if (now - w->polled > 0.05) {
        w->polled = now;
        (void)take(w); /* while a task runs, only INTERRUPT and END come */
    }
    return w->interrupted || w->ended || w->link != PG_OK || pg_signals_caught() != 0;
}

static void report(void *context, double done, double images)
{
    worker *w = context;
    const double now = pg_now();
    if (!w->counted && images > 0) {
        w->counted = true;
        w->images_before = images;
    }
    w->done = done;
    w->images = images > w->images_before ? images - w->images_before : 0;
    if (now - w->reported < 0.25) return;
    w->reported = now;
    send(w, PG_MSG_PROGRESS, PG_OK, 0, "");
}

/* ---- the loop -------------------------------------------------------------------------------------------------------------
 */

static void run_task(worker *w, const pg_workplace *at)
{
    pg_error fault = {.message = ""};
    const double start = pg_now();
    w->done = w->images = w->images_before = 0;
    w->counted = false;
    const pg_status status = pg_perform(w->current.text, at, &fault);
    send(w, PG_MSG_RESULT, status, pg_now() - start, status == PG_OK ? "" : fault.message);
    w->interrupted = false;
}

pg_status pg_worker_loop(pg_team *team, pg_workplace *at, pg_error *err)
{
    static worker w;
    w = (worker){.team = team};
    at->stop = stop;
    at->report = report;
    at->context = &w;
    w.current.task = -1;
    for (int idle = 0; !w.ended && w.link == PG_OK;) {
        const double now = pg_now();
        if (now - w.announced > 1) {
            w.announced = now;
            send(&w, PG_MSG_IDLE, PG_OK, 0, "");
        }
        if (take(&w)) {
            idle = 0;
            run_task(&w, at);
            w.announced = pg_now();
        } else
            pg_idle_sleep(&idle);
    }
    pg_task_release_data();
    return w.link == PG_OK ? PG_OK : pg_fail(err, w.link, "%s", w.link_error.message);
}
