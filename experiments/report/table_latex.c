/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables and their numbers for LaTeX; see table.h. Texts can be anything that a configuration holds, and none is a command to
 * TeX. */
#include "experiments/report/table_internal.h"

#include "core/base/file.h"
#include "core/base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 90, PARAGRAPH = 40 }; /* characters of a line of \small text; of a text that gets a paragraph */

/* ---- texts ---- */

static const char *plain_command(unsigned char c)
{
    switch (c) {
    case '\\': return "\\textbackslash{}";
    case '~': return "\\textasciitilde{}";
    case '^': return "\\textasciicircum{}";
    case '<': return "$<$";
    case '>': return "$>$";
    case '|': return "$|$";
    case '"': return "\\char34{}";
    case '`': return "\\char96{}";
    case '\'': return "\\char39{}";
    case '-': return "-{}"; /* two would become a dash */
    case ',': return ",{}"; /* and two of these a quote */
    default: return NULL;
    }
}

/* Characters beyond ASCII are written by their number, because which of them a document can show depends on its fonts. */
static void put_tex(FILE *stream, const char *text)
{
    for (size_t left = strlen(text), bytes = 1; left; text += bytes, left -= bytes) {
        unsigned code;
        bytes = pg_utf8_character(text, left, &code);
        const char *command = bytes == 1 ? plain_command((unsigned char)*text) : NULL;
        if (command)
            fputs(command, stream);
        else if (code == 0xb1 && bytes)
            fputs("$\\pm$", stream);
        else if (bytes > 1)
            fprintf(stream, "U+%04X", code);
        else if (bytes == 1 && !iscntrl((unsigned char)*text))
            fprintf(stream, "%s%c", strchr("#$%&_{}", *text) ? "\\" : "", *text);
        else
            fputc(' ', stream);
        bytes += !bytes;
    }
}

/* "3.9e-05" as a product with a power of ten, "-3" with a minus; other texts as they are. */
static void put_number(FILE *stream, const char *text)
{
    const char *e = strchr(text, 'e'), *digits = e ? e + 1 + (e[1] == '-' || e[1] == '+') : NULL;
    if (text[0] == '-' && isdigit((unsigned char)text[1])) {
        fputs("$-$", stream);
        put_number(stream, text + 1);
        return;
    }
    if (!e || !isdigit((unsigned char)text[0]) || !isdigit((unsigned char)*digits)) {
        put_tex(stream, text);
        return;
    }
    while (*digits == '0' && digits[1]) digits++;
    fprintf(stream, "$%.*s\\times10^{%s%s}$", (int)(e - text), text, e[1] == '-' ? "-" : "", digits);
}

/* ---- a table ---- */

static void put_cell(const pg_table *table, int row, int c, FILE *stream)
{
    char text[PG_TABLE_SHOWN];
    const char *shown = row < 0 ? table->columns[c].name : pg_table_show(table, row, c, 0, text);
    if (row < 0 || pg_column_is_words(&table->columns[c]))
        put_tex(stream, shown);
    else if (strcmp(shown, "-") == 0)
        fputs("--", stream);
    else
        put_number(stream, shown);
}

static bool in_part(const pg_table_parts *p, int c)
{
    return p->layout->widths[c] && ((c >= p->headings && c < p->keys) || (c >= p->from && c < p->to));
}

/* A row of the part; row -1 is the header. The empty group keeps a bracket or star from being read as one of the line end. */
static void put_row(const pg_table_parts *p, int row, FILE *stream)
{
    const char *before = "{}";
    for (int c = 0; c < p->table->column_count; c++) {
        if (!in_part(p, c)) continue;
        fputs(before, stream);
        put_cell(p->table, row, c, stream);
        before = " & ";
    }
    fputs(" \\\\\n", stream);
}

/* The intervals of a row, below its means. */
static void put_intervals(const pg_table_parts *p, int row, FILE *stream)
{
    char text[PG_TABLE_SHOWN];
    const char *before = "{}";
    if (!pg_table_has_interval(p->table, row, p->from, p->to)) return;
    for (int c = 0; c < p->table->column_count; c++) {
        if (!in_part(p, c)) continue;
        fputs(before, stream);
        if (pg_table_show_interval(p->table, row, c, text)[0]) fprintf(stream, "{\\footnotesize$%s$}", text);
        before = " & ";
    }
    fputs(" \\\\\n", stream);
}

