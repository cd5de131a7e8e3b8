/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zero-sum games of two players, solved exactly. */
#ifndef PG_REPORT_GAME_H
#define PG_REPORT_GAME_H

#include "core/base/status.h"

/* Solve a game. payoff [rows,columns], 0 to 1: what the row player pays to the column player. Sets value to the payoff when
 * both play their best mixed strategies, and row [rows] and column [columns] to the probabilities of these strategies. If
 * several are best, finds the first in the order of rows and columns. Both counts are at least 1. Solves von Neumann's linear
 * programme by the simplex method with Bland's rule, which cannot cycle. */
PG_CHECKED pg_status pg_game_solve(int rows, int columns, const double *payoff, double *value, double *row, double *column,
                                   pg_error *err);

#endif
