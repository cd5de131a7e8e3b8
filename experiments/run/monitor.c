/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress display of a run; see monitor.h. */
#include "experiments/run/monitor.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/utf8.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

pg_status pg_monitor_start(pg_monitor *monitor, FILE *stream, const char *log_path, pg_error *err)
{
    *monitor = (pg_monitor){.stream = stream, .live = stream && isatty(fileno(stream)), .started = pg_now()};
    monitor->last_time = monitor->started;
    pthread_mutex_init(&monitor->lock, NULL);
    if (!log_path) return PG_OK;
    const pg_status status = pg_file_refuse_link(log_path, err);
    if (status != PG_OK) return status;
    const int fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0) return pg_fail_errno(err, "%s", log_path); /* O_NONBLOCK: fail on a pipe without a reader instead of waiting */
    monitor->log = fdopen(fd, "a");
    if (monitor->log) return PG_OK;
    close(fd);
    return pg_fail(err, PG_NO_MEMORY, "%s: out of memory", log_path);
}

static void erase(pg_monitor *monitor)
{
    if (monitor->drawn) fputs("\r\033[K", monitor->stream);
    monitor->drawn = false;
}

static void take_time(pg_monitor *monitor)
{
    const time_t wall = time(NULL);
    struct tm local;
    if (wall == monitor->second) return;
    monitor->second = wall;
    localtime_r(&wall, &local);
    strftime(monitor->stamp, sizeof monitor->stamp, "%F %T", &local);
}

pg_status pg_monitor_event(pg_monitor *monitor, bool urgent, pg_error *err, const char *format, ...)
{
    char raw[PG_MESSAGE_MAX + 512], text[sizeof raw];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    pg_printable(raw, text, sizeof text);
    take_time(monitor);
    if (monitor->stream && (urgent || !monitor->live)) {
        erase(monitor);
        fprintf(monitor->stream, "%s %s\n", monitor->stamp, text);
    }
    if (!monitor->log) return PG_OK;
    if (fprintf(monitor->log, "%s %s\n", monitor->stamp, text) < 0) return pg_fail_errno(err, "logs/run.log");
    return monitor->burst ? PG_OK : pg_monitor_flush(monitor, err);
}

pg_status pg_monitor_flush(pg_monitor *monitor, pg_error *err)
{
    monitor->burst = false;
    return monitor->log && fflush(monitor->log) != 0 ? pg_fail_errno(err, "logs/run.log") : PG_OK;
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

static void add_time(text *t, const pg_monitor *m, const pg_dispatch *d, const sums *s, double now)
{
    char words[32];
    const double elapsed = now - m->started, left = d->cost_total - d->cost_done - s->running;
    if (s->ran > 0 && elapsed > 2) add(t, ", about %s to go", duration(elapsed * left / s->ran, words));
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
    struct winsize size;
    const bool known = ioctl(fileno(m->stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    erase(m);
    fprintf(m->stream, "%.*s", (known ? size.ws_col : COLUMNS) - 1, line);
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
    monitor->log = NULL;
}
