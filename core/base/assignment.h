/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The linear assignment problem: pair every row of a matrix with a column of its own so that the sum of the paired entries is
 * as large as possible.
 *
 * The solution is exact. Rows are assigned one after the other, each along a shortest augmenting path in the reduced costs.
 * Source: Jonker, Volgenant, Computing 38, 1987; Crouse, IEEE Transactions on Aerospace and Electronic Systems 52, 2016, for
 * matrices that are not square. */
#ifndef PG_BASE_ASSIGNMENT_H
#define PG_BASE_ASSIGNMENT_H

#include "core/base/status.h"

/* Write the column of every row to column [rows]. profit is [rows,columns], row-major and finite, with 1 <= rows <= columns;
 * else PG_BAD_INPUT. Of equal solutions the function always finds the same one. Time O(rows^2 columns). */
PG_CHECKED pg_status pg_assign(int rows, int columns, const double *profit, int *column, pg_error *err);

#endif
