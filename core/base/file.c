/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole files, durably; see file.h. */
#include "core/base/file.h"

#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

pg_status pg_file_open(const char *path, int *fd, size_t *size, pg_error *err)
{
    pg_status status = PG_OK;
    struct stat info;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* O_NONBLOCK: do not wait for the writer of a FIFO */
    if (*fd < 0) return pg_fail_errno(err, "%s", path);
    if (fstat(*fd, &info) != 0)
        status = pg_fail_errno(err, "%s", path);
    else if (!S_ISREG(info.st_mode))
        status = pg_fail(err, PG_BAD_INPUT, "%s: not a regular file", path);
    if (status != PG_OK)
        close(*fd);
    else
        *size = (size_t)info.st_size;
    return status;
}

/* Read exactly this many bytes from the current position of fd. */
static pg_status read_all(int fd, const char *path, char *out, size_t bytes, pg_error *err)
{
    for (size_t have = 0; have < bytes;) {
        const ssize_t got = read(fd, out + have, bytes - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return pg_fail_errno(err, "%s", path);
        if (got == 0) return pg_fail(err, PG_IO_FAULT, "%s: the file became shorter while it was read", path);
        have += (size_t)got;
    }
    return PG_OK;
}

pg_status pg_file_read_up_to(const char *path, size_t most, char **out, size_t *bytes, pg_error *err)
{
    char *data = NULL;
    int fd;
    size_t size;
    pg_status status = pg_file_open(path, &fd, &size, err);
    if (status != PG_OK) return status;
    if (size > most)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: the file has %zu bytes; at most %zu are allowed", path, size, most));
    PG_TRY(pg_alloc(size + 1, 1, &data, err));
    PG_TRY(read_all(fd, path, data, size, err));
    *out = data;
    *bytes = size;
    data = NULL;
done:
    close(fd);
    pg_free(data);
    return status;
}

pg_status pg_file_read(const char *path, char **out, size_t *bytes, pg_error *err)
{
    return pg_file_read_up_to(path, SIZE_MAX - 1, out, bytes, err);
}

pg_status pg_file_head(const char *path, char *out, size_t most, size_t *total, pg_error *err)
{
    int fd;
    pg_status status = pg_file_open(path, &fd, total, err);
    if (status != PG_OK) return status;
    status = read_all(fd, path, out, *total < most ? *total : most, err);
    close(fd);
    return status;
}

/* UTF-16 and UTF-32 texts begin with a byte order mark. Without one, a zero is among the first two bytes, because our texts
 * begin with an ASCII character. */
static bool is_wide(const char *text, size_t bytes)
{
    if (bytes < 2) return false;
    return memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0 || !text[0] || !text[1];
}

enum { TEXT_MAX = 1 << 26 }; /* bytes, far more than any text that a person writes */

pg_status pg_file_read_text(const char *path, char **out, size_t *bytes, pg_error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    const size_t length = sizeof mark - 1;
    const pg_status status = pg_file_read_up_to(path, TEXT_MAX, out, bytes, err);
    if (status != PG_OK) return status;
    if (is_wide(*out, *bytes)) {
        pg_free(*out);
        *out = NULL;
        return pg_fail(err, PG_BAD_INPUT, "%s: the text is in UTF-16 or UTF-32; save it as UTF-8", path);
    }
    if (*bytes < length || memcmp(*out, mark, length) != 0) return PG_OK;
    *bytes -= length;
    memmove(*out, *out + length, *bytes + 1); /* including the zero byte */
    return PG_OK;
}

enum { OTHERS = 077 }; /* permissions of everybody but the owner */

/* Does the file have permissions that the mode forbids? */
static bool is_exposed(const struct stat *info, pg_file_mode mode)
{
    return mode == PG_FILE_SECRET && (info->st_mode & OTHERS) != 0;
}

/* Does path have this content, and no permission that the mode forbids? */
static bool holds(const char *path, const void *data, size_t bytes, pg_file_mode mode)
{
    char *old = NULL;
    size_t have = 0;
    struct stat info;
    if (stat(path, &info) != 0 || (size_t)info.st_size != bytes) return false;
    if (is_exposed(&info, mode)) return false;
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
    /* Some file systems cannot sync a directory and return EINVAL. That is not a failure. */
    const bool failed = fsync(fd) != 0 && errno != EINVAL;
    const pg_status status = failed ? pg_fail_errno(err, "%s", directory) : PG_OK;
    close(fd);
    return status;
}

/* Create a file "PATH.RANDOM.part" that no other process writes; -1 with errno if that fails. */
static int create_temporary(const char *path, pg_file_mode mode, char temporary[PG_PATH_MAX])
{
    for (;;) {
        uint64_t bits = 0;
        if (getrandom(&bits, sizeof bits, 0) < 0) return -1;
        if (snprintf(temporary, PG_PATH_MAX, "%s.%016" PRIx64 ".part", path, bits) >= PG_PATH_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
}

/* Reading a device or a pipe might never end, so refuse it before comparing its content. */
static pg_status refuse_special(const char *path, pg_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return PG_OK;
    return pg_fail(err, PG_IO_FAULT, "%s: not a regular file", path);
}

/* Open the temporary file of a write to path. */
static pg_status begin(const char *path, pg_file_mode mode, char temporary[PG_PATH_MAX], int *fd, pg_error *err)
{
    *fd = create_temporary(path, mode, temporary);
    if (*fd < 0 && errno == ENAMETOOLONG) return pg_fail(err, PG_BAD_INPUT, "%s: path too long", path);
    return *fd < 0 ? pg_fail_errno(err, "%s", path) : PG_OK;
}

/* Put the temporary file in path's place if it was written; otherwise remove it. *again: another process removed it before,
 * such as a run that tidies up its directory. */
static pg_status commit(pg_status status, const char *temporary, const char *path, bool *again, pg_error *err)
{
    const bool failed = status == PG_OK && rename(temporary, path) != 0;
    *again = failed && errno == ENOENT;
    if (failed) status = pg_fail_errno(err, "%s", path);
    if (status == PG_OK) return sync_directory_of(path, err);
    unlink(temporary);
    return status;
}

pg_status pg_file_write(const char *path, const void *data, size_t bytes, pg_file_mode mode, pg_error *err)
{
    char temporary[PG_PATH_MAX];
    int fd;
    pg_status status = refuse_special(path, err);
    if (status != PG_OK || holds(path, data, bytes, mode)) return status;
    for (bool again = true; again;) {
        if ((status = begin(path, mode, temporary, &fd, err)) != PG_OK) return status;
        status = write_all(fd, path, data, bytes, err);
        if (close(fd) != 0 && status == PG_OK) status = pg_fail_errno(err, "%s", path);
        status = commit(status, temporary, path, &again, err);
    }
    return status;
}

/* Compares the bytes written to a stream with a file. */
typedef struct comparison {
    FILE *old;
    bool same;
} comparison;

static ssize_t compare_piece(void *cookie, const char *data, size_t bytes)
{
    comparison *c = cookie;
    char old[4096];
    for (size_t done = 0, piece; c->same && done < bytes; done += piece) {
        piece = bytes - done < sizeof old ? bytes - done : sizeof old;
        c->same = fread(old, 1, piece, c->old) == piece && memcmp(old, data + done, piece) == 0;
    }
    return (ssize_t)bytes;
}

static pg_status print_and_close(FILE *stream, const char *path, pg_printer *print, const void *context, pg_error *err)
{
    pg_status status = print(stream, context, err);
    if (status == PG_OK && (fflush(stream) != 0 || ferror(stream))) status = pg_fail_errno(err, "%s", path);
    if (status == PG_OK && fileno(stream) >= 0 && fsync(fileno(stream)) != 0) status = pg_fail_errno(err, "%s", path);
    if (fclose(stream) != 0 && status == PG_OK) status = pg_fail_errno(err, "%s", path);
    return status;
}

/* Does path have the content that print writes, and no permission that the mode forbids? */
static pg_status holds_printed(const char *path, pg_printer *print, const void *context, pg_file_mode mode, bool *same,
                               pg_error *err)
{
    enum { ROOM = 1 << 20 }; /* few calls, which may be slow */
    struct stat info;
    char *room = NULL;
    comparison c = {.old = fopen(path, "re"), .same = true};
    *same = false;
    if (!c.old) return PG_OK;
    if (pg_alloc(ROOM, 1, &room, NULL) == PG_OK) setvbuf(c.old, room, _IOFBF, ROOM);
    FILE *stream = fopencookie(&c, "w", (cookie_io_functions_t){.write = compare_piece});
    const pg_status status = stream ? print_and_close(stream, path, print, context, err) : pg_fail_errno(err, "%s", path);
    *same = status == PG_OK && c.same && fgetc(c.old) == EOF && !ferror(c.old);
    if (fstat(fileno(c.old), &info) != 0 || is_exposed(&info, mode)) *same = false;
    fclose(c.old);
    pg_free(room);
    return status;
}

pg_status pg_file_print(const char *path, pg_printer *print, const void *context, pg_file_mode mode, pg_error *err)
{
    char temporary[PG_PATH_MAX];
    bool same = false;
    int fd;
    pg_status status = refuse_special(path, err);
    if (status == PG_OK) status = holds_printed(path, print, context, mode, &same, err);
    if (status != PG_OK || same) return status;
    for (bool again = true; again;) {
        if ((status = begin(path, mode, temporary, &fd, err)) != PG_OK) return status;
        FILE *stream = fdopen(fd, "w");
        status = stream ? print_and_close(stream, path, print, context, err) : pg_fail_errno(err, "%s", path);
        if (!stream) close(fd);
        status = commit(status, temporary, path, &again, err);
    }
    return status;
}

pg_status pg_file_append(const char *path, const void *data, size_t bytes, pg_error *err)
{
    struct stat before;
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, PG_FILE_PUBLIC);
    if (fd < 0) return pg_fail_errno(err, "%s", path);
    pg_status status = PG_OK;
    if (fstat(fd, &before) != 0 || !S_ISREG(before.st_mode)) PG_TRY(pg_fail(err, PG_IO_FAULT, "%s: not a regular file", path));
    status = write_all(fd, path, data, bytes, err);
    if (status != PG_OK) (void)!ftruncate(fd, before.st_size);
done:
    if (close(fd) != 0 && status == PG_OK) status = pg_fail_errno(err, "%s", path);
    return status == PG_OK && before.st_size == 0 ? sync_directory_of(path, err) : status;
}

pg_status pg_file_keeps_secrets(const char *directory, bool *keeps, pg_error *err)
{
    char path[PG_PATH_MAX], temporary[PG_PATH_MAX];
    struct stat info;
    pg_status status = pg_path(path, directory, "secret", NULL, err);
    if (status != PG_OK) return status;
    const int fd = create_temporary(path, PG_FILE_SECRET, temporary);
    if (fd < 0) return pg_fail_errno(err, "%s", directory);
    if (fstat(fd, &info) != 0) status = pg_fail_errno(err, "%s", directory);
    *keeps = status == PG_OK && (info.st_mode & OTHERS) == 0;
    close(fd);
    unlink(temporary);
    return status;
}

pg_status pg_file_refuse_link(const char *path, pg_error *err)
{
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISLNK(info.st_mode)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s is a symbolic link, which a run does not follow: replace the link with its target",
                   path);
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
    if (length == 0 || length >= sizeof part)
        return pg_fail(err, PG_BAD_INPUT, "'%s': the directory name is empty or too long", path);
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
    if (!S_ISDIR(info.st_mode)) return pg_fail(err, PG_IO_FAULT, "%s: not a directory", path);
    return PG_OK;
}

bool pg_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static bool same_inode(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool pg_file_same(const char *a, const char *b)
{
    char one[PG_PATH_MAX], other[PG_PATH_MAX];
    const char *name = strrchr(a, '/'), *other_name = strrchr(b, '/');
    if (strcmp(a, b) == 0 || same_inode(a, b)) return true;
    if (strcmp(name ? name + 1 : a, other_name ? other_name + 1 : b) != 0) return false;
    snprintf(one, sizeof one, "%.*s.", name ? (int)(name + 1 - a) : 0, a);
    snprintf(other, sizeof other, "%.*s.", other_name ? (int)(other_name + 1 - b) : 0, b);
    return same_inode(one, other);
}

pg_status pg_path(char out[PG_PATH_MAX], const char *directory, const char *part1, const char *part2, pg_error *err)
{
    const int n = part2 ? snprintf(out, PG_PATH_MAX, "%s/%s/%s", directory, part1, part2)
                        : snprintf(out, PG_PATH_MAX, "%s/%s", directory, part1);
    if (n < 0 || n >= PG_PATH_MAX) return pg_fail(err, PG_BAD_INPUT, "%s/%s: path too long", directory, part1);
    return PG_OK;
}
