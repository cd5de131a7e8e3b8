/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid status: what a run does now, or how it ended. */
#include "experiments/commands/commands.h"

#include "core/base/terminal.h"
#include "core/base/utf8.h"
#include "experiments/commands/named_grid.h"
#include "experiments/run/status.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct arguments {
    pg_grid_arguments grid;
    bool watch, json;
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_FLAG(arguments, watch, "watch", "show it again every two seconds until the run has ended"),
    PG_CLI_FLAG(arguments, json, "json", "print JSON; with --watch one object a line"),
    PG_CLI_ROWS(arguments, grid, pg_run_rows),
    {0},
};

/* ---- numbers ---- */

enum { CELL = 48 };

static double since(time_t then)
{
    return difftime(time(NULL), then);
}

/* "1:02:03" or "2:03"; "-" if unknown */
static const char *show_time(double seconds, char out[CELL])
{
    const long long s = seconds >= 0 && seconds < 1e12 ? llround(seconds) : -1;
    if (s < 0)
        snprintf(out, CELL, "-");
    else if (s >= 3600)
        snprintf(out, CELL, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, CELL, "%lld:%02lld", s / 60, s % 60);
    return out;
}

static const char *show_bytes(double bytes, char out[CELL])
{
    snprintf(out, CELL, bytes >= 1e9 ? "%.1f GB" : "%.0f MB", bytes / (bytes >= 1e9 ? 1e9 : 1e6));
    if (!isfinite(bytes)) snprintf(out, CELL, "-");
    return out;
}

static const char *show_real(int digits, double value, char out[CELL])
{
    snprintf(out, CELL, "%.*f", digits, value);
    if (!isfinite(value)) snprintf(out, CELL, "-");
    return out;
}

/* Seconds until a task is done: what the run said, less the time since. */
static double task_left(const pg_running *r)
{
    return fmax(0, r->left - since(r->told)) + (isnan(r->left) ? NAN : 0);
}

static void print_line(int width, const char *format, ...) PG_PRINTF(2, 3);
static void print_line(int width, const char *format, ...)
{
    enum { INDENT = 8 };
    char *text = NULL;
    va_list args;
    va_start(args, format);
    const int bytes = vasprintf(&text, format, args);
    va_end(args);
    if (bytes < 0) return;
    pg_print_wrapped(stdout, text, width, INDENT);
    free(text);
}

/* ---- the tasks at work ---- */

static const char *rank_cell(const pg_running *r, char out[CELL])
{
    snprintf(out, CELL, "%d", r->rank);
    return out;
}
static const char *task_cell(const pg_running *r, char out[CELL])
{
    (void)out;
    return r->name;
}
static const char *epoch_cell(const pg_running *r, char out[CELL])
{
    snprintf(out, CELL, "%d/%d", r->epoch, r->epochs);
    if (!r->epochs) snprintf(out, CELL, "-");
    return out;
}
static const char *loss_cell(const pg_running *r, char out[CELL])
{
    return show_real(3, r->loss, out);
}
static const char *accuracy_cell(const pg_running *r, char out[CELL])
{
    return show_real(2, r->accuracy, out);
}
static const char *rate_cell(const pg_running *r, char out[CELL])
{
    return show_real(0, r->rate, out);
}
static const char *share_cell(const pg_running *r, char out[CELL])
{
    return show_real(0, 100 * r->share, out);
}
static const char *time_cell(const pg_running *r, char out[CELL])
{
    return show_time(since(r->started), out);
}
static const char *left_cell(const pg_running *r, char out[CELL])
{
    return show_time(task_left(r), out);
}
static const char *memory_cell(const pg_running *r, char out[CELL])
{
    return show_bytes(r->memory, out);
}

/* On a narrow terminal the column with the largest `spare` goes first, and 0 never goes. The name of the task takes the rest of
 * the width. */
static const struct {
    const char *title;
    int spare;
    const char *(*show)(const pg_running *r, char out[CELL]);
} columns[] = {
    {"rank", 0, rank_cell},         {"task", 0, task_cell},     {"epoch", 0, epoch_cell},  {"loss", 3, loss_cell},
    {"accuracy", 1, accuracy_cell}, {"images/s", 6, rate_cell}, {"% done", 5, share_cell}, {"time", 7, time_cell},
    {"left", 2, left_cell},         {"memory", 4, memory_cell},
};
enum { COLUMNS = sizeof columns / sizeof *columns, TASK = 1, NAME_LEAST = 24 };

static int by_rank(const void *a, const void *b)
{
    const pg_running *x = a, *y = b;
    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank)
                              : (x->started > y->started) - (x->started < y->started);
}

