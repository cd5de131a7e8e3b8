/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A figure: its points as CSV and the gnuplot script that draws them, NAME.csv and NAME.gp below DIR/figures. */
#ifndef PG_REPORT_FIGURE_H
#define PG_REPORT_FIGURE_H

#include "experiments/report/table.h"

/* Series that a reader can tell apart in one figure: seven colours in two kinds of lines. */
enum { PG_FIGURE_SERIES = 14 };

/* The columns of its points: "line" (number of the series), the value on the x axis, the values on the y axes, the series'
 * name, and one more text about the point. */
typedef struct pg_figure {
    const char *kind; /* "pruning" */
    /* gnuplot commands. They may use series[], low[k] and high[k] of column k, bottom (the lower margin), step (a whole
     * distance between ticks of the x axis), chance (accuracy of guessing; NaN: unknown), and functions for colours, dashes and
     * marks. */
    const char *body;
    int width;  /* of the drawing, without the legend's height, which is added */
    int panels; /* plots side by side; the legend is below the first. 0: one */
    double chance;
    pg_text_pool series; /* keys, numbered by their series */
    pg_table points;
} pg_figure;

/* The figures written to a directory. */
typedef struct pg_figures {
    const char *directory; /* borrowed */
    int count;
    char **names;       /* [count] */
    pg_text_pool taken; /* names in lower case, because some file systems ignore case */
} pg_figures;
void pg_figures_clear(pg_figures *written);

/* Add the column "line", the columns of a list (ended by a NULL name), "series", and a column of text called `other`. */
PG_CHECKED pg_status pg_figure_columns(pg_figure *figure, const pg_column *columns, const char *other, pg_error *err);

/* Find or add the row of a point. `key` identifies the series, `detail` the point within it; `series` is the text of the
 * legend. */
PG_CHECKED pg_status pg_figure_point(pg_figure *figure, const char *key, const char *series, const char *detail, int *row,
                                     pg_error *err);

/* Write a figure if it has points, and clear it. The names of its files consist of its kind and parts[], ended by NULL:
 * "forged-cifar10-alexnet-x0.25-bn". If a name is too long for a file, or taken by another figure, a hash of the parts is
 * appended. A figure of more than PG_FIGURE_SERIES series is written as several figures of about as
 * many series each. */
PG_CHECKED pg_status pg_figure_finish(pg_figure *figure, const char *const *parts, pg_figures *written, pg_error *err);
void pg_figure_clear(pg_figure *figure);

/* Delete the figures of earlier calls from DIR/figures and run gnuplot on the written ones. *drawn: number of drawn figures, -1
 * if gnuplot is not installed. Do not call it from a rank of MPI, because it starts a process. */
PG_CHECKED pg_status pg_figures_draw(const pg_figures *written, int *drawn, pg_error *err);

#endif
