/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that make a figure. */
#ifndef PG_REPORT_FIGURE_INTERNAL_H
#define PG_REPORT_FIGURE_INTERNAL_H

#include "core/base/file.h"
#include "experiments/report/figure.h"

/* Longest name of a figure: a file's name, with ".XXXXXX.part" while it is written, has at most 255 bytes. */
enum { PG_FIGURE_NAME = 200 };

/* A figure, its points, and the name of both their files. */
typedef struct pg_figure_drawing {
    const pg_figure *figure;
    const pg_table *points;
    const char *name;
} pg_figure_drawing;

/* Write the script of a drawing, which is the context: a printer of pg_file_print. */
pg_status pg_figure_script(FILE *stream, const void *context, pg_error *err);

/* Number of the series to which a row of points belongs, from 1. */
int pg_figure_line(const pg_table *points, int row);

/* DIR/figures/NAME.ENDING */
PG_CHECKED pg_status pg_figure_path(const pg_figures *all, const char *name, const char *ending, char path[PG_PATH_MAX],
                                    pg_error *err);

#endif
