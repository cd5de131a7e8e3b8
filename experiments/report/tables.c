/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of a run; see tables.h. */
#include "experiments/report/tables.h"

#include "core/base/terminal.h"
#include "experiments/report/artefacts.h"
#include "experiments/report/brief.h"
#include "experiments/report/compare.h"
#include "experiments/report/figures.h"
#include "experiments/report/paper.h"
#include "experiments/report/table_kind.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Destination of the tables. If one file cannot be written, the others still are, and all are printed. */
typedef struct output {
    const char *directory;
    FILE *stream; /* NULL: nothing is printed */
    FILE *values; /* the content of tables/values.tex */
    pg_status fault;
    pg_error error; /* about the first file that could not be written */
} output;

/* Keep the first failure to write, to report it at the end; return other failures at once. */
static pg_status put_aside(output *o, pg_status status, pg_error *found, pg_error *err)
{
    if (status == PG_OK) return PG_OK;
    if (status != PG_IO_FAULT) return pg_fail(err, status, "%s", found->message);
    if (o->fault == PG_OK) o->error = *found;
    o->fault = status;
    return PG_OK;
}

/* If a table is empty, files of its name are left over from an earlier grid: delete them. */
static pg_status write_or_remove(const pg_table *table, const char *directory, const char *file,
                                 pg_status (*write)(const pg_table *table, const char *path, pg_error *err), pg_error *err)
{
    char path[PG_PATH_MAX];
    const pg_status status = pg_path(path, directory, "tables", file, err);
    if (status != PG_OK) return status;
    if (table->row_count) return write(table, path, err);
    return pg_file_exists(path) ? pg_file_remove(path, err) : PG_OK;
}

/* A copy of a run that git made lacks folders that were empty, and a run that was never rendered has no tables. */
static pg_status make_folder(output *o, pg_error *err)
{
    char path[PG_PATH_MAX];
    pg_error found = {.message = ""};
    const pg_status status = pg_path(path, o->directory, "tables", NULL, err);
    if (status != PG_OK) return status;
    return put_aside(o, pg_make_directories(path, &found), &found, err);
}

static pg_status finish(pg_table *table, output *o, const char *name, bool printed, pg_error *err)
{
    static const struct {
        const char *ending;
        pg_status (*write)(const pg_table *table, const char *path, pg_error *err);
    } forms[] = {{"csv", pg_table_write_csv}, {"md", pg_table_write_markdown}, {"tex", pg_table_write_latex}};
    char file[64];
    pg_error found = {.message = ""};
    pg_status status = PG_OK;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(file, sizeof file, "%s.%s", name, forms[i].ending);
        PG_TRY(put_aside(o, write_or_remove(table, o->directory, file, forms[i].write, &found), &found, err));
    }
    PG_TRY(pg_table_print_values(table, name, o->values, err));
    if (printed && o->stream && table->row_count) {
        PG_TRY(pg_table_print(table, o->stream, err));
        fputc('\n', o->stream);
    }
done:
    pg_table_clear(table);
    return status;
}

/* Number of claims with this answer: "yes", "no" or "not asked". */
static int count_answers(const pg_table *checks, const char *answer)
{
    int count = 0;
    for (int r = 0; r < checks->row_count; r++) count += strcmp(pg_table_text(checks, r, PG_CHECKS_HOLDS), answer) == 0;
    return count;
}

static void say(FILE *stream, const char *format, ...) PG_PRINTF(2, 3);
static void say(FILE *stream, const char *format, ...)
{
    enum { INDENT = 4 };
    char *text = NULL;
    va_list args;
    va_start(args, format);
    const int bytes = vasprintf(&text, format, args);
    va_end(args);
    if (bytes < 0) return;
    pg_print_wrapped(stream, text, pg_terminal_columns(stream), INDENT);
    free(text);
}

/* Print a claim that does not hold, with its place and scheme. */
static void print_claim(const pg_table *checks, int row, FILE *stream)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *line = open_memstream(&text, &bytes);
    if (!line) return;
    fprintf(line, "  does not hold: %s: %s", pg_table_text(checks, row, 0), pg_table_text(checks, row, 1));
    const char *before = " (";
    for (int c = 2; c < PG_CHECKS_HOLDS; c++) {
        if (!pg_table_text(checks, row, c)[0]) continue;
        fprintf(line, "%s%s", before, pg_table_text(checks, row, c));
        before = ", ";
    }
    fputs(")", line);
    if (fclose(line) == 0) say(stream, "%s", text);
    free(text);
}

