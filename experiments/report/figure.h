/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A figure: its points as CSV and the gnuplot script that draws them, NAME.csv and NAME.gp below DIR/figures. */
#ifndef PG_REPORT_FIGURE_H
#define PG_REPORT_FIGURE_H

#include "experiments/report/table.h"

/* Series that a reader can tell apart in one figure: seven colours in three kinds of lines. */
enum { PG_FIGURE_SERIES = 21 };

/* Its points have columns "line" (number of the series), what lies on the x axis, what lies on the y axes, and texts: the
 * series and what else people may want to know of a point. */
typedef struct pg_figure {
    const char *kind; /* "pruning" */
    const char *body; /* gnuplot: what is drawn. Defined are series[], low[k] and high[k] of column k, step (whole, of ticks on
                         the x axis), chance (where guessing lies; NaN), and functions for colours, dashes and marks */
    int width;        /* of the drawing, without the legend's height, which is added */
    double chance;
    pg_text_pool series; /* keys, numbered by their series */
    pg_table points;
} pg_figure;

/* The figures written to a directory. */
typedef struct pg_figures {
    const char *directory; /* borrowed */
    int count;
    char **names;       /* [count] */
    pg_text_pool taken; /* names in lower case: some file systems tell no case */
} pg_figures;
void pg_figures_clear(pg_figures *written);

/* Add the columns "line", those of a list (ended by one whose name is NULL) and "series", and one for another text. */
PG_CHECKED pg_status pg_figure_columns(pg_figure *figure, const pg_column *columns, const char *other, pg_error *err);

/* The row of a point: series are told apart by `key`, points of one by `detail`. Texts are those that people see. */
PG_CHECKED pg_status pg_figure_point(pg_figure *figure, const char *key, const char *series, const char *detail, int *row,
                                     pg_error *err);

/* Write a figure if it has points, and clear it. Its files are called by its kind and parts[], ended by NULL:
 * "forged-cifar10-alexnet-x0.25-bn". A name that is too long for a file, or that another figure has, carries a hash of the
 * parts. A figure of more than PG_FIGURE_SERIES is written as several. */
PG_CHECKED pg_status pg_figure_finish(pg_figure *figure, const char *const *parts, pg_figures *written, pg_error *err);
void pg_figure_clear(pg_figure *figure);

/* Remove all other figures from DIR/figures, which are of earlier calls, and run gnuplot on the written ones; *drawn is how
 * many were, -1 if there is no gnuplot. Not from a rank of MPI: it starts a process. */
PG_CHECKED pg_status pg_figures_draw(const pg_figures *written, int *drawn, pg_error *err);

#endif
