/* A figure: its points as CSV and the gnuplot script that draws them, NAME.csv and NAME.gp below DIR/figures. */
#ifndef PG_EXPERIMENTS_FIGURE_H
#define PG_EXPERIMENTS_FIGURE_H

#include "experiments/sheet.h"

enum { PG_FIGURE_NAME = 240 };

typedef struct pg_figure {
    char name[PG_FIGURE_NAME]; /* of its files */
    const char *kind;          /* "pruning" */
    const char *body;          /* gnuplot: what is drawn, with heading, remark, series, colours and points defined */
    int width, height;         /* of the SVG */
    pg_sheet points;           /* first column: series */
} pg_figure;

/* Those written to a directory. */
typedef struct pg_figures {
    const char *directory; /* borrowed */
    int count;
    char (*names)[PG_FIGURE_NAME]; /* freed by pg_free */
} pg_figures;

/* Name it by its kind and parts[], ended by NULL: "forged-cifar10-alexnet-x0.25-bn". */
void pg_figure_name(pg_figure *figure, const char *const *parts);

/* Write a figure if it has points, and clear them. */
PG_CHECKED pg_status pg_figure_finish(pg_figure *figure, pg_figures *written, pg_error *err);

/* Remove all other figures from DIR/figures, which are of earlier calls, and run gnuplot on the written ones; *drawn is how
 * many were, -1 if there is no gnuplot. Not from a rank of MPI: it starts a process. */
PG_CHECKED pg_status pg_figures_draw(const pg_figures *written, int *drawn, pg_error *err);

#endif
