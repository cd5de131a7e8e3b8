/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The doubts about a run: failures, and claims that did not hold; see page_internal.h. */
#include "experiments/report/compare.h"
#include "experiments/report/html.h"
#include "experiments/report/page_internal.h"
#include "experiments/work/rundir.h"

#include <string.h>

/* Trained networks, and those of them that learnt. */
static void count_networks(const pg_summary *s, int *all, int *learnt)
{
    *all = *learnt = 0;
    for (int i = 0; i < s->results->count; i++) {
        if (s->attack[i] >= 0) continue;
        ++*all;
        *learnt += s->learnt[i];
    }
}

static int put_networks(FILE *stream, const pg_page *page)
{
    int all, learnt;
    count_networks(&page->summary, &all, &learnt);
    if (learnt == all) return 0;
    fprintf(stream,
            "<li>%d of %d networks did not learn: they are hardly better than guessing, and say little about a scheme.</li>\n",
            all - learnt, all);
    return 1;
}

static int put_missing(FILE *stream, const pg_page *page)
{
    const int missing = page->results->expected - page->results->count;
    if (!missing) return 0;
    fprintf(stream, "<li>%d of %d tasks have no result.</li>\n", missing, page->results->expected);
    return 1;
}

/* The tasks that failed, with their reasons. */
static pg_status put_failures(FILE *stream, const pg_page *page, int *said, pg_error *err)
{
    pg_status status = PG_OK;
    pg_manifest *manifest = NULL;
    char path[PG_PATH_MAX], reason[PG_MESSAGE_MAX];
    PG_TRY(pg_manifest_read(page->directory, &manifest, err));
    for (int i = 0; i < manifest->count; i++) {
        PG_TRY(pg_rundir_file(page->directory, "failed", manifest->tasks[i].key, path, err));
        if (!pg_file_exists(path)) continue;
        PG_TRY(pg_failure_load(path, reason, sizeof reason, err));
        PG_HTML(stream, "<li>Task <b>$</b> failed: $</li>\n", manifest->tasks[i].name, reason);
        ++*said;
    }
done:
    pg_manifest_destroy(&manifest);
    return status;
}

/* Columns of the checks: id, claim, data, network, norm, scheme, attack. */
enum { ID, CLAIM, PLACE, SCHEME = PLACE + 3 };

static bool fails(const pg_table *checks, int row)
{
    return strcmp(pg_table_text(checks, row, PG_CHECKS_HOLDS), "no") == 0;
}

/* Is a text the same in all rows? Then the page leaves it out. */
static bool is_common(const pg_table *checks, int column)
{
    for (int r = 1; r < checks->row_count; r++)
        if (strcmp(pg_table_text(checks, r, column), pg_table_text(checks, 0, column)) != 0) return false;
    return true;
}

/* The setting of a row. */
static void put_place(FILE *stream, const pg_table *checks, int row, const char *before)
{
    for (int c = PLACE; c < PG_CHECKS_HOLDS; c++) {
        const char *text = pg_table_text(checks, row, c);
        if (!text[0] || (c < SCHEME && is_common(checks, c))) continue;
        PG_HTML(stream, "$ $", before, text);
        before = ",";
    }
}

/* The place where the claim of a row does not hold, unless an earlier row named it. */
static bool put_claim(FILE *stream, const pg_table *checks, int row)
{
    const char *id = pg_table_text(checks, row, ID);
    for (int r = 0; r < row; r++)
        if (fails(checks, r) && strcmp(pg_table_text(checks, r, ID), id) == 0) return false;
    PG_HTML(stream, "<li>Published: <b>$</b>. It does not hold here for", pg_table_text(checks, row, CLAIM));
    for (int r = row; r < checks->row_count; r++)
        if (fails(checks, r) && strcmp(pg_table_text(checks, r, ID), id) == 0)
            put_place(stream, checks, r, r > row ? ";" : NULL);
    fputs(".</li>\n", stream);
    return true;
}

/* Published claims that do not hold here. */
static int put_claims(FILE *stream, const pg_table *checks)
{
    int said = 0;
    for (int r = 0; r < checks->row_count; r++) said += fails(checks, r) && put_claim(stream, checks, r);
    return said;
}

pg_status pg_page_doubts(FILE *stream, const pg_page *page, pg_error *err)
{
    pg_status status = PG_OK;
    int said = 0;
    fputs("<h2 id=\"doubts\">What did not hold</h2>\n<ul>\n", stream);
    said += put_missing(stream, page);
    PG_TRY(put_failures(stream, page, &said, err));
    said += put_networks(stream, page) + put_claims(stream, &page->checks);
    if (!said)
        fputs("<li>Nothing: every task has a result, every network learnt, and every published claim that could be asked "
              "holds.</li>\n",
              stream);
    fputs("</ul>\n", stream);
done:
    return status;
}
