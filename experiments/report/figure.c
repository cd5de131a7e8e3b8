/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures and gnuplot; see figure.h. */
#include "experiments/report/figure.h"

#include "core/base/child.h"
#include "core/base/directory.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/number.h"

#include <ctype.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- points ----------------------------------------------------------------------------------------------------------- */

pg_status pg_figure_columns(pg_figure *f, const pg_column *columns, const char *other, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_table_column(&f->points, "line", PG_COLUMN_NUMBER, err));
    PG_TRY(pg_table_columns(&f->points, columns, err));
    PG_TRY(pg_table_column(&f->points, "series", PG_COLUMN_TEXT, err));
    PG_TRY(pg_table_column(&f->points, other, PG_COLUMN_TEXT, err));
done:
    return status;
}

pg_status pg_figure_point(pg_figure *f, const char *key, const char *series, const char *detail, int *row, pg_error *err)
{
    pg_status status = PG_OK;
    int line;
    const int before = f->points.row_count, texts = f->points.column_count - 2;
    PG_TRY(pg_text_pool_keep(&f->series, key, NULL, &line, err));
    PG_TRY(pg_table_row(&f->points, row, err, "%d %s", line, detail));
    if (*row < before) return PG_OK;
    PG_TRY(pg_table_add(&f->points, *row, 0, line + 1, err));
    PG_TRY(pg_table_put(&f->points, *row, texts, (const char *const[]){series, detail, NULL}, err));
done:
    return status;
}

void pg_figure_clear(pg_figure *f)
{
    pg_table_clear(&f->points);
    pg_text_pool_clear(&f->series);
}

static int line_of(const pg_table *points, int row)
{
    return (int)pg_table_at(points, row, 0)->sample.one;
}

/* Mean of a sample, and its standard deviation, 0 for a single value. */
static void summarise(const pg_sample *s, double *mean, double *spread)
{
    *mean = gsl_stats_mean(pg_sample_values(s), 1, (size_t)s->count);
    *spread = s->count > 1 ? gsl_stats_sd(pg_sample_values(s), 1, (size_t)s->count) : 0;
}

/* By series, then along the x axis, then by what the point is. */
static int by_place(const void *a, const void *b, void *columns)
{
    const pg_table_cell *one = a, *other = b;
    double x, y, spread;
    const int lines = (int)one->sample.one - (int)other->sample.one;
    if (lines || !one[1].sample.count || !other[1].sample.count) return lines;
    summarise(&one[1].sample, &x, &spread);
    summarise(&other[1].sample, &y, &spread);
    const int detail = *(const int *)columns - 1;
    return x < y ? -1 : x > y ? 1 : strcmp(one[detail].text, other[detail].text);
}

/* ---- names ------------------------------------------------------------------------------------------------------------ */

/* A file's name, with ".XXXXXX.part" while it is written, has at most 255 bytes. */
enum { NAME_LONGEST = 200, HASH_DIGITS = 8 };

/* Replace every character that a file name should not have by a dash. */
static void put_plain(FILE *stream, const char *text)
{
    bool dash = false;
    for (; *text; text++) {
        const bool plain = isalnum((unsigned char)*text) || *text == '.';
        if (plain || !dash) fputc(plain ? *text : '-', stream);
        dash = !plain;
    }
}

/* kind-part-part, and a hash of what the parts really are. */
static pg_status spell(const char *kind, const char *const *parts, char **name, char hash[PG_SHA256_HEX], pg_error *err)
{
    size_t bytes = 0;
    pg_hash identity;
    FILE *stream = open_memstream(name, &bytes);
    if (!stream) return pg_fail(err, PG_NO_MEMORY, "out of memory for a figure");
    pg_hash_start(&identity);
    fputs(kind, stream);
    for (; *parts; parts++) {
        fputc('-', stream);
        put_plain(stream, *parts);
        pg_hash_add_text(&identity, *parts);
    }
    pg_hash_finish_hex(&identity, hash);
    return fclose(stream) == 0 ? PG_OK : pg_fail(err, PG_NO_MEMORY, "out of memory for a figure");
}

