/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The events of a run; see events.h. */
#include "experiments/run/events.h"

#include "core/base/file.h"
#include "core/base/utf8.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const pg_event_traits pg_events[PG_EVENTS] = {
    [PG_EVENT_BEGIN] = {"begin", false, false},      [PG_EVENT_START] = {"start", false, false},
    [PG_EVENT_EPOCH] = {"epoch", true, false},       [PG_EVENT_SAVED] = {"saved", true, false},
    [PG_EVENT_PROGRESS] = {"progress", true, false}, [PG_EVENT_DONE] = {"done", false, false},
    [PG_EVENT_FAILED] = {"failed", false, true},     [PG_EVENT_SKIP] = {"skip", false, true},
    [PG_EVENT_STOP] = {"stop", false, true},         [PG_EVENT_AGAIN] = {"again", false, true},
    [PG_EVENT_LOST] = {"lost", false, true},         [PG_EVENT_NOTE] = {"note", false, true},
    [PG_EVENT_END] = {"end", false, false},
};

/* Cut the file after its last line end. */
static bool mend(int fd)
{
    char block[4096];
    struct stat info;
    if (fstat(fd, &info) != 0) return false;
    for (off_t end = info.st_size; end > 0;) {
        const off_t from = end > (off_t)sizeof block ? end - (off_t)sizeof block : 0;
        const ssize_t got = pread(fd, block, (size_t)(end - from), from);
        if (got != end - from) return false;
        const char *last = memrchr(block, '\n', (size_t)got);
        end = last ? from + (last - block) + 1 : from;
        if (last || !end) return end == info.st_size || ftruncate(fd, end) == 0;
    }
    return true;
}

pg_status pg_events_open(const char *path, FILE **out, pg_error *err)
{
    const pg_status status = pg_file_refuse_link(path, err);
    if (status != PG_OK) return status;
    const int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0 || !mend(fd)) { /* O_NONBLOCK: fail on a pipe without a reader instead of waiting */
        const pg_status failed = pg_fail_errno(err, "%s", path);
        if (fd >= 0) close(fd);
        return failed;
    }
    *out = fdopen(fd, "a");
    if (*out) return PG_OK;
    close(fd);
    return pg_fail(err, PG_NO_MEMORY, "%s: out of memory", path);
}

/* ---- a line ---- */

static void put_text(FILE *stream, const char *name, const char *text)
{
    char plain[PG_MESSAGE_MAX + 512];
    if (!text) return;
    fprintf(stream, ", \"%s\": \"", name);
    for (const char *c = pg_printable(text, plain, sizeof plain); *c;) {
        const size_t span = strcspn(c, "\"\\");
        fwrite(c, 1, span, stream);
        c += span;
        if (*c) fprintf(stream, "\\%c", *c++);
    }
    fputc('"', stream);
}

static void put_int(FILE *stream, const char *name, long long value)
{
    fprintf(stream, ", \"%s\": %lld", name, value);
}

/* Members that are not known are left out. */
static void put_real(FILE *stream, const char *name, double value)
{
    if (isfinite(value) && value > 0) fprintf(stream, ", \"%s\": %.7g", name, value);
}

static void put_progress(FILE *stream, const pg_task_progress *p)
{
    fprintf(stream, ", \"share\": %.5f", p->done);
    if (p->epochs > 0) {
        put_int(stream, "epoch", p->judged);
        put_int(stream, "epochs", p->epochs);
        if (p->judged > 0 && isfinite(p->loss)) fprintf(stream, ", \"loss\": %.6g", p->loss);
        if (p->judged > 0 && isfinite(p->accuracy)) fprintf(stream, ", \"accuracy\": %.6g", p->accuracy);
    }
    put_real(stream, "saved", p->saved);
}

static void put_counts(FILE *stream, const pg_event_counts *n, bool begin)
{
    put_int(stream, "tasks", n->tasks);
    put_int(stream, "done", n->done);
    if (!begin) put_int(stream, "failed", n->failed);
    if (!begin) put_int(stream, "skipped", n->skipped);
    put_int(stream, "left", n->left);
    if (begin) put_int(stream, "workers", n->workers);
    if (begin) put_int(stream, "process", n->process);
}

void pg_event_print(const pg_event *e, const char *time, FILE *stream)
{
    fprintf(stream, "{\"time\": \"%s\", \"event\": \"%s\"", time, pg_events[e->kind].name);
    put_text(stream, "task", e->task);
    put_text(stream, "key", e->key);
    if (e->rank >= 0) put_int(stream, "rank", e->rank);
    put_text(stream, "host", e->host);
    if (e->progress && e->kind != PG_EVENT_DONE) put_progress(stream, e->progress);
    put_real(stream, "images_per_second", e->rate);
    if (e->counts) put_counts(stream, e->counts, e->kind == PG_EVENT_BEGIN);
    put_real(stream, e->kind == PG_EVENT_DONE ? "seconds" : "seconds_left", e->seconds);
    put_real(stream, "run_seconds_left", e->run_left);
    if (e->progress && e->progress->memory > 0) put_int(stream, "memory", (long long)e->progress->memory);
    put_text(stream, "text", e->text);
    fputs("}\n", stream);
}
