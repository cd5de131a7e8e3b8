/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run without work; see simulate.h. */
#include "experiments/run/simulate.h"

#include "core/base/memory.h"

/* The running tasks: a heap by the time at which they end, then by task. */
typedef struct running {
    struct job {
        double end;
        int task;
    } * heap;
    int count;
} running;

static bool before(const struct job *a, const struct job *b)
{
    return a->end < b->end || (a->end <= b->end && a->task < b->task);
}

static void push(running *r, struct job job)
{
    int at = r->count++;
    for (int up; at > 0 && before(&job, &r->heap[up = (at - 1) / 2]); at = up) r->heap[at] = r->heap[up];
    r->heap[at] = job;
}

static struct job pop(running *r)
{
    const struct job first = r->heap[0], last = r->heap[--r->count];
    int at = 0;
    for (int down; (down = 2 * at + 1) < r->count; at = down) {
        if (down + 1 < r->count && before(&r->heap[down + 1], &r->heap[down])) down++;
        if (!before(&r->heap[down], &last)) break;
        r->heap[at] = r->heap[down];
    }
    r->heap[at] = last;
    return first;
}

pg_status pg_simulate(const pg_grid *grid, const bool *done, const double *seconds, int workers, pg_simulation *out,
                      pg_error *err)
{
    pg_status status = PG_OK;
    pg_dispatch *dispatch = NULL;
    running at_work = {0};
    *out = (pg_simulation){0};
    PG_TRY(pg_alloc((size_t)workers, sizeof *at_work.heap, &at_work.heap, err));
    PG_TRY(pg_dispatch_create(grid, done, seconds, &dispatch, err));
    out->critical = pg_dispatch_critical(dispatch);
    const double work = pg_dispatch_open(dispatch);
    for (;;) {
        for (int task; at_work.count < workers && (task = pg_dispatch_take(dispatch)) >= 0;)
            push(&at_work, (struct job){out->seconds + dispatch->cost[task], task});
        if (!at_work.count) break;
        const struct job next = pop(&at_work);
        out->seconds = next.end;
        pg_dispatch_done(dispatch, next.task);
    }
    out->idle = out->seconds > 0 ? 1 - work / (workers * out->seconds) : 0;
done:
    pg_dispatch_destroy(&dispatch);
    pg_free(at_work.heap);
    return status;
}