/* Take a name for one figure's files: false if another figure has it. */
static pg_status take(pg_figures *all, const char *name, bool *taken, pg_error *err)
{
    pg_status status = PG_OK;
    char *lower = NULL;
    int number;
    const int before = all->taken.count;
    PG_TRY(pg_strdup(name, &lower, err));
    for (char *c = lower; *c; c++) *c = (char)tolower((unsigned char)*c);
    PG_TRY(pg_text_pool_keep(&all->taken, lower, NULL, &number, err));
    *taken = number == before;
    if (!*taken) goto done;
    PG_TRY(pg_grow(&all->names, all->count, sizeof *all->names, err));
    PG_TRY(pg_strdup(name, &all->names[all->count], err));
    all->count++;
done:
    pg_free(lower);
    return status;
}

/* A name that no other figure has, the last of all->names then. part: of a figure in several, from 1; 0: it is one. */
static pg_status name_figure(const pg_figure *f, const char *const *parts, int part, pg_figures *all, pg_error *err)
{
    pg_status status = PG_OK;
    char *plain = NULL, name[NAME_LONGEST + 64], hash[PG_SHA256_HEX], suffix[24] = "";
    bool taken = false;
    PG_TRY(spell(f->kind, parts, &plain, hash, err));
    if (part) snprintf(suffix, sizeof suffix, "-part%d", part);
    if (strlen(plain) <= NAME_LONGEST) {
        snprintf(name, sizeof name, "%s%s", plain, suffix);
        PG_TRY(take(all, name, &taken, err));
    }
    if (taken) goto done;
    snprintf(name, sizeof name, "%.*s-%.*s%s", NAME_LONGEST - HASH_DIGITS - 1, plain, HASH_DIGITS, hash, suffix);
    PG_TRY(take(all, name, &taken, err));
    if (!taken) status = pg_fail(err, PG_FAILED, "two figures are called %s", name);
done:
    free(plain);
    return status;
}

void pg_figures_clear(pg_figures *all)
{
    for (int i = 0; i < all->count; i++) pg_free(all->names[i]);
    pg_free(all->names);
    pg_text_pool_clear(&all->taken);
    *all = (pg_figures){.directory = all->directory};
}

/* ---- scripts ---------------------------------------------------------------------------------------------------------- */

/* A text of gnuplot: nothing in single quotes means anything but a quote. */
static void quote(FILE *stream, const char *text)
{
    fputc('\'', stream);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', stream);
        fputc(*text, stream);
    }
    fputc('\'', stream);
}

/* Longest text that fits in a legend. */
enum { HEADING = 110, REMARK = 130, LEGEND = 56, MARGIN = 40, LETTER = 8, LINE = 19, BODY = 400, WIDEST = 4 * REMARK + 1 };

static void put_text(FILE *stream, const char *name, const char *text, int width)
{
    char shown[WIDEST];
    fprintf(stream, "%s = ", name);
    quote(stream, pg_shorten(text ? text : "", width, shown, sizeof shown));
    fputc('\n', stream);
}

/* array series[2] = ['plain', 'v1'], and how many lines the legend takes. Rows of one series stand together. */
static int put_series(const pg_figure *f, const pg_table *points, FILE *stream)
{
    char shown[WIDEST];
    const int column = f->points.column_count - 2;
    int count = 0, widest = 0;
    for (int r = 0; r < points->row_count; r++) count += r == 0 || line_of(points, r) != line_of(points, r - 1);
    fprintf(stream, "first = %d\narray series[%d] = [", line_of(points, 0), count);
    for (int r = 0; r < points->row_count; r++) {
        if (r && line_of(points, r) == line_of(points, r - 1)) continue;
        if (r) fputs(", ", stream);
        pg_shorten(pg_table_text(points, r, column), LEGEND, shown, sizeof shown);
        quote(stream, shown);
        if (pg_utf8_width(shown) > widest) widest = pg_utf8_width(shown);
    }
    const int across = f->width / (widest * LETTER + MARGIN), columns = across < 1 ? 1 : across > count ? count : across;
    fprintf(stream, "]\ncolumns = %d\n", columns);
    return (count + columns - 1) / columns;
}

