/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report of a run as one page of HTML, which needs no other file: the answer, doubts, figures, tables, ranks, provenance.
 */
#ifndef PG_REPORT_PAGE_H
#define PG_REPORT_PAGE_H

#include "core/base/status.h"

/* Draw the figures of the run and write the page to path (pg_file_print). A run that is not complete is reported as far as it
 * is, and the page says so. *drawn: figures in the page, -1 if there is no gnuplot. PG_BAD_INPUT if no task has a result. */
PG_CHECKED pg_status pg_page_write(const char *directory, const char *path, int *drawn, pg_error *err);

#endif
