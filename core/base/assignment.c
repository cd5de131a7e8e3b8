/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shortest augmenting paths; see assignment.h. Costs are negated profits. */
#include "core/base/assignment.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdbool.h>

/* A partial assignment and its dual variables, and the search for one augmenting path. The reduced cost of a pair,
 * cost - row_price - column_price, is never negative, and zero for assigned pairs. */
typedef struct problem {
    int rows, columns;
    const double *profit;
    int *column_of, *row_of; /* [rows], [columns]; -1: not assigned */
    double *row_price, *column_price;
    double *distance;  /* [columns]: of the shortest path found from the new row to the column */
    int *reached_from; /* [columns]: the last row of that path */
    bool *done;        /* [columns]: the path is the shortest there is */
} problem;

static double reduced_cost(const problem *p, int row, int column)
{
    return -p->profit[(ptrdiff_t)row * p->columns + column] - p->row_price[row] - p->column_price[column];
}

/* Improve the paths to the columns that are not done by edges from a row at distance `base`. */
static void relax(problem *p, int row, double base)
{
    for (int j = 0; j < p->columns; j++) {
        if (p->done[j]) continue;
        const double distance = base + reduced_cost(p, row, j);
        if (distance >= p->distance[j]) continue;
        p->distance[j] = distance;
        p->reached_from[j] = row;
    }
}

/* The nearest column that is not done; among equals a free one, since the search ends there, and then the first. */
static int nearest(const problem *p)
{
    int best = -1;
    for (int j = 0; j < p->columns; j++) {
        if (p->done[j]) continue;
        const double gap = best < 0 ? -1 : p->distance[j] - p->distance[best];
        if (gap < 0 || (gap == 0 && p->row_of[j] < 0 && p->row_of[best] >= 0)) best = j;
    }
    return best;
}

/* The free column nearest to a row that is not assigned. */
static int search(problem *p, int row)
{
    for (int j = 0; j < p->columns; j++) {
        p->distance[j] = INFINITY;
        p->done[j] = false;
    }
    int column;
    double base = 0;
    for (;; row = p->row_of[column]) {
        relax(p, row, base);
        column = nearest(p);
        if (p->row_of[column] < 0) return column;
        base = p->distance[column];
        p->done[column] = true;
    }
}

static void update_prices(problem *p, int row, double length)
{
    p->row_price[row] += length;
    for (int j = 0; j < p->columns; j++) {
        if (!p->done[j]) continue;
        p->row_price[p->row_of[j]] += length - p->distance[j];
        p->column_price[j] -= length - p->distance[j];
    }
}

/* Assign one more row: every row on the path to the free column moves on to the next column. */
static void augment(problem *p, int start)
{
    int column = search(p, start), row;
    update_prices(p, start, p->distance[column]);
    do {
        row = p->reached_from[column];
        const int left = p->column_of[row];
        p->column_of[row] = column;
        p->row_of[column] = row;
        column = left;
    } while (row != start);
}

static pg_status check(int rows, int columns, const double *profit, pg_error *err)
{
    if (rows < 1 || rows > columns)
        return pg_fail(err, PG_BAD_INPUT, "assignment: expected 1 to %d rows, got %d", columns, rows);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)rows * columns; i++)
        if (!isfinite(profit[i])) return pg_fail(err, PG_BAD_INPUT, "assignment: an entry is not a finite number");
    return PG_OK;
}

pg_status pg_assign(int rows, int columns, const double *profit, int *column, pg_error *err)
{
    pg_status status = PG_OK;
    problem p = {.rows = rows, .columns = columns, .profit = profit, .column_of = column};
    PG_TRY(check(rows, columns, profit, err));
    PG_TRY(pg_alloc((size_t)columns, sizeof *p.row_of, &p.row_of, err));
    PG_TRY(pg_alloc((size_t)rows, sizeof *p.row_price, &p.row_price, err));
    PG_TRY(pg_alloc((size_t)columns, sizeof *p.column_price, &p.column_price, err));
    PG_TRY(pg_alloc((size_t)columns, sizeof *p.distance, &p.distance, err));
    PG_TRY(pg_alloc((size_t)columns, sizeof *p.reached_from, &p.reached_from, err));
    PG_TRY(pg_alloc((size_t)columns, sizeof *p.done, &p.done, err));
    for (int i = 0; i < rows; i++) column[i] = -1;
    for (int j = 0; j < columns; j++) p.row_of[j] = -1;
    for (int i = 0; i < rows; i++) {
        double best = -INFINITY; /* the first row price makes every reduced cost of the row non-negative */
        for (int j = 0; j < columns; j++) best = fmax(best, profit[(ptrdiff_t)i * columns + j] + p.column_price[j]);
        p.row_price[i] = -best;
        augment(&p, i);
    }
done:
    pg_free(p.row_of);
    pg_free(p.row_price);
    pg_free(p.column_price);
    pg_free(p.distance);
    pg_free(p.reached_from);
    pg_free(p.done);
    return status;
}
