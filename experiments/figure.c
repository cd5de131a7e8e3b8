/* Figures and gnuplot; see figure.h. */
#include "experiments/figure.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* ---- files ------------------------------------------------------------------------------------------------------------ */

/* What cannot stand in a file's name becomes a dash. */
void pg_figure_name(pg_figure *f, const char *const *parts)
{
    size_t used = (size_t)snprintf(f->name, sizeof f->name, "%s", f->kind);
    for (; *parts; parts++) {
        if (used < sizeof f->name - 1) f->name[used++] = '-';
        for (const char *at = *parts; *at && used < sizeof f->name - 1; at++)
            if (isalnum((unsigned char)*at) || *at == '.')
                f->name[used++] = *at;
            else if (f->name[used - 1] != '-')
                f->name[used++] = '-';
        f->name[used] = 0;
    }
}

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

static bool first_of_series(pg_sheet *points, int row)
{
    for (int r = 0; r < row; r++)
        if (strcmp(pg_sheet_at(points, r, 0)->text, pg_sheet_at(points, row, 0)->text) == 0) return false;
    return true;
}

/* array series[2] = ['plain', 'v1'] */
static void put_series(pg_sheet *points, FILE *stream)
{
    int count = 0;
    for (int r = 0; r < points->row_count; r++) count += first_of_series(points, r);
    fprintf(stream, "array series[%d] = [", count);
    for (int r = 0, seen = 0; r < points->row_count; r++) {
        if (!first_of_series(points, r)) continue;
        if (seen++) fputs(", ", stream);
        quote(stream, pg_sheet_at(points, r, 0)->text);
    }
    fputs("]\n", stream);
}

/* Colours that people with any colour vision can tell apart (Okabe and Ito). */
static const char palette[] =
    "array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']\n"
    "array mark[7] = [7, 5, 9, 11, 13, 4, 6]\n"
    "published(i) = series[i][1:9] eq 'published'\n"
    "paint(i) = published(i) ? '#888888' : colour[(i - 1) % 7 + 1]\n"
    "dash(i) = published(i) ? 2 : 1\n"
    "shape(i) = mark[(i - 1) % 7 + 1]\n"
    "of(i, name) = strcol(1) eq series[i] ? column(name) : NaN\n"
    "spread(name) = strlen(strcol(name)) ? column(name) : 0\n";

static void put_script(pg_figure *f, FILE *stream)
{
    fprintf(stream, "# gnuplot %s.gp draws %s.svg and %s.png from %s.csv\n", f->name, f->name, f->name, f->name);
    fprintf(stream, "points = '%s.csv'\n", f->name);
    fputs("heading = ", stream);
    quote(stream, f->points.title);
    fputs("\nremark = ", stream);
    quote(stream, f->points.label);
    fputc('\n', stream);
    put_series(&f->points, stream);
    fputs(palette, stream);
    fprintf(stream,
            "set datafile separator comma\n"
            "set datafile columnheaders\n"
            "set border 3 linewidth 1\n"
            "set tics nomirror out\n"
            "set grid linecolor '#dddddd'\n"
            "do for [format in 'svg png'] {\n"
            "if (format eq 'svg') {\n"
            "    set terminal svg size %d,%d font 'DejaVu Sans,13' noenhanced background 'white'\n"
            "} else {\n"
            "    set terminal pngcairo size %d,%d font 'DejaVu Sans,13' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced\n"
            "}\n"
            "set output '%s.'.format\n"
            "%s"
            "}\n"
            "unset output\n",
            f->width, f->height, f->width * 3 / 2, f->height * 3 / 2, f->name, f->body);
}

static pg_status write_script(pg_figure *f, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return pg_fail(err, PG_NO_MEMORY, "out of memory for a figure");
    put_script(f, stream);
    const bool lost = ferror(stream) != 0;
    if (fclose(stream) != 0 || lost) PG_TRY(pg_fail(err, PG_NO_MEMORY, "out of memory for a figure"));
    PG_TRY(pg_file_write(path, text, bytes, PG_FILE_PUBLIC, err));
done:
    free(text);
    return status;
}

