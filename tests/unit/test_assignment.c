/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The linear assignment against every possible assignment of small matrices, and on large ones whose solution is known. */
#include "core/base/assignment.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "tests/unit/test.h"

#include <math.h>

enum { SIDE = 7 };

/* The best sum that the rows from `row` on can reach with the columns that are not taken. */
static double best_sum(int rows, int columns, const double *profit, int row, unsigned taken)
{
    double best = row == rows ? 0 : -INFINITY;
    for (int j = 0; row < rows && j < columns; j++)
        if (!(taken >> j & 1))
            best = fmax(best, profit[row * columns + j] + best_sum(rows, columns, profit, row + 1, taken | 1U << j));
    return best;
}

/* The sum of an assignment that pairs no column twice. */
static double sum_of(int rows, int columns, const double *profit, const int *column)
{
    double sum = 0;
    for (int i = 0; i < rows; i++) {
        assert_in_range(column[i], 0, columns - 1);
        for (int k = 0; k < i; k++) assert_int_not_equal(column[i], column[k]);
        sum += profit[(ptrdiff_t)i * columns + column[i]];
    }
    return sum;
}

static void compare_with_all(int rows, int columns, const double *profit)
{
    int column[SIDE];
    OK(pg_assign(rows, columns, profit, column, &err));
    const double sum = sum_of(rows, columns, profit, column), best = best_sum(rows, columns, profit, 0, 0);
    if (fabs(sum - best) > 1e-12 * SIDE) fail_msg("%d x %d: found %.17g, the best is %.17g", rows, columns, sum, best);
}

TEST(small_matrices_of_every_shape_are_solved_exactly)
{
    double profit[SIDE * SIDE];
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 1, .task = "assignment"}, "profits", 0);
    for (int columns = 1; columns <= SIDE; columns++)
        for (int rows = 1; rows <= columns; rows++)
            for (int trial = 0; trial < 12; trial++) {
                for (int e = 0; e < rows * columns; e++) profit[e] = pg_rng_normal(&rng);
                compare_with_all(rows, columns, profit);
            }
}

TEST(ties_are_solved_exactly_and_always_alike)
{
    double profit[SIDE * SIDE];
    int first[SIDE], again[SIDE];
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 1, .task = "assignment"}, "ties", 0);
    for (int trial = 0; trial < 200; trial++) {
        const int columns = 1 + (int)pg_rng_below(&rng, SIDE), rows = 1 + (int)pg_rng_below(&rng, (uint64_t)columns);
        for (int e = 0; e < rows * columns; e++) profit[e] = (double)pg_rng_below(&rng, 3) - 1;
        compare_with_all(rows, columns, profit);
        OK(pg_assign(rows, columns, profit, first, &err));
        OK(pg_assign(rows, columns, profit, again, &err));
        assert_memory_equal(first, again, (size_t)rows * sizeof *first);
    }
}

TEST(rows_that_are_all_alike_take_columns_in_order)
{
    const double profit[4 * 6] = {0};
    int column[4];
    OK(pg_assign(4, 6, profit, column, &err));
    for (int i = 0; i < 4; i++) assert_int_equal(column[i], i);
}

/* Rows want one column each, beside noise and columns that no row wants. */
TEST(a_hidden_permutation_of_300_is_found)
{
    enum { ROWS = 300, COLUMNS = 340 };
    uint32_t order[COLUMNS];
    int column[ROWS];
    double *profit;
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 1, .task = "assignment"}, "hidden", 0);
    OK(pg_alloc((size_t)ROWS * COLUMNS, sizeof *profit, &profit, &err));
    pg_rng_permutation(&rng, order, COLUMNS);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) profit[i * COLUMNS + j] = pg_rng_uniform(&rng) + (order[i] == (uint32_t)j ? 1 : 0);
    OK(pg_assign(ROWS, COLUMNS, profit, column, &err));
    for (int i = 0; i < ROWS; i++) assert_int_equal(column[i], order[i]);
    pg_free(profit);
}

/* Two rows have the same best column. The row that loses less takes its second choice. */
TEST(a_greedy_choice_is_taken_back)
{
    const double profit[] = {10, 9, 0, 10, 1, 0, 0, 0, 5};
    int column[3];
    OK(pg_assign(3, 3, profit, column, &err));
    assert_int_equal(column[0], 1);
    assert_int_equal(column[1], 0);
    assert_int_equal(column[2], 2);
}

TEST(more_rows_than_columns_and_numbers_that_are_not_finite_are_refused)
{
    const double profit[] = {1, 2, NAN, 4};
    int column[4];
    FAILS(pg_assign(2, 1, profit, column, &err), PG_BAD_INPUT, "expected 1 to 1 rows, got 2");
    FAILS(pg_assign(0, 1, profit, column, &err), PG_BAD_INPUT, "expected 1 to 1 rows, got 0");
    FAILS(pg_assign(2, 2, profit, column, &err), PG_BAD_INPUT, "not a finite number");
}
