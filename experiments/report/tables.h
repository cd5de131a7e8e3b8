/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of a run, from its records and nothing else:
 *   schemes    each scheme: accuracy by branch, signature, p-value, does the owner's claim stand
 *   removal    each scheme before and after every attack that changes the model: accuracy, signature, claim
 *   ambiguity  each scheme under genuine and under forged evidence: accuracy, agreement, p-value, claim
 *   forgeries  each scheme with free and with bound evidence, beside every forgery: how many claims agree, how many prove
 *   published  our numbers beside published ones; checks: published claims asked of this run (compare.h) */
#ifndef PG_REPORT_TABLES_H
#define PG_REPORT_TABLES_H

#include "experiments/report/results.h"

#include <stdio.h>

/* Write cells.csv, tables/NAME.csv, .md and .tex, and tables/values.tex into the directory and print the tables to stream
 * (NULL: not). PG_BAD_INPUT if tasks of the grid have no record, unless partial tables are wanted; their label says so. */
PG_CHECKED pg_status pg_tables_render(const char *directory, bool partial, FILE *stream, pg_error *err);

/* Write the figures (figures.h) and run gnuplot on them. *drawn: number of drawn figures, -1 if gnuplot is not installed. */
PG_CHECKED pg_status pg_tables_figures(const char *directory, bool partial, int *drawn, pg_error *err);

#endif
