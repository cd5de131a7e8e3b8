/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of figures and the names of their files; see figure.h. */
#include "experiments/report/figure_internal.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"

#include <ctype.h>
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

/* Order: by series, then along the x axis, then by the text of the point. */
static int by_place(const void *a, const void *b, void *columns)
{
    const pg_table_cell *one = a, *other = b;
    const int lines = (int)one->sample.one - (int)other->sample.one;
    if (lines || !one[1].sample.count || !other[1].sample.count) return lines;
    const double x = pg_sample_mean(&one[1].sample), y = pg_sample_mean(&other[1].sample);
    const int detail = *(const int *)columns - 1;
    return x < y ? -1 : x > y ? 1 : strcmp(one[detail].text, other[detail].text);
}

int pg_figure_line(const pg_table *points, int row)
{
    return (int)pg_table_at(points, row, 0)->sample.one;
}

/* ---- names ------------------------------------------------------------------------------------------------------------ */

enum { HASH_DIGITS = 8 };

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

/* Append a name that no other figure has to all->names. part: number of this part, from 1; 0: the figure is in one piece. */
static pg_status name_figure(const pg_figure *f, const char *const *parts, int part, pg_figures *all, pg_error *err)
{
    pg_status status = PG_OK;
    char *plain = NULL, name[PG_FIGURE_NAME + 64], hash[PG_SHA256_HEX], suffix[24] = "";
    bool taken = false;
    PG_TRY(spell(f->kind, parts, &plain, hash, err));
    if (part) snprintf(suffix, sizeof suffix, "-part%d", part);
    if (strlen(plain) <= PG_FIGURE_NAME) {
        snprintf(name, sizeof name, "%s%s", plain, suffix);
        PG_TRY(take(all, name, &taken, err));
    }
    if (taken) goto done;
    snprintf(name, sizeof name, "%.*s-%.*s%s", PG_FIGURE_NAME - HASH_DIGITS - 1, plain, HASH_DIGITS, hash, suffix);
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

/* ---- files ------------------------------------------------------------------------------------------------------------ */

pg_status pg_figure_path(const pg_figures *all, const char *name, const char *ending, char path[PG_PATH_MAX], pg_error *err)
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
    PG_TRY(pg_figure_path(all, name, "csv", path, err));
    PG_TRY(pg_table_write_csv(&points, path, err));
    PG_TRY(pg_figure_path(all, name, "gp", path, err));
    PG_TRY(pg_file_print(path, pg_figure_script, &(pg_figure_drawing){f, &points, name}, PG_FILE_PUBLIC, err));
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
    const int figures = (f->series.count + PG_FIGURE_SERIES - 1) / PG_FIGURE_SERIES;
    const int each = (f->series.count + figures - 1) / figures;
    for (int from = 0, to, part = figures > 1; from < rows; from = to, part++) {
        const int beyond = (pg_figure_line(points, from) - 1) / each * each + each;
        for (to = from; to < rows && pg_figure_line(points, to) <= beyond; to++) {
        }
        PG_TRY(write_part(f, parts, part, from, to, all, err));
    }
done:
    pg_figure_clear(f);
    return status;
}
