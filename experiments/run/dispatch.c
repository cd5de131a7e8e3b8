/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The choice of the next task; see dispatch.h. */
#include "experiments/run/dispatch.h"

#include "core/base/memory.h"

#include <math.h>

/* ---- heap of ready tasks ---- */

static bool before(const pg_dispatch *s, int a, int b)
{
    return s->remaining[a] > s->remaining[b] || (s->remaining[a] >= s->remaining[b] && a < b);
}

static void push(pg_dispatch *s, int task)
{
    int at = s->heap_count++;
    for (int up; at > 0 && before(s, task, s->heap[up = (at - 1) / 2]); at = up) s->heap[at] = s->heap[up];
    s->heap[at] = task;
}

static int pop(pg_dispatch *s)
{
    const int first = s->heap[0], last = s->heap[--s->heap_count];
    int at = 0;
    for (int down; (down = 2 * at + 1) < s->heap_count; at = down) {
        if (down + 1 < s->heap_count && before(s, s->heap[down + 1], s->heap[down])) down++;
        if (!before(s, s->heap[down], last)) break;
        s->heap[at] = s->heap[down];
    }
    s->heap[at] = last;
    return first;
}

/* ---- start ---- */

static void set_state(pg_dispatch *s, int task, pg_work_state state)
{
    s->counts[s->state[task]]--;
    s->counts[state]++;
    s->state[task] = state;
}

static void make_ready(pg_dispatch *s, int task)
{
    set_state(s, task, PG_WORK_READY);
    push(s, task);
}

static pg_status link_children(pg_dispatch *s, pg_error *err)
{
    const pg_grid *g = s->grid;
    int links = 0;
    for (int i = 0; i < g->count; i++)
        for (int p = 0; p < g->tasks[i].parent_count; p++, links++) s->child_start[g->tasks[i].parents[p] + 1]++;
    const pg_status status = pg_alloc((size_t)links, sizeof *s->children, &s->children, err);
    if (status != PG_OK) return status;
    for (int i = 0; i < g->count; i++) s->child_start[i + 1] += s->child_start[i];
    /* Fill from the end: each child decrements child_start[i + 1], which finally is the start of i's children. Then shift all
     * starts down by one. */
    for (int i = g->count - 1; i >= 0; i--)
        for (int p = g->tasks[i].parent_count - 1; p >= 0; p--) s->children[--s->child_start[g->tasks[i].parents[p] + 1]] = i;
    for (int i = 0; i < g->count; i++) s->child_start[i] = s->child_start[i + 1];
    s->child_start[g->count] = links;
    return PG_OK;
}

/* Children come after their parents, so one pass from the end sees every child first. */
static void measure_paths(pg_dispatch *s, const bool *done)
{
    for (int i = s->grid->count - 1; i >= 0; i--) {
        double longest = 0;
        for (int c = s->child_start[i]; c < s->child_start[i + 1]; c++)
            if (s->remaining[s->children[c]] > longest) longest = s->remaining[s->children[c]];
        s->remaining[i] = longest + (done[i] ? 0 : s->cost[i]);
        if (!done[i]) s->cost_total += s->cost[i];
    }
}

pg_status pg_dispatch_create(const pg_grid *grid, const bool *done, const double *costs, pg_dispatch **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_dispatch *s = NULL;
    const size_t n = (size_t)grid->count;
    PG_TRY(pg_alloc(1, sizeof *s, &s, err));
    s->grid = grid;
    PG_TRY(pg_alloc(n, sizeof *s->state, &s->state, err));
    PG_TRY(pg_alloc(n, sizeof *s->blame, &s->blame, err));
    PG_TRY(pg_alloc(n, sizeof *s->cost, &s->cost, err));
    PG_TRY(pg_alloc(n, sizeof *s->remaining, &s->remaining, err));
    PG_TRY(pg_alloc(n, sizeof *s->missing, &s->missing, err));
    PG_TRY(pg_alloc(n, sizeof *s->heap, &s->heap, err));
    PG_TRY(pg_alloc(n, sizeof *s->passed, &s->passed, err));
    PG_TRY(pg_alloc(n + 1, sizeof *s->child_start, &s->child_start, err));
    PG_TRY(link_children(s, err));
    s->counts[PG_WORK_WAITING] = grid->count;
    for (int i = 0; i < grid->count; i++) s->cost[i] = costs ? costs[i] : grid->tasks[i].cost;
    measure_paths(s, done);
    for (int i = 0; i < grid->count; i++) {
        for (int p = 0; p < grid->tasks[i].parent_count; p++) s->missing[i] += !done[grid->tasks[i].parents[p]];
        if (done[i])
            set_state(s, i, PG_WORK_DONE);
        else if (s->missing[i] == 0)
            make_ready(s, i);
    }
    *out = s;
    s = NULL;
done:
    pg_dispatch_destroy(&s);
    return status;
}

void pg_dispatch_destroy(pg_dispatch **dispatch)
{
    pg_dispatch *s = *dispatch;
    if (!s) return;
    pg_free(s->state);
    pg_free(s->blame);
    pg_free(s->cost);
    pg_free(s->remaining);
    pg_free(s->missing);
    pg_free(s->heap);
    pg_free(s->passed);
    pg_free(s->child_start);
    pg_free(s->children);
    pg_free(s);
    *dispatch = NULL;
}

/* ---- steps ---- */

int pg_dispatch_take_within(pg_dispatch *s, double budget)
{
    int task = -1, kept = 0;
    while (s->heap_count > 0 && task < 0) {
        task = pop(s);
        if (s->grid->tasks[task].unsaved <= budget) break;
        s->passed[kept++] = task;
        task = -1;
    }
    for (int i = 0; i < kept; i++) push(s, s->passed[i]);
    if (task >= 0) set_state(s, task, PG_WORK_RUNNING);
    return task;
}

int pg_dispatch_take(pg_dispatch *s)
{
    return pg_dispatch_take_within(s, INFINITY);
}

void pg_dispatch_done(pg_dispatch *s, int task)
{
    set_state(s, task, PG_WORK_DONE);
    s->cost_done += s->cost[task];
    for (int c = s->child_start[task]; c < s->child_start[task + 1]; c++) {
        const int child = s->children[c];
        if (--s->missing[child] == 0 && s->state[child] == PG_WORK_WAITING) make_ready(s, child);
    }
}

static void skip_below(pg_dispatch *s, int task, int blame)
{
    for (int c = s->child_start[task]; c < s->child_start[task + 1]; c++) {
        const int child = s->children[c];
        if (s->state[child] != PG_WORK_WAITING) continue;
        set_state(s, child, PG_WORK_SKIPPED);
        s->blame[child] = blame;
        s->cost_total -= s->cost[child];
        skip_below(s, child, blame);
    }
}

void pg_dispatch_failed(pg_dispatch *s, int task)
{
    set_state(s, task, PG_WORK_FAILED);
    s->cost_total -= s->cost[task];
    skip_below(s, task, task);
}

void pg_dispatch_return(pg_dispatch *s, int task)
{
    make_ready(s, task);
}

bool pg_dispatch_over(const pg_dispatch *s)
{
    return s->counts[PG_WORK_READY] == 0 && s->counts[PG_WORK_RUNNING] == 0;
}

double pg_dispatch_critical(const pg_dispatch *s)
{
    double longest = 0;
    for (int i = 0; i < s->grid->count; i++)
        if (s->state[i] != PG_WORK_DONE && s->remaining[i] > longest) longest = s->remaining[i];
    return longest;
}

double pg_dispatch_open(const pg_dispatch *s)
{
    return s->cost_total - s->cost_done;
}
