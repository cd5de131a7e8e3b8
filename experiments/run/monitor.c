/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress display of a run; see monitor.h. */
#include "experiments/run/monitor.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/terminal.h"
#include "core/base/utf8.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

void pg_monitor_start(pg_monitor *monitor, FILE *stream)
{
    *monitor = (pg_monitor){.stream = stream, .live = stream && isatty(fileno(stream)), .started = pg_now()};
    monitor->last_time = monitor->synced = monitor->started;
    pthread_mutex_init(&monitor->lock, NULL);
}

pg_status pg_monitor_open(pg_monitor *monitor, const char *directory, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    PG_TRY(pg_path(path, directory, "logs/run.log", NULL, err));
    PG_TRY(pg_events_open(path, &monitor->log, err));
    PG_TRY(pg_path(path, directory, "events.jsonl", NULL, err));
    PG_TRY(pg_events_open(path, &monitor->events, err));
done:
    return status;
}

static void erase(pg_monitor *monitor)
{
    if (monitor->drawn) fputs("\r\033[K", monitor->stream);
    monitor->drawn = false;
}

static void take_time(pg_monitor *monitor)
{
    const time_t wall = time(NULL);
    struct tm tm;
    if (wall == monitor->second) return;
    monitor->second = wall;
    localtime_r(&wall, &tm);
    strftime(monitor->stamp, sizeof monitor->stamp, "%F %T", &tm);
    gmtime_r(&wall, &tm);
    strftime(monitor->utc, sizeof monitor->utc, "%FT%TZ", &tm);
}

/* Show the text of an event, and log it. */
static void say(pg_monitor *monitor, const pg_event_traits *traits, const char *text)
{
    if (monitor->stream && (traits->urgent || !monitor->live)) {
        erase(monitor);
        fprintf(monitor->stream, "%s %-6s %s\n", monitor->stamp, traits->name, text);
    }
    if (monitor->log) fprintf(monitor->log, "%s %-6s %s\n", monitor->stamp, traits->name, text);
}

pg_status pg_monitor_event(pg_monitor *monitor, const pg_event *event, pg_error *err, const char *format, ...)
{
    char raw[PG_MESSAGE_MAX + 512], text[sizeof raw];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    take_time(monitor);
    if (!pg_events[event->kind].quiet) say(monitor, &pg_events[event->kind], pg_printable(raw, text, sizeof text));
    if (monitor->events) pg_event_print(event, monitor->utc, monitor->events);
    monitor->unflushed = monitor->unsynced = true;
    return monitor->burst ? PG_OK : pg_monitor_flush(monitor, false, err);
}

pg_status pg_monitor_flush(pg_monitor *monitor, bool sync, pg_error *err)
{
    enum { SYNC_SECONDS = 5 };
    if (!monitor->unsynced || !monitor->events) return PG_OK;
    if (monitor->unflushed && fflush(monitor->log) != 0) return pg_fail_errno(err, "logs/run.log");
    if (monitor->unflushed && fflush(monitor->events) != 0) return pg_fail_errno(err, "events.jsonl");
    monitor->unflushed = false;
    if (!sync && pg_now() - monitor->synced < SYNC_SECONDS) return PG_OK;
    monitor->synced = pg_now();
    monitor->unsynced = false;
    return fsync(fileno(monitor->events)) == 0 ? PG_OK : pg_fail_errno(err, "events.jsonl");
}

/* ---- how far the run is ---- */

enum { TICK_SECONDS = 25, TASKS_SHOWN = 8, COLUMNS = 80 };

/* "1:02:03" or "2:03" */
static const char *duration(double seconds, char out[32])
{
    const long s = seconds < 0 ? 0 : seconds > 1e9 ? 1000000000 : (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 32, "%ld:%02ld", s / 60, s % 60);
    return out;
}

/* Sums over all tasks of this run. Costs are in the dispatch's unit. */
typedef struct sums {
    double images, work; /* work: multiply-adds */
    double ran, running; /* cost done by this run; the part of it in running tasks */
} sums;

static sums add_up(const pg_dispatch *d, const pg_tracked *tracked)
{
    sums s = {0};
    for (int i = 0; i < d->grid->count; i++) {
        const pg_tracked *t = &tracked[i];
        if (!t->told) continue;
        const double share = t->now.done - t->first.done;
        s.images += t->now.images - t->first.images;
        s.work += share * d->grid->tasks[i].cost;
        s.ran += share * d->cost[i];
        if (d->state[i] == PG_WORK_RUNNING) s.running += t->now.done * d->cost[i];
    }
    return s;
}

/* Smooth a rate. A task that another worker resumes from a checkpoint loses some progress; a negative change counts as zero. */
static double smooth(double rate, double change, double span)
{
    const double now = change > 0 ? change / span : 0;
    return rate > 0 ? 0.7 * rate + 0.3 * now : now;
}

static void measure(pg_monitor *m, const sums *s, double now)
{
    const double span = now - m->last_time;
    if (span < 1) return;
    m->images_rate = smooth(m->images_rate, s->images - m->last_images, span);
    m->work_rate = smooth(m->work_rate, s->work - m->last_work, span);
    m->last_images = s->images;
    m->last_work = s->work;
    m->last_time = now;
}