/* The smallest of 1, 2, 5, 10, 20, ... of which at most ten make up the span. */
static double whole_step(double span)
{
    double step = 1;
    for (int i = 0; step * 10 < span; i++) step *= i % 3 == 1 ? 2.5 : 2;
    return step;
}

/* What a column's values span, and what guessing gives where its name says accuracy; a twentieth more on both sides. */
static void span_of(const pg_figure *f, const pg_table *points, int column, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int r = 0; r < points->row_count; r++) {
        const pg_sample *s = &pg_table_at(points, r, column)->sample;
        double mean, spread;
        if (!s->count) continue;
        summarise(s, &mean, &spread);
        *low = fmin(*low, mean - spread);
        *high = fmax(*high, mean + spread);
    }
    if (!isfinite(*low)) *low = *high = 0;
    if (strncmp(points->columns[column].name, "accuracy", 8) == 0) {
        *low = fmin(*low, f->chance); /* not a number: as it was */
        *high = fmax(*high, f->chance);
    }
    const double more = *high > *low ? (*high - *low) / 20 : 1;
    *low -= more;
    *high += more;
}

static void put_spans(const pg_figure *f, const pg_table *points, FILE *stream)
{
    char text[PG_NUMBER_MAX];
    const int columns = points->column_count - 2;
    fprintf(stream, "array low[%d]\narray high[%d]\n", columns, columns);
    for (int c = 1; c < columns; c++) {
        double low, high;
        span_of(f, points, c, &low, &high);
        fprintf(stream, "low[%d] = %s\n", c, pg_number_text(low, text));
        fprintf(stream, "high[%d] = %s\n", c, pg_number_text(high, text));
        if (c == 1) fprintf(stream, "step = %s\n", pg_number_text(whole_step(high - low), text));
    }
    fprintf(stream, "chance = %s\n", isnan(f->chance) ? "NaN" : pg_number_text(f->chance, text));
}

/* Colours that people with any colour vision can tell apart (Okabe and Ito); then other dashes and marks. */
static const char palette[] =
    "array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']\n"
    "array mark[21] = [7, 5, 9, 11, 13, 15, 1, 6, 4, 8, 10, 12, 14, 2, 5, 7, 11, 9, 15, 13, 3]\n"
    "published(i) = series[i][1:9] eq 'published'\n"
    "paint(i) = published(i) ? '#888888' : colour[(i - 1) % 7 + 1]\n"
    "dash(i) = published(i) ? 4 : (i - 1) / 7 % 3 + 1\n"
    "shape(i) = mark[(i - 1) % 21 + 1]\n"
    "of(i, name) = column('line') == first + i - 1 ? column(name) : NaN\n"
    "spread(name) = strlen(strcol(name)) ? column(name) : 0\n";

/* One terminal after the other. Sizes are those of the SVG in pixels. */
static void put_terminals(const pg_figure *f, int height, FILE *stream)
{
    fprintf(stream,
            "do for [format in 'svg png pdf'] {\n"
            "if (format eq 'svg') {\n"
            "    set terminal svg size %d,%d font 'DejaVu Sans,13' noenhanced background 'white'\n"
            "}\n"
            "if (format eq 'png') {\n"
            "    set terminal pngcairo size %d,%d font 'DejaVu Sans,10' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced\n"
            "}\n"
            "if (format eq 'pdf') {\n"
            "    set terminal pdfcairo size %d.0/100,%d.0/100 font 'DejaVu Sans,9.4' noenhanced\n"
            "}\n",
            f->width, height, f->width * 3 / 2, height * 3 / 2, f->width, height);
}

