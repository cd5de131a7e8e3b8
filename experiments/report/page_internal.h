/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that make the report of a run; each writes one part of the page. */
#ifndef PG_REPORT_PAGE_INTERNAL_H
#define PG_REPORT_PAGE_INTERNAL_H

#include "core/formats/csv.h"
#include "experiments/report/figure.h"
#include "experiments/report/summary.h"

#include <jansson.h>

/* Everything that the page shows. */
typedef struct pg_page {
    const char *directory;
    pg_results *results;
    pg_summary summary;                 /* with short names */
    pg_table standing, numbers, checks; /* numbers and checks are empty if the published numbers cannot be found */
    pg_figures figures;
    int drawn;             /* figures; -1: there is no gnuplot */
    pg_csv_table *timings; /* NULL: none */
    json_t *provenance;    /* NULL: none */
    char *config;          /* NULL: none */
} pg_page;

/* The question, the answer in a sentence, and a heat map for each place. */
void pg_page_answer(FILE *stream, const pg_page *page);
/* What did not hold. */
PG_CHECKED pg_status pg_page_doubts(FILE *stream, const pg_page *page, pg_error *err);
PG_CHECKED pg_status pg_page_figures(FILE *stream, const pg_page *page, pg_error *err);
/* The time of each rank by kind of task; program, machine and configuration. */
void pg_page_ranks(FILE *stream, const pg_page *page);
void pg_page_provenance(FILE *stream, const pg_page *page);

#endif
