/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid report: the results of a run as one page of HTML. */
#include "experiments/commands/commands.h"

#include "core/base/child.h"
#include "core/base/file.h"
#include "experiments/commands/named_grid.h"
#include "experiments/report/page.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct arguments {
    pg_grid_arguments grid;
    bool pdf;
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_FLAG(arguments, pdf, "pdf", "write report.pdf too, which Chromium prints (Debian: chromium)"),
    PG_CLI_ROWS(arguments, grid, pg_run_rows),
    {0},
};

/* Have a browser print the page. It loads nothing but that file. As root Chromium refuses its sandbox. */
static pg_status print_with(const char *browser, const char *page, const char *pdf, int *code, pg_error *err)
{
    char from[PG_PATH_MAX + 16], to[PG_PATH_MAX + 32];
    snprintf(from, sizeof from, "file://%s", page);
    snprintf(to, sizeof to, "--print-to-pdf=%s", pdf);
    const char *const argv[] = {
        browser, "--headless", "--disable-gpu", "--no-pdf-header-footer", to, from, geteuid() == 0 ? "--no-sandbox" : NULL,
        NULL};
    return pg_child_run(argv, NULL, NULL, 0, code, err);
}

static pg_status print(const char *page, const char *pdf, pg_error *err)
{
    static const char *const browsers[] = {"chromium", "chromium-browser", "google-chrome", "chrome"};
    char real[PG_PATH_MAX];
    pg_status status = PG_OK;
    int code = PG_NO_PROGRAM;
    if (!realpath(page, real)) return pg_fail(err, PG_IO_FAULT, "%s: cannot be found again", page);
    PG_TRY(pg_file_remove(pdf, err));
    for (size_t i = 0; i < sizeof browsers / sizeof *browsers && code == PG_NO_PROGRAM; i++)
        PG_TRY(print_with(browsers[i], real, pdf, &code, err));
    if (code == PG_NO_PROGRAM)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "--pdf: Chromium is not installed (Debian: chromium); %s is written", page));
    if (code || !pg_file_exists(pdf)) PG_TRY(pg_fail(err, PG_IO_FAULT, "%s: Chromium did not write it", pdf));
done:
    return status;
}

static pg_status report(const char *directory, bool pdf, pg_error *err)
{
    char page[PG_PATH_MAX], paper[PG_PATH_MAX];
    int drawn;
    pg_status status = PG_OK;
    PG_TRY(pg_path(page, directory, "report.html", NULL, err));
    PG_TRY(pg_path(paper, directory, "report.pdf", NULL, err));
    PG_TRY(pg_page_write(directory, page, &drawn, err));
    if (drawn < 0)
        fprintf(stderr, "passgrid report: without figures, because gnuplot is not installed (Debian: gnuplot-nox)\n");
    if (pdf) PG_TRY(print(page, paper, err));
    puts(page);
    if (pdf) puts(paper);
done:
    return status;
}

static int run(int argc, char **argv)
{
    arguments a;
    char directory[PG_PATH_MAX];
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_report, argc, argv, &a, &code)) return code;
    if (!pg_named_run("report", &a.grid, directory, &code)) return code;
    const pg_status status = report(directory, a.pdf, &err);
    return status == PG_OK ? 0 : pg_complain("report", status, "%s", err.message);
}

const pg_command pg_cmd_report = {
    .name = "report",
    .summary = "write the results of a run as one page of HTML",
    .about =
        "Write report.html in the directory of a run and print its path. The page answers first which schemes stand under which "
        "attacks, then shows what did not hold, figures, tables, the work of each rank, and provenance. It needs no network and "
        "no other file. Of a run that is not complete it shows the finished tasks.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the page is written\n2 bad usage, RUN is no run, no task has a result, or --pdf without Chromium\n"
             "3 input/output fault",
    .examples = "  passgrid report results/quick\n  passgrid report configs/paper.yaml --profile laptop --pdf\n",
    .run = run,
};