static void print_counts(const int *counts, FILE *stream)
{
    char text[256] = "published numbers:";
    int numbers = 0;
    for (int v = 0; v < PG_VERDICTS; v++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s %d %s", v ? "," : "", counts[v], pg_verdict_names[v]);
        numbers += counts[v];
    }
    if (numbers) say(stream, "%s", text);
}

/* Print how many published numbers are reproduced, and the claims that do not hold. */
static void print_comparison(const pg_table *checks, const int *counts, FILE *stream)
{
    const int holding = count_answers(checks, "yes"), failing = count_answers(checks, "no");
    const int rest = checks->row_count - holding - failing;
    print_counts(counts, stream);
    if (rest)
        say(stream, "published claims: %d of %d hold here; %d more could not be checked, because the networks did not learn",
            holding, holding + failing, rest);
    else
        say(stream, "published claims: %d of %d hold here", holding, holding + failing);
    for (int r = 0; r < checks->row_count; r++)
        if (strcmp(pg_table_text(checks, r, PG_CHECKS_HOLDS), "no") == 0) print_claim(checks, r, stream);
    fputc('\n', stream);
}

/* Write each published table of which we have numbers, in its own shape, and print their names. */
static pg_status write_papers(const pg_published *published, const pg_table *numbers, output *o, pg_error *err)
{
    pg_status status = PG_OK;
    pg_table table = {0};
    const char *name;
    char list[512] = "";
    for (int at = 0; (name = pg_paper_next(published, &at));) {
        char file[48];
        const size_t used = strlen(list);
        PG_TRY(pg_paper_fill(published, name, numbers, &table, err));
        snprintf(file, sizeof file, "paper-%.40s", name);
        if (table.row_count) snprintf(list + used, sizeof list - used, "%s %s", used ? "," : "", file);
        PG_TRY(finish(&table, o, file, false, err));
    }
    if (o->stream && list[0]) {
        say(o->stream, "published tables in their own shape, with our numbers (in tables/):%s", list);
        fputc('\n', o->stream);
    }
done:
    pg_table_clear(&table);
    return status;
}

static pg_status compare(const pg_summary *summary, output *o, pg_error *err)
{
    char from[PG_PATH_MAX], tried[PG_MESSAGE_MAX];
    int counts[PG_VERDICTS];
    pg_status status = PG_OK;
    pg_published *published = NULL;
    pg_table numbers = {0}, checks = {0};
    if (pg_published_directory(from, tried)) {
        PG_TRY(pg_published_read(from, &published, err));
        PG_TRY(pg_compare(published, summary, &numbers, &checks, counts, err));
    } else if (o->stream)
        fprintf(o->stream, "no comparison with published numbers, because they were not found: %s\n\n", tried);
    if (o->stream && checks.row_count) print_comparison(&checks, counts, o->stream);
    if (published) PG_TRY(write_papers(published, &numbers, o, err));
    PG_TRY(finish(&numbers, o, "published", false, err));
    PG_TRY(finish(&checks, o, "checks", false, err));
done:
    pg_table_clear(&numbers);
    pg_table_clear(&checks);
    pg_published_destroy(&published);
    return status;
}

static pg_status fill_tables(const pg_summary *b, output *o, pg_error *err)
{
    pg_status status = PG_OK;
    pg_table table = {0};
    for (int k = 0; pg_table_kinds[k]; k++) {
        PG_TRY(pg_table_kinds[k]->fill(b, &table, err));
        PG_TRY(finish(&table, o, pg_table_kinds[k]->name, pg_table_kinds[k]->printed, err));
    }
    PG_TRY(compare(b, o, err));
    for (int k = 0; o->stream && pg_table_kinds[k]; k++)
        if (pg_table_kinds[k]->hint) say(o->stream, "%s", pg_table_kinds[k]->hint);
done:
    pg_table_clear(&table);
    return status;
}