/* gnuplot 5.4 reads a quoted text in a file of commas only up to the first comma in it. */
static void drop_commas(pg_sheet *points)
{
    for (int r = 0; r < points->row_count; r++)
        for (char *c = pg_sheet_at(points, r, 0)->text; *c; c++)
            if (*c == ',') *c = ';';
}

static pg_status path_of(const pg_figures *all, const char *name, const char *ending, char path[PG_PATH_MAX], pg_error *err)
{
    char file[PG_FIGURE_NAME + 24];
    snprintf(file, sizeof file, "%s.%s", name, ending);
    return pg_path(path, all->directory, "figures", file, err);
}

pg_status pg_figure_finish(pg_figure *f, pg_figures *all, pg_error *err)
{
    char path[PG_PATH_MAX];
    pg_status status = PG_OK;
    if (f->points.row_count == 0) goto done;
    drop_commas(&f->points);
    PG_TRY(pg_path(path, all->directory, "figures", NULL, err));
    PG_TRY(pg_make_directories(path, err));
    PG_TRY(path_of(all, f->name, "csv", path, err));
    PG_TRY(pg_sheet_write_csv(&f->points, path, err));
    PG_TRY(path_of(all, f->name, "gp", path, err));
    PG_TRY(write_script(f, path, err));
    PG_TRY(pg_grow(&all->names, all->count, sizeof *all->names, err));
    memcpy(all->names[all->count++], f->name, sizeof f->name);
done:
    pg_sheet_clear(&f->points);
    return status;
}

/* ---- what earlier calls left ------------------------------------------------------------------------------------------ */

static int is_script(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".gp") == 0;
}

/* The script goes last, so that the next call goes on where this one stopped. */
static pg_status remove_figure(const pg_figures *all, const char *name, pg_error *err)
{
    static const char *const endings[] = {"csv", "svg", "png", "gp"};
    char path[PG_PATH_MAX];
    pg_status status = PG_OK;
    for (int i = 0; i < 4; i++) {
        PG_TRY(path_of(all, name, endings[i], path, err));
        PG_TRY(pg_file_remove(path, err));
    }
done:
    return status;
}

static pg_status remove_others(const pg_figures *all, const char *folder, pg_error *err)
{
    struct dirent **scripts = NULL;
    pg_status status = PG_OK;
    const int count = scandir(folder, &scripts, is_script, alphasort);
    if (count < 0) return errno == ENOENT ? PG_OK : pg_fail_errno(err, "%s", folder);
    for (int i = 0; i < count; i++) {
        char *name = scripts[i]->d_name;
        int k = 0;
        *strrchr(name, '.') = 0;
        while (k < all->count && strcmp(all->names[k], name) != 0) k++;
        if (status == PG_OK && k == all->count) status = remove_figure(all, name, err);
        free(scripts[i]);
    }
    free(scripts);
    return status;
}

/* ---- gnuplot ---------------------------------------------------------------------------------------------------------- */

/* Run gnuplot in a folder, its talk going nowhere: *found is false if there is none. */
static pg_status run_gnuplot(const char *folder, const char *name, bool *found, pg_error *err)
{
    char script[PG_FIGURE_NAME + 8];
    const char *const argv[] = {"gnuplot", script, NULL};
    posix_spawn_file_actions_t files;
    pid_t child = 0;
    int how = 0;
    snprintf(script, sizeof script, "%s.gp", name);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addchdir_np(&files, folder);
    errno = posix_spawnp(&child, argv[0], &files, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    *found = errno != ENOENT;
    if (!*found) return PG_OK;
    if (errno) return pg_fail_errno(err, "gnuplot cannot be run");
    while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return PG_OK;
    return pg_fail(err, PG_IO_FAULT, "gnuplot failed on %s/%s", folder, script);
}

pg_status pg_figures_draw(const pg_figures *all, int *drawn, pg_error *err)
{
    char folder[PG_PATH_MAX];
    bool found = true;
    pg_status status = PG_OK;
    PG_TRY(pg_path(folder, all->directory, "figures", NULL, err));
    PG_TRY(remove_others(all, folder, err));
    for (int i = 0; i < all->count && found; i++) PG_TRY(run_gnuplot(folder, all->names[i], &found, err));
    *drawn = found ? all->count : -1;
done:
    return status;
}
