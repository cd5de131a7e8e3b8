/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scope of a figure, and the kinds of figures. Adding a kind: its file with one const struct, a line in figure_kinds.c, a
 * config, a test. */
#ifndef PG_REPORT_SCENE_H
#define PG_REPORT_SCENE_H

#include "experiments/report/figure.h"
#include "experiments/report/published.h"
#include "experiments/report/summary.h"

/* The scope of a figure: a place (data set, network and norm), and for some kinds one scheme. */
typedef struct pg_scene {
    const pg_summary *summary;
    const pg_published *published; /* NULL: not found */
    int place, first;              /* number of the place; a result there */
    int scheme;                    /* index of its variant; -1: all */
} pg_scene;

typedef struct pg_figure_kind {
    bool by_scheme; /* a figure for each scheme of a place; false: one for the place */
    /* Write the figures of a scene; none if it has no points. */
    pg_status (*draw)(const pg_scene *at, pg_figures *written, pg_error *err);
} pg_figure_kind;

/* All kinds, ended by NULL: figure_kinds.c. */
extern const pg_figure_kind *const pg_figure_kinds[];

/* ---- for kinds of figures ---- */

/* Is a result (its index) in the scene? */
bool pg_scene_has(const pg_scene *at, int result);

/* Give a figure its title, label and columns (pg_figure_columns). */
PG_CHECKED pg_status pg_scene_start(const pg_scene *at, pg_figure *figure, const pg_column *columns, const char *other,
                                    pg_error *err);
/* Write it under the name of the scene (pg_figure_finish). */
PG_CHECKED pg_status pg_scene_finish(const pg_scene *at, pg_figure *figure, pg_figures *written, pg_error *err);

/* Value of an outcome on an axis ("level=10"); false for the outcomes of other axes. */
bool pg_scene_value(const char *axis, const char *outcome, double *value);

/* gnuplot commands that mark the accuracy of guessing by a line: across the figure, or from bottom to top. */
#define PG_CHANCE(from, to, label)                                                                                             \
    "if (chance == chance) {\n"                                                                                                \
    "    set arrow 9 from " from " to " to " nohead linecolor '#888888' dashtype 3\n"                                          \
    "    set label 9 'guessing' at " label " font ',10' textcolor '#666666'\n"                                                 \
    "}\n"
#define PG_CHANCE_ACROSS(label) PG_CHANCE("graph 0, first chance", "graph 1, first chance", label)
/* The word "guessing" stands at the side where the curves are high and leave room: the end of learning, the beginning of
 * pruning. */
#define PG_CHANCE_RIGHT PG_CHANCE_ACROSS("graph 1, first chance right offset 0,0.4")
#define PG_CHANCE_LEFT  PG_CHANCE_ACROSS("graph 0, first chance left offset 0.4,0.4")
#define PG_CHANCE_UP    PG_CHANCE("first chance, graph 0", "first chance, graph 1", "first chance, graph 0.97 left offset 0.4,0")

#endif