/* Widths of the columns; 0: dropped. Drops columns until the rest and a name of NAME_LEAST fit. */
static void measure(const pg_run_view *v, int width, int widths[COLUMNS])
{
    char text[CELL];
    int total = 0;
    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = (int)strlen(columns[c].title);
        for (int i = 0; i < v->running_count; i++)
            widths[c] = (int)fmax(widths[c], pg_utf8_width(columns[c].show(&v->running[i], text)));
        total += widths[c] + 2;
    }
    if (!width || total - 2 <= width) return;
    total -= widths[TASK] + 2;
    for (int spare = COLUMNS; spare > 0; spare--)
        for (int c = 0; c < COLUMNS; c++) {
            if (columns[c].spare != spare || total + NAME_LEAST <= width) continue;
            total -= widths[c] + 2;
            widths[c] = 0;
        }
    widths[TASK] = (int)fmin(widths[TASK], fmax(NAME_LEAST, width - total));
}

/* A name that is too wide loses its beginning: scheme, attack, seed and key are at its end. */
static void print_name(const char *name, int width)
{
    const int over = pg_utf8_width(name) - width;
    if (over <= 0)
        printf("%s%*s", name, -over, "");
    else
        printf("\u2026%s", name + pg_utf8_fit(name, over + 1));
}

static void print_row(const pg_running *r, const int widths[COLUMNS])
{
    char text[CELL];
    for (int c = 0, some = 0; c < COLUMNS; c++) {
        if (!widths[c]) continue;
        if (some++) fputs("  ", stdout);
        const char *shown = r ? columns[c].show(r, text) : columns[c].title;
        if (c == TASK)
            print_name(shown, widths[c]);
        else
            printf("%*s", widths[c], shown);
    }
    putchar('\n');
}

static void print_dropped(const int widths[COLUMNS], int width)
{
    char names[COLUMNS * 16] = "";
    for (int c = 0; c < COLUMNS; c++)
        if (!widths[c])
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? ", " : "", columns[c].title);
    if (*names) print_line(width, "not shown on a terminal of this width: %s", names);
}

/* Does a rank's first task stand here? The list is in the order of the ranks. */
static bool is_first(const pg_run_view *v, int i)
{
    return i == 0 || v->running[i].rank != v->running[i - 1].rank;
}

/* A row for each rank: the first of its tasks, because the others wait for it. */
static void print_tasks(const pg_run_view *v, int width)
{
    int widths[COLUMNS];
    if (!v->running_count) return;
    measure(v, width, widths);
    putchar('\n');
    print_row(NULL, widths);
    for (int i = 0; i < v->running_count; i++)
        if (is_first(v, i)) print_row(&v->running[i], widths);
    print_dropped(widths, width);
}

/* ---- the run ---- */

static int busy_ranks(const pg_run_view *v)
{
    int count = 0;
    for (int i = 0; i < v->running_count; i++) count += is_first(v, i);
    return count;
}

static const char *local(time_t when, const char *format, char out[CELL])
{
    struct tm tm;
    localtime_r(&when, &tm);
    strftime(out, CELL, format, &tm);
    return out;
}

static void print_state(const pg_run_view *v, const char *directory, int width)
{
    static const char *const hints[] = {
        [PG_RUN_STARTING] = "starting: a run has taken the directory; below is the one before it",
        [PG_RUN_WORKING] = "working",
        [PG_RUN_ENDED] = "ended",
        [PG_RUN_KILLED] = "killed: no process is at work there; `passgrid run` resumes it",
    };
    const int rest = v->tasks - v->done - v->failed - v->skipped;
    const bool stopped = v->state == PG_RUN_ENDED && rest > 0;
    print_line(width, "%s: %s%s", directory, hints[v->state], stopped ? ": interrupted; `passgrid run` resumes it" : "");
}

static void print_text(const pg_run_view *v, const char *directory)
{
    const int width = pg_terminal_columns(stdout), busy = busy_ranks(v);
    const int waiting = v->tasks - v->done - v->failed - v->skipped - v->running_count;
    char a[CELL], b[CELL], c[CELL];
    print_state(v, directory, width);
    print_line(width, "tasks   %d of %d done, %d %s, %d failed, %d skipped, %d waiting", v->done, v->tasks, v->running_count,
               v->state == PG_RUN_WORKING ? "running" : "unfinished", v->failed, v->skipped, waiting);
    if (v->state == PG_RUN_WORKING)
        print_line(width, "time    %s since %s, about %s to go", show_time(since(v->begun), a), local(v->begun, "%F %T", b),
                   show_time(v->left - since(v->told), c));
    else
        print_line(width, "time    %s, from %s to %s", show_time(difftime(v->latest, v->begun), a), local(v->begun, "%F %T", b),
                   local(v->latest, "%F %T", c));
    print_line(width, "ranks   %d compute, %d at work, %d lost; process %lld on %s", v->workers,
               v->state == PG_RUN_WORKING ? busy : 0, v->lost, v->process, v->host);
    if (isfinite(v->memory)) print_line(width, "memory  %s in the largest task so far", show_bytes(v->memory, a));
    print_tasks(v, width);
    if (v->trouble_count) puts("\nlatest messages:");
    for (int i = 0; i < v->trouble_count; i++)
        print_line(width, "%s %s %s", local(v->troubles[i].time, "%T", a), v->troubles[i].kind, v->troubles[i].text);
}