/* The legend lies below the axis, as high as it must be. */
static void put_frame(const pg_figure *f, int height, int legend, FILE *stream)
{
    fprintf(stream,
            "set key at screen 0.5, screen 6.0 / %d center bottom horizontal maxcols columns reverse Left samplen 3\n"
            "set label 1 heading.\"\\n\".remark at screen 0.5, screen 1 - 18.0 / %d center font ',12'\n"
            "set tmargin at screen 1 - 50.0 / %d\n"
            "set bmargin at screen %d.0 / %d\n"
            "set lmargin at screen 75.0 / %d\n"
            "set rmargin at screen 1 - 20.0 / %d\n",
            height, height, height, 72 + LINE * legend, height, f->width, f->width);
}

/* A figure, its points, and the name of both their files. */
typedef struct drawing {
    const pg_figure *figure;
    const pg_table *points;
    const char *name;
} drawing;

static pg_status put_script(FILE *stream, const void *context, pg_error *err)
{
    const drawing *s = context;
    (void)err;
    fprintf(stream, "# gnuplot %s.gp draws %s.svg, %s.png and %s.pdf from %s.csv\n", s->name, s->name, s->name, s->name,
            s->name);
    fprintf(stream, "points = '%s.csv'\n", s->name);
    put_text(stream, "heading", s->points->title, HEADING);
    put_text(stream, "remark", s->points->label, REMARK);
    const int legend = put_series(s->figure, s->points, stream), height = BODY + LINE * legend;
    put_spans(s->figure, s->points, stream);
    fputs(palette, stream);
    fputs("set datafile separator comma\n"
          "set datafile columnheaders\n"
          "set border 3 linewidth 1\n"
          "set tics nomirror out\n"
          "set grid linecolor '#cccccc'\n",
          stream);
    put_terminals(s->figure, height, stream);
    put_frame(s->figure, height, legend, stream);
    fprintf(stream, "set output '%s.'.format\n%s}\nunset output\n", s->name, s->figure->body);
    return PG_OK;
}

/* ---- files ------------------------------------------------------------------------------------------------------------ */

