/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report of a run; see page.h. */
#include "experiments/report/page.h"

#include "core/base/memory.h"
#include "core/formats/json_file.h"
#include "experiments/grid/estimate.h"
#include "experiments/report/brief.h"
#include "experiments/report/compare.h"
#include "experiments/report/figures.h"
#include "experiments/report/html.h"
#include "experiments/report/page_internal.h"
#include "experiments/report/standing.h"
#include "experiments/report/table_kind.h"

/* ---- reading ---- */

/* Read a file of the run that need not exist: provenance.json, config.yaml. */
static pg_status read_rest(pg_page *page, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    size_t bytes;
    PG_TRY(pg_timings_read(page->directory, &page->timings, err));
    PG_TRY(pg_path(path, page->directory, "provenance.json", NULL, err));
    if (pg_file_exists(path)) PG_TRY(pg_json_read(path, &page->provenance, err));
    PG_TRY(pg_path(path, page->directory, "config.yaml", NULL, err));
    if (pg_file_exists(path)) PG_TRY(pg_file_read_text(path, &page->config, &bytes, err));
done:
    return status;
}

static pg_status read_run(pg_page *page, pg_error *err)
{
    char from[PG_PATH_MAX], tried[PG_MESSAGE_MAX];
    int counts[PG_VERDICTS];
    pg_status status = PG_OK;
    pg_published *published = NULL;
    PG_TRY(pg_results_load(page->directory, &page->results, err));
    if (!page->results->count) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: no task has a result yet", page->directory));
    PG_TRY(pg_summary_open(&page->summary, page->results, err));
    PG_TRY(pg_summary_shorten(&page->summary, err));
    if (pg_published_directory(from, tried)) PG_TRY(pg_published_read(from, &published, err));
    if (published) PG_TRY(pg_compare(published, &page->summary, &page->numbers, &page->checks, counts, err));
    PG_TRY(pg_figures_write(&page->summary, published, &page->figures, err));
    PG_TRY(pg_figures_draw(&page->figures, &page->drawn, err));
    PG_TRY(pg_fill_standing(&page->summary, &page->standing, err));
    PG_TRY(read_rest(page, err));
done:
    pg_published_destroy(&published);
    return status;
}

static void close_page(pg_page *page)
{
    pg_table_clear(&page->standing);
    pg_table_clear(&page->numbers);
    pg_table_clear(&page->checks);
    pg_figures_clear(&page->figures);
    pg_summary_close(&page->summary);
    pg_results_destroy(&page->results);
    pg_csv_close(&page->timings);
    json_decref(page->provenance);
    pg_free(page->config);
}

/* ---- writing ---- */

/* Sorts a table by the column whose head is pressed. */
static const char script[] =
    "for(const b of document.querySelectorAll('table.sort th button'))b.addEventListener('click',()=>{\n"
    "  const th=b.parentNode,table=th.closest('table'),body=table.tBodies[0],column=th.cellIndex;\n"
    "  const up=th.getAttribute('aria-sort')!=='ascending';\n"
    "  for(const other of th.parentNode.cells)other.removeAttribute('aria-sort');\n"
    "  th.setAttribute('aria-sort',up?'ascending':'descending');\n"
    "  const value=row=>{const c=row.cells[column];return c.dataset.v===undefined?c.textContent:Number(c.dataset.v)};\n"
    "  const order=(x,y)=>typeof x===typeof y?(typeof x==='number'?x-y:x.localeCompare(y,undefined,{numeric:true})):"
    "typeof x==='number'?-1:1;\n"
    "  body.append(...[...body.rows].sort((r,s)=>(up?1:-1)*order(value(r),value(s))));\n"
    "});\n";

static void put_head(FILE *stream, const pg_page *page)
{
    pg_html_begin(stream, page->results->name);
    PG_HTML(stream, "<p class=\"kicker\">Ownership of neural networks</p>\n<h1>$</h1>\n<p class=\"soft\">$</p>\n",
            page->results->name, page->summary.label);
    fputs("<nav><a href=\"#answer\">Answer</a><a href=\"#doubts\">What did not hold</a><a href=\"#figures\">Figures</a>"
          "<a href=\"#tables\">Tables</a>",
          stream);
    if (page->timings) fputs("<a href=\"#ranks\">Ranks</a>", stream);
    fputs("<a href=\"#provenance\">Provenance</a></nav>\n", stream);
}

/* A table that can be folded; nothing if it has no rows. */
static pg_status put_table(FILE *stream, const char *name, const pg_table *table, pg_error *err)
{
    char rows[32];
    if (!table->row_count) return PG_OK;
    snprintf(rows, sizeof rows, "%d rows", table->row_count);
    PG_HTML(stream, "<details><summary>$<small>$; tables/$.csv</small></summary>\n", table->title, rows, name);
    const pg_status status = pg_table_print_html(table, stream, err);
    fputs("</details>\n", stream);
    return status;
}

static pg_status put_tables(FILE *stream, const pg_page *page, pg_error *err)
{
    pg_status status = PG_OK;
    pg_table table = {0};
    fputs("<h2 id=\"tables\">Tables</h2>\n<p class=\"soft\">Click on the head of a column to sort by it.</p>\n", stream);
    for (int k = 0; pg_table_kinds[k]; k++) {
        PG_TRY(pg_table_kinds[k]->fill(&page->summary, &table, err));
        PG_TRY(put_table(stream, pg_table_kinds[k]->name, &table, err));
        pg_table_clear(&table);
    }
    PG_TRY(put_table(stream, "published", &page->numbers, err));
    PG_TRY(put_table(stream, "checks", &page->checks, err));
done:
    pg_table_clear(&table);
    return status;
}

static pg_status put_page(FILE *stream, const void *context, pg_error *err)
{
    const pg_page *page = context;
    pg_status status = PG_OK;
    put_head(stream, page);
    pg_page_answer(stream, page);
    PG_TRY(pg_page_doubts(stream, page, err));
    PG_TRY(pg_page_figures(stream, page, err));
    PG_TRY(put_tables(stream, page, err));
    pg_page_ranks(stream, page);
    pg_page_provenance(stream, page);
    pg_html_end(stream, "Made by passgrid from the records of the run. This page needs no network and no other file.", script);
done:
    return status;
}

pg_status pg_page_write(const char *directory, const char *path, int *drawn, pg_error *err)
{
    pg_page page = {.directory = directory, .figures = {.directory = directory}};
    pg_status status = read_run(&page, err);
    if (status == PG_OK) status = pg_file_print(path, put_page, &page, PG_FILE_PUBLIC, err);
    *drawn = page.drawn;
    close_page(&page);
    return status;
}