/* ---- as JSON ---- */

static void set_real(json_t *object, const char *name, double value)
{
    json_object_set_new(object, name, isfinite(value) ? json_real(value) : json_null());
}

static json_t *stamp(time_t when)
{
    char text[CELL];
    struct tm tm;
    gmtime_r(&when, &tm);
    strftime(text, sizeof text, "%FT%TZ", &tm);
    return json_string(text);
}

static json_t *running_json(const pg_running *r)
{
    json_t *o = json_pack("{s:i, s:s, s:o}", "rank", r->rank, "task", r->name, "started", stamp(r->started));
    if (r->epochs) {
        json_object_set_new(o, "epoch", json_integer(r->epoch));
        json_object_set_new(o, "epochs", json_integer(r->epochs));
        set_real(o, "loss", r->loss);
        set_real(o, "accuracy", r->accuracy);
    }
    set_real(o, "share", r->share);
    set_real(o, "saved", r->saved);
    set_real(o, "images_per_second", r->rate);
    set_real(o, "seconds_left", task_left(r));
    set_real(o, "memory", r->memory);
    return o;
}

static void print_json(const pg_run_view *v, const char *directory, size_t flags)
{
    json_t *work = json_array(), *messages = json_array();
    for (int i = 0; i < v->running_count; i++) json_array_append_new(work, running_json(&v->running[i]));
    for (int i = 0; i < v->trouble_count; i++)
        json_array_append_new(messages, json_pack("{s:o, s:s, s:s}", "time", stamp(v->troubles[i].time), "event",
                                                  v->troubles[i].kind, "text", v->troubles[i].text));
    json_t *root =
        json_pack("{s:s, s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:s}", "directory", directory, "state",
                  pg_run_state_names[v->state], "begun", stamp(v->begun), "latest", stamp(v->latest), "tasks", v->tasks, "done",
                  v->done, "running", v->running_count, "failed", v->failed, "skipped", v->skipped, "workers", v->workers,
                  "lost", v->lost, "process", (json_int_t)v->process, "host", v->host);
    set_real(root, "seconds_left", v->left);
    set_real(root, "memory", v->memory);
    json_object_set_new(root, "at_work", work);
    json_object_set_new(root, "messages", messages);
    json_dumpf(root, stdout, flags | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(root);
}

/* ---- the command ---- */

static void print(pg_run_view *v, const arguments *a, const char *directory)
{
    if (v->running_count) qsort(v->running, (size_t)v->running_count, sizeof *v->running, by_rank);
    if (a->json) {
        print_json(v, directory, a->watch ? 0 : JSON_INDENT(2));
    } else {
        if (a->watch && isatty(STDOUT_FILENO)) fputs("\033[H\033[J", stdout);
        print_text(v, directory);
        if (a->watch && !isatty(STDOUT_FILENO)) putchar('\n');
    }
    fflush(stdout);
}

static bool over(const pg_run_view *v)
{
    return v->state == PG_RUN_ENDED || v->state == PG_RUN_KILLED;
}

static pg_status show(const arguments *a, const char *directory, pg_error *err)
{
    enum { WATCH_SECONDS = 2 };
    pg_run_view view = {0};
    pg_status status;
    for (;; sleep(WATCH_SECONDS)) {
        status = pg_run_view_read(&view, directory, err);
        if (status != PG_OK) break;
        print(&view, a, directory);
        if (!a->watch || over(&view) || ferror(stdout)) break;
    }
    pg_run_view_close(&view);
    return status;
}

static int run(int argc, char **argv)
{
    arguments a;
    char directory[PG_PATH_MAX];
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_status, argc, argv, &a, &code)) return code;
    if (!pg_named_run("status", &a.grid, directory, &code)) return code;
    const pg_status status = show(&a, directory, &err);
    return status == PG_OK ? 0 : pg_complain("status", status, "%s", err.message);
}

const pg_command pg_cmd_status = {
    .name = "status",
    .summary = "show the progress of a run, or how it ended",
    .about =
        "Show the latest run in a directory: how many tasks are done, running, failed and waiting, what each rank does, the time "
        "that is left, memory, and the latest errors. status reads events.jsonl and run.lock alone, so it works from any terminal "
        "that sees the directory, while a run goes on and after it was killed, and never disturbs it.\n"
        "A terminal that is too narrow for all columns gets fewer, and the last line names the others. Where the output is no "
        "terminal, the environment variable COLUMNS sets the width.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the state was shown\n2 bad usage, or no run has begun there\n3 input/output fault",
    .examples = "  passgrid status results/quick --watch\n"
                "  passgrid status results/quick --json | jq '.at_work[] | {rank, task, epoch}'\n",
    .run = run,
};
