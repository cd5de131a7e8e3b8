/* What stands in a folder of pictures; see folder.h. */
#include "core/data/folder.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/data/image.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

void pg_names_clear(pg_names *names)
{
    for (int i = 0; i < names->count; i++) pg_free(names->name[i]);
    pg_free(names->name);
    *names = (pg_names){0};
}

static pg_status append(pg_names *names, const char *name, pg_error *err)
{
    pg_status status = pg_grow(&names->name, names->count, sizeof *names->name, err);
    if (status != PG_OK) return status;
    status = pg_strdup(name, &names->name[names->count], err);
    names->count += status == PG_OK;
    return status;
}

/* Adds the entry's name if it counts. */
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
    if (pg_image_name(entry)) return append(out, entry, err);
    if (!is_other_picture(entry)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s/%s: pictures must be JPEG or PNG files; convert this one", folder, entry);
}

static pg_status pick_folder(const char *folder, const char *entry, pg_names *out, pg_error *err)
{
    char path[PG_PATH_MAX];
    struct stat info;
    const pg_status status = pg_path(path, folder, entry, NULL, err);
    if (status != PG_OK) return status;
    if (strcmp(entry, "__MACOSX") == 0 || stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return PG_OK;
    return append(out, entry, err);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static pg_status list(const char *folder, picker *pick, pg_names *out, pg_error *err)
{
    pg_status status = PG_OK;
    DIR *dir = opendir(folder);
    *out = (pg_names){0};
    if (!dir) return pg_fail_errno(err, "%s", folder);
    for (const struct dirent *entry; status == PG_OK && (errno = 0, entry = readdir(dir));)
        if (entry->d_name[0] != '.') status = pick(folder, entry->d_name, out, err);
    if (status == PG_OK && errno) status = pg_fail_errno(err, "%s", folder);
    closedir(dir);
    if (status != PG_OK) pg_names_clear(out);
    if (out->count) qsort(out->name, (size_t)out->count, sizeof *out->name, by_bytes);
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
