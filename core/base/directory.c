/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Directories; see directory.h. */
#include "core/base/directory.h"

#include "core/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

void pg_names_clear(pg_names *names)
{
    for (int i = 0; i < names->count; i++) pg_free(names->name[i]);
    pg_free(names->name);
    *names = (pg_names){0};
}

pg_status pg_names_add(pg_names *names, const char *name, pg_error *err)
{
    pg_status status = pg_grow(&names->name, names->count, sizeof *names->name, err);
    if (status != PG_OK) return status;
    status = pg_strdup(name, &names->name[names->count], err);
    names->count += status == PG_OK;
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

pg_status pg_directory_list(const char *path, pg_names *out, pg_error *err)
{
    pg_status status = PG_OK;
    DIR *dir = opendir(path);
    *out = (pg_names){0};
    if (!dir) return pg_fail_errno(err, "%s", path);
    for (const struct dirent *entry; status == PG_OK && (errno = 0, entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) status = pg_names_add(out, entry->d_name, err);
    if (status == PG_OK && errno) status = pg_fail_errno(err, "%s", path);
    closedir(dir);
    if (status != PG_OK) pg_names_clear(out);
    if (out->count) qsort(out->name, (size_t)out->count, sizeof *out->name, by_bytes);
    return status;
}

int pg_directory_lock(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) (void)!flock(fd, LOCK_EX);
    return fd;
}