/* A text built piece by piece; drops the pieces that do not fit. */
typedef struct text {
    char *at;
    size_t used, room;
} text;

static void PG_PRINTF(2, 3) add(text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->at + t->used, t->room - t->used, format, args);
    va_end(args);
    if (n > 0) t->used = t->used + (size_t)n < t->room ? t->used + (size_t)n : t->room - 1;
}

/* Attacks do not count images. If no images are counted, show the rate of multiply-adds. */
static void add_speed(text *t, const pg_monitor *m)
{
    if (m->images_rate >= 1)
        add(t, ", %.0f images/s", m->images_rate);
    else if (m->work_rate > 0)
        add(t, ", %.2g billion multiply-adds/s", m->work_rate / 1e9);
}

static void add_time(text *t, pg_monitor *m, const pg_dispatch *d, const sums *s, double now)
{
    char words[32];
    const double elapsed = now - m->started, left = d->cost_total - d->cost_done - s->running;
    if (s->ran <= 0 || elapsed <= 2) return;
    m->left = elapsed * left / s->ran;
    add(t, ", about %s to go", duration(m->left, words));
}

/* Leave out zeros on a terminal, where the line is short. */
static void add_counts(text *t, const pg_dispatch *d, bool live)
{
    const int *n = d->counts;
    add(t, "%d of %d tasks done, %d running", n[PG_WORK_DONE], d->grid->count, n[PG_WORK_RUNNING]);
    if (!live || n[PG_WORK_FAILED]) add(t, ", %d failed, %d skipped", n[PG_WORK_FAILED], n[PG_WORK_SKIPPED]);
    if (!live) add(t, ", %d left", n[PG_WORK_WAITING] + n[PG_WORK_READY]);
}

static void add_task(text *t, const char *name, const pg_task_progress *p)
{
    add(t, "%s", name);
    if (p->epochs > 0) add(t, ", epoch %d of %d", p->epoch, p->epochs);
    if (p->epochs > 0 && isfinite(p->accuracy)) add(t, ", accuracy %.2f %%", p->accuracy);
    if (p->epochs == 0) add(t, ", %.0f %% done", 100 * p->done);
}

/* Append the first running tasks, each preceded by `before`. */
static void add_tasks(text *t, const char *before, int most, const pg_dispatch *d, const pg_tracked *tracked)
{
    int shown = 0;
    for (int i = 0; i < d->grid->count && shown < most; i++) {
        if (d->state[i] != PG_WORK_RUNNING) continue;
        add(t, "%s", before);
        add_task(t, d->grid->tasks[i].name, &tracked[i].now);
        shown++;
    }
    if (shown < d->counts[PG_WORK_RUNNING] && most > 1) add(t, "%sand %d more", before, d->counts[PG_WORK_RUNNING] - shown);
}

static bool print_lines(void *context)
{
    pg_monitor *m = context;
    char stamp[32];
    const time_t wall = time(NULL);
    struct tm local;
    localtime_r(&wall, &local);
    strftime(stamp, sizeof stamp, "%F %T", &local);
    pthread_mutex_lock(&m->lock);
    fprintf(m->stream, "%s so far %s\n", stamp, m->lines);
    pthread_mutex_unlock(&m->lock);
    return true;
}

/* Cut the line to the terminal's width, because only the last row of a wrapped line could be erased. */
static void draw_live(pg_monitor *m, const char *line)
{
    const int columns = pg_terminal_columns(m->stream);
    erase(m);
    fprintf(m->stream, "%.*s", (columns ? columns : COLUMNS) - 1, line);
    fflush(m->stream);
    m->drawn = true;
}

void pg_monitor_draw(pg_monitor *m, const pg_dispatch *d, const pg_tracked *tracked)
{
    const double now = pg_now();
    char line[sizeof m->lines];
    text t = {.at = line, .room = sizeof line};
    if (!m->stream || d->counts[PG_WORK_RUNNING] == 0 || now - m->shown < 0.2) return;
    m->shown = now;
    const sums s = add_up(d, tracked);
    measure(m, &s, now);
    add_counts(&t, d, m->live);
    add_time(&t, m, d, &s, now);
    add_speed(&t, m);
    add_tasks(&t, m->live ? "; " : "\n                    at work ", m->live ? 1 : TASKS_SHOWN, d, tracked);
    if (m->live) {
        draw_live(m, line);
        return;
    }
    pthread_mutex_lock(&m->lock);
    memcpy(m->lines, line, t.used + 1);
    pthread_mutex_unlock(&m->lock);
    if (m->ticker.tick) return;
    print_lines(m);
    (void)!pg_ticker_start(&m->ticker, TICK_SECONDS, print_lines, m, NULL); /* without a thread nothing more is printed */
}

void pg_monitor_finish(pg_monitor *monitor)
{
    pg_ticker_stop(&monitor->ticker);
    if (monitor->stream) erase(monitor);
    if (monitor->log) fclose(monitor->log);
    if (monitor->events) fclose(monitor->events);
    monitor->log = monitor->events = NULL;
}
