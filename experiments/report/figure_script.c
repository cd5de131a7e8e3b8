/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes the gnuplot script of a figure. */
#include "experiments/report/figure_internal.h"

#include "core/base/utf8.h"
#include "core/formats/number.h"

#include <math.h>
#include <string.h>

/* Write a gnuplot string: between single quotes only the quote itself is special. */
static void quote(FILE *stream, const char *text)
{
    fputc('\'', stream);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', stream);
        fputc(*text, stream);
    }
    fputc('\'', stream);
}

/* Pixels: of a letter, of a legend's line and its sample, of the margins beside and below a plot, and of a figure without its
 * legend; LEGEND: letters of the longest series. */
enum { LETTER = 8, LINE = 20, SAMPLE = 80, SIDES = 75, BELOW = 86, BODY = 414, LEGEND = 56, WIDEST = 1024 };

static void put_text(FILE *stream, const char *name, const char *text, int width)
{
    char shown[WIDEST];
    fprintf(stream, "%s = ", name);
    quote(stream, pg_shorten(text ? text : "", width, shown, sizeof shown));
    fputc('\n', stream);
}

/* Write `array series[2] = ['a', 'b']` and return the number of lines that the legend takes. The rows are sorted by
 * series. */
static int put_series(const pg_figure *f, const pg_table *points, FILE *stream)
{
    char shown[WIDEST];
    const int column = f->points.column_count - 2;
    int count = 0, widest = 0;
    for (int r = 0; r < points->row_count; r++) count += r == 0 || pg_figure_line(points, r) != pg_figure_line(points, r - 1);
    fprintf(stream, "first = %d\narray series[%d] = [", pg_figure_line(points, 0), count);
    for (int r = 0; r < points->row_count; r++) {
        if (r && pg_figure_line(points, r) == pg_figure_line(points, r - 1)) continue;
        if (r) fputs(", ", stream);
        pg_shorten(pg_table_text(points, r, column), LEGEND, shown, sizeof shown);
        quote(stream, shown);
        if (pg_utf8_width(shown) > widest) widest = pg_utf8_width(shown);
    }
    const int across = (f->width / (f->panels ? f->panels : 1) - SIDES) / (widest * LETTER + SAMPLE), columns = across < 1 ? 1
                                                                                                                : across > count
                                                                                                                    ? count
                                                                                                                    : across;
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

/* Range of a column's values, a twentieth wider on both sides. A column of accuracies also includes the accuracy of guessing.
 * */
static void span_of(const pg_figure *f, const pg_table *points, int column, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int r = 0; r < points->row_count; r++) {
        const pg_sample *s = &pg_table_at(points, r, column)->sample;
        if (!s->count) continue;
        const double mean = pg_sample_mean(s), spread = pg_sample_sd(s);
        *low = fmin(*low, mean - spread);
        *high = fmax(*high, mean + spread);
    }
    if (!isfinite(*low)) *low = *high = 0;
    if (strncmp(points->columns[column].name, "accuracy", 8) == 0) {
        *low = fmin(*low, f->chance); /* fmin and fmax ignore a NaN */
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

/* Seven colours for every kind of colour vision (Okabe and Ito); further series differ in dashes and marks. */
static const char palette[] =
    "array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']\n"
    "array mark[14] = [7, 5, 9, 11, 13, 15, 1, 6, 4, 8, 10, 12, 14, 2]\n"
    "published(i) = series[i][1:9] eq 'published'\n"
    "paint(i) = published(i) ? '#888888' : colour[(i - 1) % 7 + 1]\n"
    "dash(i) = published(i) ? 4 : (i - 1) / 7 % 2 + 1\n"
    "shape(i) = mark[(i - 1) % 14 + 1]\n"
    "of(i, name) = column('line') == first + i - 1 ? column(name) : NaN\n"
    "spread(name) = strlen(strcol(name)) ? column(name) : 0\n";

/* Begin a loop over the output formats. Sizes are pixels of the SVG. */
static void put_terminals(const pg_figure *f, int height, FILE *stream)
{
    fprintf(stream,
            "do for [format in 'svg png pdf'] {\n"
            "if (format eq 'svg') {\n"
            "    set terminal svg size %d,%d font 'DejaVu Sans,13' noenhanced background 'white'\n"
            "    set key spacing 1\n"
            "} else {\n"
            "    set key spacing 1.25 # the lines of a legend are as high as in SVG\n"
            "}\n"
            "if (format eq 'png') {\n"
            "    set terminal pngcairo size %d,%d font 'DejaVu Sans,10' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced\n"
            "}\n"
            "if (format eq 'pdf') {\n"
            "    set terminal pdfcairo size %d.0/100,%d.0/100 font 'DejaVu Sans,9.4' noenhanced\n"
            "}\n",
            f->width, height, f->width * 3 / 2, height * 3 / 2, f->width, height);
}

/* Put the legend below the axis and give it the height that it needs. */
static void put_frame(const pg_figure *f, int height, int legend, FILE *stream)
{
    fprintf(stream,
            "set key at screen 0.5, screen 6.0 / %d center bottom horizontal maxcols columns reverse Left samplen 3\n"
            "set label 1 heading.\"\\n\".remark at screen 0.5, screen 1 - 18.0 / %d center\n"
            "set tmargin at screen 1 - 50.0 / %d\n"
            "bottom = %d.0 / %d\n"
            "set bmargin at screen bottom\n"
            "set lmargin at screen 75.0 / %d\n"
            "set rmargin at screen 1 - 20.0 / %d\n",
            height, height, height, BELOW + LINE * legend, height, f->width, f->width);
}

pg_status pg_figure_script(FILE *stream, const void *context, pg_error *err)
{
    const pg_figure_drawing *s = context;
    (void)err;
    fprintf(stream, "# gnuplot %s.gp draws %s.svg, %s.png and %s.pdf from %s.csv\n", s->name, s->name, s->name, s->name,
            s->name);
    fprintf(stream, "points = '%s.csv'\n", s->name);
    put_text(stream, "heading", s->points->title, s->figure->width / LETTER);
    put_text(stream, "remark", s->points->label, s->figure->width / LETTER);
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
