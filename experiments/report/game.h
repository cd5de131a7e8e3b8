/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zero-sum games of two players, solved exactly. */
#ifndef PG_REPORT_GAME_H
#define PG_REPORT_GAME_H

#include "core/base/status.h"

/* payoff [rows,columns], 0 to 1: what the row player pays the column player. value becomes the payoff when both play their best
 * mixed strategies, whose probabilities become row [rows] and column [columns]. If several strategies are best, the first in
 * the order of rows and columns is found. Both counts are at least 1. The linear programme of von Neumann, by the simplex
 * method with Bland's rule, which cannot cycle. */
PG_CHECKED pg_status pg_game_solve(int rows, int columns, const double *payoff, double *value, double *row, double *column,
                                   pg_error *err);

#endif