static void put_heading(const pg_table_parts *p, int row, FILE *stream)
{
    int columns = 0;
    const char *before = "";
    for (int c = 0; c < p->table->column_count; c++) columns += in_part(p, c);
    fprintf(stream, "\\multicolumn{%d}{@{}l}{", columns);
    for (int c = 0; c < p->headings; c++) {
        if (!p->layout->widths[c]) continue;
        fputs(before, stream);
        put_tex(stream, p->table->columns[c].name);
        fputc(' ', stream);
        put_cell(p->table, row, c, stream);
        before = ", ";
    }
    fputs("} \\\\\n", stream);
}

static void put_part(const pg_table_parts *p, FILE *stream)
{
    fputs(p->first ? "\\begin{tabular}{@{}" : "\n\\medskip\n\\noindent\\begin{tabular}{@{}", stream);
    for (int c = 0; c < p->table->column_count; c++) {
        if (!in_part(p, c)) continue;
        const bool words = pg_column_is_words(&p->table->columns[c]);
        fputs(!words ? "r" : p->layout->widths[c] > PARAGRAPH ? "p{0.6\\linewidth}" : "l", stream);
    }
    fputs("@{}}\n\\toprule\n", stream);
    put_row(p, -1, stream);
    fputs("\\midrule\n", stream);
    for (int row = 0; row < p->table->row_count; row++) {
        if (pg_table_parts_heading(p, row)) put_heading(p, row, stream);
        if (pg_table_parts_blank(p, row)) continue;
        put_row(p, row, stream);
        put_intervals(p, row, stream);
    }
    fputs("\\bottomrule\n\\end{tabular}\n", stream);
}

/* Texts that all rows share are for the caption, which the paper writes: they are a comment here. */
static void put_comment(FILE *stream, const char *text)
{
    fputs("% ", stream);
    for (; *text; text++) fputc(iscntrl((unsigned char)*text) ? ' ' : *text, stream);
    fputc('\n', stream);
}

typedef struct laid_out {
    const pg_table *table;
    pg_table_layout layout;
} laid_out;

static pg_status put_tabular(FILE *stream, const void *context, pg_error *err)
{
    const laid_out *whole = context;
    pg_table_parts parts = pg_table_parts_of(whole->table, &whole->layout, PAGE);
    (void)err;
    put_comment(stream, whole->table->title ? whole->table->title : "");
    pg_table_describe(whole->table, &whole->layout, put_comment, stream);
    while (pg_table_parts_next(&parts)) put_part(&parts, stream);
    return PG_OK;
}

pg_status pg_table_write_latex(const pg_table *table, const char *path, pg_error *err)
{
    laid_out whole = {.table = table};
    pg_status status = pg_table_lay_out(table, PG_TABLE_WIDEST, &whole.layout, err);
    if (status == PG_OK) status = pg_file_print(path, put_tabular, &whole, PG_FILE_PUBLIC, err);
    pg_table_layout_clear(&whole.layout);
    return status;
}

/* ---- values ---- */

/* Append a text to a key: lower-case letters, digits and dots, with hyphens between words. */
static void put_slug(FILE *stream, const char *text)
{
    bool some = false, gap = false;
    for (; *text; text++) {
        const bool plain = isalnum((unsigned char)*text) || *text == '.';
        if (plain && gap && some) fputc('-', stream);
        if (plain) fputc(tolower((unsigned char)*text), stream);
        some |= plain;
        gap = !plain;
    }
}