static pg_status path_of(const pg_figures *all, const char *name, const char *ending, char path[PG_PATH_MAX], pg_error *err)
{
    char folder[PG_PATH_MAX];
    const pg_status status = pg_path(folder, all->directory, "figures", NULL, err);
    if (status != PG_OK) return status;
    if (snprintf(path, PG_PATH_MAX, "%s/%s.%s", folder, name, ending) >= PG_PATH_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s/%s: path too long", folder, name);
    return PG_OK;
}

/* Write some rows of the points as a figure. */
static pg_status write_part(const pg_figure *f, const char *const *parts, int part, int from, int to, pg_figures *all,
                            pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    pg_table points = f->points; /* a view */
    points.cells += from * points.column_count;
    points.row_count = to - from;
    PG_TRY(name_figure(f, parts, part, all, err));
    const char *name = all->names[all->count - 1];
    PG_TRY(path_of(all, name, "csv", path, err));
    PG_TRY(pg_table_write_csv(&points, path, err));
    PG_TRY(path_of(all, name, "gp", path, err));
    PG_TRY(pg_file_print(path, put_script, &(drawing){f, &points, name}, PG_FILE_PUBLIC, err));
done:
    return status;
}

pg_status pg_figure_finish(pg_figure *f, const char *const *parts, pg_figures *all, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    const pg_table *points = &f->points;
    const int rows = points->row_count;
    if (!rows) goto done;
    qsort_r(points->cells, (size_t)rows, (size_t)points->column_count * sizeof *points->cells, by_place,
            &f->points.column_count);
    PG_TRY(pg_path(path, all->directory, "figures", NULL, err));
    PG_TRY(pg_make_directories(path, err));
    for (int from = 0, to, part = f->series.count > PG_FIGURE_SERIES; from < rows; from = to, part++) {
        const int beyond = (line_of(points, from) - 1) / PG_FIGURE_SERIES * PG_FIGURE_SERIES + PG_FIGURE_SERIES;
        for (to = from; to < rows && line_of(points, to) <= beyond; to++) {
        }
        PG_TRY(write_part(f, parts, part, from, to, all, err));
    }
done:
    pg_figure_clear(f);
    return status;
}

/* ---- what earlier calls left ------------------------------------------------------------------------------------------ */

/* The script goes last, so that the next call goes on where this one stopped. */
static pg_status remove_figure(const pg_figures *all, const char *name, pg_error *err)
{
    static const char *const endings[] = {"csv", "svg", "png", "pdf", "gp"};
    char path[PG_PATH_MAX];
    pg_status status = PG_OK;
    for (int i = 0; i < 5; i++) {
        PG_TRY(path_of(all, name, endings[i], path, err));
        PG_TRY(pg_file_remove(path, err));
    }
done:
    return status;
}

static pg_status remove_others(const pg_figures *all, const char *folder, pg_error *err)
{
    pg_names files;
    if (!pg_file_exists(folder)) return PG_OK;
    pg_status status = pg_directory_list(folder, &files, err);
    for (int i = 0; i < files.count && status == PG_OK; i++) {
        char *dot = strrchr(files.name[i], '.');
        int k = 0;
        if (!dot || strcmp(dot, ".gp") != 0) continue;
        *dot = 0;
        while (k < all->count && strcmp(all->names[k], files.name[i]) != 0) k++;
        if (k == all->count) status = remove_figure(all, files.name[i], err);
    }
    pg_names_clear(&files);
    return status;
}

/* ---- gnuplot ---------------------------------------------------------------------------------------------------------- */

/* Run gnuplot on a script in a folder and discard its output. *found is false if gnuplot is not installed. */
static pg_status run_gnuplot(const char *folder, const char *name, bool *found, pg_error *err)
{
    char script[NAME_LONGEST + 64];
    const char *const argv[] = {"gnuplot", script, NULL};
    int code;
    snprintf(script, sizeof script, "%s.gp", name);
    const pg_status status = pg_child_run(argv, folder, NULL, 0, &code, err);
    *found = status != PG_OK || code != PG_NO_PROGRAM;
    if (status != PG_OK || code == 0 || !*found) return status;
    return pg_fail(err, PG_IO_FAULT, "gnuplot failed on %s/%s; run it there by hand to see why", folder, script);
}

/* gnuplot writes the time into a PDF: the same points give the same bytes without it. */
static pg_status forget_time(const char *path, pg_error *err)
{
    static const char key[] = "/CreationDate (D:", digits[] = "20000101000000";
    char *data = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read(path, &data, &bytes, err);
    if (status != PG_OK) return status;
    char *at = memmem(data, bytes, key, sizeof key - 1);
    if (at && at + sizeof key + sizeof digits < data + bytes) memcpy(at + sizeof key - 1, digits, sizeof digits - 1);
    status = pg_file_write(path, data, bytes, PG_FILE_PUBLIC, err);
    pg_free(data);
    return status;
}

static pg_status draw(const pg_figures *all, const char *folder, const char *name, bool *found, pg_error *err)
{
    char path[PG_PATH_MAX];
    pg_status status = PG_OK;
    PG_TRY(run_gnuplot(folder, name, found, err));
    if (!*found) return PG_OK;
    PG_TRY(path_of(all, name, "pdf", path, err));
    if (pg_file_exists(path)) PG_TRY(forget_time(path, err));
done:
    return status;
}

pg_status pg_figures_draw(const pg_figures *all, int *drawn, pg_error *err)
{
    char folder[PG_PATH_MAX];
    bool found = true;
    pg_status status = PG_OK;
    PG_TRY(pg_path(folder, all->directory, "figures", NULL, err));
    PG_TRY(remove_others(all, folder, err));
    for (int i = 0; i < all->count && found; i++) PG_TRY(draw(all, folder, all->names[i], &found, err));
    *drawn = found ? all->count : -1;
done:
    return status;
}
