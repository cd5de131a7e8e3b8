/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contents of a folder of pictures; see folder.h. */
#include "core/data/folder.h"

#include "core/base/file.h"
#include "core/data/image.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Adds the entry's name to *out if it is wanted. */
typedef pg_status picker(const char *folder, const char *entry, pg_names *out, pg_error *err);

static bool is_other_picture(const char *entry)
{
    static const char *const endings[] = {".bmp", ".gif", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif",
                                          ".jp2", ".jxl", ".pbm", ".pgm",  ".ppm",  ".tga",  ".psd",  ".svg"};
    const char *dot = strrchr(entry, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0) return true;
    return false;
}

static pg_status pick_picture(const char *folder, const char *entry, pg_names *out, pg_error *err)
{
    if (pg_image_name(entry)) return pg_names_add(out, entry, err);
    if (!is_other_picture(entry)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s/%s: pictures must be JPEG or PNG files; convert this file", folder, entry);
}

static pg_status pick_folder(const char *folder, const char *entry, pg_names *out, pg_error *err)
{
    char path[PG_PATH_MAX];
    struct stat info;
    const pg_status status = pg_path(path, folder, entry, NULL, err);
    if (status != PG_OK) return status;
    if (strcmp(entry, "__MACOSX") == 0 || stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return PG_OK;
    return pg_names_add(out, entry, err);
}

static pg_status list(const char *folder, picker *pick, pg_names *out, pg_error *err)
{
    pg_names all;
    *out = (pg_names){0};
    pg_status status = pg_directory_list(folder, &all, err);
    for (int i = 0; i < all.count && status == PG_OK; i++)
        if (all.name[i][0] != '.') status = pick(folder, all.name[i], out, err);
    if (status != PG_OK) pg_names_clear(out);
    pg_names_clear(&all);
    return status;
}

pg_status pg_folder_pictures(const char *folder, pg_names *out, pg_error *err)
{
    return list(folder, pick_picture, out, err);
}

pg_status pg_folder_folders(const char *folder, pg_names *out, pg_error *err)
{
    return list(folder, pick_folder, out, err);
}