/* The key of a cell: TABLE/TEXTS/COLUMN, without the texts that all rows share. */
static pg_status name_value(const pg_table *table, const pg_table_layout *l, const char *name, int row, int column,
                            pg_text_pool *keys, const char **key, pg_error *err)
{
    char *text = NULL;
    size_t bytes = 0;
    int number, before = keys->count;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return pg_fail(err, PG_NO_MEMORY, "out of memory for a key");
    fputs(name, stream);
    for (int c = 0; c < table->column_count; c++) {
        const bool said = table->columns[c].kind == PG_COLUMN_TEXT && !l->common[c] && pg_table_text(table, row, c)[0];
        if (!said && c != column) continue;
        fputc('/', stream);
        put_slug(stream, c == column ? table->columns[c].name : pg_table_text(table, row, c));
    }
    pg_status status = fclose(stream) == 0 ? PG_OK : pg_fail(err, PG_NO_MEMORY, "out of memory for a key");
    if (status == PG_OK) status = pg_text_pool_keep(keys, text, key, &number, err);
    for (int again = 2; status == PG_OK && number < before; again++) /* two texts may differ in other characters alone */
        status = pg_text_pool_print(keys, key, &number, err, "%s:%d", text, again);
    free(text);
    return status;
}

static void put_value(FILE *stream, const char *key, const char *of, const char *text)
{
    fprintf(stream, "\\pgset{%s%s}{", key, of);
    put_number(stream, text);
    fputs("}\n", stream);
}

static void put_sample(const pg_table *table, int row, int c, const char *key, FILE *stream)
{
    char text[PG_TABLE_SHOWN];
    double low, high;
    const pg_sample *s = &pg_table_at(table, row, c)->sample;
    if (table->columns[c].kind != PG_COLUMN_MEAN) {
        put_value(stream, key, "", pg_table_show(table, row, c, 0, text));
        return;
    }
    snprintf(text, sizeof text, "%.2f", pg_sample_mean(s));
    put_value(stream, key, "", text);
    snprintf(text, sizeof text, "%d", s->count);
    put_value(stream, key, "/n", text);
    if (s->count < 2) return;
    snprintf(text, sizeof text, "%.2f", pg_sample_sd(s));
    put_value(stream, key, "/sd", text);
    pg_table_interval(table, row, c, &low, &high);
    snprintf(text, sizeof text, "%.2f", low);
    put_value(stream, key, "/low", text);
    snprintf(text, sizeof text, "%.2f", high);
    put_value(stream, key, "/high", text);
}

pg_status pg_table_print_values(const pg_table *table, const char *name, FILE *stream, pg_error *err)
{
    pg_table_layout l = {0};
    pg_text_pool keys = {0};
    pg_status status = PG_OK;
    PG_TRY(pg_table_lay_out(table, PG_TABLE_WIDEST, &l, err));
    for (int row = 0; row < table->row_count; row++)
        for (int c = 0; c < table->column_count; c++) {
            const char *key = NULL;
            if (table->columns[c].kind == PG_COLUMN_TEXT || pg_table_is_empty(table, row, c)) continue;
            PG_TRY(name_value(table, &l, name, row, c, &keys, &key, err));
            put_sample(table, row, c, key, stream);
        }
done:
    pg_text_pool_clear(&keys);
    pg_table_layout_clear(&l);
    return status;
}

void pg_latex_head(FILE *stream)
{
    fputs(
        "% Every number of the tables beside this file. In the preamble: \\usepackage{booktabs} and \\input{tables/values}.\n"
        "%   \\pgvalue{schemes/NAME/accuracy}   the mean; /sd and /n after it: the standard deviation, the number of values;\n"
        "%                                     /low and /high: the 95 % interval of the mean\n"
        "%   \\pgtable{schemes}                 the whole table; \\renewcommand{\\pgtables}{DIR/} if it is not in tables/\n"
        "\\providecommand{\\pgtables}{tables/}\n"
        "\\providecommand{\\pgtable}[1]{\\input{\\pgtables#1.tex}}\n"
        "\\providecommand{\\pgset}[2]{\\expandafter\\def\\csname pgvalue/#1\\endcsname{#2}}\n"
        "\\providecommand{\\pgvalue}[1]{\\ifcsname pgvalue/#1\\endcsname\\csname pgvalue/#1\\endcsname\\else\n"
        "  \\PackageError{passgrid}{no value '#1'}{tables/values.tex lists all.}??\\fi}\n",
        stream);
}