static pg_status write_values(output *o, const char *text, size_t bytes, pg_error *err)
{
    char path[PG_PATH_MAX];
    pg_error found = {.message = ""};
    const pg_status status = pg_path(path, o->directory, "tables", "values.tex", err);
    if (status != PG_OK) return status;
    return put_aside(o, pg_file_write(path, text, bytes, PG_FILE_PUBLIC, &found), &found, err);
}

static pg_status render(const pg_results *results, output *o, pg_error *err)
{
    pg_status status = PG_OK;
    pg_summary b = {0};
    char *text = NULL;
    size_t bytes = 0;
    o->values = open_memstream(&text, &bytes);
    if (!o->values) return pg_fail(err, PG_NO_MEMORY, "out of memory for tables/values.tex");
    pg_latex_head(o->values);
    PG_TRY(pg_summary_open(&b, results, err));
    PG_TRY(pg_summary_shorten(&b, err));
    PG_TRY(fill_tables(&b, o, err));
done:
    if (fclose(o->values) != 0 && status == PG_OK) status = pg_fail(err, PG_NO_MEMORY, "out of memory for tables/values.tex");
    if (status == PG_OK) status = write_values(o, text, bytes, err);
    free(text);
    pg_summary_close(&b);
    return status;
}

/* Load the results of a run. PG_BAD_INPUT if tasks have no record, unless `partial` is set. */
static pg_status load(const char *directory, bool partial, pg_results **results, pg_error *err)
{
    const pg_status status = pg_results_load(directory, results, err);
    if (status != PG_OK) return status;
    const int expected = (*results)->expected, missing = expected - (*results)->count;
    if (!missing || partial) return PG_OK;
    pg_results_destroy(results);
    return pg_fail(
        err, PG_BAD_INPUT,
        "%s: %d of %d tasks have no result; `passgrid run` completes them, `passgrid table --partial` shows the others",
        directory, missing, expected);
}

static pg_status list_artefacts(const pg_results *results, const char *directory, FILE *stream, pg_error *err)
{
    int count, missing;
    const pg_status status = pg_artefacts_write(results, directory, &count, &missing, err);
    if (status != PG_OK || !stream || !count) return status;
    fputc('\n', stream);
    say(stream,
        missing ? "networks and evidence that were kept: %d files, listed by name in artefacts.csv; %d of them are missing"
                : "networks and evidence that were kept: %d files, listed by name in artefacts.csv",
        count, missing);
    return PG_OK;
}

pg_status pg_tables_render(const char *directory, bool partial, FILE *stream, pg_error *err)
{
    pg_status status = PG_OK;
    pg_results *results = NULL;
    output o = {.directory = directory, .stream = stream};
    pg_error found = {.message = ""};
    PG_TRY(load(directory, partial, &results, err));
    PG_TRY(make_folder(&o, err));
    PG_TRY(put_aside(&o, pg_results_write_cells(results, directory, &found), &found, err));
    PG_TRY(render(results, &o, err));
    PG_TRY(put_aside(&o, list_artefacts(results, directory, stream, &found), &found, err));
    if (o.fault != PG_OK) status = pg_fail(err, o.fault, "%s", o.error.message);
done:
    pg_results_destroy(&results);
    return status;
}

pg_status pg_tables_figures(const char *directory, bool partial, int *drawn, pg_error *err)
{
    char from[PG_PATH_MAX], tried[PG_MESSAGE_MAX];
    pg_status status = PG_OK;
    pg_results *results = NULL;
    pg_published *published = NULL;
    pg_summary summary = {0};
    pg_figures written = {.directory = directory};
    PG_TRY(load(directory, partial, &results, err));
    PG_TRY(pg_summary_open(&summary, results, err));
    PG_TRY(pg_summary_shorten(&summary, err));
    if (pg_published_directory(from, tried)) PG_TRY(pg_published_read(from, &published, err));
    PG_TRY(pg_figures_write(&summary, published, &written, err));
    PG_TRY(pg_figures_draw(&written, drawn, err));
done:
    pg_figures_clear(&written);
    pg_summary_close(&summary);
    pg_published_destroy(&published);
    pg_results_destroy(&results);
    return status;
}
