/* Whole files, durably; see file.h. */
#include "core/base/file.h"

#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

pg_status pg_file_read(const char *path, char **out, size_t *bytes, pg_error *err)
{
    char *data = NULL;
    pg_status status = PG_OK;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return pg_fail_errno(err, "%s", path);
    struct stat info;
    if (fstat(fd, &info) != 0) PG_TRY(pg_fail_errno(err, "%s", path));
    if (!S_ISREG(info.st_mode)) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: not a regular file", path));
    const size_t size = (size_t)info.st_size;
    PG_TRY(pg_alloc(size + 1, 1, &data, err));
    for (size_t have = 0; have < size;) {
        const ssize_t got = read(fd, data + have, size - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) PG_TRY(pg_fail_errno(err, "%s", path));
        if (got == 0) PG_TRY(pg_fail(err, PG_IO_FAULT, "%s: shrank while it was read", path));
        have += (size_t)got;
    }
    *out = data;
    *bytes = size;
    data = NULL;
done:
    close(fd);
    pg_free(data);
    return status;
}

/* Does path have these bytes and exactly these permissions? */
static bool holds(const char *path, const void *data, size_t bytes, pg_file_mode mode)
{
    char *old = NULL;
    size_t have = 0;
    struct stat info;
    if (stat(path, &info) != 0 || (info.st_mode & 0777) != (mode_t)mode || (size_t)info.st_size != bytes) return false;
    if (pg_file_read(path, &old, &have, NULL) != PG_OK) return false;
    const bool same = have == bytes && memcmp(old, data, bytes) == 0;
    pg_free(old);
    return same;
}

static pg_status write_all(int fd, const char *path, const void *data, size_t bytes, pg_error *err)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t put = write(fd, (const char *)data + done, bytes - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return pg_fail_errno(err, "%s", path);
        done += (size_t)put;
    }
    if (fsync(fd) != 0) return pg_fail_errno(err, "%s", path);
    return PG_OK;
}

static pg_status sync_directory_of(const char *path, pg_error *err)
{
    char directory[PG_PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == path)
        snprintf(directory, sizeof directory, "/");
    else if (slash)
        snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    else
        snprintf(directory, sizeof directory, ".");
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return pg_fail_errno(err, "%s", directory);
    /* Some file systems cannot sync a directory and say EINVAL; they need it least. */
    const bool failed = fsync(fd) != 0 && errno != EINVAL;
    const pg_status status = failed ? pg_fail_errno(err, "%s", directory) : PG_OK;
    close(fd);
    return status;
}

pg_status pg_file_write(const char *path, const void *data, size_t bytes, pg_file_mode mode, pg_error *err)
{
    struct stat info;
    if (holds(path, data, bytes, mode)) return PG_OK;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) return pg_fail(err, PG_IO_FAULT, "%s: not a regular file", path);
    char temporary[PG_PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX.part", path) >= (int)sizeof temporary)
        return pg_fail(err, PG_BAD_INPUT, "%s: path too long", path);
    const int fd = mkostemps(temporary, 5, O_CLOEXEC);
    if (fd < 0) return pg_fail_errno(err, "%s", path);
    pg_status status = write_all(fd, path, data, bytes, err);
    if (status == PG_OK && fchmod(fd, (mode_t)mode) != 0) status = pg_fail_errno(err, "%s", path);
    if (close(fd) != 0 && status == PG_OK) status = pg_fail_errno(err, "%s", path);
    if (status == PG_OK && rename(temporary, path) != 0) status = pg_fail_errno(err, "%s", path);
    if (status != PG_OK) {
        unlink(temporary);
        return status;
    }
    return sync_directory_of(path, err);
}

pg_status pg_file_remove(const char *path, pg_error *err)
{
    if (unlink(path) != 0 && errno != ENOENT) return pg_fail_errno(err, "%s", path);
    return sync_directory_of(path, err);
}

pg_status pg_make_directories(const char *path, pg_error *err)
{
    char part[PG_PATH_MAX];
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof part) return pg_fail(err, PG_BAD_INPUT, "'%s': not a usable directory name", path);
    memcpy(part, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (part[i] != '/' && part[i] != 0) continue;
        const char keep = part[i];
        part[i] = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST) return pg_fail_errno(err, "%s", part);
        part[i] = keep;
    }
    struct stat info;
    if (stat(path, &info) != 0) return pg_fail_errno(err, "%s", path);
    if (!S_ISDIR(info.st_mode)) return pg_fail(err, PG_IO_FAULT, "%s: is not a directory", path);
    return PG_OK;
}

bool pg_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

pg_status pg_path(char out[PG_PATH_MAX], const char *directory, const char *part1, const char *part2, pg_error *err)
{
    const int n = part2 ? snprintf(out, PG_PATH_MAX, "%s/%s/%s", directory, part1, part2)
                        : snprintf(out, PG_PATH_MAX, "%s/%s", directory, part1);
    if (n < 0 || n >= PG_PATH_MAX) return pg_fail(err, PG_BAD_INPUT, "%s/%s: path too long", directory, part1);
    return PG_OK;
}
