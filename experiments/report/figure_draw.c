/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removes the figures of earlier calls and runs gnuplot. */
#include "experiments/report/figure_internal.h"

#include "core/base/child.h"
#include "core/base/directory.h"
#include "core/base/file.h"
#include "core/base/memory.h"

#include <string.h>

/* ---- what earlier calls left ------------------------------------------------------------------------------------------ */

/* The script is deleted last, so that the next call continues if this one stops. */
static pg_status remove_figure(const pg_figures *all, const char *name, pg_error *err)
{
    static const char *const endings[] = {"csv", "svg", "png", "pdf", "gp"};
    char path[PG_PATH_MAX];
    pg_status status = PG_OK;
    for (int i = 0; i < 5; i++) {
        PG_TRY(pg_figure_path(all, name, endings[i], path, err));
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
    char script[PG_FIGURE_NAME + 64];
    const char *const argv[] = {"gnuplot", script, NULL};
    int code;
    snprintf(script, sizeof script, "%s.gp", name);
    const pg_status status = pg_child_run(argv, folder, NULL, 0, &code, err);
    *found = status != PG_OK || code != PG_NO_PROGRAM;
    if (status != PG_OK || code == 0 || !*found) return status;
    return pg_fail(err, PG_IO_FAULT, "gnuplot failed on %s/%s; run it there by hand to see why", folder, script);
}

/* gnuplot writes the time into a PDF. Overwrite it, so that the same points give the same bytes. */
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
    PG_TRY(pg_figure_path(all, name, "pdf", path, err));
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
