/* What people see of a run; see monitor.h. */
#include "experiments/monitor.h"

#include "core/base/file.h"
#include "experiments/clock.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

pg_status pg_monitor_start(pg_monitor *monitor, FILE *stream, const char *log_path, pg_error *err)
{
    *monitor = (pg_monitor){.stream = stream, .live = stream && isatty(fileno(stream)), .started = pg_now()};
    monitor->last_time = monitor->shown = monitor->started;
    if (!log_path) return PG_OK;
    const pg_status status = pg_file_refuse_link(log_path, err);
    if (status != PG_OK) return status;
    const int fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0) return pg_fail_errno(err, "%s", log_path); /* O_NONBLOCK: a pipe without a reader is an error, no wait */
    monitor->log = fdopen(fd, "a");
    if (monitor->log) return PG_OK;
    close(fd);
    return pg_fail(err, PG_NO_MEMORY, "%s: no memory to write it", log_path);
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
    char text[PG_MESSAGE_MAX + 512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
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

void pg_monitor_draw(pg_monitor *monitor, const pg_dispatch *dispatch)
{
    const double now = pg_now(), span = now - monitor->last_time;
    char left[48] = "", time_left[32];
    if (!monitor->stream || !monitor->live || now - monitor->shown < 0.2) return;
    monitor->shown = now;
    if (span >= 1) {
        const double rate = (monitor->images - monitor->last_images) / span;
        monitor->rate = monitor->rate > 0 ? 0.7 * monitor->rate + 0.3 * rate : rate;
        monitor->last_images = monitor->images;
        monitor->last_time = now;
    }
    const double done = dispatch->cost_done + monitor->running_cost, elapsed = now - monitor->started;
    if (done > 0 && elapsed > 2)
        snprintf(left, sizeof left, "  %s left", duration(elapsed * (dispatch->cost_total - done) / done, time_left));
    erase(monitor);
    fprintf(monitor->stream, "%d/%d done  %d running  %d failed", dispatch->counts[PG_WORK_DONE], dispatch->grid->count,
            dispatch->counts[PG_WORK_RUNNING], dispatch->counts[PG_WORK_FAILED] + dispatch->counts[PG_WORK_SKIPPED]);
    if (monitor->rate > 0) fprintf(monitor->stream, "  %.0f images/s", monitor->rate);
    fprintf(monitor->stream, "%s", left);
    fflush(monitor->stream);
    monitor->drawn = true;
}

void pg_monitor_finish(pg_monitor *monitor)
{
    if (monitor->stream) erase(monitor);
    if (monitor->log) fclose(monitor->log);
    monitor->log = NULL;
}
