/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zero-sum games; see game.h.
 *
 * With B = payoff + 1 > 0, the row player maximises sum y subject to y'B <= 1, y >= 0. Then the value is 1 / sum y - 1, his
 * strategy y times that, and the column player's strategy are the duals, scaled alike. The tableau has a line for each column
 * of the game: the coefficients of y, those of the slacks, and the right-hand side; its last line is the objective. */
#include "experiments/report/game.h"

#include "core/base/memory.h"

#include <math.h>

typedef struct tableau {
    int rows, lines, width; /* of the game: rows, columns; elements of a line */
    double *at;             /* [lines + 1, width] */
    int *basis;             /* [lines] the variable of a line */
} tableau;

static double *line_of(const tableau *t, int line)
{
    return t->at + (ptrdiff_t)line * t->width;
}

static pg_status open_tableau(int rows, int columns, const double *payoff, tableau *t, pg_error *err)
{
    *t = (tableau){.rows = rows, .lines = columns, .width = rows + columns + 1};
    pg_status status = pg_alloc((size_t)(columns + 1) * (size_t)t->width, sizeof *t->at, &t->at, err);
    if (status == PG_OK) status = pg_alloc((size_t)columns, sizeof *t->basis, &t->basis, err);
    for (int c = 0; status == PG_OK && c < columns; c++) {
        double *line = line_of(t, c);
        for (int r = 0; r < rows; r++) line[r] = 1 + payoff[(ptrdiff_t)r * columns + c];
        line[rows + c] = 1;
        line[t->width - 1] = 1;
        t->basis[c] = rows + c;
    }
    for (int r = 0; status == PG_OK && r < rows; r++) line_of(t, columns)[r] = -1;
    return status;
}

/* The first variable whose growth raises the objective; -1: none. */
static int entering(const tableau *t)
{
    for (int v = 0; v < t->width - 1; v++)
        if (line_of(t, t->lines)[v] < -1e-12) return v;
    return -1;
}

/* The line that bounds that growth; of equal ones, the line with the first variable. There is one, because every column of the
 * game is positive. */
static int leaving(const tableau *t, int variable)
{
    int best = -1;
    double least = INFINITY;
    for (int line = 0; line < t->lines; line++) {
        const double *l = line_of(t, line), ratio = l[variable] > 1e-12 ? l[t->width - 1] / l[variable] : INFINITY;
        if (ratio < least - 1e-12 || (ratio <= least + 1e-12 && best >= 0 && t->basis[line] < t->basis[best])) {
            least = fmin(least, ratio);
            best = line;
        }
    }
    return best;
}

static void pivot(tableau *t, int line, int variable)
{
    double *own = line_of(t, line);
    const double scale = own[variable];
    for (int v = 0; v < t->width; v++) own[v] /= scale;
    for (int k = 0; k <= t->lines; k++) {
        double *other = line_of(t, k);
        const double by = other[variable];
        for (int v = 0; k != line && v < t->width; v++) other[v] -= by * own[v];
    }
    t->basis[line] = variable;
}

pg_status pg_game_solve(int rows, int columns, const double *payoff, double *value, double *row, double *column, pg_error *err)
{
    tableau t;
    const pg_status status = open_tableau(rows, columns, payoff, &t, err);
    if (status == PG_OK) {
        for (int variable = entering(&t); variable >= 0; variable = entering(&t)) pivot(&t, leaving(&t, variable), variable);
        const double scale = 1 / line_of(&t, columns)[t.width - 1];
        *value = scale - 1;
        for (int r = 0; r < rows; r++) row[r] = 0;
        for (int line = 0; line < columns; line++)
            if (t.basis[line] < rows) row[t.basis[line]] = scale * line_of(&t, line)[t.width - 1];
        for (int c = 0; c < columns; c++) column[c] = scale * line_of(&t, columns)[rows + c];
    }
    pg_free(t.at);
    pg_free(t.basis);
    return status;
}
