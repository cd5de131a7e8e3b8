/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run does; see status.h. */
#include "experiments/run/status.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "experiments/run/events.h"
#include "experiments/run/run_lock.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const pg_run_state_names[PG_RUN_STATES] = {"starting", "working", "ended", "killed"};

/* ---- members of an event ---- */

static const char *text_of(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));
    return text ? text : "";
}

static double number_of(const json_t *event, const char *name)
{
    const json_t *value = json_object_get(event, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static int count_of(const json_t *event, const char *name)
{
    const json_int_t value = json_integer_value(json_object_get(event, name));
    return value < 0 || value > 1000000000 ? 0 : (int)value;
}

static time_t time_of(const json_t *event)
{
    struct tm tm = {0};
    const char *end = strptime(text_of(event, "time"), "%FT%TZ", &tm);
    return end && !*end ? timegm(&tm) : 0;
}

static pg_event_kind kind_of(const json_t *event)
{
    int kind = 0;
    while (kind < PG_EVENTS && strcmp(text_of(event, "event"), pg_events[kind].name) != 0) kind++;
    return (pg_event_kind)kind;
}

/* ---- tasks at work ---- */

static void forget_running(pg_run_view *v, int i)
{
    pg_free(v->running[i].name);
    memmove(&v->running[i], &v->running[i + 1], (size_t)(v->running_count - i - 1) * sizeof *v->running);
    v->running_count--;
}

static int find_running(const pg_run_view *v, const char *name)
{
    int i = 0;
    while (i < v->running_count && strcmp(v->running[i].name, name) != 0) i++;
    return i;
}

static void end_running(pg_run_view *v, const char *name)
{
    const int i = find_running(v, name);
    if (i < v->running_count) forget_running(v, i);
}

static pg_status copy_printable(const char *text, char **out, pg_error *err)
{
    const size_t room = 4 * strlen(text) + 1;
    const pg_status status = pg_alloc(room, 1, out, err);
    if (status == PG_OK) pg_printable(text, *out, room);
    return status;
}

static pg_status start_running(pg_run_view *v, const json_t *event, pg_error *err)
{
    pg_status status = PG_OK;
    const char *name = text_of(event, "task");
    end_running(v, name);
    PG_TRY(pg_grow(&v->running, v->running_count, sizeof *v->running, err));
    v->running[v->running_count] = (pg_running){.rank = count_of(event, "rank"),
                                                .started = time_of(event),
                                                .loss = NAN,
                                                .accuracy = NAN,
                                                .share = NAN,
                                                .saved = NAN,
                                                .rate = NAN,
                                                .left = NAN,
                                                .memory = NAN};
    PG_TRY(copy_printable(name, &v->running[v->running_count].name, err));
    v->running_count++;
done:
    return status;
}

static void note_progress(pg_run_view *v, const json_t *event)
{
    const int i = find_running(v, text_of(event, "task"));
    if (i == v->running_count) return;
    pg_running *r = &v->running[i];
    r->epoch = count_of(event, "epoch");
    r->epochs = count_of(event, "epochs");
    r->loss = number_of(event, "loss");
    r->accuracy = number_of(event, "accuracy");
    r->share = number_of(event, "share");
    r->saved = number_of(event, "saved");
    r->rate = number_of(event, "images_per_second");
    r->memory = number_of(event, "memory");
    r->left = number_of(event, "seconds_left");
    v->left = number_of(event, "run_seconds_left");
    v->memory = fmax(v->memory, r->memory);
    r->told = v->told = time_of(event);
}

/* ---- events ---- */

static void forget_run(pg_run_view *v)
{
    while (v->running_count > 0) forget_running(v, v->running_count - 1);
    for (int i = 0; i < v->trouble_count; i++) pg_free(v->troubles[i].text);
    *v = (pg_run_view){.running = v->running, .file = v->file, .inode = v->inode, .left = NAN, .memory = NAN};
}

static void begin(pg_run_view *v, const json_t *event)
{
    forget_run(v);
    v->state = PG_RUN_WORKING;
    v->begun = time_of(event);
    v->tasks = count_of(event, "tasks");
    v->done = count_of(event, "done");
    v->workers = count_of(event, "workers");
    v->process = json_integer_value(json_object_get(event, "process"));
    pg_printable(text_of(event, "host"), v->host, sizeof v->host);
}

/* Keep the latest messages about things that went wrong. */
static pg_status keep_trouble(pg_run_view *v, const json_t *event, pg_error *err)
{
    pg_trouble *t = v->troubles;
    char *text = NULL, *whole = NULL;
    const char *task = text_of(event, "task");
    if (asprintf(&whole, "%s%s%s", task, *task ? ": " : "", text_of(event, "text")) < 0)
        return pg_fail(err, PG_NO_MEMORY, "out of memory for a message");
    const pg_status status = copy_printable(whole, &text, err);
    free(whole);
    if (status != PG_OK) return status;
    if (v->trouble_count == PG_TROUBLES) {
        pg_free(t[0].text);
        memmove(t, t + 1, (PG_TROUBLES - 1) * sizeof *t);
        v->trouble_count--;
    }
    t += v->trouble_count++;
    *t = (pg_trouble){.time = time_of(event), .text = text};
    snprintf(t->kind, sizeof t->kind, "%s", pg_events[kind_of(event)].name);
    return PG_OK;
}

/* Take an event of a version that knows more kinds as none. */
static pg_status take(pg_run_view *v, const json_t *event, pg_error *err)
{
    const char *task = text_of(event, "task");
    const pg_event_kind kind = kind_of(event);
    if (kind == PG_EVENT_BEGIN) begin(v, event);
    if (time_of(event)) v->latest = time_of(event);
    switch (kind) {
    case PG_EVENT_BEGIN: break;
    case PG_EVENT_START: return start_running(v, event, err);
    case PG_EVENT_EPOCH:
    case PG_EVENT_SAVED:
    case PG_EVENT_PROGRESS: note_progress(v, event); break;
    case PG_EVENT_DONE:
        v->done++;
        v->memory = fmax(v->memory, number_of(event, "memory"));
        end_running(v, task);
        break;
    case PG_EVENT_FAILED: v->failed++; /* fallthrough */
    case PG_EVENT_STOP:
    case PG_EVENT_AGAIN: end_running(v, task); return kind == PG_EVENT_FAILED ? keep_trouble(v, event, err) : PG_OK;
    case PG_EVENT_SKIP: v->skipped++; break;
    case PG_EVENT_LOST: v->lost++; return keep_trouble(v, event, err);
    case PG_EVENT_NOTE: return keep_trouble(v, event, err);
    case PG_EVENT_END: v->state = PG_RUN_ENDED; break;
    case PG_EVENTS: break;
    }
    return PG_OK;
}

/* ---- the file ---- */

static pg_status open_file(pg_run_view *v, const char *directory, const char *path, pg_error *err)
{
    int fd;
    size_t bytes;
    struct stat info;
    if (v->file && stat(path, &info) == 0 && (long long)info.st_ino == v->inode && info.st_size >= ftello(v->file))
        return PG_OK;
    pg_run_view_close(v);
    if (!pg_file_exists(path)) return pg_fail(err, PG_BAD_INPUT, "%s: no run has begun there", directory);
    const pg_status status = pg_file_open(path, &fd, &bytes, err);
    if (status != PG_OK) return status;
    v->inode = fstat(fd, &info) == 0 ? (long long)info.st_ino : 0;
    v->file = fdopen(fd, "r");
    if (v->file) return PG_OK;
    close(fd);
    return pg_fail(err, PG_NO_MEMORY, "%s: out of memory", path);
}

/* Take all whole lines; a line that is no event is none of ours and is skipped. */
static pg_status read_lines(pg_run_view *v, pg_error *err)
{
    pg_status status = PG_OK;
    char *line = NULL;
    size_t room = 0;
    clearerr(v->file);
    for (off_t at = ftello(v->file); status == PG_OK; at = ftello(v->file)) {
        const ssize_t bytes = getline(&line, &room, v->file);
        if (bytes > 0 && line[bytes - 1] == '\n') {
            json_t *event = json_loadb(line, (size_t)bytes, 0, NULL);
            if (event) status = take(v, event, err);
            json_decref(event);
            continue;
        }
        if (ferror(v->file) || fseeko(v->file, at, SEEK_SET) != 0) status = pg_fail_errno(err, "events.jsonl");
        break;
    }
    free(line);
    return status;
}

pg_status pg_run_view_read(pg_run_view *v, const char *directory, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    long long owner;
    PG_TRY(pg_path(path, directory, "events.jsonl", NULL, err));
    const bool locked = pg_run_lock_look(directory, &owner);
    PG_TRY(open_file(v, directory, path, err));
    PG_TRY(read_lines(v, err));
    if (!v->begun) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: no run has begun there", directory));
    if (v->state != PG_RUN_ENDED) v->state = locked ? PG_RUN_WORKING : PG_RUN_KILLED;
    if (locked && owner != v->process) v->state = PG_RUN_STARTING;
done:
    return status;
}

void pg_run_view_close(pg_run_view *v)
{
    forget_run(v);
    pg_free(v->running);
    if (v->file) fclose(v->file);
    *v = (pg_run_view){0};
}
